//! Numbers of the administration API: JSON numbers or numeric strings, rounded to the ledger's four decimals
//! (contract, administration §0.2 and §0.3). Text in, integer out; no floating point.

use vocabulary::{Amount, InvalidAmount};

const SCALE: i64 = 4;
/// Units of 99999999999999.9999: fourteen integer digits and four decimals.
const UNITS_MAX: i64 = 999_999_999_999_999_999;
/// Digits of [`UNITS_MAX`].
const DIGITS_MAX: i64 = 18;
/// Exponents beyond this leave the range whatever the digits are, as long as a body has its limit.
const EXPONENT_MAX: i64 = 10_000_000;

/// Reads a decimal number with optional sign, fraction and exponent, and rounds it to four decimals, half away from zero.
pub(crate) fn parse(text: &str) -> Result<Amount, InvalidAmount> {
    let (is_negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(InvalidAmount::Malformed);
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let leading_zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let units = to_units(&digits[leading_zeros..], exponent - length(fraction.len()))?;
    Ok(Amount::from_units(if is_negative { -units } else { units }))
}

/// `digits` · 10^`exponent` in units of 10⁻⁴; the first digit is not zero.
fn to_units(digits: &[u8], exponent: i64) -> Result<i64, InvalidAmount> {
    if digits.is_empty() {
        return Ok(0);
    }
    let shift = exponent + SCALE;
    let kept = length(digits.len()) + shift;
    if kept > DIGITS_MAX {
        return Err(InvalidAmount::TooLarge);
    }
    let Ok(kept) = usize::try_from(kept) else { return Ok(0) };
    let digit_at = |place: usize| i64::from(digits.get(place).copied().unwrap_or(0));
    let truncated = (0..kept).fold(0, |units, place| units * 10 + digit_at(place));
    let rounded = if digit_at(kept) >= 5 { truncated + 1 } else { truncated };
    if rounded > UNITS_MAX { Err(InvalidAmount::TooLarge) } else { Ok(rounded) }
}

fn parse_exponent(text: &str) -> Result<i64, InvalidAmount> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidAmount::Malformed);
    }
    let size = digits.parse().unwrap_or(EXPONENT_MAX).min(EXPONENT_MAX);
    Ok(if text.starts_with('-') { -size } else { size })
}

fn length(of: usize) -> i64 {
    i64::try_from(of).expect("a body is shorter than 2^63 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_four_decimals_half_away_from_zero() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("1000000", "1000000"),
            ("+5.50", "5.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0010", "10"),
            ("1.00004", "1"),
            ("1.00005", "1.0001"),
            ("1.99995", "2"),
            ("-1.00005", "-1.0001"),
            ("0.00004999", "0"),
            ("0.00005", "0.0001"),
            ("0.000005", "0"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("12345e-3", "12.345"),
            ("5e-5", "0.0001"),
            ("4e-5", "0"),
            ("1e-99999999999999999999", "0"),
            ("0e99999999999999999999", "0"),
            ("0.000000000000000000000000000001e30", "1"),
            ("99999999999999.9999", "99999999999999.9999"),
            ("-99999999999999.99994", "-99999999999999.9999"),
        ] {
            assert_eq!(parse(text).map(|amount| amount.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_the_ledger_cannot_hold_is_too_large() {
        for text in ["100000000000000", "99999999999999.99995", "1e14", "1e99999999999999999999", "-1e15"] {
            assert_eq!(parse(text), Err(InvalidAmount::TooLarge), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_malformed() {
        for text in ["", "-", ".", "e5", "1e", "1e+", "--1", "1,5", " 1", "0x1", "NaN", "Infinity", "1.2.3", "١"] {
            assert_eq!(parse(text), Err(InvalidAmount::Malformed), "{text}");
        }
    }
}
