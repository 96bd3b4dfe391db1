//! Tokens of an identity provider outside the hub.

use crate::{Guarded, PAYEE, PAYER, claims, down, question, seconds, shown, signed, support::Scheme, until, with};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use fspiop::jws::SigningKey;
use futures_util::future::join_all;
use hub::{Provider, TokenPolicy};
use oauth::describe;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// A stand-in that serves what it is told.
#[derive(Clone)]
struct Idp {
    address: SocketAddr,
    state: Arc<Mutex<Served>>,
}

#[derive(Default)]
struct Served {
    /// None: it is broken.
    keys: Option<Vec<Value>>,
    asked: usize,
}

impl Idp {
    async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idp = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        idp.serve(keys);
        let router = Router::new()
            .route("/realms/hub/.well-known/openid-configuration", get(describe_itself))
            .route("/realms/hub/certs", get(keys_of))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        idp
    }

    fn serve(&self, keys: &[&SigningKey]) {
        let keys = keys.iter().map(|key| describe(&key.parameters(), key.algorithm())).collect();
        self.state.lock().unwrap().keys = Some(keys);
    }

    fn break_down(&self) {
        self.state.lock().unwrap().keys = None;
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    fn issuer(&self) -> String {
        format!("http://{}/realms/hub", self.address)
    }

    fn claims(&self, name: &str) -> Value {
        json!({"iss": self.issuer(), "aud": ["account", "fspiop"], "azp": name, "sub": "7f1c", "exp": seconds() + 300})
    }

    async fn guard(&self) -> Guarded {
        self.guard_with(&["client_id", "azp", "sub"]).await
    }

    async fn guard_with(&self, claims: &[&str]) -> Guarded {
        let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
        let provider = Provider { issuer: self.issuer(), audience: "fspiop".to_owned(), claims };
        Guarded::start_with(|config| config.tokens.provider = Some(provider)).await
    }
}

async fn describe_itself(State(idp): State<Idp>) -> Json<Value> {
    Json(json!({"issuer": idp.issuer(), "jwks_uri": format!("{}/certs", idp.issuer())}))
}

