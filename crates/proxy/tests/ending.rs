//! How the adapter ends, and what ends connections before (contract, interscheme §2; limits).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use support::{Hub, Reply, between, call, call_on, read_head, request, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_stopping_adapter_answers_what_it_took_and_takes_nothing_new() {
    let (a, b) = (Hub::with(|_, _| Reply::Held(ACCEPTED.to_vec())).await, Hub::new().await);
    let running = between(&a, &b).await;
    let [to_a, to_b] = running.addresses();
    let mut idle = TcpStream::connect(to_b).await.unwrap();
    assert_eq!(call_on(&mut idle, request("POST /quotes", &[], b"{}")).await.status, 202);
    let pending = tokio::spawn(call(to_a, request("POST /transfers", &[], b"{}")));
    until("the request is under way", || async { a.received().len() == 1 }).await;
    let stopping = tokio::spawn(running.stop());
    assert_eq!(read_head(&mut idle).await, None, "idle connections end");
    until("nobody is accepted any more", || async { TcpStream::connect(to_a).await.is_err() }).await;
    assert!(!stopping.is_finished());
    a.release();
    assert_eq!(pending.await.unwrap().status, 202);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_hub_that_never_answers_does_not_keep_a_stopping_adapter_for_longer_than_ten_seconds() {
    let (a, b) = (Hub::with(|_, _| Reply::Silence).await, Hub::new().await);
    let running = between(&a, &b).await;
    let mut stream = TcpStream::connect(running.addresses()[0]).await.unwrap();
    stream.write_all(&request("POST /transfers", &[], b"{}")).await.unwrap();
    until("the request is under way", || async { a.received().len() == 1 }).await;
    // With the clock stopped, time passes as soon as nothing else can happen.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    running.stop().await;
    let took = begun.elapsed();
    assert!((10..11).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let mut stream = TcpStream::connect(running.addresses()[0]).await.unwrap();
    tokio::time::pause();
    let answer =
        call_on_paused(&mut stream, b"POST /quotes HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{\"a").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(a.received().is_empty());
    tokio::time::resume();
    running.stop().await;
}

#[tokio::test]
async fn a_head_that_does_not_come_is_given_up() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let mut stream = TcpStream::connect(running.addresses()[0]).await.unwrap();
    tokio::time::pause();
    let answer = call_on_paused(&mut stream, b"POST /quotes HTTP/1.1\r\nhost:").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    tokio::time::resume();
    running.stop().await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_is_given_up() {
    let large = vec![b'x'; 1 << 20];
    let a = Hub::with(move |_, _| {
        Reply::Raw([format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", large.len()).as_bytes(), &large].concat())
    })
    .await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(running.addresses()[0]).await.unwrap();
    // More answers than any buffer of the system takes.
    let requests: Vec<u8> = (0..40).flat_map(|_| request("GET /transfers/1", &[], b"")).collect();
    stream.write_all(&requests).await.unwrap();
    until("the buffers are full", || async {
        let before = a.received().len();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        before > 0 && a.received().len() == before
    })
    .await;
    let full = a.received().len();
    tokio::time::pause();
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    tokio::time::resume();
    let mut rest = Vec::new();
    // The end may be a reset.
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(a.received().len(), full, "the connection has ended, and with it the requests that waited");
    running.stop().await;
}

/// Sends bytes and reads until the connection ends, while time passes as soon as nothing else can happen.
async fn call_on_paused(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
