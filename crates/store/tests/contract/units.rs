//! Units: what is found, what is taken, and what remains of those that fail.

use crate::{Fixture, scheme::*};
use hub_core::{
    Access, Command, Dialect, Rejection, Subject, SubjectKind, WindowId,
    administration::Change,
    quotes::{Quote, QuoteKind},
    transfers::{Hashes, Transfer, TransferKind, TransferState},
};
use ledger::AccountKind;
use store::{Durability, Store, StoreError, UnitWork, Wanted, Writer};
use vocabulary::{Amount, CorrelationId, FspId, Money, Timestamp};

/// A reserved transfer as the store keeps it, expired for a minute.
pub fn reserved_transfer(number: u64, now: Timestamp) -> Transfer {
    Transfer {
        key: 0,
        id: id(number),
        kind: TransferKind::Payment,
        payer: fsp(BANKS[0]),
        payee: fsp(BANKS[1]),
        payer_proxy: None,
        payee_proxy: None,
        money: Money { amount: units(10_0000), currency: usd() },
        legs: Some([POSITION_OF_A, POSITION_OF_B]),
        condition: Some(condition()),
        expiration: now.plus_millis(-60_000),
        state: TransferState::Reserved,
        changed_at: now,
        window: None,
        hashes: Hashes { prepare: hash("prepare"), fulfil: None, error: None },
        payer_dialect: Dialect(1),
        payee_dialect: Dialect(0),
        prepare_extensions: None,
        fulfil_extensions: None,
        fees: Vec::new(),
    }
}

pub async fn a_transfer_comes_back_as_it_was_stored_in_every_state(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let mut transfers: Vec<Transfer> = (1..=5).map(|number| reserved_transfer(number, now)).collect();
    transfers[0].prepare_extensions = Some("{\"extension\":[{\"key\":\"ключ\",\"value\":\"\"}]}".into());
    transfers[1].state = TransferState::Committed { fulfilment: Some(fulfilment()) };
    transfers[1].window = Some(WindowId(1));
    transfers[1].hashes.fulfil = Some(hash("fulfil"));
    transfers[1].fulfil_extensions = Some("{}".into());
    transfers[1].payee_dialect = Dialect(255);
    transfers[2].state = TransferState::Aborted(Rejection::ByPayee { code: 5104, description: "no \u{1f} way".into() });
    transfers[2].hashes.error = Some(hash("error"));
    transfers[3].state = TransferState::Refused(Rejection::AmountTooLarge("123456789012345678".into()));
    transfers[3].money.amount = Amount::ZERO;
    transfers[3].legs = None;
    transfers[4].id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    transfers[4].kind = TransferKind::FundsIn;
    transfers[4].condition = None;
    transfers[4].expiration = Timestamp::from_millis(i64::MAX);
    transfers[4].state = TransferState::Committed { fulfilment: None };
    transfers[4].money.amount = Amount::MAX;
    let mut work = UnitWork::default();
    work.changes.new_transfers = transfers.clone();
    commit(&mut *writer, work).await.unwrap();
    for stored in &transfers {
        assert_same(&*store, stored).await;
    }
    // What a unit may change afterwards, from one to the other.
    let mut changed = store.transfer(Subject::transfer(transfers[0].id)).await.unwrap().unwrap();
    let Transfer { state, window, hashes, payee_dialect, fulfil_extensions, .. } = transfers[1].clone();
    changed = Transfer {
        state,
        window,
        payee_dialect,
        fulfil_extensions,
        hashes: Hashes { prepare: changed.hashes.prepare, ..hashes },
        changed_at: now.plus_millis(5),
        ..changed
    };
    open_and_lock(&mut *writer, &[Wanted::Find(subject(SubjectKind::Transfer, changed.id))]).await;
    let mut work = UnitWork::default();
    work.changes.changed_transfers = vec![changed.clone()];
    writer.commit(work).await.unwrap();
    assert_same(&*store, &changed).await;
}

pub async fn assert_same(store: &dyn Store, expected: &Transfer) {
    let found = store.transfer(expected.subject()).await.unwrap().unwrap();
    assert_ne!(found.key, 0);
    assert_eq!(found, Transfer { key: found.key, ..expected.clone() });
}

