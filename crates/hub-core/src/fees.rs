//! Interchange fees: what participants owe one another for payments, by a table of rules
//! (contract, administration §2.8).
//!
//! A rule is data: conditions on the payment, who owes whom, and a formula. The fees of a payment are computed once, when
//! it is prepared, and kept with it; its commit posts them, so that they join the payment's window. Fees need no
//! liquidity: they are settled net by the model of their account type.

use alloc::{boxed::Box, vec::Vec};
use vocabulary::{Amount, Currency, FspId, Money, Timestamp};

/// One row of the table. Rules never change: another one takes the place of one that is switched off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeRule {
    /// Assigned in creation order, from 1.
    pub id: i64,
    pub name: Box<str>,
    pub is_active: bool,
    /// Payments prepared from this time on; none is always.
    pub from: Option<Timestamp>,
    /// Payments prepared before this time; none is for ever.
    pub until: Option<Timestamp>,
    pub conditions: FeeConditions,
    pub debtor: FeeDebtor,
    pub formula: FeeFormula,
}

/// What a payment must be like; what is absent does not matter.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FeeConditions {
    pub currency: Option<Currency>,
    pub payer: Option<FspId>,
    pub payee: Option<FspId>,
    /// Included.
    pub amount_from: Option<Amount>,
    /// Included.
    pub amount_to: Option<Amount>,
    /// `transactionType` of the transaction in the ILP packet.
    pub scenario: Option<Box<str>>,
    pub sub_scenario: Option<Box<str>>,
    pub initiator: Option<Box<str>>,
    pub initiator_type: Option<Box<str>>,
    /// An extension of the payer, or of the payee, in the transaction: key and value.
    pub payer_extension: Option<Extension>,
    pub payee_extension: Option<Extension>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    pub key: Box<str>,
    pub value: Box<str>,
}

/// Whose participant owes the fee to the other side's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeDebtor {
    Payer,
    Payee,
}

/// How much is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeFormula {
    Fixed(Amount),
    /// Per cent of the payment's amount, rounded half up.
    Percentage {
        percent: Amount,
        decimals: FeeDecimals,
    },
}

/// Decimal places that a fee is rounded to: 0 to 4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeDecimals(u8);

/// What the transaction of a payment says beside its amount; empty where the packet could not be read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TransactionFacts {
    pub scenario: Option<Box<str>>,
    pub sub_scenario: Option<Box<str>>,
    pub initiator: Option<Box<str>>,
    pub initiator_type: Option<Box<str>>,
    pub payer_extensions: Vec<Extension>,
    pub payee_extensions: Vec<Extension>,
}

/// A fee of one payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fee {
    /// The rule's id.
    pub rule: i64,
    pub debtor: FeeDebtor,
    /// Above zero.
    pub amount: Amount,
}

/// A payment whose fees are asked for.
pub(crate) struct Priced<'a> {
    pub payer: &'a FspId,
    pub payee: &'a FspId,
    pub money: Money,
    pub facts: &'a TransactionFacts,
}

/// Units of 10⁻⁴ per cent in the whole.
const WHOLE: i128 = 1_000_000;

impl FeeDecimals {
    pub fn try_new(places: u8) -> Option<Self> {
        (places <= 4).then_some(Self(places))
    }

    pub const fn places(self) -> u8 {
        self.0
    }
}

impl FeeDebtor {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payer => "PAYER",
            Self::Payee => "PAYEE",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Payer, Self::Payee].into_iter().find(|known| known.as_str() == text)
    }
}

/// The fees of a payment, in the order of the rules. None of a participant that pays itself, none that round to zero,
/// and none that would leave the range of an amount.
pub(crate) fn fees_of(rules: &[FeeRule], payment: &Priced<'_>, now: Timestamp) -> Vec<Fee> {
    if payment.payer.same_as(payment.payee.as_str()) {
        return Vec::new();
    }
    let applies = |rule: &&FeeRule| rule.is_valid_at(now) && rule.conditions.are_met_by(payment);
    let fee = |rule: &FeeRule| {
        let amount = rule.formula.amount(payment.money.amount)?;
        (amount > Amount::ZERO).then_some(Fee { rule: rule.id, debtor: rule.debtor, amount })
    };
    rules.iter().filter(applies).filter_map(fee).collect()
}

