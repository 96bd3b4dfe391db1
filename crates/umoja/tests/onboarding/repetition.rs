//! Onboarding that is repeated, cut after each step, or in conflict with what the hub has.

use crate::world::{BINARY, Said, any_listeners, run, umoja};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, response::Response};
use http::{Method, Request, Uri};
use http_body_util::Full;
use sdk::{HttpClient, Listener};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A hub in this process, and a directory with an authority in `ca` and the keys of a DFSP in `bank`.
struct Place {
    directory: TempDir,
    running: hub::Running,
    http: HttpClient,
}

impl Place {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("keys")).unwrap();
        let config = hub::Config {
            listeners: any_listeners(),
            verification: hub::Verification::On {
                keys: directory.path().join("keys"),
                failure: hub::SignatureFailure::Refused,
                party_answers: hub::PartyAnswers::Exempt,
            },
            ..hub::Config::default()
        };
        let running = hub::start(config, |_| Router::new()).await.unwrap();
        run(directory.path(), "admin ca init --directory ca --name Scheme").await;
        run(directory.path(), "adapter keys --directory bank --name bank").await;
        let place = Self { directory, running, http: HttpClient::new() };
        for currency in ["KES", "USD"] {
            for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
                place.post("/participants/Hub/accounts", json!({"type": kind, "currency": currency})).await;
            }
        }
        let model = json!({
            "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
            "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
            "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
        });
        place.post("/settlementModels", model).await;
        place
    }

    fn administration(&self) -> SocketAddr {
        self.running.addresses().administration
    }

    async fn post(&self, path: &str, body: Value) {
        let url = format!("http://{}{path}", self.administration());
        let answer = self.http.post_json(&url, body.to_string().into(), PATIENCE).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.administration());
        serde_json::from_slice(self.http.get(&url, PATIENCE).await.unwrap().body()).unwrap()
    }

    /// Onboards `bank`, with these words added.
    async fn onboard(&self, to: SocketAddr, more: &[&str]) -> Said {
        self.onboard_as("bank", to, more).await
    }

    async fn onboard_as(&self, name: &str, to: SocketAddr, more: &[&str]) -> Said {
        let url = format!("http://{to}");
        let mut words = vec!["admin", "--hub", &url, "onboard", name];
        words.extend("--currency KES --limit 1000 --currency USD --limit 5.5".split(' '));
        words.extend("--initial-liquidity 700 --initial-liquidity 3 --authority ca".split(' '));
        words.extend(["--verification-key", "bank/jws-public-key.pem"]);
        words.extend(more);
        umoja(self.directory.path(), &words).await
    }

    /// Everything that onboarding makes.
    async fn state(&self) -> [Value; 6] {
        [
            self.get("/participants/bank").await,
            self.get("/participants/bank/limits").await,
            self.get("/participants/bank/endpoints").await,
            self.get("/participants/bank/accounts").await,
            self.get("/umoja/v1/certificates").await,
            self.running.hub().fresh_directory().await.unwrap().version.into(),
        ]
    }
}

const WHOLE: [&str; 4] = ["--callback", "https://bank.example:4000/in", "--csr", "bank/tls-request.pem"];

/// Passes requests on to the hub, but only so many of those that change something.
struct Cut {
    to: SocketAddr,
    left: AtomicUsize,
    http: HttpClient,
}