pub async fn a_quote_comes_back_as_it_was_stored(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let quote = |number, [request, response, error]: [Option<&str>; 3]| Quote {
        kind: QuoteKind::Transfer,
        key: 0,
        id: id(number),
        request: request.map(hash),
        response: response.map(hash),
        error: error.map(hash),
    };
    let mut quotes = vec![quote(1, [Some("a"), None, None]), quote(2, [None, Some("b"), Some("c")])];
    let mut work = UnitWork::default();
    work.changes.new_quotes = quotes.clone();
    commit(&mut *writer, work).await.unwrap();
    let wanted: Vec<Wanted> = quotes.iter().map(|quote| Wanted::Claim(subject(SubjectKind::Quote, quote.id))).collect();
    let mut found = writer.open(&wanted).await.unwrap().quotes;
    found.sort_by_key(|quote| quote.key);
    for (quote, stored) in quotes.iter_mut().zip(&found) {
        quote.key = stored.key;
    }
    assert_eq!(found, quotes);
    found[0].response = Some(hash("d"));
    let mut work = UnitWork::default();
    work.changes.changed_quotes = vec![found[0].clone()];
    writer.lock(&[]).await.unwrap();
    writer.commit(work).await.unwrap();
    assert_eq!(writer.open(&wanted[..1]).await.unwrap().quotes, [found[0].clone()]);
}

pub async fn ids_of_different_kinds_and_forms_do_not_clash(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let (bytes, _) = id(1).to_parts();
    let mut uuid = reserved_transfer(1, now);
    uuid.hashes.prepare = hash("the uuid");
    let mut ulid = reserved_transfer(1, now);
    ulid.id = CorrelationId::from_parts(bytes, true);
    ulid.hashes.prepare = hash("the ulid");
    let quote = Quote {
        key: 0,
        kind: QuoteKind::Transfer,
        id: id(1),
        request: Some(hash("the quote")),
        response: None,
        error: None,
    };
    let mut work = UnitWork::default();
    work.changes.new_transfers = vec![uuid.clone(), ulid.clone()];
    work.changes.new_quotes = vec![quote];
    commit(&mut *writer, work).await.unwrap();
    assert_same(&*store, &uuid).await;
    assert_same(&*store, &ulid).await;
    let opened = writer.open(&[Wanted::Find(subject(SubjectKind::Quote, id(1)))]).await.unwrap();
    assert_eq!(opened.quotes[0].request, Some(hash("the quote")));
    assert!(opened.transfers.is_empty());
}

pub async fn an_id_that_was_claimed_and_used_is_found_by_the_next_claim(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let claim = Wanted::Claim(subject(SubjectKind::Transfer, id(1)));
    assert!(writer.open(&[claim]).await.unwrap().transfers.is_empty());
    writer.lock(&[]).await.unwrap();
    let mut work = UnitWork::default();
    work.changes.new_transfers = vec![reserved_transfer(1, now)];
    writer.commit(work).await.unwrap();
    let opened = writer.open(&[claim, Wanted::Claim(subject(SubjectKind::Transfer, id(2)))]).await.unwrap();
    assert_eq!(opened.transfers.iter().map(|found| found.id).collect::<Vec<_>>(), [id(1)]);
}

pub async fn an_id_that_was_claimed_and_not_used_stays_free(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let claims = [SubjectKind::Transfer, SubjectKind::Quote].map(|kind| Wanted::Claim(subject(kind, id(1))));
    for _ in 0..2 {
        let opened = writer.open(&claims).await.unwrap();
        assert!(opened.transfers.is_empty() && opened.quotes.is_empty());
        writer.lock(&[]).await.unwrap();
        writer.commit(UnitWork::default()).await.unwrap();
        assert_eq!(store.transfer(Subject::transfer(id(1))).await.unwrap(), None);
    }
    let mut work = UnitWork::default();
    work.changes.new_transfers = vec![reserved_transfer(1, now)];
    commit(&mut *writer, work).await.unwrap();
    assert_same(&*store, &reserved_transfer(1, now)).await;
}

