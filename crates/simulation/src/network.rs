//! The network that everybody shares: named nodes, and messages that are late, lost or repeated until it is told to be calm.

use crate::{
    message::{DESTINATION, PROXY, SOURCE, header_of},
    plan::Plan,
};
use bytes::Bytes;
use harness::random::Random;
use http::{HeaderMap, Method, StatusCode};
use hub::net::{Answer, Exchanged, NetError, Network, Outgoing};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A request as a node gets it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub type Response = (StatusCode, Bytes);
pub type Handled = Pin<Box<dyn Future<Output = Response> + Send>>;
pub type Handler = Arc<dyn Fn(Request) -> Handled + Send + Sync>;

/// The network. Cloning is cheap.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

struct Inner {
    /// A node that is down has no handler.
    nodes: Mutex<BTreeMap<String, Option<Handler>>>,
    random: Mutex<Random>,
    lost: u64,
    repeated: u64,
    is_calm: AtomicBool,
    log: Mutex<Log>,
}

/// All messages that have arrived, in their order.
struct Log {
    digest: Sha256,
    is_shown: bool,
}

/// What happens to one message.
struct Fate {
    delay: Duration,
    is_lost: bool,
    repeated_after: Option<Duration>,
    answer_delay: Duration,
    is_answer_lost: bool,
}

impl Web {
    pub fn new(plan: &Plan) -> Self {
        let random = Mutex::new(Random::seeded(plan.seed ^ 0x5eed));
        let log = Mutex::new(Log { digest: Sha256::new(), is_shown: plan.is_shown });
        let (lost, repeated, is_calm) = (plan.lost, plan.repeated, AtomicBool::new(false));
        Self(Arc::new(Inner { nodes: Mutex::default(), random, lost, repeated, is_calm, log }))
    }

    /// What stands for all messages that have arrived.
    pub fn digest(&self) -> [u8; 32] {
        self.0.log.lock().expect("messages are noted without panicking").digest.clone().finalize().into()
    }

    fn note(&self, host: &str, request: &Request) {
        let [source, destination, proxy] = [SOURCE, DESTINATION, PROXY].map(|name| header_of(request, name));
        let (at, body) = (hub::clock::now(), String::from_utf8_lossy(&request.body));
        let line = format!(
            "{at} to {host}: {} {} from {source} to {destination} by {proxy} {body}\n",
            request.method, request.path
        );
        let mut log = self.0.log.lock().expect("messages are noted without panicking");
        log.digest.update(&line);
        if log.is_shown {
            eprint!("{line}");
        }
    }

    /// From now on every message arrives once.
    pub fn calm(&self) {
        self.0.is_calm.store(true, Ordering::Relaxed);
    }

    /// Sets who answers for a name; none while it is down.
    pub fn set(&self, name: &str, handler: Option<Handler>) {
        self.0.nodes.lock().expect("nodes are set without panicking").insert(name.to_owned(), handler);
    }

    /// Nobody answers any more: who is known here knows the network itself, and would live as long as it.
    pub fn close(&self) {
        self.0.nodes.lock().expect("nodes are set without panicking").clear();
    }

    fn fate(&self) -> Fate {
        let mut random = self.0.random.lock().expect("numbers are drawn without panicking");
        let is_calm = self.0.is_calm.load(Ordering::Relaxed);
        let mut happens = |of_thousand: u64| random.below(1000) < of_thousand;
        let (lost, repeated) = if is_calm { (0, 0) } else { (self.0.lost, self.0.repeated) };
        let (is_lost, is_repeated, is_answer_lost) = (happens(lost), happens(repeated), happens(lost));
        let is_slow = !is_calm && happens(50);
        let mut millis = |limit: u64| Duration::from_millis(random.below(limit));
        Fate {
            delay: millis(if is_slow { 8_000 } else { 60 }),
            is_lost,
            repeated_after: is_repeated.then(|| millis(10_000)),
            answer_delay: millis(30),
            is_answer_lost,
        }
    }

    /// Carries one request.
    pub async fn carry(&self, host: &str, request: Request) -> Result<Response, NetError> {
        let fate = self.fate();
        tokio::time::sleep(fate.delay).await;
        if fate.is_lost {
            return Err(NetError::Broken("lost".to_owned()));
        }
        let handler = self.0.nodes.lock().expect("nodes are set without panicking").get(host).cloned().flatten();
        let Some(handler) = handler else { return Err(NetError::Connect(format!("{host} is down"))) };
        self.note(host, &request);
        if let Some(after) = fate.repeated_after {
            let (web, host, again, request) = (self.clone(), host.to_owned(), handler.clone(), request.clone());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                web.note(&host, &request);
                again(request).await;
            });
        }
        let shown = std::env::var_os("SIMULATION_LOG").map(|_| {
            let header =
                |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
            format!(
                "{} {} -> {host} {} {} from {} to {} by {} {}",
                hub::clock::now(),
                "",
                request.method,
                request.path,
                header("fspiop-source"),
                header("fspiop-destination"),
                header("fspiop-proxy"),
                String::from_utf8_lossy(&request.body).chars().take(160).collect::<String>()
            )
        });
        let response = handler(request).await;
        if let Some(shown) = shown {
            eprintln!("{shown} = {}", response.0);
        }
        tokio::time::sleep(fate.answer_delay).await;
        if fate.is_answer_lost { Err(NetError::Broken("the answer was lost".to_owned())) } else { Ok(response) }
    }

    /// Carries a request until somebody accepts or refuses it, as a DFSP that does not give up.
    pub async fn insist(&self, host: &str, request: Request, attempts: u32) -> Option<Response> {
        for attempt in 0..attempts {
            let limit = Duration::from_secs(10);
            match tokio::time::timeout(limit, self.carry(host, request.clone())).await {
                Ok(Ok((status, body))) if !status.is_server_error() => return Some((status, body)),
                Ok(Ok(_) | Err(_)) | Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(u64::from(300 * (attempt + 1)).min(3_000))).await;
        }
        None
    }
}

/// The network as one incarnation of a hub sees it: after its end nothing leaves any more.
pub struct HubNetwork {
    pub web: Web,
    pub is_alive: Arc<AtomicBool>,
}

impl Network for HubNetwork {
    fn exchange(&self, outgoing: Outgoing) -> Exchanged<'_> {
        Box::pin(async move {
            if !self.is_alive.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let host = outgoing.uri.host().unwrap_or_default().to_owned();
            let path = outgoing.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let Outgoing { method, headers, body, .. } = outgoing;
            let (status, body) = self.web.carry(&host, Request { method, path, headers, body }).await?;
            if !self.is_alive.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(Answer { status, body })
        })
    }
}
