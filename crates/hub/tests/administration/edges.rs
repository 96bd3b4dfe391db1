//! What the ports share: unknown paths, methods, media types, sizes, health.

use crate::support::{Reply, Scheme};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_are_404_on_every_port() {
    let scheme = Scheme::start().await;
    let replies = [
        scheme.get("/").await,
        scheme.get("/participants/dfsp/none").await,
        scheme.settlement("GET", "/v2/none").await,
        scheme.settlement("GET", "/settlements").await,
        scheme.oracle("GET", "/participants", &[], &Value::Null).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 404);
        assert!(reply.error().starts_with("3002 Unknown URI - /"), "{}", reply.error());
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_405_and_say_which_are_allowed() {
    let scheme = Scheme::start().await;
    let allowed = |reply: &Reply| {
        let mut methods: Vec<_> =
            reply.headers["allow"].to_str().unwrap().split(',').map(|method| method.trim().to_owned()).collect();
        methods.sort();
        methods.join(" ")
    };
    for (method, path, expected) in [
        ("DELETE", "/participants", "GET HEAD POST"),
        ("POST", "/participants/dfsp", "GET HEAD PUT"),
        ("GET", "/participants/dfsp/initialPositionAndLimits", "POST"),
        ("PATCH", "/participants/dfsp/accounts/1", "POST PUT"),
        ("POST", "/participants/limits", "GET HEAD"),
    ] {
        let reply = scheme.call(method, path, &[], "").await;
        assert_eq!((reply.status, allowed(&reply).as_str()), (405, expected), "{method} {path}");
        assert!(reply.error().starts_with("3000 Generic client error - Method Not Allowed"), "{}", reply.error());
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_understood() {
    let scheme = Scheme::with_dfsp().await;
    let body = r#"{"isActive": true}"#;
    for (media_type, status) in [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 400),
        ("application/xml", 400),
        ("application/vnd.interoperability.participants+json;version=1.0", 400),
    ] {
        let reply = scheme.call("PUT", "/participants/dfsp", &[("content-type", media_type)], body).await;
        assert_eq!(reply.status, status, "{media_type}");
        if status == 400 {
            assert_eq!(reply.error(), "3101 Malformed syntax - Unsupported Media Type");
        }
    }
    // Clients that name no media type mean JSON.
    assert_eq!(scheme.call("PUT", "/participants/dfsp", &[], body).await.status, 200);
    let reply = scheme.call("PUT", "/participants/dfsp", &[], "{\"isActive\": tru").await;
    assert_eq!(reply.error(), "3101 Malformed syntax - Invalid request payload JSON format");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_more_than_a_mebibyte_is_refused() {
    let scheme = Scheme::with_dfsp().await;
    let body = format!(r#"{{"isActive": true, "x": "{}"}}"#, "y".repeat(1 << 20));
    let reply = scheme.call("PUT", "/participants/dfsp", &[], body).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "3104 Too large payload"));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_port_says_how_it_is() {
    let scheme = Scheme::start().await;
    let replies = [
        scheme.get("/health").await,
        scheme.settlement("GET", "/v2/health").await,
        scheme.oracle("GET", "/health", &[], &Value::Null).await,
    ];
    for reply in replies {
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("OK")));
        let services = reply.body["services"].as_array().unwrap();
        for name in ["broker", "datastore"] {
            assert!(services.contains(&json!({"name": name, "status": "OK"})), "{services:?}");
        }
        assert!(reply.body["uptime"].is_u64() && reply.body["startTime"].is_string());
    }
    assert_eq!(scheme.get("/metrics").await.status, 200);
    assert_eq!(scheme.settlement("GET", "/metrics").await.status, 200);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_of_another_origin_cannot_administer_the_hub() {
    let scheme = Scheme::start().await;
    let body = r#"{"type":"HUB_RECONCILIATION","currency":"EUR"}"#;
    let foreign = [("origin", "https://pages.example")];
    let reply = scheme.call("POST", "/participants/Hub/accounts", &foreign, body).await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().contains("other origins"), "{}", reply.error());
    assert_eq!(scheme.call("POST", "/participants/Hub/accounts", &[], body).await.status, 201);
    scheme.end().await;
}
