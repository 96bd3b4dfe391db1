//! The way to one hub: a bounded pool of warm connections, and bounded attempts to get a message across.
//!
//! Invariant: at most as many requests are under way as there are slots, each on a connection of its own. A connection
//! serves only while the keys with which it was opened are in use; then it ends after the request that it carries.

use crate::{config::Config, target::Target};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tls::Keys;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;

/// Attempts after the first, and the pause before each (contract, interscheme §2.3).
const RETRIES: u32 = 3;
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// A connection that was idle for longer is not used again.
const IDLE_MAX: Duration = Duration::from_secs(25);
/// Hubs answer with nothing or with an error object.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// As for the heads of requests.
pub const HEAD_BYTES_MAX: usize = 72 * 1024;

/// The pool of one side.
pub struct Upstream {
    connector: Connector,
    idle: Mutex<Vec<Idle>>,
    slots: Semaphore,
    attempt_timeout: Duration,
}

/// Opens connections.
pub struct Connector {
    pub target: Target,
    /// None for plain HTTP.
    pub keys: Option<Arc<Keys<ClientConfig>>>,
}

/// A message to send; its headers are complete but for what depends on the connection.
pub struct Outgoing {
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// There are no keys to open a connection with.
    NoKeys,
    Connect(String),
    /// The hub may have seen the message.
    Broken(String),
    TimedOut(Duration),
    /// The hub did answer, with more than the adapter takes.
    TooLong,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    keys: Option<Arc<ClientConfig>>,
}

impl Upstream {
    pub fn new(connector: Connector, config: &Config) -> Self {
        Self {
            connector,
            idle: Mutex::default(),
            slots: Semaphore::new(config.connections),
            attempt_timeout: config.attempt_timeout,
        }
    }

    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Sends a message, up to four times: again if there was no answer, or one that says that a gateway had none. With
    /// the last answer comes the number of retries.
    pub async fn deliver(&self, message: &Outgoing) -> (Result<Response<Bytes>, NoAnswer>, u32) {
        let mut retries = 0;
        loop {
            let outcome = timeout(self.attempt_timeout, self.attempt(message)).await;
            let outcome = outcome.unwrap_or(Err(NoAnswer::TimedOut(self.attempt_timeout)));
            let is_final = match &outcome {
                Ok(answer) => !matches!(answer.status().as_u16(), 502..=504),
                Err(NoAnswer::TooLong | NoAnswer::NoKeys) => true,
                Err(NoAnswer::Connect(_) | NoAnswer::Broken(_) | NoAnswer::TimedOut(_)) => false,
            };
            if is_final || retries == RETRIES {
                return (outcome, retries);
            }
            retries += 1;
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Closes connections that have been idle for too long or belong to keys that are not in use any more.
    pub fn tidy(&self) {
        let keys = self.connector.current_keys();
        self.lock_idle().retain(|idle| idle.is_usable(keys.as_ref()));
    }

    async fn attempt(&self, message: &Outgoing) -> Result<Response<Bytes>, NoAnswer> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let mut connection = match self.warm().await {
            Some(connection) => connection,
            None => self.connector.open().await?,
        };
        let answer = connection.exchange(message).await?;
        if !connection.sender.is_closed() {
            self.lock_idle().push(Idle { connection, since: Instant::now() });
        }
        Ok(answer)
    }

    /// The connection that was used last, if it can still be used.
    async fn warm(&self) -> Option<Connection> {
        let keys = self.connector.current_keys();
        loop {
            let idle = self.lock_idle().pop()?;
            if idle.is_usable(keys.as_ref()) {
                let mut connection = idle.connection;
                if connection.sender.ready().await.is_ok() {
                    return Some(connection);
                }
            }
        }
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector {
    pub fn has_keys(&self) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.current().is_some())
    }

    /// One request on a connection of its own.
    pub async fn exchange_once(&self, message: &Outgoing) -> Result<Response<Bytes>, NoAnswer> {
        self.open().await?.exchange(message).await
    }

    fn current_keys(&self) -> Option<Arc<ClientConfig>> {
        self.keys.as_ref().and_then(|keys| keys.current())
    }

    async fn open(&self) -> Result<Connection, NoAnswer> {
        let target = &self.target;
        let failed = |error: std::io::Error| NoAnswer::Connect(error.to_string());
        let stream = TcpStream::connect((target.host(), target.port())).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let Some(name) = target.tls_name() else {
            return Ok(Connection { sender: handshake(stream).await?, keys: None });
        };
        let keys = self.current_keys().ok_or(NoAnswer::NoKeys)?;
        let stream = TlsConnector::from(keys.clone()).connect(name.clone(), stream).await.map_err(failed)?;
        Ok(Connection { sender: handshake(stream).await?, keys: Some(keys) })
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let builder = http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).clone();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a hub ended early");
        }
    });
    Ok(sender)
}

impl Connection {
    async fn exchange(&mut self, message: &Outgoing) -> Result<Response<Bytes>, NoAnswer> {
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = message.uri.clone();
        *request.headers_mut() = message.headers.clone();
        let (mut head, body) = self.sender.send_request(request).await.map_err(broken)?.into_parts();
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(NoAnswer::Broken("the hub switched to another protocol".to_owned()));
        }
        head.version = http::Version::HTTP_11;
        Ok(Response::from_parts(head, read(body).await?))
    }
}

async fn read(body: Incoming) -> Result<Bytes, NoAnswer> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(NoAnswer::TooLong),
        Err(error) => Err(NoAnswer::Broken(error.to_string())),
    }
}

impl Idle {
    fn is_usable(&self, current: Option<&Arc<ClientConfig>>) -> bool {
        let Connection { sender, keys } = &self.connection;
        let is_current = match (keys, current) {
            (Some(keys), Some(current)) => Arc::ptr_eq(keys, current),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        is_current && !sender.is_closed() && self.since.elapsed() < IDLE_MAX
    }
}

fn broken(error: hyper::Error) -> NoAnswer {
    let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
    NoAnswer::Broken(format!("{error}{cause}"))
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeys => formatter.write_str("there are no keys for TLS"),
            Self::Connect(cause) => write!(formatter, "no connection: {cause}"),
            Self::Broken(cause) => write!(formatter, "the connection broke: {cause}"),
            Self::TimedOut(limit) => write!(formatter, "no answer within {} ms", limit.as_millis()),
            Self::TooLong => write!(formatter, "the answer has more than {ANSWER_BYTES_MAX} bytes"),
        }
    }
}
