//! The text of a payment code that a payer's wallet reads (EMV QR code specification for payment systems, merchant-presented
//! mode, version 1.1): fields of two digits for the tag, two for the length, then the value, and a checksum at the end.
//!
//! Invariant: what [`Code::text`] writes, [`Code::parse`] reads back; a text with one wrong character is refused. A code names
//! an account and perhaps an amount; who that is and what it costs the payer learns from the scheme, never from the code.

use vocabulary::{Amount, Currency, PartyId, PartyIdType};

/// Characters of a text that are looked at.
const TEXT_MAX: usize = 512;
/// Of the template in which accounts of this scheme are named; the standard asks for a reversed domain name.
const SCHEME: &str = "org.example.umoja";
/// Tags from 26 to 51 are for schemes that are not cards.
const TEMPLATES: std::ops::RangeInclusive<u32> = 26..=51;
const NAME_MAX: usize = 25;
const REFERENCE_MAX: usize = 25;
/// Numbers of currencies (ISO 4217) that codes can be written in.
const NUMBERS: [(&str, &str); 14] = [
    ("EUR", "978"),
    ("GHS", "936"),
    ("KES", "404"),
    ("MWK", "454"),
    ("NGN", "566"),
    ("RWF", "646"),
    ("TZS", "834"),
    ("UGX", "800"),
    ("USD", "840"),
    ("XAF", "950"),
    ("XOF", "952"),
    ("ZAR", "710"),
    ("ZMW", "967"),
    ("ETB", "230"),
];

/// Who is to be paid, and perhaps how much and for what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// A phone number.
    pub number: PartyId,
    /// For people to read.
    pub name: String,
    pub currency: Currency,
    /// Absent if the payer says it.
    pub amount: Option<Amount>,
    /// Of a bill.
    pub reference: Option<String>,
}

impl Code {
    /// The text that the picture shows. `None` if the currency's number is not known here.
    pub fn text(&self) -> Option<String> {
        let number = NUMBERS.iter().find(|(code, _)| *code == self.currency.as_str())?.1;
        let account = field(0, SCHEME) + &field(1, &self.number.identifier);
        let initiation = if self.amount.is_some() { "12" } else { "11" };
        let mut text = field(0, "01") + &field(1, initiation) + &field(26, &account);
        // No category: any customer can show a code.
        text += &(field(52, "0000") + &field(53, number));
        if let Some(amount) = self.amount {
            text += &field(54, &amount.to_string());
        }
        // The first two letters of most currencies are their country's; the place is not known.
        text += &(field(58, &self.currency.as_str()[..2]) + &field(59, &plain(&self.name, NAME_MAX)) + &field(60, "-"));
        if let Some(reference) = &self.reference {
            text += &field(62, &field(5, &plain(reference, REFERENCE_MAX)));
        }
        text += "6304";
        let sum = checksum(&text);
        Some(format!("{text}{sum:04X}"))
    }

    /// Reads a text. `None` if it is none of this scheme, damaged, or in a currency that is not known here.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_ascii() || text.len() > TEXT_MAX || text.len() < 8 {
            return None;
        }
        let (signed, sum) = text.split_at(text.len() - 4);
        if !signed.ends_with("6304") || format!("{:04X}", checksum(signed)) != sum {
            return None;
        }
        let fields = fields(text)?;
        let value = |tag: u32| fields.iter().find(|(found, _)| *found == tag).map(|(_, value)| *value);
        if value(0) != Some("01") {
            return None;
        }
        let mut templates = fields.iter().filter(|(tag, _)| TEMPLATES.contains(tag));
        let number = templates.find_map(|(_, template)| account(template))?;
        let currency = NUMBERS.iter().find(|(_, number)| value(53) == Some(*number))?.0;
        let amount = match value(54) {
            Some(text) => Some(Amount::parse(text).ok().filter(|amount| *amount > Amount::ZERO)?),
            None => None,
        };
        let more = value(62).and_then(self::fields).unwrap_or_default();
        let reference = more.iter().find(|(tag, _)| *tag == 5).map(|(_, reference)| (*reference).to_owned());
        let name = value(59).unwrap_or_default().to_owned();
        Some(Self { number, name, currency: currency.parse().ok()?, amount, reference })
    }
}

