//! What the administration API shows: shapes of replies, filters, and the effect of changes on them.

use crate::support::Scheme;
use serde_json::{Value, json};

/// Members of an object, in any order.
fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_has_the_shape_that_clients_of_the_reference_know() {
    let scheme = Scheme::with_dfsp().await;
    let participant = scheme.get("/participants/dfsp").await.body;
    assert_eq!(members(&participant), ["accounts", "created", "id", "isActive", "isProxy", "links", "name"]);
    assert_eq!((&participant["isActive"], &participant["isProxy"]), (&json!(1), &json!(0)));
    let id = participant["id"].as_str().unwrap();
    assert!(id.starts_with("http://127.0.0.1:") && id.ends_with("/participants/dfsp"), "{id}");
    assert_eq!(participant["links"]["self"], participant["id"]);
    let created = participant["created"].as_str().unwrap();
    assert!(created.starts_with('"') && created.ends_with("Z\""), "{created}");
    let account = &participant["accounts"][0];
    assert_eq!(members(account), ["createdBy", "createdDate", "currency", "id", "isActive", "ledgerAccountType"]);
    assert_eq!((&account["id"], &account["createdBy"]), (&json!(3), &json!("unknown")));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn participants_are_listed_by_name_and_can_be_filtered_to_proxies() {
    let scheme = Scheme::with_dfsp().await;
    scheme.post("/participants", json!({"name": "a-proxy", "currency": "USD", "isProxy": "1"})).await;
    for (path, expected) in [
        ("/participants", vec!["Hub", "a-proxy", "dfsp"]),
        ("/participants?isProxy=", vec!["Hub", "a-proxy", "dfsp"]),
        ("/participants?isProxy=true", vec!["a-proxy"]),
        ("/participants?isProxy=false", vec!["Hub", "dfsp"]),
    ] {
        let body = scheme.get(path).await.body;
        let names: Vec<_> = body.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{path}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_appear_with_their_balance_once_they_are_open() {
    let scheme = Scheme::with_dfsp().await;
    scheme.post("/participants", json!({"name": "closed", "currency": "USD"})).await;
    assert_eq!(scheme.get("/participants/closed/accounts").await.body, json!([]));
    assert_eq!(scheme.get("/participants/closed/positions").await.body, json!([]));
    assert_eq!(scheme.get("/participants/closed/positions?currency=USD").await.body, json!({}));
    assert_eq!(scheme.get("/participants/closed/limits").await.body, json!([]));

    let limit = json!({"type": "NET_DEBIT_CAP", "value": "5000.25"});
    let body = json!({"currency": "USD", "limit": limit, "initialPosition": "-12.5"});
    let reply = scheme.post("/participants/closed/initialPositionAndLimits", body).await;
    assert_eq!((reply.status, &reply.body), (201, &Value::Null));
    let account = scheme.account("closed", "POSITION").await;
    assert_eq!(
        members(&account),
        ["changedDate", "currency", "id", "isActive", "ledgerAccountType", "reservedValue", "value"]
    );
    assert_eq!(account["value"].to_string(), "-12.5");
    assert_eq!((&account["reservedValue"], &account["isActive"]), (&json!(0), &json!(1)));
    assert_eq!(scheme.balance("Hub", "HUB_MULTILATERAL_SETTLEMENT").await, "12.5");
    let position = scheme.get("/participants/closed/positions?currency=USD").await.body;
    assert_eq!(members(&position), ["changedDate", "currency", "value"]);
    assert_eq!(scheme.get("/participants/closed/positions").await.body, json!([position]));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_switched_off_leaves_positions_and_limits_and_stays_in_accounts() {
    let scheme = Scheme::with_dfsp().await;
    let path = format!("/participants/dfsp/accounts/{}", scheme.account("dfsp", "POSITION").await["id"]);
    let reply = scheme.put(&path, json!({"isActive": "false"})).await;
    assert_eq!((reply.status, &reply.body), (200, &Value::Null));
    assert_eq!(scheme.account("dfsp", "POSITION").await["isActive"], 0);
    for path in ["/participants/dfsp/positions", "/participants/dfsp/limits", "/participants/limits"] {
        assert_eq!(scheme.get(path).await.body, json!([]), "{path}");
    }
    assert_eq!(scheme.get("/participants/dfsp/positions?currency=USD").await.body, json!({}));
    assert_eq!(scheme.get("/participants/dfsp/limits?currency=USD").await.body.as_array().unwrap().len(), 1);
    assert_eq!(scheme.put(&path, json!({"isActive": true})).await.status, 200);
    assert_eq!(scheme.get("/participants/limits").await.body.as_array().unwrap().len(), 1);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_read_and_adjusted() {
    let scheme = Scheme::with_dfsp().await;
    let shown = |value: i64, alarm: i64| {
        let limit = json!({"type": "NET_DEBIT_CAP", "value": value, "alarmPercentage": alarm});
        json!({"currency": "USD", "limit": limit})
    };
    assert_eq!(scheme.get("/participants/dfsp/limits").await.body, json!([shown(1_000_000, 10)]));
    // Clients send numbers as texts.
    let limit = json!({"type": "NET_DEBIT_CAP", "value": "-3", "alarmPercentage": "20"});
    let reply = scheme.put("/participants/dfsp/limits", json!({"currency": "USD", "limit": limit})).await;
    assert_eq!((reply.status, &reply.body), (200, &shown(-3, 20)));
    for (path, expected) in [
        ("/participants/dfsp/limits?currency=USD&type=NET_DEBIT_CAP", json!([shown(-3, 20)])),
        ("/participants/dfsp/limits?type=OTHER", json!([])),
        ("/participants/limits?currency=EUR", json!([])),
    ] {
        assert_eq!(scheme.get(path).await.body, expected, "{path}");
    }
    let all = scheme.get("/participants/limits?currency=USD").await.body;
    assert_eq!((members(&all[0]), &all[0]["name"]), (vec!["currency", "limit", "name"], &json!("dfsp")));
    assert_eq!(scheme.put("/participants/dfsp", json!({"isActive": false})).await.body["isActive"], 0);
    assert_eq!(scheme.get("/participants/limits").await.body, json!([]));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_value_of_an_endpoint_wins() {
    let scheme = Scheme::with_dfsp().await;
    assert_eq!(scheme.get("/participants/dfsp/endpoints").await.body, json!([]));
    for value in ["http://127.0.0.1:9/one", "http://127.0.0.1:9/two"] {
        let body = json!({"type": "FSPIOP_CALLBACK_URL_QUOTES", "value": value});
        let reply = scheme.post("/participants/dfsp/endpoints", body).await;
        assert_eq!((reply.status, &reply.body), (201, &Value::Null));
    }
    let endpoint = json!({"type": "FSPIOP_CALLBACK_URL_QUOTES", "value": "http://127.0.0.1:9/two"});
    for (path, expected) in [
        ("/participants/dfsp/endpoints", json!([endpoint])),
        ("/participants/dfsp/endpoints?type=FSPIOP_CALLBACK_URL_QUOTES", endpoint),
        ("/participants/dfsp/endpoints?type=FSPIOP_CALLBACK_URL_FX_QUOTES", json!({})),
    ] {
        assert_eq!(scheme.get(path).await.body, expected, "{path}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settlement_models_are_found_in_any_case_and_only_active_ones_are_listed() {
    let scheme = Scheme::with_dfsp().await;
    let model = scheme.get("/settlementModels/defaultdeferrednet").await.body;
    let expected = json!({
        "settlementModelId": 1, "name": "DEFAULTDEFERREDNET", "isActive": true, "settlementGranularity": "NET",
        "settlementInterchange": "MULTILATERAL", "settlementDelay": "DEFERRED", "currency": null,
        "requireLiquidityCheck": false, "ledgerAccountTypeId": "POSITION", "autoPositionReset": true,
    });
    assert_eq!(model, expected);
    assert_eq!(scheme.get("/settlementModels").await.body, json!([expected]));
    let reply = scheme.put("/settlementModels/DEFAULTDEFERREDNET", json!({"isActive": false})).await;
    assert_eq!((reply.status, &reply.body["isActive"]), (200, &json!(false)));
    assert_eq!(scheme.get("/settlementModels").await.body, json!([]));
    assert_eq!(scheme.get("/settlementModels/DEFAULTDEFERREDNET").await.status, 200);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enumerations_have_all_their_names() {
    let scheme = Scheme::start().await;
    let enums = scheme.get("/enums").await.body;
    assert_eq!(
        members(&enums),
        [
            "bulkProcessingState",
            "bulkTransferState",
            "bulkTransferStateEnum",
            "endpointType",
            "hubParticipant",
            "ledgerAccountType",
            "ledgerEntryType",
            "participantLimitType",
            "transferParticipantRoleType",
            "transferState",
            "transferStateEnum",
        ]
    );
    assert_eq!(enums["ledgerAccountType"]["INTERCHANGE_FEE"], 5);
    assert_eq!(enums["ledgerEntryType"]["RECORD_FUNDS_OUT"], 10);
    assert_eq!(enums["transferStateEnum"]["EXPIRED_RESERVED"], "ABORTED");
    assert_eq!(
        (&enums["hubParticipant"]["participantId"], &enums["hubParticipant"]["name"]),
        (&json!(1), &json!("Hub"))
    );
    let types = scheme.get("/ledgerAccountTypes").await.body;
    assert_eq!(types.as_array().unwrap().len(), 6);
    assert_eq!(
        (&types[0]["name"], &types[0]["isSettleable"], &types[0]["isActive"]),
        (&json!("POSITION"), &json!(1), &json!(1))
    );
    assert_eq!(types[1]["isSettleable"], 0);
    scheme.end().await;
}
