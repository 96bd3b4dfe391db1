//! The lexical forms of FSPIOP 1.1 §7.2 and §7.3 that bodies, paths and queries share: the regular expression as the
//! API prints it, and a function that decides the same without a regex engine.

use super::schema::{TextSchema, bounded, one_of, pattern};
use vocabulary::{CorrelationId, Currency, PartyIdType, Timestamp};

pub(crate) const CORRELATION_ID_PATTERN: &str =
    "^[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$|^[0-9A-HJKMNP-TV-Z]{26}$";
pub(crate) const AMOUNT_PATTERN: &str = "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$";
const DATE_TIME_PATTERN: &str = "^(?:[1-9]\\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-\
    (?:29|30)|(?:0[13578]|1[02])-31)|(?:[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-\
    02-29)T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:(\\.\\d{3}))(?:Z|[+-][01]\\d:[0-5]\\d)$";
const DATE_PATTERN: &str = "^(?:[1-9]\\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|\
    (?:0[13578]|1[02])-31)|(?:[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)$";
const NAME_PATTERN: &str =
    "^(?!\\s*$)[\\p{L}\\p{gc=Mark}\\p{digit}\\p{gc=Connector_Punctuation}\\p{Join_Control} .,''-]{1,128}$";
const LATITUDE_PATTERN: &str = "^(\\+|-)?(?:90(?:(?:\\.0{1,6})?)|(?:[0-9]|[1-8][0-9])(?:(?:\\.[0-9]{1,6})?))$";
const LONGITUDE_PATTERN: &str =
    "^(\\+|-)?(?:180(?:(?:\\.0{1,6})?)|(?:[0-9]|[1-9][0-9]|1[0-7][0-9])(?:(?:\\.[0-9]{1,6})?))$";

pub(super) static CORRELATION_ID: TextSchema =
    pattern(CORRELATION_ID_PATTERN, |text| text.parse::<CorrelationId>().is_ok());
pub(super) static AMOUNT: TextSchema = pattern(AMOUNT_PATTERN, is_amount);
pub(super) static CURRENCY: TextSchema =
    TextSchema { is_allowed: Some(|text| text.parse::<Currency>().is_ok()), ..bounded(3, 3) };
pub(super) static DATE_TIME: TextSchema = pattern(DATE_TIME_PATTERN, is_date_time);
pub(super) static FSP_ID: TextSchema = bounded(1, 32);
pub(super) static CONDITION: TextSchema =
    TextSchema { chars_max: 48, ..pattern("^[A-Za-z0-9-_]{43}$", |text| text.len() == 43 && is_base64url(text)) };
pub(super) static ILP_PACKET: TextSchema =
    TextSchema { chars_min: 1, chars_max: 32_768, ..pattern("^[A-Za-z0-9-_]+[=]{0,2}$", is_packet) };
pub(super) static ERROR_CODE: TextSchema = pattern("^[1-9]\\d{3}$", |text| crate::ErrorCode::parse(text).is_some());
/// Quotes allow the groups of the API only.
pub(super) static QUOTE_ERROR_CODE: TextSchema = pattern("^([12]0|3[0-4]|4[0-4]|5[0-4])[0-9]{2}$", |text| {
    crate::ErrorCode::parse(text)
        .is_some_and(|code| matches!(code.number() / 100, 10 | 20 | 30..=34 | 40..=44 | 50..=54))
});
pub(super) static TEXT_128: TextSchema = bounded(1, 128);
pub(super) static CHARGE_TYPE: TextSchema = bounded(1, 32);
pub(super) static EXTENSION_KEY: TextSchema = bounded(1, 32);
pub(super) static TRANSFER_STATE: TextSchema =
    one_of(|text| matches!(text, "RECEIVED" | "RESERVED" | "COMMITTED" | "ABORTED"));
pub(super) static AMOUNT_TYPE: TextSchema = one_of(|text| matches!(text, "SEND" | "RECEIVE"));
pub(super) static CONVERTER: TextSchema = one_of(|text| matches!(text, "PAYER" | "PAYEE"));
pub(super) static PARTY_ID_TYPE: TextSchema = one_of(|text| text.parse::<PartyIdType>().is_ok());
pub(super) static SCENARIO: TextSchema =
    one_of(|text| matches!(text, "DEPOSIT" | "WITHDRAWAL" | "TRANSFER" | "PAYMENT" | "REFUND"));
