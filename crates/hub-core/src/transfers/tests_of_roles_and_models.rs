//! Transfers of participants that may not do everything, and in currencies that are settled payment by payment.

use super::{
    FulfilKind, fulfil, prepare,
    tests::{a_fulfil, a_prepare, id, loaded, rules},
};
use crate::{
    Flow, Loaded, State,
    administration::{Delay, Granularity, Interchange, SettlementModel},
    fees::{FeeConditions, FeeDebtor, FeeDecimals, FeeFormula, FeeRule},
    transfers::Stage,
};
use alloc::{boxed::Box, vec, vec::Vec};
use ledger::{AccountId, AccountKind, EntryKind};
use vocabulary::Amount;

fn gross(code: Option<&str>) -> SettlementModel {
    SettlementModel {
        id: 1,
        name: "CGS".into(),
        is_active: true,
        granularity: Granularity::Gross,
        interchange: Interchange::Bilateral,
        delay: Delay::Immediate,
        currency: code.map(|code| code.parse().unwrap()),
        requires_liquidity_check: false,
        ledger_account: AccountKind::Position,
        settlement_account: AccountKind::Settlement,
        resets_positions: false,
    }
}

fn net(code: Option<&str>) -> SettlementModel {
    SettlementModel {
        id: 2,
        name: "NET".into(),
        granularity: Granularity::Net,
        interchange: Interchange::Multilateral,
        delay: Delay::Deferred,
        resets_positions: true,
        ..gross(code)
    }
}

/// Value of payer's position, payer's liquidity account, payee's position, payee's liquidity account, in units.
fn values(state: &State) -> [i64; 4] {
    [3, 4, 5, 6].map(|account| state.book.get(AccountId(account)).unwrap().value().units())
}

fn with_models(models: Vec<SettlementModel>) -> State {
    State::new(Loaded { models, ..loaded() }, rules())
}

#[test]
fn a_participant_takes_new_transfers_in_its_roles_and_ends_old_ones_in_any() {
    for (flow, sends, receives) in [
        (Flow::Both, true, true),
        (Flow::SendOnly, true, false),
        (Flow::ReceiveOnly, false, true),
        (Flow::Paused, false, false),
    ] {
        for (participant, may) in [(1, sends), (2, receives)] {
            let mut loaded = loaded();
            loaded.participants[participant].flow = flow;
            let mut state = State::new(loaded, rules());
            prepare(&mut state, &a_prepare(1));
            let expected = if may { Stage::Reserved } else { Stage::Refused };
            assert_eq!(state.transfer(id(1)).unwrap().stage(), expected, "{flow:?} of participant {participant}");
        }
    }
    let mut state = with_models(Vec::new());
    prepare(&mut state, &a_prepare(1));
    let transfers = vec![state.transfer(id(1)).unwrap().clone()];
    let accounts = state.book.accounts().copied().collect();
    let mut paused = Loaded { transfers, accounts, ..loaded() };
    paused.participants.iter_mut().for_each(|known| known.flow = Flow::Paused);
    let mut state = State::new(paused, rules());
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(state.transfer(id(1)).unwrap().stage(), Stage::Committed, "what is reserved still ends");
}

#[test]
fn section_2_7_a_gross_currency_moves_liquidity_and_leaves_positions() {
    let own = with_models(vec![gross(Some("XTS"))]);
    let by_default = with_models(vec![gross(None)]);
    for mut state in [own, by_default] {
        let before = values(&state);
        prepare(&mut state, &a_prepare(1));
        fulfil(&mut state, &a_fulfil(1, FulfilKind::Reserve));
        let amount = state.transfer(id(1)).unwrap().money.amount.units();
        assert_eq!(values(&state), [before[0], before[1] + amount, before[2], before[3] - amount]);
        assert_eq!(state.transfer(id(1)).unwrap().stage(), Stage::Committed);
        let changes = state.into_changes();
        let kinds: Vec<_> =
            changes.postings.iter().map(|posting| (posting.entry.kind, posting.window.is_some())).collect();
        let gross = (EntryKind::GrossSettlement, false);
        assert_eq!(kinds, [(EntryKind::Principal, true), gross, gross]);
    }
}

