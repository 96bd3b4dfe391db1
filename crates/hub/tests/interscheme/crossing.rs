//! Conversions for payments to and from other schemes (contract, interscheme §1.7, §4), as each hub sees them.

use crate::{
    conversion::{Conversion, FXP},
    support::{PAYEE, PAYER, Payment},
    world::{ByProxy, FAR, FARTHER, OTHER_PROXY, PROXY, World, assert_relayed, payment},
};
use serde_json::json;

/// A provider of foreign exchange of another scheme.
const FAR_FXP: &str = "farprovider";

fn euros(amount: &str, payer: &'static str, payee: &'static str) -> Payment {
    Payment { currency: "EUR", ..payment(amount, payer, payee) }
}

/// The provider is here, the payee elsewhere (§4.1, scheme A).
#[tokio::test(flavor = "multi_thread")]
async fn our_provider_converts_for_a_payee_of_another_scheme() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = euros("10", PAYER, FAR);
    let conversion = Conversion::of(&payment, "11");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    let fulfil = payment.fulfil("COMMITTED").by(PROXY);
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    let at_the_end = [(PAYER, "USD", "11"), (FXP, "USD", "-11"), (FXP, "EUR", "10"), (PROXY, "EUR", "-10")];
    world.assert_owed(&at_the_end).await;
    world.end().await;
}

/// The payer and its provider are elsewhere (§4.1, scheme B): here it is a plain transfer.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_converted_elsewhere_is_a_transfer_here() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let payment = euros("10", FAR, PAYEE);
    world.accept(&payment.prepare().by(PROXY)).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PROXY, "EUR", "10")]).await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.proxy.next(&payment.put()).await;
    world.assert_owed(&[(PAYEE, "EUR", "-10"), (PROXY, "EUR", "10")]).await;
    world.end().await;
}

/// Provider and payee are behind one proxy, which holds the source currency alone (§4.2, scheme A).
async fn agreed_elsewhere(world: &World) -> (Payment, Conversion) {
    world.meet(FAR, &world.other_proxy).await;
    world.meet(FAR_FXP, &world.other_proxy).await;
    let payment = euros("10", PAYER, FAR);
    let conversion = Conversion { provider: FAR_FXP, ..Conversion::of(&payment, "11") };
    let prepare = conversion.prepare();
    world.accept(&prepare).await;
    let forwarded = world.other_proxy.next("POST /fxTransfers").await;
    assert_relayed(&forwarded, &prepare);
    assert_eq!(forwarded.header("fspiop-destination"), FAR_FXP);
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    let agree = conversion.agree().by(OTHER_PROXY);
    world.accept(&agree).await;
    assert_relayed(&world.payer.next(&conversion.put()).await, &agree);
    world.accept(&payment.prepare()).await;
    world.other_proxy.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    (payment, conversion)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_elsewhere_is_owed_through_its_proxy_in_the_source_currency_alone() {
    let world = World::start().await;
    let (payment, conversion) = agreed_elsewhere(&world).await;
    world.accept(&payment.fulfil("COMMITTED").by(OTHER_PROXY)).await;
    world.payer.next(&payment.put()).await;
    world.assert_owed(&[(PAYER, "USD", "11"), (OTHER_PROXY, "USD", "-11")]).await;
    world.accept(&conversion.question(PAYER)).await;
    assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "COMMITTED");
    // The provider hears of it from the hub of its own scheme.
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_elsewhere_that_refuses_ends_the_conversion_elsewhere() {
    let world = World::start().await;
    let (payment, conversion) = agreed_elsewhere(&world).await;
    let error = payment.reject("5104", "Payee FSP rejected transaction").by(OTHER_PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&payment.put_error()).await, &error);
    world.assert_owed(&[]).await;
    world.accept(&conversion.question(PAYER)).await;
    assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "ABORTED");
    let told = world.other_proxy.next(&conversion.patch()).await;
    assert_eq!(told.json()["conversionState"], "ABORTED");
    // When its hub says so of the conversion too, that changes nothing, and an error of another scheme is not answered.
    world.accept(&conversion.reject("3303", "Transfer expired").from("farhub").by(OTHER_PROXY)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_scheme_may_end_the_payment_by_its_conversion() {
    let world = World::start().await;
    let (payment, conversion) = agreed_elsewhere(&world).await;
    let error = conversion.reject("3303", "Transfer expired").from("farhub").by(OTHER_PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&conversion.put_error()).await, &error);
    world.payer.next(&payment.put_error()).await.assert_error("3303", "Transfer expired");
    world.assert_owed(&[]).await;
    world.end().await;
}