pub(super) static SUB_SCENARIO: TextSchema = pattern("^[A-Z_]{1,32}$", |text| {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
});
pub(super) static INITIATOR: TextSchema = one_of(|text| matches!(text, "PAYER" | "PAYEE"));
pub(super) static INITIATOR_TYPE: TextSchema =
    one_of(|text| matches!(text, "CONSUMER" | "AGENT" | "BUSINESS" | "DEVICE"));
pub(super) static BALANCE_OF_PAYMENTS: TextSchema =
    pattern("^[1-9]\\d{2}$", |text| text.len() == 3 && is_digits(text) && !text.starts_with('0'));
pub(super) static MERCHANT_CODE: TextSchema =
    pattern("^[\\d]{1,4}$", |text| (1..=4).contains(&text.len()) && is_digits(text));
pub(super) static PERSON_NAME: TextSchema =
    TextSchema { chars_min: 1, chars_max: 128, ..pattern(NAME_PATTERN, is_person_name) };
pub(super) static DATE: TextSchema = pattern(DATE_PATTERN, is_date);
pub(super) static KYC: TextSchema = bounded(1, 2048);
pub(super) static LATITUDE: TextSchema = pattern(LATITUDE_PATTERN, |text| is_coordinate(text, 90));
pub(super) static LONGITUDE: TextSchema = pattern(LONGITUDE_PATTERN, |text| is_coordinate(text, 180));

/// `Amount` (§7.2.15): no leading zeros, no trailing zeros, at most 18 integer digits and 4 decimals.
pub fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let whole_is_valid = whole == "0" || (is_digits(whole) && whole.len() <= 18 && !whole.starts_with('0'));
    let fraction_is_valid = |part: &str| is_digits(part) && part.len() <= 4 && !part.ends_with('0');
    whole_is_valid && fraction.is_none_or(fraction_is_valid)
}

/// `DateTime` (§7.2.9); the years 1000 to 9999, offsets up to 19:59.
fn is_date_time(text: &str) -> bool {
    let offset_is_valid = text.len() == 24 || matches!(text.as_bytes().get(24), Some(b'0' | b'1'));
    !text.starts_with('0') && offset_is_valid && text.parse::<Timestamp>().is_ok()
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && !text.starts_with('0') && format!("{text}T00:00:00.000Z").parse::<Timestamp>().is_ok()
}

fn is_packet(text: &str) -> bool {
    let unpadded = text.strip_suffix('=').map_or(text, |rest| rest.strip_suffix('=').unwrap_or(rest));
    !unpadded.is_empty() && is_base64url(unpadded)
}

fn is_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Letters, marks and digits of any script, connectors, joiners, blanks and `. , ' -`; not blank. Outside ASCII the
/// blocks of symbols, punctuation and private use are excluded instead of carrying a table of all letters and marks.
fn is_person_name(text: &str) -> bool {
    let is_allowed = |character: char| match character {
        '\0'..='\x7f' => character.is_ascii_alphanumeric() || matches!(character, '_' | ' ' | '.' | ',' | '\'' | '-'),
        '\u{200c}' | '\u{200d}' | '\u{2019}' | '\u{203f}' | '\u{2040}' | '\u{2054}' => true,
        '\u{80}'..='\u{bf}' => matches!(character, 'ª' | 'µ' | 'º'),
        '×'
        | '÷'
        | '\u{2000}'..='\u{206f}'
        | '\u{20a0}'..='\u{20cf}'
        | '\u{2190}'..='\u{2bff}'
        | '\u{3000}'..='\u{3004}' => false,
        '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}' | '\u{f0000}'.. => false,
        _ => !character.is_whitespace() && !character.is_control(),
    };
    text.chars().all(is_allowed) && !text.trim().is_empty()
}

