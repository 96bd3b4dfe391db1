//! A scheme in memory that settles: what a store does with settlement commands, without a store.

use super::{
    AccountTotal, AdvanceAccount, AdvanceSettlement, Books, CloseWindow, ContentId, CreateSettlement, Scope, Settled,
    Settlement, SettlementAnswer, SettlementCommand, SettlementId, SettlementRejection, SettlementState, TakeTotals,
    Window, WindowState, settle,
};
use crate::Flow;
use crate::{
    Participant, WindowId,
    administration::{
        AccountRecord, AccountType, Change, Delay, Directory, Granularity, Interchange, ParticipantRecord,
        SettlementModel,
    },
    notices::OperatorNotice,
};
use alloc::{collections::BTreeMap, format, vec, vec::Vec};
use ledger::{Account, AccountId, AccountKind, Book, Cap, EntryKind, ParticipantId};
use vocabulary::{Amount, Currency, FspId, Timestamp};

pub(super) const HUB: &str = "Hub";
pub(super) const KINDS: [AccountKind; 3] =
    [AccountKind::Position, AccountKind::Settlement, AccountKind::InterchangeFee];

pub(super) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub(super) fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[derive(Clone)]
pub(super) struct Scheme {
    pub directory: Directory,
    pub windows: BTreeMap<WindowId, Window>,
    pub settlements: BTreeMap<SettlementId, Settlement>,
    pub notices: Vec<OperatorNotice>,
    /// What each window's payments moved, by account: debits and credits in units.
    totals: BTreeMap<WindowId, BTreeMap<AccountId, [i64; 2]>>,
    pub now: Timestamp,
}

impl Scheme {
    /// The hub and `dfsps` participants (ids from 2) with every kind of account in each currency, and an open window 1.
    pub fn new(dfsps: i64, currencies: &[&str]) -> Self {
        let now = Timestamp::from_millis(1_000_000);
        let mut directory = Directory::default();
        for id in 1..=dfsps + 1 {
            let name: FspId = if id == 1 { HUB.parse().unwrap() } else { format!("dfsp{id}").parse().unwrap() };
            let participant =
                Participant { id: ParticipantId(id), name, is_active: true, is_proxy: false, flow: Flow::Both };
            directory.participants.push(ParticipantRecord { participant, created_at: now });
        }
        for code in currencies {
            add_account(&mut directory, (1, AccountKind::HubMultilateralSettlement), code, now);
            for owner in 2..=dfsps + 1 {
                KINDS.into_iter().for_each(|kind| add_account(&mut directory, (owner, kind), code, now));
            }
        }
        let first = Window {
            id: WindowId(1),
            state: WindowState::Open,
            reason: "initial window".into(),
            created_at: now,
            changed_at: now,
            closed_at: None,
            contents: Vec::new(),
        };
        let windows = BTreeMap::from([(first.id, first)]);
        Self { directory, windows, settlements: BTreeMap::new(), notices: Vec::new(), totals: BTreeMap::new(), now }
    }

    /// Adds a deferred net model that resets positions, changed by `with`.
    pub fn model(&mut self, name: &str, code: Option<&str>, with: impl FnOnce(&mut SettlementModel)) {
        let mut model = SettlementModel {
            id: self.directory.settlement_models.len() as i64 + 1,
            name: name.into(),
            is_active: true,
            granularity: Granularity::Net,
            interchange: Interchange::Multilateral,
            delay: Delay::Deferred,
            currency: code.map(currency),
            requires_liquidity_check: false,
            ledger_account: AccountKind::Position,
            settlement_account: AccountKind::Settlement,
            resets_positions: true,
        };
        with(&mut model);
        self.directory.settlement_models.push(model);
    }

    /// A type of the operator's own; every participant gets a USD account of it.
    pub fn custom_type(&mut self, name: &str, is_settleable: bool) -> AccountKind {
        let kind: AccountKind = name.parse().unwrap();
        let AccountKind::Custom(name) = kind else { panic!("{name} is built in") };
        let (id, description, created_at) = (7, "d".into(), self.now);
        let own = AccountType { id, name, description, is_active: true, is_settleable, created_at };
        self.directory.account_types.push(own);
        for owner in [2, 3] {
            add_account(&mut self.directory, (owner, kind), "USD", self.now);
        }
        kind
    }

