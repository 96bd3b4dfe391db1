//! The token endpoint and the administration of its clients.

use crate::{
    Call, FORM, GRANT, Guarded, ISSUER, PAYEE, PAYER, ask, client, metric, question, request, shown, support::Scheme,
    token,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use oauth::{Expected, KeySet, Token};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_says_who_asked_for_it_and_can_be_checked_by_others() {
    // Without any setting the key is the store's, and messages need no token.
    let scheme = Scheme::start().await;
    let secret = client(&scheme, PAYER).await;
    assert_eq!(secret.len(), 43, "256 bits");
    let reply = ask(&scheme, PAYER, &secret).await;
    assert_eq!((reply.status, reply.header("cache-control"), reply.header("pragma")), (200, "no-store", "no-cache"));
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(300)));
    let text = answer["access_token"].as_str().unwrap();
    let described = fetch(&scheme, "/.well-known/openid-configuration").await;
    assert_eq!(described, fetch(&scheme, "/.well-known/oauth-authorization-server").await);
    assert_eq!(described["issuer"], ISSUER);
    let address = scheme.addresses().fspiop;
    assert_eq!(described["token_endpoint"], format!("http://{address}/oauth2/token"));
    assert_eq!(described["jwks_uri"], format!("http://{address}/oauth2/jwks"));
    let keys = KeySet::parse(fetch(&scheme, "/oauth2/jwks").await.to_string().as_bytes()).unwrap();
    let parsed = Token::parse(text).unwrap();
    let (id, algorithm) = (parsed.key_id().map(str::to_owned), parsed.algorithm().to_owned());
    let claims = parsed.verified(keys.candidates(id.as_deref(), &algorithm)).unwrap();
    let expected = Expected { issuer: ISSUER, audience: "Hub", now: crate::now(), leeway_ms: 0 };
    assert!(claims.check(&expected).is_ok());
    assert_eq!([claims.text("sub"), claims.text("client_id")], [Some(PAYER); 2]);
    assert_eq!(claims.number("exp").unwrap() - claims.number("iat").unwrap(), 300);
    // Each has a name of its own.
    let parts: Vec<String> = [text.to_owned(), token(&scheme, PAYER, &secret).await]
        .iter()
        .map(|token| String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap())
        .collect();
    let jti = |text: &String| serde_json::from_str::<Value>(text).unwrap()["jti"].clone();
    assert_ne!(jti(&parts[0]), jti(&parts[1]));
    assert_eq!(metric(&scheme, "umoja_tokens_issued_total").await, 2);
    // Nobody looks at tokens here.
    assert_eq!(scheme.send(&question(PAYER).with("authorization", "Bearer x")).await.status, 202);
    scheme.end_whatever_was_sent().await;
}