/// The phone number of a template of this scheme.
fn account(template: &str) -> Option<PartyId> {
    let fields = fields(template)?;
    let (&(_, scheme), &(_, number)) = (fields.first()?, fields.iter().find(|(tag, _)| *tag == 1)?);
    (scheme == SCHEME).then(|| PartyId::try_new(PartyIdType::Msisdn, number, None).ok())?
}

fn field(tag: u32, value: &str) -> String {
    assert!(value.len() <= 99, "the parts of a code are short");
    format!("{tag:02}{:02}{value}", value.len())
}

/// All of an ASCII text, or nothing.
fn fields(text: &str) -> Option<Vec<(u32, &str)>> {
    let (mut rest, mut found) = (text, Vec::new());
    while !rest.is_empty() {
        let (tag, length) = (digits(rest.get(..2)?)?, digits(rest.get(2..4)?)?);
        let end = 4 + usize::try_from(length).ok()?;
        found.push((tag, rest.get(4..end)?));
        rest = &rest[end..];
    }
    Some(found)
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Printable ASCII, cut to a length; what is not becomes a question mark, and nothing a dash.
fn plain(text: &str, length_max: usize) -> String {
    let ascii = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    let plain: String = text.chars().map(ascii).take(length_max).collect();
    if plain.is_empty() { "-".to_owned() } else { plain }
}

/// CRC-16 with the polynomial 1021 and the start FFFF, as the standard says.
fn checksum(text: &str) -> u16 {
    text.bytes().fold(0xFFFF, |sum, byte| {
        (0..8).fold(
            sum ^ (u16::from(byte) << 8),
            |sum: u16, _| {
                if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(amount: Option<&str>, reference: Option<&str>) -> Code {
        Code {
            number: PartyId::try_new(PartyIdType::Msisdn, "9992000001", None).unwrap(),
            name: "Baraka Kimani".into(),
            currency: "KES".parse().unwrap(),
            amount: amount.map(|text| Amount::parse(text).unwrap()),
            reference: reference.map(str::to_owned),
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_the_standard_means() {
        // The usual check value of CRC-16/CCITT-FALSE.
        assert_eq!(checksum("123456789"), 0x29B1);
    }

    #[test]
    fn a_code_is_written_field_by_field() {
        let text = code(Some("99.5"), Some("Bill 7")).text().unwrap();
        let body = "00020101021226350017org.example.umoja0110999200000152040000530340454049\
                    9.55802KE5913Baraka Kimani6001-62100506Bill 76304";
        assert_eq!(text[..text.len() - 4], *body);
        assert_eq!(Code::parse(&format!("  {text}\n")), Some(code(Some("99.5"), Some("Bill 7"))));
        assert!(code(None, None).text().unwrap().starts_with("000201010211"));
    }

    #[test]
    fn what_is_no_code_of_this_scheme_is_refused() {
        let of = |text: &str| format!("{text}6304{:04X}", checksum(&format!("{text}6304")));
        for text in [
            "",
            "hello",
            "https://example.org/",
            &of("000201"),
            &of("00020226350017org.example.umoja01109992000001530340 4"),
            &of("00020126350017org.example.other011099920000015303404"),
            &of("00020126350017org.example.umoja011099920000015303999"),
            &of("00020126350017org.example.umoja0110999200000153034045402-5"),
            &of("00020126990017org.example.umoja01109992000001"),
        ] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
        assert!(Code::parse(&of("00020126350017org.example.umoja011099920000015303404")).is_some());
    }

    proptest! {
        #[test]
        fn every_code_is_read_back(
            number in "[0-9]{5,15}", name in "[ -~]{1,25}", units in prop::option::of(1_i64..10_000_000_000),
            reference in prop::option::of("[ -~]{1,25}"),
        ) {
            let written = Code {
                number: PartyId::try_new(PartyIdType::Msisdn, &number, None).unwrap(),
                name,
                amount: units.map(Amount::from_units),
                reference,
                ..code(None, None)
            };
            prop_assert_eq!(Code::parse(&written.text().unwrap()), Some(written));
        }

        #[test]
        fn one_wrong_character_is_noticed(position in 0_usize..80, wrong in "[ -~]") {
            let text = code(Some("12"), Some("Bill")).text().unwrap();
            let position = position % text.len();
            let changed = format!("{}{wrong}{}", &text[..position], &text[position + 1..]);
            prop_assume!(changed != text);
            prop_assert_eq!(Code::parse(&changed), None);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,600}") {
            let _ = Code::parse(&text);
        }
    }
}
