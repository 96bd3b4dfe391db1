//! Settlement models (contract, administration §1.15).

use super::{AdminRejection, Change, Delay, Directory, Granularity, Interchange, SettlementModel, is_settleable};
use alloc::{boxed::Box, vec, vec::Vec};
use ledger::AccountKind;
use vocabulary::Currency;

/// A settlement model that is asked for; active at once.
#[derive(Clone, Debug)]
pub struct NewSettlementModel {
    pub name: Box<str>,
    pub granularity: Granularity,
    pub interchange: Interchange,
    pub delay: Delay,
    /// None is a default model.
    pub currency: Option<Currency>,
    pub requires_liquidity_check: bool,
    /// None where the name that was given is of no ledger account type.
    pub ledger_account: Option<AccountKind>,
    pub settlement_account: AccountKind,
    pub resets_positions: bool,
}

/// Switches a settlement model on or off, also one in use.
#[derive(Clone, Debug)]
pub struct SetSettlementModelActivity {
    pub name: Box<str>,
    pub is_active: bool,
}

/// Participants that exist keep the accounts that they have.
pub(super) fn create(directory: &Directory, command: &NewSettlementModel) -> Result<Vec<Change>, AdminRejection> {
    if !is_supported(command) {
        return Err(AdminRejection::UnsupportedSettlementModel);
    }
    let ledger_account = command
        .ledger_account
        .filter(|kind| directory.offers(*kind) && is_settleable(&directory.account_types, *kind))
        .ok_or(AdminRejection::ModelLedgerAccountTypeNotFound)?;
    if !settles(directory, command.settlement_account) {
        return Err(AdminRejection::ModelSettlementAccountTypeNotFound);
    }
    if directory.settlement_model(&command.name).is_some() {
        return Err(AdminRejection::SettlementModelNameTaken);
    }
    let competes =
        |model: &SettlementModel| model.currency == command.currency && model.ledger_account == ledger_account;
    if command.currency.is_some() && directory.settlement_models.iter().any(competes) {
        return Err(AdminRejection::SettlementModelForAccountTypeExists);
    }
    Ok(vec![Change::AddSettlementModel(SettlementModel {
        id: directory.settlement_models.iter().map(|model| model.id).max().unwrap_or(0) + 1,
        name: command.name.clone(),
        is_active: true,
        granularity: command.granularity,
        interchange: command.interchange,
        delay: command.delay,
        currency: command.currency,
        requires_liquidity_check: command.requires_liquidity_check,
        ledger_account,
        settlement_account: command.settlement_account,
        resets_positions: command.resets_positions,
    })])
}

pub(super) fn set_activity(
    directory: &Directory,
    command: &SetSettlementModelActivity,
) -> Result<Vec<Change>, AdminRejection> {
    let model = directory.settlement_model(&command.name).ok_or(AdminRejection::SettlementModelNotFound)?;
    Ok(vec![Change::SetSettlementModel(SettlementModel { is_active: command.is_active, ..model.clone() })])
}

/// Whether a participant may have an account of a kind through which others are settled.
fn settles(directory: &Directory, kind: AccountKind) -> bool {
    match kind {
        AccountKind::Settlement | AccountKind::InterchangeFeeSettlement => true,
        AccountKind::Position
        | AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFee => false,
        AccountKind::Custom(_) => directory.offers(kind) && !is_settleable(&directory.account_types, kind),
    }
}

