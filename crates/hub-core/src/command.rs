//! Commands: what the outside asks for, and what each needs to be decided.

use crate::{
    Notice, State,
    quotes::{self, AnswerQuote, SubmitQuote},
    transfers::{self, Expire, Fulfil, Prepare, RecordFunds, Reject, Transfer},
};
use alloc::{boxed::Box, vec, vec::Vec};
use vocabulary::{CorrelationId, Currency, FspId};

/// A payment or quote, by the id that its caller chose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subject {
    pub kind: SubjectKind,
    pub id: CorrelationId,
}

/// Ids of different kinds do not clash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    Transfer,
    Quote,
}

/// A participant in one currency: the unit of locking.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Standing {
    pub participant: FspId,
    pub currency: Currency,
}

/// Whether a decision may change a standing or only looks at it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    Look,
    Change,
}

/// Everything that is decided by a unit.
#[derive(Clone, Debug)]
pub enum Command {
    Prepare(Box<Prepare>),
    Fulfil(Box<Fulfil>),
    Reject(Box<Reject>),
    Expire(Expire),
    RecordFunds(Box<RecordFunds>),
    SubmitQuote(Box<SubmitQuote>),
    AnswerQuote(Box<AnswerQuote>),
}

/// What follows from one command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    pub notices: Vec<Notice>,
}

impl Outcome {
    /// Nothing follows: the command was a repetition, came too late, or names nobody who may know.
    pub fn silent() -> Self {
        Self::default()
    }

    pub(crate) fn tell(notices: impl IntoIterator<Item = Notice>) -> Self {
        Self { notices: notices.into_iter().collect() }
    }
}

impl Command {
    /// The payment or quote that the command is about. A unit holds at most one command of each subject,
    /// so that what a decision loads is complete before it.
    pub fn subject(&self) -> Subject {
        let transfer = |id| Subject { kind: SubjectKind::Transfer, id };
        let quote = |id| Subject { kind: SubjectKind::Quote, id };
        match self {
            Self::Prepare(command) => transfer(command.id),
            Self::Fulfil(command) => transfer(command.id),
            Self::Reject(command) => transfer(command.id),
            Self::Expire(command) => transfer(command.id),
            Self::RecordFunds(command) => transfer(command.id()),
            Self::SubmitQuote(command) => quote(command.id),
            Self::AnswerQuote(command) => quote(command.id),
        }
    }

    /// Whether the command may create its subject; only then is an unknown id claimed.
    pub fn may_create(&self) -> bool {
        match self {
            Self::Prepare(_) | Self::SubmitQuote(_) | Self::AnswerQuote(_) => true,
            Self::RecordFunds(command) => command.may_create(),
            Self::Fulfil(_) | Self::Reject(_) | Self::Expire(_) => false,
        }
    }

    /// The standings that the decision needs, given the transfer or quote that is already stored.
    pub fn standings(&self, transfer: Option<&Transfer>, hub: &FspId) -> Vec<(Standing, Access)> {
        let standing = |participant: &FspId, currency| Standing { participant: participant.clone(), currency };
        match self {
            Self::Prepare(command) => vec![
                (standing(&command.payer, command.currency), Access::Change),
                (standing(&command.payee, command.currency), Access::Look),
            ],
            Self::Fulfil(_) => transfer.map_or_else(Vec::new, |transfer| {
                let currency = transfer.money.currency;
                vec![
                    (standing(&transfer.payer, currency), Access::Change),
                    (standing(&transfer.payee, currency), Access::Change),
                ]
            }),
            Self::Reject(_) | Self::Expire(_) => transfer.map_or_else(Vec::new, |transfer| {
                vec![(standing(&transfer.payer, transfer.money.currency), Access::Change)]
            }),
            Self::RecordFunds(command) => command.participant_and_currency(transfer).map_or_else(Vec::new, |pair| {
                vec![(standing(&pair.0, pair.1), Access::Change), (standing(hub, pair.1), Access::Change)]
            }),
            Self::SubmitQuote(command) => command.standings(),
            Self::AnswerQuote(command) => command.standings(),
        }
    }
}

/// Decides one command against the loaded state and leaves its changes there.
pub fn decide(state: &mut State, command: &Command) -> Outcome {
    match command {
        Command::Prepare(command) => transfers::prepare(state, command),
        Command::Fulfil(command) => transfers::fulfil(state, command),
        Command::Reject(command) => transfers::reject(state, command),
        Command::Expire(command) => transfers::expire(state, command),
        Command::RecordFunds(command) => transfers::record_funds(state, command),
        Command::SubmitQuote(command) => quotes::submit(state, command),
        Command::AnswerQuote(command) => quotes::answer(state, command),
    }
}
