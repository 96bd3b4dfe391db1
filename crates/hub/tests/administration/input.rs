//! Bad input: each is refused with the status, code and text that clients rely on, and nothing changes.

use crate::support::{Scheme, model};
use fspiop::ErrorCode;
use serde_json::{Value, json};

/// Two lines each: method, path and body; then status, code, and what the text after the code's name begins with.
/// The members of a settlement model's body replace those of a good one.
const BAD_REQUESTS: &str = r#"
POST /participants []
    400 3101 "value" must be of type object
POST /participants {"name": "payer10", "currency": "A#"}
    400 3101 "currency" must be one of
POST /participants {"name": "x", "currency": "USD"}
    400 3101 "name" length must be at least 2
POST /participants {"name": "ab", "currency": "USD", "x": 1}
    400 3101 "x" is not allowed
POST /participants {"name": "ab"}
    400 3003 Hub reconciliation account for the specified currency does not exist
POST /participants {"name": "ab", "currency": "XOF"}
    400 3003 Hub reconciliation account for the specified currency does not exist
POST /participants {"name": "dfsp", "currency": "USD"}
    400 3000 Participant currency has already been registered
POST /participants {"name": "DFSP", "currency": "USD"}
    400 3000 A participant whose name differs in upper and lower case only exists
GET /participants/nobody
    400 3200 The requested resource could not be found
GET /participants/x
    400 3101 "name" length must be at least 2
GET /participants/%ff%fe
    400 3101 The path is not percent-encoded UTF-8
GET /participants?isProxy=maybe
    400 3101 "isProxy" must be a boolean
PUT /participants/nobody {"isActive": true}
    400 3200 participant not found
PUT /participants/dfsp {}
    400 3101 "isActive" is required
PUT /participants/dfsp {"isActive": 1}
    400 3101 "isActive" must be a boolean
PUT /umoja/v1/participants/nobody/liquidity-threshold {"currency": "USD", "amount": 1}
    400 3200 participant not found
PUT /umoja/v1/participants/dfsp/liquidity-threshold {"currency": "EUR", "amount": 1}
    400 3200 participant not found
PUT /umoja/v1/participants/Hub/liquidity-threshold {"currency": "USD", "amount": null}
    400 3200 participant not found
PUT /umoja/v1/participants/dfsp/liquidity-threshold {"currency": "USD"}
    400 3101 "amount" is required
PUT /umoja/v1/participants/dfsp/liquidity-threshold {"currency": "USD", "amount": -1}
    400 3101 "amount" must be greater than or equal to 0
PUT /umoja/v1/participants/dfsp/liquidity-threshold {"currency": "USD", "amount": "much"}
    400 3101 "amount" must be a number
PUT /umoja/v1/participants/dfsp/liquidity-threshold {"currency": "USD", "amount": true, "x": 1}
    400 3101 "amount" must be a number. "x" is not allowed
PUT /umoja/v1/participants/dfsp/liquidity-threshold null
    400 3101 "value" must be of type object
GET /umoja/v1/participants/nobody/liquidity-threshold
    400 3200 participant not found
GET /umoja/v1/notices?kind=NONE
    400 3101 "kind" must be one of [NET_DEBIT_CAP_THRESHOLD_BREACH, LIQUIDITY_THRESHOLD_BREACH,
GET /umoja/v1/notices?limit=0
    400 3101 "limit" must be a number from 1 to 1000
GET /umoja/v1/notices?limit=1001
    400 3101 "limit" must be a number from 1 to 1000
GET /umoja/v1/notices?after=-1
    400 3101 "after" must be a positive integer
GET /umoja/v1/notices?participant=x
    400 3101 "name" length must be at least 2
POST /participants/dfsp/endpoints {"type": "NONE", "value": "x"}
    400 3101 "type" must be one of the endpoint types
POST /participants/dfsp/endpoints {}
    400 3101 "type" is required. "value" is required
POST /participants/nobody/endpoints {"type": "ALARM_NOTIFICATION_URL", "value": "x"}
    400 3200 participant not found
GET /participants/nobody/endpoints
    400 3200 participant not found
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": -1}}
    400 3101 "limit.value" must be greater than or equal to 0
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": "x"}}
    400 3101 "limit.value" must be a number
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD"}
    400 3101 "limit" is required
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD", "limit": 5}
    400 3101 "limit" must be of type object
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD", "limit": {"type": "OTHER", "value": 1}}
    400 3101 "limit.type" must be NET_DEBIT_CAP
POST /participants/dfsp/initialPositionAndLimits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": 5}}
    500 2001 Participant Limit or Initial Position already set
POST /participants/nobody/initialPositionAndLimits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": 5}}
    400 3200 participant not found
PUT /participants/dfsp/limits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": 5}}
    400 3101 "limit.alarmPercentage" is required
PUT /participants/nobody/limits {"currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": 5, "alarmPercentage": 1}}
    400 3200 participant not found
GET /participants/nobody/limits
    400 3200 participant not found
GET /participants/dfsp/limits?currency=ZZZ
    400 3101 "currency" must be one of
GET /participants/dfsp/limits?currency=EUR
    400 3200 participant not found
