//! `Content-Type` and `Accept` of any text, in headers that are correct otherwise.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((route, rest)) = fuzz::known_route(bytes) else { return };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    headers.insert("date", HeaderValue::from_static("Fri, 20 Nov 2026 21:53:58 GMT"));
    headers.insert(fspiop::headers::SOURCE, HeaderValue::from_static("payer"));
    headers.insert(fspiop::headers::DESTINATION, HeaderValue::from_static("payee"));
    for name in ["content-type", "accept"] {
        if let Some(value) = parts.next().and_then(|value| HeaderValue::from_bytes(value).ok()) {
            headers.insert(name, value);
        }
    }
    if let Ok(envelope) = fspiop::check_headers(&route, &headers) {
        // What is accepted names the resource and ends in the version that was read.
        let text = headers["content-type"].to_str().expect("an accepted media type is ASCII");
        assert!(text.starts_with(&format!("application/vnd.interoperability.{}+json", route.resource())), "{text}");
        assert!(text.ends_with(envelope.version.as_str()), "{text}");
    }
});
