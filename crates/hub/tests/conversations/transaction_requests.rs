//! Requests to pay: `/transactionRequests` (contract, transfers §5).

use crate::{
    assert_relayed,
    support::{BYSTANDER, Call, Inbox, PAYEE, PAYER, Scheme, fresh_id},
};
use serde_json::{Value, json};

const UNREACHABLE: &str = "Destination communication error - Failed to send HTTP request to host";

fn request_body(id: &str) -> Value {
    json!({
        "transactionRequestId": id,
        "payee": {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "27710000002", "fspId": PAYEE}},
        "payer": {"partyIdType": "MSISDN", "partyIdentifier": "27710000001", "fspId": PAYER},
        "amount": {"amount": "5", "currency": "USD"},
        "transactionType": {"scenario": "PAYMENT", "initiator": "PAYEE", "initiatorType": "BUSINESS"},
    })
}

fn path(id: &str) -> String {
    format!("/transactionRequests/{id}")
}

/// The payee asks the payer.
fn request(id: &str) -> Call {
    Call::new("POST /transactionRequests").from(PAYEE).to(PAYER).body(format!(" {}\n", request_body(id)))
}

fn question(id: &str) -> Call {
    Call::new(&format!("GET {}", path(id))).from(PAYEE).to(PAYER)
}

/// The payer answers the payee.
fn answer(id: &str) -> Call {
    let body = json!({"transactionId": fresh_id(), "transactionRequestState": "RECEIVED"});
    Call::new(&format!("PUT {}", path(id))).from(PAYER).to(PAYEE).body(body.to_string())
}

/// The hub does not read it.
fn error(id: &str) -> Call {
    Call::new(&format!("PUT {}/error", path(id))).from(PAYER).to(PAYEE).body("{\"no\": [\"error\"")
}

/// Every message of the resource.
fn messages(id: &str) -> [Call; 4] {
    [request(id), question(id), answer(id), error(id)]
}

fn inbox<'scheme>(scheme: &'scheme Scheme, name: &str) -> &'scheme Inbox {
    [&scheme.payer, &scheme.payee, &scheme.bystander].into_iter().find(|inbox| inbox.name() == name).unwrap()
}

