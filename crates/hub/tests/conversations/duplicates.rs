//! The same message twice (contract, transfers §3.3, §4.4).

use crate::support::{PAYEE, PAYER, Payment, Quote, Scheme};
use serde_json::{Value, json};

/// A prepare with the same content in other bytes and headers.
fn reworded(payment: &Payment) -> crate::support::Call {
    let pretty = serde_json::to_string_pretty(&payment.prepare_body()).unwrap();
    payment.prepare().body(pretty).with("date", "Fri, 20 Nov 2026 21:53:58 GMT").version("2.0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_prepare_is_answered_with_the_state_and_not_passed_on() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    for (again, version) in [(payment.prepare(), "1.1"), (reworded(&payment), "2.0")] {
        scheme.accept(&again).await;
        let told = scheme.payer.next(&payment.put()).await;
        let body = told.assert_made_by_hub(PAYER, version).json();
        assert_eq!(body["transferState"], "RESERVED");
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["completedTimestamp", "transferState"]);
    }
    assert_eq!(scheme.positions().await, ["5", "0"]);

    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    scheme.accept(&payment.prepare()).await;
    let body = scheme.payer.next(&payment.put()).await.json();
    assert_eq!(
        (&body["transferState"], &body["fulfilment"]),
        (&json!("COMMITTED"), &json!(payment.fulfilment.to_string()))
    );
    assert_eq!(scheme.positions().await, ["5", "-5"]);

    let rejected = Payment::usd("7");
    scheme.reserve(&rejected).await;
    scheme.accept(&rejected.reject("5104", "no")).await;
    scheme.payer.next(&rejected.put_error()).await;
    scheme.accept(&rejected.prepare()).await;
    assert_eq!(scheme.payer.next(&rejected.put()).await.json()["transferState"], "ABORTED");
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_with_a_used_id_and_other_content_is_refused_and_the_first_stays() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    let mut extended = payment.prepare_body();
    extended["extensionList"] = json!({"extension": [{"key": "a", "value": "b"}]});
    for call in [
        Payment { amount: "6".to_owned(), ..payment.clone() }.prepare(),
        Payment { expiration: payment.expiration.plus_millis(1), ..payment.clone() }.prepare(),
        payment.prepare().body(extended.to_string()),
    ] {
        scheme.accept(&call).await;
        let told = scheme.payer.next(&payment.put_error()).await;
        told.assert_made_by_hub(PAYER, "1.1").assert_error("3106", "Modified request");
    }
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_fulfil_tells_the_payee_how_the_transfer_ended_and_moves_nothing() {
    let scheme = Scheme::start().await;
    for asked in ["COMMITTED", "RESERVED"] {
        let payment = Payment::usd("5");
        scheme.reserve(&payment).await;
        scheme.accept(&payment.fulfil(asked)).await;
        scheme.payer.next(&payment.put()).await;
        let line = if asked == "RESERVED" { payment.patch() } else { payment.put() };
        if asked == "RESERVED" {
            scheme.payee.next(&line).await;
        }
        scheme.accept(&payment.fulfil(asked)).await;
        let told = scheme.payee.next(&line).await;
        let body = told.assert_made_by_hub(PAYEE, "1.1").json();
        assert_eq!(body["transferState"], "COMMITTED");
        let fulfilment = if asked == "RESERVED" { Value::Null } else { json!(payment.fulfilment.to_string()) };
        assert_eq!(body["fulfilment"], fulfilment);

        let mut changed = payment.fulfil_body(asked);
        changed["extensionList"] = json!({"extension": [{"key": "a", "value": "b"}]});
        scheme.accept(&payment.answer(changed)).await;
        let told = scheme.payee.next(&payment.put_error()).await;
        told.assert_made_by_hub(PAYEE, "1.1").assert_error("3106", "Modified request");
    }
    assert_eq!(scheme.positions().await, ["10", "-10"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_error_tells_the_payee_how_the_transfer_ended() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.reject("5104", "no")).await;
    scheme.payer.next(&payment.put_error()).await;
    scheme.accept(&payment.reject("5104", "no")).await;
    let told = scheme.payee.next(&payment.put()).await;
    assert_eq!(told.assert_made_by_hub(PAYEE, "1.1").json()["transferState"], "ABORTED");
    scheme.accept(&payment.reject("5104", "never")).await;
    let told = scheme.payee.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYEE, "1.1").assert_error("3106", "Modified request");
    assert_eq!(scheme.positions().await, ["0", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_quote_is_sent_again_and_a_changed_one_is_refused() {
    let scheme = Scheme::start().await;
    let quote = Quote::usd("5");
    // A request makes up its transaction id, so that the repetitions share one.
    let request = quote.request();
    for call in [request.clone(), request.clone(), request.clone().with("date", "Fri, 20 Nov 2026 21:53:58 GMT")] {
        scheme.accept(&call).await;
        assert_eq!(scheme.payee.next("POST /quotes").await.body, call.bytes());
    }
    scheme.accept(&Quote { amount: "6".to_owned(), ..quote.clone() }.request()).await;
    let text = format!("Modified request - Quote {} is a duplicate but hashes dont match", quote.id);
    scheme.payer.next(&quote.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error("3106", &text);

    let response = quote.response();
    for _ in 0..2 {
        scheme.accept(&response).await;
        assert_eq!(scheme.payer.next(&quote.put()).await.body, response.bytes());
    }
    scheme.accept(&Quote { amount: "6".to_owned(), ..quote.clone() }.response()).await;
    let text = format!("Modified request - Update for quote {} is a duplicate but hashes dont match", quote.id);
    scheme.payee.next(&quote.put_error()).await.assert_made_by_hub(PAYEE, "1.1").assert_error("3106", &text);
    scheme.end().await;
}
