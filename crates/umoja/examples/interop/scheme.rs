//! A hub that verifies every signature, and four DFSPs: each client twice, once with a payer's customers and once with a payee's.

use crate::{
    Arguments,
    admin::{Admin, Member, Role},
    clients::{Client, Dfsp, Surroundings},
    core::{CUSTOMERS, PAYER},
};
use fspiop::jws::SigningKey;
use harness::process::{Addresses, HubCommand, HubProcess};
use sdk::{HttpClient, new_id};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use vocabulary::Currency;

const HUB: &str = "Hub";
const PATIENCE: Duration = Duration::from_secs(10);
const DELIVERY_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Name and client.
const PAYERS: [(&str, Client); 2] = [("sdkpayer", Client::Sdk), ("umojapayer", Client::Umoja)];
const PAYEES: [(&str, Client); 2] = [("sdkpayee", Client::Sdk), ("umojapayee", Client::Umoja)];
/// Addresses that the demo's DFSPs do without.
const ENDPOINTS: [(&str, &str); 4] = [
    ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", ""),
    ("FSPIOP_CALLBACK_URL_AUTHORIZATIONS", ""),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT", "/participants/{{requestId}}"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT_ERROR", "/participants/{{requestId}}/error"),
];

pub struct Scheme {
    pub admin: Admin,
    hub: HubProcess,
    payers: Vec<Dfsp>,
    payees: Vec<Dfsp>,
}

impl Scheme {
    pub async fn start(arguments: &Arguments) -> Result<Self, String> {
        let keys = Keys::make(&arguments.directory)?;
        let hub = HubProcess::start(&hub_command(arguments, &keys), Addresses::any()).await?;
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration, HUB);
        admin.prepare_scheme(&[kes()]).await?;
        let around =
            Surroundings { arguments, hub: addresses.fspiop, public_keys: &keys.public, private_keys: &keys.private };
        let (mut payers, mut payees) = (Vec::new(), Vec::new());
        for (name, client) in PAYERS {
            let dfsp = Dfsp::start(client, name, &around).await?;
            onboard(&admin, addresses.administration, &dfsp).await?;
            dfsp.register(&[customer(client, PAYER)]).await?;
            payers.push(dfsp);
        }
        for (name, client) in PAYEES {
            let dfsp = Dfsp::start(client, name, &around).await?;
            onboard(&admin, addresses.administration, &dfsp).await?;
            dfsp.register(&CUSTOMERS.map(|id| customer(client, id))).await?;
            payees.push(dfsp);
        }
        Ok(Self { admin, hub, payers, payees })
    }

    pub fn payer(&self, client: Client) -> &Dfsp {
        of(&self.payers, client)
    }

    pub fn payee(&self, client: Client) -> &Dfsp {
        of(&self.payees, client)
    }

    /// Messages of the hub that nobody has taken, also after a while.
    pub async fn undelivered(&self) -> Result<usize, String> {
        let deadline = Instant::now() + DELIVERY_MAX;
        loop {
            let count = self.waiting().await?;
            if count == 0 || Instant::now() > deadline {
                return Ok(count);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn waiting(&self) -> Result<usize, String> {
        let url = format!("http://{}/umoja/v1/outbox?state=waiting", self.hub.addresses().administration);
        let answer = HttpClient::new().get(&url, PATIENCE).await;
        let answer = answer.map_err(|error| format!("the hub does not answer at {url}: {error}"))?;
        let page: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        page["messages"].as_array().map(Vec::len).ok_or_else(|| format!("the hub answers {page} at {url}"))
    }

    /// Ends every process; an error if one had ended before.
    pub async fn stop(self) -> Result<(), String> {
        // First of all: it still delivers what it has to say.
        self.hub.stop().await?;
        for dfsp in self.payers.into_iter().chain(self.payees) {
            dfsp.stop().await?;
        }
        Ok(())
    }
}

/// The identifier of a client's customer: the core knows it by its last digits.
pub fn customer(client: Client, id: &str) -> String {
    match client {
        Client::Sdk => format!("2541{id}"),
        Client::Umoja => format!("2542{id}"),
    }
}

pub fn kes() -> Currency {
    "KES".parse().expect("it is a currency")
}

fn of(dfsps: &[Dfsp], client: Client) -> &Dfsp {
    dfsps.iter().find(|dfsp| dfsp.client == client).expect("each client was started in each role")
}

fn hub_command(arguments: &Arguments, keys: &Keys) -> HubCommand {
    let mut flags: Vec<OsString> = vec!["--data".into(), arguments.directory.join("hub").into()];
    flags.extend(["--signing-key".into(), keys.private.join(format!("{HUB}.pem")).into()]);
    flags.extend(["--verify-signatures", "enforce", "--verify-party-answers", "true"].map(OsString::from));
    flags.extend(["--verification-keys".into(), keys.public.clone().into()]);
    HubCommand { binary: arguments.umoja.clone(), arguments: flags, log: arguments.directory.join("hub.log") }
}

async fn onboard(admin: &Admin, administration: SocketAddr, dfsp: &Dfsp) -> Result<(), String> {
    let accounts = [(kes(), new_id().to_string())];
    admin.onboard(&Member { name: dfsp.name, role: Role::Dfsp, accounts: &accounts }, dfsp.inbound).await?;
    let http = HttpClient::new();
    for (endpoint, rest) in ENDPOINTS {
        let url = format!("http://{administration}/participants/{}/endpoints", dfsp.name);
        let body = json!({"type": endpoint, "value": format!("http://{}{rest}", dfsp.inbound)}).to_string();
        let answer = http.post_json(&url, body.into(), PATIENCE).await;
        let status = answer.map_err(|error| format!("the hub does not answer at {url}: {error}"))?.status();
        if !status.is_success() {
            return Err(format!("the hub refuses {endpoint} of {}: {status}", dfsp.name));
        }
    }
    Ok(())
}

/// The keys of all: everybody reads the public ones, each its own private one.
struct Keys {
    public: PathBuf,
    private: PathBuf,
}

impl Keys {
    fn make(directory: &Path) -> Result<Self, String> {
        let keys = Self { public: directory.join("public-keys"), private: directory.join("private-keys") };
        let problem = |error: std::io::Error| format!("cannot write keys into {}: {error}", directory.display());
        for directory in [&keys.public, &keys.private] {
            fs::create_dir_all(directory).map_err(problem)?;
        }
        let names = [HUB].into_iter().chain(PAYERS.into_iter().chain(PAYEES).map(|(name, _)| name));
        for name in names {
            let made = SigningKey::generate_rsa().and_then(|(key, pem)| Ok((key.public_pem()?, pem)));
            let (public, private) = made.map_err(|error| format!("no key for {name}: {error}"))?;
            fs::write(keys.public.join(format!("{name}.pem")), public).map_err(problem)?;
            fs::write(keys.private.join(format!("{name}.pem")), private).map_err(problem)?;
        }
        Ok(keys)
    }
}
