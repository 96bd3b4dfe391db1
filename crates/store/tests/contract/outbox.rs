//! The outbox: what waits, in which order, and who takes it over.

use crate::{Fixture, scheme::*};
use store::{Mark, MessageId, OutboxQuery, OutboxState, Store, StoredMessage, UnitWork, Writer};
use vocabulary::Timestamp;

const START: MessageId = MessageId(0);

pub async fn messages_get_growing_ids_in_their_order(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let first = send(&mut *writer, vec![message("bank-a", "1"), message("bank-b", "2"), message("bank-a", "3")]).await;
    let second = send(&mut *writer, vec![message("bank-a", "4")]).await;
    assert!(first.is_sorted() && first.len() == 3 && first[2] < second[0]);
    let waiting = store.waiting_messages(fsp("bank-a"), START, 10).await.unwrap();
    let expected: Vec<StoredMessage> = [(first[0], "1"), (first[2], "3"), (second[0], "4")]
        .into_iter()
        .map(|(id, text)| StoredMessage { id, message: message("bank-a", text), attempts: 0 })
        .collect();
    assert_eq!(waiting, expected);
}

pub async fn waiting_messages_are_those_of_one_participant_after_a_place(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let texts: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let to = |number: usize| if number.is_multiple_of(2) { "bank-a" } else { "bank-b" };
    let messages = texts.iter().enumerate().map(|(number, text)| message(to(number), text)).collect();
    let ids = send(&mut *writer, messages).await;
    let page = store.waiting_messages(fsp("bank-b"), ids[5], 3).await.unwrap();
    assert_eq!(page.iter().map(|message| message.id).collect::<Vec<_>>(), [ids[7], ids[9], ids[11]]);
    assert_eq!(store.waiting_messages(fsp("bank-c"), START, 3).await.unwrap(), []);
}

pub async fn a_delivered_message_is_gone_and_a_dead_one_does_not_wait(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let messages = ["1", "2", "3", "4", "5"].map(|text| message("bank-a", text)).to_vec();
    let ids = send(&mut *writer, messages).await;
    let error = || "connection refused".to_owned();
    let marks = vec![
        Mark::Delivered(ids[0]),
        Mark::Failed { id: ids[1], attempts: 7, error: error() },
        Mark::Dead { id: ids[2], attempts: 9, error: error() },
        Mark::Dropped(ids[4]),
        Mark::Delivered(MessageId(ids[3].0 + 1000)),
    ];
    commit(&mut *writer, UnitWork { marks, ..UnitWork::default() }).await.unwrap();
    let waiting = store.waiting_messages(fsp("bank-a"), START, 10).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|message| (message.id, message.attempts)).collect();
    assert_eq!(waiting, [(ids[1], 7), (ids[3], 0)]);
}

pub async fn a_process_claims_nothing_of_its_own(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    send(&mut *writer, vec![message("bank-a", "1")]).await;
    assert_eq!(store.renew_and_claim(10).await.unwrap(), []);
}

pub async fn what_an_earlier_process_left_waiting_is_claimed_once_in_chunks(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let messages = ["1", "2", "3", "4", "5", "6"].map(|text| message("bank-a", text)).to_vec();
    let ids = send(&mut *writer, messages).await;
    let failed = Mark::Failed { id: ids[1], attempts: 3, error: "timeout".into() };
    let dead = Mark::Dead { id: ids[2], attempts: 3, error: "timeout".into() };
    let marks = vec![Mark::Delivered(ids[0]), failed, dead];
    commit(&mut *writer, UnitWork { marks, ..UnitWork::default() }).await.unwrap();
    drop((writer, store));
    fixture.end_leases().await;

    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let own = send(&mut *writer, vec![message("bank-a", "7")]).await;
    assert!(own[0] > ids[5]);
    let waiting = store.waiting_messages(fsp("bank-a"), START, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|message| message.id).collect::<Vec<_>>(), own, "the rest is nobody's yet");
    assert_eq!(store.renew_and_claim(0).await.unwrap(), []);
    let mut claimed = Vec::new();
    for expected in [2, 2, 0, 0] {
        let chunk = store.renew_and_claim(2).await.unwrap();
        assert_eq!(chunk.len(), expected);
        claimed.extend(chunk.into_iter().map(|message| (message.id, message.attempts)));
    }
    claimed.sort_unstable();
    assert_eq!(claimed, [(ids[1], 3), (ids[3], 0), (ids[4], 0), (ids[5], 0)]);
    let waiting = store.waiting_messages(fsp("bank-a"), START, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|message| message.id).collect::<Vec<_>>(), [ids[1], ids[3], ids[4], ids[5], own[0]]);
}

