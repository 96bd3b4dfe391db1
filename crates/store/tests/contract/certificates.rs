//! Certificates of participants: what was issued, and what is not heard any more.

use crate::{Fixture, scheme::*};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use store::{CertificateQuery, CertificateRow, NewCertificate};
use tokio::task::JoinSet;
use vocabulary::Timestamp;

const ALL: CertificateQuery = CertificateQuery { participant: None, fingerprint: None, before: None, limit: 100 };

/// So many days from now.
fn in_days(days: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_millis(i64::try_from(now).unwrap() + days * 86_400_000)
}

fn of(participant: &str, number: u32, days: i64) -> NewCertificate {
    NewCertificate {
        fingerprint: format!("{number:064x}"),
        serial_number: format!("4{number}"),
        participant: fsp(participant),
        not_after: in_days(days),
    }
}

fn numbers(rows: &[CertificateRow]) -> Vec<u32> {
    rows.iter().map(|row| u32::from_str_radix(&row.fingerprint, 16).unwrap()).collect()
}

pub async fn a_certificate_is_recorded_once_and_listed_with_the_newest_first(fixture: Fixture) {
    let store = fixture.open().await;
    let first = of("bank-a", 1, 90);
    assert!(store.record_certificate(first.clone(), "alice").await.unwrap());
    let other = NewCertificate { participant: fsp("bank-b"), ..first.clone() };
    assert!(!store.record_certificate(other, "bob").await.unwrap(), "what is known stays as it is");
    for number in 2..=4 {
        store.record_certificate(of(if number == 3 { "bank-b" } else { "bank-a" }, number, 90), "bob").await.unwrap();
    }
    let list = async |query| store.certificates(query).await.unwrap();
    let all = list(ALL).await;
    assert_eq!(numbers(&all), [4, 3, 2, 1]);
    let last = &all[3];
    assert_eq!((&last.participant, &*last.recorded_by, &*last.serial_number), (&fsp("bank-a"), "alice", "41"));
    assert_eq!((last.not_after, &last.revocation), (first.not_after, &None));
    assert!((in_days(-1)..in_days(1)).contains(&last.recorded_at));
    assert_eq!(numbers(&list(CertificateQuery { participant: Some(fsp("bank-a")), ..ALL }).await), [4, 2, 1]);
    assert_eq!(numbers(&list(CertificateQuery { before: Some(all[1].id), limit: 1, ..ALL }).await), [2]);
    assert_eq!(numbers(&list(CertificateQuery { fingerprint: Some(first.fingerprint), ..ALL }).await), [1]);
    assert_eq!(list(CertificateQuery { fingerprint: Some("\0".into()), ..ALL }).await, []);
}

pub async fn a_certificate_is_revoked_once_and_for_good(fixture: Fixture) {
    let store = fixture.open().await;
    let (kept, lost, ended) = (of("bank-a", 1, 90), of("bank-a", 2, 90), of("bank-a", 3, -3));
    for certificate in [&kept, &lost, &ended] {
        store.record_certificate(certificate.clone(), "alice").await.unwrap();
    }
    assert_eq!(store.revoked_certificates().await.unwrap(), [""; 0]);
    assert_eq!(store.revoke_certificate("none", "", "bob").await.unwrap(), None);
    assert_eq!(store.revoke_certificate("\0", "", "bob").await.unwrap(), None);
    let revoked = store.revoke_certificate(&lost.fingerprint, "the laptop\0 is lost", "bob").await.unwrap().unwrap();
    let revocation = revoked.revocation.clone().unwrap();
    assert_eq!(revocation.by, "bob");
    assert!(revocation.reason.starts_with("the laptop"), "{}", revocation.reason);
    let again = store.revoke_certificate(&lost.fingerprint, "no", "carol").await.unwrap().unwrap();
    assert_eq!(again, revoked);
    store.revoke_certificate(&ended.fingerprint, "", "bob").await.unwrap();
    assert_eq!(store.revoked_certificates().await.unwrap(), [lost.fingerprint], "what has ended needs no list");
}

pub async fn however_many_revoke_at_once_one_does(fixture: Fixture) {
    let store = fixture.open().await;
    let certificate = of("bank-a", 1, 90);
    let mut recorders = JoinSet::new();
    for number in 0..8 {
        let (store, certificate) = (Arc::clone(&store), certificate.clone());
        recorders.spawn(async move { store.record_certificate(certificate, &format!("{number}")).await.unwrap() });
    }
    assert_eq!(recorders.join_all().await.into_iter().filter(|is_new| *is_new).count(), 1);
    let mut revokers = JoinSet::new();
    for number in 0..8 {
        let (store, fingerprint) = (Arc::clone(&store), certificate.fingerprint.clone());
        revokers.spawn(async move {
            let row = store.revoke_certificate(&fingerprint, "", &format!("{number}")).await.unwrap().unwrap();
            row.revocation.unwrap().by
        });
    }
    let mut by = revokers.join_all().await;
    by.dedup();
    assert_eq!(by.len(), 1, "everybody is told of the same one");
}

pub async fn what_was_revoked_is_revoked_after_a_restart_and_recorded(fixture: Fixture) {
    let store = fixture.open().await;
    let certificate = of("bank-a", 1, 90);
    store.record_certificate(certificate.clone(), "alice").await.unwrap();
    store.revoke_certificate(&certificate.fingerprint, "lost", "bob").await.unwrap();
    store.revoke_certificate(&certificate.fingerprint, "lost", "carol").await.unwrap();
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.revoked_certificates().await.unwrap(), [certificate.fingerprint]);
    let changes = fixture.look("SELECT actor, kind FROM changes ORDER BY id").await;
    let expected = [("alice", "record_certificate"), ("bob", "revoke_certificate")];
    assert_eq!(changes, expected.map(|(actor, kind)| (actor.to_owned(), kind.to_owned())));
}
