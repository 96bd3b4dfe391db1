//! Synchronous answers: status and body of what is accepted, refused, unknown, not allowed and not implemented.

use crate::{
    Book, VERSIONS,
    definitions::Definitions,
    deviations::Deviations,
    support::{BYSTANDER, Call, PAYEE, Payment, Quote, Scheme, fresh_id, party_body},
};
use serde_json::json;

/// A correct message of every resource.
fn correct() -> Vec<Call> {
    let (payment, quote, id) = (Payment::usd("1"), Quote::usd("1"), fresh_id());
    let batch =
        json!({"requestId": id, "partyList": [{"partyIdType": "ALIAS", "partyIdentifier": "a", "fspId": "ghostfsp"}]});
    let error = payment.reject("5104", "no").bytes().clone();
    let party = "MSISDN/27710000002";
    vec![
        Payment { payer: "ghostfsp", ..payment.clone() }.prepare(),
        payment.question("ghostfsp"),
        payment.fulfil("COMMITTED"),
        payment.reject("5104", "no"),
        quote.request(),
        quote.response(),
        Call::new(&format!("GET {}", quote.path())),
        Call::new(&quote.put_error()).body(error.clone()),
        Call::new(&format!("GET /parties/{party}")),
        Call::new(&format!("GET /parties/{party}/sub")),
        Call::new(&format!("PUT /parties/{party}")).body(party_body("MSISDN", "27710000002")),
        Call::new(&format!("PUT /parties/{party}/error")).body(error.clone()),
        Call::new(&format!("GET /participants/{party}")),
        Call::new(&format!("POST /participants/{party}")).body(json!({"fspId": "ghostfsp"}).to_string()),
        Call::new(&format!("PUT /participants/{party}")).body(json!({"fspId": "ghostfsp"}).to_string()),
        Call::new(&format!("DELETE /participants/{party}")),
        Call::new(&format!("PUT /participants/{party}/error")).body(error),
        Call::new("POST /participants").body(batch.to_string()),
    ]
}

/// What may be wrong with any message.
fn spoiled(call: &Call) -> Vec<Call> {
    let media_type = call.header("content-type").to_owned();
    let mut all = vec![
        call.clone().without("date"),
        call.clone().with("date", "yesterday"),
        call.clone().without("fspiop-source"),
        call.clone().with("fspiop-source", &"x".repeat(33)),
        call.clone().without("content-type"),
        call.clone().with("content-type", "application/json"),
        call.clone().with("content-type", &media_type.replace("version=", "version=7")),
        call.clone().with("accept", "*/*"),
        call.clone().with("accept", &media_type.replace("version=", "version=7")),
        call.clone().with("x-client-id", "somebody"),
    ];
    if !call.bytes().is_empty() {
        all.extend(["{", "[]", "null", "7"].map(|body| call.clone().body(body)));
    }
    all
}

fn line_of(call: &Call) -> String {
    format!("{} {}", call.method(), call.path())
}

