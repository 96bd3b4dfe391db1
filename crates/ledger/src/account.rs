//! Accounts: what a participant owes or holds in one currency.

use crate::AccountKind;
use vocabulary::{Amount, Currency};

/// Identifies an account for ever; the public account id of the administration API. Assigned in creation order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountId(pub i64);

/// Identifies a participant inside the hub; shown by the settlement API only. The hub itself is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ParticipantId(pub i64);

impl ParticipantId {
    pub const HUB: Self = Self(1);
}

/// The net debit cap of a POSITION account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cap {
    /// The limit, where it is not a share of the liquidity.
    pub limit: Amount,
    /// Per cent of the limit at which the operator is warned.
    pub alarm_percentage: Amount,
    /// The limit in per cent of the participant's liquidity, which it follows.
    pub share: Option<Amount>,
}

/// One account with its balances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    pub id: AccountId,
    pub owner: ParticipantId,
    pub kind: AccountKind,
    pub currency: Currency,
    /// An inactive account takes no new transfers; what is already held on it still ends.
    pub is_active: bool,
    /// Sum of all entries: debits minus credits.
    pub posted: Amount,
    /// Sum of the open holds: what may still be debited.
    pub held: Amount,
    pub cap: Option<Cap>,
}

impl Cap {
    /// The limit for a participant with so much liquidity; a share is rounded down to 10⁻⁴.
    pub fn limit_with(&self, liquidity: Amount) -> Amount {
        let Some(share) = self.share else { return self.limit };
        // Two 64-bit numbers fit into 128 bits; a hundred per cent is 10⁶ units.
        let exact = i128::from(liquidity.units()) * i128::from(share.units());
        let limit = i64::try_from(exact.div_euclid(1_000_000));
        limit.map_or(
            if liquidity.is_negative() { Amount::from_units(i64::MIN) } else { Amount::MAX },
            Amount::from_units,
        )
    }
}

impl Account {
    /// The public balance: posted plus held. The two never overflow together, because a hold that would is refused.
    pub fn value(&self) -> Amount {
        self.posted.checked_add(self.held).expect("a hold that would overflow the balance is refused")
    }
}
