//! Settlement reports: figures of the store as tables, in JSON, CSV and, for the settlement bank, ISO 20022
//! (contract, administration §4.6).
//!
//! Invariant: every report carries a control total by which its reader can see that nothing is missing; amounts are
//! decimal texts with at least the minor digits of their currency.

pub mod bank;
pub mod matrix;
pub mod table;

use fspiop::ilp::exponent;
use hub_core::{
    administration::{Directory, Interchange, SettlementModel},
    settlement::Settlement,
};
use ledger::AccountId;
use store::PairTotal;
use vocabulary::{Amount, Currency};

/// A settlement with what its reports are made of.
pub struct Settled<'a> {
    pub settlement: &'a Settlement,
    pub directory: &'a Directory,
    /// What payments moved between each two accounts of the settlement in its windows.
    pub pairs: Vec<PairTotal>,
}

impl<'a> Settled<'a> {
    /// `pairs` are those of the settlement's windows; others than between its accounts are left out.
    pub fn new(settlement: &'a Settlement, directory: &'a Directory, pairs: Vec<PairTotal>) -> Self {
        let is_own = |id: AccountId| settlement.accounts.iter().any(|known| known.account == id);
        let pairs = pairs.into_iter().filter(|pair| is_own(pair.debit) && is_own(pair.credit)).collect();
        Self { settlement, directory, pairs }
    }

    pub fn model(&self) -> Option<&SettlementModel> {
        self.directory.settlement_models.iter().find(|model| model.id == self.settlement.model)
    }

    pub fn is_bilateral(&self) -> bool {
        self.model().is_some_and(|model| model.interchange == Interchange::Bilateral)
    }

    /// Whose account it is, and in which currency.
    pub fn owner(&self, account: AccountId) -> (String, Currency) {
        owner(self.directory, account)
    }
}

/// Whose account it is, and in which currency.
pub fn owner(directory: &Directory, account: AccountId) -> (String, Currency) {
    let record = directory.account_by_id(account).expect("accounts are never removed");
    let is_owner = |known: &&hub_core::administration::ParticipantRecord| known.participant.id == record.account.owner;
    let owner = directory.participants.iter().find(is_owner).expect("participants are never removed");
    (owner.participant.name.to_string(), record.account.currency)
}

/// An amount with at least the minor digits of its currency.
pub fn money(amount: Amount, currency: Currency) -> String {
    let text = amount.to_string();
    let digits = usize::try_from(exponent(currency)).unwrap_or(0);
    let present = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match (present, digits) {
        (present, digits) if present >= digits => text,
        (0, digits) => format!("{text}.{}", "0".repeat(digits)),
        (present, digits) => format!("{text}{}", "0".repeat(digits - present)),
    }
}

/// A sum of amounts, or words where it leaves their range.
pub fn sum(amounts: impl IntoIterator<Item = Amount>, currency: Currency) -> String {
    let sum = amounts.into_iter().try_fold(Amount::ZERO, |sum, amount| sum.checked_add(amount));
    sum.map_or_else(|| "out of range".to_owned(), |sum| money(sum, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_minor_digits_of_their_currency_and_lose_none() {
        for (amount, currency, expected) in [
            ("5", "USD", "5.00"),
            ("5.5", "USD", "5.50"),
            ("-5.1234", "USD", "-5.1234"),
            ("5", "JPY", "5"),
            ("5.1", "BHD", "5.100"),
            ("0", "USD", "0.00"),
        ] {
            let found = money(Amount::parse(amount).unwrap(), currency.parse().unwrap());
            assert_eq!(found, expected, "{amount} {currency}");
        }
    }
}
