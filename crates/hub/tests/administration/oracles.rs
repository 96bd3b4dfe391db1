//! Oracles (contract, transfers §2.7).

use crate::support::{ORACLE_HEADERS, Scheme};
use serde_json::{Value, json};

fn oracle(id_type: &str, currency: &str) -> Value {
    let endpoint = json!({"value": "http://127.0.0.1:9/oracle", "endpointType": "URL"});
    json!({"oracleIdType": id_type, "endpoint": endpoint, "currency": currency, "isDefault": true})
}

async fn listed(scheme: &Scheme, query: &str) -> Vec<String> {
    let body = scheme.oracle("GET", &format!("/oracles{query}"), &ORACLE_HEADERS, &Value::Null).await.body;
    let name =
        |one: &Value| format!("{} {} {}", one["oracleId"], one["oracleIdType"], one["currency"]).replace('"', "");
    body.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn oracles_are_created_listed_replaced_and_removed() {
    let scheme = Scheme::start().await;
    for (id_type, currency) in [("MSISDN", "USD"), ("ALIAS", "USD"), ("MSISDN", "EUR")] {
        let reply = scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &oracle(id_type, currency)).await;
        assert_eq!((reply.status, &reply.body), (201, &Value::Null));
    }
    assert_eq!(listed(&scheme, "").await, ["1 MSISDN USD", "2 ALIAS USD", "3 MSISDN EUR"]);
    assert_eq!(listed(&scheme, "?type=MSISDN&currency=EUR").await, ["3 MSISDN EUR"]);
    assert_eq!(listed(&scheme, "?type=MSISDN&currency=INVALID").await, Vec::<String>::new());
    assert_eq!(listed(&scheme, "?type=NONE").await, Vec::<String>::new());

    let without_accept = &ORACLE_HEADERS.map(|header| if header.0 == "accept" { ("x-none", "") } else { header });
    let exists = "2001 Internal server error - Active oracle with matching partyIdTypeId, endpointTypeId, currencyId \
                  already exists - Duplicate";
    for (id, body, status, expected) in [
        ("3", oracle("MSISDN", "XXX"), 204, "none none"),
        ("3", oracle("ALIAS", "USD"), 500, exists),
        ("9", oracle("ALIAS", "XXX"), 400, "3003 Add Party information error - Oracle not found"),
        ("none", oracle("ALIAS", "XXX"), 400, "3003 Add Party information error - Oracle not found"),
    ] {
        let reply = scheme.oracle("PUT", &format!("/oracles/{id}"), without_accept, &body).await;
        assert_eq!((reply.status, reply.error().as_str()), (status, expected), "{id} {body}");
    }
    for id in ["1", "1", "77"] {
        let reply = scheme.oracle("DELETE", &format!("/oracles/{id}"), &ORACLE_HEADERS, &Value::Null).await;
        assert_eq!(reply.status, 204, "{id}");
    }
    assert_eq!(listed(&scheme, "").await, ["2 ALIAS USD", "3 MSISDN XXX"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oracle_has_the_shape_that_clients_know() {
    let scheme = Scheme::start().await;
    scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &oracle("MSISDN", "USD")).await;
    let mut bare = oracle("ALIAS", "USD");
    bare.as_object_mut().unwrap().retain(|name, _| name != "currency" && name != "isDefault");
    scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &bare).await;
    let endpoint = json!({"value": "http://127.0.0.1:9/oracle", "endpointType": "URL"});
    assert_eq!(
        scheme.oracle("GET", "/oracles", &ORACLE_HEADERS, &Value::Null).await.body,
        json!([
            {"oracleId": 1, "oracleIdType": "MSISDN", "endpoint": endpoint, "currency": "USD", "isDefault": 1},
            {"oracleId": 2, "oracleIdType": "ALIAS", "endpoint": endpoint, "isDefault": 0},
        ])
    );
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fault_of_an_oracle_is_named() {
    let scheme = Scheme::start().await;
    let without = |name: &str| {
        let mut body = oracle("ALIAS", "PLN");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = oracle("ALIAS", "PLN");
        body[name] = value;
        body
    };
    let missing = "3102 Missing mandatory element - ";
    for (body, status, expected) in [
        (Value::Null, 400, format!("{missing}must have required property 'requestBody'")),
        (without("endpoint"), 400, format!("{missing}/requestBody must have required property 'endpoint'")),
        (without("oracleIdType"), 400, format!("{missing}/requestBody must have required property 'oracleIdType'")),
        (
            with("endpoint", json!({"endpointType": "URL"})),
            400,
            format!("{missing}/requestBody/endpoint must have required property 'value'"),
        ),
        (with("endpoint", json!("x")), 400, "3101 Malformed syntax - /requestBody/endpoint must be object".to_owned()),
        (
            with("currency", json!("ZZZ")),
            400,
            "3100 Generic validation error - /requestBody/currency must be equal to one of the allowed values"
                .to_owned(),
        ),
        (
            with("oracleIdType", json!("NONE")),
            400,
            "3100 Generic validation error - /requestBody/oracleIdType must be equal to one of the allowed values"
                .to_owned(),
        ),
        (with("oracleIdType", json!("CONSENT")), 501, "2002 Not implemented - Oracles for CONSENT".to_owned()),
        (
            with("isDefault", json!("x")),
            400,
            "3101 Malformed syntax - /requestBody/isDefault must be boolean".to_owned(),
        ),
    ] {
        let reply = scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &body).await;
        assert_eq!((reply.status, reply.error()), (status, expected), "{body}");
    }
    for header in ["content-type", "date", "accept"] {
        let headers = ORACLE_HEADERS.map(|known| if known.0 == header { ("x-none", "") } else { known });
        for method in ["GET", "POST"] {
            let body = if method == "POST" { oracle("ALIAS", "PLN") } else { Value::Null };
            let reply = scheme.oracle(method, "/oracles", &headers, &body).await;
            let expected = format!("{missing}/header must have required property '{header}'");
            assert_eq!((reply.status, reply.error()), (400, expected), "{method}");
        }
    }
    assert_eq!(listed(&scheme, "").await, Vec::<String>::new());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_see_whether_an_oracle_answers() {
    let scheme = Scheme::start().await;
    let router = axum::Router::new().route("/oracle/health", axum::routing::get(|| async { "fine" }));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let up = format!("http://{}/oracle", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (currency, url) in [("PLN", up), ("EUR", format!("http://{closed}"))] {
        let mut body = oracle("ALIAS", currency);
        body["endpoint"]["value"] = json!(url);
        assert_eq!(scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &body).await.status, 201);
    }
    let health = async |id: i64| scheme.get(&format!("/umoja/v1/oracles/{id}/health")).await;
    let first = health(1).await.body;
    assert_eq!((first["status"].as_str(), first["httpStatus"].as_i64()), (Some("OK"), Some(200)));
    let second = health(2).await.body;
    assert_eq!(second["status"], "DOWN");
    assert!(second["problem"].is_string(), "{second}");
    assert_eq!(health(3).await.status, 400);
    scheme.end().await;
}
