//! What a foreign exchange provider gives for what, in integers.
//!
//! Invariant: rounding is in the provider's favour by less than a coin, and nothing has more decimals than its currency.

use crate::fees::FeeRule;
use sdk::AmountType;
use vocabulary::{Amount, Currency, SCALE};

/// How many of one currency are worth how many of another: `target` for `source`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub source: u32,
    pub target: u32,
}

/// A pair of currencies in one direction, and its price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Market {
    pub source: Currency,
    pub target: Currency,
    /// In the middle between buying and selling.
    pub rate: Rate,
    /// What the provider gives less than the rate, in hundredths of a per cent.
    pub spread_basis_points: u32,
    /// In the source currency, of what the payer gives.
    pub fee: FeeRule,
}

/// A conversion at the market's price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deal {
    /// The provider gets it, the fee included.
    pub source: Amount,
    /// The provider gives it.
    pub target: Amount,
    pub fee: Amount,
}

const BASIS_POINTS_IN_WHOLE: i128 = 10_000;

impl Market {
    /// `None` if nothing would be left, or an amount does not fit or has more decimals than its currency.
    pub fn deal(&self, amount_type: AmountType, amount: Amount) -> Option<Deal> {
        let fixed = match amount_type {
            AmountType::Send => self.source,
            AmountType::Receive => self.target,
        };
        if amount <= Amount::ZERO || i128::from(amount.units()) % coin(fixed) != 0 {
            return None;
        }
        let [source_weight, target_weight] = self.weights()?;
        let decimals = sdk::exponent(self.source);
        let (source, target, fee) = match amount_type {
            AmountType::Send => {
                let fee = self.fee.on(amount, decimals)?;
                let converted = i128::from(amount.checked_sub(fee)?.units());
                let target = converted.checked_mul(target_weight)?.div_euclid(source_weight);
                (amount, to_amount(target - target.rem_euclid(coin(self.target)))?, fee)
            }
            AmountType::Receive => {
                let needed = i128::from(amount.units()).checked_mul(source_weight)?;
                let coins = target_weight.checked_mul(coin(self.source))?;
                let converted = to_amount((needed + coins - 1).div_euclid(coins) * coin(self.source))?;
                let fee = self.fee.on(converted, decimals)?;
                (converted.checked_add(fee)?, amount, fee)
            }
        };
        (target > Amount::ZERO).then_some(Deal { source, target, fee })
    }

    /// The rate with the spread: this much of the source currency is worth that much of the target currency.
    fn weights(&self) -> Option<[i128; 2]> {
        let kept = BASIS_POINTS_IN_WHOLE - i128::from(self.spread_basis_points);
        let weights = [i128::from(self.rate.source) * BASIS_POINTS_IN_WHOLE, i128::from(self.rate.target) * kept];
        weights.iter().all(|weight| *weight > 0).then_some(weights)
    }
}

fn to_amount(units: i128) -> Option<Amount> {
    i64::try_from(units).ok().map(Amount::from_units)
}

/// The currency's smallest coin, in units of [`Amount`].
fn coin(currency: Currency) -> i128 {
    10_i128.pow(SCALE.saturating_sub(sdk::exponent(currency)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn market() -> Market {
        Market {
            source: "KES".parse().unwrap(),
            target: "USD".parse().unwrap(),
            rate: Rate { source: 130, target: 1 },
            spread_basis_points: 100,
            fee: FeeRule { basis_points: 100, minimum: amount("5") },
        }
    }

    #[test]
    fn what_is_given_is_converted_after_the_fee_and_rounded_down_to_the_coin() {
        let deal = market().deal(AmountType::Send, amount("1300")).unwrap();
        // (1300 - 13) / 130 * 0.99 = 9.801
        assert_eq!(deal, Deal { source: amount("1300"), target: amount("9.8"), fee: amount("13") });
        assert_eq!(market().deal(AmountType::Send, amount("5")), None, "the fee eats it");
        assert_eq!(market().deal(AmountType::Send, amount("6")), None, "not a cent is left");
    }

    #[test]
    fn what_is_needed_costs_its_price_rounded_up_and_the_fee() {
        let deal = market().deal(AmountType::Receive, amount("10")).unwrap();
        // 10 * 130 / 0.99 = 1313.1313…
        assert_eq!(deal, Deal { source: amount("1326.27"), target: amount("10"), fee: amount("13.13") });
    }

    #[test]
    fn neither_way_of_asking_is_cheaper_than_the_rate() {
        for cents in 1..2_000_i64 {
            let needed = Amount::from_units(cents * 100);
            let deal = market().deal(AmountType::Receive, needed).unwrap();
            let converted = i128::from(deal.source.checked_sub(deal.fee).unwrap().units());
            assert!(converted * 99 >= i128::from(needed.units()) * 13_000, "{needed} for {converted}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert_eq!(market().deal(AmountType::Send, amount("1.001")), None);
        assert_eq!(market().deal(AmountType::Receive, Amount::MAX), None);
        assert_eq!(market().deal(AmountType::Send, Amount::ZERO), None);
        let nothing = Market { spread_basis_points: 10_000, ..market() };
        assert_eq!(nothing.deal(AmountType::Send, amount("1300")), None);
    }
}
