//! Packets and fulfilments by the vectors of existing clients.

use super::*;
use crate::canonical_json;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// The published vectors, which lie beside the repository and not in it. Tests that need them say so when they are
/// absent.
fn vectors() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract/vectors.json");
    match std::fs::read(path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            println!("skipped: vectors.json is absent");
            None
        }
    }
}

/// The transaction of the vectors' quote, as the 19.x client builds it.
fn transaction(vectors: &Value) -> Vec<u8> {
    let (request, response) = (&vectors["quoteRequest"], &vectors["quoteResponse"]);
    let transaction = json!({
        "quoteId": request["quoteId"],
        "transactionId": request["transactionId"],
        "transactionType": request["transactionType"],
        "payee": request["payee"],
        "payer": request["payer"],
        "expiration": response["expiration"],
        "amount": response["transferAmount"],
    });
    canonical_json(&transaction).into_bytes()
}

fn conversion(vectors: &Value) -> Vec<u8> {
    let conversion = json!({
        "conversionRequestId": vectors["fxReq"]["conversionRequestId"],
        "conversionTerms": vectors["fxRes"]["conversionTerms"],
    });
    canonical_json(&conversion).into_bytes()
}

fn secret(vectors: &Value) -> Secret {
    Secret::new(vectors["secret"].as_str().unwrap())
}

fn check(vector: &Value, packet: &str, fulfilment: &Fulfilment) {
    assert_eq!(packet, vector["ilpPacket"]);
    assert_eq!(fulfilment.to_string(), vector["fulfilment"]);
    assert_eq!(condition_of(fulfilment).to_string(), vector["condition"]);
}

fn usd(text: &str) -> u64 {
    minor_units(text.parse().unwrap(), "USD".parse().unwrap()).unwrap()
}

#[test]
fn packets_of_version_1_equal_the_vectors() {
    let Some(vectors) = vectors() else { return };
    let account = party_account(&"payeefsp".parse().unwrap(), "MSISDN", "27713803912", None);
    let packet = PaymentPacket { amount: usd("100.5"), account, transaction: transaction(&vectors) };
    let text = packet.encode();
    check(&vectors["ssc19_v1"], &text, &secret(&vectors).fulfilment_v1(&text));
    assert_eq!(PaymentPacket::decode(&text), Ok(packet));

    let account = conversion_account(&"FXP1".parse().unwrap(), "ZMW".parse().unwrap(), "USD".parse().unwrap());
    let text = PaymentPacket { amount: 0, account, transaction: conversion(&vectors) }.encode();
    check(&vectors["ssc19_v1_fx"], &text, &secret(&vectors).fulfilment_v1(&text));
}

#[test]
fn packets_of_version_4_equal_the_vectors() {
    let Some(vectors) = vectors() else { return };
    for (name, amount, transaction) in
        [("ssc19_v4", usd("100.5"), transaction(&vectors)), ("ssc19_v4_fx", 0, conversion(&vectors))]
    {
        let fulfilment = secret(&vectors).fulfilment_v4(&transaction);
        let expires = vectors["quoteResponse"]["expiration"].as_str().unwrap().parse().unwrap();
        let packet = PreparePacket { amount, expires, condition: condition_of(&fulfilment), transaction };
        check(&vectors[name], &packet.encode(), &fulfilment);
        assert_eq!(PreparePacket::decode(&packet.encode()), Ok(packet));
    }
}

#[test]
fn packets_of_older_clients_are_read_and_their_fulfilment_is_the_same_function() {
    let Some(vectors) = vectors() else { return };
    let text = vectors["ssc17_v1"]["ilpPacket"].as_str().unwrap();
    let fulfilment = secret(&vectors).fulfilment_v1(text);
    check(&vectors["ssc17_v1"], text, &fulfilment);
    let packet = PaymentPacket::decode(text).unwrap();
    assert_eq!((packet.amount, packet.account.as_str()), (10_050, "g.payeefsp.msisdn.27713803912"));
    let transaction: Value = serde_json::from_slice(&packet.transaction).unwrap();
    assert_eq!(transaction["amount"]["amount"], "100.5");
}

#[test]
fn a_packet_of_one_version_is_refused_by_the_decoder_of_the_other() {
    let packet = PaymentPacket { amount: 1, account: "g.x".into(), transaction: b"{}".to_vec() }.encode();
    assert_eq!(PreparePacket::decode(&packet), Err(InvalidPacket));
    assert_eq!(transaction_of(&packet), Ok(b"{}".to_vec()));
    for text in ["", "AQ", "AYID", "not base64!", "AQEB"] {
        assert_eq!(transaction_of(text), Err(InvalidPacket), "{text}");
    }
}

#[test]
fn amounts_are_counted_in_minor_units_of_their_currency() {
    for (amount, currency, exact, cut) in [
        ("100.5", "USD", Some(10_050), 10_050),
        ("1.5", "UGX", None, 1),
        ("1.234", "KWD", Some(1_234), 1_234),
        ("0.0001", "XXX", Some(1), 1),
        ("0.0001", "EUR", None, 0),
        ("99999999999999.9999", "XTS", Some(999_999_999_999_999_999), 999_999_999_999_999_999),
    ] {
        let (amount, currency): (Amount, Currency) = (amount.parse().unwrap(), currency.parse().unwrap());
        assert_eq!(minor_units(amount, currency).ok(), exact, "{amount} {currency}");
        assert_eq!(minor_units_cut(amount, currency), Ok(cut), "{amount} {currency}");
    }
    assert_eq!(minor_units(Amount::from_units(-1), "USD".parse().unwrap()), Err(NotRepresentable));
}

#[test]
fn accounts_are_addresses_in_lower_case_behind_the_name_of_the_fsp() {
    let fsp = "PayeeFSP".parse().unwrap();
    assert_eq!(party_account(&fsp, "PERSONAL_ID", "AbC", Some("PASSPORT")), "g.PayeeFSP.personal_id.abc.passport");
}

#[test]
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", Secret::new("mojaloop-sdk")), "Secret(…)");
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(amount: u64, account in "[a-z.]{0,300}", data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let payment = PaymentPacket { amount, account, transaction: data.clone() };
        prop_assert_eq!(PaymentPacket::decode(&payment.encode()), Ok(payment));
        let expires = Timestamp::from_millis(1_900_000_000_123);
        let prepare = PreparePacket { amount, expires, condition: Condition::new([9; 32]), transaction: data };
        prop_assert_eq!(PreparePacket::decode(&prepare.encode()), Ok(prepare));
    }

    #[test]
    fn no_text_makes_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0u8..14) {
        let packet = [&[kind][..], &bytes].concat();
        let _ = transaction_of(&URL_SAFE_NO_PAD.encode(packet));
    }
}
