//! What the DFSP charges its customers, in integers.
//!
//! Invariant: a fee is never negative and has no more decimals than the currency.

use vocabulary::{Amount, SCALE};

/// A share of the amount with a minimum, rounded half up to the currency's smallest coin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeRule {
    /// Hundredths of a per cent: 100 is 1 %.
    pub basis_points: u32,
    /// Charged when the share is less.
    pub minimum: Amount,
}

/// The schedule of one DFSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fees {
    /// On top of what a customer sends.
    pub sending: FeeRule,
    /// Off what a customer receives; the payer sees it in the quote.
    pub receiving: FeeRule,
    /// Decimal places of the currency, 0 to 4.
    pub decimals: u32,
}

/// What a payee's DFSP answers to a quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PayeeTerms {
    /// Moves between the DFSPs.
    pub transfer: Amount,
    /// Of it, what the payee's DFSP keeps.
    pub fee: Amount,
    /// Of it, what reaches the payee.
    pub received: Amount,
}

const BASIS_POINTS_IN_WHOLE: i128 = 10_000;

impl FeeRule {
    pub const FREE: Self = Self { basis_points: 0, minimum: Amount::ZERO };

    /// The fee for `amount`; `None` if it does not fit into an [`Amount`] or the amount is negative.
    pub fn on(&self, amount: Amount, decimals: u32) -> Option<Amount> {
        if amount.is_negative() {
            return None;
        }
        // Half up in coins of the currency: floor((2 * share + coin) / (2 * coin)), everything times 10 000.
        let coin = coin_units(decimals) * BASIS_POINTS_IN_WHOLE;
        let share = i128::from(amount.units()) * i128::from(self.basis_points);
        let coins = (2 * share + coin) / (2 * coin);
        let units = coins * coin_units(decimals);
        let fee = Amount::from_units(i64::try_from(units).ok()?);
        Some(fee.max(self.minimum))
    }
}

impl Fees {
    /// What the customer pays on top of a transfer of `transfer`.
    pub fn sending_fee(&self, transfer: Amount) -> Option<Amount> {
        self.sending.on(transfer, self.decimals)
    }

    /// The payer sends exactly `amount`; the fee comes out of it. `None` if nothing would be left.
    pub fn terms_of_sent(&self, amount: Amount) -> Option<PayeeTerms> {
        let fee = self.receiving.on(amount, self.decimals)?;
        let received = amount.checked_sub(fee)?;
        (received > Amount::ZERO).then_some(PayeeTerms { transfer: amount, fee, received })
    }

    /// The payee receives exactly `amount`; the fee comes on top of it.
    pub fn terms_of_received(&self, amount: Amount) -> Option<PayeeTerms> {
        let fee = self.receiving.on(amount, self.decimals)?;
        let transfer = amount.checked_add(fee)?;
        (amount > Amount::ZERO).then_some(PayeeTerms { transfer, fee, received: amount })
    }

    /// Whether an amount can be paid in coins of the currency.
    pub fn is_payable(&self, amount: Amount) -> bool {
        i128::from(amount.units()) % coin_units(self.decimals) == 0
    }
}

/// The currency's smallest coin, in units of [`Amount`].
fn coin_units(decimals: u32) -> i128 {
    10_i128.pow(SCALE.saturating_sub(decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn rule(basis_points: u32, minimum: &str) -> FeeRule {
        FeeRule { basis_points, minimum: amount(minimum) }
    }

    #[test]
    fn a_fee_is_a_share_rounded_half_up_to_the_coin_and_never_below_the_minimum() {
        for (basis_points, minimum, sent, fee) in [
            (100, "0", "100", "1"),
            (100, "0", "100.49", "1"),
            (100, "0", "100.5", "1.01"),
            (100, "0.1", "5", "0.1"),
            (100, "0.1", "0", "0.1"),
            (50, "0", "0.99", "0"),
            (50, "0", "1", "0.01"),
            (0, "0", "1000000", "0"),
        ] {
            assert_eq!(rule(basis_points, minimum).on(amount(sent), 2), Some(amount(fee)), "{basis_points} {sent}");
        }
        assert_eq!(rule(100, "0").on(amount("150"), 0), Some(amount("2")));
        assert_eq!(rule(100, "0").on(amount("1.0001"), 4), Some(amount("0.01")));
    }

    #[test]
    fn what_does_not_fit_is_refused_rather_than_cut() {
        assert_eq!(rule(u32::MAX, "0").on(Amount::MAX, 2), None);
        assert_eq!(rule(100, "0").on(amount("-1"), 2), None);
    }

    #[test]
    fn both_ways_of_naming_an_amount_add_up() {
        let fees = Fees { sending: FeeRule::FREE, receiving: rule(100, "0.05"), decimals: 2 };
        let sent = fees.terms_of_sent(amount("200")).unwrap();
        assert_eq!((sent.fee, sent.received), (amount("2"), amount("198")));
        let received = fees.terms_of_received(amount("200")).unwrap();
        assert_eq!((received.transfer, received.fee), (amount("202"), amount("2")));
        assert_eq!(fees.terms_of_sent(amount("0.05")), None, "the fee would eat the payment");
        assert_eq!(fees.terms_of_received(Amount::ZERO), None);
    }

    #[test]
    fn amounts_with_parts_of_a_coin_cannot_be_paid() {
        let fees = Fees { sending: FeeRule::FREE, receiving: FeeRule::FREE, decimals: 2 };
        assert!(fees.is_payable(amount("1.25")));
        assert!(!fees.is_payable(amount("1.255")));
    }
}
