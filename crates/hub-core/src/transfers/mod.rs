//! Transfers: a conditional movement of money from a payer's DFSP to a payee's (contract §4).
//!
//! Invariant: a transfer is committed at most once, and never after its expiration; its hold exists exactly while it
//! is `Reserved`. The accounts are resolved once, at prepare, and stored; what ends the transfer uses what was stored.

mod expire;
mod fulfil;
mod funds;
pub(crate) mod linked;
mod prepare;
mod reject;
mod resolve;
mod states;
mod status;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_doubt;
#[cfg(test)]
mod tests_of_proxies;
#[cfg(test)]
mod tests_of_roles_and_models;

use crate::{Dialect, Message, Notice, Rejection, Subject, SubjectKind, WindowId, fees::Fee};
use alloc::{boxed::Box, vec::Vec};
use ledger::AccountId;
use vocabulary::{Condition, CorrelationId, Digest, FspId, Fulfilment, Money, Timestamp};

pub use expire::{Expire, expire, not_forwarded};
pub use fulfil::{Fulfil, FulfilKind, SenderStanding, fulfil};
pub(crate) use fulfil::{Sender, is_preimage};
pub use funds::{FinishFunds, NewFunds, RecordFunds, record_funds};
pub use prepare::{Prepare, prepare};
pub(crate) use prepare::{check_participants, hold_position, holders, position};
pub(crate) use reject::may_be_under_way;
pub use reject::{Reject, reject};
pub use resolve::{Resolve, resolve};
pub use states::{Event, Stage, next};
pub use status::{PublicState, TransferStatus};

/// What a transfer moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransferKind {
    /// Between two participants' positions, by FSPIOP.
    Payment,
    /// Liquidity that a participant paid in: from the hub's reconciliation account.
    FundsIn,
    /// Liquidity that a participant takes out.
    FundsOut,
    /// From one currency into another, for the payment that determines it (contract, interscheme §3): the payer is who
    /// asks for it, the payee is the foreign exchange provider.
    Conversion(Terms),
}

/// What is particular to a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The transfer that the conversion is for; absent only where it was refused for that.
    pub determining: Option<CorrelationId>,
    pub side: Side,
    /// The amount of the side that is not held here: the target's on the payer's side, the source's on the payee's.
    pub other: Money,
}

/// Whose currency a conversion starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The payer's FSP converts before it pays: its source amount is held and goes to the provider.
    Payer,
    /// The payee's FSP converts what it is paid: the provider's target amount is held and goes to it.
    Payee,
}

/// A transfer as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The store's own key; zero until it is stored.
    pub key: i64,
    pub id: CorrelationId,
    pub kind: TransferKind,
    pub payer: FspId,
    pub payee: FspId,
    /// Zero where the amount is too large for the ledger; such a transfer is `Refused`.
    pub money: Money,
    /// The proxy that stood for an external payer when the transfer was prepared.
    pub payer_proxy: Option<FspId>,
    /// As for the payer; what goes to an external payee is forwarded.
    pub payee_proxy: Option<FspId>,
    /// The accounts of the entry, debit then credit. None for a transfer that was refused, and for one between two
    /// DFSPs of one proxy, which moves nothing in this scheme.
    pub legs: Option<[AccountId; 2]>,
    /// Absent for funds movements, which need no fulfilment.
    pub condition: Option<Condition>,
    pub expiration: Timestamp,
    pub state: TransferState,
    /// When the state was entered.
    pub changed_at: Timestamp,
    /// The settlement window of the commit.
    pub window: Option<WindowId>,
    pub hashes: Hashes,
    pub payer_dialect: Dialect,
    pub payee_dialect: Dialect,
    /// `extensionList` members as JSON text: the prepare's, and the fulfil's.
    pub prepare_extensions: Option<Box<str>>,
    pub fulfil_extensions: Option<Box<str>>,
    /// What its commit posts beside the amount, by the rules that applied when it was prepared.
    pub fees: Vec<Fee>,
}

