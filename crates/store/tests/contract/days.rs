//! Random days of a scheme: payments in several currencies, some with interchange fees, some converted, some to and from
//! other schemes; funds, windows that close, settlements of every model that go forward, stop half-way or are aborted, and
//! models and fee rules that are switched. Whatever happens, in the evening everything can be
//! settled, and then positions are where the models ask for them.

use super::{
    founding::{CURRENCIES, FEE_RULES, MODELS, administer, fee_rule, found, model, model_of},
    scheme::{
        BANKS, EXTERNALS, PROXIES, Random, agree, decided, fsp, fulfil, hash, id, prepare, prepare_conversion, reject,
        reject_conversion, units,
    },
    settling,
};
use hub_core::{
    Command, WindowId,
    administration::{Change, SettlementModel},
    fees::FeeRule,
    fx_transfers::{Agree, AskedAmount, PrepareConversion, RejectConversion},
    settlement::{
        AbortSettlement, AdvanceAccount, AdvanceSettlement, CreateSettlement, Settlement, SettlementAnswer,
        SettlementCommand, SettlementId, SettlementState, Window, WindowState,
    },
    transfers::{FinishFunds, Fulfil, NewFunds, Prepare, RecordFunds, Reject, SenderStanding, Side, Stage, Transfer},
};
use ledger::{Account, AccountId, AccountKind, Entry, EntryKind, ParticipantId};
use std::collections::BTreeMap;
use store::{SettlementQuery, Store, UnitWork, WindowQuery, Writer};
use vocabulary::{Amount, Currency, FspId, Money, Timestamp};

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);

/// How often what happened.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    pub payments: u64,
    /// Committed, on the payer's side and on the payee's.
    pub converted: u64,
    pub converted_by_payees: u64,
    /// Committed, to or from another scheme; and between two DFSPs of one proxy, which moves nothing.
    pub through_proxies: u64,
    pub within_one_proxy: u64,
    pub settled_gross: u64,
    pub fees: u64,
    pub funds: u64,
    pub windows: u64,
    pub created: u64,
    pub accounts_advanced: u64,
    pub accounts_refused: u64,
    pub aborted: u64,
}

