//! How a transfer ends otherwise: rejected, expired, or answered wrongly (contract, transfers §4.6, §4.7, §4.10).

use crate::{
    assert_relayed,
    support::{BYSTANDER, PAYEE, PAYER, Payment, Scheme, now},
};
use serde_json::{Value, json};
use std::time::Duration;

const SOURCE: &str =
    "Generic validation error - fspiop-source does not match payee fsp on the Fulfil callback response";
const DESTINATION: &str =
    "Generic validation error - fspiop-destination does not match payer fsp on the Fulfil callback response";

/// Long enough to be reserved in on a busy machine, short enough to wait for.
const LIFE_MILLIS: i64 = 1_500;

/// A hub that expires nothing by itself while a test runs.
async fn without_sweep() -> Scheme {
    Scheme::start_with(|config| config.expiry_sweep = Duration::from_secs(3600)).await
}

/// Asks for the state and returns it with the cause, if there is one.
async fn state(scheme: &Scheme, payment: &Payment) -> (Value, Value) {
    scheme.accept(&payment.question(PAYER)).await;
    let body = scheme.payer.next(&payment.put()).await.json();
    (body["transferState"].clone(), body["extensionList"]["extension"][0]["value"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_refuses_frees_the_money_and_its_own_words_reach_the_payer() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    let refusal = "{ \"errorInformation\" :\n {\"errorCode\":\"5104\", \"errorDescription\":\"Nein, danke\" } }";
    let call = payment.reject("", "").body(refusal).with("fspiop-signature", "{}");
    scheme.accept(&call).await;
    let told = scheme.payer.next(&payment.put_error()).await;
    assert_relayed(&told, &call);
    assert_eq!(told.header("fspiop-uri"), format!("{}/error", payment.path()));
    assert_eq!(scheme.positions().await, ["0", "0"]);
    assert_eq!(state(&scheme, &payment).await, (json!("ABORTED"), json!("5104: Nein, danke")));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_the_api_does_not_define_is_passed_on_and_remembered_as_such() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    let call = payment.reject("9999", "odd");
    scheme.accept(&call).await;
    assert_relayed(&scheme.payer.next(&payment.put_error()).await, &call);
    let cause = json!("3100: Generic validation error - API specification undefined errorCode");
    assert_eq!(state(&scheme, &payment).await, (json!("ABORTED"), cause));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_transfer_is_told_to_both_sides_and_answered_no_more() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5").expiring_in_millis(LIFE_MILLIS);
    scheme.reserve(&payment).await;
    assert_eq!(scheme.positions().await, ["5", "0"]);
    let told = scheme.payer.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYER, "1.1").assert_error("3303", "Transfer expired");
    // The payee has not spoken yet, but was given a message in this version.
    let told = scheme.payee.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYEE, "1.1").assert_error("3303", "Transfer expired");
    assert_eq!(scheme.positions().await, ["0", "0"]);
    assert_eq!(state(&scheme, &payment).await, (json!("ABORTED"), json!("3303: Transfer expired")));

    // Too late: the answer is refused, and the payee hears that it must not pay out.
    scheme.accept(&payment.fulfil("RESERVED")).await;
    let told = scheme.payee.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYEE, "1.1");
    told.assert_error("3100", "Generic validation error - non-RESERVED transfer state");
    let patch = scheme.payee.next(&payment.patch()).await;
    assert_eq!(patch.assert_made_by_hub(PAYEE, "1.1").json()["transferState"], "ABORTED");
    scheme.accept(&payment.reject("5104", "no")).await;
    let told = scheme.payee.next(&payment.put_error()).await;
    told.assert_error("3100", "Generic validation error - non-RESERVED transfer state");
    assert_eq!(scheme.positions().await, ["0", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_expiration_is_refused_even_before_the_sweep_has_come() {
    let scheme = without_sweep().await;
    let all = [Payment::usd("5"), Payment::usd("6"), Payment::usd("7")]
        .map(|payment| payment.expiring_in_millis(LIFE_MILLIS));
    for payment in &all {
        scheme.reserve(payment).await;
    }
    let [committing, reserving, rejecting] = &all;
    let last = all.iter().map(|payment| payment.expiration).max().unwrap();
    // The moment itself is what the test waits for, not something that happens by then.
    let wait = u64::try_from(last.millis() - now().millis()).unwrap_or(0) + 5;
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(wait)).await;

    scheme.accept(&committing.fulfil("COMMITTED")).await;
    scheme.payee.next(&committing.put_error()).await.assert_error("3303", "Transfer expired");
    scheme.accept(&reserving.fulfil("RESERVED")).await;
    scheme.payee.next(&reserving.put_error()).await.assert_error("3303", "Transfer expired");
    let patch = scheme.payee.next(&reserving.patch()).await;
    assert_eq!(patch.assert_made_by_hub(PAYEE, "1.1").json()["transferState"], "ABORTED");
    scheme.accept(&rejecting.reject("5104", "no")).await;
    scheme.payee.next(&rejecting.put_error()).await.assert_error("3303", "Transfer expired");
    // The sweep ends them, and until then they hold their money.
    assert_eq!(scheme.positions().await, ["18", "0"]);
    assert_eq!(state(&scheme, committing).await, (json!("RESERVED"), Value::Null));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fulfilment_ends_the_transfer() {
    let scheme = Scheme::start().await;
    let invalid = "Generic validation error - invalid fulfilment";
    for (state_asked, fulfilment) in
        [("COMMITTED", Some("A".repeat(43))), ("COMMITTED", None), ("RESERVED", Some("B".repeat(43)))]
    {
        let payment = Payment::usd("5");
        scheme.reserve(&payment).await;
        let mut body = json!({"transferState": state_asked});
        if let Some(fulfilment) = fulfilment {
            body["fulfilment"] = json!(fulfilment);
        }
        scheme.accept(&payment.answer(body)).await;
        scheme.payer.next(&payment.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error("3100", invalid);
        if state_asked == "RESERVED" {
            let patch = scheme.payee.next(&payment.patch()).await;
            let extensions = json!({"extension": [{"key": "cause", "value": format!("3100: {invalid}")}]});
            assert_eq!(patch.assert_made_by_hub(PAYEE, "1.1").json()["extensionList"], extensions);
            assert_eq!(patch.json()["transferState"], "ABORTED");
        }
        assert_eq!(scheme.positions().await, ["0", "0"]);
        assert_eq!(state(&scheme, &payment).await, (json!("ABORTED"), json!(format!("3100: {invalid}"))));
        // The right one comes too late, and is not what came first.
        scheme.accept(&payment.fulfil("COMMITTED")).await;
        scheme.payee.next(&payment.put_error()).await.assert_error("3106", "Modified request");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_names_another_payer_ends_the_transfer() {
    let scheme = Scheme::start().await;
    for asked in ["COMMITTED", "RESERVED", "error"] {
        let payment = Payment::usd("5");
        scheme.reserve(&payment).await;
        let call = if asked == "error" { payment.reject("5104", "no") } else { payment.fulfil(asked) };
        scheme.accept(&call.to(BYSTANDER)).await;
        let told = scheme.payer.next(&payment.put_error()).await;
        told.assert_made_by_hub(PAYER, "1.1").assert_error("3100", DESTINATION);
        if asked == "RESERVED" {
            let patch = scheme.payee.next(&payment.patch()).await;
            assert_eq!(patch.json()["transferState"], "ABORTED");
            let cause: String = format!("3100: {DESTINATION}").chars().take(128).collect();
            assert_eq!(patch.json()["extensionList"]["extension"][0]["value"], json!(cause));
        }
        assert_eq!(scheme.positions().await, ["0", "0"]);
    }
    // Letters of another size name the same DFSP.
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED").to("PayerFSP")).await;
    scheme.payer.next(&payment.put()).await;
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_that_answers_its_own_transfer_ends_it() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED").from(PAYER)).await;
    scheme.payer.next(&payment.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error("3100", SOURCE);
    assert_eq!(scheme.positions().await, ["0", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bystander_can_neither_end_nor_commit_a_transfer_and_is_told_nothing() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    for name in [BYSTANDER, "ghostfsp"] {
        scheme.accept(&payment.fulfil("COMMITTED").from(name)).await;
        scheme.accept(&payment.fulfil("RESERVED").from(name)).await;
        scheme.accept(&payment.reject("5104", "no").from(name)).await;
    }
    assert_eq!(state(&scheme, &payment).await, (json!("RESERVED"), Value::Null));
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    // Nor reverse it afterwards; nor can a payee with a wrong header.
    scheme.accept(&payment.reject("5104", "no").from(BYSTANDER)).await;
    scheme.accept(&payment.fulfil("COMMITTED").to(BYSTANDER)).await;
    scheme.accept(&payment.reject("5104", "no").to(BYSTANDER)).await;
    assert_eq!(state(&scheme, &payment).await, (json!("COMMITTED"), Value::Null));
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_a_commit_and_a_commit_after_an_error_change_nothing() {
    let scheme = Scheme::start().await;
    let not_reserved = "Generic validation error - non-RESERVED transfer state";
    let (committed, rejected) = (Payment::usd("5"), Payment::usd("7"));
    for payment in [&committed, &rejected] {
        scheme.reserve(payment).await;
    }
    scheme.accept(&committed.fulfil("COMMITTED")).await;
    scheme.payer.next(&committed.put()).await;
    scheme.accept(&committed.reject("5104", "no")).await;
    scheme.payee.next(&committed.put_error()).await.assert_error("3100", not_reserved);
    scheme.accept(&rejected.reject("5104", "no")).await;
    scheme.payer.next(&rejected.put_error()).await;
    scheme.accept(&rejected.fulfil("COMMITTED")).await;
    scheme.payee.next(&rejected.put_error()).await.assert_error("3100", not_reserved);
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_has_no_answer_to_is_ignored_until_the_transfer_expires() {
    let scheme = Scheme::start().await;
    // RESERVED in a version without PATCH, and ABORTED, which belongs on the error resource.
    let answers = [("1.0", "RESERVED"), ("1.1", "ABORTED")];
    let payments = answers.map(|_| Payment::usd("5").expiring_in_millis(LIFE_MILLIS));
    for (payment, (version, asked)) in payments.iter().zip(answers) {
        scheme.reserve(payment).await;
        scheme.accept(&payment.fulfil(asked).version(version)).await;
    }
    for payment in &payments {
        assert_eq!(state(&scheme, payment).await.0, "RESERVED");
    }
    for payment in &payments {
        scheme.payer.next(&payment.put_error()).await.assert_error("3303", "Transfer expired");
        scheme.payee.next(&payment.put_error()).await.assert_error("3303", "Transfer expired");
        assert_eq!(state(&scheme, payment).await, (json!("ABORTED"), json!("3303: Transfer expired")));
    }
    assert_eq!(scheme.positions().await, ["0", "0"]);
    scheme.end().await;
}