async fn pass(State(cut): State<Arc<Cut>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let take = |left: usize| left.checked_sub(1);
    if method != Method::GET && cut.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let request = Request::builder().method(method).uri(format!("http://{}{uri}", cut.to));
    let request = request.header("content-type", "application/json").body(Full::new(body)).unwrap();
    let answer = cut.http.send(request, PATIENCE).await.unwrap();
    (answer.status(), answer.into_body()).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn onboarding_that_is_cut_after_each_step_is_finished_by_repeating_it_and_then_changes_nothing() {
    let place = Place::start().await;
    let cut = Arc::new(Cut { to: place.administration(), left: AtomicUsize::new(0), http: HttpClient::new() });
    let router = Router::new().fallback(pass).with_state(cut.clone());
    let listener = Listener::start(([127, 0, 0, 1], 0).into(), router).await.unwrap();
    let mut cuts = 0;
    let last = loop {
        cut.left.store(1, Ordering::SeqCst);
        let said = place.onboard(listener.address(), &WHOLE).await;
        if said.is_success {
            break said;
        }
        assert!(said.error.contains("The same command goes on where this one has stopped."), "{}", said.error);
        cuts += 1;
        assert!(cuts < 60, "it comes to an end: {}", said.error);
    };
    // Two currencies with accounts, cap and deposit, 21 addresses, the key; the last run records the certificate.
    assert_eq!(cuts, 28, "{}", last.output);
    assert!(last.output.contains("bank is a participant."), "{}", last.output);
    let state = place.state().await;
    assert_eq!(state[2].as_array().unwrap().len(), 21);
    assert_eq!(state[4]["certificates"].as_array().unwrap().len(), 1, "the same certificate, however often it was cut");
    let balance = |currency: &str| {
        let accounts = state[3].as_array().unwrap().iter();
        let mut own = accounts.filter(|account| account["currency"] == currency);
        own.find(|account| account["ledgerAccountType"] == "SETTLEMENT").unwrap()["value"].to_string()
    };
    assert_eq!([balance("KES"), balance("USD")], ["-700", "-3"], "each deposit once");
    let again = place.onboard(place.administration(), &[&WHOLE[..], &["--update", "--json"][..]].concat()).await;
    assert!(again.is_success, "{}", again.error);
    let told: Value = serde_json::from_str(&again.output).unwrap();
    assert!(told["steps"].as_array().unwrap().iter().all(|step| step["outcome"] == "already"), "{told}");
    assert_eq!(place.state().await, state);
    assert!(place.running.hub().verify().await.unwrap().is_empty());
    listener.stop().await;
    place.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_told_before_anything_changes_and_overwritten_only_when_told() {
    let place = Place::start().await;
    let to = place.administration();
    assert!(place.onboard(to, &WHOLE).await.is_success);
    let state = place.state().await;
    run(place.directory.path(), "adapter keys --directory other --name bank").await;
    let other = ["--callback", "https://new.example", "--verification-key", "other/jws-public-key.pem"];
    // The last key counts.
    let words = |update: bool| {
        let url = format!("http://{to}");
        let mut words = vec!["admin".to_owned(), "--hub".into(), url, "onboard".into(), "bank".into()];
        words.extend("--currency KES --limit 2000".split(' ').map(str::to_owned));
        words.extend(other.map(str::to_owned));
        words.extend(update.then(|| "--update".to_owned()));
        words
    };
    let said = umoja(place.directory.path(), &words(false)).await;
    assert!(!said.is_success);
    for part in [
        "Nothing was changed.",
        "The net debit cap in KES is 1000, not 2000.",
        "FSPIOP_CALLBACK_URL_QUOTES is https://bank.example:4000/in, not https://new.example.",
        "The hub verifies bank with another key.",
        "give --update",
    ] {
        assert!(said.error.contains(part), "{part}: {}", said.error);
    }
    assert_eq!(place.state().await, state);
    let said = umoja(place.directory.path(), &words(true)).await;
    assert!(said.is_success, "{}", said.error);
    let [_, limits, endpoints, accounts, certificates, _] = place.state().await;
    let limit = limits.as_array().unwrap().iter().find(|limit| limit["currency"] == "KES").unwrap();
    assert_eq!(limit["limit"]["value"], 2000);
    assert!(endpoints.as_array().unwrap().iter().all(|one| one["value"].as_str().unwrap().starts_with("https://new.")));
    assert_eq!((&accounts, &certificates), (&state[3], &state[4]), "the rest stays");
    // A deposit is never overwritten.
    let said = place.onboard(to, &["--callback", "https://new.example", "--update"]).await;
    assert!(said.is_success, "{}", said.error);
    let url = format!("http://{to}");
    let line = "--currency KES --limit 1000 --initial-liquidity 701 --callback https://new.example --update";
    let words: Vec<&str> = ["admin", "--hub", &url, "onboard", "bank"].into_iter().chain(line.split(' ')).collect();
    let said = umoja(place.directory.path(), &words).await;
    assert!(said.error.contains("was recorded as 700, not 701"), "{}", said.error);
    place.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_before_anything_changes() {
    let place = Place::start().await;
    let (to, directory) = (place.administration(), place.directory.path());
    let request = std::fs::read_to_string(directory.join("bank/tls-request.pem")).unwrap();
    let lines: Vec<&str> = request.lines().collect();
    let mut changed = lines.clone();
    let last = lines[lines.len() - 2];
    let other = format!("{}{}", if last.starts_with('A') { "B" } else { "A" }, &last[1..]);
    changed[lines.len() - 2] = &other;
    std::fs::write(directory.join("changed.pem"), changed.join("\n")).unwrap();
    assert!(place.onboard_as("blue.bank", to, &["--callback", "http://127.0.0.1:1"]).await.is_success);
    let before = place.get("/participants").await;
    let with = |more: &[&'static str]| [&["--callback", "https://bank.example"][..], more].concat();
    for (more, expected) in [
        (with(&["--csr", "changed.pem"]), "does not verify"),
        (with(&["--csr", "bank/tls-key.pem"]), "no request for a certificate"),
        (with(&["--csr", "none.pem"]), "none.pem cannot be read"),
        (with(&["--csr", "bank/tls-request.pem", "--host", "blue.bank"]), "has the name of a participant"),
        (with(&["--limit", "7"]), "2 currencies and 3 limits"),
        (vec!["--callback", "bank.example"], "is no URL"),
        (vec!["--callback", "https://bank.example/{{x}}"], "is no URL"),
    ] {
        let said = place.onboard(to, &more).await;
        assert!(!said.is_success && said.error.contains(expected), "{expected}: {}{}", said.output, said.error);
        assert_eq!(place.get("/participants").await, before, "{expected}");
    }
    assert_eq!(place.get("/umoja/v1/certificates").await["certificates"], json!([]));
    place.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_odd_characters_are_onboarded_to_the_letter() {
    let place = Place::start().await;
    let (to, directory) = (place.administration(), place.directory.path());
    for name in ["Crédit Ünion", "a%2Fb?c#d", "..", "银行 & \"Co\""] {
        let said = place
            .onboard_as(
                name,
                to,
                &["--callback", "https://bank.example", "--csr", "bank/tls-request.pem", "--output", "out"],
            )
            .await;
        assert!(said.is_success, "{name}: {}", said.error);
        let certificates = place.get("/umoja/v1/certificates").await;
        assert_eq!(certificates["certificates"][0]["participant"], name);
        assert!(directory.join(format!("keys/{name}.pem")).exists(), "{name}");
        let mut command = tokio::process::Command::new(BINARY);
        let file = Path::new("out/adapter.env");
        // What the file says of TLS is read, and its files are looked for; the name is read back.
        command.env_clear().current_dir(directory).args(["adapter", "--env-file"]).arg(file);
        let output = command.output().await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("set PEER_ENDPOINT"), "{name}: {error}");
    }
    for name in ["a\nb", "x"] {
        let said = place.onboard_as(name, to, &["--callback", "https://bank.example"]).await;
        assert!(!said.is_success, "{name}");
    }
    place.running.stop().await;
}
