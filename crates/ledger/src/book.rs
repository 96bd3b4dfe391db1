//! The book: the accounts of one unit of work, and the only operations that change a balance.

use crate::{Account, AccountId};
use alloc::{collections::BTreeMap, vec::Vec};
use vocabulary::Amount;

/// Why money moved; the ledger entry types of the administration API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EntryKind {
    Principal,
    InitialPosition,
    FundsIn,
    FundsOut,
    /// A fee that one participant owes another for a payment.
    InterchangeFee,
    /// A payment that is settled at once: its positions move back, its liquidity moves.
    GrossSettlement,
    /// A net recipient's position moves back when its settlement account is reserved; reversed by an abort.
    SettlementNetRecipient,
    /// A net sender's position moves back when its settlement account is committed.
    SettlementNetSender,
}

/// Money that has moved: `amount` was debited to one account and credited to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub kind: EntryKind,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Amount,
}

/// What a payer lacks for a hold. Liquidity is looked at before the cap (contract §4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortfall {
    Liquidity,
    Cap,
}

/// Why the ledger refuses; nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LedgerError {
    Short(Shortfall),
    /// A balance would leave the range of 64 bits.
    Overflow,
}

/// The accounts that a unit has loaded and locked.
#[derive(Clone, Default, Debug)]
pub struct Book {
    accounts: BTreeMap<AccountId, Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    account: Account,
    is_changed: bool,
}

impl EntryKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "PRINCIPLE_VALUE",
            Self::InitialPosition => "INITIAL_POSITION",
            Self::FundsIn => "RECORD_FUNDS_IN",
            Self::FundsOut => "RECORD_FUNDS_OUT",
            Self::InterchangeFee => "INTERCHANGE_FEE",
            Self::GrossSettlement => "GROSS_SETTLEMENT",
            Self::SettlementNetRecipient => "SETTLEMENT_NET_RECIPIENT",
            Self::SettlementNetSender => "SETTLEMENT_NET_SENDER",
        }
    }
}

