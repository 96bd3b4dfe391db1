//! Payments through decision and store together.

use crate::{Fixture, scheme::*};
use hub_core::{
    Command, Message, Subject, WindowId,
    transfers::{PublicState, Stage, Transfer, TransferKind, TransferState},
};
use std::sync::Arc;
use store::{Store, UnitWork};
use vocabulary::Timestamp;

pub async fn a_payment_moves_money_once_however_often_it_is_sent(fixture: Fixture) {
    let store = fixture.open().await;
    let later = found(&*store).await.plus_millis(60_000);
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::SubmitQuote(submit_quote(1).into())]).await;
    run(&mut *writer, &[Command::AnswerQuote(answer_quote(1).into())]).await;
    run(&mut *writer, &[Command::Prepare(prepare(1, later).into())]).await;
    assert_eq!(balances(&store).await, [(0, 10_0000), (0, 0)]);
    for _ in 0..3 {
        run(&mut *writer, &[Command::Prepare(prepare(1, later).into())]).await;
        run(&mut *writer, &[Command::Fulfil(fulfil(1).into())]).await;
    }
    assert_eq!(balances(&store).await, [(10_0000, 0), (-10_0000, 0)]);
    let known = store.transfer(Subject::transfer(id(1))).await.unwrap().unwrap();
    assert_eq!((known.stage(), known.window), (Stage::Committed, Some(WindowId(1))));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

pub async fn a_repetition_within_the_next_unit_is_told_the_state(fixture: Fixture) {
    let store = fixture.open().await;
    let later = found(&*store).await.plus_millis(60_000);
    let mut writer = store.writer().await.unwrap();
    let again = Command::Prepare(prepare(1, later).into());
    let outcomes = run(&mut *writer, std::slice::from_ref(&again)).await;
    assert_eq!(outcomes[0].notices[0].message, Message::Relay);
    let outcomes = run(&mut *writer, &[Command::Prepare(prepare(2, later).into()), again]).await;
    assert_eq!(outcomes[0].notices[0].message, Message::Relay);
    let told = &outcomes[1].notices[0].message;
    assert!(matches!(told, Message::Status(status) if status.state == PublicState::Reserved), "{told:?}");
}

pub async fn due_transfers_come_oldest_first_once_they_have_expired(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let reserved = |number, expiration| {
        let mut transfer = transfer(number, now);
        transfer.expiration = expiration;
        transfer
    };
    let mut committed = reserved(5, now.plus_millis(-5000));
    committed.state = TransferState::Committed { fulfilment: None };
    let new_transfers = vec![
        reserved(1, now.plus_millis(-1000)),
        reserved(2, now.plus_millis(60_000)),
        reserved(3, now.plus_millis(-3000)),
        reserved(4, now.plus_millis(-2000)),
        committed,
    ];
    let mut work = UnitWork::default();
    work.changes.new_transfers = new_transfers;
    commit(&mut *writer, work).await.unwrap();
    let due = |limit| {
        let store = Arc::clone(&store);
        async move { store.due_transfers(limit).await.unwrap().iter().map(|due| due.subject.id).collect::<Vec<_>>() }
    };
    assert_eq!(due(10).await, [id(3), id(4), id(1)]);
    assert_eq!(due(2).await, [id(3), id(4)]);
}

pub async fn a_withdrawal_is_never_due(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let mut withdrawal = transfer(1, now);
    withdrawal.kind = TransferKind::FundsOut;
    withdrawal.condition = None;
    let mut work = UnitWork::default();
    work.changes.new_transfers = vec![withdrawal];
    commit(&mut *writer, work).await.unwrap();
    assert_eq!(store.due_transfers(10).await.unwrap(), []);
}

/// Posted and held of the positions of the first two banks.
async fn balances(store: &Arc<dyn Store>) -> [(i64, i64); 2] {
    let directory = store.directory().await.unwrap();
    [POSITION_OF_A, POSITION_OF_B].map(|id| {
        let record = directory.accounts.iter().find(|record| record.account.id == id).unwrap();
        (record.account.posted.units(), record.account.held.units())
    })
}

/// A reserved transfer as the store keeps it, expired for a minute.
pub fn transfer(number: u64, now: Timestamp) -> Transfer {
    crate::units::reserved_transfer(number, now)
}
