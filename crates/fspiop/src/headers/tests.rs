//! The checks of headers, one table a section of the contract.

use super::*;
use crate::{accept, content_type, route};
use http::HeaderValue;

const DATE: &str = "Fri, 20 Nov 2026 21:53:58 GMT";

struct Request {
    route: RawRoute,
    headers: HeaderMap,
}

/// A complete request of version 1.1 from `payerfsp` to `payeefsp`.
fn request(method: &str, path: &str) -> Request {
    let method: Method = method.parse().unwrap();
    let route = route(&method, path).unwrap();
    let mut headers = HeaderMap::new();
    let media_type = HeaderValue::try_from(content_type(route.resource(), Version::V1_1)).unwrap();
    headers.insert("content-type", media_type);
    if !route.is_callback() {
        headers.insert("accept", HeaderValue::try_from(accept(route.resource(), Version::V1_1)).unwrap());
    }
    headers.insert("date", HeaderValue::from_static(DATE));
    headers.insert(SOURCE, HeaderValue::from_static("payerfsp"));
    headers.insert(DESTINATION, HeaderValue::from_static("payeefsp"));
    Request { route, headers }
}

impl Request {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    fn check(&self) -> Result<Envelope, FspiopError> {
        check_headers(&self.route, &self.headers)
    }

    /// Status and text of the refusal.
    fn refusal(&self) -> (u16, String) {
        let error = self.check().unwrap_err();
        (error.http_status(), error.to_string())
    }
}

#[test]
fn a_complete_request_yields_its_envelope() {
    let envelope = request("POST", "/transfers").with(PROXY, "proxyA").check().unwrap();
    assert_eq!(envelope.source.as_str(), "payerfsp");
    assert_eq!(envelope.destination.unwrap().as_str(), "payeefsp");
    assert_eq!(envelope.proxy.unwrap().as_str(), "proxyA");
    assert_eq!(envelope.version, Version::V1_1);
    assert_eq!(envelope.date.http().to_string(), DATE);
    assert!(envelope.has_accept);
}

#[test]
fn accept_is_mandatory_for_requests_and_optional_for_callbacks() {
    assert!(!request("PUT", "/transfers/x").check().unwrap().has_accept);
    assert!(!request("PATCH", "/transfers/x").check().unwrap().has_accept);
    for (method, path) in [("GET", "/transfers/x"), ("POST", "/transfers"), ("DELETE", "/participants/MSISDN/1")] {
        let refusal = request(method, path).without("accept").refusal();
        assert_eq!(refusal, (400, "3102: Missing mandatory element - Accept is required".to_owned()));
    }
    assert_eq!(
        request("POST", "/quotes").without("accept").refusal(),
        (400, "3102: Missing mandatory element - /header must have required property 'accept'".to_owned())
    );
    assert_eq!(
        request("PUT", "/transfers/x").with("accept", "text/html").refusal(),
        (400, "3101: Malformed syntax - Invalid accept header".to_owned())
    );
}

#[test]
fn an_unsupported_version_is_406_and_lists_the_supported_ones() {
    let asked = request("GET", "/transfers/x");
    let asked = asked.with("accept", "application/vnd.interoperability.transfers+json;version=9");
    let error = asked.check().unwrap_err();
    assert_eq!(error.http_status(), 406);
    assert_eq!(
        error.description(),
        "Unacceptable version requested - The Client requested an unsupported version, \
         see extension list for supported version(s)."
    );
    let listed = |error: &FspiopError| -> Vec<String> {
        error.extensions().iter().map(|entry| format!("{}.{}", entry.key, entry.value)).collect()
    };
    assert_eq!(listed(&error), ["1.0", "1.1", "2.0"]);

    let sent = request("GET", "/transfers/x");
    let sent = sent.with("content-type", "application/vnd.interoperability.transfers+json;version=3.0");
    let error = sent.check().unwrap_err();
    assert_eq!(error.http_status(), 406);
    assert!(error.description().ends_with(UNSUPPORTED_CONTENT));
    assert_eq!(listed(&error), ["1.1", "1.0", "2.0"]);
}

#[test]
fn transaction_requests_know_versions_1_only() {
    let sent = request("GET", "/transactionRequests/x");
    let sent = sent.with("content-type", "application/vnd.interoperability.transactionRequests+json;version=2.0");
    let error = sent.check().unwrap_err();
    assert_eq!((error.http_status(), error.extensions().len()), (406, 2));
}

#[test]
fn a_media_type_that_is_not_json_is_refused_first_by_transaction_requests_and_in_turn_by_the_others() {
    let xml = "application/vnd.interoperability.transactionRequests+xml;version=1.1";
    let sent = request("POST", "/transactionRequests").with("content-type", xml).without("accept");
    assert_eq!(sent.refusal(), (400, "3101: Malformed syntax - Unsupported Media Type".to_owned()));
    assert_eq!(
        request("POST", "/quotes").with("content-type", "application/xml").refusal(),
        (400, "3101: Malformed syntax - Invalid content-type header".to_owned())
    );
    assert_eq!(
        request("GET", "/quotes/b51ec534-ee48-4575-b6a9-ead2955b8069").without("content-type").refusal(),
        (400, "3102: Missing mandatory element - Content-type is required".to_owned())
    );
}

