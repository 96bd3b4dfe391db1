//! What the hub sends to addresses with https.

use crate::{
    DEADLINE,
    certificates::{self, Authority, write},
    links::Front,
    metric,
    support::{ENDPOINTS, PAYEE, Payment, Scheme},
    until,
};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;
use tls::ClientTls;

const FAILED: &str = "umoja_deliveries_total{outcome=\"failed\"}";

/// A scheme whose payee is called over TLS, by callers with a certificate of the scheme's authority.
struct Calling {
    scheme: Scheme,
    front: Front,
    /// Of the hub's certificate.
    authority: Authority,
    /// Of the payee's.
    payees: Authority,
    /// `ca.pem`, `outgoing.pem` and `outgoing-key.pem`.
    directory: TempDir,
}

impl Calling {
    /// `trusted` writes whom the hub trusts.
    async fn start(trusted: impl FnOnce(&Path, &Authority) -> std::path::PathBuf) -> Self {
        let (authority, payees) = (Authority::new("scheme"), Authority::new("payees"));
        let directory = tempfile::tempdir().unwrap();
        let outgoing = ClientTls {
            ca: vec![trusted(directory.path(), &payees)],
            pair: Some(authority.issue("Hub").write(directory.path(), "outgoing")),
        };
        let scheme = Scheme::start_with(|config| config.tls.outgoing = outgoing).await;
        let front = Front::of(&scheme.payee, certificates::server(&payees.issue(PAYEE), &authority)).await;
        for (endpoint, path) in ENDPOINTS {
            let body = json!({"type": endpoint.as_str(), "value": format!("{}{path}", front.url())});
            scheme.administer(&format!("POST /participants/{PAYEE}/endpoints"), body).await;
        }
        Self { scheme, front, authority, payees, directory }
    }

    /// A payment from its prepare to its end.
    async fn pay(&self) {
        let payment = Payment::usd("10");
        self.scheme.reserve(&payment).await;
        self.scheme.accept(&payment.fulfil("COMMITTED")).await;
        self.scheme.payer.next(&payment.put()).await;
    }
}

fn trusting(directory: &Path, authority: &Authority) -> std::path::PathBuf {
    write(directory, "ca.pem", &authority.pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_go_over_tls_with_the_certificate_of_the_hub_on_connections_that_are_kept() {
    let calling = Calling::start(trusting).await;
    for _ in 0..10 {
        calling.pay().await;
    }
    let days = metric(&calling.scheme, "umoja_certificate_days{certificate=\"outgoing\"}").await.unwrap();
    assert!((20_000..25_000).contains(&days), "{days}");
    // A message may come while the answer to the one before is still under way.
    assert!(calling.front.seen().len() < 5, "handshakes are dear; connections are kept");
    let renewed = calling.authority.issue("Hub");
    renewed.write(calling.directory.path(), "outgoing");
    until("the new certificate is shown", || async {
        calling.pay().await;
        calling.front.seen().last() == Some(&renewed.der())
    })
    .await;
    assert_eq!(metric(&calling.scheme, FAILED).await.unwrap_or(0), 0, "no callback failed meanwhile");
    calling.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_with_a_foreign_certificate_is_sent_nothing_until_it_is_trusted_and_nothing_is_lost() {
    let calling = Calling::start(|directory, _| write(directory, "ca.pem", &Authority::new("foreign").pem())).await;
    let payment = Payment::usd("10");
    calling.scheme.accept(&payment.prepare()).await;
    until("two attempts fail", || async { metric(&calling.scheme, FAILED).await >= Some(2) }).await;
    assert_eq!(calling.scheme.payee.unread(), [""; 0]);
    assert_eq!(calling.front.seen(), Vec::<Vec<u8>>::new(), "no handshake came to its end");
    write(calling.directory.path(), "ca.pem", &calling.payees.pem());
    calling.scheme.payee.next("POST /transfers").await;
    calling.scheme.accept(&payment.fulfil("COMMITTED")).await;
    calling.scheme.payer.next(&payment.put()).await;
    assert_eq!(calling.scheme.positions().await, ["10", "-10"]);
    calling.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_does_not_trust_the_hub_is_sent_it_later() {
    let calling = Calling::start(trusting).await;
    Authority::new("foreign").issue("Hub").write(calling.directory.path(), "outgoing");
    let days = "umoja_certificate_days{certificate=\"outgoing\"}";
    assert!(metric(&calling.scheme, days).await.is_some());
    // The hub's own look for changed files, which comes within a second or so.
    until("the payee refuses the hub", || async {
        let before = metric(&calling.scheme, FAILED).await.unwrap_or(0);
        let payment = Payment::usd("1");
        calling.scheme.accept(&payment.prepare()).await;
        until("something becomes of it", || async {
            metric(&calling.scheme, FAILED).await.unwrap_or(0) > before || !calling.scheme.payee.unread().is_empty()
        })
        .await;
        metric(&calling.scheme, FAILED).await.unwrap_or(0) > before
    })
    .await;
    calling.authority.issue("Hub").write(calling.directory.path(), "outgoing");
    tokio::time::timeout(DEADLINE, calling.scheme.payee.next("POST /transfers")).await.unwrap();
    until("all are there", || async { metric(&calling.scheme, "umoja_waiting_messages").await == Some(0) }).await;
    calling.scheme.end_whatever_was_sent().await;
}
