//! Explanations of what was done to a message on its way.

use super::*;
use crate::jws::{SigningKey, sign};
use http::{HeaderValue, Method};
use proptest::prelude::*;
use std::sync::LazyLock;

const BODY: &str = r#"{"amount":{"amount":"1.50","currency":"USD"},"note":"a \"b\" c"}"#;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate_rsa().unwrap().0);

fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap()
}

fn signed() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (URI, "/transfers/1"),
        (HTTP_METHOD, "PUT"),
        (SOURCE, "payeefsp"),
        (DESTINATION, "payerfsp"),
        ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let signature = sign(&KEY, &headers, BODY.as_bytes()).unwrap();
    headers.insert(SIGNATURE, signature.parse().unwrap());
    headers
}

fn of(headers: &HeaderMap, body: &str) -> Explanation {
    explain(&public(&KEY), headers, body.as_bytes(), (None, None))
}

/// The only sentence.
fn sentence(explanation: &Explanation) -> &str {
    assert_eq!(explanation.findings.len(), 1, "{:#?}", explanation.findings);
    &explanation.findings[0].sentence
}

#[test]
fn a_message_as_it_was_signed_needs_no_sentence() {
    let explained = of(&signed(), BODY);
    assert_eq!((explained.is_valid, &explained.findings[..]), (true, &[][..]));
    assert_eq!((explained.source.as_deref(), explained.algorithm.as_deref()), (Some("payeefsp"), Some("RS256")));
}

#[test]
fn every_header_that_differs_is_named_with_its_byte() {
    let mut headers = signed();
    headers.insert(URI, HeaderValue::from_static("/transfers/2"));
    headers.remove("date");
    headers.insert(DESTINATION, HeaderValue::from_static("payerfsp2"));
    let explained = of(&headers, BODY);
    let sentences: Vec<&str> = explained.findings.iter().map(|finding| &finding.sentence[..]).collect();
    assert_eq!(
        sentences,
        [
            "The header fspiop-uri differs from byte 11 on: 0x31 was signed, 0x32 received (\"/transfers/1\" and \
             \"/transfers/2\").",
            "The header fspiop-destination differs from byte 8 on: nothing more was signed, 0x32 received \
             (\"payerfsp\" and \"payerfsp2\").",
            "The header date was signed as \"Fri, 20 Nov 2026 21:53:58 GMT\", and the message has none.",
        ]
    );
    assert!(!explained.is_valid);
}

#[test]
fn a_body_that_was_written_anew_is_told_from_one_that_was_changed() {
    let spread = BODY.replace(':', ": ");
    let explained = of(&signed(), &spread);
    assert!(explained.is_valid, "the sorted form is accepted");
    assert_eq!(
        sentence(&explained),
        "The signature fits the body with its members sorted and no white space: somebody has written it anew on its \
         way. It is accepted all the same. The body differs from byte 10 on: 0x7b was signed, 0x20 received \
         (\"{\"amount\":{\"amount\":\"1.50\"\" and \"{\"amount\": {\"amount\": \"1.5\")."
    );
    let changed = of(&signed(), &BODY.replace("1.50", "1.51"));
    assert!(!changed.is_valid && sentence(&changed).starts_with("The signature fits the body in no form: "));
}

#[test]
fn members_that_were_not_sorted_fit_without_white_space_and_are_not_accepted() {
    let unsorted = r#"{"b":"x y","a":"1"}"#;
    let mut headers = signed();
    let signature = sign(&KEY, &headers, unsorted.as_bytes()).unwrap();
    headers.insert(SIGNATURE, signature.parse().unwrap());
    let explained = of(&headers, "{\"b\":\"x y\", \"a\":\"1\"}\n");
    assert!(!explained.is_valid);
    assert!(sentence(&explained).contains("without the white space in it"), "{explained:?}");
    assert_eq!(explained.findings[0].byte, Some(11));
}

#[test]
fn with_the_body_that_was_sent_the_changed_byte_is_named() {
    let received = BODY.replace("1.50", "1.51");
    let sent = Some(BODY.as_bytes());
    let explained = explain(&public(&KEY), &signed(), received.as_bytes(), (None, sent));
    assert_eq!(explained.findings.len(), 2);
    assert_eq!(explained.findings[1].byte, Some(24));
    assert!(explained.findings[1].sentence.starts_with("The body differs from byte 24 on: 0x30 was signed, 0x31"));
}

#[test]
fn another_request_another_kind_of_key_and_no_signature_are_told_apart() {
    let headers = signed();
    let (method, body) = (Method::POST, BODY.as_bytes());
    let received = Received { method: &method, path: "/transfers", headers: &headers, body };
    let explained = explain(&public(&KEY), &headers, body, (Some(received), None));
    let expected = "The request is POST /transfers, and the header fspiop-http-method is not that of the request.";
    assert_eq!((explained.is_valid, sentence(&explained)), (false, expected));

    let p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li\n/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n";
    let key = VerificationKey::from_pem(p256).unwrap();
    let explained = explain(&key, &headers, body, (None, None));
    assert_eq!(sentence(&explained), "The signature says that it is RS256; the key verifies ES256.");

    let mut headers = headers;
    headers.remove(SIGNATURE);
    let told = of(&headers, BODY);
    assert_eq!(sentence(&told), "There is no fspiop-signature header: the message is not signed.");
    headers.insert(SIGNATURE, HeaderValue::from_static("{}"));
    assert!(!of(&headers, BODY).is_valid);
    let told = of(&signed(), "");
    assert_eq!(sentence(&told), "The body is empty, and a message without a body cannot be signed.");
}

proptest! {
    #[test]
    fn what_is_explained_is_what_is_verified_and_a_fault_always_has_a_sentence(
        which in 0..7usize,
        at: prop::sample::Index,
        byte: u8,
    ) {
        static SIGNED: LazyLock<(VerificationKey, HeaderMap)> = LazyLock::new(|| (public(&KEY), signed()));
        let (key, mut headers) = (&SIGNED.0, SIGNED.1.clone());
        let mut body = BODY.as_bytes().to_vec();
        if let Some(name) = [URI, HTTP_METHOD, SOURCE, DESTINATION, "date", SIGNATURE].get(which) {
            let mut value = headers[*name].as_bytes().to_vec();
            let at = at.index(value.len());
            value[at] = byte;
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            headers.insert(*name, value);
        } else {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let explained = explain(key, &headers, &body, (None, Some(BODY.as_bytes())));
        prop_assert_eq!(explained.is_valid, verify(key, &headers, &body).is_ok());
        prop_assert!(explained.is_valid || !explained.findings.is_empty());
    }
}
