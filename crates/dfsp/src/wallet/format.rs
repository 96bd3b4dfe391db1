//! How amounts, times and numbers are shown to people, and read from them.

use vocabulary::{Amount, Currency, PartyId, PartyIdType, SCALE, Timestamp};

/// `KES 1,250.00`: the currency's decimals, thousands apart.
pub(super) fn money(amount: Amount, currency: Currency) -> String {
    let decimals = sdk::exponent(currency) as usize;
    let text = amount.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // More decimals than the currency has are shown rather than hidden.
    let fraction = format!("{fraction:0<decimals$}");
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{currency} {sign}{}{point}{fraction}", thousands(whole))
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2026-11-21 09:30 UTC`.
pub(super) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// An amount as people type it: thousands may be apart, blanks may surround it.
pub(super) fn read_amount(text: &str, currency: Currency) -> Option<Amount> {
    let plain: String = text.trim().chars().filter(|character| !matches!(character, ',' | ' ' | '\u{a0}')).collect();
    let amount = Amount::parse(&plain).ok()?;
    let coin = 10_i64.pow(SCALE.saturating_sub(sdk::exponent(currency)));
    (amount > Amount::ZERO && amount.units() % coin == 0).then_some(amount)
}

/// A phone number as people type it: digits, perhaps `+` or `00` before and blanks, dashes or brackets between.
pub(super) fn read_number(text: &str) -> Option<PartyId> {
    let plain: String =
        text.chars().filter(|character| !character.is_whitespace() && !"-()./".contains(*character)).collect();
    let digits = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00")).unwrap_or(&plain);
    let is_number = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| PartyId::try_new(PartyIdType::Msisdn, digits, None).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kes() -> Currency {
        "KES".parse().unwrap()
    }

    #[test]
    fn amounts_are_shown_with_all_decimals_and_thousands_apart() {
        for (amount, shown) in [
            ("0", "KES 0.00"),
            ("1250", "KES 1,250.00"),
            ("1234567.5", "KES 1,234,567.50"),
            ("-3.25", "KES −3.25"),
            ("999.9999", "KES 999.9999"),
        ] {
            assert_eq!(money(Amount::parse(amount).unwrap(), kes()), shown);
        }
        assert_eq!(money(Amount::parse("1500").unwrap(), "UGX".parse().unwrap()), "UGX 1,500");
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (text, amount) in [(" 1,250.50 ", Some("1250.5")), ("7", Some("7")), ("1 000", Some("1000"))] {
            assert_eq!(read_amount(text, kes()), amount.map(|text| Amount::parse(text).unwrap()), "{text}");
        }
        for text in ["", "0", "-5", "1.005", "five", "1e3", "99999999999999999"] {
            assert_eq!(read_amount(text, kes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        for text in ["999 200 1001", "+999-200-1001", "00999 (200) 1001"] {
            assert_eq!(&*read_number(text).unwrap().identifier, "9992001001");
        }
        for text in ["", "12", "+", "call me", "1234567890123456"] {
            assert!(read_number(text).is_none(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        assert_eq!(minute(Timestamp::from_millis(0)), "1970-01-01 00:00 UTC");
    }
}
