//! `PUT /transfers/{ID}`: the payee's answer (contract §4.6).

use super::{Event, Stage, Transfer, TransferKind, TransferState, linked, subject};
use crate::{
    Dialect, Message, Notice, Outcome, Rejection, State, Subject,
    fees::{Fee, FeeDebtor},
};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, AccountKind, EntryKind};
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
    pub standing: SenderStanding,
    /// The proxy that the message came by.
    pub via: Option<FspId>,
    pub destination: Option<FspId>,
    pub kind: FulfilKind,
    pub fulfilment: Option<Fulfilment>,
    pub hash: Digest,
    pub dialect: Dialect,
    /// `extensionList` as JSON text.
    pub extensions: Option<Box<str>>,
}

impl Fulfil {
    /// The other scheme's word, on our question, that it has not decided yet, or that it has decided against: then it says so
    /// in an error.
    fn is_no_outcome(&self) -> bool {
        let says_committed = match self.kind {
            FulfilKind::Commit => true,
            FulfilKind::Reserve | FulfilKind::ReserveWithoutPatch | FulfilKind::Abort => false,
        };
        self.standing == SenderStanding::External && self.fulfilment.is_none() && !says_committed
    }
}

/// Whether the sender of an answer is a participant of this scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SenderStanding {
    Participant,
    /// Somebody behind a proxy: a DFSP, or the hub of its scheme.
    External,
}

/// Decides a fulfil.
pub fn fulfil(state: &mut State, command: &Fulfil) -> Outcome {
    if command.kind == FulfilKind::ReserveWithoutPatch {
        return Outcome::silent();
    }
    let sender = Sender::of(command);
    let Some(known) = state.transfer(command.id) else {
        return Outcome::tell([sender.tell(subject(command.id), None, Message::Failure(Rejection::TransferNotFound))]);
    };
    if let Err(rejection) = sender.check(known, command.destination.as_ref()) {
        return mismatch(state, command, rejection);
    }
    if known.payee_proxy.is_some() && command.is_no_outcome() {
        return Outcome::silent();
    }
    let via = known.payee_proxy.clone();
    let to_sender = |message| sender.tell(subject(command.id), via.clone(), message);
    if let Some(earlier) = known.hashes.fulfil {
        return Outcome::tell(repeated(known, command, earlier).map(to_sender));
    }
    // Too early: the same answer is taken once the conversion has been agreed to.
    let waits = known.stage().is_pending() && state.conversions_of(command.id).any(|other| other.stage().is_pending());
    if waits && command.kind != FulfilKind::Abort {
        return refuse(state, command, Rejection::ConversionNotAgreed);
    }
    let known = state.change_transfer(subject(command.id));
    known.hashes.fulfil = Some(command.hash);
    known.payee_dialect = command.dialect;
    let is_pending = known.stage().is_pending();
    let fits = match (command.fulfilment, known.condition) {
        (Some(fulfilment), Some(condition)) => is_preimage(fulfilment, condition),
        (None, _) | (_, None) => false,
    };
    if command.kind == FulfilKind::Abort {
        // Refused where the reference would refuse it aloud, else ignored until it expires.
        return if is_pending {
            expired_or_silent(state, command)
        } else {
            refuse(state, command, Rejection::NotReserved)
        };
    }
    if !is_pending {
        return refuse(state, command, Rejection::NotReserved);
    }
    if !fits {
        return invalidate(state, command, Rejection::InvalidFulfilment);
    }
    if state.transfer(command.id).is_some_and(|known| known.has_expired(state.now)) {
        return refuse(state, command, Rejection::TransferExpired);
    }
    commit(state, command)
}

/// Who sends an answer about a transfer.
pub(crate) struct Sender<'a> {
    pub source: &'a FspId,
    pub standing: SenderStanding,
    pub via: Option<&'a FspId>,
    pub dialect: Dialect,
}

impl<'a> Sender<'a> {
    /// Who sends, and the proxy that the message came by.
    pub fn new((source, via): (&'a FspId, Option<&'a FspId>), standing: SenderStanding, dialect: Dialect) -> Self {
        Self { source, standing, via, dialect }
    }

    fn of(command: &'a Fulfil) -> Self {
        Self::new((&command.source, command.via.as_ref()), command.standing, command.dialect)
    }

    /// What follows for who has sent an error. Of another scheme's errors nothing does: an error about an error could be
    /// answered with a third one, for ever.
    pub fn hears_of_error(&self, notices: impl IntoIterator<Item = Notice>) -> Outcome {
        match self.standing {
            SenderStanding::Participant => Outcome::tell(notices),
            SenderStanding::External => Outcome::silent(),
        }
    }

    pub fn tell(&self, about: Subject, via: Option<FspId>, message: Message) -> Notice {
        let via = via.filter(|_| self.standing == SenderStanding::External);
        Notice { to: self.source.clone(), via, about, dialect: self.dialect, message }
    }

