//! Signatures by the vectors of existing clients, and by what must not pass.

use super::*;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use std::path::Path;

/// The shared vectors, if they are there.
fn vectors() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract/vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the shared vectors are not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn headers_of(vector: &Value) -> HeaderMap {
    let pairs = vector["headers"].as_object().unwrap().iter();
    let parse = |(name, value): (&String, &Value)| {
        (name.parse::<HeaderName>().unwrap(), value.as_str().unwrap().parse::<HeaderValue>().unwrap())
    };
    pairs.map(parse).collect()
}

fn pem(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// A key made for this run, and headers of a message of the hub.
fn signed(body: &[u8]) -> (VerificationKey, HeaderMap) {
    let (key, _) = SigningKey::generate_rsa().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (URI, "/transfers/1"),
        (HTTP_METHOD, "PUT"),
        (SOURCE, "Hub"),
        (DESTINATION, "payer"),
        ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let signature = sign(&key, &headers, body).unwrap();
    headers.insert(crate::headers::SIGNATURE, signature.parse().unwrap());
    (VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap(), headers)
}

#[test]
fn the_signatures_of_existing_clients_verify() {
    let Some(vectors) = vectors() else { return };
    for name in ["jws_rs256", "jws_es256"] {
        let vector = &vectors[name];
        let key = VerificationKey::from_pem(vector["publicKey"].as_str().unwrap()).unwrap();
        let body = vector["wireBody"].as_str().unwrap().as_bytes();
        assert_eq!(verify(&key, &headers_of(vector), body), Ok(()), "{name}");
    }
}

#[test]
fn an_rs256_signature_is_byte_for_byte_that_of_existing_clients() {
    let Some(vectors) = vectors() else { return };
    let vector = &vectors["jws_rs256"];
    let key = vector["throwaway_private_key_pkcs1_der_base64"].as_str().unwrap();
    let key = SigningKey::from_pem(&pem("RSA PRIVATE KEY", key)).unwrap();
    let headers = headers_of(vector);
    let body = vector["wireBody"].as_str().unwrap().as_bytes();
    let expected: Value = serde_json::from_slice(headers[crate::headers::SIGNATURE].as_bytes()).unwrap();
    let made: Value = serde_json::from_str(&sign(&key, &headers, body).unwrap()).unwrap();
    assert_eq!(made, expected);
}

#[test]
fn a_p256_key_signs_es256() {
    let Some(vectors) = vectors() else { return };
    let vector = &vectors["jws_es256"];
    let key = vector["throwaway_private_key_sec1_der_base64"].as_str().unwrap();
    let key = SigningKey::from_pem(&pem("EC PRIVATE KEY", key)).unwrap();
    let mut headers = headers_of(vector);
    let signature = sign(&key, &headers, b"{}").unwrap();
    headers.insert(crate::headers::SIGNATURE, signature.parse().unwrap());
    let public = VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap();
    assert_eq!(verify(&public, &headers, b"{}"), Ok(()));
}

#[test]
fn a_generated_key_survives_being_stored() {
    let (key, stored) = SigningKey::generate_rsa().unwrap();
    let again = SigningKey::from_pem(&stored).unwrap();
    assert_eq!(key.public_pem().unwrap(), again.public_pem().unwrap());
}

#[test]
fn a_body_that_was_rendered_again_with_sorted_keys_verifies_and_a_changed_one_does_not() {
    let (key, headers) = signed(br#"{"a":"1","b":{"c":"2"}}"#);
    assert_eq!(verify(&key, &headers, br#"{ "b": {"c":"2"}, "a":"1" }"#), Ok(()));
    assert_eq!(verify(&key, &headers, br#"{"a":"1","b":{"c":"3"}}"#), Err(InvalidSignature::Wrong));
    assert_eq!(verify(&key, &headers, b""), Err(InvalidSignature::NoBody));
}

#[test]
fn a_header_that_differs_from_what_was_signed_is_named() {
    let body = b"{}";
    let cases: [(&'static str, Option<&'static str>, InvalidSignature); 7] = [
        (SOURCE, Some("payee"), InvalidSignature::Differs(SOURCE)),
        (URI, Some("/transfers/2"), InvalidSignature::Differs(URI)),
        (HTTP_METHOD, Some("POST"), InvalidSignature::Differs(HTTP_METHOD)),
        (DESTINATION, Some("payee"), InvalidSignature::Differs(DESTINATION)),
        (DESTINATION, None, InvalidSignature::Differs(DESTINATION)),
        ("date", None, InvalidSignature::Differs("date")),
        (crate::headers::SIGNATURE, None, InvalidSignature::Missing),
    ];
    for (name, value, expected) in cases {
        let (key, mut headers) = signed(body);
        match value {
            Some(value) => headers.insert(name, HeaderValue::from_static(value)),
            None => headers.remove(name),
        };
        assert_eq!(verify(&key, &headers, body), Err(expected));
    }
}

#[test]
fn another_key_and_garbage_are_refused() {
    let (_, mut headers) = signed(b"{}");
    let (other, _) = signed(b"{}");
    assert_eq!(verify(&other, &headers, b"{}"), Err(InvalidSignature::Wrong));
    for garbage in ["", "{}", "x", r#"{"signature":"!","protectedHeader":"e30"}"#] {
        headers.insert(crate::headers::SIGNATURE, garbage.parse().unwrap());
        assert_eq!(verify(&other, &headers, b"{}"), Err(InvalidSignature::Malformed), "{garbage}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_a_reason() {
    assert_eq!(SigningKey::from_pem("nonsense").unwrap_err(), KeyError::NotPem);
    assert!(matches!(SigningKey::from_pem(&pem("PRIVATE KEY", "AAAA")), Err(KeyError::Unusable(_))));
    assert!(matches!(VerificationKey::from_pem(&pem("PUBLIC KEY", "AAAA")), Err(KeyError::Unusable(_))));
}
