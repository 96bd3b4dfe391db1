//! Attempts to get a message across: how many, for what, and what is answered in the end (contract, interscheme §2.3).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use proxy::{Running, Target};
use std::{net::SocketAddr, time::Duration};
use support::{Answer, Hub, Reply, between, call, config, metric, request, side};

const RETRIES: &str = "umoja_proxy_retries_total{side=\"a\"}";
const UNANSWERED: &str = "umoja_proxy_messages_total{side=\"a\",outcome=\"unanswered\"}";

async fn post(running: &Running) -> Answer {
    call(running.addresses()[0], request("POST /transfers", &[("fspiop-source", "dfspa")], b"{\"a\":1}")).await
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.error_code()), (503, "2003".to_owned()));
}

#[tokio::test]
async fn a_message_that_fails_twice_arrives_with_the_third_attempt_unchanged() {
    for failure in [
        Reply::status("503 Service Unavailable"),
        Reply::status("502 Bad Gateway"),
        Reply::status("504 Gateway Timeout"),
        Reply::Last(Vec::new()),
        Reply::Last(b"HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\nhalf".to_vec()),
        Reply::Last(b"HTTP/1.1 202 Acc".to_vec()),
        Reply::Last(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        Reply::Raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec()),
    ] {
        let shown = format!("{failure:?}");
        let a =
            Hub::with(move |number, _| if number < 2 { failure.clone() } else { Reply::status("202 Accepted") }).await;
        let b = Hub::new().await;
        let running = between(&a, &b).await;
        assert_eq!(post(&running).await.status, 202, "{shown}");
        let received = a.received();
        assert_eq!(received.len(), 3, "{shown}");
        assert!(received.iter().all(|one| *one == received[0]), "{received:?}");
        assert_eq!(metric(running.addresses()[0], RETRIES).await, 2);
        running.stop().await;
    }
}

#[tokio::test]
async fn after_four_attempts_the_hubs_last_answer_is_given() {
    let body = "{\"errorInformation\":{\"errorCode\":\"2003\",\"errorDescription\":\"of the hub\"}}";
    let a = Hub::with(move |number, _| {
        let length = body.len();
        Reply::Raw(format!("HTTP/1.1 503 No\r\nx-attempt: {number}\r\ncontent-length: {length}\r\n\r\n{body}").into())
    })
    .await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    let answer = post(&running).await;
    assert_eq!((answer.status, answer.body.as_slice()), (503, body.as_bytes()));
    assert_eq!((answer.header("x-attempt"), a.received().len()), (Some("3"), 4));
    assert_eq!(metric(running.addresses()[0], RETRIES).await, 3);
    running.stop().await;
}

#[tokio::test]
async fn other_answers_are_final() {
    let statuses = ["200 OK", "400 Bad Request", "404 Not Found", "500 Internal Server Error", "501 Not Implemented"];
    let a = Hub::with(move |number, _| Reply::status(statuses[number])).await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    for status in statuses {
        assert_eq!(post(&running).await.status.to_string(), status[..3]);
    }
    assert_eq!(a.received().len(), statuses.len());
    running.stop().await;
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_503_with_2003() {
    let b = Hub::new().await;
    // A port that was free a moment ago and that nobody else is given, since it stays bound and does not listen.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let running = proxy::start(config(side(socket.local_addr().unwrap()), side(b.address))).await.unwrap();
    assert_unavailable(&post(&running).await);
    let [listener, _] = running.addresses();
    assert_eq!((metric(listener, RETRIES).await, metric(listener, UNANSWERED).await), (3, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_hub_whose_name_nobody_knows_is_503_with_2003() {
    let b = Hub::new().await;
    let mut nowhere = side(b.address);
    nowhere.hub = Target::parse("http://no-such-hub.invalid:1").unwrap();
    let running = proxy::start(config(nowhere, side(b.address))).await.unwrap();
    assert_unavailable(&post(&running).await);
    running.stop().await;
}

#[tokio::test]
async fn a_silent_hub_is_given_up_after_four_timeouts() {
    let a = Hub::with(|_, _| Reply::Silence).await;
    let b = Hub::new().await;
    let mut config = config(side(a.address), side(b.address));
    config.attempt_timeout = Duration::from_millis(100);
    let running = proxy::start(config).await.unwrap();
    let answer = post(&running).await;
    assert_unavailable(&answer);
    let description = answer.json()["errorInformation"]["errorDescription"].to_string();
    assert!(description.contains("no answer within 100 ms"), "{description}");
    assert_eq!(a.received().len(), 4);
    running.stop().await;
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_for_ever_and_the_message_not_repeated() {
    let a = Hub::with(|_, _| {
        Reply::Raw([&b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n"[..], &vec![b'x'; 2_000_000]].concat())
    })
    .await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    assert_unavailable(&post(&running).await);
    assert_eq!(a.received().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_the_hub_closed_is_not_used_again() {
    let a = Hub::with(|_, _| Reply::Last(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    for _ in 0..5 {
        assert_eq!(post(&running).await.status, 202);
        support::until("the hub has closed", || async { a.open_connections() == 0 }).await;
    }
    assert_eq!((a.received().len(), a.connections()), (5, 5));
    running.stop().await;
}
