//! TLS of the listeners for operators.

use crate::{
    DEADLINE,
    certificates::{Authority, Issued, write},
    links::Link,
    support::{Call, Scheme},
    until,
};
use axum::{Router, routing::get};
use hub::{Config, Listeners, Running, StartError};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tempfile::TempDir;
use tls::ListenerTls;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A hub whose operators show certificates.
struct Guarded {
    running: Running,
    authority: Authority,
    directory: TempDir,
}

impl Guarded {
    async fn start() -> Self {
        let (authority, directory) = (Authority::new("operators"), tempfile::tempdir().unwrap());
        let mut config = local();
        config.tls.administration = Some(guard(&authority, &directory));
        let running = hub::start(config, |_| Router::new().route("/", get(async || "the portal"))).await.unwrap();
        Self { running, authority, directory }
    }

    async fn link(&self, to: SocketAddr, shown: Option<&Issued>) -> std::io::Result<Link> {
        Link::open(to, &self.authority, shown).await
    }

    /// Whether a caller with this certificate, or none, gets an answer.
    async fn is_heard(&self, to: SocketAddr, shown: Option<&Issued>) -> bool {
        // TLS 1.3 tells a client that it is refused only when it reads.
        match self.link(to, shown).await {
            Ok(mut link) => link.send(&Call::plain("GET /health", Value::Null)).await.is_ok(),
            Err(_) => false,
        }
    }

    fn listeners(&self) -> [SocketAddr; 4] {
        let Listeners { administration, settlement, oracles, portal, .. } = *self.running.addresses();
        [administration, settlement, oracles, portal]
    }
}

fn local() -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    Config { listeners, ..Config::default() }
}

fn guard(authority: &Authority, directory: &TempDir) -> ListenerTls {
    ListenerTls {
        pair: authority.issue("hub").write(directory.path(), "admin"),
        client_ca: vec![write(directory.path(), "operators.pem", &authority.pem())],
    }
}

