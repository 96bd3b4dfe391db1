//! A tap on a line: passes bytes on as they are and keeps what the caller sent, to be read as HTTP/1.1 requests later.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What callers have sent, each connection by itself.
type Streams = Arc<Mutex<Vec<Vec<u8>>>>;

pub struct Tap {
    /// Where to call instead of the target.
    pub address: SocketAddr,
    streams: Streams,
}

/// A request as it went over the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Such as `POST /transfers`.
    pub line: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The whole request.
    pub bytes: Vec<u8>,
}

impl Tap {
    pub async fn on(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let streams = Streams::default();
        let kept = streams.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let number = {
                    let mut streams = kept.lock().unwrap();
                    streams.push(Vec::new());
                    streams.len() - 1
                };
                tokio::spawn(carry(caller, target, (kept.clone(), number)));
            }
        });
        Self { address, streams }
    }

    /// Every request so far that has arrived whole.
    pub fn messages(&self) -> Vec<Message> {
        let streams = self.streams.lock().unwrap();
        let mut messages = Vec::new();
        for stream in streams.iter() {
            let mut rest = &stream[..];
            while let Some((message, behind)) = Message::parse(rest) {
                messages.push(message);
                rest = behind;
            }
        }
        messages
    }

    /// The request of a line such as `POST /transfers`; a repeated one must be the same. None if there was none.
    pub fn find(&self, line: &str) -> Option<Message> {
        let mut found = self.messages().into_iter().filter(|message| message.line == line);
        let first = found.next()?;
        assert!(found.all(|again| again.bytes == first.bytes), "{line} was repeated with other bytes");
        Some(first)
    }

    /// As [`Tap::find`], for what must be there.
    pub fn get(&self, line: &str) -> Message {
        let lines = || self.messages().into_iter().map(|message| message.line).collect::<Vec<_>>();
        self.find(line).unwrap_or_else(|| panic!("{line} did not pass; what did: {:#?}", lines()))
    }
}

async fn carry(caller: TcpStream, target: SocketAddr, (streams, number): (Streams, usize)) {
    let Ok(callee) = TcpStream::connect(target).await else { return };
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_callee, mut to_callee) = callee.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_callee, &mut to_caller).await });
    let mut buffer = vec![0; 1 << 14];
    while let Ok(count @ 1..) = from_caller.read(&mut buffer).await {
        streams.lock().unwrap()[number].extend_from_slice(&buffer[..count]);
        if to_callee.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

impl Message {
    /// The first request of a stream, and what is behind it; none if it is not whole.
    fn parse(stream: &[u8]) -> Option<(Self, &[u8])> {
        let end = stream.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&stream[..end]).unwrap();
        let (request, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let line = request.strip_suffix(" HTTP/1.1").unwrap().to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in fields.split("\r\n").filter_map(|field| field.split_once(':')) {
            let value = value.strip_prefix(' ').unwrap_or(value);
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        assert!(!headers.contains_key("transfer-encoding"), "{line} has a body of unknown length");
        let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        let whole = end + 4 + length;
        let body = stream.get(end + 4..whole)?.to_vec();
        let bytes = stream[..whole].to_vec();
        Some((Self { line, headers, body, bytes }, &stream[whole..]))
    }

    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }
}
