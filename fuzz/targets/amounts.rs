//! Amounts, as FSPIOP and as the administration write them: what is accepted prints as a text of the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vocabulary::Amount;

fuzz_target!(|text: &str| {
    if let Ok(amount) = Amount::parse(text) {
        assert_eq!(Amount::parse(&amount.to_string()), Ok(amount), "{text:?}");
    }
    if let Ok(amount) = hub::foreign::decimal(text) {
        assert_eq!(hub::foreign::decimal(&amount.to_string()), Ok(amount), "{text:?}");
    }
});
