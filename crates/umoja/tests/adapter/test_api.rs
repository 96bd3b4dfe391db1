//! What the test API shows, over HTTP and WebSocket (§5).

use crate::core::WELCOMING;
use crate::world::{Site, Subscription, World, transfer_to};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Error, Message, protocol::frame::coding::CloseCode};

const PATIENCE: Duration = Duration::from_secs(60);

fn shown(settings: &mut adapter::Settings) {
    settings.listen_test_api = Some(([127, 0, 0, 1], 0).into());
}

async fn next(subscription: &mut Subscription) -> Message {
    loop {
        let message = tokio::time::timeout(PATIENCE, subscription.next()).await.expect("a message comes in time");
        let message = message.unwrap().unwrap();
        if !message.is_ping() {
            return message;
        }
    }
}

async fn next_json(subscription: &mut Subscription) -> Value {
    serde_json::from_str(next(subscription).await.to_text().unwrap()).unwrap()
}

/// Why a WebSocket is not opened.
async fn refusal(site: &Site, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let uri: Uri = format!("ws://{}{path}", site.test_api()).parse().unwrap();
    let mut request = ClientRequestBuilder::new(uri);
    for (name, value) in headers {
        request = request.with_header(*name, *value);
    }
    let Err(Error::Http(answer)) = tokio_tungstenite::connect_async(request).await else {
        panic!("{path} is opened, or fails without an answer");
    };
    answer.status()
}

#[tokio::test]
async fn what_the_hub_sends_is_shown_when_it_comes_and_afterwards() {
    let world = World::with(shown, shown).await;
    let mut body = transfer_to(WELCOMING);
    let id = sdk::new_id().to_string();
    body["transferId"] = id.clone().into();
    let mut all = world.payee.subscribe("/").await;
    let mut of_transfer = world.payee.subscribe(&format!("/requests/{id}")).await;
    let mut callbacks = world.payer.subscribe("/callbacks").await;
    let mut callback = world.payer.subscribe(&format!("/callbacks/{id}")).await;
    let (status, state) = world.payer.call(Method::POST, "/transfers", &body).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");

    let prepare = next_json(&mut of_transfer).await;
    assert_eq!((&prepare["id"], &prepare["data"]["transferId"]), (&json!(id), &json!(id)), "{prepare}");
    assert_eq!(prepare["headers"]["fspiop-source"], "green", "{prepare}");
    assert_eq!(prepare["headers"]["content-type"], "application/vnd.interoperability.transfers+json;version=2.0");
    let lookup = next_json(&mut all).await;
    assert_eq!((&lookup["id"], &lookup["data"]), (&json!(WELCOMING), &json!({})), "{lookup}");
    let quote = next_json(&mut all).await;
    assert_eq!((&quote["id"], &quote["data"]["quoteId"]), (&state["quoteId"], &state["quoteId"]), "{quote}");
    assert_eq!(next_json(&mut all).await, prepare);

    let fulfil = next_json(&mut callback).await;
    assert_eq!((&fulfil["id"], &fulfil["data"]), (&json!(id), &state["fulfil"]["body"]), "{fulfil}");
    for expected in [&json!(WELCOMING), &state["quoteId"], &json!(id)] {
        assert_eq!(&next_json(&mut callbacks).await["id"], expected);
    }

    let (status, kept) = world.payee.shown(&format!("/requests/{id}")).await;
    let members = json!({"headers": prepare["headers"], "data": prepare["data"]});
    assert_eq!((status, kept), (200, members));
    let (status, kept) = world.payer.shown(&format!("/callbacks/{id}")).await;
    assert_eq!((status, &kept["data"]["transferState"]), (200, &json!("COMMITTED")), "{kept}");
    for (path, expected) in [("/", 204), ("/requests/none", 204), (&format!("/callbacks/{WELCOMING}"), 204)] {
        assert_eq!(world.payee.shown(path).await, (expected, Value::Null), "{path}");
    }
    for path in ["/requests", "/nowhere", "/requests/a/b"] {
        assert_eq!(world.payee.shown(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_not_shown() {
    let world = World::with(|_| {}, shown).await;
    let headers = [("fspiop-source", "green"), ("date", "Sat, 21 Nov 2026 10:00:00 GMT")];
    let (status, _) = world.payee.inbound_call(Method::GET, "/parties/MSISDN/77777", &headers, &Value::Null).await;
    assert_eq!(status, 400, "it has no content type");
    assert_eq!(world.payee.shown("/requests/77777").await.0, 204);
}

#[tokio::test]
async fn web_pages_are_refused_and_so_is_a_crowd() {
    let world = World::with(|_| {}, shown).await;
    let page = [("origin", "https://elsewhere.example")];
    assert_eq!(refusal(&world.payee, "/", &page).await, StatusCode::FORBIDDEN);
    assert_eq!(refusal(&world.payee, "/nowhere", &[]).await, StatusCode::NOT_FOUND);
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(world.payee.subscribe("/requests").await);
    }
    assert_eq!(refusal(&world.payee, "/requests", &[]).await, StatusCode::SERVICE_UNAVAILABLE);
    crowd.pop().unwrap().close(None).await.unwrap();
    let has_left = async {
        while tokio_tungstenite::connect_async(format!("ws://{}/", world.payee.test_api())).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, has_left).await.expect("the place of one who left is free");
}

#[tokio::test]
async fn what_a_subscriber_says_is_not_heard_and_a_stop_ends_it() {
    let mut world = World::with(|_| {}, shown).await;
    let mut subscription = world.payee.subscribe("/").await;
    let mut chatty = world.payee.subscribe("/").await;
    subscription.send(Message::text("show me more")).await.unwrap();
    chatty.send(Message::text("x".repeat(5000))).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, async { while let Some(Ok(_)) = chatty.next().await {} }).await;
    assert!(ended.is_ok(), "who sends much is dropped");
    world.payee.restart().await;
    let Message::Close(Some(reason)) = next(&mut subscription).await else { panic!("the adapter says good-bye") };
    assert_eq!(reason.code, CloseCode::Away);
}

/// Reads the line of addresses and the log of `umoja adapter` until the expected word is in it.
async fn start_command(arguments: &[&str]) -> (Value, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_umoja"));
    command.env_clear().envs([("PEER_ENDPOINT", "127.0.0.1:1"), ("BACKEND_ENDPOINT", "127.0.0.1:1")]);
    command.args([
        "adapter",
        "--json",
        "--inbound-address",
        "127.0.0.1",
        "--inbound-port",
        "0",
        "--outbound-port",
        "0",
    ]);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    process.start_kill().unwrap();
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
    (serde_json::from_str(&line).unwrap(), log)
}

#[tokio::test]
async fn it_is_off_by_default_and_warns_when_it_is_on() {
    let (addresses, log) = start_command(&[]).await;
    assert_eq!(addresses["testApi"], Value::Null, "{addresses}");
    assert!(!log.contains("test API"), "{log}");
    let (addresses, log) = start_command(&["--test-api", "--test-api-port", "0"]).await;
    assert!(addresses["testApi"].as_str().unwrap().starts_with("127.0.0.1:"), "{addresses}");
    assert!(log.contains("WARN") && log.contains("without a password"), "{log}");
}
