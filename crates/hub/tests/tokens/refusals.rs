//! Tokens that are none, and those of others.

use crate::{
    BYSTANDER, Guarded, PAYEE, PAYER, claims, question, seconds, shown, signed,
    support::{Call, Payment, Quote},
    with,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fspiop::jws::SigningKey;
use http::Method;
use serde_json::{Value, json};

/// Puts a token together whose parts need not fit.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (header, claims) = (header.to_string(), claims.to_string());
    format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(signature))
}

/// A token by HMAC with a text that everybody knows.
fn with_shared_secret(guarded: &Guarded, claims: &Value) -> String {
    let pem = guarded.key.public_pem().unwrap();
    let header = json!({"alg": "HS256", "kid": oauth::key_id(&guarded.key.parameters())});
    let unsigned = forged(&header, claims, b"");
    let text = unsigned.trim_end_matches('.');
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(pem.as_bytes(), text.as_bytes())))
}

/// RFC 2104.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut block = [0; 64];
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..key.len()].copy_from_slice(&key);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], text].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).to_vec()
}

fn rows(guarded: &Guarded) -> Vec<(&'static str, Option<String>, &'static str)> {
    let good = claims(PAYER);
    let made = |claims: &Value| Some(format!("Bearer {}", guarded.made(claims)));
    let bearer = |token: String| Some(format!("Bearer {token}"));
    let (foreign, _) = SigningKey::generate_p256().unwrap();
    let known = json!({"alg": "ES256", "kid": oauth::key_id(&guarded.key.parameters())});
    vec![
        ("nothing", None, "missing"),
        ("another scheme", Some("Basic cGF5ZXI6aHVzaA==".into()), "missing"),
        ("a scheme alone", Some("Bearer".into()), "missing"),
        ("garbage", bearer("garbage".into()), "malformed"),
        ("an expired one", made(&with(good.clone(), "exp", json!(seconds() - 6))), "expired"),
        ("one of tomorrow", made(&with(good.clone(), "nbf", json!(seconds() + 86_400))), "not_yet_valid"),
        ("one for another audience", made(&with(good.clone(), "aud", json!("hub"))), "audience"),
        ("one for nobody", made(&with(good.clone(), "aud", Value::Null)), "audience"),
        ("one of another issuer", made(&with(good.clone(), "iss", json!("https://other"))), "issuer"),
        ("one of no issuer", made(&with(good.clone(), "iss", Value::Null)), "issuer"),
        ("one that never ends", made(&with(good.clone(), "exp", Value::Null)), "malformed"),
        ("one with an unknown key", bearer(signed(&foreign, &good)), "unknown_key"),
        (
            "one with another key",
            bearer(oauth::sign(&foreign, known["kid"].as_str().unwrap(), &good).unwrap()),
            "signature",
        ),
        ("one without a signature", bearer(forged(&known, &good, b"")), "signature"),
        ("one without an algorithm", bearer(forged(&json!({"alg": "none"}), &good, b"")), "algorithm"),
        ("one with the public key as a secret", bearer(with_shared_secret(guarded, &good)), "algorithm"),
        ("one of another kind of key", bearer(forged(&json!({"alg": "RS256"}), &good, &[0; 256])), "unknown_key"),
        ("one of nobody", made(&with(good.clone(), "client_id", json!("nobody"))), "participant"),
        ("one without a name", made(&with(good.clone(), "client_id", Value::Null)), "participant"),
        ("one of another life", made(&with(good.clone(), "generation", json!(2))), "revoked"),
        ("one of no life", made(&with(good.clone(), "generation", Value::Null)), "malformed"),
        ("one that is too long", made(&with(good, "padding", json!("x".repeat(9_000)))), "too_long"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_is_refused_and_nothing_changes() {
    let guarded = Guarded::start().await;
    guarded.client(PAYER).await;
    let scheme = &guarded.scheme;
    let before = scheme.balances().await;
    let payment = Payment::usd("10");
    for (what, header, reason) in rows(&guarded) {
        let counted = guarded.refused(reason).await;
        let call = match &header {
            Some(value) => payment.prepare().with("authorization", value),
            None => payment.prepare(),
        };
        let reply = scheme.send(&call).await;
        let error = reply.error();
        assert!(error.starts_with("401 3000 Generic client error - Unauthorized - "), "{what}: {error}");
        let challenge = reply.header("www-authenticate");
        let expected = if reason == "missing" {
            "Bearer realm=\"umoja\""
        } else {
            "Bearer realm=\"umoja\", error=\"invalid_token\", "
        };
        assert!(challenge.starts_with(expected), "{what}: {challenge}");
        assert_eq!(challenge.contains("error"), reason != "missing", "{what}: {challenge}");
        assert_eq!(guarded.refused(reason).await, counted + 1, "{what}");
        let token =
            header.as_deref().and_then(|header| header.strip_prefix("Bearer ")).filter(|token| token.len() > 10);
        let said = format!("{}{challenge}", reply.text());
        assert!(token.is_none_or(|token| !said.contains(token)), "{what} is in the answer");
    }
    let twice = shown(payment.prepare(), &guarded.made(&claims(PAYER))).and("authorization", "Bearer x");
    assert!(scheme.send(&twice).await.error().ends_with("there are several Authorization headers"));
    assert_eq!(scheme.balances().await, before);
    assert_eq!(scheme.payee.unread(), [""; 0]);
    // The id is still free, and the same message with a token is taken.
    scheme.accept(&shown(payment.prepare(), &guarded.made(&claims(PAYER)))).await;
    scheme.payee.next("POST /transfers").await;
    guarded.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another_participant() {
    let guarded = Guarded::start().await;
    let token = guarded.token(BYSTANDER).await;
    let (scheme, payment, quote) = (&guarded.scheme, Payment::usd("10"), Quote::usd("10"));
    for call in [
        payment.prepare(),
        payment.fulfil("COMMITTED"),
        payment.reject("5000", "no"),
        quote.request(),
        question(PAYEE),
        Call::new("DELETE /participants/MSISDN/123"),
        payment.prepare().with("x-client-id", PAYER),
        question(&BYSTANDER.to_uppercase()),
    ] {
        let error = scheme.send(&shown(call.clone(), &token)).await.error();
        assert_eq!(error, "400 3100 Generic validation error - Invalid fspiop-source header", "{call:?}");
    }
    assert_eq!(scheme.send(&shown(question(BYSTANDER), &token)).await.status, 202);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_speaks_for_other_schemes_and_for_nobody_of_this_one() {
    let guarded = Guarded::start().await;
    let scheme = &guarded.scheme;
    let body = json!({"name": "proxyone", "currency": "USD", "isProxy": true});
    scheme.administer("POST /participants", body).await;
    let proxy = guarded.token("proxyone").await;
    let far = question("farfsp").with("fspiop-proxy", "proxyone");
    assert_eq!(scheme.send(&shown(far.clone(), &proxy)).await.status, 202);
    let not_proxy = "400 3100 Generic validation error - Invalid fspiop-proxy header";
    for call in [far.clone().from(PAYER), far.clone().with("fspiop-proxy", PAYER), far.clone().from("proxyone")] {
        assert_eq!(scheme.send(&shown(call.clone(), &proxy)).await.error(), not_proxy, "{call:?}");
    }
    let payer = guarded.token(PAYER).await;
    assert_eq!(scheme.send(&shown(far, &payer)).await.error(), not_proxy);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_with_its_client_and_rests_with_its_participant() {
    let guarded = Guarded::start().await;
    let (scheme, token) = (&guarded.scheme, guarded.token(PAYER).await);
    let ask = async || scheme.send(&shown(question(PAYER), &token)).await;
    assert_eq!(ask().await.status, 202);
    let set = async |is_active: bool| {
        scheme.administer(&format!("PUT /participants/{PAYER}"), json!({"isActive": is_active})).await
    };
    set(false).await;
    let reply = ask().await;
    assert!(reply.error().ends_with("the participant of the access token is not active"), "{}", reply.text());
    set(true).await;
    assert_eq!(ask().await.status, 202);
    scheme.administer(&format!("POST /umoja/v1/clients/{PAYER}/rotate"), json!({"overlapSeconds": 0})).await;
    assert_eq!(ask().await.status, 202, "another secret is no reason to end a token");
    scheme.administer(&format!("DELETE /umoja/v1/clients/{PAYER}"), Value::Null).await;
    let revoked = "the client of the access token was revoked";
    assert!(ask().await.error().ends_with(revoked));
    let again = guarded.token(PAYER).await;
    assert!(ask().await.error().ends_with(revoked), "a new client is another one");
    assert_eq!(scheme.send(&shown(question(PAYER), &again)).await.status, 202);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_the_token_endpoint_need_no_token_and_nothing_else_is_open() {
    let guarded = Guarded::start().await;
    for (line, status) in [
        ("GET /health", 200),
        ("GET /metrics", 200),
        ("GET /oauth2/jwks", 200),
        ("GET /.well-known/openid-configuration", 200),
        ("GET /oauth2/other", 404),
        ("GET /transfers/11436b17-c690-4a30-8505-42a2c4eafb9d", 401),
    ] {
        let reply = guarded.scheme.send(&Call::plain(line, Value::Null)).await;
        assert_eq!(reply.status, status, "{line}");
    }
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let reply = guarded.scheme.send(&Call::plain(&format!("{method} /participants/MSISDN/1"), Value::Null)).await;
        assert_eq!(reply.status, 401, "{method}");
    }
    guarded.scheme.end().await;
}
