//! What is a token, and what is none.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const NOW_S: i64 = 1_790_000_000;

fn expected() -> Expected<'static> {
    Expected { issuer: "https://issuer", audience: "hub", now: NOW, leeway_ms: 5_000 }
}

fn claims() -> Value {
    json!({"iss": "https://issuer", "aud": "hub", "sub": "greenbank", "exp": NOW_S + 60})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn key() -> (SigningKey, VerificationKey) {
    let (key, _) = SigningKey::generate_p256().unwrap();
    let public = VerificationKey::from_parameters(&key.parameters()).unwrap();
    (key, public)
}

fn encoded(header: &str, claims: &Value, signature: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()), encode(signature))
}

fn verdict(token: &str, key: &VerificationKey) -> Result<Timestamp, Refusal> {
    Token::parse(token)?.verified([key].into_iter())?.check(&expected())
}

#[test]
fn a_token_says_what_was_signed() {
    let (key, public) = key();
    let token = sign(&key, "one", &claims()).unwrap();
    let parsed = Token::parse(&token).unwrap();
    assert_eq!((parsed.key_id(), parsed.algorithm()), (Some("one"), "ES256"));
    assert_eq!(parsed.claimed_issuer(), Some("https://issuer"));
    let claims = parsed.verified([&public].into_iter()).unwrap();
    assert_eq!(claims.text("sub"), Some("greenbank"));
    assert_eq!(claims.check(&expected()), Ok(NOW.plus_millis(60_000)));
}

#[test]
fn claims_are_checked_one_by_one() {
    let (key, public) = key();
    let far = json!(999_999_999_999_999_i64);
    for (claims, expected) in [
        (claims(), Ok(())),
        (with("aud", json!(["other", "hub"])), Ok(())),
        (with("exp", json!(NOW_S - 4)), Ok(())),
        (with("nbf", json!(NOW_S + 5)), Ok(())),
        (with("iss", json!("https://issuer/")), Err(Refusal::Issuer)),
        (with("iss", Value::Null), Err(Refusal::Issuer)),
        (with("aud", json!("hubs")), Err(Refusal::Audience)),
        (with("aud", json!([])), Err(Refusal::Audience)),
        (with("aud", json!({"hub": true})), Err(Refusal::Audience)),
        (with("exp", json!(NOW_S - 5)), Err(Refusal::Expired)),
        (with("exp", json!(0)), Err(Refusal::Expired)),
        (with("exp", json!(-1)), Err(Refusal::Malformed)),
        (with("exp", json!("1790000060")), Err(Refusal::Malformed)),
        (with("exp", Value::Null), Err(Refusal::Malformed)),
        (with("exp", far), Err(Refusal::Malformed)),
        (with("nbf", json!(NOW_S + 6)), Err(Refusal::NotYetValid)),
        (with("nbf", json!(true)), Err(Refusal::Malformed)),
    ] {
        let token = sign(&key, "one", &claims).unwrap();
        assert_eq!(verdict(&token, &public).map(drop), expected, "{claims}");
    }
    let mut endless = claims();
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(verdict(&sign(&key, "one", &endless).unwrap(), &public), Err(Refusal::Malformed));
}

#[test]
fn times_may_have_fractions_and_nothing_else() {
    let (key, public) = key();
    for (text, is_taken) in
        [("1790000060.5", true), ("1.79e9", false), ("1790000060.", false), ("1790000060.5e1", false)]
    {
        let claims = claims().to_string().replace(&(NOW_S + 60).to_string(), text);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
        assert_eq!(verdict(&format!("{signed}.{signature}"), &public).is_ok(), is_taken, "{text}");
    }
}

#[test]
fn no_algorithm_is_allowed_that_a_public_key_could_make() {
    let (key, public) = key();
    for (header, refusal) in [
        (r#"{"alg":"none"}"#, Refusal::Algorithm),
        (r#"{"alg":"None"}"#, Refusal::Algorithm),
        (r#"{"alg":"HS256"}"#, Refusal::Algorithm),
        (r#"{"alg":""}"#, Refusal::Algorithm),
        (r#"{"alg":null}"#, Refusal::Malformed),
        (r#"{}"#, Refusal::Malformed),
        (r#"{"alg":"ES256","crit":["exp"]}"#, Refusal::Malformed),
        // Of another kind than the key.
        (r#"{"alg":"RS256"}"#, Refusal::Signature),
        (r#"{"alg":"ES256"}"#, Refusal::Signature),
    ] {
        for signature in [&b""[..], &[0; 64], public_bytes(&key).as_slice()] {
            assert_eq!(verdict(&encoded(header, &claims(), signature), &public), Err(refusal), "{header}");
        }
    }
    assert_eq!(
        Token::parse(&sign(&key, "one", &claims()).unwrap()).unwrap().verified([].into_iter()).err(),
        Some(Refusal::UnknownKey)
    );
}

fn public_bytes(key: &SigningKey) -> Vec<u8> {
    key.public_pem().unwrap().into_bytes()
}

#[test]
fn what_is_no_token_is_refused() {
    let (key, public) = key();
    let token = sign(&key, "one", &claims()).unwrap();
    let part = |at: usize| token.split('.').nth(at).unwrap().to_owned();
    for wrong in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        part(0),
        format!("{}.{}", part(0), part(1)),
        format!("{token}."),
        format!("{token}.{}", part(2)),
        format!("{token}="),
        format!(" {token}"),
        token.replace('.', ","),
        format!("{}..{}", part(0), part(2)),
        format!("{}.{}.{}", part(0), URL_SAFE_NO_PAD.encode("[]"), part(2)),
    ] {
        assert_eq!(verdict(&wrong, &public), Err(Refusal::Malformed), "{wrong}");
    }
    assert_eq!(verdict(&"a".repeat(TOKEN_BYTES_MAX + 1), &public), Err(Refusal::TooLong));
    assert_eq!(format!("{:?}", Token::parse(&token).unwrap()), "Token");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,200}", header in "[{}\":,a-zE-S0-9]{0,60}", claims in "[{}\\[\\]\":,a-z0-9.e-]{0,60}") {
        let (_, public) = key();
        prop_assert!(verdict(&text, &public).is_err());
        let made = format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        prop_assert!(verdict(&made, &public).is_err());
    }

    #[test]
    fn a_token_with_one_other_character_is_none(at in 0usize..300, other in "[A-Za-z0-9_.-]") {
        let (key, public) = key();
        let token = sign(&key, "one", &claims()).unwrap();
        let at = at % token.len();
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        prop_assert!(changed == token || verdict(&changed, &public).is_err());
    }
}
