//! What others may ask the adapter itself: whether it lives, what it counts, and whether it is reached (§1, §3).

use crate::core::WELCOMING;
use crate::world::{World, transfer_to};
use adapter::Settings;
use axum::{Router, body::Bytes, extract::State, response::IntoResponse as _, response::Response};
use fspiop::jws::{self, KeyDirectory, Received, SigningKey};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use sdk::{HttpClient, Listener, Signatures};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);
const PING: &str = r#"{"requestId":"b51ec534-ee48-4575-b6a9-ead2955b8069"}"#;
const ANSWERED: &str = "/ping/b51ec534-ee48-4575-b6a9-ead2955b8069";

/// What a hub was told.
struct Told {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A hub that takes everything.
async fn hub() -> (Listener, mpsc::UnboundedReceiver<Told>) {
    async fn take(
        State(sender): State<mpsc::UnboundedSender<Told>>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        sender.send(Told { method, path: uri.path().to_owned(), headers, body }).unwrap();
        StatusCode::OK.into_response()
    }
    let (sender, told) = mpsc::unbounded_channel();
    let router = Router::new().fallback(take).with_state(sender);
    (Listener::start(([127, 0, 0, 1], 0).into(), router).await.unwrap(), told)
}

fn local() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

async fn start(hub: &Listener, change: impl FnOnce(&mut Settings)) -> adapter::Running {
    let mut settings = Settings::new("blue".parse().unwrap(), "http://127.0.0.1:1", "http://127.0.0.1:1");
    settings.hub.ping = Some(format!("http://{}", hub.address()));
    (settings.listen_inbound, settings.listen_outbound) = (local(), local());
    change(&mut settings);
    adapter::start(settings).await.unwrap()
}

fn ping_headers(key: Option<&SigningKey>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("fspiop-source", "Hub"),
        ("fspiop-destination", "blue"),
        ("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
        // As clients write it that do not know the resource.
        ("fspiop-uri", "//adapter.blue.example/ping"),
        ("fspiop-http-method", "POST"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(key) = key {
        let signature = jws::sign(key, &headers, PING.as_bytes()).unwrap();
        headers.insert("fspiop-signature", signature.parse().unwrap());
    }
    headers
}

async fn post(url: &str, headers: HeaderMap, body: &str) -> (u16, Value) {
    let mut request = http::Request::post(url).body(http_body_util::Full::new(Bytes::from(body.to_owned()))).unwrap();
    *request.headers_mut() = headers;
    let answer = HttpClient::new().send(request, PATIENCE).await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

async fn next(told: &mut mpsc::UnboundedReceiver<Told>) -> Told {
    tokio::time::timeout(PATIENCE, told.recv()).await.expect("the hub is told in time").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_whose_signature_verifies_is_answered_and_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (hub_key, own_key) = (SigningKey::generate_rsa().unwrap().0, SigningKey::generate_rsa().unwrap().0);
    std::fs::write(directory.path().join("Hub.pem"), hub_key.public_pem().unwrap()).unwrap();
    std::fs::write(directory.path().join("blue.pem"), own_key.public_pem().unwrap()).unwrap();
    let keys = Arc::new(KeyDirectory::open(directory.path()).unwrap());
    let signatures = Signatures { key: Some(Arc::new(own_key)), keys: Some(keys.clone()), ..Signatures::default() };
    let (hub, mut told) = hub().await;
    let adapter = start(&hub, |settings| settings.signatures = signatures).await;
    let url = format!("http://{}/ping", adapter.inbound());

    assert_eq!(post(&url, ping_headers(Some(&hub_key)), PING).await, (202, Value::Null));
    let answer = next(&mut told).await;
    assert_eq!((answer.method.as_str(), answer.path.as_str(), &answer.body[..]), ("PUT", ANSWERED, PING.as_bytes()));
    let named = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!((named("fspiop-source"), named("fspiop-destination")), ("blue", "Hub"));
    let received =
        Received { method: &answer.method, path: &answer.path, headers: &answer.headers, body: &answer.body };
    keys.verify(&received).expect("the answer is signed");

    for headers in [ping_headers(None), ping_headers(Some(&SigningKey::generate_rsa().unwrap().0))] {
        assert_eq!(post(&url, headers, PING).await.0, 202);
        let answer = next(&mut told).await;
        assert_eq!(answer.path, format!("{ANSWERED}/error"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["errorInformation"]["errorCode"], "3100", "{body}");
    }
}

#[tokio::test]
async fn a_ping_is_an_error_where_signatures_are_not_verified_or_nobody_can_be_answered() {
    let (hub, mut told) = hub().await;
    let adapter = start(&hub, |_| {}).await;
    let url = format!("http://{}/ping", adapter.inbound());
    assert_eq!(post(&url, ping_headers(None), PING).await.0, 202);
    assert_eq!(next(&mut told).await.path, format!("{ANSWERED}/error"));
    for (headers, body, code) in [
        (HeaderMap::new(), PING, "3102"),
        (ping_headers(None), "ping", "3100"),
        (ping_headers(None), "{}", "3100"),
        (ping_headers(None), r#"{"requestId":"../transfers"}"#, "3100"),
    ] {
        let (status, answer) = post(&url, headers, body).await;
        assert_eq!((status, answer["errorInformation"]["errorCode"].as_str()), (400, Some(code)), "{body}");
    }
    let (status, _) = post(&format!("{url}/more"), ping_headers(None), PING).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn every_listener_says_that_it_lives_and_metrics_count_without_names() {
    let world = World::with(|settings| settings.listen_metrics = Some(local()), |_| {}).await;
    assert_eq!(world.payee.call(Method::GET, "/", &Value::Null).await, (200, Value::Null));
    assert_eq!(world.payee.inbound_call(Method::GET, "/", &[], &Value::Null).await, (200, Value::Null));
    assert_eq!(world.payee.inbound_call(Method::DELETE, "/", &[], &Value::Null).await.0, 404);
    let (_, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!(state["currentState"], "COMPLETED", "{state}");
    let text = world.payer.metrics().await;
    for line in [
        r#"umoja_adapter_calls_total{call="POST /transfers",status="200"} 1"#,
        r#"umoja_adapter_messages_total{method="PUT",resource="transfers",status="200"} 1"#,
        r#"umoja_adapter_open_payments{kind="outgoing"} 0"#,
        "umoja_adapter_working 0",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains(WELCOMING), "{text}");
}

#[tokio::test]
async fn a_call_that_is_larger_than_allowed_is_refused() {
    let smaller = |settings: &mut Settings| (settings.inbound_bytes_max, settings.outbound_bytes_max) = (300, 300);
    let (hub, _told) = hub().await;
    let adapter = start(&hub, smaller).await;
    let url = format!("http://{}/transfers", adapter.outbound());
    let (status, answer) = post(&url, HeaderMap::new(), &transfer_to(&"1".repeat(300)).to_string()).await;
    assert_eq!((status, &answer["statusCode"]), (400, &json!(400)), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("too large"), "{answer}");
    let url = format!("http://{}/ping", adapter.inbound());
    let (status, answer) = post(&url, ping_headers(None), &format!("{PING}{}", " ".repeat(300))).await;
    assert_eq!((status, &answer["errorInformation"]["errorCode"]), (400, &json!("3101")), "{answer}");
}
