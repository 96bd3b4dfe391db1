//! The correct requests that are spoilt. Spoiling cannot make them move money: prepares ask for more than anybody has
//! from a payer that may spend nothing, answers are about a payment that is over, and funds go to nobody.

use crate::support::{BYSTANDER, Call, PAYEE, PAYER, Payment, Quote, fresh_id, party_body};
use serde_json::{Value, json};

/// A request in its parts.
#[derive(Clone)]
pub struct Request {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    /// Without `content-length`.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl From<Call> for Request {
    fn from(call: Call) -> Self {
        let header = |(name, value): &(String, String)| (name.clone().into_bytes(), value.clone().into_bytes());
        let headers = call.headers().iter().map(header);
        let host = (b"host".to_vec(), b"hub".to_vec());
        Self {
            method: call.method().as_bytes().to_vec(),
            target: call.path().as_bytes().to_vec(),
            headers: std::iter::once(host).chain(headers).collect(),
            body: call.bytes().to_vec(),
        }
    }
}

/// Every resource and method of the FSPIOP port.
pub fn fspiop(committed: &Payment) -> Vec<Request> {
    let (quote, id) = (Quote::usd("1"), fresh_id());
    let error = committed.reject("5104", "no").bytes().clone();
    let party = "/participants/MSISDN/27710000002";
    let fsp = json!({"fspId": PAYER}).to_string();
    let batch = json!({"requestId": id, "currency": "USD", "partyList": [
        {"partyIdType": "MSISDN", "partyIdentifier": "27710000003", "fspId": PAYER},
        {"partyIdType": "BUSINESS", "partyIdentifier": "shop", "partySubIdOrType": "till-4", "fspId": PAYER},
    ]});
    let signed = Payment::usd("1000000").prepare();
    let signature = r#"{"signature":"c2lnbmF0dXJl","protectedHeader":"eyJhbGciOiJSUzI1NiJ9"}"#;
    let mut all = vec![
        Payment::usd("1000000").prepare(),
        Payment { currency: "EUR", ..Payment::usd("99999999999999.9999") }.prepare(),
        signed.with("fspiop-signature", signature).with("x-client-id", PAYER).with("fspiop-http-method", "POST"),
        committed.prepare(),
        committed.fulfil("COMMITTED"),
        committed.fulfil("RESERVED"),
        committed.reject("5104", "no"),
        committed.question(PAYER),
        quote.request(),
        quote.response(),
        Call::new(&format!("GET {}", quote.path())),
        Call::new(&quote.put_error()).from(PAYEE).to(PAYER).body(error.clone()),
        Call::new("GET /parties/MSISDN/27710000002"),
        Call::new("GET /parties/BUSINESS/shop/till-4?currency=USD"),
        Call::new("PUT /parties/MSISDN/27710000002").from(PAYEE).to(PAYER).body(party_body("MSISDN", "27710000002")),
        Call::new("PUT /parties/MSISDN/27710000002/error").from(PAYEE).to(PAYER).body(error.clone()),
        Call::new(&format!("GET {party}")),
        Call::new(&format!("POST {party}")).body(fsp.clone()),
        Call::new(&format!("PUT {party}/sub")).body(fsp),
        Call::new(&format!("DELETE {party}")).from(BYSTANDER),
        Call::new(&format!("PUT {party}/error")).to(PAYEE).body(error.clone()),
        Call::new("POST /participants").body(batch.to_string()),
        Call::new(&format!("PUT /participants/{id}")).body(batch.to_string()),
        Call::new(&committed.patch()).body(json!({"transferState": "COMMITTED"}).to_string()),
    ];
    for resource in ["fxQuotes", "fxTransfers", "bulkQuotes", "bulkTransfers"] {
        all.push(Call::new(&format!("POST /{resource}")).to(PAYEE).body("{}"));
    }
    all.extend(requests_to_pay(&id));
    all.into_iter().map(Request::from).collect()
}

fn requests_to_pay(id: &str) -> Vec<Call> {
    let payer = json!({"partyIdType": "MSISDN", "partyIdentifier": "27710000001", "fspId": PAYER});
    let request = json!({
        "transactionRequestId": id,
        "payee": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "27710000002", "fspId": PAYEE}},
        "payer": payer,
        "amount": {"amount": "5", "currency": "USD"},
        "transactionType": {"scenario": "PAYMENT", "initiator": "PAYEE", "initiatorType": "BUSINESS"},
    });
    let query = "authenticationType=OTP&retriesLeft=2&amount=5&currency=USD";
    vec![
        Call::new("POST /transactionRequests").from(PAYEE).to(PAYER).body(request.to_string()),
        Call::new(&format!("GET /transactionRequests/{id}")).from(PAYEE).to(PAYER),
        Call::new(&format!("GET /authorizations/{id}?{query}")).to(PAYEE),
        Call::new(&format!("PUT /authorizations/{id}")).to(PAYEE).body(json!({"responseType": "REJECTED"}).to_string()),
    ]
}

