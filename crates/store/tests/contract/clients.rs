//! Clients of the token endpoint, and secrets that all nodes share.

use crate::{Fixture, scheme::*};
use hub_core::administration::{Change, Client, ClientSecret, SecretHash};
use ledger::ParticipantId;
use store::{Store, UnitWork};
use tokio::task::JoinSet;
use vocabulary::Timestamp;

fn secret(byte: u8, created_at: Timestamp) -> ClientSecret {
    ClientSecret { hash: SecretHash([byte; 32]), created_at }
}

fn client(participant: i64, now: Timestamp) -> Client {
    let participant = ParticipantId(participant);
    Client { participant, generation: 1, secret: Some(secret(0xab, now)), replaced: None }
}

async fn set(store: &dyn Store, client: &Client) {
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    let administration = vec![Change::SetClient(client.clone())];
    writer.commit(UnitWork { administration, actor: "operator".into(), ..UnitWork::default() }).await.unwrap();
}

pub async fn a_client_comes_back_as_it_was_written_in_every_state(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let other = client(3, now);
    set(&*store, &other).await;
    let version = store.directory_version().await.unwrap();
    let first = client(2, now);
    let later = now.plus_millis(7);
    let rotated =
        Client { secret: Some(secret(0xcd, later)), replaced: Some((secret(0xab, now), later)), ..first.clone() };
    let revoked = Client { generation: 2, secret: None, replaced: None, ..first.clone() };
    for (state, count) in [first, rotated, revoked].iter().zip(1..) {
        set(&*store, state).await;
        let directory = store.directory().await.unwrap();
        assert_eq!(directory.clients, [state.clone(), other.clone()]);
        assert_eq!(directory.version, version + count, "other nodes must hear of it");
        let mut writer = store.writer().await.unwrap();
        writer.open(&[]).await.unwrap();
        assert_eq!(writer.lock_directory().await.unwrap().0.clients, directory.clients);
        writer.rollback().await.unwrap();
    }
}

pub async fn a_secret_is_what_was_kept_first_however_many_begin_at_once(fixture: Fixture) {
    let store = fixture.open().await;
    let candidates: Vec<Vec<u8>> = (0u8..8).map(|byte| vec![byte; 100 + usize::from(byte)]).collect();
    let nodes: JoinSet<Vec<u8>> = candidates
        .iter()
        .cloned()
        .map(|candidate| {
            let store = store.clone();
            async move { store.secret("token-key", &candidate).await.unwrap() }
        })
        .collect();
    let kept = nodes.join_all().await;
    assert!(candidates.contains(&kept[0]));
    assert!(kept.iter().all(|one| *one == kept[0]), "{kept:?}");
    assert_eq!(store.secret("another", b"x").await.unwrap(), b"x");
    assert_eq!(store.secret("token-key", b"x").await.unwrap(), kept[0]);
}

pub async fn clients_and_secrets_stay_after_a_restart_and_no_hash_is_recorded(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    set(&*store, &client(2, now)).await;
    store.secret("token-key", b"private").await.unwrap();
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.directory().await.unwrap().clients, [client(2, now)]);
    assert_eq!(store.secret("token-key", b"other").await.unwrap(), b"private");
    let recorded = fixture.look("SELECT kind, change FROM changes ORDER BY id DESC LIMIT 1").await;
    assert_eq!(recorded[0].0, "set_client");
    assert!(!recorded[0].1.contains("171") && !recorded[0].1.contains("abab"), "{}", recorded[0].1);
}
