//! Requests to pay: blue's customer asks green's customer, green's customer pays (§2.4).

use crate::core::{PAYER, WELCOMING};
use crate::world::World;
use http::Method;
use serde_json::{Value, json};

fn asking() -> Value {
    json!({
        "homeR2PTransactionId": "home-of-the-request",
        "from": {"idType": "MSISDN", "idValue": WELCOMING, "displayName": "Ana"},
        "to": {"idType": "MSISDN", "idValue": PAYER},
        "amountType": "RECEIVE", "currency": "KES", "amount": "5", "transactionType": "TRANSFER",
        "authenticationType": "OTP",
    })
}

fn paying(id: &Value, authentication: Option<&str>) -> Value {
    let mut body = json!({
        "homeR2PTransactionId": "home-of-the-payment", "transactionRequestId": id,
        "from": {"idType": "MSISDN", "idValue": PAYER, "fspId": "green"},
        "to": {"idType": "MSISDN", "idValue": WELCOMING, "fspId": "blue"},
        "amountType": "RECEIVE", "currency": "KES", "amount": "5", "scenario": "TRANSFER", "initiator": "PAYEE",
        "initiatorType": "CONSUMER",
    });
    if let Some(authentication) = authentication {
        body["authenticationType"] = authentication.into();
    }
    body
}

#[tokio::test]
async fn who_is_asked_to_pay_pays_after_quote_and_password() {
    let world = World::start().await;
    let (status, state) = world.payee.call(Method::POST, "/requestToPay", &asking()).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_PARTY_ACCEPTANCE")), "{state}");
    let id = state["transactionRequestId"].clone();
    let path = format!("/requestToPay/{}", id.as_str().unwrap());
    let (status, state) = world.payee.call(Method::PUT, &path, &json!({"acceptParty": true})).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(state["transactionRequestResponse"]["body"]["transactionRequestState"], "RECEIVED");
    let asked = world.payer.core.asked(Method::POST, "/transactionrequests").pop().unwrap().body;
    assert_eq!((&asked["from"]["idValue"], &asked["to"]["idValue"]), (&json!(WELCOMING), &json!(PAYER)), "{asked}");
    assert_eq!((&asked["amount"], &asked["authenticationType"]), (&json!("5"), &json!("OTP")));

    let (status, state) = world.payer.call(Method::POST, "/requestToPayTransfer", &paying(&id, Some("OTP"))).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_QUOTE_ACCEPTANCE")), "{state}");
    let path = format!("/requestToPayTransfer/{}", id.as_str().unwrap());
    let (status, state) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("WAITING_FOR_AUTH_ACCEPTANCE")), "{state}");
    assert_eq!(state["authorizationResponse"]["body"]["authenticationInfo"]["authenticationValue"], "12345", "{state}");
    let (status, state) = world.payer.call(Method::PUT, &path, &json!({"acceptOTP": true})).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(world.positions().await, ["5", "-5"]);
    let question = world.payee.core.asked(Method::POST, "/quoterequests").pop().unwrap().body;
    assert_eq!(question["transactionRequestId"], id);

    let (_, again) = world.payer.call(Method::POST, "/requestToPayTransfer", &paying(&id, Some("OTP"))).await;
    assert_eq!(again, state, "paid once");
    assert_eq!(world.positions().await, ["5", "-5"]);
}

#[tokio::test]
async fn a_request_that_is_not_accepted_is_rejected_on_the_other_side() {
    let mut world = World::start().await;
    let (_, state) = world.payee.call(Method::POST, "/requestToPay", &asking()).await;
    let id = state["transactionRequestId"].clone();
    let text = id.as_str().unwrap();
    world.payee.restart().await;
    let (_, state) =
        world.payee.call(Method::PUT, &format!("/requestToPay/{text}"), &json!({"acceptParty": true})).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    let (_, state) = world.payer.call(Method::POST, "/requestToPayTransfer", &paying(&id, None)).await;
    assert_eq!(state["currentState"], "WAITING_FOR_QUOTE_ACCEPTANCE", "{state}");
    let path = format!("/requestToPayTransfer/{text}");
    let (status, said) = world.payer.call(Method::PUT, &path, &json!({"acceptQuote": false})).await;
    assert_eq!((status, said), (200, json!({"status": format!("{text} has been REJECTED")})));
    let told = world.payee.core.hears(Method::PUT, &format!("/requestToPay/{text}")).await.body;
    let expected = json!({"transactionRequestState": "REJECTED", "homeR2PTransactionId": "home-of-the-request"});
    assert_eq!(told, expected);
    assert_eq!(world.positions().await, ["0", "0"]);
}
