//! One scheme: a hub that can crash and begin again, and what its operator sets up.

use crate::network::{HubNetwork, Request, Response, Web};
use axum::{Router, body::Body};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hub::{Config, Notices, Retention, Signing, Simulated};
use hub_core::{Subject, administration::Directory, transfers::Transfer};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{
    MessageId, OutboxQuery, OutboxState, Store,
    sqlite::{SqliteOptions, SqliteStore},
};
use tower::ServiceExt as _;
use vocabulary::FspId;

/// What everybody has paid in, and may owe.
const FUNDS: u64 = 1_000_000;
const ENDPOINTS: [(&str, &str); 11] = [
    ("FSPIOP_CALLBACK_URL_PARTIES_GET", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR", "/parties/{{partyIdType}}/{{partyIdentifier}}/error"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT", "/participants/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT_ERROR", "/participants/{{partyIdType}}/{{partyIdentifier}}/error"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_POST", "/transfers"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_PUT", "/transfers/{{transferId}}"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_ERROR", "/transfers/{{transferId}}/error"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_POST", "/fxTransfers"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT", "/fxTransfers/{{commitRequestId}}"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR", "/fxTransfers/{{commitRequestId}}/error"),
];

pub struct Scheme {
    pub name: String,
    web: Web,
    store: Arc<SqliteStore>,
    running: Option<(Simulated, Arc<AtomicBool>)>,
}

/// A participant that is to be set up.
pub struct Member<'a> {
    pub name: String,
    pub host: String,
    pub is_proxy: bool,
    pub currencies: &'a [&'a str],
}

impl Scheme {
    pub async fn start(name: String, web: &Web) -> Self {
        let hub_name: FspId = name.parse().expect("names of hubs are FSP ids");
        let store = SqliteStore::in_memory_with(&hub_name, &options()).expect("memory is enough");
        let mut scheme = Self { name, web: web.clone(), store, running: None };
        scheme.run().await;
        scheme
    }

    /// Begins on what the store holds.
    async fn run(&mut self) {
        let is_alive = Arc::new(AtomicBool::new(true));
        let network = Arc::new(HubNetwork { web: self.web.clone(), is_alive: is_alive.clone() });
        let config = Config {
            name: self.name.parse().expect("names of hubs are FSP ids"),
            signing: Signing::Off,
            request_timeout: Duration::from_secs(5),
            journal: Retention::Days(1),
            notices: Notices { look_interval: Duration::from_secs(3_600), ..Notices::default() },
            ..Config::default()
        };
        let hub = Simulated::start(config, self.store.clone(), network).await;
        let hub = hub.unwrap_or_else(|error| panic!("a hub does not start: {error}"));
        let router = hub.fspiop();
        self.web.set(&self.name, Some(Arc::new(move |request| Box::pin(call(router.clone(), request)))));
        self.running = Some((hub, is_alive));
    }

    pub fn crash(&mut self) {
        self.web.set(&self.name, None);
        if let Some((hub, is_alive)) = self.running.take() {
            is_alive.store(false, Ordering::Relaxed);
            hub.crash();
        }
    }

    pub async fn restart(&mut self) {
        if self.running.is_some() {
            return;
        }
        // The tasks of the one that crashed end first.
        tokio::task::yield_now().await;
        self.store = self.store.restarted(&options()).await.expect("what was in memory is there");
        self.run().await;
    }

    pub async fn transfer(&self, subject: Subject) -> Option<Transfer> {
        self.store.transfer(subject).await.expect("memory can be read")
    }

    pub async fn directory(&self) -> Directory {
        self.store.directory().await.expect("memory can be read")
    }

    pub async fn verify(&self) -> Vec<String> {
        self.store.verify().await.expect("memory can be read")
    }

    /// What is still in the outbox, or was given up.
    pub async fn undelivered(&self) -> Vec<String> {
        let mut messages = Vec::new();
        for state in [OutboxState::Waiting, OutboxState::Dead] {
            let query = OutboxQuery { state, to: None, after: MessageId(0), limit: 10 };
            let rows = self.store.outbox(query).await.expect("memory can be read");
            messages.extend(rows.into_iter().map(|row| {
                let head = String::from_utf8_lossy(&row.head).into_owned();
                format!("{state:?} in the outbox for {} after {} attempts: {head}", row.to, row.attempts)
            }));
        }
        messages
    }