async fn refusal(config: Config) -> String {
    match hub::start(config, |_| Router::new()).await {
        Ok(_) => panic!("the hub starts"),
        Err(error @ StartError::Setting(_)) => error.to_string(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_with_a_certificate_are_heard_and_they_are_who_it_says() {
    let guarded = Guarded::start().await;
    let alice = guarded.authority.issue("alice");
    let foreign = Authority::new("operators").issue("alice");
    let expired = guarded.authority.issue_until("alice", -60);
    for address in guarded.listeners() {
        assert!(guarded.is_heard(address, Some(&alice)).await, "{address}");
        for (what, shown) in [("none", None), ("foreign", Some(&foreign)), ("expired", Some(&expired))] {
            assert!(!guarded.is_heard(address, shown).await, "{what} at {address}");
        }
    }
    let mut link = guarded.link(guarded.running.addresses().administration, Some(&alice)).await.unwrap();
    let body = json!({"type": "HUB_RECONCILIATION", "currency": "USD"});
    // Who the certificate names counts, whatever a header says.
    let call = Call::plain("POST /participants/Hub/accounts", body).with("fspiop-source", "mallory");
    assert_eq!(link.send(&call).await.unwrap().status, 201);
    let body = json!({"type": "HUB_MULTILATERAL_SETTLEMENT", "currency": "USD"});
    link.send(&Call::plain("POST /participants/Hub/accounts", body)).await.unwrap();
    let model = json!({
        "name": "NET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL", "settlementDelay": "DEFERRED",
        "requireLiquidityCheck": true, "autoPositionReset": true, "ledgerAccountType": "POSITION",
        "settlementAccountType": "SETTLEMENT",
    });
    assert_eq!(link.send(&Call::plain("POST /settlementModels", model)).await.unwrap().status, 201);
    let created =
        link.send(&Call::plain("POST /participants", json!({"name": "bank", "currency": "USD"}))).await.unwrap();
    let created: Value = serde_json::from_slice(&created.body).unwrap();
    assert!(created["links"]["self"].as_str().unwrap().starts_with("https://"), "{created}");
    let bank = guarded.authority.issue("bank").certificate;
    let body = json!({"participant": "bank", "certificate": bank});
    let call = Call::plain("POST /umoja/v1/certificates", body).with("fspiop-source", "mallory");
    let row: Value = serde_json::from_slice(&link.send(&call).await.unwrap().body).unwrap();
    assert_eq!(row["recordedBy"], "alice");
    drop(link);
    guarded.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_certificate_that_ends_or_is_revoked_ends_for_open_connections_too() {
    let guarded = Guarded::start().await;
    let address = guarded.running.addresses().administration;
    let short = guarded.authority.issue_until("alice", 3);
    let link = tokio::sync::Mutex::new(guarded.link(address, Some(&short)).await.unwrap());
    let ask = Call::plain("GET /participants", Value::Null);
    assert_eq!(link.lock().await.send(&ask).await.unwrap().status, 200);
    until("the certificate ends", || async { link.lock().await.send(&ask).await.unwrap().status == 400 }).await;
    // The hub is a participant, so that a certificate of its name can be recorded.
    let operator = guarded.authority.issue("Hub");
    let mut link = guarded.link(address, Some(&operator)).await.unwrap();
    let body = json!({"participant": "Hub", "certificate": operator.certificate});
    let row = link.send(&Call::plain("POST /umoja/v1/certificates", body)).await.unwrap();
    let row: Value = serde_json::from_slice(&row.body).unwrap();
    let path = format!("POST /umoja/v1/certificates/{}/revoke", row["fingerprint"].as_str().unwrap());
    assert_eq!(link.send(&Call::plain(&path, Value::Null)).await.unwrap().status, 200);
    let refused = link.send(&ask).await.unwrap();
    assert_eq!(refused.error(), "400 3100 Generic validation error - The client certificate has been revoked");
    drop(link);
    guarded.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_protocols_are_not_spoken_at_a_port_with_tls() {
    let guarded = Guarded::start().await;
    for address in guarded.listeners() {
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET /health HTTP/1.1\r\nhost: hub\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP"), "plain HTTP was answered");
        // ClientHello of TLS 1.1: record, handshake, version, random, no session, one suite, no compression.
        let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
        let mut old = TcpStream::connect(address).await.unwrap();
        old.write_all(&hello).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(DEADLINE, old.read_to_end(&mut answer)).await.unwrap().unwrap();
        // A fatal alert (2): protocol_version (70), or that nothing was offered that both know (40).
        assert!(answer[0] == 0x15 && answer[5] == 2 && [70, 40].contains(&answer[6]), "{answer:?}");
    }
    // And the reverse: TLS at a port that speaks plain HTTP.
    let scheme = Scheme::start().await;
    let error = guarded.link(scheme.addresses().administration, None).await.err().unwrap();
    assert!(error.to_string().contains("InvalidContentType"), "{error}");
    guarded.running.stop().await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_come_into_use_at_the_ports_of_operators_too() {
    let guarded = Guarded::start().await;
    let alice = guarded.authority.issue("alice");
    let next = Authority::new("next operators");
    write(guarded.directory.path(), "operators.pem", &format!("{}{}", guarded.authority.pem(), next.pem()));
    let renewed = guarded.authority.issue("hub");
    renewed.write(guarded.directory.path(), "admin");
    for address in guarded.listeners() {
        until("the new certificate is shown", || async {
            guarded.link(address, Some(&alice)).await.is_ok_and(|link| link.shown == renewed.der())
        })
        .await;
        let bob = next.issue("bob");
        until("both authorities count", || guarded.is_heard(address, Some(&bob))).await;
        assert!(guarded.is_heard(address, Some(&alice)).await);
    }
    guarded.running.stop().await;
}

#[tokio::test]
async fn a_hub_that_every_participant_or_anybody_could_administer_does_not_start() {
    let (directory, operators) = (tempfile::tempdir().unwrap(), Authority::new("operators"));
    let participants = Authority::new("scheme");
    let mut config = local();
    config.tls.administration = Some(guard(&operators, &directory));
    let pair = participants.issue("hub").write(directory.path(), "hub");
    let both = write(directory.path(), "both.pem", &format!("{}{}", participants.pem(), operators.pem()));
    config.tls.fspiop = Some(ListenerTls { pair: pair.clone(), client_ca: vec![both] });
    assert!(refusal(config.clone()).await.contains("every participant could administer the hub"));
    config.tls.fspiop = Some(ListenerTls {
        pair: pair.clone(),
        client_ca: vec![write(directory.path(), "ca.pem", &participants.pem())],
    });
    hub::start(config, |_| Router::new()).await.unwrap().stop().await;
    let open: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let mut config = local();
    config.listeners.administration = open;
    assert!(refusal(config.clone()).await.contains("without authentication"));
    config.tls.administration = Some(ListenerTls { pair, client_ca: Vec::new() });
    assert!(refusal(config.clone()).await.contains("without authentication"), "TLS alone tells nobody apart");
    config.tls.administration = Some(guard(&operators, &directory));
    hub::start(config, |_| Router::new()).await.unwrap().stop().await;
}
