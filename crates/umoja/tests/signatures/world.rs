//! Three schemes in a row with a proxy between neighbours, and taps on every line that a message of a payment takes.
//!
//! Invariant: everybody talks over HTTP on the loopback interface. Each hub has its own name and its own key, and refuses what
//! is not signed by its source.

use crate::admin::{Admin, Member, Role};
use crate::tap::Tap;
use proxy::{SideConfig, Target};
use sdk::{KeyDirectory, PartyAnswers, Signatures, SigningKey, new_id};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tempfile::TempDir;
use vocabulary::Currency;

pub const HUBS: [&str; 3] = ["hub-a", "hub-r", "hub-b"];
pub const PROXIES: [&str; 2] = ["proxy-ar", "proxy-rb"];
const ANY: [u8; 4] = [127, 0, 0, 1];

pub struct World {
    pub hubs: Vec<hub::Running>,
    pub admins: Vec<Admin>,
    proxies: Vec<proxy::Running>,
    /// On the lines from a hub to a proxy: there and back between the first two schemes, then the last two.
    pub between: Vec<Tap>,
    /// The public keys that the hubs know: everybody's.
    known: TempDir,
}

/// A DFSP's lines to and from its hub, and its keys.
pub struct End {
    pub name: &'static str,
    hub: usize,
    pub key: Arc<SigningKey>,
    /// The public keys that it knows.
    pub known: TempDir,
    /// On what it sends.
    pub sent: Tap,
    /// On what it receives, once it has [joined](World::join).
    pub received: Option<Tap>,
}

pub fn usd() -> Currency {
    "USD".parse().unwrap()
}

impl World {
    pub async fn start() -> Self {
        let (mut hubs, mut admins, known) = (Vec::new(), Vec::new(), tempfile::tempdir().unwrap());
        let verification = hub::Verification::On {
            keys: known.path().to_owned(),
            failure: hub::SignatureFailure::Refused,
            party_answers: hub::PartyAnswers::Verified,
        };
        for name in HUBS {
            let any = SocketAddr::from((ANY, 0));
            let listeners =
                hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
            let (name_of_hub, verification) = (name.parse().unwrap(), verification.clone());
            let config = hub::Config { name: name_of_hub, listeners, verification, ..hub::Config::default() };
            let hub = hub::start(config, portal::router).await.unwrap();
            let admin = Admin::new(hub.addresses().administration, name);
            admin.prepare_scheme(&[usd()]).await.unwrap();
            std::fs::write(known.path().join(format!("{name}.pem")), hub.hub().public_key().unwrap()).unwrap();
            hubs.push(hub);
            admins.push(admin);
        }
        let (mut proxies, mut between) = (Vec::new(), Vec::new());
        for (number, name) in PROXIES.into_iter().enumerate() {
            let side = |hub: usize| side(hubs[hub].addresses().fspiop);
            let config = proxy::Config {
                id: name.parse().unwrap(),
                a: side(number),
                b: side(number + 1),
                removed_headers: Vec::new(),
                attempt_timeout: proxy::config::ATTEMPT_TIMEOUT_DEFAULT,
                connections: proxy::config::CONNECTIONS_DEFAULT,
                token_retry: proxy::config::TOKEN_RETRY_DEFAULT,
            };
            let running = proxy::start(config).await.unwrap();
            // What side A's listener takes goes to hub A: it is what hub B calls.
            let [of_a, of_b] = running.addresses();
            for (hub, listener) in [(number, of_b), (number + 1, of_a)] {
                let tap = Tap::on(listener).await;
                onboard(&admins[hub], (name, Role::Proxy), tap.address).await;
                between.push(tap);
            }
            proxies.push(running);
        }
        Self { hubs, admins, proxies, between, known }
    }

    /// The lines and keys of a DFSP at a hub. It knows the keys of all hubs.
    pub async fn end(&self, name: &'static str, hub: usize) -> End {
        let known = tempfile::tempdir().unwrap();
        for (hub, name) in self.hubs.iter().zip(HUBS) {
            std::fs::write(known.path().join(format!("{name}.pem")), hub.hub().public_key().unwrap()).unwrap();
        }
        let key = Arc::new(SigningKey::generate_rsa().unwrap().0);
        publish(&key, name, self.known.path());
        let sent = Tap::on(self.hubs[hub].addresses().fspiop).await;
        End { name, hub, key, known, sent, received: None }
    }

    /// Makes a DFSP that listens a participant of its scheme.
    pub async fn join(&self, end: &mut End, listener: SocketAddr) {
        let tap = Tap::on(listener).await;
        onboard(&self.admins[end.hub], (end.name, Role::Dfsp), tap.address).await;
        end.received = Some(tap);
    }

    /// Checks that every hub's ledger adds up and that it has refused no signature, and stops them.
    pub async fn stop(self) {
        for hub in self.hubs {
            let metrics = hub.hub().metrics_text();
            assert!(!metrics.contains("umoja_signature_failures_total{"), "{metrics}");
            assert_eq!(hub.hub().verify().await.unwrap(), Vec::<String>::new());
            hub.stop().await;
        }
        for proxy in self.proxies {
            proxy.stop().await;
        }
    }
}

impl End {
    /// Settings of a connection that signs everything and verifies everything.
    pub fn connection(&self) -> sdk::Config {
        let hub = format!("http://{}", self.sent.address);
        let mut config = sdk::Config::new(self.name.parse().unwrap(), hub, format!("secret of {}", self.name));
        let keys = Some(Arc::new(self.keys()));
        config.signatures = Signatures { key: Some(self.key.clone()), keys, parties: PartyAnswers::Verified };
        config
    }

    /// The keys that it knows.
    pub fn keys(&self) -> KeyDirectory {
        KeyDirectory::open(self.known.path()).unwrap()
    }

    /// Gives another DFSP its public key.
    pub fn introduce_to(&self, other: &End) {
        publish(&self.key, self.name, other.known.path());
    }

    pub fn received(&self) -> &Tap {
        self.received.as_ref().unwrap()
    }
}

fn publish(key: &SigningKey, name: &str, directory: &Path) {
    std::fs::write(directory.join(format!("{name}.pem")), key.public_pem().unwrap()).unwrap();
}

async fn onboard(admin: &Admin, (name, role): (&str, Role), listener: SocketAddr) {
    let accounts = [(usd(), new_id().to_string())];
    admin.onboard(&Member { name, role, accounts: &accounts }, listener).await.unwrap();
}

fn side(hub: SocketAddr) -> SideConfig {
    let hub = Target::parse(&format!("http://{hub}")).unwrap();
    SideConfig { listen: (ANY, 0).into(), hub, ca: None, client: None, oauth: None, listener_tls: None }
}