#[test]
fn the_date_is_mandatory_and_has_one_form() {
    let refusal = request("POST", "/quotes").without("date").refusal();
    assert_eq!(refusal, (400, "3102: Missing mandatory element - /header must have required property 'date'".into()));
    for date in ["12345", "2026-11-20T21:53:58.000Z", "Thu, 20 Nov 2026 21:53:58 GMT", ""] {
        let refusal = request("POST", "/quotes").with("date", date).refusal();
        assert_eq!(refusal, (400, "3101: Malformed syntax - Invalid date header".to_owned()), "{date}");
    }
}

#[test]
fn the_content_length_has_a_limit() {
    assert!(request("POST", "/transfers").with("content-length", "5242880").check().is_ok());
    for length in ["5242881", "99999999999999999999999"] {
        let refusal = request("POST", "/transfers").with("content-length", length).refusal();
        assert_eq!(refusal, (400, "3104: Too large payload".to_owned()));
    }
    let refusal = request("POST", "/transfers").with("content-length", "-1").refusal();
    assert_eq!(refusal, (400, "3101: Malformed syntax - Invalid content-length header".to_owned()));
}

#[test]
fn the_source_is_mandatory_and_has_1_to_32_characters() {
    for (value, text) in [
        (None, "3102: Missing mandatory element - /header must have required property 'fspiop-source'"),
        (Some(""), "3100: Generic validation error - /header/fspiop-source must NOT have fewer than 1 characters"),
        (
            Some("abcdefghijabcdefghijabcdefghijabc"),
            "3100: Generic validation error - /header/fspiop-source must NOT have more than 32 characters",
        ),
    ] {
        let asked = request("GET", "/parties/MSISDN/1").without(SOURCE);
        let asked = if let Some(value) = value { asked.with(SOURCE, value) } else { asked };
        assert_eq!(asked.refusal(), (400, text.to_owned()));
    }
}

#[test]
fn the_destination_is_mandatory_for_quotes_and_never_empty() {
    let text = "3102: Missing mandatory element - /header must have required property 'fspiop-destination'";
    assert_eq!(request("POST", "/quotes").without(DESTINATION).refusal(), (400, text.to_owned()));
    assert_eq!(request("POST", "/fxQuotes").without(DESTINATION).refusal(), (400, text.to_owned()));
    assert_eq!(request("POST", "/transfers").without(DESTINATION).check().unwrap().destination, None);
    for path in ["/parties/MSISDN/1", "/participants/MSISDN/1"] {
        assert_eq!(request("GET", path).with(DESTINATION, "").check().unwrap_err().code, ErrorCode::GENERIC_VALIDATION);
    }
}

#[test]
fn who_the_gateway_let_in_cannot_speak_for_another() {
    let sent = |client: &str| request("POST", "/transfers").with(CLIENT_ID, client);
    assert!(sent("payerfsp").check().is_ok());
    let wrong_source = (400, "3100: Generic validation error - Invalid fspiop-source header".to_owned());
    assert_eq!(sent("otherfsp").refusal(), wrong_source);
    assert_eq!(sent("otherfsp").without(SOURCE).without("accept").refusal(), wrong_source);
    assert!(sent("proxyA").with(PROXY, "proxyA").check().is_ok());
    let wrong_proxy = (400, "3100: Generic validation error - Invalid fspiop-proxy header".to_owned());
    assert_eq!(sent("payerfsp").with(PROXY, "proxyA").refusal(), wrong_proxy);
    assert_eq!(sent("payerfsp").with(PROXY, "payerfsp").refusal(), wrong_proxy);
}

#[test]
fn a_header_that_decides_something_is_sent_once() {
    for name in [SOURCE, DESTINATION, PROXY, "date", "content-type", "accept", CLIENT_ID] {
        let mut sent = request("POST", "/transfers").with(PROXY, "a").with(CLIENT_ID, "a");
        sent.headers.append(name, HeaderValue::from_static("a"));
        assert_eq!(sent.check().unwrap_err().code, ErrorCode::MALFORMED_SYNTAX, "{name}");
    }
}

#[test]
fn of_several_faults_the_first_in_order_is_reported() {
    let names = ["accept", "date", "content-type", SOURCE, DESTINATION];
    let mut sent = request("POST", "/quotes").with(CLIENT_ID, "x");
    for name in names {
        sent = sent.without(name);
    }
    assert!(sent.refusal().1.ends_with("Invalid fspiop-source header"));
    sent = sent.without(CLIENT_ID);
    for (index, expected) in ["accept", "date", "Content-type", SOURCE, DESTINATION].into_iter().enumerate() {
        assert!(sent.refusal().1.contains(expected), "{} for {expected}", sent.refusal().1);
        let complete = request("POST", "/quotes").headers;
        sent.headers.insert(names[index], complete[names[index]].clone());
    }
    assert!(sent.check().is_ok());
}
