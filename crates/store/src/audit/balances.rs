//! Balances and holds against entries and reserved transfers.
//!
//! Invariants, per currency and account: posted balances sum to zero, a balance is the sum of its entries, and what is
//! held is the sum of the reserved transfers that will debit the account.

use super::Decimal;
use ledger::{Account, AccountId};
use std::collections::BTreeMap;
use vocabulary::Currency;

/// Sums of one moment, counted in 10⁻⁴. They may leave the range of a balance.
#[derive(Default)]
pub(super) struct Figures {
    pub accounts: Vec<Account>,
    /// Debits minus credits of each account that has entries.
    pub entries: BTreeMap<AccountId, i128>,
    /// The amounts of reserved transfers, by the account that they will debit.
    pub holds: BTreeMap<AccountId, i128>,
}

/// A sentence for each difference; empty when the books are right.
pub(super) fn check(figures: &Figures) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for account in &figures.accounts {
        let (id, posted, held) = (account.id, account.posted.units().into(), account.held.units().into());
        *sums.entry(account.currency).or_default() += posted;
        let mut compare = |what: &str, found: i128, source: &str, expected: i128| {
            if found != expected {
                let (found, expected) = (Decimal(found), Decimal(expected));
                let (number, kind, currency) = (id.0, account.kind, account.currency);
                sentences.push(format!(
                    "Account {number} ({kind} {currency}) has {what} of {found}, but its {source} add up to {expected}."
                ));
            }
        };
        compare("a posted balance", posted, "entries", figures.entries.get(&id).copied().unwrap_or(0));
        compare("a hold", held, "reserved transfers", figures.holds.get(&id).copied().unwrap_or(0));
    }
    for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        sentences.push(format!("The posted balances in {currency} add up to {} instead of zero.", Decimal(sum)));
    }
    let is_known = |id: &AccountId| figures.accounts.iter().any(|account| account.id == *id);
    for id in figures.entries.keys().chain(figures.holds.keys()).filter(|id| !is_known(id)) {
        sentences.push(format!("There are entries or reserved transfers of account {}, which does not exist.", id.0));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{AccountKind, ParticipantId};
    use vocabulary::Amount;

    fn account(id: i64, posted: i64, held: i64) -> Account {
        Account {
            id: AccountId(id),
            owner: ParticipantId(id),
            kind: AccountKind::Position,
            currency: "USD".parse().unwrap(),
            is_active: true,
            posted: Amount::from_units(posted),
            held: Amount::from_units(held),
            cap: None,
        }
    }

    fn right() -> Figures {
        Figures {
            accounts: vec![account(1, 50_000, 0), account(2, -50_000, 10_000)],
            entries: [(AccountId(1), 50_000), (AccountId(2), -50_000)].into(),
            holds: [(AccountId(2), 10_000)].into(),
        }
    }

    #[test]
    fn right_books_have_no_differences() {
        assert_eq!(check(&right()), Vec::<String>::new());
    }

    #[test]
    fn a_balance_without_its_entry_is_found_twice() {
        let mut figures = right();
        figures.accounts[0] = account(1, 50_001, 0);
        assert_eq!(
            check(&figures),
            [
                "Account 1 (POSITION USD) has a posted balance of 5.0001, but its entries add up to 5.0000.",
                "The posted balances in USD add up to 0.0001 instead of zero.",
            ]
        );
    }

    #[test]
    fn a_hold_without_its_transfer_and_an_unknown_account_are_found() {
        let mut figures = right();
        figures.holds = [(AccountId(3), 1)].into();
        assert_eq!(
            check(&figures),
            [
                "Account 2 (POSITION USD) has a hold of 1.0000, but its reserved transfers add up to 0.0000.",
                "There are entries or reserved transfers of account 3, which does not exist.",
            ]
        );
    }
}
