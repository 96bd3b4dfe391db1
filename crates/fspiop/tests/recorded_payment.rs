//! One recorded payment between two participants passes every check, and leaves the hub as it came.
//!
//! The recording lies beside the repository and not in it; without it the test says so and is skipped.
#![allow(clippy::unwrap_used)]

use fspiop::body::{PartyPut, QuoteRequest, QuoteResponse, TransferFulfil, TransferPrepare};
use fspiop::callback::{Relay, relayed_headers};
use fspiop::jws::{InvalidSignature, VerificationKey, verify};
use fspiop::{Operation, check_headers, headers, ilp, route};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::path::Path;

struct Message {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

fn recorded(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract").join(name);
    let text = std::fs::read_to_string(path);
    if text.is_err() {
        println!("skipped: {name} is absent");
    }
    text.ok()
}

fn recording() -> Option<Vec<Message>> {
    let text = recorded("wire-p2p.ndjson")?;
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(lines.filter(|line| line["dir"] == "sdk->hub").map(|line| message(&line)).collect())
}

fn message(line: &Value) -> Message {
    let header = |(name, value): (&String, &Value)| {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        (HeaderName::try_from(name.as_str()).unwrap(), value)
    };
    Message {
        method: line["m"].as_str().unwrap().parse().unwrap(),
        path: line["u"].as_str().unwrap().to_owned(),
        headers: line["h"].as_object().unwrap().iter().map(header).collect(),
        body: line["b"].as_str().unwrap().to_owned(),
    }
}

fn check_body(operation: &Operation, body: &[u8]) {
    if matches!(operation, Operation::PutParty(_)) {
        PartyPut::parse(body).unwrap();
    } else if matches!(operation, Operation::PostQuote) {
        QuoteRequest::parse(body).unwrap();
    } else if matches!(operation, Operation::PutQuote(_)) {
        let quote = QuoteResponse::parse(body).unwrap();
        ilp::PaymentPacket::decode(&quote.ilp_packet).unwrap();
    } else if matches!(operation, Operation::PostTransfer) {
        TransferPrepare::parse(body).unwrap();
    } else if matches!(operation, Operation::PutTransfer(_)) {
        TransferFulfil::parse(body).unwrap();
    } else {
        assert!(matches!(operation, Operation::GetParty(_)), "{operation:?}");
        assert!(body.is_empty());
    }
}

#[test]
fn a_recorded_payment_passes_every_check_and_its_signed_headers_survive_the_relay() {
    let Some(messages) = recording() else { return };
    assert_eq!(messages.len(), 6);
    for message in messages {
        let found = route(&message.method, &message.path).unwrap();
        let resource = found.resource();
        let envelope = check_headers(&found, &message.headers).unwrap();
        let operation = found.operation(None).unwrap();
        assert_eq!(operation.uri(), message.path);
        check_body(&operation, message.body.as_bytes());

        let uri = operation.uri();
        let destination = envelope.destination.as_ref();
        let relay = Relay { resource, method: &message.method, uri: &uri, destination };
        let sent = relayed_headers(&message.headers, &relay).unwrap();
        for name in
            ["date", headers::SOURCE, headers::DESTINATION, headers::URI, headers::HTTP_METHOD, headers::SIGNATURE]
        {
            assert_eq!(sent.get(name), message.headers.get(name), "{name} of {} {uri}", message.method);
        }
    }
}

#[test]
fn the_signatures_of_a_recorded_payment_verify_and_any_other_last_byte_of_a_body_fails() {
    let (Some(messages), Some(key)) = (recording(), recorded("wire-jws-public.pem")) else { return };
    let key = VerificationKey::from_pem(&key).unwrap();
    let signed: Vec<_> = messages.iter().filter(|message| message.method != Method::GET).collect();
    assert_eq!(signed.len(), 5);
    for message in signed {
        assert_eq!(verify(&key, &message.headers, message.body.as_bytes()), Ok(()), "{}", message.path);
        let changed = format!("{} }}", message.body.strip_suffix('}').unwrap());
        assert_eq!(verify(&key, &message.headers, changed.as_bytes()), Err(InvalidSignature::Wrong));
    }
}
