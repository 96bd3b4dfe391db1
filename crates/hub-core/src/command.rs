//! Commands: what the outside asks for, and what each needs to be decided.

use crate::{
    Notice, State,
    fx_transfers::{self, Agree, Conclude, PrepareConversion, RejectConversion},
    quotes::{self, AnswerQuote, SubmitQuote},
    transfers::{self, Expire, Fulfil, Prepare, RecordFunds, Reject, Resolve, Transfer, TransferKind},
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
    /// An fxTransfer.
    Conversion,
    /// An fxQuote.
    ConversionQuote,
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
    /// Of what was to be forwarded and never left.
    NotForwarded(Expire),
    RecordFunds(Box<RecordFunds>),
    SubmitQuote(Box<SubmitQuote>),
    AnswerQuote(Box<AnswerQuote>),
    PrepareConversion(Box<PrepareConversion>),
    Agree(Box<Agree>),
    RejectConversion(Box<RejectConversion>),
    Conclude(Conclude),
    Resolve(Box<Resolve>),
}

/// A subject that a command needs to be found, with what it is linked to: a transfer brings its conversions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// Claimed if it is unknown, so that no other unit can create it at the same time.
    Claim(Subject),
    /// Looked up only.
    Find(Subject),
}

impl Subject {
    pub const fn transfer(id: CorrelationId) -> Self {
        Self { kind: SubjectKind::Transfer, id }
    }

    pub const fn conversion(id: CorrelationId) -> Self {
        Self { kind: SubjectKind::Conversion, id }
    }
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
    /// The payment or quote that the command is about: of a conversion, its determining transfer. A unit holds at most
    /// one command of each, so that what a decision loads is complete before it.
    pub fn subject(&self) -> Subject {
        let transfer = |id| Subject { kind: SubjectKind::Transfer, id };
        match self {
            Self::Prepare(command) => transfer(command.id),
            Self::Fulfil(command) => transfer(command.id),
            Self::Reject(command) => transfer(command.id),
            Self::Expire(command) | Self::NotForwarded(command) => transfer(command.payment),
            Self::RecordFunds(command) => transfer(command.id()),
            Self::SubmitQuote(command) => command.subject(),
            Self::AnswerQuote(command) => command.subject(),
            Self::PrepareConversion(command) => transfer(command.determining.unwrap_or(command.id)),
            Self::Agree(command) => transfer(command.payment),
            Self::RejectConversion(command) => transfer(command.payment),
            Self::Conclude(command) => transfer(command.payment),
            Self::Resolve(command) => transfer(command.payment),
        }
    }

    /// What is to be found, in the order in which it is locked. The id of a determining transfer is claimed with its
    /// conversion, so that the two cannot be prepared beside each other; unused, it stays free.
    pub fn wanted(&self) -> Vec<Wanted> {
        let conversion = |id| Subject { kind: SubjectKind::Conversion, id };
        match self {
            Self::Prepare(_) | Self::SubmitQuote(_) | Self::AnswerQuote(_) => vec![Wanted::Claim(self.subject())],
            Self::RecordFunds(command) if command.may_create() => vec![Wanted::Claim(self.subject())],
            Self::Fulfil(_) | Self::Reject(_) | Self::RecordFunds(_) => vec![Wanted::Find(self.subject())],
            Self::PrepareConversion(command) => {
                let determining = command.determining.map(|_| Wanted::Claim(self.subject()));
                determining.into_iter().chain([Wanted::Claim(conversion(command.id))]).collect()
            }
            Self::Expire(command) | Self::NotForwarded(command) => {
                vec![Wanted::Find(self.subject()), Wanted::Find(command.subject)]
            }
            Self::Agree(command) => vec![Wanted::Find(self.subject()), Wanted::Find(conversion(command.id))],
            Self::Resolve(command) => vec![Wanted::Find(self.subject()), Wanted::Find(command.subject)],
            Self::Conclude(command) => vec![Wanted::Find(self.subject()), Wanted::Find(conversion(command.id))],
            Self::RejectConversion(command) => {
                vec![Wanted::Find(self.subject()), Wanted::Find(conversion(command.id))]
            }
        }
    }