#[test]
fn section_2_7_a_default_gross_model_steps_back_for_the_currencys_own() {
    let inactive = SettlementModel { is_active: false, ..gross(Some("XTS")) };
    let of_fees = SettlementModel { ledger_account: AccountKind::InterchangeFee, ..gross(Some("XTS")) };
    for models in [vec![gross(None), net(Some("XTS"))], vec![inactive], vec![of_fees], vec![net(None)], vec![]] {
        let mut state = with_models(models.clone());
        let before = values(&state);
        prepare(&mut state, &a_prepare(1));
        fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
        let amount = state.transfer(id(1)).unwrap().money.amount.units();
        assert_eq!(values(&state), [before[0] + amount, before[1], before[2] - amount, before[3]], "{models:?}");
    }
}

#[test]
fn a_gross_payment_whose_liquidity_account_would_overflow_changes_nothing() {
    let mut loaded = loaded();
    loaded.models = vec![gross(None)];
    let payee_liquidity = loaded.accounts.iter_mut().find(|account| account.id == AccountId(6)).unwrap();
    payee_liquidity.posted = Amount::from_units(i64::MIN + 2);
    let mut state = State::new(loaded, rules());
    prepare(&mut state, &a_prepare(1));
    let before = values(&state);
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(values(&state), before);
    assert_eq!(state.transfer(id(1)).unwrap().stage(), Stage::Reserved, "it expires");
    assert!(state.into_changes().postings.is_empty());
}

/// One per cent from the payer's side to the payee's, and half a unit back.
fn fee_rules() -> Vec<FeeRule> {
    let amount = |text: &str| Amount::parse(text).unwrap();
    let decimals = FeeDecimals::try_new(2).unwrap();
    let rule = |id, debtor, formula| FeeRule {
        id,
        name: "rule".into(),
        is_active: true,
        from: None,
        until: None,
        conditions: FeeConditions::default(),
        debtor,
        formula,
    };
    vec![
        rule(1, FeeDebtor::Payer, FeeFormula::Percentage { percent: amount("1"), decimals }),
        rule(2, FeeDebtor::Payee, FeeFormula::Fixed(amount("0.5"))),
    ]
}

/// Payer and payee with fee accounts, ids 103 and 105, of which the payee's may be missing.
fn with_fees(payee_has_account: bool) -> State {
    let mut loaded = loaded();
    let accounts = [(2, 103), (4, 105)].map(|(of, id)| {
        let position: &ledger::Account = &loaded.accounts[of];
        ledger::Account {
            id: AccountId(id),
            kind: AccountKind::InterchangeFee,
            cap: None,
            posted: Amount::ZERO,
            ..*position
        }
    });
    loaded.accounts.extend(accounts.into_iter().take(if payee_has_account { 2 } else { 1 }));
    loaded.fee_rules = fee_rules();
    State::new(loaded, rules())
}

fn fee_command() -> super::Prepare {
    let transaction = Some(b"{}".as_slice().into());
    super::Prepare { facts: Some(Box::default()), transaction, ..a_prepare(1) }
}

#[test]
fn section_2_8_fees_are_computed_at_prepare_and_posted_by_the_commit_in_its_window() {
    let mut state = with_fees(true);
    prepare(&mut state, &fee_command());
    let known = state.transfer(id(1)).unwrap();
    let amount = known.money.amount.units();
    let fees: Vec<i64> = known.fees.iter().map(|fee| fee.amount.units()).collect();
    assert_eq!(fees, [amount / 100, 5000]);
    state.fee_rules.clear();
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    let value = |account| state.book.get(AccountId(account)).unwrap().value().units();
    assert_eq!([value(103), value(105)], [amount / 100 - 5000, 5000 - amount / 100]);
    let changes = state.into_changes();
    let kinds: Vec<_> = changes.postings.iter().map(|posting| (posting.entry.kind, posting.window.is_some())).collect();
    let fee = (EntryKind::InterchangeFee, true);
    assert_eq!(kinds, [(EntryKind::Principal, true), fee, fee]);
    assert_eq!(changes.transactions.len(), 1);
}

#[test]
fn section_2_8_a_fee_without_an_account_or_a_commit_is_not_charged_and_holds_up_nothing() {
    let mut state = with_fees(false);
    prepare(&mut state, &fee_command());
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(state.transfer(id(1)).unwrap().stage(), Stage::Committed);
    assert_eq!(state.into_changes().postings.len(), 1);
    let mut state = with_fees(true);
    prepare(&mut state, &fee_command());
    fulfil(&mut state, &super::Fulfil { fulfilment: None, ..a_fulfil(1, FulfilKind::Commit) });
    assert_eq!(state.transfer(id(1)).unwrap().stage(), Stage::Aborted);
    assert!(state.into_changes().postings.is_empty());
}
