//! Participants that are down, slow to come up, or refuse what they are sent (contract, transfers §1.11, §1.12; DESIGN,
//! "Messages").

use crate::{
    assert_relayed,
    support::{Call, PAYEE, PAYER, Payment, Quote, Scheme},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const UNREACHABLE: &str = "Destination communication error - Failed to send HTTP request to host";

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_reaches_a_payee_that_comes_up_late() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let payments = [Payment::usd("1"), Payment::usd("2"), Payment::usd("3")];
    for payment in &payments {
        scheme.accept(&payment.prepare()).await;
    }
    // The answer proves that the first attempts are over: a quote is given up in the time in which transfers are retried.
    let quote = Quote::usd("1");
    scheme.accept(&quote.request()).await;
    scheme.payer.next(&quote.put_error()).await;
    scheme.payee.listen();
    let mut arrived = Vec::new();
    for _ in &payments {
        arrived.push(scheme.payee.next("POST /transfers").await.json()["transferId"].clone());
    }
    for payment in &payments {
        assert!(arrived.contains(&json!(payment.id)), "{arrived:?}");
        scheme.accept(&payment.fulfil("COMMITTED")).await;
        scheme.payer.next(&payment.put()).await;
    }
    assert_eq!(scheme.positions().await, ["6", "-6"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_never_arrives_expires_and_the_payer_hears_of_it() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let payment = Payment::usd("5").expiring_in_millis(1_500);
    scheme.accept(&payment.prepare()).await;
    scheme.payer.next(&payment.put_error()).await.assert_error("3303", "Transfer expired");
    assert_eq!(scheme.positions().await, ["0", "0"]);
    // The payee hears it too, once it is there; what it never got does not come after its end.
    scheme.payee.listen();
    scheme.payee.next(&payment.put_error()).await.assert_error("3303", "Transfer expired");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_to_a_dead_payee_is_answered_by_the_hub_within_seconds() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let started = Instant::now();
    let (quote, asked) = (Quote::usd("5"), Quote::usd("5"));
    let party = "/parties/MSISDN/27710000002";
    scheme.accept(&quote.request()).await;
    scheme.accept(&Call::new(&format!("GET {}", asked.path()))).await;
    scheme.accept(&Call::new(&format!("GET {party}")).to(PAYEE)).await;
    for line in [quote.put_error(), asked.put_error(), format!("PUT {party}/error")] {
        scheme.payer.next(&line).await.assert_made_by_hub(PAYER, "1.1").assert_error("1001", UNREACHABLE);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_tried_until_the_payer_takes_it() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.payer.fail(2, 503);
    let fulfil = payment.fulfil("COMMITTED");
    scheme.accept(&fulfil).await;
    let first = scheme.payer.next(&payment.put()).await;
    let second = scheme.payer.next(&payment.put()).await;
    let third = scheme.payer.next(&payment.put()).await;
    for attempt in [first, second, third] {
        assert_relayed(&attempt, &fulfil);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_does_not_wait_behind_a_prepare_that_nobody_needs_any_more() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    // The payee acts on the prepare and answers it with an error all the same.
    scheme.payee.answer_with(503);
    scheme.accept(&payment.prepare()).await;
    scheme.payee.next("POST /transfers").await;
    scheme.accept(&payment.fulfil("RESERVED")).await;
    scheme.payer.next(&payment.put()).await;
    scheme.payee.next(&payment.patch()).await;
    scheme.payee.take_all("POST /transfers");
    scheme.payee.fail(0, 200);
    scheme.payee.next(&payment.patch()).await;
    scheme.payee.take_all(&payment.patch());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_is_asked_for_again_waits_once() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.payer.answer_with(503);
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    let prepare = payment.prepare();
    for _ in 0..3 {
        scheme.accept(&prepare).await;
    }
    // The marks of what was dropped ride on the units of those registrations.
    let mut waiting = usize::MAX;
    for number in 0..100 {
        scheme.register_party(&scheme.bystander, &format!("MSISDN/2772000{number:04}")).await;
        let page = scheme.administer("GET /umoja/v1/outbox?state=waiting&to=payerfsp", Value::Null).await;
        waiting = page["messages"].as_array().unwrap().len();
        if waiting == 1 {
            break;
        }
    }
    assert_eq!(waiting, 1);
    scheme.payer.fail(0, 200);
    scheme.payer.forget();
    scheme.payer.next(&payment.put()).await;
    scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_makes_is_the_same_at_every_attempt() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.payee.fail(2, 500);
    scheme.accept(&payment.fulfil("RESERVED")).await;
    scheme.payer.next(&payment.put()).await;
    let first = scheme.payee.next(&payment.patch()).await;
    let second = scheme.payee.next(&payment.patch()).await;
    let third = scheme.payee.next(&payment.patch()).await;
    assert_eq!((&first.body, &first.headers), (&second.body, &second.headers));
    assert_eq!((&first.body, &first.headers), (&third.body, &third.headers));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_payee_that_refuses_a_quote_decides_what_the_payer_is_told() {
    let scheme = Scheme::start().await;
    scheme.payee.answer_with(404);
    scheme.bystander.answer_with(400);
    let asked = [
        (&scheme.payee, "3200", "Generic ID not found - The peer answered 404"),
        (&scheme.bystander, "3000", "Generic client error - The peer answered 400"),
    ];
    let quotes = [Quote::usd("5"), Quote::usd("5")];
    for (quote, (inbox, ..)) in quotes.iter().zip(&asked) {
        scheme.accept(&quote.request().to(inbox.name())).await;
    }
    for (quote, (inbox, code, text)) in quotes.iter().zip(&asked) {
        scheme.payer.next(&quote.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error(code, text);
        // However often it was tried.
        assert!(!inbox.take_all("POST /quotes").is_empty());
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_was_just_changed_is_used_from_then_on() {
    let scheme = Scheme::start().await;
    let moved =
        json!({"type": "FSPIOP_CALLBACK_URL_TRANSFER_POST", "value": format!("{}/new/place", scheme.payee.url())});
    scheme.administer(&format!("POST /participants/{PAYEE}/endpoints"), moved).await;
    let payment = Payment::usd("5");
    scheme.accept(&payment.prepare()).await;
    let asked = scheme.payee.next("POST /new/place").await;
    // Wherever a participant wants it, the message says what it is in the API's own words.
    assert_eq!(asked.header("fspiop-uri"), "/transfers");
    assert_eq!(asked.json()["transferId"], Value::from(payment.id));
    scheme.end().await;
}
