//! `PUT /transfers/{ID}`: the payee's answer (contract §4.6).

use super::{Event, Stage, Transfer, TransferKind, TransferState, subject};
use crate::{
    Dialect, Message, Notice, Outcome, Posting, Rejection, State,
    fees::{Fee, FeeDebtor},
    settlement::gross_model,
};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, AccountKind, Book, Entry, EntryKind};
use sha2::{Digest as _, Sha256};
use vocabulary::{Amount, Condition, CorrelationId, Digest, FspId, Fulfilment};

/// What the payee's `transferState` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FulfilKind {
    /// COMMITTED, or anything that is neither RESERVED nor ABORTED.
    Commit,
    /// RESERVED: the payee waits for the hub's word before it pays out.
    Reserve,
    /// RESERVED by FSPIOP 1.0, which has no PATCH: swallowed, as the reference does; the transfer expires.
    ReserveWithoutPatch,
    /// ABORTED, which belongs on the error resource: checked, then ignored; the transfer expires.
    Abort,
}

/// A fulfil whose form has been checked.
#[derive(Clone, Debug)]
pub struct Fulfil {
    pub id: CorrelationId,
    pub source: FspId,
    pub destination: Option<FspId>,
    pub kind: FulfilKind,
    pub fulfilment: Option<Fulfilment>,
    pub hash: Digest,
    pub dialect: Dialect,
    /// `extensionList` as JSON text.
    pub extensions: Option<Box<str>>,
}

/// Decides a fulfil.
pub fn fulfil(state: &mut State, command: &Fulfil) -> Outcome {
    if command.kind == FulfilKind::ReserveWithoutPatch {
        return Outcome::silent();
    }
    let to_sender =
        |message| Notice { to: command.source.clone(), about: subject(command.id), dialect: command.dialect, message };
    let Some(known) = state.transfer(command.id) else {
        return Outcome::tell([to_sender(Message::Failure(Rejection::TransferNotFound))]);
    };
    if let Err(rejection) = check_parties(known, &command.source, command.destination.as_ref()) {
        return mismatch(state, command, rejection);
    }
    if let Some(earlier) = known.hashes.fulfil {
        return Outcome::tell(repeated(known, command, earlier).map(to_sender));
    }
    let known = state.change_transfer(command.id);
    known.hashes.fulfil = Some(command.hash);
    known.payee_dialect = command.dialect;
    let is_reserved = known.stage() == Stage::Reserved;
    let fits = match (command.fulfilment, known.condition) {
        (Some(fulfilment), Some(condition)) => is_preimage(fulfilment, condition),
        (None, _) | (_, None) => false,
    };
    if command.kind == FulfilKind::Abort {
        // Refused where the reference would refuse it aloud, else ignored until it expires.
        return if is_reserved {
            expired_or_silent(state, command)
        } else {
            refuse(state, command, Rejection::NotReserved)
        };
    }
    if !is_reserved {
        return refuse(state, command, Rejection::NotReserved);
    }
    if !fits {
        return invalidate(state, command, Rejection::InvalidFulfilment);
    }
    if state.transfer(command.id).is_some_and(|known| known.expiration <= state.now) {
        return refuse(state, command, Rejection::TransferExpired);
    }
    commit(state, command)
}

/// Step 3: the sender is the payee and names the payer, without regard to case. Also asked of the error resource.
pub(super) fn check_parties(known: &Transfer, source: &FspId, destination: Option<&FspId>) -> Result<(), Rejection> {
    if known.kind != TransferKind::Payment {
        return Err(Rejection::SourceIsNotPayee);
    }
    if !known.payee.same_as(source.as_str()) {
        return Err(Rejection::SourceIsNotPayee);
    }
    match destination {
        Some(name) if !known.payer.same_as(name.as_str()) => Err(Rejection::DestinationIsNotPayer),
        Some(_) | None => Ok(()),
    }
}

