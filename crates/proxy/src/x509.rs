//! When a certificate expires: as much of X.509 (RFC 5280 §4.1) as that needs.
//!
//! Invariant: any bytes are either understood or `None`; nothing is trusted because of what is read here.

use vocabulary::Timestamp;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// `notAfter` of a certificate in DER.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut rest, _) = expect(certificate, SEQUENCE)?;
    if let Some((_, after)) = expect(rest, VERSION) {
        rest = after;
    }
    // The serial number, the signature's algorithm, the issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = expect(rest, tag)?;
    }
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, text, _) = element(after_begin)?;
    time(tag, str::from_utf8(text).ok()?)
}

/// The content of an element with a tag, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content and rest. Lengths of up to three bytes are enough for any certificate.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, the only forms that certificates may use.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let full = match (tag, digits.len()) {
        // Two digits of the year mean 1950 to 2049.
        (UTC_TIME, 12) => format!("{}{digits}", if digits < "50" { "20" } else { "19" }),
        (GENERALIZED_TIME, 14) => digits.to_owned(),
        _ => return None,
    };
    let part = |from, to| full.get(from..to);
    let (date, hour) = ((part(0, 4)?, part(4, 6)?, part(6, 8)?), (part(8, 10)?, part(10, 12)?, part(12, 14)?));
    format!("{}-{}-{}T{}:{}:{}.000Z", date.0, date.1, date.2, hour.0, hour.1, hour.2).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(vec!["hub.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 7, 9);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        assert_eq!(not_after(&certificate()).unwrap().to_string(), "2031-07-09T00:00:00.000Z");
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let text = |tag, text| time(tag, text).map(|time| time.to_string());
        assert_eq!(text(UTC_TIME, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59.000Z"));
        assert_eq!(text(UTC_TIME, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00.000Z"));
        assert_eq!(text(GENERALIZED_TIME, "20510101000000Z").as_deref(), Some("2051-01-01T00:00:00.000Z"));
        for wrong in ["", "Z", "4912312359Z", "491231235959", "4912312359é0Z", "491331235959Z"] {
            assert_eq!(text(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn damaged_bytes_give_nothing_or_a_time_but_never_a_panic() {
        let whole = certificate();
        for length in 0..whole.len().min(120) {
            assert_eq!(not_after(&whole[..length]), None, "{length} bytes");
        }
        for position in 0..whole.len() {
            for value in [0x00, 0x7f, 0x80, 0x83, 0xff] {
                let mut damaged = whole.clone();
                damaged[position] = value;
                let _any = not_after(&damaged);
            }
        }
    }
}