async fn fetch(scheme: &Scheme, path: &str) -> Value {
    let reply = scheme.send(&Call::plain(&format!("GET {path}"), Value::Null)).await;
    assert_eq!(reply.status, 200, "{path}");
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_configured_is_named_everywhere() {
    let guarded = Guarded::start_with(|config| config.tokens.issuer = Some("https://hub.example/".to_owned())).await;
    let scheme = &guarded.scheme;
    let described = fetch(scheme, "/.well-known/openid-configuration").await;
    assert_eq!(described["issuer"], "https://hub.example/");
    assert_eq!(described["token_endpoint"], "https://hub.example/oauth2/token");
    let token = guarded.token(PAYER).await;
    assert_eq!(Token::parse(&token).unwrap().claimed_issuer(), Some("https://hub.example/"));
    assert_eq!(scheme.send(&shown(question(PAYER), &token)).await.status, 202);
    let reply = scheme.send(&shown(question(PAYER), &guarded.made(&crate::claims(PAYER)))).await;
    assert_eq!(reply.status, 401, "another issuer");
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_granted_is_refused_in_the_words_of_the_standard() {
    let scheme = Scheme::start().await;
    let secret = client(&scheme, PAYER).await;
    let secret = secret.as_str();
    let in_body = format!("{GRANT}&client_id={PAYER}&client_secret={secret}");
    assert_eq!(scheme.send(&request(None, &in_body)).await.status, 200, "client_secret_post");
    let wrong = "x".repeat(43);
    for (what, call, status, code) in [
        ("no client", request(None, GRANT), 401, "invalid_client"),
        ("a wrong secret", request(Some((PAYER, &wrong)), GRANT), 401, "invalid_client"),
        ("no secret", request(Some((PAYER, "")), GRANT), 401, "invalid_client"),
        ("a participant that is no client", request(Some((PAYEE, secret)), GRANT), 401, "invalid_client"),
        ("nobody", request(Some(("nobody", secret)), GRANT), 401, "invalid_client"),
        ("the hub", request(Some(("Hub", secret)), GRANT), 401, "invalid_client"),
        ("another case", request(Some((&PAYER.to_uppercase(), secret)), GRANT), 401, "invalid_client"),
        ("a name that is none", request(Some(("", secret)), GRANT), 401, "invalid_client"),
        ("another grant", request(Some((PAYER, secret)), "grant_type=password"), 400, "unsupported_grant_type"),
        ("no grant", request(Some((PAYER, secret)), ""), 400, "invalid_request"),
        ("both ways", request(Some((PAYER, secret)), &in_body), 400, "invalid_request"),
        ("twice", request(Some((PAYER, secret)), &format!("{GRANT}&{GRANT}")), 400, "invalid_request"),
        ("json", request(Some((PAYER, secret)), "{}").with("content-type", "application/json"), 400, "invalid_request"),
        ("too long", request(None, &"a".repeat(9_000)), 400, "invalid_request"),
    ] {
        let reply = scheme.send(&call).await;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, &answer["error"]), (status, &json!(code)), "{what}");
        assert_eq!(reply.header("cache-control"), "no-store", "{what}");
        assert_eq!(reply.header("www-authenticate").starts_with("Basic "), status == 401, "{what}");
        assert!(!reply.text().contains(secret), "{what}");
    }
    for line in ["GET /oauth2/token", "POST /oauth2/jwks", "PUT /.well-known/openid-configuration"] {
        let reply = scheme.send(&Call::plain(line, Value::Null)).await;
        assert_eq!((reply.status, reply.header("allow").is_empty()), (405, false), "{line}");
    }
    let counted = "umoja_token_requests_refused_total{reason=\"invalid_client\"}";
    assert_eq!(metric(&scheme, counted).await, 8);
    scheme.administer(&format!("PUT /participants/{PAYER}"), json!({"isActive": false})).await;
    let reply = ask(&scheme, PAYER, secret).await;
    assert!(reply.status == 400 && reply.text().contains("unauthorized_client"), "{}", reply.text());
    assert_eq!(ask(&scheme, PAYER, &wrong).await.status, 401, "who does not know the secret learns nothing");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_wait_their_turn_and_never_hold_up_right_ones() {
    let scheme = Scheme::start().await;
    let secret = client(&scheme, PAYER).await;
    let wrong = request(Some((PAYER, "wrong")), GRANT);
    let flood = async {
        let begun = Instant::now();
        let replies = join_all((0..100).map(|_| scheme.send(&wrong))).await;
        (replies, begun.elapsed())
    };
    let right = async {
        let mut tokens = 0;
        for _ in 0..20 {
            token(&scheme, PAYER, &secret).await;
            tokens += 1;
        }
        tokens
    };
    let ((replies, took), tokens) = tokio::join!(flood, right);
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(401) + count(429), tokens), (100, 20));
    assert!(count(401) > 0 && took >= Duration::from_millis(500), "{took:?}");
    let busy = replies.iter().filter(|reply| reply.status == 429);
    assert!(busy.into_iter().all(|reply| reply.header("retry-after") == "1"));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_made_listed_rotated_and_revoked() {
    let scheme = Scheme::start().await;
    let list = async || scheme.administer("GET /umoja/v1/clients", Value::Null).await["clients"].clone();
    assert_eq!(list().await, json!([]));
    let first = client(&scheme, PAYER).await;
    let rotate = async |body: Value| {
        let call = Call::plain(&format!("POST /umoja/v1/clients/{PAYER}/rotate"), body);
        scheme.ask_administration(&call).await
    };
    let reply = rotate(json!({"overlapSeconds": 3600})).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
    let rotated: Value = serde_json::from_slice(&reply.body).unwrap();
    let second = rotated["clientSecret"].as_str().unwrap().to_owned();
    for secret in [&first, &second] {
        assert_eq!(ask(&scheme, PAYER, secret).await.status, 200, "both are taken");
    }
    let listed = list().await;
    assert_eq!(listed[0]["clientId"], PAYER);
    assert_eq!(listed[0]["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["secrets"][1]["endsAt"], rotated["previousEndsAt"]);
    assert!(!listed.to_string().contains(&first) && !listed.to_string().contains(&second));
    let refusal = "400 3000 Generic client error - Two secrets are valid; end them with an overlap of 0";
    assert_eq!(rotate(Value::Null).await.error(), refusal);
    let third: Value = serde_json::from_slice(&rotate(json!({"overlapSeconds": 0})).await.body).unwrap();
    assert_eq!(third["previousEndsAt"], Value::Null);
    for (secret, status) in [(first.as_str(), 401), (&second, 401), (third["clientSecret"].as_str().unwrap(), 200)] {
        assert_eq!(ask(&scheme, PAYER, secret).await.status, status);
    }
    scheme.administer(&format!("DELETE /umoja/v1/clients/{PAYER}"), Value::Null).await;
    assert_eq!(list().await, json!([{"clientId": PAYER, "isActive": false, "secrets": []}]));
    assert_eq!(ask(&scheme, PAYER, third["clientSecret"].as_str().unwrap()).await.status, 401);
    client(&scheme, PAYER).await;
    for (line, body, error) in [
        ("POST /umoja/v1/clients", json!({"participant": PAYER}), "The participant is a client already"),
        ("POST /umoja/v1/clients", json!({"participant": "Hub"}), "The hub itself is no client"),
        ("POST /umoja/v1/clients", json!({"participant": "nobody"}), "participant not found"),
        ("POST /umoja/v1/clients", json!({"name": PAYER}), "unknown field"),
        ("DELETE /umoja/v1/clients/payeefsp", Value::Null, "The participant is no client"),
        ("POST /umoja/v1/clients/payeefsp/rotate", json!({}), "The participant is no client"),
        ("POST /umoja/v1/clients/payerfsp/rotate", json!({"overlapSeconds": -1}), "\"overlapSeconds\" must be"),
        ("POST /umoja/v1/clients/payerfsp/rotate", json!({"overlapSeconds": 2_678_401}), "\"overlapSeconds\" must be"),
    ] {
        let reply = scheme.ask_administration(&Call::plain(line, body)).await;
        assert!(reply.status >= 400 && reply.text().contains(&error.replace('"', "\\\"")), "{line}: {}", reply.text());
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_make_a_client_at_once_one_gets_a_secret_that_works() {
    let scheme = Scheme::start().await;
    let call = Call::plain("POST /umoja/v1/clients", json!({"participant": PAYER}));
    let replies = join_all((0..8).map(|_| scheme.ask_administration(&call))).await;
    let made: Vec<Value> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| serde_json::from_slice(&reply.body).unwrap())
        .collect();
    assert_eq!(made.len(), 1);
    let secret = made[0]["clientSecret"].as_str().unwrap();
    let tokens = join_all((0..32).map(|_| token(&scheme, PAYER, secret))).await;
    assert_eq!(tokens.iter().collect::<std::collections::HashSet<_>>().len(), 32);
    assert_eq!(request(None, "").header("content-type"), FORM);
    scheme.end().await;
}
