//! Two hubs and a caller that speak HTTP byte by byte, so that a test sees exactly what travels.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this module")]

pub mod hub;
pub mod tls;

pub use hub::{Hub, Received, Reply};

use proxy::{
    Config, Running, SideConfig, Target,
    config::{CONNECTIONS_DEFAULT, TOKEN_RETRY_DEFAULT},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longer than anything here takes; whoever waits for so long waits in vain.
pub const DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

/// A side that speaks plain HTTP to a hub, on any free port.
pub fn side(hub: SocketAddr) -> SideConfig {
    SideConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        hub: Target::parse(&format!("http://{hub}")).unwrap(),
        ca: None,
        client: None,
        oauth: None,
        listener_tls: None,
    }
}

pub fn config(a: SideConfig, b: SideConfig) -> Config {
    Config {
        id: "proxyab".parse().unwrap(),
        a,
        b,
        removed_headers: vec!["x-local".parse().unwrap()],
        attempt_timeout: Duration::from_secs(5),
        connections: CONNECTIONS_DEFAULT,
        token_retry: TOKEN_RETRY_DEFAULT,
    }
}

/// An adapter between two hubs.
pub async fn between(a: &Hub, b: &Hub) -> Running {
    proxy::start(config(side(a.address), side(b.address))).await.unwrap()
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn error_code(&self) -> String {
        self.json()["errorInformation"]["errorCode"].as_str().unwrap().to_owned()
    }
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Sends a request on a connection of its own and reads the answer.
pub async fn call(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    call_on(&mut stream, request).await
}

pub async fn call_on<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: impl AsRef<[u8]>) -> Answer {
    stream.write_all(request.as_ref()).await.unwrap();
    timeout(DEADLINE, read_answer(stream)).await.expect("an answer in time")
}

async fn read_answer<S: AsyncRead + Unpin>(stream: &mut S) -> Answer {
    let head = read_head(stream).await.expect("a whole head");
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Answer { status: head[9..12].parse().unwrap(), head, body }
}

/// Everything up to the empty line, which is read as well; `None` at the end of the connection.
pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    head.truncate(head.len() - 2);
    Some(head.into_iter().map(char::from).collect())
}

/// A request with a body and its length.
pub fn request(first: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{first} HTTP/1.1\r\nhost: adapter\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    call(address, format!("GET {path} HTTP/1.1\r\nhost: adapter\r\n\r\n")).await
}

/// The value of a metric, named with its labels.
pub async fn metric(address: SocketAddr, name: &str) -> i64 {
    let text = String::from_utf8(get(address, "/metrics").await.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {text}"));
    line.trim().parse().unwrap()
}

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            sleep(POLL).await;
        }
    };
    timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{what}, within {} s", DEADLINE.as_secs()));
}
