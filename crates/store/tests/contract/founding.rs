//! What a random day begins with: currencies and how each is settled, models, fee rules, participants and their money.

use super::scheme::{BANKS, HUB, PROVIDER, PROXIES, Random, account, participant, units};
use hub_core::{
    administration::{Change, Delay, Granularity, Interchange, SettlementModel},
    fees::{FeeConditions, FeeDebtor, FeeDecimals, FeeFormula, FeeRule},
    settlement::{Scope, SettlementId},
};
use ledger::{Account, AccountKind, Cap, Entry, EntryKind};
use store::{UnitWork, Writer};
use vocabulary::{Currency, Timestamp};

const LIQUIDITY: i64 = 10_000_000_000;

/// How a currency is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Own,
    Default,
    WithoutReset,
    /// Gross, as long as its model is active; else by default.
    Gross,
}

pub const CURRENCIES: [(&str, Way); 5] =
    [("USD", Way::Own), ("EUR", Way::Default), ("KES", Way::Default), ("TZS", Way::WithoutReset), ("GHS", Way::Gross)];
/// The ids of the models are their places here, from 1.
pub const MODELS: [(&str, Option<&str>, Way, AccountKind); 7] = [
    ("DEFERREDNETUSD", Some("USD"), Way::Own, AccountKind::Position),
    ("DEFAULTDEFERREDNET", None, Way::Default, AccountKind::Position),
    ("NORESET", Some("TZS"), Way::WithoutReset, AccountKind::Position),
    ("CGS", Some("GHS"), Way::Gross, AccountKind::Position),
    ("FEESUSD", Some("USD"), Way::Own, AccountKind::InterchangeFee),
    ("DEFAULTFEES", None, Way::Default, AccountKind::InterchangeFee),
    ("FEESTZS", Some("TZS"), Way::WithoutReset, AccountKind::InterchangeFee),
];
/// Beside the one that comes with a store, which these payments do not meet.
pub const FEE_RULES: i64 = 4;

/// Which net model settles a kind of account in a currency, while nothing is settled gross.
pub fn model_of(kind: AccountKind, currency: Currency) -> &'static str {
    let way = CURRENCIES.iter().find(|known| known.0 == currency.as_str()).unwrap().1;
    let wanted = if way == Way::Gross { Way::Default } else { way };
    MODELS.iter().find(|known| known.2 == wanted && known.3 == kind).unwrap().0
}

pub fn model(place: usize) -> SettlementModel {
    let (name, currency, way, ledger_account) = MODELS[place];
    let (is_gross, is_of_fees) = (way == Way::Gross, ledger_account == AccountKind::InterchangeFee);
    SettlementModel {
        id: place as i64 + 1,
        name: name.into(),
        is_active: true,
        granularity: if is_gross { Granularity::Gross } else { Granularity::Net },
        interchange: if is_gross { Interchange::Bilateral } else { Interchange::Multilateral },
        delay: if is_gross { Delay::Immediate } else { Delay::Deferred },
        currency: currency.map(|currency| currency.parse().unwrap()),
        requires_liquidity_check: false,
        ledger_account,
        settlement_account: if is_of_fees { AccountKind::InterchangeFeeSettlement } else { AccountKind::Settlement },
        resets_positions: is_of_fees || matches!(way, Way::Own | Way::Default),
    }
}

/// Of any currency or of one, for payments of any size or for large ones only.
pub fn fee_rule(id: i64, random: &mut Random) -> FeeRule {
    let mut pick = |count: usize| random.below(count as u64) as usize;
    let currency = [None, Some(CURRENCIES[pick(CURRENCIES.len())].0)][pick(2)];
    let decimals = FeeDecimals::try_new(pick(5) as u8).unwrap();
    let formulas = [
        FeeFormula::Fixed(units([1, 3_0000][pick(2)])),
        FeeFormula::Percentage { percent: units([6000, 1_2345][pick(2)]), decimals },
    ];
    FeeRule {
        id,
        name: format!("rule {id}").into(),
        is_active: pick(4) > 0,
        from: None,
        until: None,
        conditions: FeeConditions {
            currency: currency.map(|currency| currency.parse().unwrap()),
            amount_from: [None, Some(units(100_0000))][pick(2)],
            ..FeeConditions::default()
        },
        debtor: [FeeDebtor::Payer, FeeDebtor::Payee][pick(2)],
        formula: formulas[pick(2)],
    }
}

pub async fn administer(writer: &mut dyn Writer, changes: Vec<Change>) {
    writer.open(&[]).await.unwrap();
    writer.lock_books(&Scope::Settlement(SettlementId(0))).await.unwrap();
    let work = UnitWork { administration: changes, actor: HUB.into(), ..UnitWork::default() };
    writer.commit(work).await.unwrap();
}

/// The hub's accounts, and the position, liquidity and fees of each bank, the provider and each proxy, in every currency.
pub async fn found(writer: &mut dyn Writer) -> Vec<Account> {
    let now = Timestamp::from_millis(0);
    let mut changes: Vec<Change> = (0..MODELS.len()).map(|place| Change::AddSettlementModel(model(place))).collect();
    let names: Vec<&str> = BANKS.into_iter().chain([PROVIDER]).chain(PROXIES).collect();
    changes.extend(names.iter().zip(2..).map(|(name, owner)| {
        let mut added = participant(owner, name, now);
        added.participant.is_proxy = PROXIES.contains(name);
        Change::AddParticipant(added)
    }));
    let mut accounts = Vec::new();
    let mut funds = Vec::new();
    for (currency, _) in CURRENCIES {
        let currency: Currency = currency.parse().unwrap();
        let mut add = |owner, kind| {
            let mut record = account(accounts.len() as i64 + 1, owner, kind, now);
            record.account.currency = currency;
            if kind == AccountKind::Position {
                record.account.cap =
                    Some(Cap { limit: units(LIQUIDITY), alarm_percentage: units(100_000), share: None });
            }
            accounts.push(record.account);
            changes.push(Change::AddAccount(record));
            accounts[accounts.len() - 1].id
        };
        let reconciliation = add(1, AccountKind::HubReconciliation);
        add(1, AccountKind::HubMultilateralSettlement);
        for owner in (2..).take(names.len()) {
            add(owner, AccountKind::Position);
            let settlement = add(owner, AccountKind::Settlement);
            add(owner, AccountKind::InterchangeFee);
            let (kind, amount) = (EntryKind::FundsIn, units(LIQUIDITY));
            let entry = Entry { kind, debit: reconciliation, credit: settlement, amount };
            funds.push(Change::Post { entry, settlement: None });
        }
    }
    changes.extend(funds);
    administer(writer, changes).await;
    accounts
}