async fn keys_of(State(idp): State<Idp>) -> Result<Json<Value>, StatusCode> {
    let mut served = idp.state.lock().unwrap();
    served.asked += 1;
    served.keys.as_ref().map(|keys| Json(json!({"keys": keys}))).ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn status(scheme: &Scheme, from: &str, token: &str) -> u16 {
    scheme.send(&shown(question(from), token)).await.status
}

fn rsa() -> SigningKey {
    SigningKey::generate_rsa().unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_provider_are_taken_beside_the_hubs_own() {
    let key = rsa();
    let idp = Idp::start(&[&key]).await;
    let guarded = idp.guard().await;
    let scheme = &guarded.scheme;
    let good = idp.claims(PAYER);
    for (what, claims, from, expected) in [
        ("a good one", good.clone(), PAYER, 202),
        ("client_id before azp", with(good.clone(), "client_id", json!(PAYEE)), PAYEE, 202),
        ("client_id before azp", with(good.clone(), "client_id", json!(PAYEE)), PAYER, 400),
        ("another's", good.clone(), PAYEE, 400),
        ("nobody's", idp.claims("nobody"), PAYER, 401),
        ("another audience", with(good.clone(), "aud", json!("account")), PAYER, 401),
        ("expired", with(good.clone(), "exp", json!(seconds() - 60)), PAYER, 401),
        ("not yet valid", with(good.clone(), "nbf", json!(seconds() + 60)), PAYER, 401),
        ("a neighbour's", with(good.clone(), "iss", json!(format!("{}2", idp.issuer()))), PAYER, 401),
        // The provider's key makes no token of the hub.
        ("the hub's", claims(PAYER), PAYER, 401),
    ] {
        assert_eq!(status(scheme, from, &signed(&key, &claims)).await, expected, "{what}: {claims}");
    }
    // Nor does the hub's key make one of the provider.
    assert_eq!(status(scheme, PAYER, &guarded.made(&good)).await, 401);
    assert_eq!(status(scheme, PAYEE, &guarded.token(PAYEE).await).await, 202);
    assert_eq!(down(scheme).await, [""; 0]);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claim_that_names_the_participant_is_a_setting() {
    let key = rsa();
    let idp = Idp::start(&[&key]).await;
    let guarded = idp.guard_with(&["fspId"]).await;
    let token = |claims: &Value| signed(&key, claims);
    assert_eq!(status(&guarded.scheme, PAYER, &token(&idp.claims(PAYER))).await, 401);
    let named = with(idp.claims(PAYEE), "fspId", json!(PAYER));
    assert_eq!(status(&guarded.scheme, PAYER, &token(&named)).await, 202);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_asked_for_at_once_and_made_up_ones_are_no_load() {
    let (old, new) = (rsa(), rsa());
    let idp = Idp::start(&[&old]).await;
    let guarded = idp.guard().await;
    let scheme = &guarded.scheme;
    let (by_old, by_new) = (signed(&old, &idp.claims(PAYER)), signed(&new, &idp.claims(PAYER)));
    until("the keys are there", || async { status(scheme, PAYER, &by_old).await == 202 }).await;
    idp.serve(&[&new, &old]);
    until("the new key is known", || async { status(scheme, PAYER, &by_new).await == 202 }).await;
    assert_eq!(status(scheme, PAYER, &by_old).await, 202);
    let before = idp.asked();
    let made_up: Vec<String> =
        (0..20).map(|_| SigningKey::generate_p256().unwrap().0).map(|key| signed(&key, &idp.claims(PAYER))).collect();
    let statuses = join_all(made_up.iter().map(|token| status(scheme, PAYER, token))).await;
    assert_eq!(statuses, [401; 20]);
    assert!(idp.asked() <= before + 1, "{} questions", idp.asked() - before);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_go_on_working_while_the_provider_is_down() {
    let (key, other) = (rsa(), rsa());
    let idp = Idp::start(&[&key]).await;
    let guarded = idp.guard().await;
    let scheme = &guarded.scheme;
    until("the keys are there", || async { status(scheme, PAYER, &signed(&key, &idp.claims(PAYER))).await == 202 })
        .await;
    idp.break_down();
    let asked = idp.asked();
    let unknown = signed(&other, &idp.claims(PAYER));
    until("the provider is asked in vain", || async {
        status(scheme, PAYER, &unknown).await == 401 && idp.asked() > asked
    })
    .await;
    let fresh = with(idp.claims(PAYER), "jti", json!("another"));
    assert_eq!(status(scheme, PAYER, &signed(&key, &fresh)).await, 202);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_starts_without_its_provider_and_hears_of_it_later() {
    let key = rsa();
    let idp = Idp::start(&[&key]).await;
    idp.break_down();
    let guarded = idp.guard().await;
    let scheme = &guarded.scheme;
    let token = signed(&key, &idp.claims(PAYER));
    assert_eq!(status(scheme, PAYER, &token).await, 401);
    assert_eq!(down(scheme).await, ["tokens"]);
    assert_eq!(status(scheme, PAYEE, &guarded.token(PAYEE).await).await, 202, "its own tokens do not need it");
    idp.serve(&[&key]);
    until("the provider is heard of", || async { status(scheme, PAYER, &token).await == 202 }).await;
    assert_eq!(down(scheme).await, [""; 0]);
    assert!(guarded.refused("unknown_key").await > 0);
    let off = Scheme::start_with(|config| config.tokens.policy = TokenPolicy::Off).await;
    assert_eq!(status(&off, PAYER, &token).await, 202);
    off.end_whatever_was_sent().await;
    guarded.scheme.end_whatever_was_sent().await;
}
