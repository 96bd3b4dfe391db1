//! Adapters that are killed with SIGKILL in the middle of payments and started again on the same file: afterwards no payment
//! is in doubt whose answer the hub knows (real processes, a real hub).

use crate::admin::{Member, Role};
use crate::core::{Core, PAYER, WELCOMING};
use crate::world::{World, kes};
use harness::{process::ServerProcess, random::Random};
use http::{Method, Request};
use http_body_util::Full;
use sdk::{HttpClient, new_id};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const PAYMENTS: usize = 40;
/// Messages about transfers that the other side has seen when the adapter is killed, each time of another number of payments.
const KILLS: [usize; 3] = [3, 12, 25];
const EXPIRY_SECONDS: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// An adapter as a process, with a core that outlives it.
struct Killable {
    name: &'static str,
    core: Core,
    hub: SocketAddr,
    inbound: SocketAddr,
    outbound: SocketAddr,
    data: tempfile::TempDir,
    process: Option<ServerProcess>,
    http: Arc<HttpClient>,
}

impl Killable {
    async fn start(name: &'static str, world: &World) -> Self {
        let [inbound, outbound] = harness::process::reserved(&mut Random::seeded(Random::fresh_seed())).unwrap();
        let hub = world.hub.addresses().fspiop;
        let (core, data) = (Core::start().await, tempfile::tempdir().unwrap());
        let http = Arc::new(HttpClient::new());
        let mut killable = Self { name, core, hub, inbound, outbound, data, process: None, http };
        killable.begin().await;
        let accounts = [(kes(), new_id().to_string())];
        world.admin.onboard(&Member { name, role: Role::Dfsp, accounts: &accounts }, inbound).await.unwrap();
        killable
    }

    async fn begin(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umoja"));
        let variables = [
            ("DFSP_ID", self.name.to_owned()),
            ("PEER_ENDPOINT", self.hub.to_string()),
            ("BACKEND_ENDPOINT", self.core.address().to_string()),
            ("INBOUND_SERVER_LISTEN_PORT", self.inbound.port().to_string()),
            ("OUTBOUND_SERVER_LISTEN_PORT", self.outbound.port().to_string()),
            ("EXPIRY_SECONDS", EXPIRY_SECONDS.to_string()),
            ("PATCH_NOTIFICATION_GRACE_TIME_MS", "500".to_owned()),
            ("RESERVE_NOTIFICATION", "true".to_owned()),
        ];
        command.env_clear().envs(variables).args(["adapter", "--json", "--data"]);
        command.arg(self.data.path().join("adapter.sqlite"));
        let log = self.data.path().join("adapter.log");
        let started = ServerProcess::start("adapter", command, &log, |line| line.starts_with('{').then_some(())).await;
        self.process = Some(started.unwrap().0);
    }

    async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// Status and body; `None` if it was killed meanwhile.
    async fn call(&self, method: Method, path: &str, body: &Value) -> Option<(u16, Value)> {
        call(&self.http, method, format!("http://{}{path}", self.outbound), body).await
    }

    async fn end(mut self) {
        self.process.take().unwrap().stop().await.unwrap();
    }
}

async fn call(http: &HttpClient, method: Method, url: String, body: &Value) -> Option<(u16, Value)> {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(url).body(Full::new(text.into())).unwrap();
    let answer = http.send(request, PATIENCE).await.ok()?;
    Some((answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default()))
}

fn payment(id: &str, payee: &str, payee_fsp: &str) -> Value {
    json!({
        "homeTransactionId": "home", "transferId": id, "skipPartyLookup": true,
        "from": {"idType": "MSISDN", "idValue": PAYER}, "prepareExpirySeconds": EXPIRY_SECONDS,
        "to": {"idType": "MSISDN", "idValue": payee, "fspId": payee_fsp},
        "amountType": "SEND", "currency": "KES", "amount": "10", "transactionType": "TRANSFER",
    })
}

/// As many payments to the welcoming customer of a DFSP as a round has, all at once.
fn pay(http: &Arc<HttpClient>, outbound: SocketAddr, payee_fsp: &str) -> JoinSet<(String, Option<(u16, Value)>)> {
    let mut calls = JoinSet::new();
    for _ in 0..PAYMENTS {
        let (http, id) = (http.clone(), new_id().to_string());
        let body = payment(&id, WELCOMING, payee_fsp);
        let url = format!("http://{outbound}/transfers");
        calls.spawn(async move { (id, call(&http, Method::POST, url, &body).await) });
    }
    calls
}

/// Waits until a core was asked to take the money of so many transfers.
async fn asked_for(core: &Core, transfers: usize) {
    let asked = async {
        while core.asked(Method::POST, "/transfers").len() < transfers {
            sleep(LOOK_EVERY).await;
        }
    };
    timeout(PATIENCE, asked).await.expect("payments get as far as the payee's core");
}

