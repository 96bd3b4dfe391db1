//! Verification and explanation of any signature header over any body, and reading of any key. Nothing that is made up
//! verifies, and why it does not can always be said.
#![no_main]

use fspiop::jws::{VerificationKey, explain, verify};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// A key of which nobody has kept the private half.
static KEY: LazyLock<VerificationKey> = LazyLock::new(|| {
    let (key, _) = fspiop::jws::SigningKey::generate_rsa().expect("the system gives random numbers");
    let pem = key.public_pem().expect("a generated key has a public half");
    VerificationKey::from_pem(&pem).expect("what we print, we read")
});

fuzz_target!(|bytes: &[u8]| {
    // Headers, an empty line, the body.
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let headers = fuzz::headers(&bytes[..end]);
    let body = bytes.get(end + 2..).unwrap_or_default();
    assert!(verify(&KEY, &headers, body).is_err());
    let explained = explain(&KEY, &headers, body, (None, Some(bytes)));
    assert!(!explained.is_valid && !explained.findings.is_empty());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = VerificationKey::from_pem(text);
        let _ = fspiop::jws::SigningKey::from_pem(text);
    }
});
