//! Signatures by the vectors of existing clients, and by what must not pass.

use super::*;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair},
};
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;
use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

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

#[test]
fn rs384_and_rs512_verify_with_the_same_key_and_other_algorithms_do_not() {
    let (key, stored) = SigningKey::generate_rsa().unwrap();
    let public = VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap();
    let base64: String = stored.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let (_, headers) = signed(b"{}");
    for (name, encoding) in [("RS384", &RSA_PKCS1_SHA384), ("RS512", &RSA_PKCS1_SHA512)] {
        for (named, expected) in [
            (name, Ok(())),
            ("RS256", Err(InvalidSignature::Wrong)),
            ("none", Err(InvalidSignature::UnknownAlgorithm("none".to_owned()))),
            ("ES256", Err(InvalidSignature::UnknownAlgorithm("ES256".to_owned()))),
        ] {
            let protected = format!(
                r#"{{"alg":"{named}","FSPIOP-URI":"/transfers/1","FSPIOP-HTTP-Method":"put","FSPIOP-Source":"Hub",
                    "FSPIOP-Destination":"payer","crit":["x"],"x":1}}"#
            );
            let protected_header = URL_SAFE_NO_PAD.encode(protected);
            let mut signature = vec![0; pair.public_modulus_len()];
            let input = signing_input(&protected_header, b"{}");
            pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
            let value = Signature { protected_header, signature: URL_SAFE_NO_PAD.encode(signature) };
            let mut headers = headers.clone();
            headers.insert(crate::headers::SIGNATURE, serde_json::to_string(&value).unwrap().parse().unwrap());
            assert_eq!(verify(&public, &headers, b"{}"), expected, "{name} said to be {named}");
        }
    }
}

#[test]
fn a_signed_header_that_stands_twice_is_refused() {
    for name in [URI, HTTP_METHOD, SOURCE, DESTINATION, "date", crate::headers::SIGNATURE] {
        let (key, mut headers) = signed(b"{}");
        let again = headers[name].clone();
        headers.append(name, again);
        assert_eq!(verify(&key, &headers, b"{}"), Err(InvalidSignature::Repeated(name)));
    }
}

#[test]
fn names_may_have_any_letters() {
    let (key, _) = SigningKey::generate_rsa().unwrap();
    let public = VerificationKey::from_pem(&key.public_pem().unwrap()).unwrap();
    let (_, mut headers) = signed(b"{}");
    headers.insert(SOURCE, HeaderValue::from_bytes("bänk".as_bytes()).unwrap());
    let signature = sign(&key, &headers, b"{}").unwrap();
    headers.insert(crate::headers::SIGNATURE, signature.parse().unwrap());
    assert_eq!(verify(&public, &headers, b"{}"), Ok(()));
}

/// A signed message in the canonical form; the key is made once, because making one takes long.
static SIGNED: LazyLock<(VerificationKey, HeaderMap)> = LazyLock::new(|| signed(CANONICAL.as_bytes()));
const CANONICAL: &str = r#"{"amount":{"amount":"1.50","currency":"USD"},"list":[1,2],"note":"Ünï"}"#;

proptest! {
    #[test]
    fn any_changed_byte_of_a_body_fails_unless_the_json_is_the_same(at in 0..CANONICAL.len(), byte: u8) {
        let (key, headers) = &*SIGNED;
        let mut body = CANONICAL.as_bytes().to_vec();
        body[at] = byte;
        let is_same = serde_json::from_slice(&body).is_ok_and(|value: Value| canonical(&value) == CANONICAL);
        prop_assert_eq!(verify(key, headers, &body).is_ok(), is_same);
    }

    #[test]
    fn any_byte_more_or_less_in_a_body_fails_unless_the_json_is_the_same(at in 0..CANONICAL.len(), more: Option<u8>) {
        let (key, headers) = &*SIGNED;
        let mut body = CANONICAL.as_bytes().to_vec();
        match more {
            Some(byte) => body.insert(at, byte),
            None => drop(body.remove(at)),
        }
        let is_same = serde_json::from_slice(&body).is_ok_and(|value: Value| canonical(&value) == CANONICAL);
        prop_assert_eq!(verify(key, headers, &body).is_ok(), is_same);
    }

    #[test]
    fn any_changed_byte_of_a_signed_header_fails(which in 0..6usize, at: prop::sample::Index, byte: u8) {
        let (key, headers) = &*SIGNED;
        let name = [URI, HTTP_METHOD, SOURCE, DESTINATION, "date", crate::headers::SIGNATURE][which];
        let mut value = headers[name].as_bytes().to_vec();
        let at = at.index(value.len());
        // The method is compared without regard to case.
        prop_assume!(!value[at].eq_ignore_ascii_case(&byte));
        value[at] = byte;
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        let mut headers = headers.clone();
        headers.insert(name, value);
        prop_assert!(verify(key, &headers, CANONICAL.as_bytes()).is_err());
    }
}

