//! Random histories: whatever is decided, the store says afterwards what was decided, and its books add up.

use crate::{Fixture, scheme::*};
use hub_core::{
    Command, Subject, SubjectKind,
    transfers::{FulfilKind, Transfer},
};
use std::collections::BTreeMap;
use store::{Store, Wanted, Writer};
use vocabulary::{CorrelationId, Fulfilment, Timestamp};

pub async fn whatever_is_decided_the_books_stay_right(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    for seed in 1..=3 {
        let mut history = History::new(seed, now);
        let mut writer = store.writer().await.unwrap();
        for _ in 0..25 {
            history.run_unit(&mut *writer).await;
        }
        drop(writer);
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "seed {seed}");
        history.assert_stored(&*store).await;
    }
}

pub async fn what_was_decided_is_found_after_a_restart(fixture: Fixture) {
    let store = fixture.open().await;
    let mut history = History::new(4711, found(&*store).await);
    let mut writer = store.writer().await.unwrap();
    for _ in 0..20 {
        history.run_unit(&mut *writer).await;
    }
    drop(writer);
    let before = store.directory().await.unwrap();
    let latest = history.latest;
    drop(store);

    let store = fixture.open().await;
    assert_eq!(format!("{:?}", store.directory().await.unwrap()), format!("{before:?}"));
    history.assert_stored(&*store).await;
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let mut writer = store.writer().await.unwrap();
    history.run_unit(&mut *writer).await;
    assert!(history.latest >= latest, "time goes on where it was");
}

pub async fn a_balance_that_was_tampered_with_is_named(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    fixture.tamper("UPDATE accounts SET posted = posted + 1 WHERE id = 4").await;
    let found = store.verify().await.unwrap();
    assert!(found.iter().any(|sentence| sentence.contains("Account 4 ")), "{found:?}");
    assert!(found.iter().any(|sentence| sentence.contains("USD add up to 0.0001")), "{found:?}");
}

pub async fn a_hold_that_was_tampered_with_is_named(fixture: Fixture) {
    let store = fixture.open().await;
    let later = found(&*store).await.plus_millis(60_000);
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(prepare(1, later).into())]).await;
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    fixture.tamper("UPDATE transfers SET amount = amount - 1").await;
    let found = store.verify().await.unwrap();
    assert!(matches!(&found[..], [sentence] if sentence.contains("Account 3 ")), "{found:?}");
}

/// Random commands about a few dozen payments, and the transfers that the decisions left.
struct History {
    random: Random,
    start: Timestamp,
    /// The payments of one history are its own.
    base: u64,
    transfers: BTreeMap<CorrelationId, Transfer>,
    quotes: BTreeMap<CorrelationId, hub_core::quotes::Quote>,
    latest: Timestamp,
}

impl History {
    fn new(seed: u64, start: Timestamp) -> Self {
        let (transfers, quotes) = (BTreeMap::new(), BTreeMap::new());
        Self { random: Random(seed), start, base: seed * 1000, transfers, quotes, latest: start }
    }

    async fn run_unit(&mut self, writer: &mut dyn Writer) {
        let mut commands = BTreeMap::new();
        for _ in 0..=self.random.below(12) {
            let command = self.command();
            commands.insert(command.subject(), command);
        }
        let commands: Vec<Command> = commands.into_values().collect();
        let (_, work) = decided(writer, &commands).await.unwrap();
        let now = work.changes.now.unwrap();
        assert!(now >= self.latest);
        self.latest = now;
        let changes = work.changes.clone();
        writer.commit(work).await.unwrap();
        for transfer in changes.new_transfers.into_iter().chain(changes.changed_transfers) {
            self.transfers.insert(transfer.id, transfer);
        }
        for quote in changes.new_quotes.into_iter().chain(changes.changed_quotes) {
            self.quotes.insert(quote.id, quote);
        }
    }

    fn command(&mut self) -> Command {
        let number = self.base + self.random.below(60);
        let [payer, payee] = [number % 4, (number / 4) % 4].map(|bank| fsp(BANKS[bank as usize]));
        match self.random.below(12) {
            0..=4 => {
                let amount = [1, 50_0000, 400_0000, 900_0000][self.random.below(4) as usize];
                let expiration = self.start.plus_millis([-60_000, 1, 600_000, 600_000][self.random.below(4) as usize]);
                let hash = hash(&format!("{number} {amount} {expiration}"));
                let command = prepare(number, expiration);
                let source = payer.clone();
                Command::Prepare(Box::new(hub_core::transfers::Prepare {
                    source,
                    payer,
                    payee,
                    amount: Ok(units(amount)),
                    hash,
                    ..command
                }))
            }
            5..=7 => {
                let kinds = [FulfilKind::Commit, FulfilKind::Commit, FulfilKind::Reserve, FulfilKind::Abort];
                let kind = kinds[self.random.below(4) as usize];
                let right = if self.random.below(8) > 0 { fulfilment() } else { Fulfilment::new([9; 32]) };
                Command::Fulfil(Box::new(hub_core::transfers::Fulfil {
                    source: payee,
                    destination: Some(payer),
                    kind,
                    fulfilment: Some(right),
                    extensions: Some("{\"extension\":[]}".into()),
                    ..fulfil(number)
                }))
            }
            8 => Command::Reject(Box::new(hub_core::transfers::Reject {
                source: payee,
                destination: Some(payer),
                ..reject(number)
            })),
            9 => Command::Expire(expire(number)),
            10 => Command::SubmitQuote(submit_quote(number).into()),
            _ => Command::AnswerQuote(answer_quote(number).into()),
        }
    }

    async fn assert_stored(&self, store: &dyn Store) {
        assert!(self.transfers.len() > 20 && self.quotes.len() > 5, "a history worth its name");
        for expected in self.transfers.values() {
            let found = store.transfer(Subject::transfer(expected.id)).await.unwrap().unwrap();
            assert_eq!(found, Transfer { key: found.key, ..expected.clone() });
        }
        let mut writer = store.writer().await.unwrap();
        for expected in self.quotes.values() {
            let wanted = Wanted::Find(subject(SubjectKind::Quote, expected.id));
            let found = writer.open(&[wanted]).await.unwrap().quotes.remove(0);
            assert_eq!(
                (found.request, found.response, found.error),
                (expected.request, expected.response, expected.error)
            );
        }
    }
}
