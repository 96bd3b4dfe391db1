//! What ends together: a transfer and the conversions that it determines (contract, interscheme §3.5 to §3.7).
//!
//! Invariant: the legs of a payment are posted in one unit or their holds are dropped in one unit; no history leaves one
//! leg committed and another not.

use super::{Event, Transfer, TransferState};
use crate::{Message, Notice, Posting, Rejection, State, Subject, SubjectKind, settlement::gross_model};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, Book, Entry, EntryKind};
use vocabulary::{Amount, CorrelationId, Timestamp};

/// One leg: a hold that becomes an entry, and the accounts of liquidity if it is settled at once.
struct Leg {
    transfer: Subject,
    legs: [AccountId; 2],
    amount: Amount,
    liquidity: Option<[AccountId; 2]>,
}

/// The transfer of a payment, if it is known, and its conversions that have not ended.
pub(crate) fn open_parts(state: &State, payment: CorrelationId) -> Vec<Subject> {
    let transfer = state.transfer(payment).into_iter();
    let parts = transfer.chain(state.conversions_of(payment)).filter(|known| known.is_open());
    parts.map(Transfer::subject).collect()
}

/// Drops the hold and ends the transfer.
pub(crate) fn abort(state: &mut State, subject: Subject, event: Event, rejection: Rejection) {
    let now = state.now;
    let known = state.change_transfer(subject);
    let (legs, amount) = (known.legs, known.money.amount);
    known.enter(event, TransferState::Aborted(rejection), now);
    if let Some([debit, _]) = legs {
        state.book.release(debit, amount);
    }
}

/// Ends the conversions of a payment that has ended; each provider here that has agreed is told so.
pub(crate) fn abort_conversions(
    state: &mut State,
    payment: CorrelationId,
    (event, rejection): (Event, &Rejection),
) -> Vec<Notice> {
    let mut notices = Vec::new();
    for subject in open_parts(state, payment).into_iter().filter(|part| part.kind == SubjectKind::Conversion) {
        abort(state, subject, event, rejection.clone());
        let known = state.any_transfer(subject).expect("it was just aborted");
        notices.extend(tell_provider(state, known));
    }
    notices
}

/// The outcome of a conversion for its provider. One behind a proxy hears that it is committed from its own scheme, where
/// that has the transfer; that it has failed it hears from here too, because the transfer may not have got there.
pub(crate) fn tell_provider(state: &State, known: &Transfer) -> Option<Notice> {
    let status = super::TransferStatus { fulfilment: None, extensions: None, cause: None, ..known.status() };
    let proxy = known.payee_proxy.as_ref();
    let transfer = state.transfer(known.payment());
    let is_paid_there = proxy.is_some() && transfer.is_some_and(|transfer| transfer.payee_proxy.as_ref() == proxy);
    let is_told_there = is_paid_there && known.stage() == super::Stage::Committed;
    (!is_told_there).then(|| known.tell_payee(Message::Patch(Box::new(status))))
}

/// Ends whatever is open of a payment because its time is up; both sides of each part are told.
pub(crate) fn expire(state: &mut State, parts: Vec<Subject>) -> Vec<Notice> {
    let mut notices = Vec::new();
    for subject in parts {
        abort(state, subject, Event::Expired, Rejection::TransferExpired);
        let known = state.any_transfer(subject).expect("it was just aborted");
        let expired = || Message::Failure(Rejection::TransferExpired);
        notices.extend([known.tell_payer(expired()), known.tell_payee(expired())]);
        if known.terms().is_some() && known.payee_proxy.is_some() {
            notices.extend(tell_provider(state, known));
        }
    }
    notices
}

/// Posts the legs of parts of a payment. None, and nothing has changed, if a balance would leave the range of the ledger.
pub(crate) fn post(state: &mut State, parts: Vec<Subject>) -> Option<Vec<(Subject, Entry)>> {
    let legs: Vec<Leg> = parts.into_iter().filter_map(|part| leg(state, part)).collect();
    match legs.as_slice() {
        [] => Some(Vec::new()),
        [only] if only.liquidity.is_none() => {
            let entry = state.book.post_held(EntryKind::Principal, only.legs, only.amount).ok()?;
            Some(Vec::from([(only.transfer, entry)]))
        }
        several => {
            let mut tried = state.book.clone();
            let mut entries = Vec::new();
            for leg in several {
                post_leg(&mut tried, leg, &mut entries)?;
            }
            state.book = tried;
            Some(entries)
        }
    }
}

/// Marks the conversions of a payment committed; each provider here is told so.
pub(crate) fn commit_conversions(state: &mut State, payment: CorrelationId, now: Timestamp) -> Vec<Notice> {
    let parts = open_parts(state, payment).into_iter().filter(|part| part.kind == SubjectKind::Conversion);
    parts.collect::<Vec<_>>().into_iter().filter_map(|part| commit_conversion(state, part, now)).collect()
}

/// Marks one conversion committed whose leg has been posted.
pub(crate) fn commit_conversion(state: &mut State, subject: Subject, now: Timestamp) -> Option<Notice> {
    let window = Some(state.window);
    let known = state.change_transfer(subject);
    let fulfilment = known.status().fulfilment;
    known.enter(Event::Fulfilled, TransferState::Committed { fulfilment }, now);
    known.window = window;
    let known = state.any_transfer(subject)?;
    tell_provider(state, known)
}

/// Records the entries of a payment. Only what is settled later belongs to a window.
pub(crate) fn record(state: &mut State, entries: impl IntoIterator<Item = (Subject, Entry)>) {
    let window = Some(state.window);
    for (transfer, entry) in entries {
        let window = window.filter(|_| entry.kind != EntryKind::GrossSettlement);
        state.record(Posting { entry, transfer, window });
    }
}

/// The leg of a part. Where its currency is settled payment by payment it is settled at once, if both sides have the
/// accounts for it (contract, administration §2.7).
fn leg(state: &State, transfer: Subject) -> Option<Leg> {
    let known = state.any_transfer(transfer)?;
    let legs = known.legs?;
    let model = gross_model(&state.models, known.money.currency);
    let liquidity = model.and_then(|model| {
        let account = |leg| state.sibling(leg, model.settlement_account);
        Some([account(legs[0])?, account(legs[1])?])
    });
    Some(Leg { transfer, legs, amount: known.money.amount, liquidity })
}

/// Turns a hold into an entry, and settles it at once where that is asked for: positions are back where they were, and
/// liquidity has changed hands.
fn post_leg(book: &mut Book, leg: &Leg, entries: &mut Vec<(Subject, Entry)>) -> Option<()> {
    let [debit, credit] = leg.legs;
    let mut add = |entry| entries.push((leg.transfer, entry));
    add(book.post_held(EntryKind::Principal, leg.legs, leg.amount).ok()?);
    if let Some(liquidity) = leg.liquidity {
        add(book.post(EntryKind::GrossSettlement, [credit, debit], leg.amount).ok()?);
        add(book.post(EntryKind::GrossSettlement, liquidity, leg.amount).ok()?);
    }
    Some(())
}
