//! What an adapter passes on is what it was given (contract, interscheme §2.2).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use fspiop::jws::{self, SigningKey, VerificationKey};
use http::{HeaderMap, HeaderName};
use support::{Hub, Received, Reply, between, call, call_on, config, get, header, metric, request, side};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

const TRANSFER: &str = "application/vnd.interoperability.transfers+json;version=1.1";

/// White space, order and escapes that a JSON library would not keep.
const BODY: &str = "{ \"transferId\" :\"b51ec534-ee48-4575-b6a9-ead2955b8069\",\r\n\t\"payerFsp\":\"dfsp\\u0061\",  \"amount\": {\"currency\":\"USD\",\"amount\":\"1.50\"}, \"note\":\"ünï✓\" }\n";

fn header_map(received: &Received) -> HeaderMap {
    let fields = received.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
}

#[tokio::test]
async fn a_signature_is_valid_on_the_other_side_in_both_directions() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let (key, _) = SigningKey::generate_rsa().unwrap();
    let public = VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("fspiop-source", "dfspa"),
        ("fspiop-destination", "dfspb"),
        ("fspiop-uri", "/transfers"),
        ("fspiop-http-method", "POST"),
        ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
        ("content-type", TRANSFER),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let signature = jws::sign(&key, &headers, BODY.as_bytes()).unwrap();
    let mut list: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    list.push(("FSPIOP-Signature", &signature));
    for (listener, hub) in running.addresses().into_iter().zip([&a, &b]) {
        let answer = call(listener, request("POST /transfers", &list, BODY.as_bytes())).await;
        assert_eq!(answer.status, 202);
        let received = hub.only();
        assert_eq!(received.body, BODY.as_bytes());
        assert_eq!(received.header("fspiop-signature"), Some(signature.as_str()));
        assert_eq!(jws::verify(&public, &header_map(&received), &received.body), Ok(()));
        assert_eq!(received.header("fspiop-proxy"), Some("proxyab"));
        assert_eq!(received.header("host"), Some(hub.address.to_string().as_str()));
    }
    running.stop().await;
}

