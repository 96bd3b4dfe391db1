//! A hub with TLS everywhere, as an operator sets it up with this program's commands, and DFSPs with adapters.

use crate::core::Core;
use harness::process::{Addresses, HubCommand, HubProcess, ServerProcess};
use http::{Method, Request};
use http_body_util::Full;
use sdk::HttpClient;
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tls::{ClientKeys, ClientTls, KeyPair};
use tokio::process::Command;

pub const BINARY: &str = env!("CARGO_BIN_EXE_umoja");
/// Generous: a busy machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a command printed, and whether it succeeded.
pub struct Said {
    pub is_success: bool,
    pub output: String,
    pub error: String,
}

/// Runs `umoja` in a directory.
pub async fn umoja<S: AsRef<OsStr>>(directory: &Path, arguments: &[S]) -> Said {
    let mut command = Command::new(BINARY);
    command.env_clear().current_dir(directory).args(arguments).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { is_success: output.status.success(), output: text(&output.stdout), error: text(&output.stderr) }
}

/// The words of a line, which succeeds.
pub async fn run(directory: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let said = umoja(directory, &words).await;
    assert!(said.is_success, "umoja {line}: {}{}", said.output, said.error);
    said.output
}

/// The same, which fails; what it says.
pub async fn fails(directory: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let said = umoja(directory, &words).await;
    assert!(!said.is_success, "umoja {line}: {}", said.output);
    said.error
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The operator's side. In its directory: `ca` and `operators`, two authorities; `hub`, `alice` and `keys`.
pub struct Operator {
    pub directory: TempDir,
    pub addresses: Addresses,
    hub: HubProcess,
    http: HttpClient,
}

impl Operator {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        for line in [
            "admin ca init --directory ca --name Scheme",
            "admin ca init --directory operators --name Operators",
            "admin ca request --into hub --name hub",
            "admin ca issue Hub --directory ca --csr hub/tls-request.pem --host 127.0.0.1 --output hub/tls-certificate.pem",
            "admin ca request --into alice --name alice",
            "admin ca issue alice --directory operators --csr alice/tls-request.pem --output alice/tls-certificate.pem",
        ] {
            run(place, line).await;
        }
        std::fs::create_dir(place.join("keys")).unwrap();
        let hub = HubProcess::start(&hub_command(place), Addresses::any()).await.unwrap();
        let (addresses, http) = (hub.addresses(), client(place, Some("alice")));
        let operator = Self { directory, addresses, hub, http };
        for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
            operator.post("/participants/Hub/accounts", &json!({"type": kind, "currency": "KES"})).await;
        }
        let model = json!({
            "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
            "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
            "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
        });
        operator.post("/settlementModels", &model).await;
        operator
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.addresses.administration)
    }

    /// A command of the operator with her certificate.
    pub async fn admin(&self, line: &str) -> String {
        run(self.path(), &self.line(line)).await
    }

    pub async fn admin_fails(&self, line: &str) -> String {
        fails(self.path(), &self.line(line)).await
    }

    fn line(&self, line: &str) -> String {
        let (url, alice) = (self.url(), "--certificate alice/tls-certificate.pem --key alice/tls-key.pem");
        format!("admin --hub {url} --ca ca/ca.pem {alice} {line}")
    }

    pub async fn position(&self, name: &str) -> String {
        let url = format!("{}/participants/{name}/positions?currency=KES", self.url());
        let answer = self.http.get(&url, PATIENCE).await.unwrap();
        let position: Value = serde_json::from_slice(answer.body()).unwrap();
        position["value"].to_string()
    }

    async fn post(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.url());
        let answer = self.http.post_json(&url, body.to_string().into(), PATIENCE).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    pub async fn stop(self) {
        drop(self.http);
        self.hub.stop().await.unwrap();
    }
}

