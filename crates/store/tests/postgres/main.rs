//! What only the PostgreSQL store promises: nodes that come and go, connections that break, servers that refuse.
#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]

#[path = "../contract/scheme.rs"]
#[allow(dead_code, reason = "the contract suite uses all of it")]
mod scheme;

mod proxy;

use hub_core::Subject;
use hub_core::{Command, Message, Rejection, transfers::TransferState};
use proxy::{Loss, Proxy};
use scheme::{HUB, decided, found, fsp, id, message, prepare, run, send};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use store::{Mark, MessageId, Store, StoreError, StoredMessage, UnitWork, postgres::PostgresStore, postgres::scratch};
use vocabulary::Timestamp;

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);

async fn connect(address: &str) -> Arc<PostgresStore> {
    PostgresStore::connect(address, &fsp(HUB)).await.unwrap()
}

async fn client(address: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A statement of an operator, behind the store's back.
async fn sql(address: &str, statement: &str) {
    client(address).await.batch_execute(statement).await.unwrap();
}

async fn refusal(address: &str) -> StoreError {
    match PostgresStore::connect(address, &fsp(HUB)).await {
        Ok(_) => panic!("not refused"),
        Err(error) => error,
    }
}

fn texts(messages: &[StoredMessage]) -> Vec<&str> {
    messages.iter().map(|stored| std::str::from_utf8(&stored.message.body).unwrap()).collect()
}

fn ids(messages: &[StoredMessage]) -> Vec<MessageId> {
    messages.iter().map(|stored| stored.id).collect()
}

#[tokio::test]
async fn messages_of_a_living_node_are_its_own_and_those_of_a_dead_one_go_to_one_other() {
    let address = scratch::database().await.unwrap();
    let [dying, first, second] = [connect(&address).await, connect(&address).await, connect(&address).await];
    let mut writer = dying.writer().await.unwrap();
    let sent = send(&mut *writer, (0..30).map(|number| message("bank-a", &number.to_string())).collect()).await;
    assert_eq!(first.renew_and_claim(100).await.unwrap(), []);
    sql(
        &address,
        "UPDATE nodes SET lease_until = clock_timestamp() WHERE incarnation = (SELECT max(node) FROM outbox)",
    )
    .await;
    let (some, others) = tokio::join!(first.renew_and_claim(20), second.renew_and_claim(20));
    let (mut claimed, others) = (ids(&some.unwrap()), ids(&others.unwrap()));
    let mine = first.waiting_messages(fsp("bank-a"), MessageId(0), 100).await.unwrap();
    assert_eq!(ids(&mine), claimed);
    claimed.extend(others);
    claimed.sort();
    assert_eq!(claimed, sent);
    assert_eq!(dying.waiting_messages(fsp("bank-a"), MessageId(0), 100).await.unwrap(), []);
    assert_eq!(first.renew_and_claim(100).await.unwrap(), []);
}

#[tokio::test]
async fn a_node_that_lost_a_message_no_longer_counts_its_attempts_but_may_deliver_it() {
    let address = scratch::database().await.unwrap();
    let [slow, other] = [connect(&address).await, connect(&address).await];
    let mut writer = slow.writer().await.unwrap();
    let sent = send(&mut *writer, vec![message("bank-a", "1"), message("bank-a", "2")]).await;
    sql(
        &address,
        "UPDATE nodes SET lease_until = clock_timestamp() WHERE incarnation = (SELECT max(node) FROM outbox)",
    )
    .await;
    assert_eq!(other.renew_and_claim(100).await.unwrap().len(), 2);
    let marks = vec![Mark::Delivered(sent[0]), Mark::Dead { id: sent[1], attempts: 9, error: "no answer".into() }];
    scheme::commit(&mut *writer, UnitWork { marks, ..UnitWork::default() }).await.unwrap();
    let left = other.waiting_messages(fsp("bank-a"), MessageId(0), 100).await.unwrap();
    assert_eq!((ids(&left), left[0].attempts), (vec![sent[1]], 0));
}

#[tokio::test]
async fn a_commit_whose_reply_is_lost_is_found_as_a_duplicate_and_its_messages_by_the_node() {
    let proxy = Proxy::new(&scratch::database().await.unwrap());
    let store = connect(&proxy.address()).await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let command = Command::Prepare(Box::new(prepare(1, FAR)));
    let (_, mut work) = decided(&mut *writer, std::slice::from_ref(&command)).await.unwrap();
    work.messages = vec![message("bank-b", "prepare"), message("bank-b", "more")];
    proxy.lose(Loss::Reply);
    let outcome = writer.commit(work).await;
    assert!(matches!(outcome, Err(StoreError::OutcomeUnknown(_))), "{outcome:?}");
    proxy.lose(Loss::Nothing);
    let outcomes = run(&mut *writer, &[command]).await;
    assert!(matches!(outcomes[0].notices[0].message, Message::Status(_)), "{outcomes:?}");
    let unheard = store.renew_and_claim(1).await.unwrap();
    assert_eq!(texts(&unheard), ["prepare", "more"]);
    assert_eq!(store.renew_and_claim(1).await.unwrap(), [], "they are told once");
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_simply_run_again() {
    let proxy = Proxy::new(&scratch::database().await.unwrap());
    let store = connect(&proxy.address()).await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let command = Command::Prepare(Box::new(prepare(1, FAR)));
    let (_, work) = decided(&mut *writer, std::slice::from_ref(&command)).await.unwrap();
    proxy.lose(Loss::Requests);
    let outcome = writer.commit(work).await;
    assert!(matches!(outcome, Err(StoreError::OutcomeUnknown(_))), "{outcome:?}");
    proxy.lose(Loss::Nothing);
    let outcomes = run(&mut *writer, &[command]).await;
    assert_eq!(outcomes[0].notices[0].message, Message::Relay);
    assert_eq!(store.renew_and_claim(1).await.unwrap(), []);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_claim_whose_reply_is_lost_is_told_the_next_time() {
    let address = scratch::database().await.unwrap();
    let dead = connect(&address).await;
    send(&mut *dead.writer().await.unwrap(), vec![message("bank-a", "1"), message("bank-a", "2")]).await;
    sql(&address, "UPDATE nodes SET lease_until = clock_timestamp()").await;
    let proxy = Proxy::new(&address);
    let store = connect(&proxy.address()).await;
    store.ping().await.unwrap();
    proxy.lose(Loss::Reply);
    assert!(store.renew_and_claim(100).await.is_err());
    proxy.lose(Loss::Nothing);
    let mut claimed = store.renew_and_claim(100).await.unwrap();
    claimed.extend(store.renew_and_claim(100).await.unwrap());
    assert_eq!(texts(&claimed), ["1", "2"]);
}

#[tokio::test]
async fn a_database_tells_its_own_time() {
    let store = connect(&scratch::database().await.unwrap()).await;
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
    let asked_at = now();
    let there = store.ping().await.unwrap().expect("its clock may be another machine's").0;
    assert!((asked_at - 1..=now()).contains(&there), "the server is on this machine");
}

#[tokio::test]
async fn a_server_that_ends_every_connection_is_met_again_by_the_next_unit_and_read() {
    let address = scratch::database().await.unwrap();
    let store = connect(&address).await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(1, FAR)))]).await;
    store.ping().await.unwrap();
    let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sql(&address, end_all).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(2, FAR)))]).await;
    assert!(store.transfer(Subject::transfer(id(2))).await.unwrap().is_some());
    let command = Command::Prepare(Box::new(prepare(3, FAR)));
    let (_, work) = decided(&mut *writer, std::slice::from_ref(&command)).await.unwrap();
    sql(&address, end_all).await;
    assert!(writer.commit(work).await.is_err());
    writer.rollback().await.unwrap();
    assert!(store.transfer(Subject::transfer(id(3))).await.unwrap().is_none(), "the unit has gone with its connection");
    assert_eq!(run(&mut *writer, &[command]).await[0].notices[0].message, Message::Relay);
}

