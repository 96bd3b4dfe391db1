//! Requests that the hub makes: one pool of warm connections for all participants and oracles.
//!
//! Invariant: a connection over TLS is used only while the keys with which it was opened are in use.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tls::Keys;

/// What is read of an answer: participants answer with nothing or with an error object, oracles with a short list.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Idle connections kept open to one host.
const IDLE_CONNECTIONS_MAX: usize = 64;
const IDLE_MAX: Duration = Duration::from_secs(30);
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The hub's HTTP client. Cloning is cheap.
#[derive(Clone)]
pub struct Net {
    wire: Wire,
    timeout: Duration,
}

#[derive(Clone)]
enum Wire {
    Http(Arc<Pool>),
    Simulated(Arc<dyn Network>),
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections of the keys that are in use.
struct Pool {
    keys: Arc<Keys<ClientConfig>>,
    connect_timeout: Duration,
    current: RwLock<Option<(Arc<ClientConfig>, HttpClient)>>,
}

/// What carries requests where it is not connections of this process.
pub trait Network: Send + Sync {
    fn exchange(&self, outgoing: Outgoing) -> Exchanged<'_>;
}

pub type Exchanged<'a> = Pin<Box<dyn Future<Output = Result<Answer, NetError>> + Send + 'a>>;

/// A request to a participant or an oracle.
pub struct Outgoing {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The answer to a request, whatever its status.
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there was no answer.
#[derive(Debug)]
pub enum NetError {
    /// Nothing got past the connection attempt: the receiver has seen nothing.
    Connect(String),
    /// The receiver may have seen the request.
    Broken(String),
    TimedOut(Duration),
}

impl Net {
    pub fn new(timeout: Duration, keys: Arc<Keys<ClientConfig>>) -> Self {
        let connect_timeout = timeout.min(CONNECT_MAX);
        Self { wire: Wire::Http(Arc::new(Pool { keys, connect_timeout, current: RwLock::default() })), timeout }
    }

    /// Requests go to a network of another kind, with the same time limit.
    pub fn simulated(network: Arc<dyn Network>, timeout: Duration) -> Self {
        Self { wire: Wire::Simulated(network), timeout }
    }

    /// Sends a request once; `at_most` shortens the configured time limit.
    pub async fn send(&self, outgoing: Outgoing, at_most: Duration) -> Result<Answer, NetError> {
        let limit = self.timeout.min(at_most);
        match tokio::time::timeout(limit, self.exchange(outgoing)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(NetError::TimedOut(limit)),
        }
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Answer, NetError> {
        match &self.wire {
            Wire::Http(pool) => over_http(pool.client()?, outgoing).await,
            Wire::Simulated(network) => network.exchange(outgoing).await,
        }
    }
}

impl Pool {
    /// What is under way on connections of other keys ends by itself; idle ones are closed.
    fn client(&self) -> Result<HttpClient, NetError> {
        let keys = self.keys.current().ok_or_else(|| NetError::Connect("there are no keys for TLS".to_owned()))?;
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, client)) = current.filter(|(used, _)| Arc::ptr_eq(used, &keys)) {
            return Ok(client);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((used, client)) if Arc::ptr_eq(used, &keys) => Ok(client.clone()),
            Some(_) | None => {
                let client = self.open(keys.clone());
                *current = Some((keys, client.clone()));
                Ok(client)
            }
        }
    }

    fn open(&self, keys: Arc<ClientConfig>) -> HttpClient {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(self.connect_timeout));
        connector.enforce_http(false);
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(HttpsConnector::from((connector, keys)))
    }
}

async fn over_http(client: HttpClient, outgoing: Outgoing) -> Result<Answer, NetError> {
    let mut request = Request::new(Full::new(outgoing.body));
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = outgoing.uri;
    *request.headers_mut() = outgoing.headers;
    let response = client.request(request).await.map_err(|error| {
        let text = with_causes(&error);
        if error.is_connect() { NetError::Connect(text) } else { NetError::Broken(text) }
    })?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| NetError::Broken(error.to_string()))?.to_bytes();
    Ok(Answer { status, body })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl fmt::Display for NetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(what) | Self::Broken(what) => formatter.write_str(what),
            Self::TimedOut(limit) => write!(formatter, "no answer within {} ms", limit.as_millis()),
        }
    }
}