pub async fn a_failed_commit_leaves_nothing_behind(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let before = store.directory().await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let (_, mut work) =
        decided(&mut *writer, &[Command::Prepare(prepare(1, now.plus_millis(60_000)).into())]).await.unwrap();
    assert!(!work.messages.is_empty() && !work.changes.accounts.is_empty());
    work.administration = vec![
        Change::AddParticipant(participant(77, "bank-z", now)),
        Change::AddParticipant(participant(78, BANKS[0], now)),
    ];
    let failed = writer.commit(work).await;
    assert!(matches!(failed, Err(StoreError::Data(_))), "a name belongs to one participant: {failed:?}");
    assert_eq!(store.transfer(Subject::transfer(id(1))).await.unwrap(), None);
    let after = store.directory().await.unwrap();
    assert_eq!((after.version, &after.accounts), (before.version, &before.accounts));
    assert_eq!(after.participants, before.participants);
    assert_eq!(store.waiting_messages(fsp(BANKS[1]), store::MessageId(0), 10).await.unwrap(), []);
    // The writer goes on as if nothing had been.
    run(&mut *writer, &[Command::Prepare(prepare(1, now.plus_millis(60_000)).into())]).await;
    assert!(store.transfer(Subject::transfer(id(1))).await.unwrap().is_some());
}

pub async fn a_unit_that_is_left_leaves_no_trace(fixture: Fixture) {
    let store = fixture.open().await;
    let later = found(&*store).await.plus_millis(60_000);
    let command = || Command::Prepare(prepare(1, later).into());
    let mut writer = store.writer().await.unwrap();
    decided(&mut *writer, &[command()]).await.unwrap();
    writer.rollback().await.unwrap();
    decided(&mut *writer, &[command()]).await.unwrap();
    decided(&mut *writer, &[command()]).await.unwrap();
    drop(writer);
    assert_eq!(store.transfer(Subject::transfer(id(1))).await.unwrap(), None);
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[command()]).await;
    assert!(store.transfer(Subject::transfer(id(1))).await.unwrap().is_some());
}

pub async fn locking_loads_participants_and_all_their_accounts_in_the_currency(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    let wanted = [
        standing(BANKS[1], Access::Look),
        standing("nobody", Access::Look),
        standing(BANKS[0], Access::Change),
        standing(BANKS[1], Access::Change),
    ];
    let mut loaded = writer.lock(&wanted).await.unwrap();
    loaded.participants.sort_by(|left, right| left.name.cmp(&right.name));
    let names: Vec<&FspId> = loaded.participants.iter().map(|participant| &participant.name).collect();
    assert_eq!(names, [&fsp(BANKS[0]), &fsp(BANKS[1])]);
    loaded.accounts.sort_by_key(|account| account.id);
    let kinds: Vec<(i64, AccountKind)> =
        loaded.accounts.iter().map(|account| (account.owner.0, account.kind)).collect();
    let (position, settlement) = (AccountKind::Position, AccountKind::Settlement);
    assert_eq!(kinds, [(2, position), (2, settlement), (3, position), (3, settlement)]);
    let limits: Vec<_> = loaded.accounts.iter().map(|account| account.cap.map(|cap| cap.limit.units())).collect();
    assert_eq!(limits, [Some(LIQUIDITY), None, Some(LIQUIDITY), None]);
    assert_eq!(loaded.accounts[1].posted, units(-LIQUIDITY));
}

pub async fn the_open_window_is_the_first_one(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    assert_eq!(open_and_lock(&mut *writer, &[]).await.1, WindowId(1));
}

pub async fn time_never_runs_backwards_from_one_unit_to_the_next(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let (mut latest, _) = open_and_lock(&mut *writer, &[]).await;
    for _ in 0..20 {
        writer.commit(UnitWork::default()).await.unwrap();
        let (now, _) = open_and_lock(&mut *writer, &[]).await;
        assert!(now >= latest);
        latest = now;
    }
}

pub async fn no_more_units_count_as_synced_than_were_committed(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let Durability { units, units_synced } = store.durability();
    assert_eq!(units, 1);
    assert!(units_synced <= units);
}

async fn open_and_lock(writer: &mut dyn Writer, wanted: &[Wanted]) -> (Timestamp, WindowId) {
    writer.open(wanted).await.unwrap();
    let loaded = writer.lock(&[]).await.unwrap();
    (loaded.now, loaded.window)
}