/// A wrong header from a party ends a reserved transfer; anybody else, and any other state, changes nothing.
/// (The reference lets a stranger abort a transfer, and reverses a position twice; that is not copied.)
fn mismatch(state: &mut State, command: &Fulfil, rejection: Rejection) -> Outcome {
    let ends = state.transfer(command.id).is_some_and(|known| {
        known.kind == TransferKind::Payment && known.stage() == Stage::Reserved && known.is_party(&command.source)
    });
    if ends { invalidate(state, command, rejection) } else { Outcome::silent() }
}

/// Step 4: a second fulfil tells nothing new. The same content is answered once the transfer has ended.
fn repeated(known: &Transfer, command: &Fulfil, earlier: Digest) -> Option<Message> {
    if earlier != command.hash {
        return Some(Message::Failure(Rejection::ModifiedRequest));
    }
    match known.stage() {
        Stage::Reserved => None,
        Stage::Committed | Stage::Aborted | Stage::Refused => Some(match command.kind {
            FulfilKind::Reserve => Message::Patch(Box::new(without_fulfilment(known))),
            FulfilKind::Commit | FulfilKind::ReserveWithoutPatch | FulfilKind::Abort => {
                Message::Status(Box::new(known.status()))
            }
        }),
    }
}

fn without_fulfilment(known: &Transfer) -> super::TransferStatus {
    super::TransferStatus { fulfilment: None, ..known.status() }
}

fn expired_or_silent(state: &State, command: &Fulfil) -> Outcome {
    let is_expired = state.transfer(command.id).is_some_and(|known| known.expiration <= state.now);
    if is_expired { refuse(state, command, Rejection::TransferExpired) } else { Outcome::silent() }
}

/// Steps 7 and 8: the sender is told why nothing changes; one that answered RESERVED also that it must not pay out.
fn refuse(state: &State, command: &Fulfil, rejection: Rejection) -> Outcome {
    let known = state.transfer(command.id).expect("the caller has found it");
    let aborted = super::TransferStatus {
        state: super::PublicState::Aborted,
        completed: state.now,
        fulfilment: None,
        extensions: None,
        cause: None,
    };
    let mut notices = Vec::from([known.tell_payee(Message::Failure(rejection))]);
    // A committed transfer is never called aborted to a payee that repeats itself in other words.
    if command.kind == FulfilKind::Reserve && known.stage() != Stage::Committed {
        notices.push(known.tell_payee(Message::Patch(Box::new(aborted))));
    }
    Outcome::tell(notices)
}

/// Ends a reserved transfer because its payee's answer is wrong.
fn invalidate(state: &mut State, command: &Fulfil, rejection: Rejection) -> Outcome {
    abort(state, command.id, Event::Invalidated, rejection.clone());
    let known = state.transfer(command.id).expect("it was just aborted");
    let mut notices = Vec::from([known.tell_payer(Message::Failure(rejection))]);
    if command.kind == FulfilKind::Reserve {
        let status = super::TransferStatus { extensions: None, ..without_fulfilment(known) };
        notices.push(known.tell_payee(Message::Patch(Box::new(status))));
    }
    Outcome::tell(notices)
}

/// Drops the hold and ends the transfer.
pub(super) fn abort(state: &mut State, id: CorrelationId, event: Event, rejection: Rejection) {
    let now = state.now;
    let known = state.change_transfer(id);
    let [debit, _] = known.legs.expect("a reserved transfer has its accounts");
    let amount = known.money.amount;
    known.enter(event, TransferState::Aborted(rejection), now);
    state.book.release(debit, amount);
}