/// Content hashes of the messages of a transfer, each kept from its first sight (contract §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashes {
    pub prepare: Digest,
    pub fulfil: Option<Digest>,
    pub error: Option<Digest>,
}

/// Where a transfer stands; see [`Stage`] for the transitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransferState {
    Reserved,
    /// Reserved, and decided in the scheme behind a proxy: it does not expire here.
    Forwarded,
    /// A conversion that its provider has agreed to, which ends with its determining transfer.
    Agreed {
        fulfilment: Option<Fulfilment>,
    },
    Committed {
        /// None for funds movements.
        fulfilment: Option<Fulfilment>,
    },
    Aborted(Rejection),
    /// The prepare was not accepted, but its id is taken.
    Refused(Rejection),
}

impl Transfer {
    pub fn stage(&self) -> Stage {
        match self.state {
            TransferState::Reserved => Stage::Reserved,
            TransferState::Forwarded => Stage::Forwarded,
            TransferState::Agreed { .. } => Stage::Agreed,
            TransferState::Committed { .. } => Stage::Committed,
            TransferState::Aborted(_) => Stage::Aborted,
            TransferState::Refused(_) => Stage::Refused,
        }
    }

    /// Whether a name is the payer or the payee, without regard to case.
    pub fn is_party(&self, name: &FspId) -> bool {
        self.payer.same_as(name.as_str()) || self.payee.same_as(name.as_str())
    }

    /// The ids of transfers and of conversions are apart.
    pub fn subject(&self) -> Subject {
        Subject { kind: self.kind.subject_kind(), id: self.id }
    }

    /// The transfer that the payment is known by: its own id, or that of the determining transfer.
    pub fn payment(&self) -> CorrelationId {
        self.terms().and_then(|terms| terms.determining).unwrap_or(self.id)
    }

    pub fn terms(&self) -> Option<&Terms> {
        match &self.kind {
            TransferKind::Conversion(terms) => Some(terms),
            TransferKind::Payment | TransferKind::FundsIn | TransferKind::FundsOut => None,
        }
    }

    /// Who has the payer's account here: itself, or its proxy.
    pub fn payer_holder(&self) -> &FspId {
        self.payer_proxy.as_ref().unwrap_or(&self.payer)
    }

    pub fn payee_holder(&self) -> &FspId {
        self.payee_proxy.as_ref().unwrap_or(&self.payee)
    }

    /// Whether its time is up, where that is for this scheme to say.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.stage() != Stage::Forwarded && self.expiration <= now
    }

    /// Whether something may still come of it.
    pub fn is_open(&self) -> bool {
        self.stage().is_open()
    }

    pub(crate) fn tell_payer(&self, message: Message) -> Notice {
        let (to, via) = (self.payer.clone(), self.payer_proxy.clone());
        Notice { to, via, about: self.subject(), dialect: self.payer_dialect, message }
    }

    pub(crate) fn tell_payee(&self, message: Message) -> Notice {
        let (to, via) = (self.payee.clone(), self.payee_proxy.clone());
        Notice { to, via, about: self.subject(), dialect: self.payee_dialect, message }
    }

    /// Enters the state that follows from an event that the machine allows.
    pub(crate) fn enter(&mut self, event: Event, state: TransferState, now: Timestamp) {
        let follows = next(Some(self.stage()), event);
        self.state = state;
        self.changed_at = now;
        assert_eq!(follows, Some(self.stage()), "the state follows from the event");
    }
}

impl TransferKind {
    pub const fn subject_kind(&self) -> SubjectKind {
        match self {
            Self::Payment | Self::FundsIn | Self::FundsOut => SubjectKind::Transfer,
            Self::Conversion(_) => SubjectKind::Conversion,
        }
    }
}

fn subject(id: CorrelationId) -> Subject {
    Subject { kind: SubjectKind::Transfer, id }
}
