//! Messages that are wrong, row by row of the contract's tables (§2 conventions, §3).

use crate::core::{PAYER, TACITURN, WELCOMING};
use crate::world::{World, transfer_to};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const DATE: (&str, &str) = ("date", "Sat, 21 Nov 2026 10:00:00 GMT");
const SOURCE: (&str, &str) = ("fspiop-source", "green");
const DESTINATION: (&str, &str) = ("fspiop-destination", "blue");
const TRANSFERS: &str = "application/vnd.interoperability.transfers+json;version=1.1";
const PARTIES: &str = "application/vnd.interoperability.parties+json;version=1.1";

/// Headers with this content type and accept, where they are not empty.
fn headers<'a>(content_type: &'a str, accept: &'a str) -> Vec<(&'a str, &'a str)> {
    let given = [("content-type", content_type), ("accept", accept)].into_iter().filter(|(_, value)| !value.is_empty());
    [DATE, SOURCE, DESTINATION].into_iter().chain(given).collect()
}

fn prepare() -> Value {
    json!({
        "transferId": "b51ec534-ee48-4575-b6a9-ead2955b8069", "payerFsp": "green", "payeeFsp": "blue",
        "amount": {"amount": "1", "currency": "KES"}, "ilpPacket": "AYI", "condition": "0".repeat(43),
        "expiration": "2030-01-01T00:00:00.000Z",
    })
}

#[tokio::test]
async fn a_wrong_message_of_the_hub_is_answered_with_the_code_of_its_fault() {
    let world = World::start().await;
    let party = format!("/parties/MSISDN/{WELCOMING}");
    let version_9 = "application/vnd.interoperability.parties+json;version=9.0";
    let mut lacking = prepare();
    lacking.as_object_mut().unwrap().remove("amount");
    let mut spoiled = prepare();
    spoiled["amount"]["amount"] = "1.0".into();
    let null = Value::Null;
    for (what, method, path, headers, body, expected) in [
        ("no accept", Method::GET, party.as_str(), headers(PARTIES, ""), &null, (400, "3102")),
        ("malformed accept", Method::GET, &party, headers(PARTIES, "text/html"), &null, (400, "3101")),
        ("unknown version asked", Method::GET, &party, headers(PARTIES, version_9), &null, (406, "3001")),
        ("no content type", Method::GET, &party, headers("", PARTIES), &null, (400, "3102")),
        ("malformed content type", Method::GET, &party, headers("text/html", PARTIES), &null, (400, "3101")),
        ("unknown version", Method::GET, &party, headers(version_9, PARTIES), &null, (406, "3001")),
        ("unknown path", Method::GET, "/nowhere", headers(PARTIES, PARTIES), &null, (404, "3002")),
        ("method", Method::POST, &party, headers(PARTIES, PARTIES), &null, (405, "3100")),
        ("missing member", Method::POST, "/transfers", headers(TRANSFERS, TRANSFERS), &lacking, (400, "3102")),
        ("other schema", Method::POST, "/transfers", headers(TRANSFERS, TRANSFERS), &spoiled, (400, "3100")),
    ] {
        let (status, answer) = world.payee.inbound_call(method, path, &headers, body).await;
        let code = answer["errorInformation"]["errorCode"].as_str().unwrap_or_default();
        assert_eq!((status, code), expected, "{what}: {answer}");
    }
    assert!(world.payee.core.asked(Method::GET, "/parties").is_empty(), "the core hears of none of them");
    assert!(world.payee.core.asked(Method::POST, "/transfers").is_empty());
}

#[tokio::test]
async fn a_wrong_call_of_the_core_is_answered_400_and_nothing_leaves() {
    let world = World::start().await;
    let mut lacking = transfer_to(WELCOMING);
    lacking.as_object_mut().unwrap().remove("amount");
    for (method, path, body) in [
        (Method::POST, "/transfers", lacking),
        (Method::POST, "/transfers", json!([])),
        (Method::POST, "/transfers", Value::Null),
        (Method::PUT, "/transfers/x", json!({})),
        (Method::PUT, "/transfers/x", json!({"acceptParty": "yes"})),
        (Method::GET, "/parties/PHONE/1", Value::Null),
        (Method::DELETE, "/transfers/x", Value::Null),
        (Method::GET, "/nowhere", Value::Null),
        (Method::POST, "/accounts", json!([{"idType": "MSISDN"}])),
        (Method::POST, "/quotes", json!({"fspId": "blue"})),
        (Method::POST, "/requestToPay", json!({})),
        (Method::POST, "/requestToPayTransfer", json!({})),
    ] {
        let (status, answer) = world.payer.call(method.clone(), path, &body).await;
        assert_eq!((status, &answer["statusCode"]), (400, &json!(400)), "{method} {path}: {answer}");
        assert!(!answer["message"].as_str().unwrap().is_empty(), "{method} {path}");
    }
    let (status, answer) = world.payer.call(Method::GET, "/services/FXP", &Value::Null).await;
    assert_eq!((status, answer), (404, json!({"statusCode": 404, "message": "Not found"})));
    let (status, _) = world.payer.call(Method::GET, "/", &Value::Null).await;
    assert_eq!(status, 200);
}

/// An empty success is no answer: the payer waits in vain, and the hub ends the transfer.
#[tokio::test]
async fn a_core_that_says_nothing_lets_the_transfer_expire() {
    let world = World::start().await;
    let mut body = transfer_to(TACITURN);
    body["prepareExpirySeconds"] = 3.into();
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &body).await;
    assert_eq!((status, &failure["statusCode"]), (500, &json!("3303")), "{failure}");
    assert_eq!(world.positions().await, ["0", "0"]);
}

/// The payee's DFSP does not take what it has not quoted, and says so through the hub.
#[tokio::test]
async fn a_core_that_is_away_is_an_error_of_the_scheme() {
    let world = World::with(|_| {}, |settings| settings.backend = "127.0.0.1:1".into()).await;
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!((status, &failure["statusCode"]), (500, &json!("2001")), "{failure}");
}

#[tokio::test]
async fn a_core_that_is_slow_is_an_error_of_the_scheme() {
    let world = World::with(|_| {}, |settings| settings.request_timeout = Duration::from_millis(200)).await;
    let slow = transfer_to(crate::core::SLOW_IN_TERMS);
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &slow).await;
    assert_eq!((status, &failure["statusCode"]), (500, &json!("2001")), "{failure}");
    assert_eq!(world.payee.core.asked(Method::POST, "/quoterequests").len(), 4, "asked four times in all");
}

#[tokio::test]
async fn a_lookup_of_oneself_and_of_participants_works() {
    let world = World::start().await;
    let (status, found) = world.payer.call(Method::GET, &format!("/parties/MSISDN/{PAYER}"), &Value::Null).await;
    assert_eq!((status, &found["party"]["body"]["partyIdInfo"]["fspId"]), (200, &json!("green")), "{found}");
}

#[tokio::test]
async fn an_identifier_is_deleted_only_where_the_answer_is_taken() {
    let world = World::with(|_| {}, |settings| settings.auto_accept_participants_put = true).await;
    let path = format!("/accounts/MSISDN/{WELCOMING}");
    let (status, state) = world.payee.call(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!((status, &failure["statusCode"]), (500, &json!("3204")), "{failure}");
}
