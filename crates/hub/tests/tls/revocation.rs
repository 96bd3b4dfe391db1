//! Certificates that were issued, and those that are not heard any more.

use crate::{
    Secured,
    certificates::Issued,
    support::{BYSTANDER, Call, PAYER, Payment},
    until,
};
use hub::{Config, Listeners};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tls::x509;
use tokio::sync::Mutex;

const REVOKED: &str = "400 3100 Generic validation error - The client certificate has been revoked";

async fn record(secured: &Secured, issued: &Issued, participant: &str) -> String {
    let body = json!({"participant": participant, "certificate": issued.certificate});
    let row = secured.scheme.administer("POST /umoja/v1/certificates", body).await;
    assert_eq!(row["fingerprint"], x509::fingerprint(&issued.der()));
    row["fingerprint"].as_str().unwrap().to_owned()
}

async fn list(secured: &Secured, filters: &str) -> Vec<Value> {
    let page = secured.scheme.administer(&format!("GET /umoja/v1/certificates{filters}"), Value::Null).await;
    page["certificates"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_refused_at_once_on_open_connections_and_another_is_heard() {
    let secured = Secured::start().await;
    let (lost, renewed) = (secured.authority.issue(PAYER), secured.authority.issue(PAYER));
    let fingerprint = record(&secured, &lost, PAYER).await;
    record(&secured, &renewed, PAYER).await;
    let mut open = secured.link(&lost).await;
    let payment = Payment::usd("10");
    assert_eq!(open.send(&payment.prepare()).await.unwrap().status, 202);
    secured.scheme.payee.next("POST /transfers").await;
    let before = secured.scheme.balances().await;
    let path = format!("POST /umoja/v1/certificates/{}/revoke", fingerprint.to_uppercase());
    let revoked = secured.scheme.administer(&path, json!({"reason": "the laptop is lost"})).await;
    assert_eq!(revoked["revocation"]["reason"], "the laptop is lost");
    for call in [Payment::usd("5").prepare(), Call::new("GET /parties/MSISDN/123")] {
        assert_eq!(open.send(&call).await.unwrap().error(), REVOKED);
        assert_eq!(secured.link(&lost).await.send(&call).await.unwrap().error(), REVOKED, "a new connection");
    }
    assert_eq!(secured.scheme.balances().await, before);
    let mut other = secured.link(&renewed).await;
    assert_eq!(other.send(&Payment::usd("5").prepare()).await.unwrap().status, 202);
    secured.scheme.payee.next("POST /transfers").await;
    let again = secured.scheme.administer(&path, json!({"reason": "no"})).await;
    assert_eq!(again, revoked, "once and for good");
    drop((open, other));
    secured.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_revokes_the_others_refuse_soon_after_and_from_their_start() {
    let store = store::postgres::scratch::database().await.unwrap();
    let secured = Secured::start_with(|config| config.store = store.clone()).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    let mut config = Config { listeners, store, ..Config::default() };
    config.tls.fspiop = Some(crate::listener(&secured.authority, secured.path()));
    let second = hub::start(config.clone(), |_| axum::Router::new()).await.unwrap();
    let payer = secured.authority.issue(PAYER);
    let fingerprint = record(&secured, &payer, PAYER).await;
    let question = Call::new("GET /parties/MSISDN/123");
    let open = |to| crate::Link::open(to, &secured.authority, Some(&payer));
    let link = Mutex::new(open(second.addresses().fspiop).await.unwrap());
    assert_eq!(link.lock().await.send(&question).await.unwrap().status, 202);
    secured.scheme.administer(&format!("POST /umoja/v1/certificates/{fingerprint}/revoke"), Value::Null).await;
    until("the second node refuses", || async {
        let reply = link.lock().await.send(&question).await.unwrap();
        reply.status != 202 && reply.error() == REVOKED
    })
    .await;
    let third = hub::start(config, |_| axum::Router::new()).await.unwrap();
    let mut late = open(third.addresses().fspiop).await.unwrap();
    assert_eq!(late.send(&question).await.unwrap().error(), REVOKED);
    drop((link, late));
    second.stop().await;
    third.stop().await;
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_listed_and_what_names_somebody_else_is_not_recorded() {
    let secured = Secured::start().await;
    let [first, second] = [secured.authority.issue(PAYER), secured.authority.issue(BYSTANDER)];
    let fingerprint = record(&secured, &first, PAYER).await;
    record(&secured, &second, BYSTANDER).await;
    assert_eq!(record(&secured, &first, PAYER).await, fingerprint, "once more changes nothing");
    let all = list(&secured, "").await;
    assert_eq!(all.iter().map(|row| &row["participant"]).collect::<Vec<_>>(), [BYSTANDER, PAYER]);
    assert!(all[1]["notAfter"].as_str().unwrap().starts_with("2090-12-31"), "{all:?}");
    assert_eq!((&all[1]["recordedBy"], &all[1]["revocation"]), (&json!("operator"), &Value::Null));
    assert_eq!(list(&secured, &format!("?participant={PAYER}")).await.len(), 1);
    let both = secured.authority.issue_alternative(PAYER, BYSTANDER);
    for (body, problem) in [
        (json!({"participant": BYSTANDER, "certificate": first.certificate}), "does not name otherfsp"),
        (
            json!({"participant": PAYER, "certificate": both.certificate}),
            "names otherfsp, another participant, as well",
        ),
        (json!({"participant": PAYER, "certificate": first.key}), "must be a certificate in PEM form"),
        (json!({"participant": "nobody", "certificate": first.certificate}), "participant not found"),
        (json!({"participant": PAYER}), "\"certificate\" is required"),
        (json!({"participant": PAYER, "certificate": "x", "more": 1}), "\"more\""),
    ] {
        let reply = secured.scheme.ask_administration(&Call::plain("POST /umoja/v1/certificates", body)).await;
        assert!(
            reply.status >= 400 && reply.text().contains(&problem.replace('"', "\\\"")),
            "{problem}: {}",
            reply.text()
        );
    }
    let unknown = Call::plain("POST /umoja/v1/certificates/00/revoke", Value::Null);
    assert_eq!(secured.scheme.ask_administration(&unknown).await.status, 404);
    assert_eq!(list(&secured, "").await.len(), 2);
    secured.scheme.end().await;
}