/// The payer is elsewhere, provider and payee are here (§4.2, scheme B).
async fn reserved_for_elsewhere(world: &World, payment: Payment) -> (Payment, Conversion) {
    world.be_met(FAR, &world.proxy).await;
    let conversion = Conversion::of(&payment, "11");
    let prepare = conversion.prepare().by(PROXY);
    world.accept(&prepare).await;
    assert_relayed(&world.fxp.next("POST /fxTransfers").await, &prepare);
    world.assert_owed(&[(PROXY, "USD", "11")]).await;
    let agree = conversion.agree();
    world.accept(&agree).await;
    let told = world.proxy.next(&conversion.put()).await;
    assert_relayed(&told, &agree);
    assert_eq!(told.header("fspiop-destination"), FAR);
    world.accept(&payment.prepare().by(PROXY)).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PROXY, "USD", "11"), (FXP, "EUR", "10")]).await;
    (payment, conversion)
}

#[tokio::test(flavor = "multi_thread")]
async fn our_provider_converts_for_a_payer_of_another_scheme() {
    let world = World::start().await;
    let (payment, conversion) = reserved_for_elsewhere(&world, euros("10", FAR, PAYEE)).await;
    let fulfil = payment.fulfil("COMMITTED");
    world.accept(&fulfil).await;
    assert_relayed(&world.proxy.next(&payment.put()).await, &fulfil);
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    let at_the_end = [(FXP, "USD", "-11"), (PROXY, "USD", "11"), (PAYEE, "EUR", "-10"), (FXP, "EUR", "10")];
    world.assert_owed(&at_the_end).await;
    world.accept(&conversion.question(FAR).by(PROXY)).await;
    let told = world.proxy.next(&conversion.put()).await;
    assert_eq!(told.assert_made_by_hub(FAR, "2.0").json()["conversionState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_refuses_a_payer_elsewhere_ends_the_conversion_here() {
    let world = World::start().await;
    let (payment, conversion) = reserved_for_elsewhere(&world, euros("10", FAR, PAYEE)).await;
    let error = payment.reject("5104", "Payee FSP rejected transaction");
    world.accept(&error).await;
    assert_relayed(&world.proxy.next(&payment.put_error()).await, &error);
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "ABORTED");
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_from_elsewhere_that_expires_here_is_told_to_everybody() {
    let world = World::start().await;
    let payment = euros("10", FAR, PAYEE).expiring_in_millis(1500);
    let (payment, conversion) = reserved_for_elsewhere(&world, payment).await;
    for (inbox, line, to) in [
        (&world.proxy, payment.put_error(), FAR),
        (&world.payee, payment.put_error(), PAYEE),
        (&world.proxy, conversion.put_error(), FAR),
        (&world.fxp, conversion.put_error(), FXP),
    ] {
        let told = inbox.next(&line).await;
        told.assert_error("3303", "Transfer expired");
        assert_eq!((told.header("fspiop-source"), told.header("fspiop-destination")), ("Hub", to));
    }
    world.assert_owed(&[]).await;
    world.end().await;
}

/// The provider is here, payer and payee are behind two proxies (§4.3).
#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_between_two_others_converts_from_proxy_to_proxy() {
    let world = World::start().await;
    world.meet(FARTHER, &world.other_proxy).await;
    world.be_met(FAR, &world.proxy).await;
    let payment = payment("10", FAR, FARTHER);
    let conversion = Conversion { source: ("11".to_owned(), "EUR"), ..Conversion::of(&payment, "11") };
    world.accept(&conversion.prepare().by(PROXY)).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.proxy.next(&conversion.put()).await;
    world.accept(&payment.prepare().by(PROXY)).await;
    world.other_proxy.next("POST /transfers").await;
    world.assert_owed(&[(FXP, "USD", "10"), (PROXY, "EUR", "11")]).await;
    world.accept(&payment.fulfil("COMMITTED").by(OTHER_PROXY)).await;
    world.proxy.next(&payment.put()).await;
    world.fxp.next(&conversion.patch()).await;
    let at_the_end = [(FXP, "USD", "10"), (OTHER_PROXY, "USD", "-10"), (FXP, "EUR", "-11"), (PROXY, "EUR", "11")];
    world.assert_owed(&at_the_end).await;
    world.end().await;
}

/// The provider is elsewhere, the payee here (§1.7, the last row).
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_elsewhere_converts_for_a_payee_here() {
    let world = World::start().await;
    world.meet(FAR_FXP, &world.proxy).await;
    let payment = euros("10", PAYER, PAYEE);
    let conversion = Conversion { provider: FAR_FXP, ..Conversion::of(&payment, "11") };
    world.accept(&conversion.prepare()).await;
    world.proxy.next("POST /fxTransfers").await;
    world.accept(&conversion.agree().by(PROXY)).await;
    world.payer.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (PROXY, "EUR", "10")]).await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    let at_the_end = [(PAYER, "USD", "11"), (PROXY, "USD", "-11"), (PAYEE, "EUR", "-10"), (PROXY, "EUR", "10")];
    world.assert_owed(&at_the_end).await;
    assert_eq!(world.proxy.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    world.end().await;
}

