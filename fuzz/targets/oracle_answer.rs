//! What an oracle answers about a party.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in hub::foreign::oracle_answer(bytes) {
        assert!((1..=32).contains(&name.as_str().chars().count()));
    }
});
