//! The movements of participants' liquidity, as their report finds them.

use crate::{Fixture, scheme::*};
use hub_core::{
    Command,
    transfers::{FinishFunds, NewFunds, RecordFunds},
};
use store::{FundsQuery, Store, TracedTransfer, Writer};
use vocabulary::{Money, Timestamp};

pub async fn funds_are_found_by_time_and_participant_in_pages(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(1, now.plus_millis(60_000))))]).await;
    for (number, bank, is_in) in [(2, 0, true), (3, 1, true), (4, 0, false), (5, 0, false)] {
        run(&mut *writer, &[record(start(number, bank, is_in))]).await;
    }
    let all = find(&*store, everything()).await;
    assert_eq!(ids(&all), [id(2), id(3), id(4), id(5)], "and no payment");
    assert_eq!(ids(&find(&*store, of_bank(0)).await), [id(2), id(4), id(5)]);
    assert_eq!(ids(&find(&*store, of_bank(1)).await), [id(3)]);
    let first = find(&*store, FundsQuery { limit: 3, ..everything() }).await;
    let rest = find(&*store, FundsQuery { limit: 3, after: first[2].transfer.key, ..everything() }).await;
    assert_eq!((ids(&first), ids(&rest)), (vec![id(2), id(3), id(4)], vec![id(5)]));

    // A withdrawal is found by when it was reserved, and by when it ended.
    let reserved_at = all[2].created_at.unwrap();
    while time_of(&mut *writer).await <= all[3].created_at.unwrap() {}
    let finish = FinishFunds { id: id(4), participant: fsp(BANKS[0]), extensions: Some("{}".into()) };
    run(&mut *writer, &[record(RecordFunds::OutCommit(finish))]).await;
    let ended_at = find(&*store, everything()).await[2].transfer.changed_at;
    let at = |time: Timestamp| FundsQuery { from: time, to: time.plus_millis(1), ..everything() };
    assert!(ids(&find(&*store, at(reserved_at)).await).contains(&id(4)));
    assert_eq!(ids(&find(&*store, at(ended_at)).await), [id(4)]);
    let before = FundsQuery { to: all[0].created_at.unwrap(), ..everything() };
    assert_eq!(ids(&find(&*store, before).await), []);
}

pub async fn funds_from_before_the_journal_are_found_by_their_last_change(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[record(start(2, 0, true))]).await;
    fixture.tamper("UPDATE transfers SET created_at = NULL").await;
    let all = find(&*store, everything()).await;
    let changed_at = all[0].transfer.changed_at;
    assert_eq!((ids(&all), all[0].created_at), (vec![id(2)], None));
    let then = FundsQuery { from: changed_at, to: changed_at.plus_millis(1), ..everything() };
    assert_eq!(ids(&find(&*store, then).await), [id(2)]);
    assert_eq!(ids(&find(&*store, FundsQuery { to: changed_at, ..everything() }).await), []);
}

async fn time_of(writer: &mut dyn Writer) -> Timestamp {
    writer.open(&[]).await.unwrap();
    let (_, now) = writer.lock_directory().await.unwrap();
    writer.rollback().await.unwrap();
    now
}

fn everything() -> FundsQuery {
    let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));
    FundsQuery { participant: None, from, to, after: 0, limit: 100 }
}

fn of_bank(bank: usize) -> FundsQuery {
    FundsQuery { participant: Some(fsp(BANKS[bank])), ..everything() }
}

async fn find(store: &dyn Store, query: FundsQuery) -> Vec<TracedTransfer> {
    store.funds(query).await.unwrap()
}

fn ids(found: &[TracedTransfer]) -> Vec<vocabulary::CorrelationId> {
    found.iter().map(|movement| movement.transfer.id).collect()
}

fn record(command: RecordFunds) -> Command {
    Command::RecordFunds(Box::new(command))
}

fn start(number: u64, bank: usize, is_in: bool) -> RecordFunds {
    let money = Money { amount: units(10_000), currency: usd() };
    let hash = hash(&format!("funds {number}"));
    let funds = NewFunds { id: id(number), participant: fsp(BANKS[bank]), money, hash, extensions: None };
    if is_in { RecordFunds::In(funds) } else { RecordFunds::OutReserve(funds) }
}
