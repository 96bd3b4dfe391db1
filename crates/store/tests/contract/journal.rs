//! The journal: what a trace finds of a payment, and what is forgotten.

use crate::{Fixture, scheme::*};
use hub_core::{Command, transfers::TransferState};
use ledger::EntryKind;
use store::{Direction, JournalRow, Micros, Store, Trace, UnitWork, Writer};
use vocabulary::{CorrelationId, Timestamp};

const PAYMENT: u64 = 1;
const QUOTE: u64 = 2;
const TRACE: [u8; 16] = [0x2a; 16];
const PAYEE: [u8; 8] = [0xfe; 8];

/// A message at a time after `now`.
fn row(now: Timestamp, micros: i64, subject: Option<CorrelationId>) -> JournalRow {
    JournalRow {
        at: Micros(Micros::from(now).0 + micros),
        direction: Direction::In,
        participant: Some(fsp(BANKS[0])),
        method: 2,
        resource: 0x84,
        subject,
        related: None,
        status: Some(202),
        error: None,
        attempt: 0,
        trace: None,
        party: None,
    }
}

async fn write(writer: &mut dyn Writer, journal: Vec<JournalRow>) {
    commit(writer, UnitWork { journal, ..UnitWork::default() }).await.unwrap();
}

async fn trace(store: &dyn Store, number: u64) -> Trace {
    let trace = store.trace(id(number)).await.unwrap().expect("the payment is known");
    assert!(trace.is_whole);
    trace
}

pub async fn a_trace_has_everything_of_a_payment_and_nothing_of_others(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(7, now.plus_millis(60_000))))]).await;
    run(&mut *writer, &[Command::Fulfil(Box::new(fulfil(PAYMENT))), Command::Fulfil(Box::new(fulfil(7)))]).await;
    let ulid: CorrelationId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    let asked = row(now, 10, Some(id(PAYMENT)));
    let sent = JournalRow {
        direction: Direction::Out,
        participant: Some(fsp(BANKS[1])),
        status: None,
        error: Some(1001),
        attempt: 3,
        trace: Some(TRACE),
        party: Some(PAYEE),
        related: Some(ulid),
        ..row(now, 20, Some(id(PAYMENT)))
    };
    let nameless =
        JournalRow { participant: None, status: Some(400), error: Some(3101), ..row(now, 30, Some(id(PAYMENT))) };
    // They are written when they are over, which need not be their order.
    let journal = vec![nameless.clone(), row(now, 15, Some(id(7))), sent.clone(), asked.clone(), row(now, 5, None)];
    write(&mut *writer, journal).await;

    let trace = trace(&*store, PAYMENT).await;
    assert_eq!(trace.messages, [asked, sent, nameless]);
    let transfer = trace.transfer.unwrap();
    assert_eq!(transfer.transfer.id, id(PAYMENT));
    assert!(matches!(transfer.transfer.state, TransferState::Committed { .. }));
    assert!(now <= transfer.created_at.unwrap() && transfer.created_at.unwrap() <= transfer.transfer.changed_at);
    let [entry] = trace.entries.as_slice() else { panic!("{:?}", trace.entries) };
    assert_eq!((entry.kind, entry.debit, entry.credit), (EntryKind::Principal, POSITION_OF_A, POSITION_OF_B));
    assert_eq!((entry.amount, entry.at, entry.window), (units(100_000), transfer.transfer.changed_at, Some(1)));
    assert_eq!(trace.quotes, []);
    assert_eq!(store.trace(id(99)).await.unwrap(), None);
}

pub async fn every_row_of_a_unit_is_written_however_many_there_are(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    let mut written = Vec::new();
    for count in [1, 15, 16, 17, 33] {
        let rows: Vec<JournalRow> = (0..count)
            .map(|number| {
                let attempt = u16::try_from(number % 3).unwrap();
                let related = (number % 2 == 0).then(|| id(1000 + number as u64));
                let at = (written.len() + number) as i64;
                JournalRow { attempt, related, ..row(now, at, Some(id(PAYMENT))) }
            })
            .collect();
        write(&mut *writer, rows.clone()).await;
        written.extend(rows);
    }
    assert_eq!(trace(&*store, PAYMENT).await.messages, written);
}

