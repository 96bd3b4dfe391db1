//! Adapters at a hub that wants access tokens: what they show, and what they do when it is refused.

use crate::core::WELCOMING;
use crate::world::{World, transfer_to};
use http::Method;
use hub::{Config, TokenPolicy};
use sdk::{Credentials, HttpClient, Rhythm, Secret, Tokens};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than any token here lives; whoever waits for so long waits in vain.
const DEADLINE: Duration = Duration::from_secs(60);
const NAMES: [&str; 2] = ["green", "blue"];

/// A hub whose tokens live for three seconds, and adapters that know where they are had.
struct Guarded {
    world: World,
    /// Of the payer and of the payee, which read it for each use.
    secrets: [tempfile::NamedTempFile; 2],
}

impl Guarded {
    async fn start(retries: u32) -> Self {
        let secrets = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
        let paths = secrets.each_ref().map(|file| file.path().to_owned());
        let mut config = Config::default();
        config.tokens.policy = TokenPolicy::Required;
        config.tokens.lifetime = Duration::from_secs(3);
        config.tokens.leeway = Duration::ZERO;
        let set = |at: usize, settings: &mut adapter::Settings| {
            let url = format!("{}/oauth2/token", settings.hub.peer);
            let credentials = Credentials { client_id: NAMES[at].to_owned(), secret: Secret::File(paths[at].clone()) };
            let rhythm = Rhythm {
                refresh: Duration::from_secs(60),
                retry: Duration::from_millis(100),
                timeout: Duration::from_secs(10),
            };
            settings.tokens = Tokens::of_endpoint((&url, &sdk::Links::default()), credentials, rhythm, retries);
        };
        let before_messages = async |hub: &hub::Running| {
            for (name, file) in NAMES.iter().zip(&secrets) {
                let secret = make_client(hub, name).await;
                std::fs::write(file.path(), secret).unwrap();
            }
            let have_tokens = async {
                while metric(hub, "umoja_tokens_issued_total").await < 2 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::time::timeout(DEADLINE, have_tokens).await.expect("both fetch a token");
        };
        let (payer, payee) = (|settings: &mut _| set(0, settings), |settings: &mut _| set(1, settings));
        let world = World::with_clients(config, (payer, payee), before_messages).await;
        Self { world, secrets }
    }

    async fn pays(&self) -> Value {
        let (status, answer) = self.world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
        assert_eq!((status, &answer["currentState"]), (200, &"COMPLETED".into()), "{answer}");
        answer
    }

    async fn metric(&self, name: &str) -> i64 {
        metric(&self.world.hub, name).await
    }
}

async fn administration(hub: &hub::Running, method: Method, path: &str, body: &Value) -> Vec<u8> {
    let url = format!("http://{}{path}", hub.addresses().administration);
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let request = http::Request::builder().method(method).uri(url).body(http_body_util::Full::new(text.into()));
    let answer = HttpClient::new().send(request.unwrap(), DEADLINE).await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    answer.body().to_vec()
}

async fn make_client(hub: &hub::Running, name: &str) -> String {
    let body = json!({"participant": name});
    let made: Value =
        serde_json::from_slice(&administration(hub, Method::POST, "/umoja/v1/clients", &body).await).unwrap();
    made["clientSecret"].as_str().unwrap().to_owned()
}

async fn metric(hub: &hub::Running, name: &str) -> i64 {
    let text = administration(hub, Method::GET, "/metrics", &Value::Null).await;
    let text = String::from_utf8(text).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_go_on_while_tokens_expire_and_are_renewed() {
    let guarded = Guarded::start(1).await;
    // A token is fetched every second and a half by each of the two, so that the first ones have expired by then.
    let long_enough = async {
        let mut payments = 0;
        while guarded.metric("umoja_tokens_issued_total").await < 10 || payments < 5 {
            guarded.pays().await;
            payments += 1;
        }
        payments
    };
    let payments = tokio::time::timeout(DEADLINE, long_enough).await.expect("tokens are renewed");
    let amount = payments * 10;
    assert_eq!(guarded.world.positions().await, [amount.to_string(), format!("-{amount}")]);
    assert_eq!(guarded.world.hub.hub().verify().await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_and_the_request_sent_again() {
    let guarded = Guarded::start(2).await;
    guarded.pays().await;
    let hub = &guarded.world.hub;
    administration(hub, Method::DELETE, "/umoja/v1/clients/green", &Value::Null).await;
    let refused = guarded.world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert!(refused.0 >= 400 && refused.1.to_string().contains("Unauthorized"), "{refused:?}");
    let secret = make_client(hub, "green").await;
    std::fs::write(guarded.secrets[0].path(), secret).unwrap();
    // The old token is held still; whether the adapter fetches a new one by itself or because of a 401, it pays.
    let paid = async {
        while guarded.world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, paid).await.expect("the new secret is used");
    assert!(guarded.metric("umoja_tokens_refused_total{reason=\"revoked\"}").await > 0);
    assert_eq!(guarded.world.positions().await, ["20", "-20"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_token_cannot_pay_and_the_core_is_told_why() {
    let guarded = Guarded::start(0).await;
    let site = crate::world::Site::start("green", guarded.world.hub.addresses().fspiop, |_| {}).await;
    let (status, answer) = site.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert!(status >= 400, "{answer}");
    assert!(answer.to_string().contains("Unauthorized - there is no access token"), "{answer}");
    assert_eq!(guarded.world.positions().await, ["0", "0"]);
}
