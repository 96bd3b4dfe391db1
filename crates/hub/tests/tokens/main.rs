//! Access tokens over real HTTP: how they are had, which are taken, and for whom their holder may speak.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../tls/certificates.rs"]
#[expect(dead_code, reason = "a test of tokens needs few certificates")]
mod certificates;
mod endpoint;
mod keys;
#[path = "../tls/links.rs"]
#[expect(dead_code, reason = "as above")]
mod links;
mod messages;
mod provider;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod with_certificates;

use base64::{Engine, engine::general_purpose::STANDARD};
use fspiop::jws::SigningKey;
use hub::{Config, TokenPolicy};
use oauth::key_id;
use serde_json::{Value, json};
use std::{fs, path::PathBuf, time::Duration};
use support::{BYSTANDER, Call, PAYEE, PAYER, Reply, Scheme, now};
use tempfile::TempDir;

/// Longer than anything here takes; whoever waits for so long waits in vain.
const DEADLINE: Duration = Duration::from_secs(20);
const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";
/// What the hub's tokens say without a setting.
const ISSUER: &str = "urn:umoja:Hub";

/// A scheme whose hub wants tokens, which are signed with a key that the test knows too.
struct Guarded {
    scheme: Scheme,
    key: SigningKey,
    file: PathBuf,
    _directory: TempDir,
}

impl Guarded {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token-key.pem");
        let (key, pem) = SigningKey::generate_p256().unwrap();
        fs::write(&file, pem).unwrap();
        let scheme = Scheme::start_with(|config| {
            config.tokens.policy = TokenPolicy::Required;
            config.tokens.key = Some(file.clone());
            set(config);
        })
        .await;
        Self { scheme, key, file, _directory: directory }
    }

    /// Makes a participant a client; returns its secret.
    async fn client(&self, name: &str) -> String {
        client(&self.scheme, name).await
    }

    /// A token for a participant that is made a client.
    async fn token(&self, name: &str) -> String {
        let secret = self.client(name).await;
        token(&self.scheme, name, &secret).await
    }

    /// A token with the hub's own key.
    fn made(&self, claims: &Value) -> String {
        signed(&self.key, claims)
    }

    /// How often messages were refused for a reason.
    async fn refused(&self, reason: &str) -> i64 {
        metric(&self.scheme, &format!("umoja_tokens_refused_total{{reason=\"{reason}\"}}")).await
    }
}

fn signed(key: &SigningKey, claims: &Value) -> String {
    oauth::sign(key, &key_id(&key.parameters()), claims).unwrap()
}

/// What a token of the hub says.
fn claims(name: &str) -> Value {
    json!({"iss": ISSUER, "aud": "Hub", "sub": name, "client_id": name, "exp": seconds() + 300, "generation": 1})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn seconds() -> i64 {
    now().millis() / 1000
}

async fn client(scheme: &Scheme, name: &str) -> String {
    let made = scheme.administer("POST /umoja/v1/clients", json!({"participant": name})).await;
    assert_eq!(made["clientId"], name);
    made["clientSecret"].as_str().unwrap().to_owned()
}

/// A token that the endpoint issues.
async fn token(scheme: &Scheme, name: &str, secret: &str) -> String {
    let reply = ask(scheme, name, secret).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ask(scheme: &Scheme, name: &str, secret: &str) -> Reply {
    scheme.send(&request(Some((name, secret)), GRANT)).await
}

/// A request for a token.
fn request(basic: Option<(&str, &str)>, form: &str) -> Call {
    let call = Call::plain("POST /oauth2/token", Value::Null).with("content-type", FORM).body(form.to_owned());
    match basic {
        Some((name, secret)) => {
            call.with("authorization", &format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))))
        }
        None => call,
    }
}

/// The same message with a token.
fn shown(call: Call, token: &str) -> Call {
    call.with("authorization", &format!("Bearer {token}"))
}

/// A question that changes nothing.
fn question(from: &str) -> Call {
    Call::new("GET /parties/MSISDN/123").from(from)
}

/// The value of a metric, named with its labels; zero where it was never counted.
async fn metric(scheme: &Scheme, name: &str) -> i64 {
    let reply = scheme.ask_administration(&Call::plain("GET /metrics", Value::Null)).await;
    reply.text().lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
}

/// The services of which health says that they are down.
async fn down(scheme: &Scheme) -> Vec<String> {
    let health = scheme.administer("GET /health", Value::Null).await;
    let services = health["services"].as_array().unwrap();
    let down = services.iter().filter(|service| service["status"] == "DOWN");
    down.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{what}, in time"));
}