/// Sends a call and collects what is wrong with the answer.
async fn check(book: &Book, scheme: &Scheme, call: &Call, version: &str, problems: &mut Vec<String>) -> u16 {
    let reply = scheme.send(call).await;
    let line = line_of(call);
    if reply.status >= 400 {
        assert_eq!(reply.header("content-type"), "application/json", "{line}");
    }
    if let Err(problem) = book.file(version).check_answer(&line, reply.status, &reply.body)
        && !book.deviations.allows(&line, reply.status)
    {
        problems.push(format!("{line} ({version}) {}: {problem}\n{}", reply.status, reply.text()));
    }
    reply.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_status_and_a_body_that_the_definitions_list() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    let mut problems = Vec::new();
    for version in VERSIONS {
        for call in correct() {
            let call = call.from(BYSTANDER).version(version);
            let status = check(&book, &scheme, &call, version, &mut problems).await;
            assert!(status < 300, "{call:?}");
            for call in spoiled(&call) {
                let status = check(&book, &scheme, &call, version, &mut problems).await;
                assert!([400, 406].contains(&status), "{status} {call:?}");
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_oracle_administration_are_those_of_its_definition() {
    let Some(file) = Definitions::load("account-lookup-admin.yaml") else { return };
    let scheme = Scheme::start().await;
    let oracle = json!({
        "oracleIdType": "ACCOUNT_ID", "endpoint": {"value": "http://127.0.0.1:1", "endpointType": "URL"},
        "currency": "USD", "isDefault": true,
    });
    let call = |line: &str| {
        let (method, path) = line.split_once(' ').unwrap();
        Call::new(&format!("{method} /participants")).at(path)
    };
    let changed =
        json!({"oracleIdType": "ACCOUNT_ID", "endpoint": {"value": "http://127.0.0.1:2", "endpointType": "URL"}});
    let wrong = json!({"oracleIdType": "NOTYPE"});
    let deviations = Deviations::load();
    let (mut problems, mut deviating) = (Vec::new(), Vec::new());
    for (call, expected) in [
        (call("GET /health"), 200),
        (call("POST /oracles").plain_body(oracle.to_string()), 201),
        (call("POST /oracles").plain_body(wrong.to_string()), 400),
        (call("GET /oracles"), 200),
        (call("GET /oracles?type=ACCOUNT_ID&currency=USD"), 200),
        (call("PUT /oracles/1").plain_body(changed.to_string()), 204),
        (call("PUT /oracles/99").plain_body(changed.to_string()), 400),
        (call("DELETE /oracles/1"), 204),
    ] {
        let reply = scheme.ask_oracles(&call).await;
        let line = line_of(&call);
        assert_eq!(reply.status, expected, "{line}: {}", reply.text());
        if let Err(problem) = file.check_answer(&line, reply.status, &reply.body) {
            let listed = deviations.values(line.split('?').next().unwrap()).unwrap_or_default();
            let rest = without(&reply.body, &listed);
            if file.check_answer(&line, reply.status, &rest).is_err() {
                problems.push(format!("{line} {}: {problem}\n{}", reply.status, reply.text()));
            }
            deviating.push(line);
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // What the list of deviations says is still needed.
    assert_eq!(deviating, ["GET /oracles", "GET /oracles?type=ACCOUNT_ID&currency=USD"]);
    scheme.end().await;
}

/// A list of objects without some of their members.
fn without(body: &[u8], members: &[String]) -> Vec<u8> {
    let mut body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    for item in body.as_array_mut().into_iter().flatten() {
        for member in members {
            item.as_object_mut().unwrap().remove(member);
        }
    }
    body.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_do_not_exist_and_what_is_not_implemented_are_answered_as_defined() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    let mut problems = Vec::new();
    let payment = Payment::usd("1");
    let notice = json!({"transferState": "COMMITTED", "completedTimestamp": "2026-11-20T21:53:58.000Z"}).to_string();
    for (call, expected) in [
        (Call::new("GET /nothing"), 404),
        (Call::new("POST /transfers/1/2/3"), 404),
        (Call::new("DELETE /transfers"), 405),
        (Call::new("POST /parties/MSISDN/1"), 405),
        (Call::new("PATCH /quotes/1"), 405),
        (Call::new(&payment.patch()).from(BYSTANDER).body(notice), 501),
        (
            Call::new(&format!("PUT /participants/{}", fresh_id()))
                .from(PAYEE)
                .body(json!({"partyList": []}).to_string()),
            501,
        ),
        (Call::new("GET /parties/NOTYPE/1"), 400),
        (Call::new("GET /quotes/not-an-id"), 400),
        (Call::new("GET /parties/MSISDN/1?currency=ZZZ"), 400),
        (Call::new("GET /parties/MSISDN/%ff"), 400),
    ] {
        let status = check(&book, &scheme, &call, "1.1", &mut problems).await;
        assert_eq!(status, expected, "{call:?}");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    scheme.end().await;
}
