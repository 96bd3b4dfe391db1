//! ILP packets of both versions: what decodes, encodes again to a packet with the same content.
#![no_main]

use fspiop::ilp::{PaymentPacket, PreparePacket, transaction_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(packet) = PaymentPacket::decode(text) {
        assert_eq!(transaction_of(text).as_ref(), Ok(&packet.transaction));
        assert_eq!(PaymentPacket::decode(&packet.encode()), Ok(packet));
    }
    if let Ok(packet) = PreparePacket::decode(text) {
        assert_eq!(PreparePacket::decode(&packet.encode()), Ok(packet));
    }
});
