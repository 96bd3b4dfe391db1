//! `POST /ping` and what comes of it (contract, interscheme §2.6).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use support::{Hub, Reply, between, call, request, until};

const IDS: [&str; 2] = ["b51ec534-ee48-4575-b6a9-ead2955b8069", "01ARZ3NDEKTSV4RRFFQ69G5FAV"];

#[tokio::test]
async fn a_ping_is_answered_to_the_hub_that_asked() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    // Hub B knows the listener of side A, and the other way round.
    for (listener, asking) in running.addresses().into_iter().zip([&b, &a]) {
        for (count, id) in IDS.into_iter().enumerate() {
            let body = format!("{{\"requestId\": \"{id}\"}}");
            let headers = [
                ("FSPIOP-Source", "hub-itself"),
                ("fspiop-signature", "{}"),
                ("authorization", "Bearer x"),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ];
            let answer = call(listener, request("POST /ping", &headers, body.as_bytes())).await;
            assert_eq!((answer.status, answer.body.len()), (202, 0));
            until("the answer arrives", || async { asking.received().len() > count }).await;
            let put = asking.received().pop().unwrap();
            assert_eq!(put.first_line(), format!("PUT /ping/{id} HTTP/1.1"));
            assert_eq!(put.body, format!("{{\"requestId\":\"{id}\"}}").into_bytes());
            for (name, value) in [
                ("fspiop-source", Some("proxyab")),
                ("fspiop-destination", Some("hub-itself")),
                ("content-type", Some("application/vnd.interoperability.ping+json;version=2.0")),
                ("traceparent", Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
                ("fspiop-signature", None),
                ("authorization", None),
            ] {
                assert_eq!(put.header(name), value, "{name}");
            }
            assert!(vocabulary::Timestamp::parse_http(put.header("date").unwrap()).is_ok());
        }
    }
    assert_eq!((a.received().len(), b.received().len()), (2, 2));
    running.stop().await;
}

#[tokio::test]
async fn a_ping_that_is_wrong_is_400_with_3100_and_nobody_hears_of_it() {
    let (a, b) = (Hub::new().await, Hub::new().await);
    let running = between(&a, &b).await;
    let source = ("fspiop-source", "hub");
    let good = format!("{{\"requestId\":\"{}\"}}", IDS[0]);
    for (headers, body) in [
        (vec![], good.as_str()),
        (vec![("fspiop-source", "")], &good),
        (vec![source], ""),
        (vec![source], "{}"),
        (vec![source], "[]"),
        (vec![source], "{\"requestId\":7}"),
        (vec![source], "{\"requestId\":\"7\"}"),
        (vec![source], "{\"requestId\":\"B51EC534-EE48-4575-B6A9-EAD2955B8069\"}"),
        (vec![source], "{\"requestId\":\"../../transfers/b51ec534-ee48-457\"}"),
    ] {
        let answer = call(running.addresses()[0], request("POST /ping", &headers, body.as_bytes())).await;
        assert_eq!((answer.status, answer.error_code()), (400, "3100".to_owned()), "{headers:?} {body}");
    }
    running.stop().await;
    assert!(a.received().is_empty() && b.received().is_empty());
}

#[tokio::test]
async fn the_answer_to_a_ping_is_tried_again_and_awaited_at_the_end() {
    let b = Hub::with(|number, _| Reply::status(if number < 2 { "503 No" } else { "200 OK" })).await;
    let a = Hub::new().await;
    let running = between(&a, &b).await;
    let body = format!("{{\"requestId\":\"{}\"}}", IDS[0]);
    let request = request("POST /ping", &[("fspiop-source", "hub")], body.as_bytes());
    assert_eq!(call(running.addresses()[0], request).await.status, 202);
    running.stop().await;
    assert_eq!(b.received().len(), 3);
}
