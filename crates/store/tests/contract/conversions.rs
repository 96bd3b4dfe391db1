//! Conversions and the transfers that they are for: found together, claimed together, due and traced as one payment.

use crate::{Fixture, scheme::*, units::assert_same, units::reserved_transfer};
use hub_core::{
    Command, Dialect, Rejection, Subject, SubjectKind, WindowId,
    quotes::{QuoteKind, QuoteTerms, SubmitQuote},
    transfers::{Side, Stage, Terms, Transfer, TransferKind, TransferState},
};
use ledger::{AccountId, EntryKind};
use store::{Direction, JournalRow, Micros, UnitWork, Wanted, Writer};
use vocabulary::{Amount, CorrelationId, Money, Timestamp};

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);
const PAYMENT: u64 = 1;
const CONVERSION: u64 = 2;
const QUOTE: u64 = 3;
const CONVERSION_QUOTE: u64 = 4;

fn ulid(id: CorrelationId) -> CorrelationId {
    CorrelationId::from_parts(id.to_parts().0, true)
}

/// A reserved conversion as the store keeps it, expired for a minute.
fn conversion(number: u64, determining: Option<CorrelationId>, now: Timestamp) -> Transfer {
    let other = Money { amount: units(80_000), currency: eur() };
    let terms = Terms { determining, side: Side::Payer, other };
    Transfer { kind: TransferKind::Conversion(terms), payee: fsp(PROVIDER), ..reserved_transfer(number, now) }
}

async fn store_all(writer: &mut dyn Writer, new_transfers: Vec<Transfer>) {
    let mut work = UnitWork::default();
    work.changes.new_transfers = new_transfers;
    commit(writer, work).await.unwrap();
}

pub async fn a_conversion_comes_back_as_it_was_stored_in_every_state(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let states = [
        TransferState::Reserved,
        TransferState::Forwarded,
        TransferState::Agreed { fulfilment: Some(fulfilment()) },
        TransferState::Agreed { fulfilment: None },
        TransferState::Committed { fulfilment: Some(fulfilment()) },
        TransferState::Committed { fulfilment: None },
        TransferState::Aborted(Rejection::ByPayee { code: 5100, description: "no \u{1f} way".into() }),
        TransferState::Refused(Rejection::NoDeterminingTransfer),
    ];
    let mut conversions = Vec::new();
    for state in states {
        for side in [Side::Payer, Side::Payee] {
            for determining in [Some(id(7_000)), Some(ulid(id(7_000))), None] {
                let number = 1 + conversions.len() as u64;
                let other = Money { amount: Amount::from_units(number as i64 - 1), currency: eur() };
                let kind = TransferKind::Conversion(Terms { determining, side, other });
                let mut known = Transfer { kind, state: state.clone(), ..conversion(number, determining, now) };
                known.id = if number.is_multiple_of(3) { ulid(id(number)) } else { id(number) };
                known.payer_proxy = number.is_multiple_of(2).then(|| fsp(PROXIES[0]));
                known.payee_proxy = number.is_multiple_of(5).then(|| fsp(PROXIES[1]));
                known.legs = (!number.is_multiple_of(4)).then_some([AccountId(3), AccountId(11)]);
                known.window = number.is_multiple_of(7).then_some(WindowId(1));
                conversions.push(known);
            }
        }
    }
    store_all(&mut *writer, conversions.clone()).await;
    for known in &conversions {
        assert_same(&*store, known).await;
        assert_eq!(store.transfer(Subject::transfer(known.id)).await.unwrap(), None, "ids of transfers are others");
    }
    // What a unit may change afterwards: a forwarded one is agreed to, and committed.
    for state in
        [TransferState::Agreed { fulfilment: Some(fulfilment()) }, TransferState::Committed { fulfilment: None }]
    {
        let about = conversions[6].subject();
        let mut changed = writer.open(&[Wanted::Find(about)]).await.unwrap().transfers.remove(0);
        let hashes = hub_core::transfers::Hashes { fulfil: Some(hash("agreed")), ..changed.hashes };
        changed = Transfer { state, hashes, payee_dialect: Dialect(2), changed_at: now.plus_millis(9), ..changed };
        writer.lock(&[]).await.unwrap();
        let mut work = UnitWork::default();
        work.changes.changed_transfers = vec![changed.clone()];
        writer.commit(work).await.unwrap();
        assert_same(&*store, &changed).await;
    }
}

