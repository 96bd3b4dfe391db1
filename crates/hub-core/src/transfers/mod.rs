//! Transfers: a conditional movement of money from a payer's DFSP to a payee's (contract §4).
//!
//! Invariant: a transfer is committed at most once, and never after its expiration; its hold exists exactly while it
//! is `Reserved`. The accounts are resolved once, at prepare, and stored; what ends the transfer uses what was stored.

mod expire;
mod fulfil;
mod funds;
mod prepare;
mod reject;
mod states;
mod status;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_roles_and_models;

use crate::{Dialect, Message, Notice, Rejection, Subject, SubjectKind, WindowId, fees::Fee};
use alloc::{boxed::Box, vec::Vec};
use ledger::AccountId;
use vocabulary::{Condition, CorrelationId, Digest, FspId, Fulfilment, Money, Timestamp};

pub use expire::{Expire, expire};
pub use fulfil::{Fulfil, FulfilKind, fulfil};
pub use funds::{FinishFunds, NewFunds, RecordFunds, record_funds};
pub use prepare::{Prepare, prepare};
pub use reject::{Reject, reject};
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
    /// The accounts of the entry, debit then credit; none for a transfer that was refused.
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
            TransferState::Committed { .. } => Stage::Committed,
            TransferState::Aborted(_) => Stage::Aborted,
            TransferState::Refused(_) => Stage::Refused,
        }
    }

    /// Whether a name is the payer or the payee, without regard to case.
    pub fn is_party(&self, name: &FspId) -> bool {
        self.payer.same_as(name.as_str()) || self.payee.same_as(name.as_str())
    }

    fn tell_payer(&self, message: Message) -> Notice {
        Notice { to: self.payer.clone(), about: subject(self.id), dialect: self.payer_dialect, message }
    }

    fn tell_payee(&self, message: Message) -> Notice {
        Notice { to: self.payee.clone(), about: subject(self.id), dialect: self.payee_dialect, message }
    }

    /// Enters the state that follows from an event that the machine allows.
    fn enter(&mut self, event: Event, state: TransferState, now: Timestamp) {
        let follows = next(Some(self.stage()), event);
        self.state = state;
        self.changed_at = now;
        assert_eq!(follows, Some(self.stage()), "the state follows from the event");
    }
}

fn subject(id: CorrelationId) -> Subject {
    Subject { kind: SubjectKind::Transfer, id }
}