    /// Step 3: the sender is the payee and names the payer, without regard to case. Also asked of the error resource.
    /// For a payee behind a proxy its hub may answer, and an external payer may be called otherwise (contract,
    /// interscheme §1.7).
    pub fn check(&self, known: &Transfer, destination: Option<&FspId>) -> Result<(), Rejection> {
        let is_of_payment = match known.kind {
            TransferKind::Payment | TransferKind::Conversion(_) => true,
            TransferKind::FundsIn | TransferKind::FundsOut => false,
        };
        if !(is_of_payment && self.answers_for_payee(known)) {
            return Err(Rejection::SourceIsNotPayee);
        }
        match destination {
            Some(name) if known.payer_proxy.is_none() && !known.payer.same_as(name.as_str()) => {
                Err(Rejection::DestinationIsNotPayer)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The payee itself; for one behind a proxy whoever comes by that proxy.
    fn answers_for_payee(&self, known: &Transfer) -> bool {
        match &known.payee_proxy {
            None => known.payee.same_as(self.source.as_str()),
            Some(proxy) => self.standing == SenderStanding::External && self.via.is_none_or(|via| via == proxy),
        }
    }

    /// A wrong header from a party ends a pending transfer; anybody else, and any other state, changes nothing.
    /// (The reference lets a stranger abort a transfer, and reverses a position twice; that is not copied.) What was
    /// forwarded is decided behind the proxy: its payer here has no say in it.
    pub fn ends_by_mismatch(&self, known: &Transfer) -> bool {
        let may_end = match known.stage() {
            Stage::Reserved => true,
            Stage::Forwarded => self.standing == SenderStanding::External,
            Stage::Agreed | Stage::Committed | Stage::Aborted | Stage::Refused => false,
        };
        known.condition.is_some() && may_end && known.is_party(self.source)
    }
}

fn mismatch(state: &mut State, command: &Fulfil, rejection: Rejection) -> Outcome {
    let ends = state.transfer(command.id).is_some_and(|known| Sender::of(command).ends_by_mismatch(known));
    if ends { invalidate(state, command, rejection) } else { Outcome::silent() }
}

/// Step 4: a second fulfil tells nothing new. The same content is answered once the transfer has ended.
fn repeated(known: &Transfer, command: &Fulfil, earlier: Digest) -> Option<Message> {
    if earlier != command.hash {
        // What the other scheme's hub says of an outcome that its payee has told too is no other outcome.
        let is_same = known.payee_proxy.is_some() && known.status().fulfilment == command.fulfilment;
        return (!is_same).then_some(Message::Failure(Rejection::ModifiedRequest));
    }
    match known.stage() {
        Stage::Reserved | Stage::Forwarded | Stage::Agreed => None,
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
    let is_expired = state.transfer(command.id).is_some_and(|known| known.has_expired(state.now));
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

/// Ends a pending transfer because its payee's answer is wrong.
fn invalidate(state: &mut State, command: &Fulfil, rejection: Rejection) -> Outcome {
    linked::abort(state, subject(command.id), Event::Invalidated, rejection.clone());
    let known = state.transfer(command.id).expect("it was just aborted");
    let mut notices = Vec::from([known.tell_payer(Message::Failure(rejection.clone()))]);
    if command.kind == FulfilKind::Reserve {
        let status = super::TransferStatus { extensions: None, ..without_fulfilment(known) };
        notices.push(known.tell_payee(Message::Patch(Box::new(status))));
    }
    notices.extend(linked::abort_conversions(state, command.id, (Event::Invalidated, &rejection)));
    Outcome::tell(notices)
}

/// Step 9: the holds become entries, in the settlement window that is open now.
fn commit(state: &mut State, command: &Fulfil) -> Outcome {
    let known = state.transfer(command.id).expect("the caller has found it");
    let fees = fee_legs(state, known);
    let parts = linked::open_parts(state, command.id);
    let Some(mut entries) = linked::post(state, parts) else {
        return refuse(state, command, Rejection::Overflow);
    };
    let (now, window, confirms) = (state.now, Some(state.window), state.rules.confirms_to_payee);
    // A fee that cannot be posted does not hold up the payment.
    entries.extend(fees.into_iter().filter_map(|(between, fee)| {
        let entry = state.book.post(EntryKind::InterchangeFee, between, fee).ok()?;
        Some((subject(command.id), entry))
    }));
    linked::record(state, entries);
    let providers = linked::commit_conversions(state, command.id, now);
    let known = state.change_transfer(subject(command.id));
    known.enter(Event::Fulfilled, TransferState::Committed { fulfilment: command.fulfilment }, now);
    known.window = window;
    known.fulfil_extensions = command.extensions.clone();
    let mut notices = match command.kind {
        FulfilKind::Reserve => Vec::from([
            known.tell_payer(Message::Status(Box::new(known.status()))),
            known.tell_payee(Message::Patch(Box::new(without_fulfilment(known)))),
        ]),
        FulfilKind::Commit | FulfilKind::ReserveWithoutPatch | FulfilKind::Abort => {
            let mut notices = Vec::from([known.tell_payer(Message::Relay)]);
            if confirms && known.payee_proxy.is_none() && !known.payer.same_as(known.payee.as_str()) {
                notices.push(known.tell_payee(Message::Status(Box::new(known.status()))));
            }
            notices
        }
    };
    notices.extend(providers);
    Outcome::tell(notices)
}

/// The fee accounts of debtor and creditor of each fee. A fee of a participant without one is not charged.
fn fee_legs(state: &State, known: &Transfer) -> Vec<([AccountId; 2], Amount)> {
    let account = |name| {
        let account = state.account(name, known.money.currency, AccountKind::InterchangeFee)?;
        account.is_active.then_some(account.id)
    };
    let legs = |fee: &Fee| {
        let (payer, payee) = (account(known.payer_holder())?, account(known.payee_holder())?);
        if payer == payee {
            return None;
        }
        Some(match fee.debtor {
            FeeDebtor::Payer => ([payer, payee], fee.amount),
            FeeDebtor::Payee => ([payee, payer], fee.amount),
        })
    };
    known.fees.iter().filter_map(legs).collect()
}

pub(crate) fn is_preimage(fulfilment: Fulfilment, condition: Condition) -> bool {
    Sha256::digest(fulfilment.bytes()).as_slice() == condition.bytes()
}
