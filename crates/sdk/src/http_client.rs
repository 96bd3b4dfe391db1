//! A small HTTP/1.1 client with kept-alive connections, over TLS where it has keys: one request, one bounded answer, one deadline.
//!
//! Invariant: an error says whether the request may have arrived. Only [`HttpError::Unreachable`] means that not a byte
//! of it left.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::{fmt, sync::Arc, time::Duration};
use tls::{ClientKeys, Clients, full_text};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS_MAX: usize = 64;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Status, headers and the whole body.
pub type HttpAnswer = Response<Bytes>;

/// Cloning shares the connections.
#[derive(Clone)]
pub struct HttpClient {
    wire: Wire,
}

#[derive(Clone)]
enum Wire {
    Plain(Client<HttpConnector, Full<Bytes>>),
    /// Over TLS where the address begins with `https`.
    Tls(Arc<Clients>),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum HttpError {
    /// No connection: the request did not leave.
    Unreachable(String),
    /// The connection broke, or the answer was unusable: the request may have arrived.
    Broken(String),
    /// No answer in time: the request may have arrived.
    TimedOut(Duration),
}

impl HttpClient {
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Self { wire: Wire::Plain(client) }
    }

    /// A client that also reaches addresses with `https`, with the keys that are in use.
    pub fn over_tls(keys: Arc<ClientKeys>) -> Self {
        Self { wire: Wire::Tls(Arc::new(Clients::new(keys, CONNECT_TIMEOUT))) }
    }

    /// Sends one request and reads the whole answer, at most 8 MiB, within `timeout`.
    pub async fn send(&self, request: Request<Full<Bytes>>, timeout: Duration) -> Result<HttpAnswer, HttpError> {
        let answer = tokio::time::timeout(timeout, self.exchange(request)).await;
        answer.unwrap_or(Err(HttpError::TimedOut(timeout)))
    }

    /// Fetches a document. Errors: a URL that is none is `Unreachable`.
    pub async fn get(&self, url: &str, timeout: Duration) -> Result<HttpAnswer, HttpError> {
        let request = Request::get(url).header(http::header::ACCEPT, "application/json");
        self.send(built(request.body(Full::default()))?, timeout).await
    }

    /// Sends a JSON document.
    pub async fn post_json(&self, url: &str, body: Bytes, timeout: Duration) -> Result<HttpAnswer, HttpError> {
        self.send(built(json(Request::post(url), body))?, timeout).await
    }

    /// Puts a JSON document in its place.
    pub async fn put_json(&self, url: &str, body: Bytes, timeout: Duration) -> Result<HttpAnswer, HttpError> {
        self.send(built(json(Request::put(url), body))?, timeout).await
    }

    /// Removes what a URL names.
    pub async fn delete(&self, url: &str, timeout: Duration) -> Result<HttpAnswer, HttpError> {
        let request = Request::delete(url).header(http::header::ACCEPT, "application/json");
        self.send(built(request.body(Full::default()))?, timeout).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<HttpAnswer, HttpError> {
        let answer = match &self.wire {
            Wire::Plain(client) => client.request(request).await,
            Wire::Tls(clients) => {
                let client = clients.client();
                client.ok_or_else(|| HttpError::Unreachable("there are no keys for TLS".into()))?.request(request).await
            }
        };
        let answer = answer.map_err(|error| {
            let text = full_text(&error);
            if error.is_connect() { HttpError::Unreachable(text) } else { HttpError::Broken(text) }
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| HttpError::Broken(error.to_string()))?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

fn json(request: http::request::Builder, body: Bytes) -> http::Result<Request<Full<Bytes>>> {
    let request = request.header(http::header::ACCEPT, "application/json");
    request.header(http::header::CONTENT_TYPE, "application/json").body(Full::new(body))
}

fn built(request: http::Result<Request<Full<Bytes>>>) -> Result<Request<Full<Bytes>>, HttpError> {
    request.map_err(|error| HttpError::Unreachable(error.to_string()))
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(formatter, "no connection ({cause})"),
            Self::Broken(cause) => write!(formatter, "the connection broke ({cause})"),
            Self::TimedOut(timeout) => write!(formatter, "no answer within {} s", timeout.as_secs()),
        }
    }
}

impl std::error::Error for HttpError {}
