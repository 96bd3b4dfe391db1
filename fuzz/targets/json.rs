//! The content hash and the canonical text of a body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let hash = fspiop::content_hash(bytes);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let padded = [b" \r\n", bytes, b"\t "].concat();
    assert_eq!(fspiop::content_hash(&padded), hash);
    let canonical = fspiop::canonical_json(&value);
    let again: Value = serde_json::from_str(&canonical).expect("canonical text is JSON");
    assert_eq!(again, value);
    assert_eq!(fspiop::canonical_json(&again), canonical);
});
