//! A participant's side of the conversation: an HTTP server that keeps what the hub sends until a test asks for it.

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpSocket,
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Longer than anything takes on a busy machine; a message that has not come by then does not come.
const DEADLINE: Duration = Duration::from_secs(20);

/// A participant that answers every message with success and remembers it.
pub struct Inbox {
    name: &'static str,
    address: SocketAddr,
    /// Bound, so that the port is ours before anybody listens on it.
    socket: Mutex<Option<TcpSocket>>,
    shared: Arc<Shared>,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    /// With its query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Default)]
struct Shared {
    messages: Mutex<Vec<Received>>,
    arrived: Notify,
    failures: Mutex<Failures>,
}

/// The status of the next answers; after them come those that the API wants.
#[derive(Default)]
struct Failures {
    status: u16,
    left: usize,
}

impl Inbox {
    /// Takes a port without listening on it: connections are refused.
    pub fn new(name: &'static str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        Self { name, address, socket: Mutex::new(Some(socket)), shared: Arc::default() }
    }

    pub fn listen(&self) {
        let socket = self.socket.lock().unwrap().take().expect("a participant listens once");
        let listener = socket.listen(1024).unwrap();
        let router = Router::new().fallback(receive).with_state(self.shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on every message is answered with this status.
    pub fn answer_with(&self, status: u16) {
        self.fail(usize::MAX, status);
    }

    /// The next messages are answered with this status, and those after them with success.
    pub fn fail(&self, count: usize, status: u16) {
        *self.shared.failures.lock().unwrap() = Failures { status, left: count };
    }

    /// Takes the oldest message of a method and path such as `PUT /transfers/{id}`, waiting for it if need be.
    pub async fn next(&self, line: &str) -> Received {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let arrived = self.shared.arrived.notified();
            if let Some(message) = self.take(line) {
                return message;
            }
            if timeout_at(deadline, arrived).await.is_err() {
                panic!("{} waited in vain for {line}; it was sent {:#?}", self.name, self.unread());
            }
        }
    }

    /// Takes every message of a method and path that has come so far.
    pub fn take_all(&self, line: &str) -> Vec<Received> {
        std::iter::from_fn(|| self.take(line)).collect()
    }

    /// Takes every message that has come so far; returns how many there were.
    pub fn forget(&self) -> usize {
        std::mem::take(&mut *self.shared.messages.lock().unwrap()).len()
    }

    /// Takes every message whose method and path begin so.
    pub fn forget_all(&self, beginning: &str) {
        self.shared.messages.lock().unwrap().retain(|message| !message.line().starts_with(beginning));
    }

    /// Method and path of every message that no test has taken.
    pub fn unread(&self) -> Vec<String> {
        self.shared
            .messages
            .lock()
            .unwrap()
            .iter()
            .map(|message| format!("{} {}", message.line(), message.text()))
            .collect()
    }

    fn take(&self, line: &str) -> Option<Received> {
        let mut messages = self.shared.messages.lock().unwrap();
        let place = messages.iter().position(|message| message.line() == line)?;
        Some(messages.remove(place))
    }
}

impl Received {
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks that the hub made this message, for whom and in which version, and what its headers say.
    pub fn assert_made_by_hub(&self, to: &str, version: &str) -> &Self {
        let resource = self.path.split('/').nth(1).unwrap();
        let content_type = format!("application/vnd.interoperability.{resource}+json;version={version}");
        for (name, expected) in [
            ("fspiop-source", "Hub"),
            ("fspiop-destination", to),
            ("fspiop-http-method", self.method.as_str()),
            ("fspiop-uri", &self.path),
            ("content-type", &content_type),
        ] {
            assert_eq!(self.header(name), expected, "{name} of {self:?}");
        }
        assert!(!self.headers.contains_key("accept"), "{self:?}");
        assert!(self.headers.contains_key("fspiop-signature"), "{self:?}");
        assert!(vocabulary::Timestamp::parse_http(self.header("date")).is_ok(), "{self:?}");
        self
    }

    /// Checks that the body is exactly this error object, and nothing else.
    pub fn assert_error(&self, code: &str, description: &str) -> &Self {
        assert_eq!(self.text(), super::call::error_body(code, description), "{}", self.line());
        self
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let body = body.collect().await.unwrap().to_bytes();
    let is_callback = parts.method == Method::PUT || parts.method == Method::PATCH;
    let success = if is_callback { StatusCode::OK } else { StatusCode::ACCEPTED };
    let status = shared.failures.lock().unwrap().next().unwrap_or(success);
    shared.messages.lock().unwrap().push(Received { method: parts.method, path, headers: parts.headers, body });
    shared.arrived.notify_waiters();
    status
}

impl Failures {
    fn next(&mut self) -> Option<StatusCode> {
        self.left = self.left.checked_sub(1)?;
        Some(StatusCode::from_u16(self.status).unwrap())
    }
}
