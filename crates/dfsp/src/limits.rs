//! What a customer may pay and hold, by how well the DFSP knows them (KYC).
//!
//! Invariant: no payment that a limit forbids is opened, in either direction; the last look is taken under the same lock as
//! the entry, so that two payments at one moment do not pass together.

use vocabulary::{Amount, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// A level of knowledge about a customer, and what it allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    /// For people to read; customers are put into a tier by this name.
    pub name: String,
    /// For one payment, sent or received.
    pub payment_max: Amount,
    /// For all that is sent on one day, in UTC.
    pub day_max: Amount,
    /// On the account.
    pub balance_max: Amount,
}

/// Which limit a payment would break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// The greatest payment.
    Payment(Amount),
    /// What is left of the day.
    Day(Amount),
    /// The greatest balance.
    Balance(Amount),
}

/// What has been sent on the last day on which anything was; a payment that failed gives its share back.
#[derive(Clone, Copy, Default)]
pub struct Sent {
    day: i64,
    amount: Amount,
}

impl Tier {
    /// Allows everything; for a DFSP that has no tiers.
    pub fn unlimited() -> Self {
        let (payment_max, day_max, balance_max) = (Amount::MAX, Amount::MAX, Amount::MAX);
        Self { name: "Without limits".to_owned(), payment_max, day_max, balance_max }
    }

    /// May `amount` leave the account at `time`?
    pub fn check_sending(&self, amount: Amount, sent: Sent, time: Timestamp) -> Result<(), Limit> {
        if amount > self.payment_max {
            return Err(Limit::Payment(self.payment_max));
        }
        let left = self.day_max.checked_sub(sent.on(time)).unwrap_or_default().max(Amount::ZERO);
        if amount > left { Err(Limit::Day(left)) } else { Ok(()) }
    }

    /// May `amount` reach an account that has or awaits `balance`?
    pub fn check_receiving(&self, amount: Amount, balance: Amount) -> Result<(), Limit> {
        if amount > self.payment_max {
            return Err(Limit::Payment(self.payment_max));
        }
        self.check_balance(amount, balance)
    }

    /// The same for money that is brought to the counter.
    pub fn check_balance(&self, amount: Amount, balance: Amount) -> Result<(), Limit> {
        let fits = balance.checked_add(amount).is_some_and(|after| after <= self.balance_max);
        if fits { Ok(()) } else { Err(Limit::Balance(self.balance_max)) }
    }
}

impl Sent {
    fn on(&self, time: Timestamp) -> Amount {
        if self.day == day(time) { self.amount } else { Amount::ZERO }
    }

    pub fn add(&mut self, amount: Amount, time: Timestamp) {
        let sum = self.on(time).checked_add(amount).unwrap_or(Amount::MAX);
        *self = Self { day: day(time), amount: sum };
    }

    /// A payment that was opened at `time` has failed.
    pub fn take_back(&mut self, amount: Amount, time: Timestamp) {
        if self.day == day(time) {
            self.amount = self.amount.checked_sub(amount).unwrap_or_default().max(Amount::ZERO);
        }
    }
}

fn day(time: Timestamp) -> i64 {
    time.millis().div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn basic() -> Tier {
        Tier { name: "Basic".into(), payment_max: amount("100"), day_max: amount("250"), balance_max: amount("1000") }
    }

    #[test]
    fn a_payment_up_to_each_limit_passes_and_the_next_coin_does_not() {
        let (tier, noon) = (basic(), Timestamp::from_millis(DAY_MS / 2));
        let mut sent = Sent::default();
        assert_eq!(tier.check_sending(amount("100"), sent, noon), Ok(()));
        assert_eq!(tier.check_sending(amount("100.01"), sent, noon), Err(Limit::Payment(amount("100"))));
        sent.add(amount("200"), noon);
        assert_eq!(tier.check_sending(amount("50"), sent, noon), Ok(()));
        assert_eq!(tier.check_sending(amount("50.01"), sent, noon), Err(Limit::Day(amount("50"))));
        assert_eq!(tier.check_receiving(amount("100"), amount("900")), Ok(()));
        assert_eq!(tier.check_receiving(amount("100"), amount("900.01")), Err(Limit::Balance(amount("1000"))));
        assert_eq!(tier.check_receiving(amount("101"), Amount::ZERO), Err(Limit::Payment(amount("100"))));
    }

    #[test]
    fn a_new_day_begins_with_the_whole_limit_and_a_failed_payment_gives_its_share_back() {
        let (tier, today, tomorrow) = (basic(), Timestamp::from_millis(5), Timestamp::from_millis(DAY_MS));
        let mut sent = Sent::default();
        sent.add(amount("250"), today);
        assert_eq!(tier.check_sending(amount("1"), sent, today), Err(Limit::Day(Amount::ZERO)));
        assert_eq!(tier.check_sending(amount("100"), sent, tomorrow), Ok(()));
        sent.take_back(amount("100"), today);
        assert_eq!(tier.check_sending(amount("100"), sent, today), Ok(()));
        sent.add(amount("10"), tomorrow);
        sent.take_back(amount("150"), today);
        assert_eq!(sent.on(tomorrow), amount("10"), "what failed was of another day");
    }

    proptest! {
        #[test]
        fn whatever_is_tried_the_day_and_the_balance_stay_within_their_limits(
            tries in prop::collection::vec((1_i64..2_000_000, any::<bool>()), 1..60)
        ) {
            let (tier, time) = (basic(), Timestamp::from_millis(0));
            let (mut sent, mut day, mut balance) = (Sent::default(), 0_i64, 0_i64);
            for (units, is_sent) in tries {
                let amount = Amount::from_units(units);
                if is_sent && tier.check_sending(amount, sent, time).is_ok() {
                    sent.add(amount, time);
                    day += units;
                }
                if !is_sent && tier.check_receiving(amount, Amount::from_units(balance)).is_ok() {
                    balance += units;
                }
                prop_assert!(day <= tier.day_max.units() && balance <= tier.balance_max.units());
            }
        }
    }
}