    /// The standings that the decision needs, given what is already stored of the payment.
    pub fn standings(&self, parts: &[&Transfer], hub: &FspId) -> Vec<(Standing, Access)> {
        let standing = |participant: &FspId, currency| Standing { participant: participant.clone(), currency };
        match self {
            Self::Prepare(command) => {
                let mut standings = vec![
                    (standing(&command.payer, command.currency), Access::Change),
                    (standing(&command.payee, command.currency), Access::Look),
                ];
                standings.extend(parts.iter().flat_map(|part| standings_of(part)));
                standings
            }
            Self::Fulfil(_) | Self::Agree(_) | Self::RejectConversion(_) | Self::Conclude(_) | Self::Resolve(_) => {
                parts.iter().flat_map(|part| standings_of(part)).collect()
            }
            Self::NotForwarded(_) => Vec::new(),
            Self::Reject(_) | Self::Expire(_) => match parts {
                [Transfer { kind: TransferKind::Payment, .. }] => {
                    let known = parts[0];
                    vec![(standing(known.payer_holder(), known.money.currency), Access::Change)]
                }
                several => several.iter().flat_map(|part| standings_of(part)).collect(),
            },
            Self::RecordFunds(command) => {
                let known = parts.first().copied();
                command.participant_and_currency(known).map_or_else(Vec::new, |pair| {
                    vec![(standing(&pair.0, pair.1), Access::Change), (standing(hub, pair.1), Access::Change)]
                })
            }
            Self::SubmitQuote(command) => command.standings(),
            Self::AnswerQuote(command) => command.standings(),
            Self::PrepareConversion(command) => {
                let currencies = [command.source_amount.currency, command.target_amount.currency];
                let sides = [&command.initiator, &command.provider];
                let pairs = sides.into_iter().flat_map(|side| currencies.map(|currency| standing(side, currency)));
                let mut standings: Vec<_> = pairs.map(|pair| (pair, Access::Change)).collect();
                standings.extend(parts.iter().flat_map(|part| standings_of(part)));
                standings
            }
        }
    }
}

/// Both sides of a stored transfer, as they were resolved when it was prepared; of a conversion in both currencies.
fn standings_of(known: &Transfer) -> Vec<(Standing, Access)> {
    let currencies = [Some(known.money.currency), known.terms().map(|terms| terms.other.currency)];
    let holders = [known.payer_holder(), known.payee_holder()];
    let of = |holder: &FspId, currency| (Standing { participant: holder.clone(), currency }, Access::Change);
    holders
        .into_iter()
        .flat_map(|holder| currencies.into_iter().flatten().map(move |currency| of(holder, currency)))
        .collect()
}

/// Decides one command against the loaded state and leaves its changes there.
pub fn decide(state: &mut State, command: &Command) -> Outcome {
    match command {
        Command::Prepare(command) => transfers::prepare(state, command),
        Command::Fulfil(command) => transfers::fulfil(state, command),
        Command::Reject(command) => transfers::reject(state, command),
        Command::Expire(command) => transfers::expire(state, command),
        Command::NotForwarded(command) => transfers::not_forwarded(state, command),
        Command::RecordFunds(command) => transfers::record_funds(state, command),
        Command::SubmitQuote(command) => quotes::submit(state, command),
        Command::AnswerQuote(command) => quotes::answer(state, command),
        Command::PrepareConversion(command) => fx_transfers::prepare(state, command),
        Command::Agree(command) => fx_transfers::agree(state, command),
        Command::RejectConversion(command) => fx_transfers::reject(state, command),
        Command::Resolve(command) => transfers::resolve(state, command),
        Command::Conclude(command) => fx_transfers::conclude(state, command),
    }
}