GET /participants/nobody/positions
    400 3200 participant not found
GET /participants/dfsp/positions?currency=EUR
    400 3200 participant not found
GET /participants/nobody/accounts
    400 3200 participant not found
POST /participants/nobody/accounts {"type": "NONE", "currency": "USD"}
    400 3003 Participant was not found.
POST /participants/Hub/accounts {"type": "HUB_FEE", "currency": "USD"}
    400 3003 Ledger account type was not found.
POST /participants/Hub/accounts {"type": "HUB_RECONCILIATION", "currency": "USD"}
    400 3003 Hub account has already been registered.
POST /participants/dfsp/accounts {"type": "HUB_RECONCILIATION", "currency": "USD"}
    400 3003 Endpoint is reserved for creation of Hub account types only.
POST /participants/Hub/accounts {"type": "POSITION", "currency": "USD"}
    400 3003 The requested hub operator account type is not allowed.
PUT /participants/nobody/accounts/1 {"isActive": true}
    400 3200 participant not found
PUT /participants/dfsp/accounts/99 {"isActive": true}
    500 2001 Account not found
PUT /participants/dfsp/accounts/1 {"isActive": true}
    500 2001 Participant/account mismatch
PUT /participants/Hub/accounts/1 {"isActive": true}
    500 2001 Only position account update is permitted
PUT /participants/dfsp/accounts/x {"isActive": true}
    400 3101 "id" must be a number
PUT /participants/dfsp/accounts/0 {"isActive": true}
    400 3101 "id" must be a positive number
POST /participants/dfsp/accounts/1 {}
    400 3101 "transferId" is required. "externalReference" is required
PUT /participants/dfsp/accounts/1/transfers/x {"reason": "x"}
    400 3101 "transferId" must be a valid GUID or ULID
POST /settlementModels {"name": "DefaultDeferredNet"}
    400 3000 Settlement Model already exists
POST /settlementModels {"name": "N"}
    400 3101 "name" length must be at least 2
POST /settlementModels {"name": "NEW", "settlementDelay": "IMMEDIATE"}
    400 3000 Invalid settlement model definition - delay-granularity-interchange combination is not supported
POST /settlementModels {"name": "NEW", "ledgerAccountType": "NONE"}
    400 3003 Ledger account type was not found
POST /settlementModels {"name": "NEW", "settlementAccountType": "POSITION"}
    400 3101 "settlementAccountType" must be one of
POST /settlementModels {"name": "NEW-1", "autoPositionReset": "yes"}
    400 3101 "name" must only contain alpha-numeric characters. "autoPositionReset" must be a boolean
GET /settlementModels/NONE
    400 3200 The requested resource could not be found
PUT /settlementModels/NONE {"isActive": true}
    500 2001 Settlement Model does not exist
POST /ledgerAccountTypes {"name": "POSITION", "description": "d", "isActive": true, "isSettleable": true}
    400 3000 This Ledger Account Type already exists
POST /ledgerAccountTypes {"name": "A-B"}
    400 3101 "name" must consist of word characters. "description" is required
"#;

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_exact_words_and_changes_nothing() {
    let scheme = Scheme::with_dfsp().await;
    let before = scheme.get("/participants").await.body;
    let lines: Vec<&str> = BAD_REQUESTS.trim().lines().collect();
    for pair in lines.chunks_exact(2) {
        let request: Vec<&str> = pair[0].splitn(3, ' ').collect();
        let expected: Vec<&str> = pair[1].trim().splitn(3, ' ').collect();
        let mut body = request.get(2).copied().unwrap_or_default().to_owned();
        if request[..2] == ["POST", "/settlementModels"] {
            body = model(serde_json::from_str(&body).unwrap()).to_string();
        }
        let reply = scheme.call(request[0], request[1], &[("content-type", "application/json")], body).await;
        assert_eq!(reply.status.to_string(), expected[0], "{}", pair[0]);
        let name = ErrorCode::parse(expected[1]).unwrap().name();
        let error = format!("{} {name} - {}", expected[1], expected[2]);
        assert!(reply.error().starts_with(&error), "{}: {}", pair[0], reply.error());
    }
    assert_eq!(scheme.get("/participants").await.body, before);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_without_any_model_for_its_currency_is_not_created() {
    let scheme = Scheme::start().await;
    for kind in ["HUB_RECONCILIATION", "HUB_MULTILATERAL_SETTLEMENT"] {
        let reply = scheme.post("/participants", json!({"name": "dfsp", "currency": "USD"})).await;
        assert_eq!((reply.status, &reply.body["errorInformation"]["errorCode"]), (400, &Value::from("3003")));
        scheme.post("/participants/Hub/accounts", json!({"type": kind, "currency": "USD"})).await;
    }
    let reply = scheme.post("/participants", json!({"name": "dfsp", "currency": "USD"})).await;
    let expected = "6000 Generic Settlement Error - Unable to find a matching or default, Settlement Model";
    assert_eq!((reply.status, reply.error().as_str()), (400, expected));
    assert_eq!(scheme.get("/participants/dfsp").await.status, 400);
    scheme.end().await;
}
