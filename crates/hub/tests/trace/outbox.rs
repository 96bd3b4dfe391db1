//! `/umoja/v1/outbox`: what waits, and what an operator does about it.

use crate::support::{Call, PAYER, Payment, Received, Scheme};
use serde_json::{Value, json};
use store::{Mark, NewMessage, Retry, UnitWork};
use vocabulary::Timestamp;

/// The one message that waits for the payer.
async fn waiting(scheme: &Scheme) -> Value {
    let line = format!("GET /umoja/v1/outbox?state=waiting&to={PAYER}");
    let page = scheme.administer(&line, Value::Null).await;
    let [message] = page["messages"].as_array().unwrap().as_slice() else { panic!("{page}") };
    message.clone()
}

/// A committed payment of which the payer refuses to hear.
async fn unheard_payment(scheme: &Scheme) -> (Payment, Received) {
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.payer.answer_with(503);
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    let first = scheme.payer.next(&payment.put()).await;
    (payment, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_is_listed_and_traced_and_is_not_sent_any_more_once_it_is_dropped() {
    let scheme = Scheme::start().await;
    let (payment, _) = unheard_payment(&scheme).await;
    let message = waiting(&scheme).await;
    assert_eq!((&message["method"], &message["path"]), (&Value::from("PUT"), &Value::from(payment.path())));
    assert_eq!((&message["state"], &message["to"]), (&Value::from("waiting"), &Value::from(PAYER)));
    let trace = scheme.administer(&format!("GET /umoja/v1/trace/{}", payment.id), Value::Null).await;
    assert_eq!(trace["outbox"][0]["id"], message["id"]);

    let id = &message["id"];
    let refused =
        scheme.ask_administration(&Call::plain(&format!("POST /umoja/v1/outbox/{id}/replay"), Value::Null)).await;
    assert!(refused.error().contains("is waiting already"), "{}", refused.error());
    scheme.administer(&format!("DELETE /umoja/v1/outbox/{id}"), Value::Null).await;
    let gone = scheme.ask_administration(&Call::plain(&format!("DELETE /umoja/v1/outbox/{id}"), Value::Null)).await;
    assert!(gone.error().starts_with("404 3002"), "{}", gone.error());
    // Attempts before the message was dropped; the end would wait for a message that is still tried.
    scheme.payer.fail(0, 200);
    scheme.payer.take_all(&payment.put());
    let page = scheme.administer("GET /umoja/v1/outbox?state=waiting", Value::Null).await;
    assert_eq!(page["messages"], Value::Array(Vec::new()));
    scheme.end().await;
}

/// Leaves a dead outcome for the payer in a store that no hub uses yet.
async fn leave_dead_outcome(address: &str, payment: &Payment) {
    let store = store::open(address, &"Hub".parse().unwrap()).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let head = json!({
        "method": "PUT", "endpoint": "FSPIOP_CALLBACK_URL_TRANSFER_PUT", "path": payment.path(),
        "variables": [["transferId", payment.id]], "headers": [], "on_failure": null,
    });
    let message = NewMessage {
        to: PAYER.parse().unwrap(),
        payment_key: [7; 16],
        retry: Retry { until: Timestamp::from_millis(0) },
        head: head.to_string().into(),
        body: r#"{"transferState":"COMMITTED"}"#.into(),
    };
    writer.open(&[]).await.unwrap();
    writer.lock(&[]).await.unwrap();
    let id = writer.commit(UnitWork { messages: vec![message], ..UnitWork::default() }).await.unwrap()[0];
    writer.open(&[]).await.unwrap();
    writer.lock(&[]).await.unwrap();
    let dead = Mark::Dead { id, attempts: 31, error: "the payer was away".to_owned() };
    writer.commit(UnitWork { marks: vec![dead], ..UnitWork::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_message_is_listed_and_sent_again_when_it_is_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", directory.path().join("hub.db").display());
    let payment = Payment::usd("5");
    leave_dead_outcome(&address, &payment).await;
    let scheme = Scheme::start_with(|config| config.store = address).await;
    let page = scheme.administer("GET /umoja/v1/outbox?state=dead", Value::Null).await;
    let [message] = page["messages"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!((&message["attempts"], &message["lastError"]), (&json!(31), &json!("the payer was away")));
    let line = format!("POST /umoja/v1/outbox/{}/replay", message["id"]);
    let replayed = scheme.administer(&line, Value::Null).await;
    assert_eq!((&replayed["state"], &replayed["attempts"]), (&json!("waiting"), &json!(0)));
    assert_eq!(scheme.payer.next(&payment.put()).await.json(), json!({"transferState": "COMMITTED"}));
    let page = scheme.administer("GET /umoja/v1/outbox?state=dead", Value::Null).await;
    assert_eq!(page["messages"], json!([]));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_takes_only_what_it_understands() {
    let scheme = Scheme::start().await;
    for (query, text) in [
        ("state=lost", "\"state\" must be one of [waiting, dead]"),
        ("limit=0", "\"limit\" must be a number from 1 to 1000"),
        ("limit=1001", "\"limit\" must be a number from 1 to 1000"),
        ("after=x", "the id of a message is a whole number"),
    ] {
        let reply =
            scheme.ask_administration(&Call::plain(&format!("GET /umoja/v1/outbox?{query}"), Value::Null)).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.error().ends_with(text), "{query}: {}", reply.error());
    }
    let page = scheme.administer("GET /umoja/v1/outbox", Value::Null).await;
    assert_eq!(page["messages"], Value::Array(Vec::new()));
    scheme.end().await;
}