impl FeeRule {
    fn is_valid_at(&self, now: Timestamp) -> bool {
        self.is_active && self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

impl FeeConditions {
    fn are_met_by(&self, payment: &Priced<'_>) -> bool {
        let (facts, amount) = (payment.facts, payment.money.amount);
        let is = |wanted: &Option<Box<str>>, found: &Option<Box<str>>| wanted.is_none() || wanted == found;
        let has = |wanted: &Option<Extension>, found: &[Extension]| {
            wanted.as_ref().is_none_or(|wanted| found.contains(wanted))
        };
        self.currency.is_none_or(|currency| currency == payment.money.currency)
            && self.payer.as_ref().is_none_or(|payer| payer.same_as(payment.payer.as_str()))
            && self.payee.as_ref().is_none_or(|payee| payee.same_as(payment.payee.as_str()))
            && self.amount_from.is_none_or(|from| from <= amount)
            && self.amount_to.is_none_or(|to| amount <= to)
            && is(&self.scenario, &facts.scenario)
            && is(&self.sub_scenario, &facts.sub_scenario)
            && is(&self.initiator, &facts.initiator)
            && is(&self.initiator_type, &facts.initiator_type)
            && has(&self.payer_extension, &facts.payer_extensions)
            && has(&self.payee_extension, &facts.payee_extensions)
    }
}

impl FeeFormula {
    /// None where the fee leaves the range of an amount.
    fn amount(self, of: Amount) -> Option<Amount> {
        match self {
            Self::Fixed(amount) => Some(amount),
            Self::Percentage { percent, decimals } => {
                // Products of two 64-bit numbers fit into 128 bits.
                let exact = i128::from(of.units()) * i128::from(percent.units());
                let step = 10_i128.pow(4 - u32::from(decimals.places()));
                let rounded = rounded_half_up(exact, WHOLE * step) * step;
                i64::try_from(rounded).ok().map(Amount::from_units)
            }
        }
    }
}

/// A quotient of a number that is not negative.
fn rounded_half_up(number: i128, by: i128) -> i128 {
    (number + by / 2) / by
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn percentage(percent: &str, places: u8) -> FeeFormula {
        FeeFormula::Percentage { percent: amount(percent), decimals: FeeDecimals::try_new(places).unwrap() }
    }

    fn extension(key: &str, value: &str) -> Extension {
        Extension { key: key.into(), value: value.into() }
    }

    /// Payments between wallets of consumers: 0.6 per cent, from the payer's side to the payee's.
    fn rule() -> FeeRule {
        FeeRule {
            id: 7,
            name: "wallet to wallet".into(),
            is_active: true,
            from: Some(Timestamp::from_millis(1000)),
            until: Some(Timestamp::from_millis(2000)),
            conditions: FeeConditions {
                scenario: Some("TRANSFER".into()),
                initiator: Some("PAYER".into()),
                initiator_type: Some("CONSUMER".into()),
                payer_extension: Some(extension("accountType", "Wallet")),
                payee_extension: Some(extension("accountType", "Wallet")),
                ..FeeConditions::default()
            },
            debtor: FeeDebtor::Payer,
            formula: percentage("0.6", 2),
        }
    }

    fn facts() -> TransactionFacts {
        TransactionFacts {
            scenario: Some("TRANSFER".into()),
            sub_scenario: None,
            initiator: Some("PAYER".into()),
            initiator_type: Some("CONSUMER".into()),
            payer_extensions: vec![extension("other", "x"), extension("accountType", "Wallet")],
            payee_extensions: vec![extension("accountType", "Wallet")],
        }
    }

    fn fees(rule: &FeeRule, of: &str, facts: &TransactionFacts, at: i64) -> Vec<Fee> {
        let (payer, payee) = ("payer".parse().unwrap(), "payee".parse().unwrap());
        let money = Money { amount: amount(of), currency: "USD".parse().unwrap() };
        let payment = Priced { payer: &payer, payee: &payee, money, facts };
        fees_of(core::slice::from_ref(rule), &payment, Timestamp::from_millis(at))
    }

    #[test]
    fn a_percentage_is_rounded_half_up_to_its_decimals() {
        for (of, percent, places, expected) in [
            ("100", "0.6", 2, "0.6"),
            ("100.5", "0.6", 2, "0.6"),
            ("0.83", "0.6", 2, "0"),
            ("0.84", "0.6", 2, "0.01"),
            ("12.5", "1", 0, "0"),
            ("50", "1", 0, "1"),
            ("0.01", "0.5", 4, "0.0001"),
            ("1", "100", 4, "1"),
            ("99999999999999.9999", "100", 4, "99999999999999.9999"),
        ] {
            assert_eq!(percentage(percent, places).amount(amount(of)), Some(amount(expected)), "{percent} % of {of}");
        }
        assert_eq!(percentage("200", 4).amount(Amount::MAX), None);
    }

    #[test]
    fn a_rule_applies_while_it_is_valid_and_every_condition_is_met() {
        let expected = vec![Fee { rule: 7, debtor: FeeDebtor::Payer, amount: amount("0.6") }];
        assert_eq!(fees(&rule(), "100", &facts(), 1000), expected);
        for at in [999, 2000] {
            assert_eq!(fees(&rule(), "100", &facts(), at), [], "at {at}");
        }
        assert_eq!(fees(&FeeRule { is_active: false, ..rule() }, "100", &facts(), 1500), []);
        let wallet_only_at_the_payer = TransactionFacts { payee_extensions: Vec::new(), ..facts() };
        let other_scenario = TransactionFacts { scenario: Some("REFUND".into()), ..facts() };
        for facts in [wallet_only_at_the_payer, other_scenario, TransactionFacts::default()] {
            assert_eq!(fees(&rule(), "100", &facts, 1500), [], "{facts:?}");
        }
    }

    #[test]
    fn amounts_currency_and_participants_are_conditions_too() {
        let with = |conditions| FeeRule { conditions, formula: FeeFormula::Fixed(amount("1")), ..rule() };
        let base = FeeConditions::default;
        for (conditions, applies) in [
            (base(), true),
            (FeeConditions { amount_from: Some(amount("100")), amount_to: Some(amount("100")), ..base() }, true),
            (FeeConditions { amount_from: Some(amount("100.0001")), ..base() }, false),
            (FeeConditions { amount_to: Some(amount("99.9999")), ..base() }, false),
            (FeeConditions { currency: Some("USD".parse().unwrap()), ..base() }, true),
            (FeeConditions { currency: Some("EUR".parse().unwrap()), ..base() }, false),
            (FeeConditions { payer: Some("PAYER".parse().unwrap()), ..base() }, true),
            (FeeConditions { payee: Some("payer".parse().unwrap()), ..base() }, false),
        ] {
            let found = fees(&with(conditions.clone()), "100", &facts(), 1500);
            assert_eq!(!found.is_empty(), applies, "{conditions:?}");
        }
    }

    #[test]
    fn who_pays_itself_owes_nothing() {
        let name: FspId = "payer".parse().unwrap();
        let money = Money { amount: amount("100"), currency: "USD".parse().unwrap() };
        let payment = Priced { payer: &name, payee: &name, money, facts: &facts() };
        assert_eq!(fees_of(&[rule()], &payment, Timestamp::from_millis(1500)), []);
    }

    proptest! {
        #[test]
        fn a_percentage_is_off_by_half_a_step_at_most(of in 0..=i64::MAX, percent in 0i64..=1_000_000, places in 0u8..=4) {
            let decimals = FeeDecimals::try_new(places).unwrap();
            let formula = FeeFormula::Percentage { percent: Amount::from_units(percent), decimals };
            if let Some(fee) = formula.amount(Amount::from_units(of)) {
                let step = 10_i128.pow(4 - u32::from(places));
                let twice_off = 2 * (i128::from(fee.units()) * WHOLE - i128::from(of) * i128::from(percent));
                prop_assert!(twice_off.abs() <= step * WHOLE);
                prop_assert_eq!(i128::from(fee.units()) % step, 0);
            }
        }
    }
}
