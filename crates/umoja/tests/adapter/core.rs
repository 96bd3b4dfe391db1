//! A small core-banking system behind an adapter: it answers by the identifier of its customers and remembers what it was
//! asked and told.

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, response::Response};
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Customers of the payee's DFSP, by what comes of paying them. The last five digits decide, whatever comes before them.
pub const WELCOMING: &str = "11111";
/// The hub's directory knows them, their bank does not (any more).
pub const GONE: &str = "40404";
/// Whoever looks them up gets a 500 that is no JSON.
pub const BROKEN: &str = "50000";
/// … a 200 that is no JSON.
pub const GARBLED: &str = "20000";
/// Gives no terms, with 5103.
pub const WITHOUT_TERMS: &str = "51030";
/// Takes no money, with 5105.
pub const REFUSING: &str = "51050";
/// Never says whether the money is taken.
pub const SLOW: &str = "90001";
/// Never gives terms.
pub const SLOW_IN_TERMS: &str = "90002";
/// Says that it has nothing to say to a transfer.
pub const TACITURN: &str = "20400";
pub const CUSTOMERS: [&str; 9] =
    [WELCOMING, GONE, BROKEN, GARBLED, WITHOUT_TERMS, REFUSING, SLOW, SLOW_IN_TERMS, TACITURN];
/// The payer, at the other DFSP.
pub const PAYER: &str = "99999";

/// One request of the adapter.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub body: Value,
}

pub struct Core {
    shared: Arc<Shared>,
    listener: sdk::Listener,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Asked>>,
    more: Notify,
}

impl Core {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = sdk::Listener::start(([127, 0, 0, 1], 0).into(), router).await.unwrap();
        Self { shared, listener }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What was asked by this method under paths that begin so.
    pub fn asked(&self, method: Method, path: &str) -> Vec<Asked> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.method == method && asked.path.starts_with(path)).cloned().collect()
    }

    /// Waits until something was asked, or told.
    pub async fn hears(&self, method: Method, path: &str) -> Asked {
        let hears = async {
            loop {
                let more = self.shared.more.notified();
                if let Some(asked) = self.asked(method.clone(), path).pop() {
                    return asked;
                }
                more.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), hears).await.expect("the adapter tells its core in time")
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    shared.asked.lock().unwrap().push(Asked {
        method: method.clone(),
        path: uri.path().to_owned(),
        body: body.clone(),
    });
    shared.more.notify_waiters();
    let segments: Vec<&str> = uri.path().trim_start_matches('/').split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["parties", id_type, id]) => party(id_type, id),
        ("POST", ["quoterequests"]) => quote(&body).await,
        ("POST", ["transfers"]) => transfer(&body).await,
        ("POST", ["transactionrequests"]) => ok(&json!({
            "transactionId": body["transactionRequestId"], "transactionRequestState": "RECEIVED",
        })),
        ("POST", ["fxQuotes"]) => conversion(&body),
        ("POST", ["fxTransfers"]) => {
            ok(&json!({"homeTransactionId": "home-of-the-provider", "conversionState": "RESERVED"}))
        }
        ("GET", ["otp", _]) => ok(&json!({"otpValue": "12345"})),
        ("GET", ["transfers", _]) => ok(&json!({"homeTransactionId": "h", "transferState": "COMMITTED"})),
        ("PUT", _) => ok(&json!({})),
        (_, _) => refusal(StatusCode::NOT_FOUND, "3000", "not of this core"),
    }
}

fn party(id_type: &str, id: &str) -> Response {
    match last_digits(id) {
        GONE => refusal(StatusCode::NOT_FOUND, "3204", "nobody of this bank"),
        BROKEN => (StatusCode::INTERNAL_SERVER_ERROR, "<html>").into_response(),
        GARBLED => (StatusCode::OK, "<html>").into_response(),
        _ => ok(&json!({"idType": id_type, "idValue": id, "displayName": "Ana Diaz", "firstName": "Ana",
            "lastName": "Diaz"})),
    }
}

async fn quote(body: &Value) -> Response {
    match body["to"]["idValue"].as_str().map(last_digits) {
        Some(WITHOUT_TERMS) => refusal(StatusCode::BAD_REQUEST, "5103", "no such terms"),
        Some(SLOW_IN_TERMS) => std::future::pending().await,
        _ => ok(&json!({
            "quoteId": body["quoteId"], "transactionId": body["transactionId"],
            "transferAmount": body["amount"], "transferAmountCurrency": body["currency"],
            "payeeFspFeeAmount": "1", "payeeFspFeeAmountCurrency": body["currency"],
        })),
    }
}

async fn transfer(body: &Value) -> Response {
    match body["to"]["idValue"].as_str().map(last_digits) {
        Some(REFUSING) => refusal(StatusCode::BAD_REQUEST, "5105", "not today"),
        Some(SLOW) => std::future::pending().await,
        Some(TACITURN) => StatusCode::NO_CONTENT.into_response(),
        _ => ok(&json!({"homeTransactionId": "home-of-the-payee"})),
    }
}

/// Twenty for one, in the direction of the question.
fn conversion(body: &Value) -> Response {
    let mut terms = body["conversionTerms"].clone();
    let whole = |amount: &Value| amount["amount"].as_str().and_then(|text| text.parse::<u64>().ok());
    match (whole(&terms["sourceAmount"]), whole(&terms["targetAmount"])) {
        (Some(source), None) => terms["targetAmount"]["amount"] = (source * 20).to_string().into(),
        (None, Some(target)) => terms["sourceAmount"]["amount"] = (target / 20).to_string().into(),
        (_, _) => return refusal(StatusCode::BAD_REQUEST, "3100", "one amount is asked for"),
    }
    ok(&json!({"homeTransactionId": "home-of-the-provider", "conversionTerms": terms}))
}

fn last_digits(id: &str) -> &str {
    id.len().checked_sub(WELCOMING.len()).and_then(|from| id.get(from..)).unwrap_or(id)
}

fn ok(body: &Value) -> Response {
    (StatusCode::OK, [("content-type", "application/json")], body.to_string()).into_response()
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"statusCode": code, "message": message}).to_string();
    (status, [("content-type", "application/json")], body).into_response()
}
