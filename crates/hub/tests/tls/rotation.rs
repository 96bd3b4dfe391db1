//! Keys and authorities that change while the hub runs.

use crate::{
    Secured,
    certificates::{Authority, Issued, write},
    links::Link,
    support::{Call, PAYER, Payment},
    until,
};
use hub::Config;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tls::{KeyPair, ListenerTls};

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_come_into_use_and_no_request_is_dropped() {
    let secured = Secured::start().await;
    let address = secured.scheme.addresses().fspiop;
    let (payer, is_over) = (secured.authority.issue(PAYER), Arc::new(AtomicBool::new(false)));
    let mut idle = secured.link(&payer).await;
    assert_eq!(idle.send(&question()).await.unwrap().status, 202);
    let client = crate::certificates::client(&secured.authority, Some(&payer));
    let over = is_over.clone();
    // A participant that opens a connection when it is told that the last one ends, and at no other time.
    let busy = tokio::spawn(async move {
        let (mut answers, mut links) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            let mut link = Link::open_with(address, client.clone()).await.unwrap();
            links += 1;
            loop {
                let reply = link.send(&question()).await.expect("no request is dropped");
                assert_eq!(reply.status, 202);
                answers += 1;
                if over.load(Ordering::Relaxed) || reply.header("connection") == "close" {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        (answers, links)
    });
    for _ in 0..3 {
        let renewed = secured.authority.issue("hub");
        renewed.write(secured.path(), "hub");
        until("the new certificate is shown", || async { secured.link(&payer).await.shown == renewed.der() }).await;
    }
    let last = idle.send(&question()).await;
    assert!(last.is_err() || last.is_ok_and(|reply| reply.header("connection") == "close"), "old keys go on");
    is_over.store(true, Ordering::Relaxed);
    let (answers, links) = busy.await.unwrap();
    assert!(answers > 20 && links >= 4, "{answers} answers on {links} connections");
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_overlap_while_participants_change_to_the_new_one() {
    let secured = Secured::start().await;
    let next = Authority::new("next");
    let (old, new) = (secured.authority.issue(PAYER), next.issue(PAYER));
    let mut open = secured.link(&old).await;
    assert!(!secured.is_heard(Some(&new), &question()).await);
    write(secured.path(), "ca.pem", &format!("{}{}", secured.authority.pem(), next.pem()));
    until("the new authority counts", || async { secured.is_heard(Some(&new), &question()).await }).await;
    assert!(secured.is_heard(Some(&old), &question()).await, "both count");
    assert_eq!(open.send(&question()).await.unwrap().status, 202, "an open connection is answered");
    write(secured.path(), "ca.pem", &next.pem());
    until("the old authority does not count", || async { !secured.is_heard(Some(&old), &question()).await }).await;
    assert!(secured.is_heard(Some(&new), &question()).await);
    drop(open);
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used_change_nothing_and_show_in_health() {
    let secured = Secured::start().await;
    let days = secured.metric("umoja_certificate_days{certificate=\"fspiop\"}").await.unwrap();
    assert!((20_000..25_000).contains(&days), "{days} days until the end of 2090");
    assert_eq!(secured.down().await, ("OK".to_owned(), Vec::new()));
    let (good, other) = (secured.authority.issue("hub"), secured.authority.issue("hub"));
    let payer = secured.authority.issue(PAYER);
    let shown = secured.link(&payer).await.shown;
    for broken in [
        Issued { certificate: good.certificate.clone(), key: other.key.clone() },
        Issued { certificate: "half a fi".to_owned(), key: good.key.clone() },
        Issued { certificate: good.certificate.clone(), key: String::new() },
    ] {
        broken.write(secured.path(), "hub");
        until("health tells", || async { secured.down().await == ("OK".to_owned(), vec!["keys".to_owned()]) }).await;
        assert_eq!(secured.link(&payer).await.shown, shown, "the old keys stay");
    }
    good.write(secured.path(), "hub");
    until("health is well", || async { secured.down().await.1.is_empty() }).await;
    assert_eq!(secured.link(&payer).await.shown, good.der());
    let mut link = secured.link(&payer).await;
    assert_eq!(link.send(&Payment::usd("10").prepare()).await.unwrap().status, 202);
    drop(link);
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test]
async fn a_hub_without_its_keys_does_not_start_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let pair = Authority::new("scheme").issue("hub").write(directory.path(), "hub");
    let none = directory.path().join("none.pem");
    let empty = write(directory.path(), "empty.pem", "");
    for (tls, problem) in [
        (ListenerTls { pair: KeyPair { key: none, ..pair.clone() }, client_ca: Vec::new() }, "none.pem cannot be read"),
        (ListenerTls { pair, client_ca: vec![empty] }, "empty.pem holds no certificate in PEM form."),
    ] {
        let mut config = Config::default();
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        config.listeners =
            hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        config.tls.fspiop = Some(tls);
        let error = hub::start(config, |_| axum::Router::new()).await.err().unwrap().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

fn question() -> Call {
    Call::new("GET /parties/MSISDN/123")
}