async fn position(world: &World, name: &str) -> String {
    world.position(name, kes()).await
}

/// Waits until a position is this.
async fn settles_at(world: &World, name: &str, expected: &str) {
    let settled = async {
        while position(world, name).await != expected {
            sleep(LOOK_EVERY).await;
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    assert!(settled.is_ok(), "the position of {name} is {}, not {expected}", position(world, name).await);
}

/// How the adapter says that a payment has ended: true if the money was paid. `None` while it is in doubt.
async fn end_of(payer: &Killable, id: &str) -> Option<bool> {
    let path = format!("/transfers/{id}");
    let (status, state) = payer.call(Method::PUT, &path, &json!({"acceptQuote": true})).await?;
    match (status, state["currentState"].as_str()) {
        (200, Some("COMPLETED")) => Some(true),
        (200, Some("ABORTED")) => Some(false),
        // Unknown: it was killed before it had recorded anything, and so before it had sent anything that moves money.
        (500, _) if state["message"].as_str().is_some_and(|text| text.starts_with("No cached data")) => Some(false),
        // It ended with an error, or its end is being asked for: the hub's word is the end.
        _ => {
            let (_, state) = payer.call(Method::GET, &path, &Value::Null).await?;
            match state["fulfil"]["body"]["transferState"].as_str() {
                Some("COMMITTED") => Some(true),
                Some("ABORTED") => Some(false),
                Some(_) | None => matches!(state["statusCode"].as_str(), Some("3208" | "3303")).then_some(false),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_whose_adapter_is_killed_learns_the_end_of_every_payment() {
    let world = World::start().await;
    let mut red = Killable::start("red", &world).await;
    let mut ids = Vec::new();
    let mut seen = 0;
    for kill_after in KILLS {
        let calls = pay(&red.http, red.outbound, "blue");
        asked_for(&world.payee.core, seen + kill_after).await;
        red.kill().await;
        ids.extend(calls.join_all().await.into_iter().map(|(id, _)| id));
        seen = world.payee.core.asked(Method::POST, "/transfers").len();
        red.begin().await;
    }
    let mut paid = 0;
    for id in &ids {
        let known = async {
            loop {
                if let Some(end) = end_of(&red, id).await {
                    return end;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        let known = timeout(PATIENCE, known).await;
        paid += usize::from(known.unwrap_or_else(|_| panic!("the end of {id} stays in doubt")));
    }
    assert!(paid >= KILLS.len(), "the payments were under way");
    settles_at(&world, "red", &(paid * 10).to_string()).await;
    settles_at(&world, "blue", &format!("-{}", paid * 10)).await;
    red.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payees_core_learns_of_every_payment_that_was_committed_though_its_adapter_was_killed() {
    // Longer than a transfer lasts.
    let patient =
        |settings: &mut adapter::Settings| settings.callback_timeout = Duration::from_secs(2 * EXPIRY_SECONDS);
    let world = World::with(patient, |_| {}).await;
    let mut gold = Killable::start("gold", &world).await;
    let mut committed = BTreeSet::new();
    let mut seen = 0;
    for kill_after in KILLS {
        let calls = pay(&gold.http, world.payer.outbound(), "gold");
        asked_for(&gold.core, seen + kill_after).await;
        gold.kill().await;
        gold.begin().await;
        for (id, answer) in calls.join_all().await {
            let (status, state) = answer.expect("the payer's adapter was not killed");
            match (status, state["currentState"].as_str()) {
                (200, Some("COMPLETED")) => assert!(committed.insert(id)),
                _ => assert_ne!(status, 200, "{state}"),
            }
        }
        seen = gold.core.asked(Method::POST, "/transfers").len();
    }
    assert!(committed.len() >= KILLS.len(), "the payments were under way");
    let told = || -> BTreeSet<String> {
        let words = gold.core.asked(Method::PUT, "/transfers/").into_iter();
        let paid = words.filter(|word| word.body["finalNotification"]["transferState"] == "COMMITTED");
        paid.filter_map(|word| word.body["transferId"].as_str().map(str::to_owned)).collect()
    };
    let all_told = async {
        while told().len() < committed.len() {
            sleep(LOOK_EVERY).await;
        }
    };
    let in_time = timeout(PATIENCE, all_told).await;
    assert_eq!(told(), committed, "in time: {}", in_time.is_ok());
    settles_at(&world, "green", &(committed.len() * 10).to_string()).await;
    settles_at(&world, "gold", &format!("-{}", committed.len() * 10)).await;
    gold.end().await;
}
