//! The one listener on which all DFSPs of the generator hear.
//!
//! Invariant: every understood request is answered, in the order in which it came on its connection, and only after
//! the receiver has seen it. At most [`CONNECTIONS_MAX`] connections are open.

use super::{Malformed, READ_BYTES, parse_head, stream::Stream};
use std::{borrow::Cow, io, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Semaphore,
    task,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

const CONNECTIONS_MAX: usize = 4096;
/// When no further file can be opened, trying at once again would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A request as it came.
pub struct Request<'a> {
    pub method: &'a [u8],
    pub path: &'a [u8],
    pub body: &'a [u8],
    head: &'a [u8],
}

/// What a DFSP answers at once; what it has to say follows in a message of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// 202 to GET and POST.
    Accepted,
    /// 200 to PUT and PATCH.
    Ok,
    /// 404 to what no DFSP of this process expects.
    NotFound,
    /// 200 with a body, as a DFSP's core answers its adapter.
    Json(Vec<u8>),
}

/// Hears the requests, on the thread of the listener. Must return quickly.
pub trait Receiver {
    fn receive(&self, request: &Request) -> Answer;
}

impl<'a> Request<'a> {
    /// The value of a header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let fields = self.head.split(|byte| *byte == b'\n').skip(1).filter_map(|line| {
            let (field, value) = str::from_utf8(line).ok()?.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        fields.last()
    }
}

/// Serves until its future is dropped, over TLS if told how. Runs inside a `LocalSet`.
pub async fn serve<R: Receiver + 'static>(listener: TcpListener, acceptor: Option<TlsAcceptor>, receiver: Rc<R>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                let (receiver, acceptor) = (Rc::clone(&receiver), acceptor.clone());
                task::spawn_local(async move {
                    // The peer has gone, or speaks no HTTP or TLS: it will see its connection closed.
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, Stream::accept(stream, acceptor.as_ref())).await
                    {
                        let _ = serve_connection(stream, &*receiver).await;
                    }
                    drop(permit);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve_connection<R: Receiver>(mut stream: Stream, receiver: &R) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(READ_BYTES);
    loop {
        while let Some((length, answer, closes)) = receive_next(&buffer, receiver)? {
            stream.write_all(&answer.response()).await?;
            stream.flush().await?;
            if closes {
                return Ok(());
            }
            buffer.drain(..length);
        }
        buffer.reserve(READ_BYTES);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

/// Hands over the request at the beginning of the buffer: its length, the answer, and whether the connection ends.
fn receive_next<R: Receiver>(buffer: &[u8], receiver: &R) -> io::Result<Option<(usize, Answer, bool)>> {
    let refuse = |malformed: Malformed| io::Error::new(io::ErrorKind::InvalidData, malformed.to_string());
    let Some(head) = parse_head(buffer).map_err(refuse)? else { return Ok(None) };
    let Some(body) = buffer.get(head.length..head.message_length()) else { return Ok(None) };
    let (method, path) = head.request_line().map_err(refuse)?;
    let answer = receiver.receive(&Request { method, path, body, head: &buffer[..head.length] });
    Ok(Some((head.message_length(), answer, head.closes)))
}

impl Answer {
    fn response(self) -> Cow<'static, [u8]> {
        match self {
            Self::Accepted => b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".into(),
            Self::Ok => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into(),
            Self::NotFound => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into(),
            Self::Json(body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
                [head.as_bytes(), &body].concat().into()
            }
        }
    }
}