/// Step 9: the hold becomes an entry, in the settlement window that is open now.
fn commit(state: &mut State, command: &Fulfil) -> Outcome {
    let known = state.transfer(command.id).expect("the caller has found it");
    let (legs, amount) = (known.legs.expect("a reserved transfer has its accounts"), known.money.amount);
    let settled = gross_legs(state, known);
    let fees = fee_legs(state, known);
    let Some(mut entries) = post(&mut state.book, (legs, amount), settled) else {
        return refuse(state, command, Rejection::Overflow);
    };
    let (now, window, confirms) = (state.now, Some(state.window), state.rules.confirms_to_payee);
    // A fee that cannot be posted does not hold up the payment.
    entries.extend(
        fees.into_iter().filter_map(|(between, fee)| state.book.post(EntryKind::InterchangeFee, between, fee).ok()),
    );
    for entry in entries {
        // Only what is settled later belongs to a window.
        let window = window.filter(|_| entry.kind != EntryKind::GrossSettlement);
        state.record(Posting { entry, transfer: command.id, window });
    }
    let known = state.change_transfer(command.id);
    known.enter(Event::Fulfilled, TransferState::Committed { fulfilment: command.fulfilment }, now);
    known.window = window;
    known.fulfil_extensions = command.extensions.clone();
    Outcome::tell(match command.kind {
        FulfilKind::Reserve => Vec::from([
            known.tell_payer(Message::Status(Box::new(known.status()))),
            known.tell_payee(Message::Patch(Box::new(without_fulfilment(known)))),
        ]),
        FulfilKind::Commit | FulfilKind::ReserveWithoutPatch | FulfilKind::Abort => {
            let mut notices = Vec::from([known.tell_payer(Message::Relay)]);
            if confirms && !known.payer.same_as(known.payee.as_str()) {
                notices.push(known.tell_payee(Message::Status(Box::new(known.status()))));
            }
            notices
        }
    })
}

/// Turns the hold into an entry, and settles it at once where there are accounts to do so: positions are back where they
/// were, and liquidity has changed hands (contract, administration §2.7). None, and nothing has changed, if a balance
/// would leave the range of the ledger.
fn post(
    book: &mut Book,
    (legs, amount): ([AccountId; 2], Amount),
    settled: Option<[AccountId; 2]>,
) -> Option<Vec<Entry>> {
    let Some(liquidity) = settled else {
        return Some(Vec::from([book.post_held(EntryKind::Principal, legs, amount).ok()?]));
    };
    let mut tried = book.clone();
    let [payer, payee] = legs;
    let entries = Vec::from([
        tried.post_held(EntryKind::Principal, legs, amount).ok()?,
        tried.post(EntryKind::GrossSettlement, [payee, payer], amount).ok()?,
        tried.post(EntryKind::GrossSettlement, liquidity, amount).ok()?,
    ]);
    *book = tried;
    Some(entries)
}

/// The fee accounts of debtor and creditor of each fee. A fee of a participant without one is not charged.
fn fee_legs(state: &State, known: &Transfer) -> Vec<([AccountId; 2], Amount)> {
    let account = |name| {
        let account = state.account(name, known.money.currency, AccountKind::InterchangeFee)?;
        account.is_active.then_some(account.id)
    };
    let legs = |fee: &Fee| {
        let (payer, payee) = (account(&known.payer)?, account(&known.payee)?);
        Some(match fee.debtor {
            FeeDebtor::Payer => ([payer, payee], fee.amount),
            FeeDebtor::Payee => ([payee, payer], fee.amount),
        })
    };
    known.fees.iter().filter_map(legs).collect()
}

/// The accounts of the liquidity of payer and payee, where a transfer in this currency is settled by itself. Without
/// both of them it stays with the positions, as one that has no model.
fn gross_legs(state: &State, known: &Transfer) -> Option<[AccountId; 2]> {
    let currency = known.money.currency;
    let kind = gross_model(&state.models, currency)?.settlement_account;
    let account = |name| state.account(name, currency, kind).map(|account| account.id);
    Some([account(&known.payer)?, account(&known.payee)?])
}

fn is_preimage(fulfilment: Fulfilment, condition: Condition) -> bool {
    Sha256::digest(fulfilment.bytes()).as_slice() == condition.bytes()
}
