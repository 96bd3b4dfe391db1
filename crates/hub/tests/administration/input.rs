//! Bad input: each is refused with the status, code and text that clients rely on, and nothing changes.

use crate::support::{Scheme, default_model, model};
use serde_json::{Value, json};

fn limit(value: Value) -> Value {
    json!({"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": value}})
}

fn set_limit(members: Value) -> Value {
    json!({"currency": "USD", "limit": members})
}

/// Method, path, body, status, and what the error's code and text begin with.
fn bad_requests() -> Vec<(&'static str, &'static str, Value, u16, &'static str)> {
    let open = "/participants/dfsp/initialPositionAndLimits";
    let currency = r#"3101 Malformed syntax - "currency" must be one of"#;
    let internal = "2001 Internal server error - ";
    vec![
        ("POST", "/participants", json!([]), 400, r#"3101 Malformed syntax - "value" must be of type object"#),
        ("POST", "/participants", json!({"name": "payer10", "currency": "A#"}), 400, currency),
        ("POST", "/participants", json!({"name": "x", "currency": "USD"}), 400, r#"3101 Malformed syntax - "name" length"#),
        ("POST", "/participants", json!({"name": "ab", "currency": "USD", "x": 1}), 400, r#"3101 Malformed syntax - "x" is not allowed"#),
        ("POST", "/participants", json!({"name": "ab"}), 400, "3003 Add Party information error - Hub reconciliation account for the specified currency does not exist"),
        ("POST", "/participants", json!({"name": "ab", "currency": "XOF"}), 400, "3003 Add Party information error - Hub reconciliation account"),
        ("POST", "/participants", json!({"name": "dfsp", "currency": "USD"}), 400, "3000 Generic client error - Participant currency has already been registered"),
        ("POST", "/participants", json!({"name": "DFSP", "currency": "USD"}), 400, "3000 Generic client error - A participant whose name"),
        ("GET", "/participants/nobody", Value::Null, 400, "3200 Generic ID not found - The requested resource could not be found"),
        ("GET", "/participants/x", Value::Null, 400, r#"3101 Malformed syntax - "name" length must be at least 2"#),
        ("GET", "/participants/%ff%fe", Value::Null, 400, "3101 Malformed syntax - The path"),
        ("GET", "/participants?isProxy=maybe", Value::Null, 400, r#"3101 Malformed syntax - "isProxy""#),
        ("PUT", "/participants/nobody", json!({"isActive": true}), 400, "3200 Generic ID not found - participant not found"),
        ("PUT", "/participants/dfsp", json!({}), 400, r#"3101 Malformed syntax - "isActive" is required"#),
        ("PUT", "/participants/dfsp", json!({"isActive": 1}), 400, r#"3101 Malformed syntax - "isActive" must be a boolean"#),
        ("POST", "/participants/dfsp/endpoints", json!({"type": "NONE", "value": "x"}), 400, r#"3101 Malformed syntax - "type" must be"#),
        ("POST", "/participants/dfsp/endpoints", json!({}), 400, r#"3101 Malformed syntax - "type" is required. "value" is required"#),
        ("POST", "/participants/nobody/endpoints", json!({"type": "ALARM_NOTIFICATION_URL", "value": "x"}), 400, "3200 "),
        ("GET", "/participants/nobody/endpoints", Value::Null, 400, "3200 "),
        ("POST", open, limit(json!(-1)), 400, r#"3101 Malformed syntax - "limit.value" must be greater than or equal to 0"#),
        ("POST", open, limit(json!("many")), 400, r#"3101 Malformed syntax - "limit.value" must be a number"#),
        ("POST", open, json!({"currency": "USD"}), 400, r#"3101 Malformed syntax - "limit" is required"#),
        ("POST", open, json!({"currency": "USD", "limit": 5}), 400, r#"3101 Malformed syntax - "limit" must be of type object"#),
        ("POST", open, json!({"currency": "USD", "limit": {"type": "OTHER", "value": 1}}), 400, r#"3101 Malformed syntax - "limit.type" must be NET_DEBIT_CAP"#),
        ("POST", open, limit(json!(5)), 500, "2001 Internal server error - Participant Limit or Initial Position already set"),
        ("POST", "/participants/nobody/initialPositionAndLimits", limit(json!(5)), 400, "3200 Generic ID not found - participant not found"),
        ("PUT", "/participants/dfsp/limits", set_limit(json!({"type": "NET_DEBIT_CAP", "value": 5})), 400, r#"3101 Malformed syntax - "limit.alarmPercentage" is required"#),
        ("PUT", "/participants/nobody/limits", set_limit(json!({"type": "NET_DEBIT_CAP", "value": 5, "alarmPercentage": 10})), 400, "3200 "),
        ("GET", "/participants/nobody/limits", Value::Null, 400, "3200 "),
        ("GET", "/participants/dfsp/limits?currency=ZZZ", Value::Null, 400, currency),
        ("GET", "/participants/dfsp/limits?currency=EUR", Value::Null, 400, "3200 "),
        ("GET", "/participants/nobody/positions", Value::Null, 400, "3200 "),
        ("GET", "/participants/dfsp/positions?currency=EUR", Value::Null, 400, "3200 "),
        ("GET", "/participants/nobody/accounts", Value::Null, 400, "3200 "),
        ("POST", "/participants/nobody/accounts", json!({"type": "NONE", "currency": "USD"}), 400, "3003 Add Party information error - Participant was not found."),
        ("POST", "/participants/Hub/accounts", json!({"type": "HUB_FEE", "currency": "USD"}), 400, "3003 Add Party information error - Ledger account type was not found."),
        ("POST", "/participants/Hub/accounts", json!({"type": "HUB_RECONCILIATION", "currency": "USD"}), 400, "3003 Add Party information error - Hub account has already been registered."),
        ("POST", "/participants/dfsp/accounts", json!({"type": "HUB_RECONCILIATION", "currency": "USD"}), 400, "3003 Add Party information error - Endpoint is reserved for creation of Hub account types only."),
        ("POST", "/participants/Hub/accounts", json!({"type": "POSITION", "currency": "USD"}), 400, "3003 Add Party information error - The requested hub operator account type is not allowed."),
        ("PUT", "/participants/dfsp/accounts/99", json!({"isActive": true}), 500, "2001 Internal server error - Account not found"),
        ("PUT", "/participants/dfsp/accounts/1", json!({"isActive": true}), 500, "2001 Internal server error - Participant/account mismatch"),
        ("PUT", "/participants/Hub/accounts/1", json!({"isActive": true}), 500, "2001 Internal server error - Only position account update is permitted"),
        ("PUT", "/participants/dfsp/accounts/x", json!({"isActive": true}), 400, r#"3101 Malformed syntax - "id" must be a number"#),
        ("PUT", "/participants/dfsp/accounts/0", json!({"isActive": true}), 400, r#"3101 Malformed syntax - "id" must be a positive number"#),
        ("POST", "/participants/dfsp/accounts/1", json!({}), 400, r#"3101 Malformed syntax - "transferId" is required. "externalReference" is required"#),
        ("PUT", "/participants/dfsp/accounts/1/transfers/x", json!({"reason": "x"}), 400, r#"3101 Malformed syntax - "transferId" must be"#),
        ("POST", "/settlementModels", default_model(), 400, "3000 Generic client error - Settlement Model already exists"),
        ("POST", "/settlementModels", model(json!({"name": "N", "settlementDelay": "IMMEDIATE"})), 400, r#"3101 Malformed syntax - "name" length"#),
        ("POST", "/settlementModels", model(json!({"name": "NEW", "settlementDelay": "IMMEDIATE"})), 400, "3000 Generic client error - Invalid settlement model definition - delay-granularity-interchange combination is not supported"),
        ("POST", "/settlementModels", model(json!({"name": "NEW", "ledgerAccountType": "NONE"})), 400, "3003 Add Party information error - Ledger account type was not found"),
        ("POST", "/settlementModels", model(json!({"name": "NEW", "settlementAccountType": "POSITION"})), 400, r#"3101 Malformed syntax - "settlementAccountType" must be one of"#),
        ("POST", "/settlementModels", model(json!({"name": "NEW-1", "autoPositionReset": "yes"})), 400, r#"3101 Malformed syntax - "name" must only contain alpha-numeric characters. "autoPositionReset" must be a boolean"#),
        ("GET", "/settlementModels/NONE", Value::Null, 400, "3200 "),
        ("PUT", "/settlementModels/NONE", json!({"isActive": true}), 500, "2001 Internal server error - Settlement Model does not exist"),
        ("POST", "/ledgerAccountTypes", json!({"name": "POSITION", "description": "d", "isActive": true, "isSettleable": true}), 400, "3000 Generic client error - This Ledger Account Type already exists"),
        ("POST", "/ledgerAccountTypes", json!({"name": "MINE", "description": "d", "isActive": true, "isSettleable": true}), 501, "2002 Not implemented"),
        ("POST", "/ledgerAccountTypes", json!({"name": "A-B"}), 400, r#"3101 Malformed syntax - "name" must consist of word characters. "description" is required"#),
    ]
    .into_iter()
    .inspect(|(_, _, _, status, text)| assert_eq!(*status == 500, text.starts_with(internal)))
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_exact_words_and_changes_nothing() {
    let scheme = Scheme::with_dfsp().await;
    let before = scheme.get("/participants").await.body;
    for (method, path, body, status, expected) in bad_requests() {
        let body_text = if body.is_null() { String::new() } else { body.to_string() };
        let reply = scheme.call(method, path, &[("content-type", "application/json")], body_text).await;
        assert_eq!(reply.status, status, "{method} {path} {body}: {reply:?}");
        assert!(reply.error().starts_with(expected), "{method} {path} {body}: {}", reply.error());
    }
    assert_eq!(scheme.get("/participants").await.body, before);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_without_any_model_for_its_currency_is_not_created() {
    let scheme = Scheme::start().await;
    for kind in ["HUB_RECONCILIATION", "HUB_MULTILATERAL_SETTLEMENT"] {
        let reply = scheme.post("/participants", json!({"name": "dfsp", "currency": "USD"})).await;
        assert_eq!(reply.error().split(' ').next(), Some("3003"));
        scheme.post("/participants/Hub/accounts", json!({"type": kind, "currency": "USD"})).await;
    }
    let reply = scheme.post("/participants", json!({"name": "dfsp", "currency": "USD"})).await;
    let expected = "6000 Generic Settlement Error - Unable to find a matching or default, Settlement Model";
    assert_eq!((reply.status, reply.error().as_str()), (400, expected));
    assert_eq!(scheme.get("/participants/dfsp").await.status, 400);
    scheme.end().await;
}
