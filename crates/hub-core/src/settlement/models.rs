//! Which settlement model settles what (contract, administration §2.3 and §2.6).

use crate::administration::{Granularity, SettlementModel};
use ledger::AccountKind;
use vocabulary::Currency;

/// Whether an active model settles accounts of a kind in a currency. A default model steps back as soon as any active
/// model, of whatever kind, names the currency.
pub(crate) fn applies(models: &[SettlementModel], model: &SettlementModel, of: (AccountKind, Currency)) -> bool {
    let (kind, currency) = of;
    let is_named = || models.iter().any(|other| other.is_active && other.currency == Some(currency));
    let is_of_currency = match model.currency {
        Some(own) => own == currency,
        None => !is_named(),
    };
    model.is_active && model.ledger_account == kind && is_of_currency
}

/// The model by which payments in a currency are settled one by one, if there is one.
pub(crate) fn gross_model(models: &[SettlementModel], currency: Currency) -> Option<&SettlementModel> {
    let is_gross = |model: &&SettlementModel| model.granularity == Granularity::Gross;
    models.iter().filter(is_gross).find(|model| applies(models, model, (AccountKind::Position, currency)))
}
