//! Access tokens of any text, requests for a token, and sets of keys.
#![no_main]

use fspiop::jws::{SigningKey, VerificationKey};
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use oauth::{Expected, KeySet, Token, TokenRequest};
use std::sync::LazyLock;
use vocabulary::Timestamp;

static KEY: LazyLock<VerificationKey> = LazyLock::new(|| {
    let (key, _) = SigningKey::generate_p256().expect("the system gives random numbers");
    VerificationKey::from_parameters(&key.parameters()).expect("a new key can be used")
});

fuzz_target!(|bytes: &[u8]| {
    drop(KeySet::parse(bytes));
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    if let Some(value) = parts.next().and_then(|value| HeaderValue::from_bytes(value).ok()) {
        headers.insert(header::AUTHORIZATION, value);
    }
    if let Ok(request) = TokenRequest::parse(&headers, parts.next().unwrap_or_default()) {
        assert!(request.names().count() <= 2);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(token) = Token::parse(text) {
        let expected = Expected { issuer: "i", audience: "a", now: Timestamp::from_millis(0), leeway_ms: 0 };
        let checked = token.verified([&*KEY].into_iter()).and_then(|claims| claims.check(&expected));
        assert!(checked.is_err(), "nobody has signed {text}");
    }
});
