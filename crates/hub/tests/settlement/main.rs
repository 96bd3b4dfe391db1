//! The settlement API over HTTP: windows, settlements, what they do to balances, and what is refused
//! (contract, administration §2 and §3).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod custom_types;
mod cycle;
mod fees;
mod refusals;
mod reports;
#[path = "../support/mod.rs"]
mod support;
mod windows;

use serde_json::{Value, json};
use support::{Call, PAYEE, PAYER, Payment, Scheme};

/// A call of the settlement API: status and body.
async fn ask(scheme: &Scheme, line: &str, body: Value) -> (u16, Value) {
    let reply = scheme.ask_settlement(&Call::plain(line, body)).await;
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

/// One that succeeds.
async fn does(scheme: &Scheme, line: &str, body: Value) -> Value {
    let (status, body) = ask(scheme, line, body).await;
    assert_eq!(status, 200, "{line}: {body}");
    body
}

/// One that is refused with an error.
async fn refused(scheme: &Scheme, line: &str, body: Value, (status, code, text): (u16, &str, &str)) {
    let before = scheme.balances().await;
    let (found, answer) = ask(scheme, line, body).await;
    let error = &answer["errorInformation"];
    assert_eq!(
        (found, error["errorCode"].as_str(), error["errorDescription"].as_str()),
        (status, Some(code), Some(text)),
        "{line}"
    );
    assert_eq!(scheme.balances().await, before, "{line} changes nothing");
}

/// A committed payment of the scheme's payer to its payee.
async fn pay(scheme: &Scheme, amount: &str) {
    let payment = Payment::usd(amount);
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
}

async fn open_window(scheme: &Scheme) -> i64 {
    let windows = does(scheme, "GET /v2/settlementWindows?state=OPEN", Value::Null).await;
    assert_eq!(windows.as_array().unwrap().len(), 1);
    windows[0]["settlementWindowId"].as_i64().unwrap()
}

/// Closes the open window; returns its id.
async fn close(scheme: &Scheme) -> i64 {
    let window = open_window(scheme).await;
    let line = format!("POST /v2/settlementWindows/{window}");
    let opened = does(scheme, &line, json!({"state": "CLOSED", "reason": "evening"})).await;
    assert_eq!((opened["settlementWindowId"].as_i64(), opened["state"].as_str()), (Some(window + 1), Some("OPEN")));
    window
}

async fn create(scheme: &Scheme, model: &str, windows: &[i64]) -> Value {
    let windows: Vec<_> = windows.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"settlementModel": model, "reason": "settle", "settlementWindows": windows});
    does(scheme, "POST /v2/settlements", body).await
}

/// Every account of a settlement, asked to enter a state.
fn all(settlement: &Value, state: &str) -> Value {
    let account = |account: &Value| json!({"id": account["id"], "state": state, "reason": "bank"});
    let participant = |one: &Value| {
        let accounts: Vec<_> = one["accounts"].as_array().unwrap().iter().map(account).collect();
        json!({"id": one["id"], "accounts": accounts})
    };
    let participants: Vec<_> = settlement["participants"].as_array().unwrap().iter().map(participant).collect();
    json!({"participants": participants})
}

async fn advance(scheme: &Scheme, settlement: &Value, state: &str) -> Value {
    does(scheme, &format!("PUT /v2/settlements/{}", settlement["id"]), all(settlement, state)).await
}

/// Positions of payer and payee, and the hub's multilateral settlement account, in USD.
async fn balances(scheme: &Scheme) -> [String; 3] {
    let found = scheme.balances().await;
    let value = |start: &str| {
        let line = found.iter().find(|line| line.starts_with(start)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    [
        value(&format!("{PAYER} \"POSITION\" \"USD\"")),
        value(&format!("{PAYEE} \"POSITION\" \"USD\"")),
        value("Hub \"HUB_MULTILATERAL_SETTLEMENT\" \"USD\""),
    ]
}