/// A scheme in a store of its own, one day after another.
pub struct Days<'a> {
    store: &'a dyn Store,
    writer: Box<dyn Writer>,
    random: Random,
    pub seen: Seen,
    is_gross: bool,
    fee_rules: Vec<FeeRule>,
    next_payment: u64,
    /// What may be open: number, payer, payee.
    payments: Vec<(u64, [&'static str; 2])>,
    /// Conversions that may be open: number, payment, who asked for it.
    conversions: Vec<(u64, u64, &'static str)>,
    /// Withdrawals that are reserved.
    withdrawals: Vec<(u64, FspId)>,
    windows: Vec<WindowId>,
    settlements: Vec<SettlementId>,
    /// What payments have moved where nothing moves it back.
    kept: BTreeMap<AccountId, i64>,
    kept_accounts: Vec<AccountId>,
    owners: BTreeMap<AccountId, ParticipantId>,
}

impl<'a> Days<'a> {
    pub async fn new(store: &'a dyn Store, seed: u64) -> Self {
        let mut writer = store.writer().await.unwrap();
        let accounts = found(&mut *writer).await;
        let mut random = Random(seed);
        let fee_rules: Vec<FeeRule> = (0..FEE_RULES).map(|place| fee_rule(place + 2, &mut random)).collect();
        administer(&mut *writer, fee_rules.iter().cloned().map(Change::AddFeeRule).collect()).await;
        for (external, proxy) in EXTERNALS.into_iter().zip([PROXIES[0], PROXIES[0], PROXIES[1]]) {
            store.learn_route(&fsp(external), &fsp(proxy)).await.unwrap();
        }
        let tzs: Currency = "TZS".parse().unwrap();
        let is_kept = |account: &&Account| account.currency == tzs && account.kind == AccountKind::Position;
        let owners = accounts.iter().map(|account| (account.id, account.owner)).collect();
        let kept_accounts = accounts.iter().filter(is_kept).map(|account| account.id).collect();
        Self {
            store,
            writer,
            random,
            seen: Seen::default(),
            is_gross: true,
            fee_rules,
            next_payment: 1,
            payments: Vec::new(),
            conversions: Vec::new(),
            withdrawals: Vec::new(),
            windows: Vec::new(),
            settlements: Vec::new(),
            kept: BTreeMap::new(),
            kept_accounts,
            owners,
        }
    }

    /// One history: some steps, and the evening.
    pub async fn day(&mut self, steps: u64) {
        for _ in 0..steps {
            match self.random.below(20) {
                0..=2 => self.pay().await,
                3 | 4 => self.convert().await,
                5 | 6 => self.move_funds().await,
                7..=9 => self.close().await,
                10..=12 => self.create().await,
                13..=16 => self.advance().await,
                17 => self.abort().await,
                18 => self.switch_fees().await,
                _ => self.switch_gross().await,
            }
        }
        self.settle_everything().await;
        self.assert_settled().await;
    }

    /// New payments, of which most are fulfilled at once; sometimes older ones end.
    async fn pay(&mut self) {
        let first = self.next_payment;
        let prepares = (0..=self.random.below(4)).map(|_| self.prepare()).collect();
        self.unit(prepares).await;
        let mut ends = BTreeMap::new();
        for number in first..self.next_payment {
            let number = if self.random.below(4) > 0 { number } else { self.some_payment() };
            let command = if self.random.below(5) > 0 { self.fulfil_of(number) } else { self.reject_of(number) };
            ends.insert(number, command);
        }
        self.unit(ends.into_values().collect()).await;
    }

    fn prepare(&mut self) -> Command {
        let (between, currency, amount) = (self.some_parties(), self.some_currency(), self.some_amount());
        let number = self.next_number();
        self.prepare_of(number, between, Money { amount, currency })
    }

    fn prepare_of(&mut self, number: u64, between: [&'static str; 2], money: Money) -> Command {
        self.payments.push((number, between));
        let [payer, payee] = between.map(fsp);
        let (source, amount, currency) = (payer.clone(), Ok(money.amount), money.currency);
        Command::Prepare(Box::new(Prepare { source, payer, payee, amount, currency, ..prepare(number, FAR) }))
    }

    /// A payment with a conversion on one of its sides; sometimes it stays half-way, or its amounts do not fit.
    async fn convert(&mut self) {
        let (between, from, into) = (self.some_parties(), self.some_currency(), self.some_currency());
        let [source, target] = [from, into].map(|currency| Money { amount: self.some_amount(), currency });
        let side = if self.random.below(2) == 0 { Side::Payer } else { Side::Payee };
        let [payment, number] = [self.next_number(), self.next_number()];
        let (initiator, paid) = match side {
            Side::Payer => (between[0], target),
            Side::Payee => (between[1], source),
        };
        let paid = if self.random.below(10) == 0 { Money { amount: self.some_amount(), ..paid } } else { paid };
        self.conversions.push((number, payment, initiator));
        let asked = |money: Money| AskedAmount { amount: Ok(money.amount), currency: money.currency };
        let convert = Command::PrepareConversion(Box::new(PrepareConversion {
            source: fsp(initiator),
            initiator: fsp(initiator),
            source_amount: asked(source),
            target_amount: asked(target),
            ..prepare_conversion(number, payment, FAR)
        }));
        let agree = Command::Agree(Box::new(Agree { destination: Some(fsp(initiator)), ..agree(number, payment) }));
        let pay = self.prepare_of(payment, between, paid);
        let end = match self.random.below(6) {
            0 => self.reject_of(payment),
            1 => self.reject_of_conversion(number),
            _ => self.fulfil_of(payment),
        };
        let steps = match side {
            Side::Payer => [convert, agree, pay, end],
            Side::Payee => [pay, convert, agree, end],
        };
        let skipped = self.random.below(20) as usize;
        for (_, step) in steps.into_iter().enumerate().filter(|(place, _)| *place != skipped) {
            self.unit(vec![step]).await;
        }
    }

    /// Two banks, or for every third payment two that may be DFSPs of other schemes.
    fn some_parties(&mut self) -> [&'static str; 2] {
        let all: Vec<&'static str> = match self.random.below(3) {
            0 => BANKS.into_iter().chain(EXTERNALS).collect(),
            _ => BANKS.to_vec(),
        };
        let payer = self.pick(all.len());
        [all[payer], all[(payer + 1 + self.pick(all.len() - 1)) % all.len()]]
    }

    fn some_currency(&mut self) -> Currency {
        CURRENCIES[self.pick(CURRENCIES.len())].0.parse().unwrap()
    }

    fn some_amount(&mut self) -> Amount {
        units([1, 50_0000, 400_0000, 900_0001][self.pick(4)])
    }

    fn next_number(&mut self) -> u64 {
        self.next_payment += 1;
        self.next_payment - 1
    }

    fn some_payment(&mut self) -> u64 {
        let place = self.pick(self.payments.len());
        self.payments[place].0
    }

    fn fulfil_of(&self, number: u64) -> Command {
        let [payer, payee] = self.parties_of(number);
        let (source, destination, standing) = (fsp(payee), Some(fsp(payer)), standing_of(payee));
        Command::Fulfil(Box::new(Fulfil { source, destination, standing, ..fulfil(number) }))
    }

    fn reject_of(&self, number: u64) -> Command {
        let [payer, payee] = self.parties_of(number);
        let (source, destination, standing) = (fsp(payee), Some(fsp(payer)), standing_of(payee));
        Command::Reject(Box::new(Reject { source, destination, standing, ..reject(number) }))
    }

    fn parties_of(&self, number: u64) -> [&'static str; 2] {
        self.payments.iter().find(|payment| payment.0 == number).unwrap().1
    }

    fn reject_of_conversion(&self, number: u64) -> Command {
        let (_, payment, initiator) = self.conversions.iter().find(|conversion| conversion.0 == number).unwrap();
        let destination = Some(fsp(initiator));
        Command::RejectConversion(Box::new(RejectConversion { destination, ..reject_conversion(number, *payment) }))
    }

    async fn move_funds(&mut self) {
        let number = 1_000_000_000 + self.next_payment;
        self.next_payment += 1;
        let currency = CURRENCIES[self.pick(CURRENCIES.len())].0.parse().unwrap();
        let amount = units(1 + self.random.below(100_0000) as i64);
        let funds = NewFunds {
            id: id(number),
            participant: fsp(BANKS[self.pick(BANKS.len())]),
            money: Money { amount, currency },
            hash: hash(&number.to_string()),
            extensions: None,
        };
        let command = match self.random.below(4) {
            0 => RecordFunds::In(funds),
            1 => {
                self.withdrawals.push((number, funds.participant.clone()));
                RecordFunds::OutReserve(funds)
            }
            step => match self.withdrawals.pop() {
                None => RecordFunds::In(funds),
                Some((number, participant)) => {
                    let finish = FinishFunds { id: id(number), participant, extensions: None };
                    if step == 2 { RecordFunds::OutCommit(finish) } else { RecordFunds::OutAbort(finish) }
                }
            },
        };
        self.unit(vec![Command::RecordFunds(Box::new(command))]).await;
    }

    async fn unit(&mut self, commands: Vec<Command>) {
        let (_, work) = decided(&mut *self.writer, &commands).await.unwrap();
        let work = UnitWork { messages: Vec::new(), ..work };
        work.changes.changed_transfers.iter().for_each(|changed| self.seen.count(changed));
        for posting in &work.changes.postings {
            let Entry { kind, debit, credit, amount } = posting.entry;
            match kind {
                EntryKind::Principal => self.seen.payments += 1,
                EntryKind::GrossSettlement => self.seen.settled_gross += 1,
                EntryKind::FundsIn | EntryKind::FundsOut => self.seen.funds += 1,
                EntryKind::InterchangeFee => self.seen.fees += 1,
                EntryKind::InitialPosition | EntryKind::SettlementNetRecipient | EntryKind::SettlementNetSender => {}
            }
            if kind == EntryKind::Principal && self.kept_accounts.contains(&debit) {
                *self.kept.entry(debit).or_default() += amount.units();
                *self.kept.entry(credit).or_default() -= amount.units();
            }
        }
        self.writer.commit(work).await.unwrap();
    }

    /// Totals are not always taken at once.
    async fn close(&mut self) {
        let open = self.open_window().await;
        if settling::close(&mut *self.writer, open).await.is_err() {
            // It has no payments yet.
            return self.pay().await;
        }
        self.windows.push(open);
        self.seen.windows += 1;
        if self.random.below(4) > 0 {
            settling::take_totals(self.store, &mut *self.writer, open).await;
        }
    }

    async fn open_window(&self) -> WindowId {
        let query = WindowQuery { states: Some(vec![WindowState::Open]), ..WindowQuery::default() };
        self.store.windows(query).await.unwrap().remove(0).id
    }

    async fn create(&mut self) {
        if self.windows.is_empty() {
            return self.close().await;
        }
        let model = MODELS[self.pick(MODELS.len())].0;
        let (from, until) = (self.pick(self.windows.len()), self.windows.len());
        let some = self.windows[from..until].to_vec();
        let place = self.pick(self.windows.len());
        let one = self.windows[place];
        let windows = if self.random.below(2) == 0 { vec![one] } else { some };
        self.create_of(model, windows).await;
    }

    async fn create_of(&mut self, model: &str, windows: Vec<WindowId>) -> bool {
        let command = CreateSettlement { model: model.into(), reason: "a random day".into(), windows };
        let answer = settling::run(&mut *self.writer, SettlementCommand::CreateSettlement(command)).await.unwrap();
        let Ok(answer) = answer else { return false };
        let SettlementAnswer::Created(created) = answer else { panic!("{answer:?}") };
        self.settlements.push(created.id);
        self.seen.created += 1;
        true
    }

    /// Mostly to where it may go, sometimes elsewhere; sometimes not all accounts, or one that is not its own.
    async fn advance(&mut self) {
        let Some(settlement) = self.some_settlement().await else { return self.create().await };
        let state = match self.random.below(6) {
            0 => SettlementState::ALL[self.pick(SettlementState::ALL.len())],
            _ => next(settlement.state).unwrap_or(SettlementState::Settled),
        };
        let skips = self.random.below(3) == 0;
        let mut accounts = self.steps(&settlement, state);
        if skips {
            accounts.retain(|_| self.random.below(2) == 0);
            let stranger = AccountId(1 + self.random.below(90) as i64);
            let participant = ParticipantId(1 + self.random.below(8) as i64);
            accounts.push(AdvanceAccount {
                participant,
                account: stranger,
                state,
                reason: "?".into(),
                external_reference: None,
            });
        }
        let command = AdvanceSettlement { settlement: settlement.id, accounts };
        let answer = settling::run(&mut *self.writer, SettlementCommand::AdvanceSettlement(command)).await.unwrap();
        if let Ok(SettlementAnswer::Advanced { accounts, .. }) = answer {
            let advanced = accounts.iter().filter(|account| account.outcome.is_ok()).count();
            self.seen.accounts_advanced += advanced as u64;
            self.seen.accounts_refused += (accounts.len() - advanced) as u64;
        }
    }

    fn steps(&self, settlement: &Settlement, state: SettlementState) -> Vec<AdvanceAccount> {
        let step = |account: AccountId| AdvanceAccount {
            participant: self.owners[&account],
            account,
            state,
            reason: "a random day".into(),
            external_reference: None,
        };
        settlement.accounts.iter().map(|account| step(account.account)).collect()
    }

    async fn abort(&mut self) {
        let Some(settlement) = self.some_settlement().await else { return };
        let command =
            AbortSettlement { settlement: settlement.id, reason: "a random day".into(), external_reference: None };
        let answer = settling::run(&mut *self.writer, SettlementCommand::AbortSettlement(command)).await.unwrap();
        self.seen.aborted += u64::from(answer.is_ok());
    }

    async fn some_settlement(&mut self) -> Option<Settlement> {
        let place = self.pick(self.settlements.len().max(1));
        let id = *self.settlements.get(place)?;
        Some(self.settlement(id).await)
    }

    async fn settlement(&self, id: SettlementId) -> Settlement {
        let query = SettlementQuery { id: Some(id), ..SettlementQuery::default() };
        self.store.settlements(query).await.unwrap().remove(0)
    }

    async fn switch_gross(&mut self) {
        self.is_gross = !self.is_gross;
        let changed = SettlementModel { is_active: self.is_gross, ..model(3) };
        administer(&mut *self.writer, vec![Change::SetSettlementModel(changed)]).await;
    }

    /// Payments that are prepared keep their fees.
    async fn switch_fees(&mut self) {
        let place = self.pick(self.fee_rules.len());
        let rule = &mut self.fee_rules[place];
        rule.is_active = !rule.is_active;
        let changed = rule.clone();
        administer(&mut *self.writer, vec![Change::SetFeeRule(changed)]).await;
    }

    async fn settle_everything(&mut self) {
        let rejections = self.payments.iter().map(|payment| self.reject_of(payment.0)).collect();
        self.unit(rejections).await;
        // Those without a transfer, or whose transfer was refused.
        let rejections = self.conversions.iter().map(|conversion| self.reject_of_conversion(conversion.0)).collect();
        self.unit(rejections).await;
        let open = self.open_window().await;
        if settling::close(&mut *self.writer, open).await.is_ok() {
            self.windows.push(open);
        }
        for window in self.own_windows().await {
            if window.state == WindowState::Processing {
                settling::take_totals(self.store, &mut *self.writer, window.id).await;
            }
        }
        for settlement in self.settlements.clone() {
            self.finish(settlement).await;
        }
        // What was not settled gross while that was off is settled by default.
        if self.is_gross {
            self.switch_gross().await;
        }
        for (name, ..) in MODELS {
            let waits = |window: &Window| {
                let is_free = |state| matches!(state, WindowState::Closed | WindowState::Aborted);
                let mut contents = window.contents.iter();
                contents
                    .any(|content| is_free(content.state) && model_of(content.ledger_account, content.currency) == name)
            };
            let windows: Vec<WindowId> =
                self.own_windows().await.iter().filter(|window| waits(window)).map(|window| window.id).collect();
            if !windows.is_empty() {
                assert!(self.create_of(name, windows.clone()).await, "{name} settles {windows:?}");
                let created = *self.settlements.last().unwrap();
                self.finish(created).await;
            }
        }
    }

    async fn finish(&mut self, id: SettlementId) {
        let mut settlement = self.settlement(id).await;
        while let Some(state) = next(settlement.state) {
            let accounts = self.steps(&settlement, state);
            let command = AdvanceSettlement { settlement: id, accounts };
            let answer = settling::does(&mut *self.writer, SettlementCommand::AdvanceSettlement(command)).await;
            let SettlementAnswer::Advanced { settlement: advanced, .. } = answer else { panic!("{answer:?}") };
            assert_ne!(advanced.state, settlement.state, "settlement {id:?} goes on");
            settlement = advanced;
        }
    }

    async fn own_windows(&self) -> Vec<Window> {
        self.store.windows(WindowQuery { ids: Some(self.windows.clone()), ..WindowQuery::default() }).await.unwrap()
    }

    async fn assert_settled(&mut self) {
        for window in self.own_windows().await {
            let expected = if window.contents.is_empty() { WindowState::Closed } else { WindowState::Settled };
            assert_eq!(window.state, expected, "{window:?}");
        }
        for record in self.store.directory().await.unwrap().accounts {
            let account = record.account;
            let expected = match account.kind {
                AccountKind::Position => self.kept.get(&account.id).copied().unwrap_or(0),
                AccountKind::HubMultilateralSettlement | AccountKind::InterchangeFee => 0,
                AccountKind::Settlement
                | AccountKind::HubReconciliation
                | AccountKind::InterchangeFeeSettlement
                | AccountKind::Custom(_) => continue,
            };
            assert_eq!(account.posted, units(expected), "{account:?}");
            assert!(account.held.is_zero(), "{account:?}");
        }
        if self.random.below(3) > 0 {
            self.switch_gross().await;
        }
        self.payments.clear();
        self.conversions.clear();
        self.windows.clear();
        self.settlements.clear();
    }

    fn pick(&mut self, count: usize) -> usize {
        self.random.below(count as u64) as usize
    }
}

impl Seen {
    /// A transfer that a unit has changed.
    fn count(&mut self, changed: &Transfer) {
        if changed.stage() != Stage::Committed {
            return;
        }
        match changed.terms().map(|terms| terms.side) {
            Some(Side::Payer) => self.converted += 1,
            Some(Side::Payee) => self.converted_by_payees += 1,
            None => {}
        }
        let is_external = changed.payer_proxy.is_some() || changed.payee_proxy.is_some();
        self.through_proxies += u64::from(is_external && changed.legs.is_some());
        self.within_one_proxy += u64::from(is_external && changed.legs.is_none());
    }
}

fn standing_of(name: &str) -> SenderStanding {
    if EXTERNALS.contains(&name) { SenderStanding::External } else { SenderStanding::Participant }
}

/// Where accounts go next.
fn next(state: SettlementState) -> Option<SettlementState> {
    match state {
        SettlementState::PendingSettlement => Some(SettlementState::Recorded),
        SettlementState::Recorded => Some(SettlementState::Reserved),
        SettlementState::Reserved => Some(SettlementState::Committed),
        SettlementState::Committed | SettlementState::Settling => Some(SettlementState::Settled),
        SettlementState::Settled | SettlementState::Aborted => None,
    }
}
