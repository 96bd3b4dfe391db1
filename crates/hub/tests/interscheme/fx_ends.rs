//! How payments with a conversion end without a commit (contract, interscheme §3.6, §3.7): every position is back where it
//! was.

use crate::{
    conversion::{Conversion, FXP, pair},
    fx::agreed,
    support::{PAYEE, PAYER, Payment, now},
    world::{World, assert_relayed},
};
use serde_json::{Value, json};

const EXPIRED: (&str, &str) = ("3303", "Transfer expired");

/// A payment whose conversion is agreed to, and which is reserved.
async fn reserved(world: &World) -> (Payment, Conversion) {
    let (payment, conversion) = agreed(world).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    (payment, conversion)
}

/// Checks that the provider is told that it need not convert, and that nobody owes anything.
async fn assert_called_off(world: &World, conversion: &Conversion) {
    let patch = world.fxp.next(&conversion.patch()).await;
    let body = patch.assert_made_by_hub(FXP, "2.0").json();
    assert_eq!((&body["conversionState"], &body["fulfilment"]), (&json!("ABORTED"), &Value::Null), "{body}");
    assert_ended(world, conversion).await;
}

async fn assert_ended(world: &World, conversion: &Conversion) {
    world.assert_owed(&[]).await;
    world.accept(&conversion.question(PAYER)).await;
    assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "ABORTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_frees_the_money() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    let error = conversion.reject("5200", "Payee limit error");
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&conversion.put_error()).await, &error);
    assert_ended(&world, &conversion).await;
    // What it was for cannot be paid any more, and the provider cannot change its mind.
    world.accept(&payment.prepare()).await;
    let text = "Generic validation error - Related FX Transfer is not fulfilled";
    world.payer.next(&payment.put_error()).await.assert_error("3100", text);
    world.accept(&conversion.agree()).await;
    let text = "Generic validation error - Non-RESERVED fxTransfer state";
    world.fxp.next(&conversion.put_error()).await.assert_made_by_hub(FXP, "2.0").assert_error("3100", text);
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_changes_its_mind_ends_the_transfer_too() {
    let world = World::start().await;
    let (payment, conversion) = reserved(&world).await;
    let error = conversion.reject("5200", "Payee limit error");
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&conversion.put_error()).await, &error);
    let told = world.payer.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYER, "1.1").assert_error("5200", "Payee limit error");
    assert_ended(&world, &conversion).await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    let text = "Generic validation error - non-RESERVED transfer state";
    world.payee.next(&payment.put_error()).await.assert_error("3100", text);
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_of_the_provider_ends_the_conversion() {
    let world = World::start().await;
    let fulfil = |name: &str| format!("Generic validation error - {name}");
    let destination = fulfil("fspiop-destination does not match initiatingFsp on the fxFulfil callback response");
    for (spoil, text) in [
        ("fulfilment", fulfil("invalid fulfilment")),
        ("destination", destination.clone()),
        ("no destination", destination),
    ] {
        let (_, conversion) = pair("11", "10");
        world.accept(&conversion.prepare()).await;
        world.fxp.next("POST /fxTransfers").await;
        let other = Payment::usd("1").fulfilment.to_string();
        world
            .accept(&match spoil {
                "fulfilment" => conversion.answer(&json!({"conversionState": "RESERVED", "fulfilment": other})),
                "destination" => conversion.agree().to(PAYEE),
                _ => conversion.agree().without("fspiop-destination"),
            })
            .await;
        let told = world.payer.next(&conversion.put_error()).await;
        told.assert_made_by_hub(PAYER, "2.0").assert_error("3100", &text);
        assert_called_off(&world, &conversion).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bystander_can_neither_agree_nor_refuse() {
    let world = World::start().await;
    let (_, conversion) = pair("11", "10");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    for name in [PAYEE, "strangerfsp"] {
        world.accept(&conversion.agree().from(name)).await;
        world.accept(&conversion.reject("5200", "no").from(name)).await;
    }
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_aborted_is_ignored_until_the_conversion_expires() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    let conversion = Conversion { expiration: now().plus_millis(500), ..conversion };
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.answer(&json!({"conversionState": "ABORTED"}))).await;
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    for (inbox, to) in [(&world.payer, PAYER), (&world.fxp, FXP)] {
        let told = inbox.next(&conversion.put_error()).await;
        told.assert_made_by_hub(to, "2.0").assert_error(EXPIRED.0, EXPIRED.1);
    }
    assert_ended(&world, &conversion).await;
    world.accept(&payment.prepare()).await;
    let text = "Generic validation error - Related FX Transfer is not fulfilled";
    world.payer.next(&payment.put_error()).await.assert_error("3100", text);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_refuses_ends_the_conversion_too() {
    let world = World::start().await;
    let (payment, conversion) = reserved(&world).await;
    let error = payment.reject("5104", "Payee FSP rejected transaction");
    world.accept(&error).await;
    // Of its conversion the payer is told nothing beside it.
    assert_relayed(&world.payer.next(&payment.put_error()).await, &error);
    assert_called_off(&world, &conversion).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fulfilment_of_the_payee_ends_the_conversion_too() {
    let world = World::start().await;
    let (payment, conversion) = reserved(&world).await;
    let other = Payment::usd("1").fulfilment.to_string();
    world.accept(&payment.answer(json!({"transferState": "RESERVED", "fulfilment": other}))).await;
    let text = "Generic validation error - invalid fulfilment";
    world.payer.next(&payment.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error("3100", text);
    assert_eq!(world.payee.next(&payment.patch()).await.json()["transferState"], "ABORTED");
    assert_called_off(&world, &conversion).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_is_agreed_to_waits_for_its_transfer_and_expires_with_it() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    let soon = now().plus_millis(500);
    let conversion = Conversion { expiration: soon, ..conversion };
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    // Another one, of the same time, is not agreed to: when it has expired, that time is past.
    let clock = Conversion { expiration: soon, ..pair("1", "1").1 };
    world.accept(&clock.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    for inbox in [&world.payer, &world.fxp] {
        inbox.next(&clock.put_error()).await.assert_error(EXPIRED.0, EXPIRED.1);
    }
    world.assert_owed(&[(PAYER, "USD", "11")]).await;

    let payment = payment.expiring_in_millis(600);
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    for (inbox, line, to, version) in [
        (&world.payer, payment.put_error(), PAYER, "1.1"),
        (&world.payee, payment.put_error(), PAYEE, "1.1"),
        (&world.payer, conversion.put_error(), PAYER, "2.0"),
        (&world.fxp, conversion.put_error(), FXP, "2.0"),
    ] {
        inbox.next(&line).await.assert_made_by_hub(to, version).assert_error(EXPIRED.0, EXPIRED.1);
    }
    assert_ended(&world, &conversion).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_refused_calls_its_conversion_off() {
    let world = World::start().await;
    // The provider lacks the money that it has agreed to give.
    let (payment, conversion) = pair("11", "1000.01");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    let told = world.payer.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYER, "1.1").assert_error("4001", "Payer FSP insufficient liquidity");
    assert_called_off(&world, &conversion).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_not_what_its_conversion_yields_calls_it_off() {
    let world = World::start().await;
    let text =
        "Generic validation error - Payer FSP, amount and currency should be those that the related FX Transfer yields";
    for amount in ["9.99", "10.01"] {
        let (payment, conversion) = agreed(&world).await;
        let payment = Payment { amount: amount.to_owned(), ..payment };
        world.accept(&payment.prepare()).await;
        world.payer.next(&payment.put_error()).await.assert_error("3100", text);
        assert_called_off(&world, &conversion).await;
    }
    world.end().await;
}
