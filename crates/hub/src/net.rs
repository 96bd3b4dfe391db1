//! Requests that the hub makes: one pool of warm connections for all participants and oracles.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use rustls::ClientConfig;
use std::{fmt, pin::Pin, sync::Arc, time::Duration};
use tls::{Clients, HttpsClient, Keys, full_text};

/// What is read of an answer: participants answer with nothing or with an error object, oracles with a short list.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The hub's HTTP client. Cloning is cheap.
#[derive(Clone)]
pub struct Net {
    wire: Wire,
    timeout: Duration,
}

#[derive(Clone)]
enum Wire {
    Http(Arc<Clients>),
    Simulated(Arc<dyn Network>),
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
        Self { wire: Wire::Http(Arc::new(Clients::new(keys, connect_timeout))), timeout }
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
            Wire::Http(clients) => {
                let client = clients.client();
                over_http(client.ok_or_else(|| NetError::Connect("there are no keys for TLS".to_owned()))?, outgoing)
                    .await
            }
            Wire::Simulated(network) => network.exchange(outgoing).await,
        }
    }
}

async fn over_http(client: HttpsClient, outgoing: Outgoing) -> Result<Answer, NetError> {
    let mut request = Request::new(Full::new(outgoing.body));
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = outgoing.uri;
    *request.headers_mut() = outgoing.headers;
    let response = client.request(request).await.map_err(|error| {
        let text = full_text(&error);
        if error.is_connect() { NetError::Connect(text) } else { NetError::Broken(text) }
    })?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| NetError::Broken(error.to_string()))?.to_bytes();
    Ok(Answer { status, body })
}

impl fmt::Display for NetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(what) | Self::Broken(what) => formatter.write_str(what),
            Self::TimedOut(limit) => write!(formatter, "no answer within {} ms", limit.as_millis()),
        }
    }
}
