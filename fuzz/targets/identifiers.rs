//! Ids, names, currencies, times, conditions and parties: what is accepted prints as a text that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::{fmt::Display, str::FromStr};
use vocabulary::{Condition, CorrelationId, Currency, FspId, Fulfilment, PartyId, PartyIdType, Timestamp};

fuzz_target!(|text: &str| {
    round_trip::<CorrelationId>(text);
    round_trip::<Currency>(text);
    round_trip::<FspId>(text);
    round_trip::<PartyIdType>(text);
    round_trip::<Timestamp>(text);
    if let Ok(time) = Timestamp::parse_http(text) {
        assert_eq!(Timestamp::parse_http(&time.http().to_string()), Ok(time));
    }
    if let Some(condition) = Condition::parse(text) {
        assert_eq!(Condition::parse(&condition.to_string()), Some(condition));
    }
    if let Some(fulfilment) = Fulfilment::parse(text) {
        assert_eq!(Fulfilment::parse(&fulfilment.to_string()), Some(fulfilment));
    }
    let (identifier, sub_id) = text.split_once('/').map_or((text, None), |(first, second)| (first, Some(second)));
    for id_type in PartyIdType::ALL {
        if let Ok(party) = PartyId::try_new(id_type, identifier, sub_id) {
            assert_eq!(PartyId::try_new(id_type, &party.identifier, party.sub_id.as_deref()), Ok(party));
        }
    }
});

fn round_trip<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse::<T>().is_ok_and(|again| again == value), "{text:?}");
    }
}
