//! Paths, methods and headers.

use super::{Case, assert_refused, case, cut};
use crate::support::{Call, PAYEE, PAYER, Payment, Quote, Scheme, fresh_id};

const UNSUPPORTED_ACCEPT: &str = "406 3001 Unacceptable version requested - The Client requested an unsupported version, \
    see extension list for supported version(s). 1.0 1.1 2.0";
const UNSUPPORTED_CONTENT: &str = "406 3001 Unacceptable version requested - Client supplied a protocol version which is \
    not supported by the server 1.1 1.0 2.0";

/// One correct call of each resource and kind, all of them refused for their headers below.
fn calls() -> [(&'static str, Call); 7] {
    let (payment, quote) = (Payment::usd("1"), Quote::usd("1"));
    [
        ("POST /transfers", payment.prepare()),
        ("GET /transfers/{ID}", payment.question(PAYER)),
        ("PUT /transfers/{ID}", payment.fulfil("COMMITTED")),
        ("POST /quotes", quote.request()),
        ("GET /quotes/{ID}", Call::new(&format!("GET {}", quote.path()))),
        ("PUT /quotes/{ID}", quote.response()),
        ("GET /parties/{Type}/{ID}", Call::new("GET /parties/MSISDN/27710000002")),
    ]
}

/// A case for each of the calls, spoilt in the same way.
fn spoilt(spoil: impl Fn(Call) -> Call, answer: impl Fn(&Call) -> String) -> Vec<Case> {
    calls().into_iter().map(|(what, call)| case(what, spoil(call.clone()), answer(&call))).collect()
}

fn missing(header: &str) -> String {
    format!("400 3102 Missing mandatory element - /header must have required property '{header}'")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandatory_header_that_is_missing_is_named() {
    let mut cases = spoilt(|call| call.without("date"), |_| missing("date"));
    cases.extend(spoilt(|call| call.without("fspiop-source"), |_| missing("fspiop-source")));
    let content_type = "400 3102 Missing mandatory element - Content-type is required";
    cases.extend(spoilt(|call| call.without("content-type"), |_| content_type.to_owned()));
    for (what, call) in calls().into_iter().filter(|(_, call)| !call.is_callback()) {
        // Conformance cases of two generations want two texts.
        let answer = match what {
            "POST /quotes" => missing("accept"),
            _ => "400 3102 Missing mandatory element - Accept is required".to_owned(),
        };
        cases.push(case(what, call.without("accept"), answer));
    }
    for (what, call) in calls().into_iter().filter(|(_, call)| call.path().starts_with("/quotes")) {
        cases.push(case(what, call.without("fspiop-destination"), missing("fspiop-destination")));
    }
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_406_with_the_versions_that_are_spoken() {
    let mut cases = Vec::new();
    for (what, call) in calls() {
        let is_callback = call.is_callback();
        let resource = call.path().split('/').nth(1).unwrap().to_owned();
        let media_type = |version: &str| format!("application/vnd.interoperability.{resource}+json{version}");
        for version in [";version=3.0", ";version=1.2", ";version=10.0"] {
            cases.push(case(what, call.clone().with("content-type", &media_type(version)), UNSUPPORTED_CONTENT));
        }
        if !is_callback {
            for version in [";version=3", ";version=1.5", ""] {
                cases.push(case(what, call.clone().with("accept", &media_type(version)), UNSUPPORTED_ACCEPT));
            }
        }
    }
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_media_type_is_malformed() {
    let (accept, content_type) = (
        "400 3101 Malformed syntax - Invalid accept header",
        "400 3101 Malformed syntax - Invalid content-type header",
    );
    let mut cases = Vec::new();
    for media_type in [
        "application/json",
        "application/xml",
        "application/vnd.interoperability.bulkQuotes+json;version=1.1",
        "application/vnd.interoperability.TRANSFERS+json;version=1.1",
        "text/html; charset=utf-8",
    ] {
        cases.extend(spoilt(|call| call.with("content-type", media_type), |_| content_type.to_owned()));
        let asking = calls().into_iter().filter(|(_, call)| !call.is_callback());
        cases.extend(asking.map(|(what, call)| case(what, call.with("accept", media_type), accept)));
    }
    let post = Payment::usd("1").prepare();
    let base = "application/vnd.interoperability.transfers+json";
    for (what, call, answer) in [
        ("no version", post.clone().with("content-type", base), content_type),
        ("no minor version", post.clone().with("content-type", &format!("{base};version=1")), content_type),
        ("two blanks", post.clone().with("content-type", &format!("{base};  version=1.1")), content_type),
        ("a charset", post.clone().with("content-type", &format!("{base};version=1.1;charset=utf-8")), content_type),
        (
            "a blank after the comma",
            post.clone().with("accept", &format!("{base};version=1, {base};version=2")),
            accept,
        ),
        ("an accept that is malformed on a callback", Quote::usd("1").response().with("accept", "*/*"), accept),
    ] {
        cases.push(case(what, call, answer));
    }
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_with_a_wrong_value_is_refused() {
    let mut cases = Vec::new();
    let date = "400 3101 Malformed syntax - Invalid date header";
    for text in
        ["yesterday", "2026-11-21T00:00:00.000Z", "Sat, 21 Nov 2026 00:00:00 CET", "21 Nov 2026 00:00:00 GMT", ""]
    {
        cases.extend(spoilt(|call| call.with("date", text), |_| date.to_owned()));
    }
    let long = "x".repeat(33);
    for (name, value, bound) in [
        ("fspiop-source", "", "fewer than 1"),
        ("fspiop-source", long.as_str(), "more than 32"),
        ("fspiop-destination", "", "fewer than 1"),
        ("fspiop-destination", long.as_str(), "more than 32"),
    ] {
        let answer = format!("400 3100 Generic validation error - /header/{name} must NOT have {bound} characters");
        cases.extend(spoilt(|call| call.with(name, value), |_| answer.clone()));
    }
    let twice = "400 3101 Malformed syntax - Invalid fspiop-source header";
    cases.extend(spoilt(|call| call.and("fspiop-source", PAYEE), |_| twice.to_owned()));
    let impostor = "400 3100 Generic validation error - Invalid fspiop-source header";
    cases.extend(spoilt(|call| call.with("x-client-id", "somebody"), |_| impostor.to_owned()));
    let proxy = "400 3100 Generic validation error - Invalid fspiop-proxy header";
    let spoil = |call: Call| call.with("x-client-id", "somebody").with("fspiop-proxy", "another");
    cases.extend(spoilt(spoil, |_| proxy.to_owned()));
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_judged_in_the_order_of_the_contract() {
    let bare = Call::new("POST /transfers").without("accept").without("date").without("content-type");
    let body = Payment::usd("1").prepare_body().to_string();
    let media_type = "application/vnd.interoperability.transfers+json;version=1.1";
    let bare = bare.without("fspiop-source").body(body);
    let client = bare.clone().with("x-client-id", PAYER);
    let accepting = bare.clone().with("accept", media_type);
    let dated = accepting.clone().with("date", "Sat, 21 Nov 2026 00:00:00 GMT");
    assert_refused(vec![
        case("who", client, "400 3100 Generic validation error - Invalid fspiop-source header"),
        case("then accept", bare, "400 3102 Missing mandatory element - Accept is required"),
        case("then date", accepting, missing("date")),
        case("then content-type", dated.clone(), "400 3102 Missing mandatory element - Content-type is required"),
        case("then the rest", dated.clone().with("content-type", media_type), missing("fspiop-source")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_are_404_and_never_reach_a_resource() {
    let unknown = |line: &'static str| {
        let path = line.split_once(' ').unwrap().1;
        case(line, Call::new(line), format!("404 3002 Unknown URI - {path}"))
    };
    assert_refused(vec![
        unknown("GET /foo"),
        unknown("GET /"),
        unknown("POST /Transfers"),
        unknown("PUT /transfers/"),
        unknown("PUT /quotes/"),
        unknown("PUT /transfers/a/b"),
        unknown("GET /parties/MSISDN"),
        unknown("GET /transactions/1"),
        case("bytes that are no text", Call::new("GET /parties/MSISDN/%FF"), {
            "400 3101 Malformed syntax - the path is not percent-encoded UTF-8"
        }),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_405_and_the_answer_lists_those_that_are_allowed() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    for (line, pattern, allow) in [
        (format!("DELETE /transfers/{id}"), "/transfers/{ID}", "GET, PUT, PATCH"),
        ("GET /transfers".to_owned(), "/transfers", "POST"),
        (format!("POST /quotes/{id}"), "/quotes/{id}", "GET, PUT"),
        (format!("GET /transfers/{id}/error"), "/transfers/{ID}/error", "PUT"),
        ("POST /parties/MSISDN/1".to_owned(), "/parties/{Type}/{ID}", "GET, PUT"),
        ("PATCH /participants/MSISDN/1".to_owned(), "/participants/{Type}/{ID}", "GET, POST, PUT, DELETE"),
    ] {
        let method = line.split_once(' ').unwrap().0;
        let reply = scheme.send(&Call::new(&line)).await;
        let expected = format!("405 3000 Generic client error - Method Not Allowed - {method} {pattern}");
        assert_eq!((reply.error(), reply.header("allow")), (expected, allow), "{line}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_hub_sends_is_not_implemented_inbound() {
    let id = fresh_id();
    let answer = "501 2002 Not implemented";
    let patch = r#"{"transferState":"COMMITTED","completedTimestamp":"2026-11-21T00:00:00.000Z"}"#;
    let parties = r#"{"partyList":[]}"#;
    assert_refused(vec![
        case("PATCH", Call::new(&format!("PATCH /transfers/{id}")).body(patch), answer),
        case("batch", Call::new(&format!("PUT /participants/{id}")).body(parties), answer),
        case("batch error", Call::new(&format!("PUT /participants/{id}/error")).body(parties), answer),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_parameter_with_a_wrong_form_is_refused_where_the_contract_checks_it() {
    let id = "Generic validation error - /path/id must match pattern \"^[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-\
        [89ab][0-9a-f]{3}-[0-9a-f]{12}$|^[0-9A-HJKMNP-TV-Z]{26}$\"";
    let id = format!("400 3100 {}", cut(id));
    let id_type = "400 3100 Generic validation error - /path/Type must be equal to one of the allowed values";
    let currency = "400 3100 Generic validation error - /query/currency must be equal to one of the allowed values";
    let body = Quote::usd("1").response_body().to_string();
    let error = r#"{"errorInformation":{"errorCode":"5100","errorDescription":"no"}}"#;
    assert_refused(vec![
        case("GET", Call::new("GET /quotes/B51EC534-EE48-4575-B6A9-EAD2955B8069"), id.as_str()),
        case("PUT", Call::new("PUT /quotes/1234").body(body), id.as_str()),
        case("error", Call::new("PUT /quotes/b51ec534ee484575b6a9ead2955b8069/error").body(error), id.as_str()),
        case("type", Call::new("GET /parties/PHONE/27710000002"), id_type),
        case("case of a type", Call::new("GET /participants/msisdn/27710000002"), id_type),
        case("currency", Call::new("GET /parties/MSISDN/27710000002?currency=ZZZ"), currency),
        case("currency", Call::new("GET /participants/MSISDN/27710000002?currency=usd"), currency),
    ])
    .await;
}
