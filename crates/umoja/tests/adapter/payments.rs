//! Push payments in one, two and three steps, and what goes wrong on the way.

use crate::core::{BROKEN, GARBLED, GONE, PAYER, REFUSING, SLOW, SLOW_IN_TERMS, WELCOMING, WITHOUT_TERMS};
use crate::world::{World, transfer_to};
use adapter::Settings;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn asking(settings: &mut Settings) {
    settings.auto_accept_party = false;
    settings.auto_accept_quotes = false;
}

fn impatient(settings: &mut Settings) {
    settings.callback_timeout = Duration::from_secs(2);
}

#[tokio::test]
async fn a_payment_in_one_step_moves_the_money() {
    let world = World::start().await;
    let (status, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(state["fulfil"]["body"]["transferState"], "COMMITTED");
    assert_eq!((&state["to"]["fspId"], &state["to"]["firstName"]), (&json!("blue"), &json!("Ana")));
    assert_eq!(state["quoteResponse"]["body"]["payeeFspFee"], json!({"amount": "1", "currency": "KES"}));
    assert_eq!(state["transferId"].as_str().unwrap().len(), 26, "ids are ULIDs");
    assert_eq!(world.positions().await, ["10", "-10"]);
    let asked = world.payee.core.asked(Method::POST, "/transfers").pop().unwrap().body;
    assert_eq!((&asked["transferId"], &asked["note"]), (&state["transferId"], &json!("rent")));
    assert_eq!(asked["ilpPacket"]["data"]["transactionId"], state["transferId"]);
}

#[tokio::test]
async fn a_payment_in_three_steps_waits_for_the_core_after_each() {
    let world = World::with(asking, |_| {}).await;
    let (status, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_PARTY_ACCEPTANCE")), "{state}");
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let (status, state) = world.payer.call(Method::PUT, &path, &json!({"acceptParty": true})).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_QUOTE_ACCEPTANCE")), "{state}");
    assert_eq!(world.positions().await, ["0", "0"]);
    let (status, state) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(world.positions().await, ["10", "-10"]);
    let (status, again) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
    assert_eq!((status, again), (200, state), "a word that comes again finds the end");
    assert_eq!(world.positions().await, ["10", "-10"]);
}

#[tokio::test]
async fn a_payment_in_two_steps_stops_once_and_may_change_its_amount() {
    let world = World::with(|settings| settings.auto_accept_party = false, |_| {}).await;
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let word = json!({"acceptParty": true, "amount": "7", "other": 1});
    let (status, state) = world.payer.call(Method::PUT, &path, &word).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!((&state["amount"], state.get("other")), (&json!("7"), None), "other members are dropped");
    assert_eq!(world.positions().await, ["7", "-7"]);
}

#[tokio::test]
async fn what_the_core_does_not_accept_is_aborted() {
    let world = World::with(asking, |_| {}).await;
    for (words, reason) in [
        (vec![json!({"acceptParty": false})], "Payee rejected by backend"),
        (vec![json!({"acceptQuote": true})], "Payee rejected by backend"),
        (vec![json!({"acceptParty": true}), json!({"acceptQuote": false})], "Quote rejected by backend"),
    ] {
        let (_, mut state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
        let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
        for word in words {
            state = world.payer.call(Method::PUT, &path, &word).await.1;
        }
        assert_eq!((&state["currentState"], &state["abortedReason"]), (&json!("ABORTED"), &json!(reason)), "{state}");
        let (status, again) = world.payer.call(Method::PUT, &path, &json!({"acceptParty": true})).await;
        assert_eq!((status, again), (200, state), "an end stays one");
    }
    assert_eq!(world.positions().await, ["0", "0"]);
}

#[tokio::test]
async fn words_of_the_payees_core_reach_the_payers_core_as_the_schemes_codes() {
    let world = World::start().await;
    for (payee, code, text) in [
        (GONE, "3204", "nobody of this bank"),
        (BROKEN, "2001", "Internal server error"),
        (GARBLED, "2001", "Internal server error"),
        (WITHOUT_TERMS, "5103", "no such terms"),
        (REFUSING, "5105", "not today"),
    ] {
        let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(payee)).await;
        assert_eq!((status, &failure["statusCode"]), (500, &json!(code)), "{payee}: {failure}");
        let state = &failure["transferState"];
        assert_eq!(state["currentState"], "ERROR_OCCURRED", "{payee}");
        let information = &state["lastError"]["mojaloopError"]["errorInformation"];
        assert_eq!(information["errorDescription"], text, "{payee}");
        let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
        let (status, body) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
        assert_eq!((status, body), (204, Value::Null), "{payee}: nothing goes on from an error");
    }
    assert_eq!(world.positions().await, ["0", "0"]);
    assert_eq!(
        world.payee.core.asked(Method::GET, &format!("/parties/MSISDN/{BROKEN}")).len(),
        4,
        "a 500 is asked again"
    );
    assert_eq!(world.payee.core.asked(Method::GET, &format!("/parties/MSISDN/{GONE}")).len(), 1);
}

#[tokio::test]
async fn a_phase_without_an_answer_is_a_timeout() {
    let world = World::with(impatient, |_| {}).await;
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(SLOW_IN_TERMS)).await;
    assert_eq!((status, &failure["statusCode"]), (504, &json!("504")), "{failure}");
    assert!(failure["message"].as_str().unwrap().starts_with("Timeout requesting quote"), "{failure}");
}

/// The hub ends the transfer at its expiration, and the adapter asks until it knows.
#[tokio::test]
async fn a_transfer_in_doubt_is_settled_by_the_hubs_word() {
    let payer = |settings: &mut Settings| {
        impatient(settings);
        settings.patch_grace = Duration::from_millis(300);
    };
    let world = World::with(payer, |_| {}).await;
    let mut body = transfer_to(SLOW);
    body["prepareExpirySeconds"] = 4.into();
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &body).await;
    assert_eq!((status, &failure["statusCode"]), (504, &json!("504")), "{failure}");
    let path = format!("/transfers/{}", failure["transferState"]["transferId"].as_str().unwrap());
    assert_eq!(world.positions().await, ["10", "0"], "the hub holds the amount");
    let (status, state) = world.payer.call(Method::GET, &path, &Value::Null).await;
    assert_eq!((status, &state["fulfil"]["body"]["transferState"]), (200, &json!("RESERVED")), "{state}");
    let end = async {
        loop {
            let state = world.payer.call(Method::GET, &path, &Value::Null).await.1;
            if state["fulfil"]["body"]["transferState"] == "ABORTED" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the hub expires the transfer");
    assert_eq!(world.positions().await, ["0", "0"]);
}

#[tokio::test]
async fn a_repeated_payment_is_not_paid_twice() {
    let world = World::start().await;
    let mut body = transfer_to(WELCOMING);
    body["transferId"] = sdk::new_id().to_string().into();
    let calls = [(); 3].map(|()| world.payer.call(Method::POST, "/transfers", &body));
    let [first, second, third] = calls;
    let ((_, first), (_, second), (_, third)) = tokio::join!(first, second, third);
    assert_eq!(first["currentState"], "COMPLETED", "{first}");
    assert_eq!((&first, &first), (&second, &third));
    assert_eq!(world.positions().await, ["10", "-10"]);
}

#[tokio::test]
async fn a_known_payees_dfsp_needs_no_lookup() {
    let world = World::start().await;
    let mut body = transfer_to(WELCOMING);
    body["skipPartyLookup"] = true.into();
    body["to"]["fspId"] = "blue".into();
    let (status, state) = world.payer.call(Method::POST, "/transfers", &body).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert!(world.payee.core.asked(Method::GET, "/parties").is_empty());
}

#[tokio::test]
async fn the_core_chooses_among_all_who_answer_a_look_up() {
    let choosing = |settings: &mut Settings| {
        settings.auto_accept_party = false;
        settings.several_payees = Some(Duration::from_secs(5));
    };
    let world = World::with(choosing, |_| {}).await;
    let body = transfer_to(WELCOMING);
    let calling = world.payer.call(Method::POST, "/transfers", &body);
    let answering = async {
        world.payee.core.hears(Method::GET, "/parties").await;
        let headers = [
            ("content-type", "application/vnd.interoperability.parties+json;version=1.1"),
            ("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
            ("fspiop-source", "teal"),
            ("fspiop-destination", "green"),
        ];
        let info = json!({"partyIdType": "MSISDN", "partyIdentifier": WELCOMING, "fspId": "teal"});
        let path = format!("/parties/MSISDN/{WELCOMING}");
        world.payer.inbound_call(Method::PUT, &path, &headers, &json!({"party": {"partyIdInfo": info}})).await
    };
    let ((status, state), (taken, refusal)) = tokio::join!(calling, answering);
    assert_eq!(taken, 200, "{refusal}");
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_PARTY_ACCEPTANCE")), "{state}");
    let payees = state["to"].as_array().unwrap();
    assert_eq!(payees.len(), 2, "{state}");
    let blue = payees.iter().find(|payee| payee["fspId"] == "blue").unwrap();
    assert_eq!(blue["firstName"], "Ana", "{state}");
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let (status, failure) = world.payer.call(Method::PUT, &path, &json!({"acceptParty": true})).await;
    assert_eq!(status, 500, "nobody was chosen: {failure}");
    assert_eq!(failure["transferState"]["currentState"], "WAITING_FOR_PARTY_ACCEPTANCE", "{failure}");
    let word = json!({"acceptParty": true, "to": blue});
    let (status, state) = world.payer.call(Method::PUT, &path, &word).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(world.positions().await, ["10", "-10"]);
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(GONE)).await;
    assert_eq!((status, &failure["statusCode"]), (500, &json!("3204")), "{failure}");
}

#[tokio::test]
async fn simple_calls_are_one_request_and_one_callback() {
    let world = World::start().await;
    let path = format!("/parties/MSISDN/{WELCOMING}");
    let (status, found) = world.payer.call(Method::GET, &path, &Value::Null).await;
    assert_eq!((status, &found["currentState"]), (200, &json!("COMPLETED")), "{found}");
    assert_eq!(found["party"]["body"]["partyIdInfo"]["fspId"], "blue");
    let (status, found) = world.payer.call(Method::GET, "/parties/MSISDN/12121", &Value::Null).await;
    assert_eq!((status, &found["errorInformation"]["errorCode"]), (404, &json!("3204")), "{found}");

    let party =
        |fsp: &str, id: &str| json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": id, "fspId": fsp}});
    let id = sdk::new_id().to_string();
    let quote = json!({"fspId": "blue", "quotesPostRequest": {
        "quoteId": sdk::new_id().to_string(), "transactionId": id, "payer": party("green", PAYER),
        "payee": party("blue", WELCOMING), "amountType": "SEND", "amount": {"amount": "3", "currency": "KES"},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }});
    let (status, quoted) = world.payer.call(Method::POST, "/quotes", &quote).await;
    assert_eq!((status, &quoted["currentState"]), (200, &json!("COMPLETED")), "{quoted}");
    let terms = &quoted["quotes"]["body"];
    let mut transfer = json!({"fspId": "blue", "transfersPostRequest": {
        "transferId": id, "payerFsp": "green", "payeeFsp": "blue", "amount": terms["transferAmount"],
        "ilpPacket": terms["ilpPacket"], "condition": terms["condition"], "expiration": "2030-01-01T00:00:00.000Z",
    }});
    let (status, done) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    assert_eq!((status, &done["transfer"]["body"]["transferState"]), (200, &json!("COMMITTED")), "{done}");
    assert_eq!(world.positions().await, ["3", "-3"]);
    transfer["transfersPostRequest"]["transferId"] = sdk::new_id().to_string().into();
    let (status, refused) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    let error = &refused["transfer"]["body"]["errorInformation"];
    assert_eq!((status, &error["errorCode"]), (200, &json!("2001")), "a transfer without a quote: {refused}");
}

#[tokio::test]
async fn a_transfer_may_have_another_id_than_its_transaction_where_the_settings_say_so() {
    let payee = |settings: &mut Settings| {
        settings.allow_different_transaction_id = true;
        settings.reserve_notification = true;
    };
    let world = World::with(|_| {}, payee).await;
    let party =
        |fsp: &str, id: &str| json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": id, "fspId": fsp}});
    let quote = json!({"fspId": "blue", "quotesPostRequest": {
        "quoteId": sdk::new_id().to_string(), "transactionId": sdk::new_id().to_string(),
        "payer": party("green", PAYER), "payee": party("blue", WELCOMING), "amountType": "SEND",
        "amount": {"amount": "3", "currency": "KES"},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }});
    let (_, quoted) = world.payer.call(Method::POST, "/quotes", &quote).await;
    let (terms, id) = (&quoted["quotes"]["body"], sdk::new_id().to_string());
    let transfer = json!({"fspId": "blue", "transfersPostRequest": {
        "transferId": id, "payerFsp": "green", "payeeFsp": "blue", "amount": terms["transferAmount"],
        "ilpPacket": terms["ilpPacket"], "condition": terms["condition"], "expiration": "2030-01-01T00:00:00.000Z",
    }});
    let (_, done) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    assert_eq!(done["transfer"]["body"]["transferState"], "COMMITTED", "{done}");
    let told = world.payee.core.hears(Method::PUT, &format!("/transfers/{id}")).await.body;
    assert_eq!(told["finalNotification"]["transferState"], "COMMITTED", "{told}");
}

/// As participants do that configure a version.
#[tokio::test]
async fn a_callback_has_the_version_of_its_request_unless_the_settings_name_one() {
    let old = |settings: &mut Settings| {
        settings.versions = [(fspiop::Resource::Parties, fspiop::Version::V1_0)].into();
    };
    let new = |settings: &mut Settings| {
        settings.versions = [(fspiop::Resource::Parties, fspiop::Version::V2_0)].into();
    };
    let path = format!("/parties/MSISDN/{WELCOMING}");
    for (world, expected) in [(World::with(old, |_| {}).await, "1.0"), (World::with(old, new).await, "2.0")] {
        let (_, found) = world.payer.call(Method::GET, &path, &Value::Null).await;
        let expected = format!("application/vnd.interoperability.parties+json;version={expected}");
        assert_eq!(found["party"]["headers"]["content-type"], expected, "{found}");
    }
}
