//! Money: integers of 10⁻⁴ of the major unit, and the text in which FSPIOP writes them.

use crate::Currency;
use core::{fmt, str::FromStr};

/// Decimal places that the ledger keeps.
pub const SCALE: u32 = 4;
const UNITS_PER_MAJOR: i64 = 10_000;
/// Integer digits that [`Amount`] can hold; the grammar of FSPIOP allows 18.
const INTEGER_DIGITS_MAX: usize = 14;

/// A quantity without its currency, in units of 10⁻⁴ of the major unit. May be negative where the ledger says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i64);

/// A quantity of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    pub amount: Amount,
    pub currency: Currency,
}

/// Why a text is not an [`Amount`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidAmount {
    /// Not a decimal number in plain notation.
    Malformed,
    /// More than four decimals that are not zero.
    TooManyDecimals,
    /// More than 14 integer digits: the grammar of FSPIOP allows it, the ledger cannot hold it.
    TooLarge,
}

impl Amount {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// Units of 10⁻⁴ of the major unit.
    pub const fn units(self) -> i64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Parses a JSON number or FSPIOP amount: an optional minus sign, digits, and up to four significant decimals.
    /// Trailing zeros are accepted here; the wire's stricter grammar is checked by the `fspiop` crate.
    pub fn parse(text: &str) -> Result<Self, InvalidAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let only_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !only_digits(whole) || !only_digits(fraction) {
            return Err(InvalidAmount::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > SCALE as usize {
            return Err(InvalidAmount::TooManyDecimals);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > INTEGER_DIGITS_MAX {
            return Err(InvalidAmount::TooLarge);
        }
        let mut units = 0i64;
        for digit in whole.bytes().chain(fraction.bytes()) {
            units = units * 10 + i64::from(digit - b'0');
        }
        for _ in fraction.len()..SCALE as usize {
            units *= 10;
        }
        Ok(Self(if negative { -units } else { units }))
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        Self::parse(text)
    }
}

impl fmt::Display for Amount {
    /// Plain decimal notation without trailing zeros: the form that the FSPIOP grammar demands.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.unsigned_abs();
        let (whole, mut fraction) = (units / UNITS_PER_MAJOR as u64, units % UNITS_PER_MAJOR as u64);
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        write!(formatter, "{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let mut width = SCALE as usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        write!(formatter, ".{fraction:0width$}")
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Amount({self})")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Display for InvalidAmount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "an amount is digits with an optional decimal part",
            Self::TooManyDecimals => "an amount has at most 4 decimals",
            Self::TooLarge => "an amount has at most 14 integer digits",
        })
    }
}

impl core::error::Error for InvalidAmount {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn amounts_print_in_the_form_of_the_wire() {
        for (text, printed) in
            [("0", "0"), ("1", "1"), ("100.50", "100.5"), ("0.0001", "0.0001"), ("-7.25", "-7.25"), ("007", "7")]
        {
            assert_eq!(Amount::parse(text).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn the_limits_are_fourteen_integer_digits_and_four_decimals() {
        assert_eq!(Amount::parse("99999999999999.9999").unwrap().units(), 999_999_999_999_999_999);
        assert_eq!(Amount::parse("100000000000000"), Err(InvalidAmount::TooLarge));
        assert_eq!(Amount::parse("1.00001"), Err(InvalidAmount::TooManyDecimals));
        assert_eq!(Amount::parse("1.000000").unwrap().units(), 10_000);
    }

    #[test]
    fn what_is_no_plain_decimal_is_malformed() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", " 1", "1 ", "0x1", "١"] {
            assert_eq!(Amount::parse(text), Err(InvalidAmount::Malformed), "{text}");
        }
    }
}
