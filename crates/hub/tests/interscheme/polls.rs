//! Payments that another scheme decides: they do not expire here, and the other scheme is asked (contract, interscheme §1.8).

use crate::{
    conversion::Conversion,
    support::{PAYEE, PAYER, Received},
    world::{ByProxy, FAR, FARTHER, OTHER_PROXY, PROXY, World, assert_relayed, payment},
};
use serde_json::json;
use std::time::{Duration, Instant};

/// Checks that a question comes from who would ask it, to who can answer it.
fn assert_asked(asked: &Received, (from, to): (&str, &str), version: &str) {
    let resource = asked.path.split('/').nth(1).unwrap();
    let media_type = format!("application/vnd.interoperability.{resource}+json;version={version}");
    for (name, expected) in [
        ("fspiop-source", from),
        ("fspiop-destination", to),
        ("content-type", &media_type),
        ("accept", &media_type),
        // The hub has no key of the payer's.
        ("fspiop-signature", ""),
    ] {
        assert_eq!(asked.header(name), expected, "{name} of {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_elsewhere_is_asked_for_when_its_time_is_up_and_may_still_be_committed() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR).expiring_in_millis(400);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let line = format!("GET {}", payment.path());
    assert_asked(&world.proxy.next(&line).await, (PAYER, FAR), "1.1");
    let first = Instant::now();
    world.assert_owed(&[(PAYER, "USD", "10")]).await;
    assert_asked(&world.proxy.next(&line).await, (PAYER, FAR), "1.1");
    assert!(first.elapsed() > Duration::from_secs(1), "not again at once: {:?}", first.elapsed());

    // What is not decided there, or is told as the hub's own view, changes nothing here.
    for (name, body) in [
        (FAR, json!({"transferState": "RESERVED"})),
        ("farhub", json!({"transferState": "RECEIVED"})),
        ("farhub", json!({"transferState": "ABORTED"})),
    ] {
        world.accept(&payment.answer(body).from(name).by(PROXY)).await;
    }
    world.accept(&payment.question(PAYER)).await;
    assert_eq!(world.payer.next(&payment.put()).await.json()["transferState"], "RESERVED");
    world.assert_owed(&[(PAYER, "USD", "10")]).await;

    let fulfil = payment.fulfil("COMMITTED").by(PROXY);
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
    world.assert_owed(&[(PAYER, "USD", "10"), (PROXY, "USD", "-10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_reply_ends_the_payment() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR).expiring_in_millis(400);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    world.proxy.next(&format!("GET {}", payment.path())).await;
    // The hub there says how it ended, as its own message.
    let error = payment.reject("3303", "Transfer expired").from("farhub").by(PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&payment.put_error()).await, &error);
    world.assert_owed(&[]).await;
    world.accept(&payment.fulfil("COMMITTED").by(PROXY)).await;
    let text = "Generic validation error - non-RESERVED transfer state";
    world.proxy.next(&payment.put_error()).await.assert_error("3100", text);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_passes_through_is_asked_for_in_the_name_of_its_payer() {
    let world = World::start().await;
    world.meet(FARTHER, &world.other_proxy).await;
    world.be_met(FAR, &world.proxy).await;
    let payment = payment("10", FAR, FARTHER).expiring_in_millis(400);
    world.accept(&payment.prepare().by(PROXY)).await;
    world.other_proxy.next("POST /transfers").await;
    let asked = world.other_proxy.next(&format!("GET {}", payment.path())).await;
    assert_asked(&asked, (FAR, FARTHER), "1.1");
    let error = payment.reject("5104", "Payee FSP rejected transaction").by(OTHER_PROXY);
    world.accept(&error).await;
    assert_relayed(&world.proxy.next(&payment.put_error()).await, &error);
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_elsewhere_is_asked_for_too() {
    let world = World::start().await;
    let provider = "farprovider";
    world.meet(provider, &world.proxy).await;
    let payment = crate::support::Payment { currency: "EUR", ..payment("10", PAYER, PAYEE) };
    let conversion = Conversion { provider, ..Conversion::of(&payment.clone().expiring_in_millis(400), "11") };
    world.accept(&conversion.prepare()).await;
    world.proxy.next("POST /fxTransfers").await;
    let asked = world.proxy.next(&format!("GET {}", conversion.path())).await;
    assert_asked(&asked, (PAYER, provider), "2.0");
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    // It is agreed to after its time, and the payment goes on.
    world.accept(&conversion.agree().by(PROXY)).await;
    world.payer.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    world
        .assert_owed(&[(PAYER, "USD", "11"), (PROXY, "USD", "-11"), (PAYEE, "EUR", "-10"), (PROXY, "EUR", "10")])
        .await;
    assert_eq!(world.proxy.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    world.end_whatever_was_asked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_reached_is_asked_again() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    world.proxy.answer_with(503);
    let payment = payment("10", PAYER, FAR).expiring_in_millis(400);
    world.accept(&payment.prepare()).await;
    let line = format!("GET {}", payment.path());
    world.proxy.next(&line).await;
    world.proxy.fail(0, 202);
    world.proxy.next(&line).await;
    world.proxy.forget();
    let error = payment.reject("3208", "Transfer ID not found").from("farhub").by(PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&payment.put_error()).await, &error);
    world.assert_owed(&[]).await;
    world.end_whatever_was_asked().await;
}
