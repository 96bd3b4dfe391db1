//! Payments across schemes and currencies whose hub is started again between any two steps. A crash is played by a second
//! hub that begins with a copy of the first one's database.

use crate::{
    conversion::{Conversion, FXP, pair},
    support::{Call, PAYEE, PAYER, Payment, Quote},
    world::{ByProxy, FAR, PROXY, World, found, fresh_party, payment},
};
use std::path::PathBuf;
use tempfile::TempDir;

async fn world_in(directory: &TempDir) -> (World, PathBuf) {
    let file = directory.path().join("hub.db");
    let store = format!("sqlite:{}", file.display());
    (World::start_with(|config| config.store = store).await, file)
}

/// The steps of a payment with a conversion, each of which may be followed by a crash.
async fn step(world: &World, number: usize, (payment, conversion): &(Payment, Conversion)) {
    match number {
        0 => {
            world.accept(&conversion.prepare()).await;
            world.fxp.next("POST /fxTransfers").await;
        }
        1 => {
            world.accept(&conversion.agree()).await;
            world.payer.next(&conversion.put()).await;
        }
        2 => {
            world.accept(&payment.prepare()).await;
            world.payee.next("POST /transfers").await;
        }
        _ => {
            world.accept(&payment.fulfil("COMMITTED")).await;
            world.payer.next(&payment.put()).await;
            world.fxp.next(&conversion.patch()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_with_a_conversion_is_finished_after_a_crash_at_any_step() {
    for crashed_after in 0..4 {
        let directory = TempDir::new().unwrap();
        let (mut world, file) = world_in(&directory).await;
        let both = pair("11", "10");
        for number in 0..4 {
            step(&world, number, &both).await;
            if number == crashed_after {
                world = world.crash(&file).await;
            }
        }
        let at_the_end = [(PAYER, "USD", "11"), (FXP, "USD", "-11"), (PAYEE, "EUR", "-10"), (FXP, "EUR", "10")];
        world.assert_owed(&at_the_end).await;
        // What was not yet marked as delivered before the crash may come once more.
        world.end_whatever_was_sent().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_before_a_crash_is_delivered_after_it() {
    let directory = TempDir::new().unwrap();
    let (world, file) = world_in(&directory).await;
    let both = pair("11", "10");
    for number in 0..3 {
        step(&world, number, &both).await;
    }
    world.fxp.answer_with(503);
    world.accept(&both.0.fulfil("COMMITTED")).await;
    world.payer.next(&both.0.put()).await;
    let tried = world.fxp.next(&both.1.patch()).await;
    let world = world.crash(&file).await;
    world.fxp.forget();
    world.fxp.fail(0, 200);
    let told = world.fxp.next(&both.1.patch()).await;
    assert_eq!(told.body, tried.body);
    assert_eq!(told.header("fspiop-signature").is_empty(), tried.header("fspiop-signature").is_empty());
    world.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_elsewhere_its_route_and_a_look_up_under_way_survive_a_crash() {
    let directory = TempDir::new().unwrap();
    let (world, file) = world_in(&directory).await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR).expiring_in_millis(400);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let party = fresh_party();
    world.accept(&Call::new(&format!("GET /parties/{party}"))).await;
    for proxy in [&world.proxy, &world.other_proxy] {
        proxy.next(&format!("GET /parties/{party}")).await;
    }
    let world = world.crash(&file).await;
    world.accept(&found(&party, "newfsp", PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    let quote = Quote::usd("5").request().to("newfsp");
    world.accept(&quote).await;
    assert_eq!(world.proxy.next("POST /quotes").await.body, quote.bytes());
    world.proxy.next(&format!("GET {}", payment.path())).await;
    world.accept(&payment.fulfil("COMMITTED").by(PROXY)).await;
    world.payer.next(&payment.put()).await;
    world.assert_owed(&[(PAYER, "USD", "10"), (PROXY, "USD", "-10")]).await;
    world.end_whatever_was_sent().await;
}