/// Checks that the hub told the sender of a message what became of it.
async fn assert_told(scheme: &Scheme, call: &Call, id: &str, error: (&str, &str)) {
    let source = call.header("fspiop-source");
    let told = inbox(scheme, source).next(&format!("PUT {}/error", path(id))).await;
    told.assert_made_by_hub(source, "1.1").assert_error(error.0, error.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_arrives_at_its_destination_as_it_was_sent() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    for version in ["1.0", "1.1"] {
        for call in messages(&id) {
            let line = format!("{} {}", call.method(), call.path());
            let method = call.method().to_owned();
            let call = call.version(version).with("fspiop-signature", "{}").with("fspiop-http-method", &method);
            let call = call.with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
            scheme.accept(&call).await;
            let to = call.header("fspiop-destination").to_owned();
            let received = inbox(&scheme, &to).next(&line).await;
            assert_relayed(&received, &call);
            for name in ["fspiop-destination", "fspiop-http-method"] {
                assert_eq!(received.header(name), call.header(name), "{line}");
            }
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_remembered_of_a_request() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    let other = request(&id).body(request_body(&id).to_string().replace("\"5\"", "\"6\""));
    for call in [request(&id), request(&id), other, answer(&id), answer(&id)] {
        scheme.accept(&call).await;
        let line = format!("{} {}", call.method(), call.path());
        assert_relayed(&inbox(&scheme, call.header("fspiop-destination")).next(&line).await, &call);
    }
    // Nor does anybody ask whether sender and currency exist.
    let foreign = request(&id).from("ghostfsp").body(request_body(&id).to_string().replace("USD", "ZAR"));
    scheme.accept(&foreign).await;
    assert_relayed(&scheme.payer.next("POST /transactionRequests").await, &foreign);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_destination_that_can_be_found_is_told_to_its_sender() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    let prefix = "Destination communication error -";
    let unknown = format!("{prefix} no FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE endpoint for DFSP ghostfsp");
    let missing = format!("{prefix} the fspiop-destination header is missing");
    for call in messages(&id) {
        scheme.accept(&call.clone().to("ghostfsp")).await;
        assert_told(&scheme, &call, &id, ("1001", &unknown)).await;
        scheme.accept(&call.clone().without("fspiop-destination")).await;
        assert_told(&scheme, &call, &id, ("1001", &missing)).await;
    }
    // A participant that has registered other endpoints only is not better than an unknown one.
    scheme.administer("POST /participants", json!({"name": "newfsp", "currency": "USD"})).await;
    scheme.accept(&request(&id).to("newfsp")).await;
    assert_told(&scheme, &request(&id), &id, ("1001", &unknown.replace("ghostfsp", "newfsp"))).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_dead_destination_is_told_to_its_sender_within_seconds() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let id = fresh_id();
    // From the bystander, whom nobody asks anything; at once, because each takes its two seconds.
    let calls = messages(&id).map(|call| call.from(BYSTANDER).to(PAYEE));
    for call in &calls {
        scheme.accept(call).await;
    }
    for call in &calls {
        assert_told(&scheme, call, &id, ("1001", UNREACHABLE)).await;
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_waits_in_the_outbox_and_a_question_does_not() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let ids = [fresh_id(), fresh_id(), fresh_id(), fresh_id()];
    let calls = [request(&ids[0]), question(&ids[1]), answer(&ids[2]), error(&ids[3])];
    let calls = calls.map(|call| call.from(BYSTANDER).to(PAYEE));
    for call in &calls {
        scheme.accept(call).await;
    }
    let page = scheme.administer(&format!("GET /umoja/v1/outbox?state=waiting&to={PAYEE}"), Value::Null).await;
    let waiting = page["messages"].as_array().unwrap().iter();
    let waiting: Vec<_> = waiting.map(|row| json!([row["method"], row["path"], row["to"]])).collect();
    let durable = calls.iter().filter(|call| call.method() != "GET");
    let expected: Vec<_> = durable.map(|call| json!([call.method(), call.path(), PAYEE])).collect();
    assert_eq!(waiting, expected);
    for (call, id) in calls.iter().zip(&ids) {
        assert_told(&scheme, call, id, ("1001", UNREACHABLE)).await;
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_fails_for_a_moment_still_gets_the_message() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    for call in messages(&id) {
        let to = inbox(&scheme, call.header("fspiop-destination"));
        to.fail(2, 503);
        scheme.accept(&call).await;
        for _ in 0..3 {
            assert_relayed(&to.next(&format!("{} {}", call.method(), call.path())).await, &call);
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_destination_that_refuses_decides_what_the_sender_is_told() {
    let scheme = Scheme::start().await;
    for (status, code, text) in [
        (404, "3200", "Generic ID not found - The peer answered 404"),
        (400, "3000", "Generic client error - The peer answered 400"),
        (500, "1001", UNREACHABLE),
    ] {
        let id = fresh_id();
        scheme.payer.answer_with(status);
        scheme.accept(&request(&id)).await;
        assert_told(&scheme, &request(&id), &id, (code, text)).await;
        assert!(!scheme.payer.take_all("POST /transactionRequests").is_empty());
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_at_once_and_reaches_nobody() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    let with = |call: Call, key: &str, value: Value| {
        let mut body: Value = serde_json::from_slice(call.bytes()).unwrap();
        if value.is_null() {
            body.as_object_mut().unwrap().remove(key);
        } else {
            body[key] = value;
        }
        call.body(body.to_string())
    };
    let unsupported = "406 3001 Unacceptable version requested - Client supplied a protocol version which is not supported by the server 1.1 1.0";
    let unwanted = "406 3001 Unacceptable version requested - The Client requested an unsupported version, see extension list for supported version(s). 1.0 1.1";
    let media_type = "application/vnd.interoperability.transactionRequests+xml;version=1.1";
    for (call, expected) in [
        (
            with(request(&id), "payer", Value::Null),
            "400 3102 Missing mandatory element - /requestBody must have required property 'payer'",
        ),
        (
            with(request(&id), "extra", json!(1)),
            "400 3103 Too many elements - /requestBody must NOT have additional properties",
        ),
        (
            with(answer(&id), "transactionRequestState", Value::Null),
            "400 3102 Missing mandatory element - /requestBody must have required property 'transactionRequestState'",
        ),
        (with(request(&id), "amount", json!("5")), "400 3101 Malformed syntax - /requestBody/amount must be object"),
        (request(&id).with("content-type", media_type), "400 3101 Malformed syntax - Unsupported Media Type"),
        (answer(&id).version("2.0"), unsupported),
        (question(&id).with("accept", question(&id).version("2.0").header("accept")), unwanted),
    ] {
        assert_eq!(scheme.send(&call).await.error(), expected, "{call:?}");
    }
    // Enumerations of this resource are plain text.
    let odd = with(answer(&id), "transactionRequestState", json!("PERHAPS"));
    scheme.accept(&odd).await;
    assert_relayed(&scheme.payee.next(&format!("PUT {}", path(&id))).await, &odd);
    scheme.end().await;
}
