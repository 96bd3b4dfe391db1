//! The two clients, each as a process with a small core behind it and the same settings, as far as both know them.

use crate::{Arguments, core::Core, foreign::Foreign};
use harness::{
    process::{ServerProcess, reserved},
    random::Random,
};
use http::{Method, Request};
use http_body_util::Full;
use sdk::HttpClient;
use serde_json::{Value, json};
use std::{fmt, net::SocketAddr, path::Path, time::Duration};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// Generous: it is longer than what the clients themselves wait.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a core waits for the last word about a payment.
const NEWS_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Life of quotes and transfers. Payments take a fraction of it; what nobody answers lasts as long.
pub const EXPIRY: Duration = Duration::from_secs(10);
/// 18.0.2 understands no version 2, and sends 1.0 where it is not told otherwise.
const VERSIONS: &str =
    "participants=1.1,parties=1.1,quotes=1.1,transfers=1.1,transactionRequests=1.1,authorizations=1.1";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    Sdk,
    Umoja,
}

/// A DFSP: one of the clients and a core.
pub struct Dfsp {
    pub name: &'static str,
    pub client: Client,
    pub core: Core,
    pub inbound: SocketAddr,
    outbound: SocketAddr,
    process: Process,
    http: HttpClient,
}

enum Process {
    Sdk { node: Foreign, redis: Foreign },
    Umoja(ServerProcess),
}

/// Where a client finds its hub and the keys.
pub struct Surroundings<'a> {
    pub arguments: &'a Arguments,
    pub hub: SocketAddr,
    /// `NAME.pem`, public.
    pub public_keys: &'a Path,
    /// `NAME.pem`, private.
    pub private_keys: &'a Path,
}

impl Dfsp {
    pub async fn start(client: Client, name: &'static str, around: &Surroundings<'_>) -> Result<Self, String> {
        let core = Core::start().await;
        let environment = environment(name, core.address(), around);
        let (process, inbound, outbound) = match client {
            Client::Sdk => start_sdk(name, environment, around).await?,
            Client::Umoja => start_umoja(name, environment, around).await?,
        };
        Ok(Self { name, client, core, inbound, outbound, process, http: HttpClient::new() })
    }

    /// Its customers in the scheme's directory.
    pub async fn register(&self, customers: &[String]) -> Result<(), String> {
        let account = |id: &String| json!({"idType": "MSISDN", "idValue": id, "currency": "KES"});
        let accounts: Vec<Value> = customers.iter().map(account).collect();
        let (status, answer) = self.call(Method::POST, "/accounts", &accounts.into()).await?;
        let failed = answer["response"].as_array().into_iter().flatten().any(|entry| entry.get("error").is_some());
        if status == 200 && answer["currentState"] == "COMPLETED" && !failed {
            return Ok(());
        }
        Err(format!("{} cannot register its customers: {status} {answer}", self.name))
    }