/// Degrees within ±`limit`, at most six decimals, which are zero at the limit itself.
fn is_coordinate(text: &str, limit: u32) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let whole_is_valid = is_digits(whole) && whole.len() <= 3 && (whole == "0" || !whole.starts_with('0'));
    if !whole_is_valid || !is_digits(fraction) || fraction.len() > 6 {
        return false;
    }
    let degrees: u32 = whole.parse().expect("at most three digits");
    degrees < limit || (degrees == limit && fraction.bytes().all(|digit| digit == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The regular expression read one character at a time.
    fn is_amount_by_automaton(text: &str) -> bool {
        #[derive(Clone, Copy)]
        enum State {
            Start,
            Zero,
            Whole(u32),
            Fraction { digits: u32, ends_well: bool },
        }
        let mut state = State::Start;
        for character in text.chars() {
            state = match (state, character) {
                (State::Start, '0') => State::Zero,
                (State::Start, '1'..='9') => State::Whole(1),
                (State::Whole(digits), '0'..='9') if digits < 18 => State::Whole(digits + 1),
                (State::Zero | State::Whole(_), '.') => State::Fraction { digits: 0, ends_well: false },
                (State::Fraction { digits, .. }, '0'..='9') if digits < 4 => {
                    State::Fraction { digits: digits + 1, ends_well: character != '0' }
                }
                _ => return false,
            };
        }
        matches!(state, State::Zero | State::Whole(_) | State::Fraction { ends_well: true, .. })
    }

    proptest! {
        #[test]
        fn the_grammar_of_amounts_is_that_of_the_regular_expression(text in "[0-9.]{0,24}|[0-9]{1,20}(\\.[0-9]{0,6})?") {
            prop_assert_eq!(is_amount(&text), is_amount_by_automaton(&text));
        }

        #[test]
        fn an_amount_of_the_wire_prints_as_it_was_written(text in "(0|[1-9][0-9]{0,13})(\\.[0-9]{0,3}[1-9])?") {
            prop_assert!(is_amount(&text));
            prop_assert_eq!(vocabulary::Amount::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn amounts_have_one_form() {
        for (text, is_valid) in [
            ("0", true),
            ("0.0001", true),
            ("999999999999999999.9999", true),
            ("5.50", false),
            ("05", false),
            ("1000000000000000000", false),
            ("0.00001", false),
            ("1.", false),
            ("", false),
            ("-1", false),
            ("1,5", false),
        ] {
            assert_eq!(is_amount(text), is_valid, "{text}");
        }
    }

    #[test]
    fn dates_exist_and_carry_milliseconds() {
        for (text, is_valid) in [
            ("2026-11-20T21:53:58.000Z", true),
            ("2026-11-20T21:53:58.000+19:59", true),
            ("2026-11-20T21:53:58.000+20:00", false),
            ("2026-11-20T21:53:58Z", false),
            ("0999-11-20T21:53:58.000Z", false),
            ("2026-02-29T00:00:00.000Z", false),
        ] {
            assert_eq!(is_date_time(text), is_valid, "{text}");
        }
        assert!(is_date("2024-02-29") && !is_date("2023-02-29") && !is_date("24-02-29"));
    }

    #[test]
    fn names_of_people_come_in_every_script() {
        for name in ["Henrik", "O'Brien", "María-José", "Öz", "ကျော်", "محمد", "अनिल", "Nguyễn", "Dr. X, 2_"]
        {
            assert!(is_person_name(name), "{name}");
        }
        for name in ["", "   ", "a<b", "x\n", "€", "💰", "a/b"] {
            assert!(!is_person_name(name), "{name}");
        }
    }

    #[test]
    fn coordinates_stay_on_the_globe() {
        for (text, is_valid) in [
            ("90", true),
            ("-90.000000", true),
            ("90.1", false),
            ("89.1234567", false),
            ("+45.4215", true),
            ("", false),
        ] {
            assert_eq!(is_coordinate(text, 90), is_valid, "{text}");
        }
        assert!(is_coordinate("179.999999", 180) && !is_coordinate("180.5", 180));
    }

    #[test]
    fn packets_may_be_padded() {
        assert!(is_packet("AYID") && is_packet("AYI=") && is_packet("AY=="));
        assert!(!is_packet("") && !is_packet("==") && !is_packet("A===") && !is_packet("A+B"));
    }
}