fn canonical(value: &Value) -> String {
    crate::canonical_json(value)
}

/// A directory of keys with one of `Hub`, and a message of the hub that it verifies.
fn directory() -> (tempfile::TempDir, KeyDirectory, HeaderMap) {
    let (key, _) = SigningKey::generate_rsa().unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("Hub.pem"), key.public_pem().unwrap()).unwrap();
    let (_, mut headers) = signed(b"{}");
    let signature = sign(&key, &headers, b"{}").unwrap();
    headers.insert(crate::headers::SIGNATURE, signature.parse().unwrap());
    let keys = KeyDirectory::open(directory.path()).unwrap();
    (directory, keys, headers)
}

fn received<'message>(line: (&'message Method, &'message str), headers: &'message HeaderMap) -> Received<'message> {
    Received { method: line.0, path: line.1, headers, body: b"{}" }
}

#[test]
fn a_key_is_found_by_the_source_and_read_again_when_its_file_changes() {
    let (directory, keys, headers) = directory();
    let message = received((&Method::PUT, "/transfers/1"), &headers);
    assert_eq!(keys.verify(&message), Ok(()));
    assert!(Arc::ptr_eq(&keys.key("Hub").unwrap(), &keys.key("Hub").unwrap()), "what did not change is not read again");
    let file = directory.path().join("Hub.pem");
    let right = std::fs::read_to_string(&file).unwrap();
    let (other, _) = SigningKey::generate_rsa().unwrap();
    std::fs::write(&file, other.public_pem().unwrap()).unwrap();
    assert_eq!(keys.verify(&message), Err(InvalidSignature::Wrong));
    std::fs::write(&file, "no key").unwrap();
    let told = keys.verify(&message).unwrap_err().to_string();
    assert_eq!(told, "there is no key of Hub: the text holds no key in PEM form");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(keys.verify(&message).unwrap_err().to_string(), "there is no key of Hub: there is no file");
    std::fs::write(&file, right).unwrap();
    assert_eq!(keys.verify(&message), Ok(()));
    assert_eq!(keys.names().unwrap(), ["Hub"]);
}

#[test]
fn a_name_is_never_a_path_to_another_directory() {
    let (directory, keys, _) = directory();
    std::fs::create_dir(directory.path().join("inner")).unwrap();
    let inner = KeyDirectory::open(directory.path().join("inner")).unwrap();
    assert!(keys.key("Hub").is_ok());
    for name in ["../Hub", "/Hub", "", "..", "Hub\0"] {
        assert!(matches!(inner.key(name), Err(InvalidSignature::NoKey { .. })), "{name}");
    }
    assert!(KeyDirectory::open(directory.path().join("nowhere")).unwrap_err().contains("cannot be read"));
}

#[test]
fn a_signed_message_is_not_taken_for_another_request() {
    let (_directory, keys, mut headers) = directory();
    for (path, expected) in [
        ("/transfers/1", Ok(())),
        ("/prefix/transfers/%31", Ok(())),
        ("/transfers/2", Err(InvalidSignature::OfAnotherRequest(URI))),
        ("/transfers/1/error", Err(InvalidSignature::OfAnotherRequest(URI))),
    ] {
        assert_eq!(keys.verify(&received((&Method::PUT, path), &headers)), expected, "{path}");
    }
    let posted = keys.verify(&received((&Method::POST, "/transfers/1"), &headers));
    assert_eq!(posted, Err(InvalidSignature::OfAnotherRequest(HTTP_METHOD)));
    headers.remove(SOURCE);
    let nobody = keys.verify(&received((&Method::PUT, "/transfers/1"), &headers));
    assert_eq!(nobody, Err(InvalidSignature::NotProtected(SOURCE)));
}
