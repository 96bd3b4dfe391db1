//! `GET /transfers/{ID}` (contract, transfers §4.9).

use crate::support::{BYSTANDER, PAYEE, PAYER, Payment, Scheme};
use serde_json::{Value, json};

/// Asks as payer and as payee, which get the same answer; returns it without its time.
async fn asked_by_both(scheme: &Scheme, payment: &Payment) -> Value {
    let mut answers = Vec::new();
    for inbox in [&scheme.payer, &scheme.payee] {
        scheme.accept(&payment.question(inbox.name()).version("2.0")).await;
        let told = inbox.next(&payment.put()).await;
        let mut body = told.assert_made_by_hub(inbox.name(), "2.0").json();
        let time = body.as_object_mut().unwrap().remove("completedTimestamp").unwrap();
        assert!(time.as_str().unwrap().parse::<vocabulary::Timestamp>().is_ok());
        answers.push((body, time));
    }
    assert_eq!(answers[0], answers[1]);
    answers.remove(0).0
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_can_ask_for_every_state() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    let mut body = payment.prepare_body();
    body["extensionList"] = json!({"extension": [{"key": "of", "value": "prepare"}]});
    scheme.accept(&payment.prepare().body(body.to_string())).await;
    scheme.payee.next("POST /transfers").await;
    let extensions = |of: &str| json!({"extension": [{"key": "of", "value": of}]});
    let reserved = json!({"transferState": "RESERVED", "extensionList": extensions("prepare")});
    assert_eq!(asked_by_both(&scheme, &payment).await, reserved);

    let mut body = payment.fulfil_body("COMMITTED");
    body["extensionList"] = extensions("fulfil");
    scheme.accept(&payment.answer(body)).await;
    scheme.payer.next(&payment.put()).await;
    let fulfilment = payment.fulfilment.to_string();
    let committed = json!({
        "transferState": "COMMITTED", "fulfilment": fulfilment, "extensionList": extensions("fulfil"),
    });
    assert_eq!(asked_by_both(&scheme, &payment).await, committed);

    let cause = |text: &str| json!({"transferState": "ABORTED", "extensionList": {"extension": [{"key": "cause", "value": text}]}});
    let rejected = Payment::usd("5");
    scheme.reserve(&rejected).await;
    scheme.accept(&rejected.reject("5104", "no")).await;
    scheme.payer.next(&rejected.put_error()).await;
    assert_eq!(asked_by_both(&scheme, &rejected).await, cause("5104: no"));

    let refused = Payment::usd("2000");
    scheme.accept(&refused.prepare()).await;
    scheme.payer.next(&refused.put_error()).await;
    assert_eq!(asked_by_both(&scheme, &refused).await, cause("4001: Payer FSP insufficient liquidity"));

    let expired = Payment::usd("5").expiring_in_millis(1_500);
    scheme.reserve(&expired).await;
    scheme.payer.next(&expired.put_error()).await;
    scheme.payee.next(&expired.put_error()).await;
    assert_eq!(asked_by_both(&scheme, &expired).await, cause("3303: Transfer expired"));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bystander_learns_nothing_and_an_inactive_participant_is_not_answered() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.question(BYSTANDER)).await;
    let told = scheme.bystander.next(&payment.put_error()).await;
    told.assert_made_by_hub(BYSTANDER, "1.1").assert_error("3000", "Generic client error");

    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": false})).await;
    scheme.accept(&payment.question(PAYEE)).await;
    // Answers about one transfer leave in order: this one would come second.
    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": true})).await;
    scheme.accept(&payment.question(PAYEE).version("2.0")).await;
    scheme.payee.next(&payment.put()).await.assert_made_by_hub(PAYEE, "2.0");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_told_to_whoever_asks() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    let text = "Transfer ID not found - Provided Transfer ID was not found on the server.";
    for inbox in [&scheme.payer, &scheme.payee, &scheme.bystander] {
        scheme.accept(&payment.question(inbox.name())).await;
        let told = inbox.next(&payment.put_error()).await;
        told.assert_made_by_hub(inbox.name(), "1.1").assert_error("3208", text);
    }
    // Funds are transfers too, but none between DFSPs.
    assert_eq!(scheme.position(PAYER, "USD").await, "0");
    scheme.end().await;
}
