//! What the operator decides: participants, accounts, limits, endpoints, settlement models, oracles
//! (contract, administration §1).
//!
//! An administrative change is decided by [`administer`] against the whole [`Directory`], which the store loads under one
//! exclusive lock: there are hundreds of participants, not millions, and changes are rare. A change happens whole or not
//! at all. Balances move by entries only.

mod account_types;
mod accounts;
mod clients;
mod command;
mod endpoints;
mod fee_rules;
#[cfg(test)]
pub(crate) mod fixture;
mod funds;
mod limits;
mod liquidity_threshold;
mod opening;
mod oracles;
mod participants;
mod rejection;
mod settlement_models;

use crate::{
    Participant,
    fees::FeeRule,
    notices::OperatorNotice,
    settlement::{Content, Settlement, SettlementAccount, SettlementId, Window},
};
use alloc::{boxed::Box, vec::Vec};
use ledger::{Account, AccountId, AccountKind, Entry, ParticipantId};
use vocabulary::{Amount, Currency, FspId, PartyIdType, Timestamp};

pub use account_types::{AccountType, NewAccountType, is_settleable};
pub use accounts::{CreateHubAccount, SetAccountActivity};
pub use clients::{Client, ClientSecret, CreateClient, RotateClient, SecretHash};
pub use command::{AdminCommand, administer};
pub use endpoints::SetEndpoint;
pub use fee_rules::{NewFeeRule, SetFeeRuleActivity};
pub use funds::check_funds;
pub use limits::{SetCapShare, SetLimit};
pub use liquidity_threshold::SetLiquidityThreshold;
pub use opening::{ALARM_PERCENTAGE_DEFAULT, OpenAccounts};
pub use oracles::{NewOracle, ReplaceOracle};
pub use participants::{CreateParticipant, SetParticipantActivity, SetParticipantFlow};
pub use rejection::AdminRejection;
pub use settlement_models::{NewSettlementModel, SetSettlementModelActivity};

/// Everything that operators maintain, with present balances. Lists are in order of creation.
#[derive(Clone, Default, Debug)]
pub struct Directory {
    /// Counts the changes, so that a node knows when its copy is stale.
    pub version: i64,
    pub participants: Vec<ParticipantRecord>,
    pub accounts: Vec<AccountRecord>,
    /// The operator's own; the built-in ones are not listed.
    pub account_types: Vec<AccountType>,
    pub endpoints: Vec<Endpoint>,
    pub settlement_models: Vec<SettlementModel>,
    pub fee_rules: Vec<FeeRule>,
    pub oracles: Vec<Oracle>,
    pub clients: Vec<Client>,
}

/// A participant with when it was created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantRecord {
    pub participant: Participant,
    pub created_at: Timestamp,
}

/// An account with its history's corner dates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    pub account: Account,
    /// False until `initialPositionAndLimits` gives the account a balance; hub accounts are open from the start.
    pub is_open: bool,
    pub created_at: Timestamp,
    /// When a balance last changed.
    pub changed_at: Timestamp,
    /// The liquidity below which operators are told; of SETTLEMENT accounts.
    pub liquidity_threshold: Option<Amount>,
}

/// Where a participant wants messages of one type: a URL template, a base URL, or an e-mail address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    pub participant: ParticipantId,
    /// The name of the endpoint type; checked where it enters.
    pub endpoint_type: Box<str>,
    pub value: Box<str>,
}