    /// A call of the core: status and body.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<(u16, Value), String> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(&method).uri(format!("http://{}{path}", self.outbound));
        let request = request.header("content-type", "application/json").body(Full::new(text.into()));
        let request = request.map_err(|error| format!("{method} {path} is no request: {error}"))?;
        let answer = self.http.send(request, PATIENCE).await;
        let answer = answer.map_err(|error| format!("{} does not answer {method} {path}: {error}", self.name))?;
        Ok((answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default()))
    }

    /// How a payment ended, as its core is told; waits for it.
    pub async fn last_word(&self, transfer: &str) -> Option<String> {
        let deadline = Instant::now() + NEWS_MAX;
        loop {
            let word = self.last_words(transfer).pop();
            if word.is_some() || Instant::now() > deadline {
                return word;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// How a payment ended, as its core has been told so far.
    pub fn last_words(&self, transfer: &str) -> Vec<String> {
        let told = self.core.asked(Method::PUT, &format!("/transfers/{transfer}"));
        let word = |body: &Value| body["finalNotification"]["transferState"].as_str().map(str::to_owned);
        told.iter().filter_map(|asked| word(&asked.body)).collect()
    }

    /// The newest question of this kind; waits for one that is `about` what it should be.
    pub async fn question(&self, path: &str, about: impl Fn(&Value) -> bool) -> Result<Value, String> {
        let deadline = Instant::now() + NEWS_MAX;
        loop {
            let asked = self.core.asked(Method::POST, path);
            if let Some(asked) = asked.into_iter().rev().find(|asked| about(&asked.body)) {
                return Ok(asked.body);
            }
            if Instant::now() > deadline {
                return Err(format!("the core of {} was not asked POST {path}", self.name));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub async fn stop(self) -> Result<(), String> {
        match self.process {
            Process::Sdk { node, redis } => {
                node.stop().await?;
                redis.stop().await
            }
            Process::Umoja(process) => process.stop().await,
        }
    }
}

/// What both clients read.
fn environment(name: &str, core: SocketAddr, around: &Surroundings<'_>) -> Vec<(&'static str, String)> {
    let key = around.private_keys.join(format!("{name}.pem"));
    vec![
        ("DFSP_ID", name.to_owned()),
        ("PEER_ENDPOINT", around.hub.to_string()),
        // 18.0.2 registers customers there alone.
        ("ALS_ENDPOINT", around.hub.to_string()),
        ("BACKEND_ENDPOINT", core.to_string()),
        ("JWS_SIGN", "true".to_owned()),
        ("JWS_SIGNING_KEY_PATH", key.display().to_string()),
        ("VALIDATE_INBOUND_JWS", "true".to_owned()),
        ("VALIDATE_INBOUND_PUT_PARTIES_JWS", "true".to_owned()),
        ("JWS_VERIFICATION_KEYS_DIRECTORY", around.public_keys.display().to_string()),
        ("ILP_SECRET", format!("secret of {name}")),
        ("CHECK_ILP", "true".to_owned()),
        ("EXPIRY_SECONDS", EXPIRY.as_secs().to_string()),
        ("RESERVE_NOTIFICATION", "true".to_owned()),
        ("RESOURCE_VERSIONS", VERSIONS.to_owned()),
        ("AUTO_ACCEPT_PARTY", "true".to_owned()),
        ("AUTO_ACCEPT_QUOTES", "true".to_owned()),
        ("AUTO_ACCEPT_R2P_PARTY", "true".to_owned()),
    ]
}

async fn start_sdk(
    name: &str,
    environment: Vec<(&'static str, String)>,
    around: &Surroundings<'_>,
) -> Result<(Process, SocketAddr, SocketAddr), String> {
    let mut random = Random::seeded(Random::fresh_seed());
    let ports = reserved(&mut random).map_err(|error| format!("no ports for {name}: {error}"))?;
    let [inbound, outbound, metrics, test, cache] = ports;
    let directory = &around.arguments.directory;
    // One each: what one of them publishes in it, another one would hear.
    let mut redis = Command::new("redis-server");
    redis.args(["--bind", "127.0.0.1", "--port", &cache.port().to_string(), "--save", "", "--appendonly", "no"]);
    redis.arg("--dir").arg(directory);
    let redis = Foreign::start(redis, directory.join(format!("{name}-redis.log")), &[cache]).await?;
    let package = around.arguments.sdk.join("node_modules/@mojaloop/sdk-scheme-adapter");
    let mut node = Command::new("node");
    node.arg("src/index.js").current_dir(package);
    only(&mut node, environment);
    for (variable, address) in [
        ("INBOUND_LISTEN_PORT", inbound),
        ("OUTBOUND_LISTEN_PORT", outbound),
        ("METRICS_SERVER_LISTEN_PORT", metrics),
        ("TEST_LISTEN_PORT", test),
    ] {
        node.env(variable, address.port().to_string());
    }
    node.env("CACHE_URL", format!("redis://{cache}/")).env("LOG_INDENT", "0");
    let node = Foreign::start(node, directory.join(format!("{name}.log")), &[inbound, outbound]).await?;
    Ok((Process::Sdk { node, redis }, inbound, outbound))
}

async fn start_umoja(
    name: &'static str,
    environment: Vec<(&'static str, String)>,
    around: &Surroundings<'_>,
) -> Result<(Process, SocketAddr, SocketAddr), String> {
    let directory = &around.arguments.directory;
    let mut command = Command::new(&around.arguments.umoja);
    only(&mut command, environment);
    // 18.0.2 understands no ULIDs.
    command.env("ID_GENERATOR", "uuid");
    command.args(["adapter", "--json", "--inbound-address", "127.0.0.1", "--inbound-port", "0"]);
    command.args(["--outbound-port", "0", "--log", "debug", "--data"]).arg(directory.join(format!("{name}.sqlite")));
    let addresses = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let address = |name: &str| line.get(name)?.as_str()?.parse::<SocketAddr>().ok();
        Some((address("inbound")?, address("outbound")?))
    };
    let log = directory.join(format!("{name}.log"));
    let (process, (inbound, outbound)) = ServerProcess::start(name, command, &log, addresses).await?;
    Ok((Process::Umoja(process), inbound, outbound))
}

/// Settings of the person's own clients are not for these.
fn only(command: &mut Command, environment: Vec<(&'static str, String)>) {
    command.env_clear().envs(environment);
    for variable in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(variable) {
            command.env(variable, value);
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Sdk => "sdk",
            Self::Umoja => "umoja",
        })
    }
}
