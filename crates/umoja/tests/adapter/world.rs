//! A scheme for the adapter's tests: a hub and two DFSPs, each an adapter with a core behind it.

use crate::admin::{Admin, Member, Role};
use crate::core::{CUSTOMERS, Core, PAYER};
use adapter::Settings;
use http::{Method, Request};
use http_body_util::Full;
use sdk::{HttpClient, new_id};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use vocabulary::{Amount, Currency};

const ANY: [u8; 4] = [127, 0, 0, 1];
/// Generous: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Endpoints that the demo's DFSPs do without.
const ENDPOINTS: [(&str, &str); 3] = [
    ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", ""),
    ("FSPIOP_CALLBACK_URL_AUTHORIZATIONS", ""),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT", "/participants/{{requestId}}"),
];

pub struct World {
    pub hub: hub::Running,
    pub admin: Admin,
    pub payer: Site,
    pub payee: Site,
}

/// A DFSP.
pub struct Site {
    pub core: Core,
    pub settings: Settings,
    running: Option<adapter::Running>,
    http: HttpClient,
    _data: tempfile::TempDir,
}

/// A WebSocket of the test API.
pub type Subscription = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub fn kes() -> Currency {
    "KES".parse().unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// With settings of the payer and of the payee.
    pub async fn with(payer: impl FnOnce(&mut Settings), payee: impl FnOnce(&mut Settings)) -> Self {
        Self::with_hub(hub::Config::default(), payer, payee).await
    }

    /// As [`World::with`], with what the hub is told.
    pub async fn with_hub(
        hub: hub::Config,
        payer: impl FnOnce(&mut Settings),
        payee: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::with_clients(hub, (payer, payee), async |_| {}).await
    }

    /// As [`World::with_hub`], with what is to be done once both are participants and nothing was sent yet.
    pub async fn with_clients(
        hub: hub::Config,
        (payer, payee): (impl FnOnce(&mut Settings), impl FnOnce(&mut Settings)),
        before_messages: impl AsyncFnOnce(&hub::Running),
    ) -> Self {
        let any = SocketAddr::from((ANY, 0));
        let listeners = hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let hub = hub::start(hub::Config { listeners, ..hub }, portal::router).await.unwrap();
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration, "Hub");
        admin.prepare_scheme(&[kes()]).await.unwrap();
        let payer = Site::start("green", addresses.fspiop, payer).await;
        let payee = Site::start("blue", addresses.fspiop, payee).await;
        let world = Self { hub, admin, payer, payee };
        for (name, site) in [("green", &world.payer), ("blue", &world.payee)] {
            world.onboard((name, Role::Dfsp), site, &[kes()]).await;
        }
        before_messages(&world.hub).await;
        world.payee.register(&CUSTOMERS).await;
        world.payer.register(&[PAYER]).await;
        world
    }

    pub async fn onboard(&self, (name, role): (&str, Role), site: &Site, currencies: &[Currency]) {
        let accounts: Vec<_> = currencies.iter().map(|currency| (*currency, new_id().to_string())).collect();
        let member = Member { name, role, accounts: &accounts };
        self.admin.onboard(&member, site.inbound()).await.unwrap();
        for (endpoint, rest) in ENDPOINTS {
            let value = format!("http://{}{rest}", site.inbound());
            let url = format!("http://{}/participants/{name}/endpoints", self.hub.addresses().administration);
            let body = json!({"type": endpoint, "value": value}).to_string();
            let answer = site.http.post_json(&url, body.into(), PATIENCE).await.unwrap();
            assert!(answer.status().is_success(), "{endpoint}: {answer:?}");
        }
    }

    /// What both sides owe by the hub's ledger.
    pub async fn positions(&self) -> [String; 2] {
        let position = async |name: &str| self.admin.position(name, kes()).await.unwrap();
        [position("green").await, position("blue").await].map(|amount: Amount| amount.to_string())
    }

    pub async fn position(&self, name: &str, currency: Currency) -> String {
        self.admin.position(name, currency).await.unwrap().to_string()
    }
}