/// Provider and payee are behind two proxies.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_behind_one_proxy_converts_for_a_payee_behind_another() {
    let world = World::start().await;
    world.meet(FAR_FXP, &world.proxy).await;
    world.meet(FAR, &world.other_proxy).await;
    // The one that stands for the payee holds USD alone.
    let payment = payment("10", PAYEE, FAR);
    let source = ("11".to_owned(), "EUR");
    let conversion = Conversion { provider: FAR_FXP, source, ..Conversion::of(&payment, "11") };
    world.accept(&conversion.prepare()).await;
    world.proxy.next("POST /fxTransfers").await;
    world.accept(&conversion.agree().by(PROXY)).await;
    world.payee.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    world.other_proxy.next("POST /transfers").await;
    world.assert_owed(&[(PROXY, "USD", "10"), (PAYEE, "EUR", "11")]).await;
    world.accept(&payment.fulfil("COMMITTED").by(OTHER_PROXY)).await;
    world.payee.next(&payment.put()).await;
    let at_the_end = [(PROXY, "USD", "10"), (OTHER_PROXY, "USD", "-10"), (PAYEE, "EUR", "11"), (PROXY, "EUR", "-11")];
    world.assert_owed(&at_the_end).await;
    assert_eq!(world.proxy.next(&conversion.patch()).await.json()["conversionState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_between_two_dfsps_of_one_proxy_passes_through_and_moves_nothing() {
    let world = World::start().await;
    world.meet(FAR_FXP, &world.other_proxy).await;
    world.be_met(FAR, &world.other_proxy).await;
    let payment = euros("10", FAR, FAR_FXP);
    let conversion = Conversion { provider: FAR_FXP, ..Conversion::of(&payment, "11") };
    let prepare = conversion.prepare().by(OTHER_PROXY);
    world.accept(&prepare).await;
    assert_relayed(&world.other_proxy.next("POST /fxTransfers").await, &prepare);
    world.accept(&conversion.agree().by(OTHER_PROXY)).await;
    world.other_proxy.next(&conversion.put()).await;
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_behind_another_proxy_than_is_known_cannot_agree() {
    let world = World::start().await;
    world.meet(FAR_FXP, &world.proxy).await;
    let payment = euros("10", PAYER, PAYEE);
    let conversion = Conversion { provider: FAR_FXP, ..Conversion::of(&payment, "11") };
    world.accept(&conversion.prepare()).await;
    world.proxy.next("POST /fxTransfers").await;
    let refused = "400 3100 Generic validation error - Invalid fspiop-proxy header";
    for call in [conversion.agree(), conversion.reject("5200", "no"), conversion.question(FAR_FXP)] {
        assert_eq!(world.send(&call.by(OTHER_PROXY)).await.error(), refused);
    }
    // The state of a question that its own scheme has not decided changes nothing.
    let still = json!({"conversionState": "RESERVED"});
    world.accept(&conversion.answer(&still).from("farhub").by(PROXY)).await;
    world.accept(&conversion.question(PAYER)).await;
    assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "RESERVED");
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.end().await;
}