pub async fn a_trace_joins_quote_and_look_up_by_transaction_trace_id_and_party(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::SubmitQuote(Box::new(submit_quote(QUOTE)))]).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    let lookup = |micros| JournalRow { party: Some(PAYEE), ..row(now, micros, None) };
    let earlier = lookup(10);
    let last = lookup(20);
    let passed_on = JournalRow { direction: Direction::Out, participant: Some(fsp(BANKS[1])), ..lookup(25) };
    let another_party = JournalRow { party: Some([1; 8]), ..lookup(27) };
    let asked = JournalRow { related: Some(id(PAYMENT)), party: Some(PAYEE), ..row(now, 30, Some(id(QUOTE))) };
    let answered = row(now, 40, Some(id(QUOTE)));
    let later = lookup(45);
    let prepared = row(now, 50, Some(id(PAYMENT)));
    let journal = [&earlier, &last, &passed_on, &another_party, &asked, &answered, &later, &prepared];
    write(&mut *writer, journal.map(Clone::clone).to_vec()).await;
    let whole = [last, passed_on, asked.clone(), answered, prepared.clone()];
    for number in [PAYMENT, QUOTE] {
        let found = trace(&*store, number).await;
        assert_eq!(found.messages, whole, "by {number}");
        assert_eq!(found.transfer.map(|known| known.transfer.id), Some(id(PAYMENT)));
        assert_eq!(found.quotes.iter().map(|known| known.quote.id).collect::<Vec<_>>(), [id(QUOTE)]);
        assert!(found.quotes[0].created_at.unwrap() >= now);
    }

    // With a trace id the party is not needed, and a quote of an unknown transaction is found.
    run(&mut *writer, &[Command::SubmitQuote(Box::new(submit_quote(5)))]).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(6, now.plus_millis(60_000))))]).await;
    let traced = |row: JournalRow| JournalRow { trace: Some(TRACE), ..row };
    let conversation = [
        traced(lookup(60)),
        traced(JournalRow { related: Some(id(77)), party: Some(PAYEE), ..row(now, 70, Some(id(5))) }),
        traced(row(now, 80, Some(id(6)))),
    ];
    write(&mut *writer, [conversation.to_vec(), vec![lookup(65)]].concat()).await;
    for number in [5, 6] {
        assert_eq!(trace(&*store, number).await.messages, conversation, "by {number}");
    }
}

pub async fn what_waits_for_a_payment_is_in_its_trace(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let outcomes = run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    assert_eq!(outcomes[0].notices.len(), 1);
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(7, now.plus_millis(60_000))))]).await;
    let outbox = trace(&*store, PAYMENT).await.outbox;
    let [waiting] = outbox.as_slice() else { panic!("{outbox:?}") };
    assert_eq!((&waiting.to, waiting.payment_key, waiting.is_dead), (&fsp(BANKS[1]), id(PAYMENT).to_parts().0, false));
}

pub async fn old_rows_are_forgotten_in_chunks_and_young_ones_stay(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    let journal = (0..5).map(|number| row(now, number * 1000, Some(id(PAYMENT)))).collect::<Vec<_>>();
    write(&mut *writer, journal.clone()).await;
    let before = now.plus_millis(3);
    for forgotten in [2, 1, 0] {
        assert_eq!(store.trim_journal(before, 2).await.unwrap(), forgotten);
    }
    assert_eq!(trace(&*store, PAYMENT).await.messages, journal[3..]);
}

pub async fn the_key_of_the_journal_stays_the_same_and_differs_between_stores(fixture: Fixture) {
    let store = fixture.open().await;
    let key = store.journal_key().await.unwrap();
    assert_ne!(key, [0; 32]);
    drop(store);
    assert_eq!(fixture.open().await.journal_key().await.unwrap(), key);
    assert_ne!(Fixture::memory().open().await.journal_key().await.unwrap(), key);
}

pub async fn payments_from_before_the_journal_are_traced_without_its_times(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::SubmitQuote(Box::new(submit_quote(QUOTE)))]).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare(PAYMENT, now.plus_millis(60_000))))]).await;
    run(&mut *writer, &[Command::Fulfil(Box::new(fulfil(PAYMENT)))]).await;
    drop((writer, store));
    fixture.undo_the_journal().await;

    let store = fixture.open().await;
    let found = trace(&*store, PAYMENT).await;
    assert_eq!((found.transfer.unwrap().created_at, found.entries.len(), found.messages), (None, 1, Vec::new()));
    assert_eq!(trace(&*store, QUOTE).await.quotes[0].created_at, None);
}