#[tokio::test]
async fn a_deadlock_is_a_conflict_and_the_unit_can_run_again() {
    let address = scratch::database().await.unwrap();
    let store = connect(&address).await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(1, FAR)))]).await;
    // Somebody who does not keep the order of locks, and is more patient than the hub.
    let stranger = client(&address).await;
    stranger.batch_execute("SET deadlock_timeout = '60s'; BEGIN; SELECT FROM accounts FOR UPDATE").await.unwrap();
    let command = [Command::Fulfil(Box::new(scheme::fulfil(1)))];
    let unit = decided(&mut *writer, &command);
    let stranger = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        while client(&address).await.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        stranger.batch_execute("SELECT FROM transfers FOR UPDATE; ROLLBACK").await.unwrap();
    };
    let both = async { tokio::join!(unit, stranger).0 };
    let outcome = tokio::time::timeout(Duration::from_secs(30), both).await.expect("the unit waits for the stranger");
    assert!(matches!(outcome, Err(StoreError::Conflict(_))), "{outcome:?}");
    run(&mut *writer, &command).await;
    let state = store.transfer(Subject::transfer(id(1))).await.unwrap().unwrap().state;
    assert!(matches!(state, TransferState::Committed { .. }), "{state:?}");
}

#[tokio::test]
async fn a_text_with_a_nul_does_not_stop_the_units() {
    let store = connect(&scratch::database().await.unwrap()).await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let stranger = hub_core::transfers::Prepare { payee: fsp("bank\0b"), ..prepare(9, FAR) };
    let outcomes =
        run(&mut *writer, &[Command::Prepare(Box::new(stranger)), Command::Prepare(Box::new(prepare(1, FAR)))]).await;
    assert!(matches!(outcomes[0].notices[0].message, Message::Failure(Rejection::NoRoute { .. })));
    let reject = hub_core::transfers::Reject { description: "no\0way".into(), ..scheme::reject(1) };
    run(&mut *writer, &[Command::Reject(Box::new(reject))]).await;
    let state = store.transfer(Subject::transfer(id(1))).await.unwrap().unwrap().state;
    let cause = Rejection::ByPayee { code: 5104, description: "no\u{fffd}way".into() };
    assert_eq!(state, TransferState::Aborted(cause));
    let sent = send(&mut *writer, vec![message("bank-d", "1")]).await;
    let marks = vec![Mark::Failed { id: sent[0], attempts: 1, error: "said \0".into() }];
    scheme::commit(&mut *writer, UnitWork { marks, ..UnitWork::default() }).await.unwrap();
    assert_eq!(store.waiting_messages(fsp("bank-d"), MessageId(0), 9).await.unwrap()[0].attempts, 1);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let address = scratch::database().await.unwrap();
    connect(&address).await;
    sql(&address, "INSERT INTO schema_version (version) VALUES (4711)").await;
    let StoreError::Refused(sentence) = refusal(&address).await else { panic!("another class") };
    assert!(sentence.contains("version 4711") && sentence.contains("Start a newer umoja"), "{sentence}");
}

#[tokio::test]
async fn an_address_where_there_is_nothing_is_named_without_its_password() {
    let address = scratch::database().await.unwrap();
    let absent = refusal(&address.replace("scratch_", "absent_")).await;
    assert!(matches!(&absent, StoreError::Refused(sentence) if sentence.contains("/absent_")), "{absent}");
    let nobody_there = refusal("postgres://hub:s3cret@127.0.0.1:1/umoja").await;
    let StoreError::Unavailable(sentence) = &nobody_there else { panic!("{nobody_there:?}") };
    assert!(sentence.contains("127.0.0.1:1/umoja as hub") && !sentence.contains("s3cret"), "{sentence}");
    let misspelt = refusal("postgres://hub:s3cret@127.0.0.1:port/umoja").await;
    assert!(matches!(&misspelt, StoreError::Refused(sentence) if !sentence.contains("s3cret")), "{misspelt}");
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let address = scratch::database().await.unwrap();
    sql(&address, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0").await;
    let (server, _) = address.rsplit_once('/').unwrap();
    let error = refusal(&format!("{server}/latin")).await;
    assert!(matches!(&error, StoreError::Refused(sentence) if sentence.contains("LATIN1")), "{error}");
}
