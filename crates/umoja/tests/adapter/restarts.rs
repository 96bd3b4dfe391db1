//! What an adapter knows after it was stopped between two steps, or while a transfer was under way.

use crate::core::{SLOW, WELCOMING};
use crate::world::{World, transfer_to};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_payment_goes_on_after_restarts_between_its_steps() {
    let asking = |settings: &mut adapter::Settings| {
        settings.auto_accept_party = false;
        settings.auto_accept_quotes = false;
    };
    let mut world = World::with(asking, |_| {}).await;
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    world.payer.restart().await;
    let (_, state) = world.payer.call(Method::PUT, &path, &json!({"acceptParty": true})).await;
    assert_eq!(state["currentState"], "WAITING_FOR_QUOTE_ACCEPTANCE", "{state}");
    world.payer.restart().await;
    // The payee's side made its promise before it was restarted, and keeps it.
    world.payee.restart().await;
    let (_, state) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    assert_eq!(world.positions().await, ["10", "-10"]);
    world.payer.restart().await;
    let (_, again) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
    assert_eq!(again, state);
    let (status, unknown) = world.payer.call(Method::PUT, "/transfers/none", &json!({"acceptQuote": true})).await;
    assert_eq!((status, &unknown["message"]), (500, &json!("No cached data found for transferId: none")));
}

/// The adapter is stopped while the payee's core thinks; meanwhile the transfer expires.
#[tokio::test]
async fn a_transfer_that_was_under_way_is_asked_for_after_the_restart() {
    let mut world = World::with(|settings| settings.patch_grace = Duration::from_millis(300), |_| {}).await;
    let mut body = transfer_to(SLOW);
    let id = sdk::new_id().to_string();
    body["transferId"] = id.clone().into();
    body["prepareExpirySeconds"] = 3.into();
    let calling = world.payer.call(Method::POST, "/transfers", &body);
    tokio::select! {
        (status, state) = calling => panic!("the core of the payee does not answer: {status} {state}"),
        _ = world.payee.core.hears(Method::POST, "/transfers") => {}
    }
    world.payer.restart().await;
    let path = format!("/transfers/{id}");
    // The hub's word of the expiration is the end, whether it comes by itself or as an answer.
    let end = async {
        loop {
            let (status, state) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
            if status == 204 || state["currentState"] == "ABORTED" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the hub says how it ended");
    let (_, state) = world.payer.call(Method::GET, &path, &Value::Null).await;
    assert_eq!(state["fulfil"]["body"]["transferState"], "ABORTED", "{state}");
    assert_eq!(world.positions().await, ["0", "0"]);
}

#[tokio::test]
async fn the_payees_core_learns_the_end_also_after_a_restart() {
    let reserving = |settings: &mut adapter::Settings| {
        settings.reserve_notification = true;
        settings.patch_grace = Duration::from_secs(600);
    };
    let mut world = World::with(|_| {}, reserving).await;
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let told = world.payee.core.hears(Method::PUT, &path).await.body;
    assert_eq!((&told["currentState"], &told["direction"]), (&json!("COMPLETED"), &json!("INBOUND")), "{told}");
    assert_eq!(told["finalNotification"]["transferState"], "COMMITTED");
    assert_eq!(told["homeTransactionId"], "home-of-the-payee");
    assert_eq!(told["prepare"]["body"]["transferId"], state["transferId"]);

    // One that the hub sends no PATCH for: the answer of a committing payee. It is asked for after the restart.
    world.payee.settings.reserve_notification = false;
    world.payee.restart().await;
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    let path = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    assert!(world.payee.core.asked(Method::PUT, &path).is_empty());
    world.payee.restart().await;
    let told = world.payee.core.hears(Method::PUT, &path).await.body;
    assert_eq!(told["finalNotification"]["transferState"], "COMMITTED", "{told}");
}