pub fn administration() -> Vec<Request> {
    let limit = json!({"type": "NET_DEBIT_CAP", "value": 1000, "alarmPercentage": 10});
    let amount = json!({"amount": "12.5", "currency": "USD"});
    let funds = |action: &str| json!({"transferId": fresh_id(), "externalReference": "x", "action": action, "reason": "x", "amount": amount});
    let model = json!({
        "name": "OTHERMODEL", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED", "currency": "USD", "requireLiquidityCheck": true, "autoPositionReset": true,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    plain(&[
        ("GET /health", Value::Null),
        ("GET /metrics", Value::Null),
        ("GET /enums", Value::Null),
        ("GET /participants", Value::Null),
        ("GET /participants/payerfsp", Value::Null),
        ("GET /participants/payerfsp/positions?currency=USD", Value::Null),
        ("GET /participants/payerfsp/limits?currency=USD&type=NET_DEBIT_CAP", Value::Null),
        ("GET /participants/payerfsp/accounts", Value::Null),
        ("GET /participants/payerfsp/endpoints?type=FSPIOP_CALLBACK_URL_TRANSFER_POST", Value::Null),
        ("GET /participants/limits?currency=USD", Value::Null),
        ("GET /ledgerAccountTypes", Value::Null),
        ("GET /settlementModels", Value::Null),
        ("GET /settlementModels/DEFERREDNET", Value::Null),
        ("GET /umoja/v1/signing-key", Value::Null),
        ("POST /participants", json!({"name": "newfsp", "currency": "USD"})),
        ("PUT /participants/ghostfsp", json!({"isActive": false})),
        ("POST /participants/ghostfsp/accounts", json!({"type": "SETTLEMENT", "currency": "USD"})),
        ("PUT /participants/ghostfsp/accounts/999", json!({"isActive": false})),
        ("PUT /participants/payerfsp/accounts/99999", json!({"isActive": false})),
        ("POST /participants/ghostfsp/accounts/999", funds("recordFundsIn")),
        ("POST /participants/payerfsp/accounts/99999", funds("recordFundsOutPrepareReserve")),
        (
            "PUT /participants/ghostfsp/accounts/999/transfers/b51ec534-ee48-4575-b6a9-ead2955b8069",
            json!({"action": "recordFundsOutCommit", "reason": "x"}),
        ),
        (
            "POST /participants/otherfsp/endpoints",
            json!({"type": "ALARM_NOTIFICATION_URL", "value": "http://127.0.0.1:1/"}),
        ),
        (
            "POST /participants/ghostfsp/initialPositionAndLimits",
            json!({"currency": "USD", "limit": limit, "initialPosition": 0}),
        ),
        ("PUT /participants/ghostfsp/limits", json!({"currency": "USD", "limit": limit})),
        ("POST /settlementModels", model),
        ("PUT /settlementModels/NOMODEL", json!({"isActive": false})),
        (
            "POST /ledgerAccountTypes",
            json!({"name": "MINE", "description": "d", "isActive": true, "isSettleable": true}),
        ),
    ])
}

pub fn settlement() -> Vec<Request> {
    plain(&[
        ("GET /health", Value::Null),
        ("GET /v2/health", Value::Null),
        ("GET /metrics", Value::Null),
        ("GET /v2/settlementWindows?state=OPEN", Value::Null),
        ("POST /v2/settlementWindows/1", json!({"state": "CLOSED", "reason": "x"})),
        (
            "POST /v2/settlements",
            json!({"settlementModel": "DEFERREDNET", "reason": "x", "settlementWindows": [{"id": 1}]}),
        ),
    ])
}

pub fn oracles() -> Vec<Request> {
    let oracle = json!({
        "oracleIdType": "ACCOUNT_ID", "endpoint": {"value": "http://127.0.0.1:1", "endpointType": "URL"},
        "currency": "EUR", "isDefault": true,
    });
    let call = |method: &str, path: &str| Call::new(&format!("{method} /participants")).at(path);
    let with_body = |method: &str, path: &str| call(method, path).plain_body(oracle.to_string());
    let mut all = vec![
        call("GET", "/health"),
        call("GET", "/metrics"),
        call("GET", "/oracles"),
        call("GET", "/oracles?type=MSISDN&currency=USD"),
        call("DELETE", "/oracles/1"),
        call("DELETE", "/oracles/99999999999999999999"),
    ];
    all.extend([with_body("POST", "/oracles"), with_body("POST", "/oracles"), with_body("PUT", "/oracles/1")]);
    all.into_iter().map(Request::from).collect()
}

/// The hub of these tests has no pages; its listener is the same as that of one that has.
pub fn portal() -> Vec<Request> {
    plain(&[("GET /", Value::Null), ("GET /participants", Value::Null), ("POST /", json!({"a": 1}))])
}

fn plain(calls: &[(&str, Value)]) -> Vec<Request> {
    calls.iter().map(|(line, body)| Request::from(Call::plain(line, body.clone()))).collect()
}