/// How the positions of one ledger account type are settled, in one currency or by default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettlementModel {
    /// Assigned in creation order, from 1.
    pub id: i64,
    pub name: Box<str>,
    pub is_active: bool,
    pub granularity: Granularity,
    pub interchange: Interchange,
    pub delay: Delay,
    /// None is the default model, for currencies that have no model of their own.
    pub currency: Option<Currency>,
    pub requires_liquidity_check: bool,
    pub ledger_account: AccountKind,
    pub settlement_account: AccountKind,
    pub resets_positions: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granularity {
    Gross,
    Net,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interchange {
    Bilateral,
    Multilateral,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delay {
    Immediate,
    Deferred,
}

/// A directory of parties outside the hub, asked for one id type and, if it says so, one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Oracle {
    /// Assigned in creation order, from 1.
    pub id: i64,
    pub id_type: PartyIdType,
    pub currency: Option<Currency>,
    pub url: Box<str>,
    pub is_default: bool,
    pub is_active: bool,
}

/// One change that an administrative decision asks the store to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    AddParticipant(ParticipantRecord),
    /// Replaces the activity of a participant.
    SetParticipant(Participant),
    AddAccountType(AccountType),
    AddAccount(AccountRecord),
    /// Replaces everything of an account but its balances, which move by entries.
    SetAccount(AccountRecord),
    /// Posts an entry without a transfer: an initial position, or a step of a settlement. The balances of both accounts
    /// move with it.
    Post {
        entry: Entry,
        settlement: Option<SettlementId>,
    },
    /// Adds or replaces, by participant and type.
    SetEndpoint(Endpoint),
    AddSettlementModel(SettlementModel),
    SetSettlementModel(SettlementModel),
    AddFeeRule(FeeRule),
    /// Replaces the activity of a rule.
    SetFeeRule(FeeRule),
    AddOracle(Oracle),
    SetOracle(Oracle),
    /// Adds or replaces, by participant.
    SetClient(Client),
    /// Makes a new window the open one; the one before is set by its own change.
    OpenWindow(Window),
    /// Replaces the state, reason and times of a window.
    SetWindow(Window),
    /// Adds a content with its totals.
    AddContent(Content),
    /// Replaces the state, settlement and time of a content.
    SetContent(Content),
    /// Adds a settlement with its windows and accounts.
    AddSettlement(Settlement),
    /// Replaces the state, reason and time of a settlement.
    SetSettlement(Settlement),
    /// Replaces everything of an account of a settlement but its net amount.
    SetSettlementAccount(SettlementId, SettlementAccount),
    /// Adds a notice with what is to be sent.
    AddNotice(Box<OperatorNotice>),
}

impl Granularity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gross => "GROSS",
            Self::Net => "NET",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Gross, Self::Net].into_iter().find(|known| known.as_str() == text)
    }
}

impl Interchange {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bilateral => "BILATERAL",
            Self::Multilateral => "MULTILATERAL",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bilateral, Self::Multilateral].into_iter().find(|known| known.as_str() == text)
    }
}

impl Delay {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "IMMEDIATE",
            Self::Deferred => "DEFERRED",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Immediate, Self::Deferred].into_iter().find(|known| known.as_str() == text)
    }
}

impl Directory {
    pub fn participant(&self, name: &FspId) -> Option<&ParticipantRecord> {
        self.participants.iter().find(|record| record.participant.name == *name)
    }

    /// The accounts of a participant, in order of creation.
    pub fn accounts_of(&self, owner: ParticipantId) -> impl Iterator<Item = &AccountRecord> {
        self.accounts.iter().filter(move |record| record.account.owner == owner)
    }

    /// The one account of a participant in a currency that is of a kind.
    pub fn account(&self, owner: ParticipantId, currency: Currency, kind: AccountKind) -> Option<&AccountRecord> {
        self.accounts_of(owner).find(|record| record.account.currency == currency && record.account.kind == kind)
    }

    /// What covers the payments of a participant in a currency: its liquidity; zero without an account.
    pub fn liquidity(&self, owner: ParticipantId, currency: Currency) -> Amount {
        let account = self.account(owner, currency, AccountKind::Settlement);
        account.and_then(|record| record.account.value().checked_neg()).unwrap_or(Amount::ZERO)
    }

    pub fn account_by_id(&self, id: AccountId) -> Option<&AccountRecord> {
        self.accounts.iter().find(|record| record.account.id == id)
    }

    /// The settlement model of a name, without regard to case, active or not.
    pub fn settlement_model(&self, name: &str) -> Option<&SettlementModel> {
        self.settlement_models.iter().find(|model| model.name.eq_ignore_ascii_case(name))
    }

    /// The active settlement models that apply to a currency: its own, or else the default ones
    /// (contract, administration §2.6).
    pub fn settlement_models_for(&self, currency: Currency) -> Vec<&SettlementModel> {
        let of = |wanted| -> Vec<_> {
            self.settlement_models.iter().filter(|model| model.is_active && model.currency == wanted).collect()
        };
        let own = of(Some(currency));
        if own.is_empty() { of(None) } else { own }
    }
}
