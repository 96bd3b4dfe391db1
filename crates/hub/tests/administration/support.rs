//! A running hub and a client of its administration ports.

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use hub::{Config, Listeners, Running};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::net::SocketAddr;

pub struct Scheme {
    running: Running,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer: status, headers, and the body's JSON, null where it is empty.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

/// Headers that the account-lookup administration wants.
pub const ORACLE_HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/vnd.interoperability.participants+json;version=1.0"),
    ("accept", "application/vnd.interoperability.participants+json;version=1"),
    ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
];

impl Scheme {
    /// An empty hub on free ports.
    pub async fn start() -> Self {
        Self::start_on("memory").await
    }

    /// A hub on free ports with the store of an address.
    pub async fn start_on(store: &str) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let running = hub::start(Config { listeners, store: store.to_owned(), ..Config::default() }, |_| Router::new());
        let running = running.await.unwrap();
        Self { running, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// A hub with its USD accounts, a default settlement model, and a participant `dfsp` with open accounts.
    pub async fn with_dfsp() -> Self {
        let scheme = Self::start().await;
        for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
            let body = json!({"type": kind, "currency": "USD"});
            assert_eq!(scheme.post("/participants/Hub/accounts", body).await.status, 201);
        }
        assert_eq!(scheme.post("/settlementModels", default_model()).await.status, 201);
        scheme.add("dfsp", "USD").await;
        scheme
    }

    /// Creates a participant and opens its accounts with a cap of 1000000.
    pub async fn add(&self, name: &str, currency: &str) {
        let reply = self.post("/participants", json!({"name": name, "currency": currency})).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let body = json!({"currency": currency, "limit": {"type": "NET_DEBIT_CAP", "value": 1000000}});
        let reply = self.post(&format!("/participants/{name}/initialPositionAndLimits"), body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// A request to the ledger's port.
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        self.send(self.running.addresses().administration, request(method, path, headers, body)).await
    }

    /// A request to the oracles' port.
    pub async fn oracle(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(self.running.addresses().oracles, request(method, path, headers, body)).await
    }

    /// A request to the settlement port.
    pub async fn settlement(&self, method: &str, path: &str) -> Reply {
        self.send(self.running.addresses().settlement, request(method, path, &[], Bytes::new())).await
    }

    /// The balance of an account as the API shows it.
    pub async fn balance(&self, owner: &str, kind: &str) -> String {
        self.account(owner, kind).await["value"].to_string()
    }

    pub async fn account(&self, owner: &str, kind: &str) -> Value {
        let accounts = self.get(&format!("/participants/{owner}/accounts")).await.body;
        let found = accounts.as_array().unwrap().iter().find(|account| account["ledgerAccountType"] == kind);
        found.unwrap().clone()
    }

    /// Stops the hub after checking that entries and balances agree.
    pub async fn end(self) {
        assert_eq!(self.running.hub().verify().await.unwrap(), Vec::<String>::new());
        self.running.stop().await;
    }

    async fn send(&self, to: SocketAddr, request: Unaddressed) -> Reply {
        let mut builder =
            Request::builder().method(request.method.as_str()).uri(format!("http://{to}{}", request.path));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = self.client.request(builder.body(Full::new(request.body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let is_json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.to_str().is_ok_and(|media_type| media_type.starts_with("application/json")));
        let json = if is_json { serde_json::from_slice(&body).unwrap() } else { Value::Null };
        let text = String::from_utf8_lossy(&body).into_owned();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: json, text }
    }
}

struct Unaddressed {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Unaddressed {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Unaddressed { method: method.to_owned(), path: path.to_owned(), headers, body: body.into() }
}

impl Reply {
    /// `<code> <description>` of an error object.
    pub fn error(&self) -> String {
        let information = &self.body["errorInformation"];
        let text = |name: &str| information[name].as_str().unwrap_or("none").to_owned();
        format!("{} {}", text("errorCode"), text("errorDescription"))
    }
}

/// A deferred net model for all currencies without one of their own.
pub fn default_model() -> Value {
    json!({
        "name": "DEFAULTDEFERREDNET",
        "settlementGranularity": "NET",
        "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED",
        "requireLiquidityCheck": false,
        "ledgerAccountType": "POSITION",
        "autoPositionReset": true,
        "settlementAccountType": "SETTLEMENT",
    })
}

/// The default model with some members replaced.
pub fn model(members: Value) -> Value {
    let mut model = default_model();
    for (name, value) in members.as_object().unwrap() {
        model[name] = value.clone();
    }
    model
}