#[tokio::test]
async fn any_method_path_and_query_leaves_as_it_came() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let lines = [
        "POST /transfers",
        "GET /parties/MSISDN/%2B27%2f1/a?x=1&&y=%20+z",
        "PUT /transfers/b51ec534-ee48-4575-b6a9-ead2955b8069/error",
        "PATCH /fxTransfers/1",
        "DELETE /participants/MSISDN/1?currency=USD",
        "OPTIONS *",
        "PROPFIND //a/../b;c=d",
        "GET /ping",
        "PUT /ping/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "POST /health",
        "GET /health/",
        "GET /",
    ];
    for line in lines {
        assert_eq!(call(running.addresses()[0], request(line, &[], b"{}")).await.status, 202, "{line}");
    }
    let received: Vec<String> = a.received().iter().map(|received| received.first_line().to_owned()).collect();
    assert_eq!(received, lines.map(|line| format!("{line} HTTP/1.1")));
    assert!(b.received().is_empty());
    let connected = call(running.addresses()[0], "CONNECT hub:443 HTTP/1.1\r\nhost: hub\r\n\r\n").await;
    assert_eq!((connected.status, connected.error_code()), (405, "3000".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn only_headers_of_the_first_journey_are_removed() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let removed = [
        ("Authorization", "Bearer of-the-first-hub"),
        ("COOKIE", "a=b"),
        ("set-cookie", "a=b"),
        ("accept-encoding", "gzip"),
        ("user-agent", "hub"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic eA=="),
        ("te", "trailers"),
        ("trailer", "x"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("x-forwarded-host", "h"),
        ("x-request-id", "1"),
        ("x-envoy-decorator-operation", "o"),
        ("x-b3-traceid", "1"),
        ("X-Local", "1"),
    ];
    let kept = [
        ("FSPIOP-Source", "dfspa"),
        ("fspiop-destination", "dfspb"),
        ("FSPIOP-Signature", "{\"signature\":\"a\\\"b\", \"protectedHeader\":\"c\"}"),
        ("Content-Type", "application/vnd.interoperability.parties+json; version=1.0"),
        ("accept", "application/vnd.interoperability.parties+json;version=1"),
        ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-client-id", "hub-b"),
        ("x-many", "one"),
        ("x-many", "two,three"),
    ];
    let all = [&removed[..], &kept[..], &[("FSPIOP-Proxy", "somebody-else")]].concat();
    call(running.addresses()[0], request("GET /parties/MSISDN/1", &all, b"")).await;
    let received = a.only();
    let mut fields: Vec<(String, &str)> = received
        .head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let address = a.address.to_string();
    let mut expected: Vec<(String, &str)> =
        kept.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
    expected.extend([("fspiop-proxy".to_owned(), "proxyab"), ("host".to_owned(), address.as_str())]);
    fields.sort();
    expected.sort();
    assert_eq!(fields, expected);
    running.stop().await;
}

#[tokio::test]
async fn bytes_beyond_ascii_in_a_header_are_kept() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let mut bytes = b"GET /parties/MSISDN/1 HTTP/1.1\r\nhost: x\r\nx-name: ".to_vec();
    bytes.extend([0xe9, b' ', 0xc3, 0xbc, b'\t', 0xff]);
    bytes.extend(b"\r\n\r\n");
    call(running.addresses()[0], bytes).await;
    assert_eq!(a.only().header("x-name"), Some("\u{e9} \u{c3}\u{bc}\t\u{ff}"));
    running.stop().await;
}

#[tokio::test]
async fn an_answer_comes_back_as_the_hub_gave_it() {
    let error = "{\"errorInformation\" : {\"errorCode\":\"3204\"}}";
    let a = Hub::with(move |number, _| {
        Reply::Raw(match number {
            0 => format!(
                "HTTP/1.1 404 Not Here\r\ncontent-type: application/json\r\nx-own: 1\r\nx-own: 2\r\nset-cookie: a=b\r\n\
                 connection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=9\r\ncontent-length: {}\r\n\r\n{error}",
                error.len()
            )
            .into(),
            1 => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec(),
            2 => b"HTTP/1.1 204 No Content\r\ndate: Fri, 20 Nov 2026 21:53:58 GMT\r\n\r\n".to_vec(),
            3 => b"HTTP/1.1 200 OK\r\ncontent-length: 77\r\n\r\n".to_vec(),
            _ => b"HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n".to_vec(),
        })
    })
    .await;
    let b = Hub::new().await;
    let running = between(&a, &b).await;
    let mut stream = TcpStream::connect(running.addresses()[0]).await.unwrap();
    let answer = call_on(&mut stream, request("GET /transfers/1", &[], b"")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (404, error.as_bytes()));
    let mut names: Vec<&str> = answer.head.lines().skip(1).filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "set-cookie", "x-own", "x-own"]);
    let answer = call_on(&mut stream, request("GET /transfers/1", &[], b"")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"abcde"[..]));
    let answer = call_on(&mut stream, request("PUT /transfers/1", &[], b"{}")).await;
    assert_eq!((answer.status, answer.header("date")), (204, Some("Fri, 20 Nov 2026 21:53:58 GMT")));
    // The length is that of the body that GET would have given; none follows.
    stream.write_all(&request("HEAD /transfers/1", &[], b"")).await.unwrap();
    let head = support::read_head(&mut stream).await.unwrap();
    assert_eq!((&head[9..12], header(&head, "content-length")), ("200", Some("77")));
    let answer = call_on(&mut stream, request("GET /transfers/1", &[], b"")).await;
    assert_eq!(answer.status, 418);
    assert_eq!(a.connections(), 1, "one connection is kept and used again");
    running.stop().await;
}