/// Four of the eight combinations mean something.
fn is_supported(command: &NewSettlementModel) -> bool {
    match (command.delay, command.granularity) {
        (Delay::Immediate | Delay::Deferred, Granularity::Gross) => command.interchange == Interchange::Bilateral,
        (Delay::Deferred, Granularity::Net) => true,
        (Delay::Immediate, Granularity::Net) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scheme, account_type, currency, model};
    use super::super::{AdminCommand, AdminRejection, NewAccountType};
    use super::*;

    fn tries(scheme: &mut Scheme, model: NewSettlementModel) -> Result<(), AdminRejection> {
        scheme.tries(AdminCommand::CreateSettlementModel(model))
    }

    #[test]
    fn four_combinations_of_delay_granularity_and_interchange_are_supported() {
        use {Delay::*, Granularity::*, Interchange::*};
        for (delay, granularity, interchange, is_supported) in [
            (Immediate, Gross, Bilateral, true),
            (Immediate, Gross, Multilateral, false),
            (Immediate, Net, Bilateral, false),
            (Immediate, Net, Multilateral, false),
            (Deferred, Gross, Bilateral, true),
            (Deferred, Gross, Multilateral, false),
            (Deferred, Net, Bilateral, true),
            (Deferred, Net, Multilateral, true),
        ] {
            let base = model("M", None, AccountKind::Position);
            let outcome = tries(&mut Scheme::empty(), NewSettlementModel { delay, granularity, interchange, ..base });
            let expected = if is_supported { Ok(()) } else { Err(AdminRejection::UnsupportedSettlementModel) };
            assert_eq!(outcome, expected, "{delay:?} {granularity:?} {interchange:?}");
        }
    }

    #[test]
    fn only_account_types_that_settle_can_be_settled() {
        for kind in AccountKind::BUILT_IN.into_iter().map(Some).chain([None]) {
            let asked = NewSettlementModel { ledger_account: kind, ..model("M", None, AccountKind::Position) };
            let expected = if matches!(kind, Some(AccountKind::Position | AccountKind::InterchangeFee)) {
                Ok(())
            } else {
                Err(AdminRejection::ModelLedgerAccountTypeNotFound)
            };
            assert_eq!(tries(&mut Scheme::empty(), asked), expected, "{kind:?}");
        }
    }

    #[test]
    fn custom_types_are_settled_and_settle_as_they_were_made() {
        let mut scheme = Scheme::empty();
        for (name, is_settleable) in [("TAX", true), ("TAX_SETTLEMENT", false)] {
            scheme.does(account_type(name, is_settleable));
        }
        let kind = |name: &str| name.parse::<AccountKind>().unwrap();
        let dormant =
            NewAccountType { kind: kind("DORMANT"), description: "d".into(), is_active: false, is_settleable: true };
        scheme.does(AdminCommand::CreateAccountType(dormant));
        let no_ledger = Err(AdminRejection::ModelLedgerAccountTypeNotFound);
        let no_settlement = Err(AdminRejection::ModelSettlementAccountTypeNotFound);
        for (ledger, settlement, expected) in [
            ("NONE", "TAX_SETTLEMENT", no_ledger),
            ("DORMANT", "TAX_SETTLEMENT", no_ledger),
            ("TAX_SETTLEMENT", "TAX_SETTLEMENT", no_ledger),
            ("TAX", "NONE", no_settlement),
            ("TAX", "TAX", no_settlement),
            ("TAX", "DORMANT", no_settlement),
            ("TAX", "POSITION", no_settlement),
            ("TAX", "TAX_SETTLEMENT", Ok(())),
        ] {
            let base = model("M", None, kind(ledger));
            let outcome = tries(&mut scheme, NewSettlementModel { settlement_account: kind(settlement), ..base });
            assert_eq!(outcome, expected, "{ledger} {settlement}");
        }
    }

    #[test]
    fn names_are_unique_without_regard_to_case() {
        let mut scheme = Scheme::ready();
        let again = model("default", Some("EUR"), AccountKind::Position);
        assert_eq!(tries(&mut scheme, again), Err(AdminRejection::SettlementModelNameTaken));
    }

    #[test]
    fn a_currency_has_one_model_for_each_account_type_but_there_may_be_many_default_ones() {
        let mut scheme = Scheme::empty();
        for (name, code, kind, expected) in [
            ("A", Some("USD"), AccountKind::Position, Ok(())),
            ("B", Some("USD"), AccountKind::Position, Err(AdminRejection::SettlementModelForAccountTypeExists)),
            ("C", Some("USD"), AccountKind::InterchangeFee, Ok(())),
            ("D", Some("EUR"), AccountKind::Position, Ok(())),
            ("E", None, AccountKind::Position, Ok(())),
            ("F", None, AccountKind::Position, Ok(())),
        ] {
            assert_eq!(tries(&mut scheme, model(name, code, kind)), expected, "{name}");
        }
        let ids: Vec<_> = scheme.directory.settlement_models.iter().map(|model| model.id).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn an_inactive_model_applies_to_nothing() {
        let mut scheme = Scheme::ready();
        let found = |scheme: &Scheme| scheme.directory.settlement_models_for(currency("USD")).len();
        assert_eq!(found(&scheme), 1);
        let off = SetSettlementModelActivity { name: "Default".into(), is_active: false };
        scheme.does(AdminCommand::SetSettlementModelActivity(off));
        assert_eq!(found(&scheme), 0);
        let unknown = SetSettlementModelActivity { name: "NONE".into(), is_active: true };
        let refused = scheme.tries(AdminCommand::SetSettlementModelActivity(unknown));
        assert_eq!(refused, Err(AdminRejection::SettlementModelNotFound));
    }
}