    pub fn account(&self, owner: i64, kind: AccountKind, code: &str) -> &Account {
        &self.directory.account(ParticipantId(owner), currency(code), kind).unwrap().account
    }

    pub fn position(&self, owner: i64, code: &str) -> Amount {
        self.account(owner, AccountKind::Position, code).value()
    }

    /// What the hub holds of settlements that are half way.
    pub fn hub_balance(&self, code: &str) -> Amount {
        self.account(1, AccountKind::HubMultilateralSettlement, code).value()
    }

    pub fn open_window(&self) -> WindowId {
        self.windows.values().find(|window| window.state == WindowState::Open).unwrap().id
    }

    /// A committed payment, or fee, in the open window.
    pub fn pay(&mut self, (payer, payee): (i64, i64), kind: AccountKind, (code, units): (&str, i64)) {
        let between = [payer, payee].map(|owner| self.account(owner, kind, code).id);
        let entry_kind = if kind == AccountKind::Position { EntryKind::Principal } else { EntryKind::InterchangeFee };
        self.post(entry_kind, between, Amount::from_units(units));
        let totals = self.totals.entry(self.open_window()).or_default();
        totals.entry(between[0]).or_default()[0] += units;
        totals.entry(between[1]).or_default()[1] += units;
    }

    pub fn tries(&mut self, command: &SettlementCommand) -> Result<SettlementAnswer, SettlementRejection> {
        self.now = self.now.plus_millis(1);
        let books = self.books(&command.scope());
        let Settled { changes, answer } = settle(&books, command, self.now, &HUB.parse().unwrap())?;
        let told = books.windows_after(&changes);
        changes.into_iter().for_each(|change| self.apply(change));
        assert!(told.iter().all(|window| self.windows[&window.id] == *window), "who asked is told what is then");
        Ok(answer)
    }

    /// Closes the open window and takes its totals, as the hub does.
    pub fn close(&mut self) -> Result<WindowId, SettlementRejection> {
        let window = self.open_window();
        self.tries(&SettlementCommand::CloseWindow(CloseWindow { window, reason: "close".into() }))?;
        let totals = self.totals.get(&window).into_iter().flatten();
        let units = Amount::from_units;
        let totals = totals.map(|(id, [debits, credits])| AccountTotal {
            account: *id,
            debits: units(*debits),
            credits: units(*credits),
        });
        self.tries(&SettlementCommand::TakeTotals(TakeTotals { window, totals: totals.collect() }))?;
        Ok(window)
    }

    pub fn create(&mut self, model: &str, windows: &[WindowId]) -> Result<SettlementId, SettlementRejection> {
        let command = CreateSettlement { model: model.into(), reason: "settle".into(), windows: windows.to_vec() };
        let answer = self.tries(&SettlementCommand::CreateSettlement(command))?;
        let SettlementAnswer::Created(settlement) = answer else { panic!("{answer:?}") };
        Ok(settlement.id)
    }

    /// Every account of a settlement, asked to enter a state.
    pub fn all(&self, id: SettlementId, state: SettlementState) -> Vec<AdvanceAccount> {
        let accounts = self.settlements[&id].accounts.iter();
        accounts.map(|account| self.asked(account.account, state)).collect()
    }

    pub fn asked(&self, account: AccountId, state: SettlementState) -> AdvanceAccount {
        let participant = self.directory.account_by_id(account).unwrap().account.owner;
        AdvanceAccount { participant, account, state, reason: "step".into(), external_reference: None }
    }

    pub fn advance(&mut self, settlement: SettlementId, accounts: Vec<AdvanceAccount>) -> SettlementAnswer {
        self.tries(&SettlementCommand::AdvanceSettlement(AdvanceSettlement { settlement, accounts })).unwrap()
    }

    pub fn advance_all(&mut self, id: SettlementId, state: SettlementState) {
        let accounts = self.all(id, state);
        self.advance(id, accounts);
    }

    pub fn settle_whole(&mut self, id: SettlementId) {
        use SettlementState::{Committed, Recorded, Reserved, Settled};
        [Recorded, Reserved, Committed, Settled].into_iter().for_each(|state| self.advance_all(id, state));
    }