pub async fn a_transfer_through_proxies_comes_back_as_it_was_stored(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let (one, other) = (Some(fsp(PROXIES[0])), Some(fsp(PROXIES[1])));
    let proxies = [[one.clone(), None], [None, other.clone()], [one.clone(), other], [one.clone(), one]];
    let transfers: Vec<Transfer> = (1..)
        .zip(proxies)
        .map(|(number, [payer_proxy, payee_proxy])| {
            let (legs, state) = match number {
                4 => (None, TransferState::Committed { fulfilment: Some(fulfilment()) }),
                _ => (Some([POSITION_OF_A, POSITION_OF_B]), TransferState::Forwarded),
            };
            Transfer { payer_proxy, payee_proxy, legs, state, ..reserved_transfer(number, now) }
        })
        .collect();
    store_all(&mut *writer, transfers.clone()).await;
    for known in &transfers {
        assert_same(&*store, known).await;
    }
    // A conversion on the payee's side takes over what is credited.
    let mut changed = writer.open(&[Wanted::Find(transfers[0].subject())]).await.unwrap().transfers.remove(0);
    changed.legs = Some([POSITION_OF_A, AccountId(7)]);
    writer.lock(&[]).await.unwrap();
    let mut work = UnitWork::default();
    work.changes.changed_transfers = vec![changed.clone()];
    writer.commit(work).await.unwrap();
    assert_same(&*store, &changed).await;
}

pub async fn a_transfer_brings_its_conversions_whether_it_exists_or_not(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let of = |number, determining| conversion(number, Some(determining), now);
    let ulid_of_both = ulid(id(100));
    let new = vec![
        of(1, id(100)),
        of(2, id(101)),
        of(3, id(100)),
        of(4, ulid_of_both),
        conversion(5, None, now),
        reserved_transfer(101, now),
        // Ids of transfers and of conversions are apart.
        reserved_transfer(3, now),
    ];
    store_all(&mut *writer, new).await;
    let open = async |writer: &mut dyn Writer, wanted: &[Wanted]| {
        let found = writer.open(wanted).await.unwrap().transfers;
        writer.rollback().await.unwrap();
        found.iter().map(|known| (known.subject().kind, known.id)).collect::<Vec<_>>()
    };
    let (transfer, kind) = (Subject::transfer, SubjectKind::Conversion);
    for access in [Wanted::Find, Wanted::Claim] {
        let unknown = open(&mut *writer, &[access(transfer(id(100)))]).await;
        assert_eq!(unknown, [(kind, id(1)), (kind, id(3))], "the oldest first");
        assert_eq!(open(&mut *writer, &[access(transfer(ulid_of_both))]).await, [(kind, id(4))]);
        let known = open(&mut *writer, &[access(transfer(id(101)))]).await;
        assert_eq!(known, [(SubjectKind::Transfer, id(101)), (kind, id(2))]);
        assert_eq!(open(&mut *writer, &[access(transfer(id(3)))]).await, [(SubjectKind::Transfer, id(3))]);
        assert_eq!(open(&mut *writer, &[access(Subject::conversion(id(5)))]).await, [(kind, id(5))]);
        // Asked for in more than one way, each comes once.
        let wanted = [
            access(transfer(id(100))),
            access(transfer(id(101))),
            Wanted::Find(Subject::conversion(id(3))),
            Wanted::Find(Subject::conversion(id(5))),
        ];
        let all = open(&mut *writer, &wanted).await;
        let expected = [id(1), id(2), id(3), id(5)].map(|id| (kind, id));
        assert_eq!(all, [&[(SubjectKind::Transfer, id(101))][..], &expected[..]].concat());
    }
}

