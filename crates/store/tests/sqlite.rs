//! What only the SQLite store promises: one process per file, its own clock, no trace of its predecessors' mistakes.

#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]

use hub_core::WindowId;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::{
    Durability, Mark, MessageId, NewMessage, Retry, Store, StoreError, UnitWork, Writer,
    sqlite::{SqliteOptions, SqliteStore},
};
use tempfile::TempDir;
use vocabulary::{FspId, Timestamp};

fn hub() -> FspId {
    "Hub".parse().unwrap()
}

fn directory() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("below").join("hub.db");
    (directory, path)
}

fn refusal<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Refused(sentence)) => sentence,
        Err(other) => panic!("refused in other words: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn unit(writer: &mut dyn Writer, work: UnitWork) -> (Timestamp, Vec<MessageId>) {
    writer.open(&[]).await.unwrap();
    let loaded = writer.lock(&[]).await.unwrap();
    assert_eq!(loaded.window, WindowId(1));
    (loaded.now, writer.commit(work).await.unwrap())
}

fn message(size: usize) -> NewMessage {
    NewMessage {
        to: "bank-a".parse().unwrap(),
        payment_key: [1; 16],
        retry: Retry { until: Timestamp::from_millis(4_000_000_000_000) },
        head: "PUT /transfers".into(),
        body: vec![7; size].into(),
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused_until_the_first_has_gone() {
    let (_directory, path) = directory();
    let first = SqliteStore::open(&path, &hub()).unwrap();
    let sentence = refusal(SqliteStore::open(&path, &hub()));
    assert!(sentence.contains("in use by another process") && sentence.contains("hub.db"), "{sentence}");
    let writer = first.writer().await.unwrap();
    drop(first);
    refusal(SqliteStore::open(&path, &hub()));
    drop(writer);
    SqliteStore::open(&path, &hub()).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = directory();
    let store = SqliteStore::open(&path, &hub()).unwrap();
    now(&store).await;
    for suffix in ["", "-wal"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        assert_eq!(std::fs::metadata(name).unwrap().permissions().mode() & 0o077, 0, "hub.db{suffix}");
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_is_back() {
    let (_directory, path) = directory();
    for store in [SqliteStore::in_memory(&hub()).unwrap(), SqliteStore::open(&path, &hub()).unwrap()] {
        let first = store.writer().await.unwrap();
        assert!(refusal(store.writer().await.map(drop)).contains("one writer at a time"));
        drop(first);
        store.writer().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_of_a_newer_schema_or_of_another_program_is_refused() {
    let (_directory, path) = directory();
    drop(SqliteStore::open(&path, &hub()).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let sentence = refusal(SqliteStore::open(&path, &hub()));
    assert!(sentence.contains("schema version 99") && sentence.contains("newer release"), "{sentence}");
    let other = path.with_file_name("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    assert!(refusal(SqliteStore::open(&other, &hub())).contains("another program"));
    let text = path.with_file_name("text.db");
    std::fs::write(&text, "Dear diary, ".repeat(1000)).unwrap();
    assert!(refusal(SqliteStore::open(&text, &hub())).contains("cannot be opened"));
}

/// A clock that the test sets.
fn settable() -> (Arc<AtomicI64>, SqliteOptions) {
    let millis = Arc::new(AtomicI64::new(1_000_000));
    let source = Arc::clone(&millis);
    let time = Arc::new(move || Timestamp::from_millis(source.load(Ordering::SeqCst)));
    (millis, SqliteOptions { time, ..SqliteOptions::default() })
}

async fn now(store: &SqliteStore) -> i64 {
    let mut writer = store.writer().await.unwrap();
    unit(&mut *writer, UnitWork::default()).await.0.millis()
}

#[tokio::test]
async fn time_stands_still_while_the_clock_is_behind_the_last_unit_even_over_a_restart() {
    let (millis, options) = settable();
    let (_directory, path) = directory();
    let store = SqliteStore::open_with(&path, &hub(), &options).unwrap();
    assert_eq!(now(&store).await, 1_000_000);
    millis.store(2_000_000, Ordering::SeqCst);
    assert_eq!(now(&store).await, 2_000_000);
    millis.store(1_500_000, Ordering::SeqCst);
    assert_eq!(now(&store).await, 2_000_000);
    drop(store);
    let store = SqliteStore::open_with(&path, &hub(), &options).unwrap();
    assert_eq!(now(&store).await, 2_000_000);
    millis.store(2_000_001, Ordering::SeqCst);
    assert_eq!(now(&store).await, 2_000_001);
}

#[tokio::test]
async fn ids_of_messages_are_not_used_again_after_a_restart() {
    let (_directory, path) = directory();
    let mut last = MessageId(0);
    for _ in 0..3 {
        let store = SqliteStore::open(&path, &hub()).unwrap();
        let mut writer = store.writer().await.unwrap();
        let (_, ids) = unit(&mut *writer, UnitWork { messages: vec![message(10)], ..UnitWork::default() }).await;
        assert!(ids[0] > last);
        last = ids[0];
        unit(&mut *writer, UnitWork { marks: vec![Mark::Delivered(last)], ..UnitWork::default() }).await;
    }
}

#[tokio::test]
async fn commits_to_a_file_are_synced_and_those_to_memory_are_not() {
    let (_directory, path) = directory();
    let file = SqliteStore::open(&path, &hub()).unwrap();
    for (store, synced) in [(SqliteStore::in_memory(&hub()).unwrap(), 0), (file, 2)] {
        let mut writer = store.writer().await.unwrap();
        for _ in 0..2 {
            // A unit without content may leave every byte as it was, and then there is nothing to sync.
            unit(&mut *writer, UnitWork { messages: vec![message(10)], ..UnitWork::default() }).await;
        }
        assert_eq!(store.durability(), Durability { units: 2, units_synced: synced });
    }
}

#[tokio::test]
async fn reads_see_the_last_commit_while_a_unit_is_open() {
    let (_directory, path) = directory();
    let store = SqliteStore::open(&path, &hub()).unwrap();
    let mut writer = store.writer().await.unwrap();
    let work = UnitWork { messages: vec![message(10)], ..UnitWork::default() };
    let (_, ids) = unit(&mut *writer, work).await;
    writer.open(&[]).await.unwrap();
    writer.lock(&[]).await.unwrap();
    let waiting = store.waiting_messages("bank-a".parse().unwrap(), MessageId(0), 10).await.unwrap();
    assert_eq!(waiting.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
    store.ping().await.unwrap();
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_write_ahead_log_does_not_grow_without_end() {
    let (_directory, path) = directory();
    let options = SqliteOptions { checkpoint_pages: 64, ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, &hub(), &options).unwrap();
    let mut writer = store.writer().await.unwrap();
    let mut longest = 0;
    for _ in 0..800 {
        let work = UnitWork { messages: vec![message(8000)], ..UnitWork::default() };
        unit(&mut *writer, work).await;
        longest = longest.max(size(&path, "-wal"));
    }
    // All units together write ten megabytes.
    assert!(size(&path, "") > 5_000_000, "the database file has {}", size(&path, ""));
    assert!(longest < 6_000_000, "the log had {longest}");
}

fn size(path: &Path, suffix: &str) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    std::fs::metadata(name).unwrap().len()
}
