//! TLS of the FSPIOP listener and of callbacks, over loopback: who is heard, for whom somebody may speak, and keys that
//! change while the hub runs.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod callbacks;
mod certificates;
mod links;
mod operators;
mod participants;
mod revocation;
mod rotation;
#[path = "../support/mod.rs"]
mod support;

use certificates::{Authority, Issued, write};
use links::Link;
use serde_json::Value;
use std::{path::Path, time::Duration};
use support::{Call, Reply, Scheme};
use tempfile::TempDir;
use tls::ListenerTls;

/// Longer than anything here takes; whoever waits for so long waits in vain.
const DEADLINE: Duration = Duration::from_secs(20);

/// A scheme whose FSPIOP listener hears only clients with a certificate of its authority.
struct Secured {
    scheme: Scheme,
    /// Of the participants' certificates and of the hub's.
    authority: Authority,
    /// `hub.pem`, `hub-key.pem` and `ca.pem`.
    directory: TempDir,
}

impl Secured {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(set: impl FnOnce(&mut hub::Config)) -> Self {
        let (authority, directory) = (Authority::new("scheme"), tempfile::tempdir().unwrap());
        let tls = listener(&authority, directory.path());
        let scheme = Scheme::start_with(|config| {
            config.tls.fspiop = Some(tls);
            set(config);
        })
        .await;
        Self { scheme, authority, directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A connection with a certificate that the hub hears.
    async fn link(&self, shown: &Issued) -> Link {
        Link::open(self.scheme.addresses().fspiop, &self.authority, Some(shown)).await.unwrap()
    }

    /// A connection of a client with a common name.
    async fn link_of(&self, name: &str) -> Link {
        self.link(&self.authority.issue(name)).await
    }

    /// Whether a client gets an answer at all.
    async fn is_heard(&self, shown: Option<&Issued>, call: &Call) -> bool {
        // In TLS 1.3 a client hears of its refusal with its first read.
        match Link::open(self.scheme.addresses().fspiop, &self.authority, shown).await {
            Ok(mut link) => link.send(call).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The services of which health says that they are down.
    async fn down(&self) -> (String, Vec<String>) {
        let health = self.scheme.administer("GET /health", Value::Null).await;
        let services = health["services"].as_array().unwrap();
        let down = services.iter().filter(|service| service["status"] == "DOWN");
        (text(&health["status"]), down.map(|service| text(&service["name"])).collect())
    }

    async fn metric(&self, name: &str) -> Option<i64> {
        metric(&self.scheme, name).await
    }
}

fn listener(authority: &Authority, directory: &Path) -> ListenerTls {
    ListenerTls {
        pair: authority.issue("hub").write(directory, "hub"),
        client_ca: vec![write(directory, "ca.pem", &authority.pem())],
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The value of a metric, named with its labels.
async fn metric(scheme: &Scheme, name: &str) -> Option<i64> {
    let reply: Reply = scheme.ask_administration(&Call::plain("GET /metrics", Value::Null)).await;
    reply.text().lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
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
