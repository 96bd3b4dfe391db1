//! The token of a side: how it is fetched, shown, renewed and lost (contract, interscheme §2.4).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use proxy::{
    Config, Target,
    config::{OauthConfig, Secret},
};
use std::{net::SocketAddr, time::Duration};
use support::{Hub, Reply, call, config, get, request, side, until};

fn granted(token: &str, expires_in: u64) -> Reply {
    let body = format!("{{\"access_token\":\"{token}\",\"expires_in\":{expires_in},\"token_type\":\"Bearer\"}}");
    Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into())
}

/// An adapter whose side A needs a token; a failure is followed by the next attempt almost at once.
fn config_with_token(a: &Hub, b: &Hub, tokens: &Hub) -> Config {
    let mut with_token = side(a.address);
    with_token.oauth = Some(OauthConfig {
        endpoint: Target::parse(&format!("http://{}/realms/hub/token", tokens.address)).unwrap(),
        ca: None,
        client_id: "adapter".to_owned(),
        secret: Secret::Value("s3cret".to_owned()),
        refresh: Duration::from_secs(60),
    });
    let mut config = config(with_token, side(b.address));
    config.token_retry = Duration::from_millis(20);
    config
}

async fn is_ready(listener: SocketAddr) -> bool {
    get(listener, "/health").await.json()["details"]["isReady"] == true
}

#[tokio::test]
async fn the_token_is_fetched_with_the_clients_secret_and_shown_to_its_hub_only() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let tokens = Hub::with(|_, _| granted("token-1", 3600)).await;
    let running = proxy::start(config_with_token(&a, &b, &tokens)).await.unwrap();
    let [to_a, to_b] = running.addresses();
    until("side A is ready", || is_ready(to_a)).await;
    let asked = tokens.only();
    assert_eq!(asked.first_line(), "POST /realms/hub/token HTTP/1.1");
    assert_eq!(asked.body, b"grant_type=client_credentials");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.header("authorization"), Some("Basic YWRhcHRlcjpzM2NyZXQ="));
    for (listener, hub, expected) in [(to_a, &a, Some("Bearer token-1")), (to_b, &b, None)] {
        call(listener, request("POST /quotes", &[("authorization", "Bearer of-the-hub")], b"{}")).await;
        assert_eq!(hub.only().header("authorization"), expected);
    }
    // The answer to a ping goes to the hub that asked, with its token.
    let ping = b"{\"requestId\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}";
    call(to_b, request("POST /ping", &[("fspiop-source", "hub-a")], ping)).await;
    until("the ping is answered", || async { a.received().len() == 2 }).await;
    assert_eq!(a.received()[1].header("authorization"), Some("Bearer token-1"));
    running.stop().await;
}

#[tokio::test]
async fn without_a_token_a_side_is_503_with_2003_until_it_has_one() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let tokens = Hub::with(|number, _| match number {
        0 => Reply::status("401 Unauthorized"),
        1 => Reply::Last(Vec::new()),
        2 => granted("", 3600),
        _ => granted("token", 3600),
    })
    .await;
    let mut config = config_with_token(&a, &b, &tokens);
    config.token_retry = Duration::from_millis(300);
    let running = proxy::start(config).await.unwrap();
    let [to_a, to_b] = running.addresses();
    let refused = call(to_a, request("POST /quotes", &[], b"{}")).await;
    assert_eq!((refused.status, refused.error_code()), (503, "2003".to_owned()));
    assert_eq!(call(to_b, request("POST /quotes", &[], b"{}")).await.status, 202, "the other side is ready");
    let health = get(to_a, "/health").await;
    assert_eq!(health.status, 200, "health says that the listener runs");
    assert_eq!(health.json()["details"]["accessToken"], false);
    until("the problem is named", || async {
        let problems = get(to_a, "/health").await.json()["details"]["problems"].to_string();
        problems.contains("401 Unauthorized") && !problems.contains("s3cret")
    })
    .await;
    until("side A is ready", || is_ready(to_a)).await;
    assert_eq!(tokens.received().len(), 4, "no earlier answer was a token");
    assert!(a.received().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_token_is_renewed_half_a_minute_early_and_a_failure_blanks_it() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let tokens = Hub::with(|number, _| match number {
        // One second from being half a minute from its end.
        0 => granted("token-1", 31),
        1 => granted("token-2", 31),
        2..=9 => Reply::status("500 Internal Server Error"),
        _ => granted("token-3", 3600),
    })
    .await;
    let running = proxy::start(config_with_token(&a, &b, &tokens)).await.unwrap();
    let [to_a, _] = running.addresses();
    for token in ["token-1", "token-2"] {
        until(token, || async {
            call(to_a, request("GET /transfers/1", &[], b"")).await;
            a.received().last().is_some_and(|last| last.header("authorization") == Some(&format!("Bearer {token}")))
        })
        .await;
    }
    until("the token is blanked", || async { call(to_a, request("GET /transfers/1", &[], b"")).await.status == 503 })
        .await;
    until("token-3", || async { call(to_a, request("GET /transfers/1", &[], b"")).await.status == 202 }).await;
    assert_eq!(a.received().last().unwrap().header("authorization"), Some("Bearer token-3"));
    running.stop().await;
}

#[tokio::test]
async fn a_secret_that_is_changed_in_its_file_is_used_for_the_next_token() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let tokens = Hub::with(|_, asked| match asked.header("authorization") {
        Some("Basic YWRhcHRlcjpuZXc=") => granted("token", 3600),
        _ => Reply::status("401 Unauthorized"),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let file = support::tls::write(directory.path(), "secret", "old\n");
    let mut config = config_with_token(&a, &b, &tokens);
    config.a.oauth.as_mut().unwrap().secret = Secret::File(file.clone());
    let running = proxy::start(config).await.unwrap();
    let [to_a, _] = running.addresses();
    until("the old secret is refused", || async { !tokens.received().is_empty() }).await;
    std::fs::write(&file, "new\n").unwrap();
    until("the new secret is accepted", || is_ready(to_a)).await;
    running.stop().await;
}