    /// What a store loads for a scope.
    pub fn books(&self, scope: &Scope) -> Books {
        let (windows, settlement) = match scope {
            Scope::Gate(window) => (vec![*window], None),
            Scope::Windows(windows) => (windows.clone(), None),
            Scope::Settlement(id) => {
                let settlement = self.settlements.get(id).cloned();
                (settlement.iter().flat_map(|known| known.windows.clone()).collect(), settlement)
            }
        };
        Books {
            directory: self.directory.clone(),
            windows: windows.iter().filter_map(|id| self.windows.get(id)).cloned().collect(),
            settlement,
            last_window: *self.windows.keys().last().unwrap(),
            last_content: ContentId(self.windows.values().map(|window| window.contents.len() as i64).sum()),
            last_settlement: self.settlements.keys().last().copied().unwrap_or(SettlementId(0)),
            has_payments: windows.iter().any(|window| self.totals.contains_key(window)),
        }
    }

    fn apply(&mut self, change: Change) {
        match change.clone() {
            Change::Post { entry, settlement } => {
                assert!(settlement.is_some(), "settlement posts for a settlement");
                self.post(entry.kind, [entry.debit, entry.credit], entry.amount);
            }
            Change::SetAccount(record) => {
                let known = self.directory.accounts.iter_mut().find(|known| known.account.id == record.account.id);
                known.unwrap().account.cap = record.account.cap;
            }
            Change::OpenWindow(window) => {
                assert!(self.windows.values().all(|known| known.state != WindowState::Open), "one window is open");
                assert!(self.windows.insert(window.id, window).is_none(), "window ids are new");
            }
            Change::SetWindow(window) => {
                let known = self.windows.get_mut(&window.id).unwrap();
                let contents = core::mem::take(&mut known.contents);
                *known = Window { contents, ..window };
            }
            Change::AddContent(content) => {
                let known =
                    self.windows.values().flat_map(|window| &window.contents).any(|known| known.id == content.id);
                assert!(!known, "content ids are new");
                self.windows.get_mut(&content.window).unwrap().contents.push(content);
            }
            Change::SetContent(content) => {
                let window = self.windows.get_mut(&content.window).unwrap();
                let known = window.contents.iter_mut().find(|known| known.id == content.id);
                *known.unwrap() = content;
            }
            Change::AddSettlement(settlement) => {
                assert!(self.settlements.insert(settlement.id, settlement).is_none(), "settlement ids are new");
            }
            Change::SetSettlement(settlement) => {
                let known = self.settlements.get_mut(&settlement.id).unwrap();
                let accounts = core::mem::take(&mut known.accounts);
                *known = Settlement { accounts, ..settlement };
            }
            Change::SetSettlementAccount(id, account) => {
                let accounts = &mut self.settlements.get_mut(&id).unwrap().accounts;
                let known = accounts.iter_mut().find(|known| known.account == account.account);
                *known.unwrap() = account;
            }
            Change::AddNotice(notice) => self.notices.push(*notice),
            Change::AddParticipant(_)
            | Change::SetParticipant(_)
            | Change::AddAccountType(_)
            | Change::AddAccount(_)
            | Change::SetEndpoint(_)
            | Change::AddSettlementModel(_)
            | Change::SetSettlementModel(_)
            | Change::AddFeeRule(_)
            | Change::SetFeeRule(_)
            | Change::AddOracle(_)
            | Change::SetOracle(_)
            | Change::SetClient(_) => panic!("settlement does not ask for {change:?}"),
        }
    }

    fn post(&mut self, kind: EntryKind, between: [AccountId; 2], amount: Amount) {
        let mut book = Book::new(self.directory.accounts.iter().map(|record| record.account));
        book.post(kind, between, amount).unwrap();
        for account in book.changed() {
            let known = self.directory.accounts.iter_mut().find(|known| known.account.id == account.id);
            known.unwrap().account = account;
        }
    }
}

fn add_account(directory: &mut Directory, (owner, kind): (i64, AccountKind), code: &str, now: Timestamp) {
    let cap = Cap { limit: amount("1000"), alarm_percentage: amount("10"), share: None };
    let account = Account {
        id: AccountId(directory.accounts.len() as i64 + 1),
        owner: ParticipantId(owner),
        kind,
        currency: currency(code),
        is_active: true,
        posted: Amount::ZERO,
        held: Amount::ZERO,
        cap: (kind == AccountKind::Position).then_some(cap),
    };
    directory.accounts.push(AccountRecord {
        account,
        is_open: true,
        created_at: now,
        changed_at: now,
        liquidity_threshold: None,
    });
}
