//! One connection: bytes go out, answers come back and are taken apart without mercy.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// A framed conversation ends with an answer; this long means that it hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where a request may have announced more than it sent, silence is an answer.
const SILENCE: Duration = Duration::from_millis(60);
/// The last request of every connection.
const LAST: &[u8] = b"GET /health HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n";

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Sends the bytes and a last correct request, and reads until the hub closes the connection or, unless everything is
/// framed, says nothing more.
pub async fn converse(address: SocketAddr, bytes: &[u8], is_framed: bool) -> Result<Vec<Answer>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("no connection: {error}"))?;
    let (mut reader, mut writer) = stream.into_split();
    let outgoing = [bytes, LAST].concat();
    let patience = if is_framed { PATIENCE } else { SILENCE };
    // The hub may close before it has read everything.
    let sender = tokio::spawn(async move {
        let _ = writer.write_all(&outgoing).await;
        writer
    });
    let deadline = Instant::now() + PATIENCE;
    let mut received = Vec::new();
    loop {
        match timeout(patience, reader.read_buf(&mut received)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            // On a busy machine the rest of an answer may be on its way.
            Err(_) if !is_framed && (answers_in(&received).is_ok() || Instant::now() > deadline) => break,
            Err(_) if !is_framed => {}
            Err(_) => return Err(format!("no end after {}", String::from_utf8_lossy(&received))),
        }
    }
    sender.abort();
    answers_in(&received)
}

/// Every byte belongs to an answer, and every answer is complete.
fn answers_in(mut bytes: &[u8]) -> Result<Vec<Answer>, String> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let (answer, rest) =
            answer_in(bytes).ok_or_else(|| format!("no answer: {}", String::from_utf8_lossy(bytes)))?;
        answers.push(answer);
        bytes = rest;
    }
    Ok(answers)
}

fn answer_in(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 4..]);
    let mut lines = head.split("\r\n");
    let (status, _reason) = lines.next()?.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
    let status = status.parse().ok().filter(|status| (200..600).contains(status))?;
    let mut length = None;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let is_token = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_token || value.contains(['\r', '\n', '\0']) {
            return None;
        }
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse::<usize>().ok()?);
        }
    }
    // 204 has no body and no length.
    let length = if status == 204 { length.unwrap_or(0) } else { length? };
    let body = rest.get(..length)?.to_vec();
    Some((Answer { status, body }, &rest[length..]))
}
