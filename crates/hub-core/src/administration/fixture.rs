//! A scheme in memory for the tests of the rules: a directory to which the changes of each decision are applied.

use super::*;
use crate::Flow;
use alloc::vec;
use ledger::Book;
use vocabulary::Amount;

pub(crate) const HUB: &str = "Hub";

pub(crate) struct Scheme {
    pub directory: Directory,
    pub notices: Vec<OperatorNotice>,
    pub now: Timestamp,
}

pub(crate) fn fsp(name: &str) -> FspId {
    name.parse().unwrap()
}

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

impl Scheme {
    /// An empty hub.
    pub fn empty() -> Self {
        let now = Timestamp::from_millis(1_000);
        let participant =
            Participant { id: ParticipantId::HUB, name: fsp(HUB), is_active: true, is_proxy: false, flow: Flow::Both };
        let participants = vec![ParticipantRecord { participant, created_at: now }];
        Self { directory: Directory { participants, ..Directory::default() }, notices: Vec::new(), now }
    }

    /// A hub with its USD accounts and a default settlement model.
    pub fn ready() -> Self {
        let mut scheme = Self::empty();
        scheme.does(hub_account("USD", AccountKind::HubMultilateralSettlement));
        scheme.does(hub_account("USD", AccountKind::HubReconciliation));
        scheme.does(AdminCommand::CreateSettlementModel(model("DEFAULT", None, AccountKind::Position)));
        scheme
    }

    /// As [`Scheme::ready`], with a participant whose USD accounts are open under a cap of 1000.
    pub fn with_dfsp() -> Self {
        let mut scheme = Self::ready();
        scheme.does(create("dfsp", "USD"));
        scheme.does(open("dfsp", "USD", "1000", "0"));
        scheme
    }

    /// Decides a command a second after the one before, and applies its changes.
    pub fn tries(&mut self, command: AdminCommand) -> Result<(), AdminRejection> {
        self.now = self.now.plus_millis(1_000);
        for change in administer(&self.directory, &command, self.now, &fsp(HUB))? {
            self.apply(change);
        }
        Ok(())
    }

    /// A command that must be accepted.
    pub fn does(&mut self, command: AdminCommand) {
        self.tries(command).unwrap();
    }

    pub fn account(&self, owner: &str, code: &str, kind: AccountKind) -> Option<&AccountRecord> {
        let owner = self.directory.participant(&fsp(owner))?.participant.id;
        self.directory.account(owner, currency(code), kind)
    }

    fn apply(&mut self, change: Change) {
        let directory = &mut self.directory;
        match change {
            Change::AddParticipant(record) => directory.participants.push(record),
            Change::SetParticipant(participant) => {
                let known = directory.participants.iter_mut().find(|known| known.participant.id == participant.id);
                known.unwrap().participant = participant;
            }
            Change::AddAccountType(added) => directory.account_types.push(added),
            Change::AddAccount(record) => {
                assert!(directory.account_by_id(record.account.id).is_none(), "account ids are unique");
                let account = record.account;
                let twin = directory.account(account.owner, account.currency, account.kind);
                assert!(twin.is_none(), "an account is unique by owner, currency and kind");
                directory.accounts.push(record);
            }
            Change::SetAccount(record) => {
                let known = self.account_mut(record.account.id);
                *known = record;
            }
            Change::Post { entry, .. } => self.post(entry),
            Change::SetEndpoint(endpoint) => directory.endpoints.push(endpoint),
            Change::AddSettlementModel(model) => directory.settlement_models.push(model),
            Change::SetSettlementModel(model) => {
                let known = directory.settlement_models.iter_mut().find(|known| known.id == model.id);
                *known.unwrap() = model;
            }
            Change::AddFeeRule(rule) => directory.fee_rules.push(rule),
            Change::SetFeeRule(rule) => {
                let known = directory.fee_rules.iter_mut().find(|known| known.id == rule.id);
                *known.unwrap() = rule;
            }
            Change::AddOracle(oracle) => directory.oracles.push(oracle),
            Change::SetOracle(oracle) => {
                let known = directory.oracles.iter_mut().find(|known| known.id == oracle.id);
                *known.unwrap() = oracle;
            }
            Change::SetClient(client) => {
                directory.clients.retain(|known| known.participant != client.participant);
                directory.clients.push(client);
            }
            Change::AddNotice(notice) => self.notices.push(*notice),
            Change::OpenWindow(_)
            | Change::SetWindow(_)
            | Change::AddContent(_)
            | Change::SetContent(_)
            | Change::AddSettlement(_)
            | Change::SetSettlement(_)
            | Change::SetSettlementAccount(..) => panic!("settlement has its own fixture"),
        }
    }

    fn post(&mut self, entry: Entry) {
        let mut book = Book::new(self.directory.accounts.iter().map(|record| record.account));
        book.post(entry.kind, [entry.debit, entry.credit], entry.amount).unwrap();
        for account in book.changed() {
            self.account_mut(account.id).account = account;
        }
    }

    fn account_mut(&mut self, id: AccountId) -> &mut AccountRecord {
        self.directory.accounts.iter_mut().find(|known| known.account.id == id).unwrap()
    }
}

pub(crate) fn hub_account(code: &str, kind: AccountKind) -> AdminCommand {
    AdminCommand::CreateHubAccount(CreateHubAccount { owner: fsp(HUB), currency: currency(code), kind: Some(kind) })
}

/// An active type of the operator's own.
pub(super) fn account_type(name: &str, is_settleable: bool) -> AdminCommand {
    let kind = name.parse().unwrap();
    AdminCommand::CreateAccountType(NewAccountType { kind, description: name.into(), is_active: true, is_settleable })
}

pub(crate) fn create(name: &str, code: &str) -> AdminCommand {
    let (name, currency) = (fsp(name), currency(code));
    AdminCommand::CreateParticipant(CreateParticipant { name, currency, is_proxy: false })
}

pub(crate) fn open(name: &str, code: &str, limit: &str, initial: &str) -> AdminCommand {
    AdminCommand::OpenAccounts(OpenAccounts {
        participant: fsp(name),
        currency: currency(code),
        limit: amount(limit),
        initial_position: amount(initial),
    })
}

/// A deferred net model that settles a kind of account through its usual settlement account.
pub(crate) fn model(name: &str, code: Option<&str>, ledger_account: AccountKind) -> NewSettlementModel {
    let settlement_account = match ledger_account {
        AccountKind::InterchangeFee => AccountKind::InterchangeFeeSettlement,
        AccountKind::Position
        | AccountKind::Settlement
        | AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFeeSettlement
        | AccountKind::Custom(_) => AccountKind::Settlement,
    };
    NewSettlementModel {
        name: name.into(),
        granularity: Granularity::Net,
        interchange: Interchange::Multilateral,
        delay: Delay::Deferred,
        currency: code.map(currency),
        requires_liquidity_check: false,
        ledger_account: Some(ledger_account),
        settlement_account,
        resets_positions: true,
    }
}
