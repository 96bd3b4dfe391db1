//! A recorded payment of the reference implementation, in which a DFSP pays itself, is repeated with this adapter in both roles:
//! each message to hub and core is compared with the recorded one, member by member, ids and times masked.
//!
//! The recording lies beside the repository, or where `UMOJA_CONTRACT` says; without it the test says so and is skipped.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use adapter::Settings;
use axum::{Router, body::Bytes, extract::State, response::IntoResponse, response::Response};
use fspiop::{Resource, Version};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use sdk::HttpClient;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
/// Headers that say something; the rest belongs to one connection or to the signature.
const HEADERS: [&str; 7] =
    ["content-type", "accept", "date", "fspiop-source", "fspiop-destination", "fspiop-http-method", "fspiop-uri"];
/// Members that are another thing in each payment. Packets are compared by their parts in the core's question.
const MASKED: [&str; 9] = [
    "quoteId",
    "transactionId",
    "transferId",
    "expiration",
    "completedTimestamp",
    "ilpPacket",
    "condition",
    "fulfilment",
    "date",
];

/// A hub that hands every message back to the one DFSP that there is, and the DFSP's core.
#[derive(Default)]
struct Peers {
    adapter: OnceLock<SocketAddr>,
    seen: Mutex<Vec<Value>>,
    http: HttpClient,
    /// What the core answered in the recording, by the first segment of the path.
    answers: Vec<(String, Value)>,
}

fn recording() -> Option<Vec<Value>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/contract");
    let directory = std::env::var("UMOJA_CONTRACT").unwrap_or_else(|_| beside.into());
    let Ok(text) = std::fs::read_to_string(format!("{directory}/wire-p2p.ndjson")) else {
        println!("skipped: wire-p2p.ndjson is absent");
        return None;
    };
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(lines.filter(|line| line["dir"] != "inbound-resp").collect())
}

/// The parts of a message that are compared.
fn noted(direction: &str, method: &str, path: &str, headers: &Value, body: &Value) -> Value {
    let kept = HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.clone())));
    let headers: serde_json::Map<String, Value> = kept.collect();
    masked(&json!({"dir": direction, "m": method, "u": path, "h": headers, "b": body}))
}

fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                // The packet as an object is the one that the core sees, opened.
                let hidden = MASKED.contains(&name.as_str()) && value.is_string();
                (name.clone(), if hidden { "…".into() } else { masked(value) })
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::String(text) => {
            text.split('/').map(|part| if is_id(part) { "…" } else { part }).collect::<Vec<_>>().join("/").into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn is_id(text: &str) -> bool {
    text.parse::<vocabulary::CorrelationId>().is_ok()
}

fn headers_json(headers: &HeaderMap) -> Value {
    let member = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), Value::from(value.to_str().unwrap()))
    };
    Value::Object(headers.iter().map(member).collect())
}

fn note(peers: &Peers, direction: &str, (method, uri): (&Method, &Uri), headers: &HeaderMap, body: &[u8]) {
    let body = serde_json::from_slice(body).unwrap_or(Value::from(""));
    let noted = noted(direction, method.as_str(), uri.path(), &headers_json(headers), &body);
    peers.seen.lock().unwrap().push(noted);
}

async fn hub(State(peers): State<Arc<Peers>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    note(&peers, "sdk->hub", (&method, &uri), &headers, &body);
    let mut request = Request::builder().method(method).uri(format!("http://{}{uri}", peers.adapter.get().unwrap()));
    for name in HEADERS.iter().filter(|name| headers.contains_key(**name)) {
        request = request.header(*name, headers[*name].clone());
    }
    let request = request.body(Full::new(body)).unwrap();
    tokio::spawn(async move {
        let answer = peers.http.send(request, PATIENCE).await.unwrap();
        assert!(answer.status().is_success() && answer.body().is_empty(), "{answer:?}");
    });
    StatusCode::ACCEPTED
}

async fn core(State(peers): State<Arc<Peers>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    note(&peers, "sdk->backend", (&method, &uri), &headers, &body);
    let mut answer = peers.answers.iter().find(|(path, _)| uri.path().starts_with(path.as_str())).unwrap().1.clone();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    for name in ["quoteId", "transactionId"] {
        if answer.get(name).is_some() {
            answer[name] = asked[name].clone();
        }
    }
    (StatusCode::OK, answer.to_string()).into_response()
}

async fn listen(peers: &Arc<Peers>, handler: axum::routing::MethodRouter<Arc<Peers>>) -> sdk::Listener {
    let router = Router::new().fallback_service(handler.with_state(peers.clone()));
    sdk::Listener::start(([127, 0, 0, 1], 0).into(), router).await.unwrap()
}

#[tokio::test]
async fn a_recorded_payment_is_repeated_message_by_message() {
    let Some(recording) = recording() else { return };
    let from_core = recording.iter().filter(|line| line["dir"] == "sdk->backend");
    let answers = from_core.map(|line| {
        let first = line["u"].as_str().unwrap().split('/').nth(1).unwrap();
        (format!("/{first}"), line["out"].clone())
    });
    let peers = Arc::new(Peers { answers: answers.collect(), ..Peers::default() });
    let hub = listen(&peers, axum::routing::any(hub)).await;
    let core = listen(&peers, axum::routing::any(core)).await;
    let url = |listener: &sdk::Listener| format!("http://{}", listener.address());
    let mut settings = Settings::new("testdfsp".parse().unwrap(), url(&hub), url(&core));
    settings.listen_inbound = ([127, 0, 0, 1], 0).into();
    settings.listen_outbound = ([127, 0, 0, 1], 0).into();
    settings.ulids = false;
    settings.versions = Resource::ALL.into_iter().map(|resource| (resource, Version::V1_0)).collect();
    let adapter = adapter::start(settings).await.unwrap();
    peers.adapter.set(adapter.inbound()).unwrap();
    let payment = json!({
        "homeTransactionId": "h", "from": {"idType": "MSISDN", "idValue": "111", "displayName": "Bob"},
        "to": {"idType": "MSISDN", "idValue": "222"}, "amountType": "SEND", "currency": "USD", "amount": "10.5",
        "transactionType": "TRANSFER", "note": "hi",
    });
    let outbound = format!("http://{}/transfers", adapter.outbound());
    let answer = peers.http.post_json(&outbound, payment.to_string().into(), PATIENCE).await.unwrap();
    let state: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(state["currentState"], "COMPLETED", "{state}");

    let mut seen = peers.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), recording.len());
    for (ours, line) in seen.iter_mut().zip(&recording) {
        let text = |name: &str| line[name].as_str().unwrap();
        let body = serde_json::from_str(text("b")).unwrap_or(Value::from(""));
        let theirs = noted(text("dir"), text("m"), text("u"), &line["h"], &body);
        // The recorded generation had no expiration in its packets; that of today has (dfsp-client.md §6.1).
        if let Some(data) = ours.pointer_mut("/b/ilpPacket/data").and_then(Value::as_object_mut) {
            assert!(data.remove("expiration").is_some());
        }
        assert_eq!(*ours, theirs);
    }
}