    /// External DFSPs and the proxies that they are taken to be behind.
    pub async fn routes(&self) -> Vec<(String, String)> {
        let routes = self.store.routes().await.expect("memory can be read");
        routes.into_iter().map(|(fsp, proxy)| (fsp.to_string(), proxy.to_string())).collect()
    }

    /// An external DFSP that is behind a proxy from the beginning.
    pub async fn seed_route(&self, fsp: &str, proxy: &str) {
        let name = |text: &str| text.parse::<FspId>().expect("names are FSP ids");
        self.store.learn_route(&name(fsp), &name(proxy)).await.expect("memory can be written");
    }

    pub async fn set_up(&self, currencies: &[&str], members: &[Member<'_>]) {
        let (hub, _) = self.running.as_ref().expect("a hub is set up while it runs");
        let ports = &hub.administration();
        for currency in currencies {
            for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
                let path = format!("/participants/{}/accounts", self.name);
                administer(ports, Method::POST, &path, json!({"type": kind, "currency": currency})).await;
            }
            administer(ports, Method::POST, "/settlementModels", settlement_model(currency)).await;
        }
        for member in members {
            set_up_member(ports, member).await;
        }
    }
}

async fn set_up_member(ports: &Router, member: &Member<'_>) {
    let path = format!("/participants/{}", member.name);
    for currency in member.currencies {
        let new = json!({"name": member.name, "currency": currency, "isProxy": member.is_proxy});
        administer(ports, Method::POST, "/participants", new).await;
        let limit =
            json!({"currency": currency, "limit": {"type": "NET_DEBIT_CAP", "value": FUNDS}, "initialPosition": 0});
        administer(ports, Method::POST, &format!("{path}/initialPositionAndLimits"), limit).await;
    }
    for (kind, target) in ENDPOINTS {
        let endpoint = json!({"type": kind, "value": format!("http://{}{target}", member.host)});
        administer(ports, Method::POST, &format!("{path}/endpoints"), endpoint).await;
    }
    let accounts = administer(ports, Method::GET, &format!("{path}/accounts"), Value::Null).await;
    for account in accounts.as_array().into_iter().flatten() {
        if account["ledgerAccountType"] == "SETTLEMENT" {
            let (id, currency) = (&account["id"], &account["currency"]);
            let funds = json!({
                "transferId": crate::message::id(0, id.as_u64().unwrap_or_default() as usize, 9),
                "externalReference": "opening",
                "action": "recordFundsIn",
                "reason": "opening",
                "amount": {"amount": FUNDS, "currency": currency},
            });
            administer(ports, Method::POST, &format!("{path}/accounts/{id}"), funds).await;
        }
    }
}

async fn administer(ports: &Router, method: Method, path: &str, body: Value) -> Value {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    let body = if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() };
    let request = Request { method, path: path.to_owned(), headers, body };
    let (status, body) = call(ports.clone(), request).await;
    assert!(status.is_success(), "{path} was answered {status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_default()
}

fn settlement_model(currency: &str) -> Value {
    json!({
        "name": format!("DEFERREDNET{currency}"),
        "settlementGranularity": "NET",
        "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED",
        "requireLiquidityCheck": true,
        "ledgerAccountType": "POSITION",
        "autoPositionReset": true,
        "currency": currency,
        "settlementAccountType": "SETTLEMENT",
    })
}

fn options() -> SqliteOptions {
    SqliteOptions { time: Arc::new(hub::clock::now), ..SqliteOptions::default() }
}

/// What a router answers to a request.
pub async fn call(router: Router, request: Request) -> Response {
    let mut call = http::Request::new(Body::from(request.body));
    *call.method_mut() = request.method;
    *call.uri_mut() = request.path.parse().expect("paths of the simulation are URIs");
    *call.headers_mut() = request.headers;
    let Ok(response) = router.oneshot(call).await;
    let status = response.status();
    match response.into_body().collect().await {
        Ok(body) => (status, body.to_bytes()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, bytes::Bytes::new()),
    }
}
