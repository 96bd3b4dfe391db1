//! The DFSP's own double entry: customers, fee income, cash, and the position towards the scheme.
//!
//! Invariant: an entry moves an amount from one account to another, so all balances sum to zero; a hold never exceeds
//! the balance it is taken from.

use std::collections::HashMap;
use vocabulary::Amount;

/// An account of the DFSP. A customer's positive balance is money that the DFSP owes the customer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Account {
    /// By the customer's id.
    Customer(String),
    /// Fees earned; positive.
    FeeIncome,
    /// In the vault, brought by customers and theirs to take; negative, because it is the DFSP's own.
    Cash,
    /// Towards the scheme: positive when the DFSP owes it money, like the hub's POSITION account.
    Position,
}

/// Why an entry or hold was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The balance less what is held is smaller than the amount.
    NotEnoughMoney,
    /// Negative, or the sum does not fit.
    ImpossibleAmount,
}

#[derive(Default)]
pub struct Books {
    balances: HashMap<Account, Amount>,
    /// Sum of open holds per customer.
    held: HashMap<String, Amount>,
}

impl Books {
    pub fn balance(&self, account: &Account) -> Amount {
        self.balances.get(account).copied().unwrap_or_default()
    }

    /// What a customer can spend: the balance without what is held for open payments.
    pub fn available(&self, customer: &str) -> Amount {
        let held = self.held.get(customer).copied().unwrap_or_default();
        let balance = self.balance(&Account::Customer(customer.to_owned()));
        balance.checked_sub(held).expect("a hold never exceeds its balance")
    }

    pub fn check_hold(&self, customer: &str, amount: Amount) -> Result<(), Refusal> {
        if amount.is_negative() {
            return Err(Refusal::ImpossibleAmount);
        }
        if self.available(customer) < amount { Err(Refusal::NotEnoughMoney) } else { Ok(()) }
    }

    /// Sets money aside. The caller has checked with [`Books::check_hold`].
    pub fn hold(&mut self, customer: &str, amount: Amount) {
        self.check_hold(customer, amount).expect("checked by the caller");
        let held = self.held.entry(customer.to_owned()).or_default();
        *held = held.checked_add(amount).expect("not more than the balance");
    }

    /// The inverse of [`Books::hold`].
    pub fn release(&mut self, customer: &str, amount: Amount) {
        let held = self.held.get_mut(customer).expect("a hold is released once, after it was made");
        *held = held.checked_sub(amount).filter(|rest| !rest.is_negative()).expect("not more than was held");
    }

    /// Moves `amount` from one account to another: the first one's balance falls, the second one's rises.
    pub fn post(&mut self, from: &Account, to: &Account, amount: Amount) {
        assert!(!amount.is_negative(), "an entry has a direction, not a sign");
        let fits = "balances of one example DFSP stay far below the limit of 64 bits";
        let less = self.balance(from).checked_sub(amount).expect(fits);
        self.balances.insert(from.clone(), less);
        let more = self.balance(to).checked_add(amount).expect(fits);
        self.balances.insert(to.clone(), more);
    }

    /// Whether the balances sum to zero, as they do if every entry had two sides.
    pub fn is_balanced(&self) -> bool {
        self.balances.values().map(|balance| i128::from(balance.units())).sum::<i128>() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn funded() -> Books {
        let mut books = Books::default();
        books.post(&Account::Cash, &Account::Customer("ana".into()), amount("100"));
        books
    }

    #[test]
    fn held_money_cannot_be_spent_twice() {
        let mut books = funded();
        books.hold("ana", amount("70"));
        assert_eq!(books.available("ana"), amount("30"));
        assert_eq!(books.check_hold("ana", amount("30.01")), Err(Refusal::NotEnoughMoney));
        assert_eq!(books.check_hold("ana", amount("30")), Ok(()));
        books.release("ana", amount("70"));
        assert_eq!(books.available("ana"), amount("100"));
    }

    #[test]
    fn a_stranger_has_nothing_to_hold_and_a_negative_hold_is_no_income() {
        let books = funded();
        assert_eq!(books.check_hold("ben", amount("0.01")), Err(Refusal::NotEnoughMoney));
        assert_eq!(books.check_hold("ana", amount("-1")), Err(Refusal::ImpossibleAmount));
    }

    #[test]
    fn entries_leave_the_sum_at_zero() {
        let mut books = funded();
        books.post(&Account::Customer("ana".into()), &Account::Position, amount("40"));
        books.post(&Account::Customer("ana".into()), &Account::FeeIncome, amount("0.4"));
        assert!(books.is_balanced());
        assert_eq!(books.balance(&Account::Customer("ana".into())), amount("59.6"));
        assert_eq!(books.balance(&Account::Position), amount("40"));
    }
}