/// Five messages of which the second has failed and the third and the fifth are dead.
async fn five(writer: &mut dyn Writer) -> Vec<MessageId> {
    let to = ["bank-a", "bank-a", "bank-b", "bank-a", "bank-a"];
    let messages = to.iter().zip(1..).map(|(to, number)| message(to, &number.to_string())).collect();
    let ids = send(&mut *writer, messages).await;
    let error = "connection refused".to_owned();
    let dead = |id| Mark::Dead { id, attempts: 9, error: error.clone() };
    let failed = Mark::Failed { id: ids[1], attempts: 7, error: error.clone() };
    let marks = vec![failed, dead(ids[2]), dead(ids[4])];
    commit(&mut *writer, UnitWork { marks, ..UnitWork::default() }).await.unwrap();
    ids
}

async fn listed(store: &dyn Store, state: OutboxState, to: Option<&str>) -> Vec<MessageId> {
    let query = OutboxQuery { state, to: to.map(fsp), after: START, limit: 10 };
    store.outbox(query).await.unwrap().iter().map(|row| row.id).collect()
}

pub async fn messages_are_listed_in_pages_by_state_and_participant(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let ids = five(&mut *writer).await;
    assert_eq!(listed(&*store, OutboxState::Waiting, None).await, [ids[0], ids[1], ids[3]]);
    assert_eq!(listed(&*store, OutboxState::Dead, None).await, [ids[2], ids[4]]);
    assert_eq!(listed(&*store, OutboxState::Dead, Some("bank-a")).await, [ids[4]]);
    assert_eq!(listed(&*store, OutboxState::Waiting, Some("bank-b")).await, []);
    let query = OutboxQuery { state: OutboxState::Waiting, to: None, after: ids[0], limit: 1 };
    let page = store.outbox(query).await.unwrap();
    let [row] = page.as_slice() else { panic!("{page:?}") };
    let sent = message("bank-a", "2");
    assert_eq!((row.id, &row.to, row.payment_key, &row.head), (ids[1], &sent.to, sent.payment_key, &sent.head));
    assert_eq!((row.until, row.attempts, row.is_dead), (sent.retry.until, 7, false));
    assert_eq!(row.last_error.as_deref(), Some("connection refused"));
    assert_eq!(store.outbox_message(ids[1]).await.unwrap().as_ref(), Some(row));
    assert_eq!(store.outbox_message(MessageId(ids[4].0 + 1000)).await.unwrap(), None);
}

pub async fn a_dead_message_is_replayed_once_and_then_waits_again(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let ids = five(&mut *writer).await;
    let until = Timestamp::from_millis(4_100_000_000_000);
    let revived = store.replay_message(ids[4], until, "ann").await.unwrap().unwrap();
    let mut expected = message("bank-a", "5");
    expected.retry.until = until;
    assert_eq!(revived, StoredMessage { id: ids[4], message: expected, attempts: 0 });
    assert_eq!(store.replay_message(ids[4], until, "ann").await.unwrap(), None);
    assert_eq!(store.replay_message(ids[0], until, "ann").await.unwrap(), None, "it waits already");
    let waiting = store.waiting_messages(fsp("bank-a"), ids[3], 10).await.unwrap();
    assert_eq!(waiting, [revived]);
    assert_eq!(listed(&*store, OutboxState::Dead, None).await, [ids[2]]);
    // This node may mark it as its own.
    let failed = Mark::Failed { id: ids[4], attempts: 1, error: "timeout".into() };
    commit(&mut *writer, UnitWork { marks: vec![failed], ..UnitWork::default() }).await.unwrap();
    assert_eq!(store.outbox_message(ids[4]).await.unwrap().unwrap().attempts, 1);
}

pub async fn a_message_is_dropped_once_and_is_gone(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let ids = five(&mut *writer).await;
    for id in [ids[0], ids[2]] {
        assert!(store.drop_message(id, "ann").await.unwrap());
        assert!(!store.drop_message(id, "ann").await.unwrap());
    }
    assert_eq!(listed(&*store, OutboxState::Waiting, None).await, [ids[1], ids[3]]);
    assert_eq!(listed(&*store, OutboxState::Dead, None).await, [ids[4]]);
}

pub async fn who_replays_or_drops_a_message_is_recorded(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let ids = five(&mut *writer).await;
    store.replay_message(ids[2], Timestamp::from_millis(4_100_000_000_000), "ann").await.unwrap();
    store.drop_message(ids[4], "bob").await.unwrap();
    // What changes nothing leaves no row.
    store.drop_message(ids[4], "bob").await.unwrap();
    drop((writer, store));
    let sql = "SELECT actor, kind || ' ' || change FROM changes WHERE kind LIKE '%_message' ORDER BY id";
    let [replayed, dropped] = [ids[2], ids[4]].map(|id| id.0);
    let expected = [
        ("ann".to_owned(), format!("replay_message message {replayed} to bank-b")),
        ("bob".to_owned(), format!("drop_message message {dropped} to bank-a")),
    ];
    assert_eq!(fixture.look(sql).await, expected);
}
