//! Liquidity, net debit cap, and what is switched off (contract, transfers §4.3, §4.5, §6.2).

use crate::support::{BYSTANDER, PAYEE, PAYER, Payment, Scheme};
use serde_json::json;

const SHORT: (&str, &str) = ("4001", "Payer FSP insufficient liquidity");
const OVER_CAP: (&str, &str) = ("4200", "Payer limit error");

async fn set_cap(scheme: &Scheme, cap: u32) {
    let limit = json!({"type": "NET_DEBIT_CAP", "value": cap, "alarmPercentage": 10});
    scheme.administer(&format!("PUT /participants/{PAYER}/limits"), json!({"currency": "USD", "limit": limit})).await;
}

/// Sends a prepare that is refused with this error.
async fn assert_refused(scheme: &Scheme, payment: &Payment, error: (&str, &str)) {
    scheme.accept(&payment.prepare()).await;
    let told = scheme.payer.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYER, "1.1").assert_error(error.0, error.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn liquidity_is_tested_before_the_cap_and_reaching_either_is_allowed() {
    let scheme = Scheme::start().await;
    set_cap(&scheme, 500).await;
    assert_refused(&scheme, &Payment::usd("1000.0001"), SHORT).await;
    assert_refused(&scheme, &Payment::usd("1000"), OVER_CAP).await;
    assert_refused(&scheme, &Payment::usd("500.0001"), OVER_CAP).await;
    scheme.reserve(&Payment::usd("500")).await;
    assert_refused(&scheme, &Payment::usd("0.0001"), OVER_CAP).await;
    // The limit that is in force is the one that was set last.
    set_cap(&scheme, 5000).await;
    scheme.reserve(&Payment::usd("500")).await;
    assert_refused(&scheme, &Payment::usd("0.0001"), SHORT).await;
    assert_eq!(scheme.positions().await, ["1000", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_payee_received_it_can_spend_and_a_rejection_gives_back() {
    let scheme = Scheme::start().await;
    let first = Payment::usd("1000");
    scheme.reserve(&first).await;
    scheme.accept(&first.fulfil("COMMITTED")).await;
    scheme.payer.next(&first.put()).await;
    // The payee owes nothing until it has spent what it got; its cap counts from there.
    let back = Payment { payer: PAYEE, payee: PAYER, ..Payment::usd("2000") };
    scheme.accept(&back.prepare()).await;
    scheme.payer.next("POST /transfers").await;
    assert_eq!(scheme.positions().await, ["1000", "1000"]);
    assert_refused(&scheme, &Payment::usd("0.0001"), SHORT).await;
    scheme.accept(&back.reject("5104", "no")).await;
    scheme.payee.next(&back.put_error()).await;
    assert_eq!(scheme.positions().await, ["1000", "-1000"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_prepares_race_the_payer_cannot_overspend() {
    let scheme = Scheme::start().await;
    let payments: Vec<Payment> = (0..200).map(|_| Payment::usd("30")).collect();
    let calls: Vec<_> = payments.iter().map(Payment::prepare).collect();
    futures_util::future::join_all(calls.iter().map(|call| scheme.accept(call))).await;
    // 33 of 30 fit into 1000; everybody hears either the one or the other.
    let mut reserved = Vec::new();
    for _ in 0..33 {
        reserved.push(scheme.payee.next("POST /transfers").await.json()["transferId"].as_str().unwrap().to_owned());
    }
    for payment in payments.iter().filter(|payment| !reserved.contains(&payment.id)) {
        scheme.payer.next(&payment.put_error()).await.assert_error(SHORT.0, SHORT.1);
    }
    assert_eq!(scheme.positions().await, ["990", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_answers_to_one_transfer_end_it_once() {
    let scheme = Scheme::start().await;
    let mut committed = 0;
    for _ in 0..30 {
        let payment = Payment::usd("1");
        scheme.reserve(&payment).await;
        let calls = [payment.fulfil("COMMITTED"), payment.fulfil("COMMITTED"), payment.reject("5104", "no")];
        futures_util::future::join_all(calls.iter().map(|call| scheme.accept(call))).await;
        // In every order one of the three wins, one comes too late, and one is a repetition.
        let too_late = scheme.payee.next(&payment.put_error()).await;
        too_late.assert_error("3100", "Generic validation error - non-RESERVED transfer state");
        let repeated = scheme.payee.next(&payment.put()).await.json();
        if repeated["transferState"] == "COMMITTED" {
            scheme.payer.next(&payment.put()).await;
            committed += 1;
        } else {
            assert_eq!(repeated["transferState"], "ABORTED");
            scheme.payer.next(&payment.put_error()).await;
        }
    }
    let expected = if committed == 0 {
        ["0".to_owned(), "0".to_owned()]
    } else {
        [format!("{committed}"), format!("-{committed}")]
    };
    assert_eq!(scheme.positions().await, expected);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_takes_effect_at_once() {
    let scheme = Scheme::start().await;
    let activity = async |name: &str, is_active: bool| {
        scheme.administer(&format!("PUT /participants/{name}"), json!({"isActive": is_active})).await;
    };
    let payment = || Payment::usd("1");
    let mut reserved = 0;
    for (name, text) in [
        (PAYEE, "Generic validation error - Participant payeefsp is inactive"),
        (PAYER, "Generic validation error - Participant payerfsp is inactive"),
    ] {
        activity(name, false).await;
        assert_refused(&scheme, &payment(), ("3100", text)).await;
        activity(name, true).await;
        scheme.reserve(&payment()).await;
        reserved += 1;
    }
    let no_route = "Generic ID not found - Payer proxy or payee proxy not found: initiatingFsp: payerfsp counterPartyFsp: payeefsp";
    for (name, error) in [
        (PAYEE, ("3200", no_route)),
        (PAYER, ("3100", "Generic validation error - Participant payerfsp USD account is inactive")),
    ] {
        scheme.set_account_activity(name, "POSITION", false).await;
        assert_refused(&scheme, &payment(), error).await;
        scheme.set_account_activity(name, "POSITION", true).await;
        scheme.reserve(&payment()).await;
        reserved += 1;
    }
    assert_eq!(scheme.positions().await, [reserved.to_string().as_str(), "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_reserved_in_time_is_finished_although_its_payee_was_switched_off() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": false})).await;
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": true})).await;
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_do_not_mix() {
    let scheme = Scheme::start().await;
    let dollars = Payment { payee: BYSTANDER, ..Payment::usd("5") };
    scheme.accept(&dollars.prepare()).await;
    scheme.bystander.next("POST /transfers").await;
    scheme.accept(&dollars.fulfil("COMMITTED")).await;
    scheme.payer.next(&dollars.put()).await;
    assert_eq!(scheme.position(BYSTANDER, "USD").await, "-5");
    assert_eq!(scheme.position(BYSTANDER, "EUR").await, "0");
    scheme.end().await;
}
