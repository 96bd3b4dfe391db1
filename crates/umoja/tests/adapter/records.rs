//! What is recorded of simple transfers, and when records are dropped.

use crate::core::{PAYER, SLOW, WELCOMING};
use crate::world::{Site, World, transfer_to};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// The quote of a payment, and the `POST /simpleTransfers` that belongs to it.
async fn quoted(payer: &Site, payee: &str, expiration: Duration) -> (String, Value) {
    let party =
        |fsp: &str, id: &str| json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": id, "fspId": fsp}});
    let id = sdk::new_id().to_string();
    let quote = json!({"fspId": "blue", "quotesPostRequest": {
        "quoteId": sdk::new_id().to_string(), "transactionId": id, "payer": party("green", PAYER),
        "payee": party("blue", payee), "amountType": "SEND", "amount": {"amount": "3", "currency": "KES"},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }});
    let (_, answer) = payer.call(Method::POST, "/quotes", &quote).await;
    let terms = &answer["quotes"]["body"];
    let end = sdk::now().millis() + i64::try_from(expiration.as_millis()).unwrap();
    let transfer = json!({"fspId": "blue", "transfersPostRequest": {
        "transferId": id, "payerFsp": "green", "payeeFsp": "blue", "amount": terms["transferAmount"],
        "ilpPacket": terms["ilpPacket"], "condition": terms["condition"],
        "expiration": vocabulary::Timestamp::from_millis(end).to_string(),
    }});
    (id, transfer)
}

#[tokio::test]
async fn a_simple_transfer_is_recorded_and_asked_for_until_it_has_ended() {
    let impatient = |settings: &mut adapter::Settings| {
        settings.callback_timeout = Duration::from_secs(2);
        settings.patch_grace = Duration::from_millis(300);
        settings.listen_metrics = Some(([127, 0, 0, 1], 0).into());
    };
    let mut world = World::with(impatient, |_| {}).await;
    let (id, transfer) = quoted(&world.payer, WELCOMING, Duration::from_secs(60)).await;
    let (_, done) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    assert_eq!(done["transfer"]["body"]["transferState"], "COMMITTED", "{done}");
    world.payer.restart().await;
    let path = format!("/transfers/{id}");
    let word = json!({"acceptQuote": true});
    let (status, state) = world.payer.call(Method::PUT, &path, &word).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(state["fulfil"]["body"], done["transfer"]["body"]);
    let (_, again) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    assert_eq!(again["transfer"]["body"]["transferState"], "COMMITTED", "the hub answers a repetition: {again}");
    assert_eq!(world.positions().await, ["3", "-3"]);

    let (id, transfer) = quoted(&world.payer, SLOW, Duration::from_secs(5)).await;
    let (status, late) = world.payer.call(Method::POST, "/simpleTransfers", &transfer).await;
    assert_eq!((status, &late["statusCode"]), (500, &json!("500")), "{late}");
    world.payer.restart().await;
    let settled = r#"umoja_adapter_open_payments{kind="outgoing"} 0"#;
    let end = async {
        // Whether the hub said so by itself or was asked: the record is settled without the core.
        while !world.payer.metrics().await.contains(settled) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the hub expires the transfer");
    assert_eq!(world.positions().await, ["3", "-3"]);
    let (_, state) = world.payer.call(Method::GET, &format!("/transfers/{id}"), &Value::Null).await;
    assert_eq!(state["fulfil"]["body"]["transferState"], "ABORTED", "{state}");
}

#[tokio::test]
async fn old_records_are_dropped_but_a_payment_in_doubt_stays() {
    let impatient = |settings: &mut adapter::Settings| settings.callback_timeout = Duration::from_secs(2);
    let mut world = World::with(impatient, |_| {}).await;
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    let ended = format!("/transfers/{}", state["transferId"].as_str().unwrap());
    let (status, failure) = world.payer.call(Method::POST, "/transfers", &transfer_to(SLOW)).await;
    assert_eq!((status, &failure["statusCode"]), (504, &json!("504")), "{failure}");
    let in_doubt = format!("/transfers/{}", failure["transferState"]["transferId"].as_str().unwrap());
    world.payer.settings.keep = Some(Duration::from_millis(1));
    world.payer.restart().await;
    let word = json!({"acceptQuote": true});
    let dropped = async {
        while world.payer.call(Method::PUT, &ended, &word).await.0 != 500 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), dropped).await.expect("an ended payment is forgotten");
    assert_eq!(world.payer.call(Method::PUT, &in_doubt, &word).await.0, 204, "it is known to have failed here");
}
