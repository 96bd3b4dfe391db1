//! Payments in doubt: another scheme is to say how they end, and its hub or, when it is silent, an operator does.

use crate::{
    conversion::{Conversion, FXP},
    support::{Call, PAYEE, PAYER, Payment},
    world::{ByProxy, FAR, OTHER_PROXY, PROXY, World, assert_relayed, payment},
};
use serde_json::{Value, json};
use std::time::Duration;

async fn in_doubt(world: &World) -> Vec<Value> {
    world.administer("GET /umoja/v1/in-doubt", Value::Null).await.as_array().unwrap().clone()
}

async fn end(world: &World, resource: &str, id: &str, body: &Value) -> (u16, Value) {
    let call = Call::plain(&format!("POST /umoja/v1/in-doubt/{resource}/{id}"), body.clone());
    let reply = world.ask_administration(&call).await;
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

fn word(outcome: &str) -> Value {
    json!({"outcome": outcome, "reason": "told by telephone"})
}

/// A payment to another scheme that says nothing of it, past its expiration.
async fn silent_elsewhere(world: &World) -> Payment {
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR).expiring_in_millis(400);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    world.proxy.next(&format!("GET {}", payment.path())).await;
    payment
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_ends_what_another_scheme_does_not() {
    for (outcome, owed) in [("COMMITTED", &[(PAYER, "USD", "10"), (PROXY, "USD", "-10")][..]), ("ABORTED", &[])] {
        let world = World::start().await;
        let payment = silent_elsewhere(&world).await;
        let listed = in_doubt(&world).await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0]["resource"], "transfers");
        assert!(listed[0].to_string().contains(&payment.id), "{listed:?}");
        let (status, _) = end(&world, "transfers", &payment.id, &word(outcome)).await;
        assert_eq!(status, 200);
        if outcome == "COMMITTED" {
            assert_eq!(world.payer.next(&payment.put()).await.json()["transferState"], "COMMITTED");
        } else {
            let text = "Ended by the operator: told by telephone";
            world.payer.next(&payment.put_error()).await.assert_error("2001", text);
        }
        world.assert_owed(owed).await;
        assert!(in_doubt(&world).await.is_empty());
        assert_eq!(end(&world, "transfers", &payment.id, &word(outcome)).await.0, 404, "it is ended once");
        // What the other scheme says now is late; who disagrees is told.
        world.accept(&payment.fulfil("COMMITTED").by(PROXY)).await;
        let text = "Generic validation error - non-RESERVED transfer state";
        world.proxy.next(&payment.put_error()).await.assert_error("3100", text);
        world.assert_owed(owed).await;
        world.end_whatever_was_asked().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_not_end_what_is_not_in_doubt() {
    let world = World::start().await;
    let here = payment("1", PAYER, PAYEE);
    world.accept(&here.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.meet(FAR, &world.proxy).await;
    let elsewhere = payment("1", PAYER, FAR);
    world.accept(&elsewhere.prepare()).await;
    world.proxy.next("POST /transfers").await;
    assert!(in_doubt(&world).await.is_empty(), "its time has not passed");
    let nobody = "00000000-5eed-4000-8000-0123456789ab";
    for (resource, id, body, expected) in [
        ("transfers", here.id.as_str(), word("ABORTED"), 404),
        ("transfers", nobody, word("ABORTED"), 404),
        ("transfers", "no-id", word("ABORTED"), 404),
        ("quotes", nobody, word("ABORTED"), 404),
        ("fxTransfers", elsewhere.id.as_str(), word("ABORTED"), 404),
        ("transfers", elsewhere.id.as_str(), word("ABORTED"), 400),
        ("transfers", elsewhere.id.as_str(), word("RESERVED"), 400),
        ("transfers", elsewhere.id.as_str(), json!({"outcome": "ABORTED"}), 400),
    ] {
        let (status, answer) = end(&world, resource, id, &body).await;
        assert_eq!(status, expected, "{resource} {id} {body}: {answer}");
        assert!(answer["errorInformation"]["errorDescription"].is_string(), "{answer}");
    }
    world.assert_owed(&[(PAYER, "USD", "2")]).await;
    world.accept(&here.fulfil("COMMITTED")).await;
    world.payer.next(&here.put()).await;
    world.accept(&elsewhere.fulfil("COMMITTED").by(PROXY)).await;
    world.payer.next(&elsewhere.put()).await;
    world.end().await;
}

/// Our provider converts for a payer elsewhere whose payment does not come by here.
async fn agreed_for_elsewhere(world: &World) -> Conversion {
    world.be_met(FAR, &world.proxy).await;
    let payment = Payment { currency: "EUR", ..payment("10", FAR, PAYEE) };
    let conversion = Conversion::of(&payment, "11");
    world.accept(&conversion.prepare().by(PROXY)).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    assert_relayed(&world.proxy.next(&conversion.put()).await, &conversion.agree());
    conversion
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_of_the_payer_says_how_a_payment_ended_that_is_converted_here() {
    for (state, owed) in [("COMMITTED", &[(FXP, "USD", "-11"), (PROXY, "USD", "11")][..]), ("ABORTED", &[])] {
        let world = World::start().await;
        let conversion = agreed_for_elsewhere(&world).await;
        world.assert_owed(&[(PROXY, "USD", "11")]).await;
        // Neither a stranger behind another proxy nor a participant.
        world.accept(&conversion.conclude(state).from("farhub").by(OTHER_PROXY)).await;
        let refused = world.send(&conversion.conclude(state).from(PAYER)).await;
        assert_eq!(refused.status, 501, "{}", refused.text());
        // A word that decides nothing, and one of a conversion that nobody knows.
        world.accept(&conversion.conclude("RESERVED").from("farhub").by(PROXY)).await;
        world.assert_owed(&[(PROXY, "USD", "11")]).await;
        let said = conversion.conclude(state).from("farhub").by(PROXY);
        world.accept(&said).await;
        assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], state);
        world.accept(&said).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.assert_owed(owed).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_ends_a_conversion_whose_payment_is_not_heard_of() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let paid = Payment { currency: "EUR", ..payment("10", FAR, PAYEE) }.expiring_in_millis(500);
    let conversion = Conversion::of(&paid, "11");
    world.accept(&conversion.prepare().by(PROXY)).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&conversion.agree()).await;
    world.proxy.next(&conversion.put()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let listed = in_doubt(&world).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((&listed[0]["resource"], &listed[0]["determiningTransferId"]), (&json!("fxTransfers"), &json!(paid.id)));
    assert_eq!(end(&world, "fxTransfers", &conversion.id, &word("ABORTED")).await.0, 200);
    assert_eq!(world.fxp.next(&conversion.patch()).await.json()["conversionState"], "ABORTED");
    assert_eq!(world.proxy.next(&conversion.put_error()).await.json()["errorInformation"]["errorCode"], "2001");
    world.assert_owed(&[]).await;
    world.end_whatever_was_asked().await;
}
