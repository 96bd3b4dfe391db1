//! A peer's error object: what is adopted can be sent on, and is adopted again as the same.
#![no_main]

use fspiop::FspiopError;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(error) = FspiopError::from_json(bytes) {
        assert!((1..=128).contains(&error.description().chars().count()));
        assert_eq!(FspiopError::from_json(&error.to_json()), Some(error));
    }
});
