//! Payments with a conversion inside one scheme (contract, interscheme §3.3 to §3.5, §3.8).

use crate::{
    conversion::{Conversion, FXP, fx, pair},
    support::{BYSTANDER, PAYEE, PAYER, Payment},
    world::{World, assert_relayed},
};
use serde_json::{Value, json};

/// What GET says of a conversion to somebody who is part of it.
async fn status(world: &World, conversion: &Conversion) -> Value {
    world.accept(&conversion.question(PAYER)).await;
    world.payer.next(&conversion.put()).await.assert_made_by_hub(PAYER, "2.0").json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_through_a_provider_moves_both_currencies_when_its_payee_commits() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    let prepare = conversion.prepare().with("fspiop-signature", "{}");
    world.accept(&prepare).await;
    let asked = world.fxp.next("POST /fxTransfers").await;
    assert_relayed(&asked, &prepare);
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    let reserved = status(&world, &conversion).await;
    assert_eq!((&reserved["conversionState"], &reserved["fulfilment"]), (&json!("RESERVED"), &Value::Null));

    let agree = conversion.agree().with("fspiop-signature", "{}");
    world.accept(&agree).await;
    assert_relayed(&world.payer.next(&conversion.put()).await, &agree);
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    let agreed = status(&world, &conversion).await;
    let fulfilment = json!(conversion.fulfilment.to_string());
    assert_eq!((&agreed["conversionState"], &agreed["fulfilment"]), (&json!("RESERVED"), &fulfilment));

    let prepare = payment.prepare();
    world.accept(&prepare).await;
    assert_relayed(&world.payee.next("POST /transfers").await, &prepare);
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;

    let fulfil = payment.fulfil("COMMITTED");
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
    let patch = world.fxp.next(&conversion.patch()).await;
    patch.assert_made_by_hub(FXP, "2.0");
    let body = patch.json();
    let completed = body["completedTimestamp"].clone();
    assert_eq!(body, json!({"conversionState": "COMMITTED", "completedTimestamp": completed}));
    assert!(completed.is_string(), "{body}");
    fspiop::jws::verify(&world.signing_key().await, &patch.headers, &patch.body).unwrap();
    let at_the_end = [(PAYER, "USD", "11"), (FXP, "USD", "-11"), (PAYEE, "EUR", "-10"), (FXP, "EUR", "10")];
    world.assert_owed(&at_the_end).await;
    let committed = status(&world, &conversion).await;
    assert_eq!((&committed["conversionState"], &committed["fulfilment"]), (&json!("COMMITTED"), &fulfilment));
    world.accept(&conversion.question(FXP)).await;
    let told = world.fxp.next(&conversion.put()).await;
    assert_eq!(told.assert_made_by_hub(FXP, "2.0").json(), committed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_leaves_the_commit_to_the_hub_is_told_beside_the_provider() {
    let world = World::start().await;
    let (payment, conversion) = agreed(&world).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("RESERVED")).await;
    assert_eq!(world.payer.next(&payment.put()).await.json()["transferState"], "COMMITTED");
    assert_eq!(world.payee.next(&payment.patch()).await.json()["transferState"], "COMMITTED");
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    world.end().await;
}

/// A payment with a conversion that its provider has agreed to.
pub async fn agreed(world: &World) -> (Payment, Conversion) {
    let (payment, conversion) = pair("11", "10");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    (payment, conversion)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_need_not_prove_that_it_agrees() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    let agree = conversion.answer(&json!({"conversionState": "RESERVED"}));
    world.accept(&agree).await;
    assert_relayed(&world.payer.next(&conversion.put()).await, &agree);
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    world.fxp.next(&conversion.patch()).await;
    assert_eq!(status(&world, &conversion).await["conversionState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_may_convert_what_it_is_paid() {
    let world = World::start().await;
    let payment = Payment::usd("11");
    let conversion =
        Conversion { initiator: PAYEE, target: ("10".to_owned(), "EUR"), ..Conversion::of(&payment, "11") };
    world.reserve(&payment).await;
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    let agree = conversion.agree();
    world.accept(&agree).await;
    assert_relayed(&world.payee.next(&conversion.put()).await, &agree);
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    let at_the_end = [(PAYER, "USD", "11"), (FXP, "USD", "-11"), (PAYEE, "EUR", "-10"), (FXP, "EUR", "10")];
    world.assert_owed(&at_the_end).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_cannot_commit_before_its_own_conversion_is_agreed_to() {
    let world = World::start().await;
    let payment = Payment::usd("11");
    let target = ("10".to_owned(), "EUR");
    let conversion = Conversion { initiator: PAYEE, target, ..Conversion::of(&payment, "11") };
    world.reserve(&payment).await;
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    let text = "Generic validation error - Related FX Transfer is not fulfilled";
    world.payee.next(&payment.put_error()).await.assert_error("3100", text);
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_takes_part_in_a_conversion_is_told_of_it() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    let unknown = "Transfer ID not found - Provided commitRequest ID was not found on the server.";
    world.accept(&conversion.question(PAYER)).await;
    world.payer.next(&conversion.put_error()).await.assert_made_by_hub(PAYER, "2.0").assert_error("3208", unknown);
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.question(PAYEE)).await;
    world.payee.next(&conversion.put_error()).await.assert_error("3000", "Generic client error");
    // The id of the transfer is none of a conversion, nor the other way round.
    world.accept(&fx(&format!("GET /fxTransfers/{}", payment.id)).from(PAYER)).await;
    world.payer.next(&format!("PUT /fxTransfers/{}/error", payment.id)).await.assert_error("3208", unknown);
    world.accept(&conversion.question("strangerfsp")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_conversion_sent_many_times_at_once_holds_once() {
    let world = World::start().await;
    let (_, conversion) = pair("11", "10");
    let call = conversion.prepare();
    let calls: Vec<_> = (0..20).map(|_| world.accept(&call)).collect();
    futures_util::future::join_all(calls).await;
    world.fxp.next("POST /fxTransfers").await;
    for _ in 1..20 {
        assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "RESERVED");
    }
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    let agree = conversion.agree();
    let calls: Vec<_> = (0..20).map(|_| world.accept(&agree)).collect();
    futures_util::future::join_all(calls).await;
    assert_relayed(&world.payer.next(&conversion.put()).await, &agree);
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_conversion_is_answered_with_its_state_and_a_changed_one_refused() {
    let world = World::start().await;
    let (payment, conversion) = agreed(&world).await;
    world.accept(&conversion.prepare()).await;
    let told = world.payer.next(&conversion.put()).await;
    let told = told.assert_made_by_hub(PAYER, "2.0").json();
    assert_eq!((&told["conversionState"], told["fulfilment"].is_string()), (&json!("RESERVED"), true));
    let mut changed = conversion.prepare_body();
    changed["sourceAmount"]["amount"] = json!("12");
    world.accept(&conversion.prepare_with(&changed)).await;
    world.payer.next(&conversion.put_error()).await.assert_error("3106", "Modified request");
    // The provider's answer: the same is ignored until the end, another is refused.
    world.accept(&conversion.agree()).await;
    let other = json!({"conversionState": "RESERVED"});
    world.accept(&conversion.answer(&other)).await;
    world
        .fxp
        .next(&conversion.put_error())
        .await
        .assert_made_by_hub(FXP, "2.0")
        .assert_error("3106", "Modified request");
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    world.fxp.next(&conversion.patch()).await;
    world.accept(&conversion.agree()).await;
    let told = world.fxp.next(&conversion.put()).await;
    assert_eq!(told.assert_made_by_hub(FXP, "2.0").json()["conversionState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_and_its_conversion_at_once_leave_nothing_behind() {
    let world = World::start().await;
    for _ in 0..10 {
        let (payment, conversion) = pair("11", "10");
        let (transfer, asked) = (payment.prepare(), conversion.prepare());
        tokio::join!(world.accept(&transfer), world.accept(&asked));
        // Whichever came first, the transfer had no conversion that could pay for it.
        let refused = world.payer.next(&payment.put_error()).await.json();
        assert_eq!(refused["errorInformation"]["errorCode"], "3100", "{refused}");
        if status(&world, &conversion).await["conversionState"] == "RESERVED" {
            world.assert_owed(&[(PAYER, "USD", "11")]).await;
            world.fxp.next("POST /fxTransfers").await;
            world.accept(&conversion.reject("5200", "Payee limit error")).await;
        }
        world.payer.next(&conversion.put_error()).await;
        world.assert_owed(&[]).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_conversions_of_a_bystander_do_not_mix() {
    let world = World::start().await;
    let (payment, conversion) = agreed(&world).await;
    // Another payment, of the other way round, with the same provider.
    let other = Payment { payer: BYSTANDER, payee: PAYER, ..Payment::usd("5") };
    let back = Conversion { source: ("4".to_owned(), "EUR"), ..Conversion::of(&other, "4") };
    world.accept(&back.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&back.reject("5200", "no more of these today")).await;
    world.bystander.next(&back.put_error()).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    world.fxp.next(&conversion.patch()).await;
    let at_the_end = [(PAYER, "USD", "11"), (FXP, "USD", "-11"), (PAYEE, "EUR", "-10"), (FXP, "EUR", "10")];
    world.assert_owed(&at_the_end).await;
    assert_eq!(world.position(BYSTANDER, "EUR").await, "0");
    world.end().await;
}