pub async fn a_conversion_claims_the_id_of_its_transfer_and_leaves_it_free(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::PrepareConversion(Box::new(prepare_conversion(2, 1, FAR)))]).await;
    assert_eq!(store.transfer(Subject::transfer(id(1))).await.unwrap(), None);
    run(&mut *writer, &[Command::Agree(Box::new(agree(2, 1)))]).await;
    run(&mut *writer, &[Command::Prepare(Box::new(prepare_converted(1, FAR)))]).await;
    let known = store.transfer(Subject::transfer(id(1))).await.unwrap().unwrap();
    assert_eq!(known.stage(), Stage::Reserved);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let held = |name: &str, currency: &str, held| (name.to_owned(), currency.to_owned(), 0, held);
    assert_eq!(positions(&*store).await, [held("bank-a", "USD", 100_000), held("fxp-a", "EUR", 80_000)]);
    run(&mut *writer, &[Command::Fulfil(Box::new(fulfil(1)))]).await;
    let posted = |name: &str, currency: &str, posted| (name.to_owned(), currency.to_owned(), posted, 0);
    let expected = [
        posted("bank-a", "USD", 100_000),
        posted("bank-b", "EUR", -80_000),
        posted("fxp-a", "EUR", 80_000),
        posted("fxp-a", "USD", -100_000),
    ];
    assert_eq!(positions(&*store).await, expected);
    for subject in [Subject::transfer(id(1)), Subject::conversion(id(2))] {
        let known = store.transfer(subject).await.unwrap().unwrap();
        assert_eq!((known.stage(), known.window), (Stage::Committed, Some(WindowId(1))), "{subject:?}");
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

pub async fn what_is_due_says_which_payment_it_is_part_of(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let at = |known: Transfer, seconds: i64| Transfer { expiration: now.plus_millis(seconds * 1000), ..known };
    let is = |known: Transfer, state| Transfer { state, ..known };
    let new = vec![
        at(conversion(1, Some(ulid(id(9))), now), -1),
        at(reserved_transfer(2, now), -3),
        at(conversion(3, Some(id(2)), now), -2),
        at(conversion(4, Some(id(8)), now), 60),
        is(at(conversion(5, Some(id(8)), now), -9), TransferState::Agreed { fulfilment: None }),
        is(at(conversion(6, Some(id(8)), now), -7), TransferState::Forwarded),
        is(at(reserved_transfer(7, now), -8), TransferState::Forwarded),
        is(at(reserved_transfer(10, now), 60), TransferState::Forwarded),
        is(at(reserved_transfer(11, now), -8), TransferState::Committed { fulfilment: None }),
    ];
    store_all(&mut *writer, new.clone()).await;
    let due = store.due_transfers(10).await.unwrap();
    let found: Vec<_> = due.iter().map(|due| (due.subject, due.payment)).collect();
    let expected = [
        (Subject::transfer(id(2)), id(2)),
        (Subject::conversion(id(3)), id(2)),
        (Subject::conversion(id(1)), ulid(id(9))),
    ];
    assert_eq!(found, expected);
    assert_eq!(due[0].expiration, now.plus_millis(-3000));
    assert_eq!(store.due_transfers(2).await.unwrap(), due[..2]);
    let overdue = store.overdue_elsewhere(10).await.unwrap();
    let keys = |place: usize| overdue[place].key;
    assert_eq!(overdue, [Transfer { key: keys(0), ..new[6].clone() }, Transfer { key: keys(1), ..new[5].clone() }]);
    assert_eq!(overdue.iter().map(Transfer::payment).collect::<Vec<_>>(), [id(7), id(8)]);
    assert_eq!(store.overdue_elsewhere(1).await.unwrap(), overdue[..1]);
}

pub async fn a_payment_is_traced_by_every_id_of_it(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let fx_quote = SubmitQuote {
        destination: fsp(PROVIDER),
        terms: QuoteTerms::Conversion([usd(), eur()]),
        ..submit_quote(CONVERSION_QUOTE)
    };
    run(&mut *writer, &[Command::SubmitQuote(Box::new(fx_quote))]).await;
    run(&mut *writer, &[Command::SubmitQuote(Box::new(submit_quote(QUOTE)))]).await;
    for base in [0, 20] {
        // Another payment, of which nothing is shown.
        let convert = prepare_conversion(base + CONVERSION, base + PAYMENT, FAR);
        run(&mut *writer, &[Command::PrepareConversion(Box::new(convert))]).await;
        run(&mut *writer, &[Command::Agree(Box::new(agree(base + CONVERSION, base + PAYMENT)))]).await;
        run(&mut *writer, &[Command::Prepare(Box::new(prepare_converted(base + PAYMENT, FAR)))]).await;
        run(&mut *writer, &[Command::Fulfil(Box::new(fulfil(base + PAYMENT)))]).await;
    }
    let row = |micros, subject, related: Option<u64>| JournalRow {
        at: Micros(Micros::from(now).0 + micros),
        direction: Direction::In,
        participant: Some(fsp(BANKS[0])),
        method: 2,
        resource: 0x84,
        subject: Some(id(subject)),
        related: related.map(id),
        status: Some(202),
        error: None,
        attempt: 0,
        trace: None,
        party: None,
    };
    let own = vec![
        row(1, CONVERSION_QUOTE, Some(CONVERSION)),
        row(2, QUOTE, Some(PAYMENT)),
        row(3, CONVERSION, Some(PAYMENT)),
        row(4, PAYMENT, None),
    ];
    let journal = own.iter().cloned().chain([row(5, 20 + CONVERSION, Some(20 + PAYMENT))]).collect();
    commit(&mut *writer, UnitWork { journal, ..UnitWork::default() }).await.unwrap();
    for number in [PAYMENT, CONVERSION, QUOTE, CONVERSION_QUOTE] {
        let trace = store.trace(id(number)).await.unwrap().expect("the payment is known");
        assert!(trace.is_whole);
        assert_eq!(trace.messages, own, "by {number}");
        let transfer = trace.transfer.as_ref().map(|known| known.transfer.id);
        let conversions: Vec<_> = trace.conversions.iter().map(|known| known.transfer.subject()).collect();
        assert_eq!(
            (transfer, conversions),
            (Some(id(PAYMENT)), vec![Subject::conversion(id(CONVERSION))]),
            "by {number}"
        );
        let quotes: Vec<_> = trace.quotes.iter().map(|known| (known.quote.kind, known.quote.id)).collect();
        let expected = [(QuoteKind::Conversion, id(CONVERSION_QUOTE)), (QuoteKind::Transfer, id(QUOTE))];
        assert_eq!(quotes, expected, "by {number}");
        let entries: Vec<_> = trace.entries.iter().map(|entry| (entry.kind, entry.amount)).collect();
        let principal = |amount| (EntryKind::Principal, units(amount));
        assert_eq!(entries, [principal(80_000), principal(100_000)], "by {number}");
        let told: Vec<_> = trace.outbox.iter().map(|message| message.payment_key).collect();
        assert!(told.contains(&id(PAYMENT).to_parts().0) && told.contains(&id(CONVERSION).to_parts().0), "by {number}");
        assert!(!told.contains(&id(20 + CONVERSION).to_parts().0), "by {number}");
    }
}

pub async fn a_conversion_is_traced_without_its_transfer(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::PrepareConversion(Box::new(prepare_conversion(2, 1, FAR)))]).await;
    let refused = hub_core::fx_transfers::PrepareConversion { determining: None, ..prepare_conversion(3, 0, FAR) };
    run(&mut *writer, &[Command::PrepareConversion(Box::new(refused))]).await;
    for (number, expected) in [(1, 2), (2, 2), (3, 3)] {
        let trace = store.trace(id(number)).await.unwrap().expect("the conversion is known");
        assert!(trace.transfer.is_none() && trace.entries.is_empty());
        let found: Vec<_> = trace.conversions.iter().map(|known| known.transfer.id).collect();
        assert_eq!(found, [id(expected)], "by {number}");
        assert!(trace.conversions[0].created_at.is_some());
    }
    assert_eq!(store.trace(id(4)).await.unwrap(), None);
}