#[tokio::test]
async fn a_chunked_body_arrives_whole() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let head = "POST /quotes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    call(running.addresses()[0], format!("{head}2\r\n{{\"\r\n5\r\na\":1}}\r\n0\r\n\r\n")).await;
    let received = a.only();
    assert_eq!((received.body.as_slice(), received.header("content-length")), (&b"{\"a\":1}"[..], Some("7")));
    running.stop().await;
}

#[tokio::test]
async fn a_body_of_five_mebibytes_passes_and_a_larger_one_does_not() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let [listener, _] = running.addresses();
    let largest = vec![b'x'; 5_242_880];
    assert_eq!(call(listener, request("POST /quotes", &[], &largest)).await.status, 202);
    assert_eq!(a.only().body, largest);
    let announced = call(listener, "POST /quotes HTTP/1.1\r\nhost: x\r\ncontent-length: 5242881\r\n\r\n").await;
    assert_eq!((announced.status, announced.error_code()), (413, "3104".to_owned()));
    let mut stream = TcpStream::connect(listener).await.unwrap();
    let head = "POST /quotes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n500001\r\n";
    let chunked = call_on(&mut stream, [head.as_bytes(), &largest, b"x"].concat()).await;
    assert_eq!((chunked.status, chunked.error_code()), (413, "3104".to_owned()));
    assert_eq!(a.received().len(), 1);
    assert_eq!(metric(listener, "umoja_proxy_messages_total{side=\"a\",outcome=\"refused\"}").await, 2);
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_reaches_nobody() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let [listener, _] = running.addresses();
    for (garbage, status) in [
        ("GARBAGE\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(150_000)), 431),
    ] {
        let answer = call(listener, &garbage).await;
        assert_eq!(answer.status, status, "{}", &garbage[..20.min(garbage.len())]);
    }
    let broken = call(listener, "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!((broken.status, broken.error_code()), (400, "3101".to_owned()));
    assert!(a.received().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let a = Hub::with(|_, _| Reply::Held(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let b = Hub::new().await;
    let mut config = config(side(a.address), side(b.address));
    config.connections = 2;
    let running = proxy::start(config).await.unwrap();
    let [listener, _] = running.addresses();
    let calls: Vec<_> = (0..5).map(|_| tokio::spawn(call(listener, request("POST /quotes", &[], b"{}")))).collect();
    support::until("two requests arrive", || async { a.received().len() == 2 }).await;
    for served in 3..=5 {
        a.release();
        support::until("the next one follows", || async { a.received().len() == served }).await;
        assert!(a.open_connections() <= 2);
    }
    a.release();
    a.release();
    for call in calls {
        assert_eq!(call.await.unwrap().status, 202);
    }
    running.stop().await;
}

#[tokio::test]
async fn health_and_metrics_are_the_adapters_own() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    for (listener, (side, other)) in running.addresses().into_iter().zip([("a", "b"), ("b", "a")]) {
        let health = get(listener, "/health?x").await;
        assert_eq!((health.status, health.header("content-type")), (200, Some("application/json")));
        let health = health.json();
        assert_eq!((&health["status"], &health["versionNumber"]), (&"OK".into(), &env!("CARGO_PKG_VERSION").into()));
        assert_eq!((&health["details"]["side"], &health["otherSide"]["side"]), (&side.into(), &other.into()));
        for ready in ["isReady", "accessToken", "certs"] {
            assert_eq!(health["details"][ready], true, "{ready}");
        }
    }
    let [listener, _] = running.addresses();
    call(listener, request("POST /quotes", &[], b"{}")).await;
    assert_eq!(metric(listener, "umoja_proxy_messages_total{side=\"a\",outcome=\"2xx\"}").await, 1);
    assert_eq!(metric(listener, "umoja_proxy_messages_total{side=\"b\",outcome=\"2xx\"}").await, 0);
    assert_eq!(metric(listener, "umoja_proxy_message_seconds_count{side=\"a\"}").await, 1);
    assert_eq!(metric(listener, "umoja_proxy_ready{side=\"b\"}").await, 1);
    running.stop().await;
}
