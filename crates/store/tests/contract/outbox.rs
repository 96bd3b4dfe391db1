//! The outbox: what waits, in which order, and who takes it over.

use crate::{Fixture, scheme::*};
use store::{Mark, MessageId, StoredMessage, UnitWork};

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
