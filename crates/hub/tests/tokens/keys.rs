//! The file of the keys that sign the hub's tokens.

use crate::{Guarded, PAYER, claims, down, question, shown, signed, until};
use fspiop::jws::SigningKey;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_without_a_restart_and_old_tokens_live_on() {
    let guarded = Guarded::start().await;
    let (scheme, old) = (&guarded.scheme, guarded.token(PAYER).await);
    let ask = async |token: &str| scheme.send(&shown(question(PAYER), token)).await.status;
    let (next, pem) = SigningKey::generate_rsa().unwrap();
    let by_next = signed(&next, &claims(PAYER));
    assert_eq!(ask(&by_next).await, 401);
    fs::write(&guarded.file, pem).unwrap();
    until("the next key is in use", || async { ask(&by_next).await == 202 }).await;
    assert_eq!(ask(&old).await, 202);
    // One that was made with the old key and never shown.
    assert_eq!(ask(&guarded.made(&claims(PAYER))).await, 202);
    fs::write(&guarded.file, "no key").unwrap();
    until("health tells of the file", || async { down(scheme).await == ["tokens"] }).await;
    assert_eq!((ask(&old).await, ask(&by_next).await), (202, 202));
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test]
async fn a_hub_does_not_start_without_the_keys_that_it_is_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("none.pem");
    for expected in ["cannot be read", "cannot be used"] {
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let mut config = hub::Config { listeners, ..hub::Config::default() };
        config.tokens.key = Some(file.clone());
        let refusal = hub::start(config, |_| axum::Router::new()).await.err().unwrap().to_string();
        assert!(refusal.contains("none.pem") && refusal.contains(expected), "{refusal}");
        fs::write(&file, "no key").unwrap();
    }
}
