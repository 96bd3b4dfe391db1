//! Funds in and out (contract, administration §1.13 and §9).

use crate::support::{Reply, Scheme};
use serde_json::{Value, json};

const IDS: [&str; 4] = [
    "b51ec534-ee48-4575-b6a9-ead2955b8069",
    "b51ec534-ee48-4575-b6a9-ead2955b8070",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "b51ec534-ee48-4575-b6a9-ead2955b8071",
];

fn body(id: &str, action: &str, amount: Value) -> Value {
    json!({
        "transferId": id,
        "externalReference": "ref 1",
        "action": action,
        "reason": "liquidity",
        "amount": {"amount": amount, "currency": "USD"},
        "extensionList": {"extension": [{"key": "user", "value": "ana"}]},
    })
}

async fn path(scheme: &Scheme) -> String {
    format!("/participants/dfsp/accounts/{}", scheme.account("dfsp", "SETTLEMENT").await["id"])
}

async fn moves(scheme: &Scheme, id: &str, action: &str, amount: Value) -> Reply {
    scheme.post(&path(scheme).await, body(id, action, amount)).await
}

async fn ends(scheme: &Scheme, id: &str, action: &str) -> Reply {
    let path = format!("{}/transfers/{id}", path(scheme).await);
    scheme.put(&path, json!({"action": action, "reason": "done"})).await
}

async fn balances(scheme: &Scheme) -> (String, String) {
    (scheme.balance("dfsp", "SETTLEMENT").await, scheme.balance("Hub", "HUB_RECONCILIATION").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn money_comes_in_is_reserved_and_leaves_as_the_balances_say() {
    let scheme = Scheme::with_dfsp().await;
    // The same again, and other content under the same id, are accepted and ignored.
    for amount in [json!("1000.50"), json!("1000.50"), json!(7)] {
        let reply = moves(&scheme, IDS[0], "recordFundsIn", amount).await;
        assert_eq!((reply.status, &reply.body), (202, &Value::Null));
        assert_eq!(balances(&scheme).await, ("-1000.5".to_owned(), "1000.5".to_owned()));
    }
    for (id, amount, reserved, action, finished) in [
        (IDS[1], 600, ("-400.5", "1000.5"), "recordFundsOutCommit", ("-400.5", "400.5")),
        (IDS[2], 400, ("-0.5", "400.5"), "recordFundsOutAbort", ("-400.5", "400.5")),
    ] {
        assert_eq!(moves(&scheme, id, "recordFundsOutPrepareReserve", json!(amount)).await.status, 202);
        assert_eq!(balances(&scheme).await, (reserved.0.to_owned(), reserved.1.to_owned()));
        for _ in 0..2 {
            assert_eq!(ends(&scheme, id, action).await.status, 202);
            assert_eq!(balances(&scheme).await, (finished.0.to_owned(), finished.1.to_owned()));
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_was_paid_in_does_not_leave() {
    let scheme = Scheme::with_dfsp().await;
    assert_eq!(moves(&scheme, IDS[0], "recordFundsIn", json!(10)).await.status, 202);
    assert_eq!(moves(&scheme, IDS[1], "recordFundsOutPrepareReserve", json!("10.0001")).await.status, 202);
    assert_eq!(ends(&scheme, IDS[1], "recordFundsOutCommit").await.status, 202);
    assert_eq!(balances(&scheme).await, ("-10".to_owned(), "10".to_owned()));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_rounded_to_four_decimals() {
    let scheme = Scheme::with_dfsp().await;
    assert_eq!(moves(&scheme, IDS[0], "recordFundsIn", json!("0.00005")).await.status, 202);
    let literal: Value = serde_json::from_str("12345678901234.12344999").unwrap();
    assert_eq!(moves(&scheme, IDS[1], "recordFundsIn", literal).await.status, 202);
    assert_eq!(scheme.balance("dfsp", "SETTLEMENT").await, "-12345678901234.1235");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_checked_at_once_is_refused_at_once() {
    let scheme = Scheme::with_dfsp().await;
    scheme.add("other", "USD").await;
    let id = |account: &Value| account["id"].to_string();
    let settlement = id(&scheme.account("dfsp", "SETTLEMENT").await);
    let position = id(&scheme.account("dfsp", "POSITION").await);
    let mismatch = "2001 Internal server error - The account does not match participant or currency specified";
    for (name, account, currency, status, expected) in [
        ("nobody", &settlement, "USD", 400, "3200 Generic ID not found - participant not found"),
        ("other", &settlement, "USD", 500, mismatch),
        ("dfsp", &settlement, "EUR", 500, mismatch),
        ("dfsp", &position, "USD", 500, "2001 Internal server error - Account is not SETTLEMENT type"),
    ] {
        let mut body = body(IDS[0], "recordFundsIn", json!(1));
        body["amount"]["currency"] = json!(currency);
        let reply = scheme.post(&format!("/participants/{name}/accounts/{account}"), body).await;
        assert_eq!((reply.status, reply.error().as_str()), (status, expected), "{name} {account} {currency}");
    }
    assert_eq!(scheme.put("/participants/dfsp", json!({"isActive": false})).await.status, 200);
    let reply = moves(&scheme, IDS[0], "recordFundsIn", json!(1)).await;
    assert_eq!(reply.error(), "2001 Internal server error - Participant is currently set inactive");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_is_not_named_is_not_supported() {
    let scheme = Scheme::with_dfsp().await;
    let path = format!("{}/transfers/{}", path(&scheme).await, IDS[3]);
    let reply = scheme.put(&path, json!({"reason": "x"})).await;
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (500, "2001 Internal server error - The action is not supported")
    );
    // An unknown withdrawal is accepted and ignored.
    assert_eq!(ends(&scheme, IDS[3], "recordFundsOutCommit").await.status, 202);
    scheme.end().await;
}