fn hub_command(place: &Path) -> HubCommand {
    let mut arguments = vec!["--store".into(), "memory".into(), "--verify-signatures".into(), "enforce".into()];
    for (flag, file) in [
        ("--verification-keys", "keys"),
        ("--fspiop-certificate", "hub/tls-certificate.pem"),
        ("--fspiop-key", "hub/tls-key.pem"),
        ("--fspiop-client-ca", "ca/ca.pem"),
        ("--administration-certificate", "hub/tls-certificate.pem"),
        ("--administration-key", "hub/tls-key.pem"),
        ("--administration-client-ca", "operators/ca.pem"),
        ("--outgoing-certificate", "hub/tls-certificate.pem"),
        ("--outgoing-key", "hub/tls-key.pem"),
        ("--outgoing-ca", "ca/ca.pem"),
    ] {
        arguments.extend([flag.into(), place.join(file).into()]);
    }
    HubCommand { binary: BINARY.into(), arguments, log: place.join("hub.log") }
}

/// A client that trusts the scheme's authority, with the certificate in a directory or with none.
pub fn client(place: &Path, shown: Option<&str>) -> HttpClient {
    let pair = shown.map(|name| {
        let file = |file: &str| place.join(name).join(file);
        KeyPair { certificate: file("tls-certificate.pem"), key: file("tls-key.pem") }
    });
    let keys = ClientKeys::of_client(ClientTls { ca: vec![place.join("ca/ca.pem")], pair });
    assert_eq!(keys.state().problem, None);
    HttpClient::over_tls(Arc::new(keys))
}

/// The DFSP's side: its keys lie in `place`, where its adapter runs.
pub struct Dfsp {
    pub name: &'static str,
    pub place: PathBuf,
    pub port: u16,
    pub core: Core,
    adapter: Option<(ServerProcess, SocketAddr)>,
    http: HttpClient,
}

impl Dfsp {
    /// Makes its keys and is onboarded.
    pub async fn join(operator: &Operator, name: &'static str) -> Self {
        let place = operator.path().join(name);
        run(operator.path(), &format!("adapter keys --directory {name} --name {name}")).await;
        let port = free_port();
        let dfsp = Self { name, place, port, core: Core::start().await, adapter: None, http: HttpClient::new() };
        operator.admin(&dfsp.onboarding(operator, name)).await;
        dfsp
    }

    /// The command of the operator, with the request for a certificate in a directory.
    pub fn onboarding(&self, operator: &Operator, request: &str) -> String {
        let (name, port, fspiop) = (self.name, self.port, operator.addresses.fspiop);
        format!(
            "onboard {name} --currency KES --limit 1000 --initial-liquidity 500 --callback https://127.0.0.1:{port} \
             --csr {request}/tls-request.pem --authority ca --verification-key {name}/jws-public-key.pem \
             --peer {fspiop} --output {request}"
        )
    }

    /// Starts the adapter with the file that the operator has sent, and what the DFSP alone knows.
    pub async fn start(&mut self) {
        let mut command = Command::new(BINARY);
        command.current_dir(&self.place).args(["adapter", "--env-file", "adapter.env", "--json"]);
        command.env_clear().envs([
            ("BACKEND_ENDPOINT", self.core.address().to_string()),
            ("ILP_SECRET", format!("secret of {}", self.name)),
            ("OUTBOUND_SERVER_LISTEN_PORT", "0".to_owned()),
            ("UMOJA_ADAPTER_INBOUND_ADDRESS", "127.0.0.1".to_owned()),
        ]);
        let outbound = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            line["outbound"].as_str()?.parse::<SocketAddr>().ok()
        };
        let log = self.place.join("adapter.log");
        self.adapter = Some(ServerProcess::start("adapter", command, &log, outbound).await.unwrap());
    }

    /// A call of the core.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.adapter.as_ref().unwrap().1);
        let request = Request::builder().method(method).uri(url).body(Full::new(body.to_string().into())).unwrap();
        let answer = self.http.send(request, PATIENCE).await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    pub async fn stop(self) {
        self.adapter.unwrap().0.stop().await.unwrap();
    }
}

pub fn any_listeners() -> hub::Listeners {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any }
}
