//! A hub with three participants over real HTTP: what the tests of conversations are played on.
//!
//! Invariant: whatever the hub sends to a participant is asked for by the test. [`Scheme::end`] stops the hub, which
//! delivers what it still has, and fails if a message is left that nobody expected, or if the ledger does not add up.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

mod call;
mod inbox;
mod messages;
mod oracle;

pub use call::{Call, Reply};
pub use inbox::{Inbox, Received};
#[allow(unused_imports, reason = "as above")]
pub use messages::{Payment, Quote, fresh_id, now, party_body};
#[allow(unused_imports, reason = "as above")]
pub use oracle::Oracle;

use axum::{Router, body::Body};
use bytes::Bytes;
use fspiop::{endpoint::EndpointType, jws::VerificationKey};
use http::Request;
use http_body_util::BodyExt;
use hub::{Config, Listeners, Running};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

pub const PAYER: &str = "payerfsp";
pub const PAYEE: &str = "payeefsp";
/// A participant that takes no part in the payment. It alone holds EUR as well.
pub const BYSTANDER: &str = "otherfsp";
/// Liquidity and net debit cap of each participant in each of its currencies.
pub const FUNDS: u32 = 1000;

/// Every type that the hub sends to, with its path under the participant's address.
pub const ENDPOINTS: [(EndpointType, &str); 18] = [
    (EndpointType::PartiesGet, "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::PartiesPut, "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::PartiesPutError, "/parties/{{partyIdType}}/{{partyIdentifier}}/error"),
    (EndpointType::PartiesSubIdGet, "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"),
    (EndpointType::PartiesSubIdPut, "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"),
    (EndpointType::PartiesSubIdPutError, "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error"),
    (EndpointType::ParticipantPut, "/participants/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::ParticipantPutError, "/participants/{{partyIdType}}/{{partyIdentifier}}/error"),
    (EndpointType::ParticipantSubIdPut, "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"),
    (
        EndpointType::ParticipantSubIdPutError,
        "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error",
    ),
    (EndpointType::ParticipantBatchPut, "/participants/{{requestId}}"),
    (EndpointType::ParticipantBatchPutError, "/participants/{{requestId}}/error"),
    (EndpointType::Quotes, ""),
    (EndpointType::TransactionRequests, ""),
    (EndpointType::Authorizations, "/"),
    (EndpointType::TransferPost, "/transfers"),
    (EndpointType::TransferPut, "/transfers/{{transferId}}"),
    (EndpointType::TransferError, "/transfers/{{transferId}}/error"),
];

/// A hub that runs, its participants, and a client of its ports.
pub struct Scheme {
    pub payer: Inbox,
    pub payee: Inbox,
    pub bystander: Inbox,
    running: Running,
    client: legacy::Client<HttpConnector, Body>,
}

impl Scheme {
    /// A hub with its participants, all of them listening.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As [`Scheme::start`], with settings of the hub.
    pub async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let scheme = Self::start_without_payee_listening(set).await;
        scheme.payee.listen();
        scheme
    }

    /// A hub whose payee is a participant and has a port, on which it does not listen yet.
    pub async fn start_without_payee_listening(set: impl FnOnce(&mut Config)) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        // A transfer that is meant to expire waits for the sweep.
        let mut config = Config { listeners, expiry_sweep: Duration::from_millis(50), ..Config::default() };
        set(&mut config);
        let running = hub::start(config, |_| Router::new()).await.unwrap();
        let client = legacy::Client::builder(TokioExecutor::new()).build_http();
        let [payer, payee, bystander] = [PAYER, PAYEE, BYSTANDER].map(Inbox::new);
        let scheme = Self { payer, payee, bystander, running, client };
        scheme.provision().await;
        scheme.payer.listen();
        scheme.bystander.listen();
        scheme
    }

    /// A hub that begins with a copy of what this one's database holds now, as after a crash; this one hears nothing any
    /// more. `file` is where the database lies.
    pub async fn crash(self, file: &std::path::Path) -> Self {
        let copy = file.with_extension("copy");
        for suffix in ["", "-wal"] {
            let name = |path: &std::path::Path| format!("{}{suffix}", path.display());
            std::fs::copy(name(file), name(&copy)).unwrap();
        }
        let Self { payer, payee, bystander, running, client } = self;
        drop((client, running));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let store = format!("sqlite:{}", copy.display());
        let config = Config { listeners, store, expiry_sweep: Duration::from_millis(50), ..Config::default() };
        let running = hub::start(config, |_| Router::new()).await.unwrap();
        let client = legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { payer, payee, bystander, running, client }
    }

    /// Sends an FSPIOP message.
    pub async fn send(&self, call: &Call) -> Reply {
        self.exchange(self.running.addresses().fspiop, call).await
    }

    /// Sends an FSPIOP message that the hub accepts.
    pub async fn accept(&self, call: &Call) {
        let reply = self.send(call).await;
        let expected = if call.is_callback() { 200 } else { 202 };
        assert_eq!((reply.status, &*reply.body), (expected, &b""[..]), "{call:?} {}", reply.text());
    }

    /// Sends a prepare that is reserved; returns what the payee got.
    pub async fn reserve(&self, payment: &Payment) -> Received {
        self.accept(&payment.prepare()).await;
        self.payee.next("POST /transfers").await
    }

    /// A call of the administration that succeeds; null if the answer is empty.
    pub async fn administer(&self, line: &str, body: Value) -> Value {
        let call = Call::plain(line, body);
        let reply = self.exchange(self.running.addresses().administration, &call).await;
        assert!(reply.status < 300, "{line}: {} {}", reply.status, reply.text());
        if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() }
    }

    /// A call of the administration, whatever the answer.
    pub async fn ask_administration(&self, call: &Call) -> Reply {
        self.exchange(self.running.addresses().administration, call).await
    }

    /// A call of the oracle administration, whatever the answer.
    pub async fn ask_oracles(&self, call: &Call) -> Reply {
        self.exchange(self.running.addresses().oracles, call).await
    }

    /// A call of the settlement API, whatever the answer.
    pub async fn ask_settlement(&self, call: &Call) -> Reply {
        self.exchange(self.running.addresses().settlement, call).await
    }

    /// Where the hub listens.
    pub fn addresses(&self) -> &Listeners {
        self.running.addresses()
    }

    /// What the ledger's own check says.
    pub async fn verify(&self) -> Vec<String> {
        self.running.hub().verify().await.unwrap()
    }

    /// The key with which the hub signs, as it publishes it.
    pub async fn signing_key(&self) -> VerificationKey {
        let call = Call::plain("GET /umoja/v1/signing-key", Value::Null);
        let reply = self.exchange(self.running.addresses().administration, &call).await;
        VerificationKey::from_pem(&reply.text()).unwrap()
    }

    /// Makes the hub ask an oracle at this address about parties of a type, in one currency or in all.
    pub async fn register_oracle(&self, id_type: &str, url: &str, currency: Option<&str>) {
        let endpoint = json!({"value": url, "endpointType": "URL"});
        let mut body = json!({"oracleIdType": id_type, "endpoint": endpoint, "isDefault": true});
        if let Some(currency) = currency {
            body["currency"] = json!(currency);
        }
        let call = Call::new("POST /participants").plain_body(body.to_string()).at("/oracles");
        let reply = self.exchange(self.running.addresses().oracles, &call).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    /// Registers a party in the built-in directory and waits for the answer.
    pub async fn register_party(&self, inbox: &Inbox, path: &str) {
        let call = Call::new(&format!("POST /participants/{path}")).from(inbox.name());
        self.accept(&call.body(json!({"fspId": inbox.name()}).to_string())).await;
        inbox.next(&format!("PUT /participants/{path}")).await;
    }

    /// The position of a participant as the administration shows it: positive, what it owes.
    pub async fn position(&self, name: &str, currency: &str) -> String {
        self.administer(&format!("GET /participants/{name}/positions?currency={currency}"), Value::Null).await["value"]
            .to_string()
    }

    /// The positions of payer and payee in USD.
    pub async fn positions(&self) -> [String; 2] {
        [self.position(PAYER, "USD").await, self.position(PAYEE, "USD").await]
    }

    /// Every balance of the scheme, the hub's own accounts included: what must not change when a message is refused.
    pub async fn balances(&self) -> Vec<String> {
        let mut balances = Vec::new();
        for name in ["Hub", PAYER, PAYEE, BYSTANDER] {
            for account in self.accounts(name).await {
                let [kind, currency, value] = ["ledgerAccountType", "currency", "value"].map(|key| &account[key]);
                balances.push(format!("{name} {kind} {currency} {value}"));
            }
        }
        balances
    }

    /// Switches an account of a participant on or off.
    pub async fn set_account_activity(&self, name: &str, kind: &str, is_active: bool) {
        let accounts = self.accounts(name).await;
        let account = accounts.iter().find(|account| account["ledgerAccountType"] == kind).unwrap();
        let line = format!("PUT /participants/{name}/accounts/{}", account["id"]);
        self.administer(&line, json!({"isActive": is_active})).await;
    }

    /// Stops the hub, and checks that the ledger adds up and that nobody was sent anything unexpected.
    pub async fn end(self) {
        let Self { payer, payee, bystander, running, client } = self;
        assert_eq!(running.hub().verify().await.unwrap(), Vec::<String>::new());
        // A connection on which nothing has been asked yet would hold the hub up.
        drop(client);
        running.stop().await;
        for inbox in [&payer, &payee, &bystander] {
            assert_eq!(inbox.unread(), Vec::<String>::new(), "{} was sent what nobody expected", inbox.name());
        }
    }

    /// Stops the hub, whatever the participants were sent, and checks that the ledger adds up.
    pub async fn end_whatever_was_sent(self) {
        let Self { running, client, .. } = self;
        assert_eq!(running.hub().verify().await.unwrap(), Vec::<String>::new());
        drop(client);
        running.stop().await;
    }

    async fn accounts(&self, name: &str) -> Vec<Value> {
        let accounts = self.administer(&format!("GET /participants/{name}/accounts"), Value::Null).await;
        accounts.as_array().unwrap().clone()
    }

    async fn provision(&self) {
        for currency in ["USD", "EUR"] {
            for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
                self.administer("POST /participants/Hub/accounts", json!({"type": kind, "currency": currency})).await;
            }
        }
        let model = json!({
            "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
            "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
            "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
        });
        self.administer("POST /settlementModels", model).await;
        for inbox in [&self.payer, &self.payee, &self.bystander] {
            self.add(inbox.name(), "USD").await;
            self.register_endpoints(inbox, &ENDPOINTS).await;
        }
        self.add(BYSTANDER, "EUR").await;
    }

    /// Makes the hub send what is for a participant to its inbox.
    pub async fn register_endpoints(&self, inbox: &Inbox, endpoints: &[(EndpointType, &str)]) {
        for (endpoint, path) in endpoints {
            let body = json!({"type": endpoint.as_str(), "value": format!("{}{path}", inbox.url())});
            self.administer(&format!("POST /participants/{}/endpoints", inbox.name()), body).await;
        }
    }

    /// Opens a participant's accounts in a currency, with funds and a cap.
    pub async fn add(&self, name: &str, currency: &str) {
        self.administer("POST /participants", json!({"name": name, "currency": currency})).await;
        self.fund(name, currency).await;
    }

    /// Gives a participant funds and a cap in a currency in which it has accounts.
    pub async fn fund(&self, name: &str, currency: &str) {
        let limit = json!({"type": "NET_DEBIT_CAP", "value": FUNDS});
        let opening = json!({"currency": currency, "limit": limit, "initialPosition": 0});
        self.administer(&format!("POST /participants/{name}/initialPositionAndLimits"), opening).await;
        let accounts = self.accounts(name).await;
        let is_wanted =
            |account: &&Value| account["ledgerAccountType"] == "SETTLEMENT" && account["currency"] == currency;
        let account = &accounts.iter().find(is_wanted).unwrap()["id"];
        let funds = json!({
            "transferId": fresh_id(), "externalReference": "test", "action": "recordFundsIn", "reason": "test",
            "amount": {"amount": FUNDS, "currency": currency},
        });
        self.administer(&format!("POST /participants/{name}/accounts/{account}"), funds).await;
    }

    async fn exchange(&self, to: SocketAddr, call: &Call) -> Reply {
        let mut request = Request::builder().method(call.method()).uri(format!("http://{to}{}", call.path()));
        for (name, value) in call.headers() {
            request = request.header(name, value);
        }
        let response = self.client.request(request.body(call.to_body()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body: Bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}