impl Book {
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let slots = accounts.into_iter().map(|account| (account.id, Slot { account, is_changed: false }));
        Self { accounts: slots.collect() }
    }

    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).map(|slot| &slot.account)
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|slot| &slot.account)
    }

    /// The accounts whose balances differ from what was loaded, in order of id.
    pub fn changed(&self) -> Vec<Account> {
        self.accounts.values().filter(|slot| slot.is_changed).map(|slot| slot.account).collect()
    }

    /// Holds `amount` on a payer's position, if the liquidity on `settlement` and then the payer's cap allow it.
    /// Equality passes. An account without a cap has no limit but its liquidity.
    pub fn hold(&mut self, position: AccountId, settlement: AccountId, amount: Amount) -> Result<(), LedgerError> {
        let cover = self.loaded(settlement).value().checked_neg().ok_or(LedgerError::Overflow)?;
        let account = self.loaded(position);
        let raised = account.value().checked_add(amount).ok_or(LedgerError::Overflow)?;
        if raised > cover {
            return Err(LedgerError::Short(Shortfall::Liquidity));
        }
        if account.cap.is_some_and(|cap| raised > cap.limit_with(cover)) {
            return Err(LedgerError::Short(Shortfall::Cap));
        }
        self.change_held(position, amount)
    }

    /// Holds `amount` of the liquidity on a settlement account, which must stay funded.
    pub fn hold_withdrawal(&mut self, settlement: AccountId, amount: Amount) -> Result<(), LedgerError> {
        let raised = self.loaded(settlement).value().checked_add(amount).ok_or(LedgerError::Overflow)?;
        if raised > Amount::ZERO {
            return Err(LedgerError::Short(Shortfall::Liquidity));
        }
        self.change_held(settlement, amount)
    }

    /// Drops a hold. Releasing more than is held is our own mistake and stops the unit.
    pub fn release(&mut self, account: AccountId, amount: Amount) {
        let back = amount.checked_neg().expect("a held amount is positive");
        self.change_held(account, back).expect("lowering a hold moves the balance back to where it was");
    }

    /// Turns a hold on `debit` into an entry between `debit` and `credit`.
    pub fn post_held(
        &mut self,
        kind: EntryKind,
        between: [AccountId; 2],
        amount: Amount,
    ) -> Result<Entry, LedgerError> {
        self.check_room(between[1], amount)?;
        self.release(between[0], amount);
        self.post(kind, between, amount)
    }

    /// Posts an entry: `between` is the debited account, then the credited one, of the same currency.
    pub fn post(&mut self, kind: EntryKind, between: [AccountId; 2], amount: Amount) -> Result<Entry, LedgerError> {
        let [debit, credit] = between;
        assert_eq!(
            self.loaded(debit).currency,
            self.loaded(credit).currency,
            "an entry is between accounts of one currency"
        );
        let raised = self.loaded(debit).posted.checked_add(amount).ok_or(LedgerError::Overflow)?;
        raised.checked_add(self.loaded(debit).held).ok_or(LedgerError::Overflow)?;
        self.check_room(credit, amount)?;
        self.change(debit).posted = raised;
        let account = self.change(credit);
        account.posted = account.posted.checked_sub(amount).expect("room was checked");
        Ok(Entry { kind, debit, credit, amount })
    }

    /// Replaces what is known of an account without moving money: its cap or its activity.
    pub fn replace(&mut self, account: Account) {
        let known = self.loaded(account.id);
        assert!((known.posted, known.held) == (account.posted, account.held), "only entries and holds move balances");
        *self.change(account.id) = account;
    }

    fn check_room(&self, credit: AccountId, amount: Amount) -> Result<(), LedgerError> {
        let account = self.loaded(credit);
        let lowered = account.posted.checked_sub(amount).ok_or(LedgerError::Overflow)?;
        // Negating a balance must stay possible: cover is the negation of a settlement balance.
        lowered.checked_neg().ok_or(LedgerError::Overflow)?;
        Ok(())
    }

    fn change_held(&mut self, id: AccountId, by: Amount) -> Result<(), LedgerError> {
        let account = self.loaded(id);
        let held = account.held.checked_add(by).ok_or(LedgerError::Overflow)?;
        account.posted.checked_add(held).ok_or(LedgerError::Overflow)?;
        assert!(!held.is_negative(), "more was released than was held");
        self.change(id).held = held;
        Ok(())
    }

    fn loaded(&self, id: AccountId) -> &Account {
        self.get(id).expect("a unit loads every account that it decides on")
    }

    fn change(&mut self, id: AccountId) -> &mut Account {
        let slot = self.accounts.get_mut(&id).expect("a unit loads every account that it decides on");
        slot.is_changed = true;
        &mut slot.account
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKind, Cap, ParticipantId};
    use proptest::prelude::*;

    fn account(id: i64, kind: AccountKind, posted: i64) -> Account {
        Account {
            id: AccountId(id),
            owner: ParticipantId(id),
            kind,
            currency: "USD".parse().unwrap(),
            is_active: true,
            posted: Amount::from_units(posted),
            held: Amount::ZERO,
            cap: None,
        }
    }

    fn units(units: i64) -> Amount {
        Amount::from_units(units)
    }

    const POSITION: AccountId = AccountId(1);
    const SETTLEMENT: AccountId = AccountId(2);
    const PAYEE: AccountId = AccountId(3);

    fn book(liquidity: i64, cap: Option<i64>) -> Book {
        let mut position = account(1, AccountKind::Position, 0);
        position.cap = cap.map(|limit| Cap { limit: units(limit), alarm_percentage: units(100_000), share: None });
        Book::new([position, account(2, AccountKind::Settlement, -liquidity), account(3, AccountKind::Position, 0)])
    }

    #[test]
    fn a_hold_may_use_up_the_cover_and_the_cap_exactly() {
        assert_eq!(book(10, Some(10)).hold(POSITION, SETTLEMENT, units(10)), Ok(()));
        assert_eq!(
            book(10, Some(11)).hold(POSITION, SETTLEMENT, units(11)),
            Err(LedgerError::Short(Shortfall::Liquidity))
        );
        assert_eq!(book(11, Some(10)).hold(POSITION, SETTLEMENT, units(11)), Err(LedgerError::Short(Shortfall::Cap)));
    }

    #[test]
    fn liquidity_is_looked_at_before_the_cap() {
        let refused = book(1, Some(1)).hold(POSITION, SETTLEMENT, units(2));
        assert_eq!(refused, Err(LedgerError::Short(Shortfall::Liquidity)));
    }

    #[test]
    fn holds_add_up_so_that_three_times_six_does_not_fit_into_ten() {
        let mut book = book(10, Some(10));
        assert!(book.hold(POSITION, SETTLEMENT, units(6)).is_ok());
        assert!(book.hold(POSITION, SETTLEMENT, units(6)).is_err());
        assert_eq!(book.get(POSITION).unwrap().value(), units(6));
    }

    #[test]
    fn a_cap_that_is_a_share_follows_the_liquidity_and_is_rounded_down() {
        for (liquidity, share, fits) in
            [(1000, 50_0000, 500), (1001, 50_0000, 500), (1000, 100_0000, 1000), (1000, 0, 0)]
        {
            let mut book = book(liquidity, Some(0));
            let mut position = *book.get(POSITION).unwrap();
            position.cap = Some(Cap { share: Some(units(share)), ..position.cap.unwrap() });
            book.replace(position);
            let refused = book.hold(POSITION, SETTLEMENT, units(fits + 1));
            let of_cap = if fits == liquidity { Shortfall::Liquidity } else { Shortfall::Cap };
            assert_eq!(refused, Err(LedgerError::Short(of_cap)), "{share} of {liquidity}");
            assert!(fits == 0 || book.hold(POSITION, SETTLEMENT, units(fits)).is_ok(), "{share} of {liquidity}");
        }
        let cap = Cap { limit: units(7), alarm_percentage: units(0), share: Some(units(200_0000)) };
        assert_eq!(cap.limit_with(Amount::MAX), Amount::MAX);
        assert_eq!(Cap { share: None, ..cap }.limit_with(Amount::MAX), units(7));
    }

    #[test]
    fn a_hold_that_would_overflow_is_refused() {
        let mut book = book(i64::MAX, None);
        assert!(book.hold(POSITION, SETTLEMENT, Amount::MAX).is_ok());
        assert_eq!(book.hold(POSITION, SETTLEMENT, units(1)), Err(LedgerError::Overflow));
    }

    #[test]
    fn a_withdrawal_may_not_overdraw_the_settlement_account() {
        let mut book = book(10, None);
        assert!(book.hold_withdrawal(SETTLEMENT, units(10)).is_ok());
        assert_eq!(book.hold_withdrawal(SETTLEMENT, units(1)), Err(LedgerError::Short(Shortfall::Liquidity)));
    }

    proptest! {
        #[test]
        fn whatever_happens_posted_balances_keep_their_sum(steps in prop::collection::vec((0u8..4, 1i64..1000), 0..200)) {
            let mut book = book(5000, Some(4000));
            let mut holds = Vec::new();
            for (step, amount) in steps {
                let amount = units(amount);
                match step {
                    0 | 1 => if book.hold(POSITION, SETTLEMENT, amount).is_ok() { holds.push(amount) },
                    2 => if let Some(held) = holds.pop() { book.release(POSITION, held) },
                    _ => if let Some(held) = holds.pop() {
                        book.post_held(EntryKind::Principal, [POSITION, PAYEE], held).unwrap();
                    },
                }
                let posted: i64 = book.accounts().map(|account| account.posted.units()).sum();
                prop_assert_eq!(posted, -5000);
                let held: i64 = holds.iter().map(|amount| amount.units()).sum();
                prop_assert_eq!(book.get(POSITION).unwrap().held.units(), held);
                prop_assert!(book.get(POSITION).unwrap().value() <= units(4000));
            }
        }
    }
}