impl Site {
    pub async fn start(name: &str, hub: SocketAddr, change: impl FnOnce(&mut Settings)) -> Self {
        let core = Core::start().await;
        let data = tempfile::tempdir().unwrap();
        let backend = format!("http://{}", core.address());
        let mut settings = Settings::new(name.parse().unwrap(), format!("http://{hub}"), backend);
        settings.listen_inbound = (ANY, 0).into();
        settings.listen_outbound = (ANY, 0).into();
        settings.data = Some(data.path().join("adapter.sqlite"));
        settings.expiry = Duration::from_secs(60);
        settings.notification_delay = Duration::from_millis(50);
        change(&mut settings);
        let running = adapter::start(settings.clone()).await.unwrap();
        settings.listen_inbound = running.inbound();
        Self { core, settings, running: Some(running), http: HttpClient::new(), _data: data }
    }

    async fn register(&self, customers: &[&str]) {
        let account = |id: &&str| json!({"idType": "MSISDN", "idValue": id, "currency": "KES"});
        let accounts: Vec<Value> = customers.iter().map(account).collect();
        let (status, answer) = self.call(Method::POST, "/accounts", &accounts.into()).await;
        assert_eq!((status, &answer["currentState"]), (200, &"COMPLETED".into()), "{answer}");
        let response = answer["response"].as_array().unwrap();
        assert!(response.iter().all(|entry| entry.get("error").is_none()), "{answer}");
        assert_eq!(response.len(), customers.len());
    }

    pub fn inbound(&self) -> SocketAddr {
        self.running.as_ref().unwrap().inbound()
    }

    pub fn outbound(&self) -> SocketAddr {
        self.running.as_ref().unwrap().outbound()
    }

    /// The adapter begins again with the records of before, on the same address.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().stop().await;
        self.running = Some(adapter::start(self.settings.clone()).await.unwrap());
    }

    /// A call of the core.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.outbound());
        self.send(method, &url, &[], body).await
    }

    /// What the test API says.
    pub async fn shown(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, &format!("http://{}{path}", self.test_api()), &[], &Value::Null).await
    }

    /// What the test API streams.
    pub async fn subscribe(&self, path: &str) -> Subscription {
        let connecting = tokio_tungstenite::connect_async(format!("ws://{}{path}", self.test_api()));
        connecting.await.unwrap().0
    }

    pub fn test_api(&self) -> SocketAddr {
        self.running.as_ref().unwrap().test_api().expect("the test asked for the test API")
    }

    /// What the adapter has counted.
    pub async fn metrics(&self) -> String {
        let address = self.running.as_ref().unwrap().metrics().expect("the test asked for metrics");
        let request = Request::get(format!("http://{address}/metrics")).body(Full::default()).unwrap();
        let answer = self.http.send(request, PATIENCE).await.unwrap();
        assert_eq!(answer.status(), 200);
        String::from_utf8(answer.body().to_vec()).unwrap()
    }

    /// A message as the hub would send it, with these headers.
    pub async fn inbound_call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Value) {
        let url = format!("http://{}{path}", self.inbound());
        self.send(method, &url, headers, body).await
    }

    async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(text.into())).unwrap();
        let answer = self.http.send(request, PATIENCE).await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }
}

/// `POST /transfers` of ten shillings to a customer of the other DFSP.
pub fn transfer_to(id: &str) -> Value {
    json!({
        "homeTransactionId": "home-of-the-payer",
        "from": {"idType": "MSISDN", "idValue": PAYER, "displayName": "Bob"},
        "to": {"idType": "MSISDN", "idValue": id},
        "amountType": "SEND", "currency": "KES", "amount": "10", "transactionType": "TRANSFER", "note": "rent",
    })
}
