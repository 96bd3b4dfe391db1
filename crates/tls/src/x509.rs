//! When a certificate expires, whom it names, its key and number: as much of X.509 (RFC 5280 §4.1) as that needs.
//!
//! Invariant: any bytes are either understood or `None`; nothing is trusted because of what is read here.

use aws_lc_rs::digest;
use std::{fmt::Write as _, net::IpAddr};
use vocabulary::Timestamp;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// `notAfter` of a certificate in DER.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (validity, _) = expect(from_validity(der)?, SEQUENCE)?;
    let (_, _, after_begin) = element(validity)?;
    let (tag, text, _) = element(after_begin)?;
    time(tag, str::from_utf8(text).ok()?)
}

/// Whom a certificate in DER is for: the common name of its subject, unless there are several, and the DNS names among
/// its alternative names, as they are written. None of a certificate that cannot be read to its end.
pub fn names(der: &[u8]) -> Vec<String> {
    read_names(der).unwrap_or_default()
}

/// The common name of the subject of a certificate in DER, unless there are several.
pub fn common_name(der: &[u8]) -> Option<String> {
    let mut names = read_common_names(der)?;
    if names.len() == 1 { names.pop() } else { None }
}

/// The DNS names and IP addresses among the alternative names of a certificate in DER.
pub fn hosts(der: &[u8]) -> Vec<String> {
    let text = |(tag, value): (u8, &[u8])| match (tag, value.len()) {
        (DNS_NAME, _) => str::from_utf8(value).ok().map(str::to_owned),
        (IP_ADDRESS, 4) => <[u8; 4]>::try_from(value).ok().map(|address| IpAddr::from(address).to_string()),
        (IP_ADDRESS, 16) => <[u8; 16]>::try_from(value).ok().map(|address| IpAddr::from(address).to_string()),
        _ => None,
    };
    read_alternative_names(der).unwrap_or_default().into_iter().filter_map(text).collect()
}

/// The subject public key info of a certificate in DER.
pub fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (_validity, rest) = expect(from_validity(der)?, SEQUENCE)?;
    let (_subject, rest) = expect(rest, SEQUENCE)?;
    let (_key, after) = expect(rest, SEQUENCE)?;
    Some(&rest[..rest.len() - after.len()])
}

/// The serial number of a certificate in DER, in hexadecimal.
pub fn serial_number(der: &[u8]) -> Option<String> {
    Some(hexadecimal(expect(from_serial(der)?, INTEGER)?.0))
}

/// The SHA-256 of a certificate in DER, in hexadecimal: what it is known by.
pub fn fingerprint(der: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA256, der).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read_names(der: &[u8]) -> Option<Vec<String>> {
    let mut names = read_common_names(der)?;
    if names.len() > 1 {
        names.clear();
    }
    for (tag, value) in read_alternative_names(der)? {
        if tag == DNS_NAME {
            names.push(str::from_utf8(value).ok()?.to_owned());
        }
    }
    Some(names)
}

fn read_common_names(der: &[u8]) -> Option<Vec<String>> {
    let (_validity, rest) = expect(from_validity(der)?, SEQUENCE)?;
    common_names(expect(rest, SEQUENCE)?.0)
}

/// Tags and values.
fn read_alternative_names(der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (_validity, rest) = expect(from_validity(der)?, SEQUENCE)?;
    let (_subject, rest) = expect(rest, SEQUENCE)?;
    let (_public_key, mut rest) = expect(rest, SEQUENCE)?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let (tag, content, after) = element(rest)?;
        if tag == EXTENSIONS {
            names.extend(alternative_names(expect(content, SEQUENCE)?.0)?);
        }
        rest = after;
    }
    Some(names)
}

/// What follows the version.
fn from_serial(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (rest, _) = expect(certificate, SEQUENCE)?;
    Some(expect(rest, VERSION).map_or(rest, |(_, after)| after))
}

/// What follows the issuer.
fn from_validity(der: &[u8]) -> Option<&[u8]> {
    let mut rest = from_serial(der)?;
    // The serial number, the signature's algorithm, the issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = expect(rest, tag)?;
    }
    Some(rest)
}

/// Of a name, which is a list of sets of attributes.
fn common_names(mut name: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    while !name.is_empty() {
        let (mut set, rest) = expect(name, SET)?;
        while !set.is_empty() {
            let (attribute, rest) = expect(set, SEQUENCE)?;
            let (kind, value) = expect(attribute, OBJECT_IDENTIFIER)?;
            let (tag, text, _) = element(value)?;
            if kind == COMMON_NAME && matches!(tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING) {
                found.push(str::from_utf8(text).ok()?.to_owned());
            }
            set = rest;
        }
        name = rest;
    }
    Some(found)
}

fn alternative_names(mut extensions: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    while !extensions.is_empty() {
        let (extension, rest) = expect(extensions, SEQUENCE)?;
        let (kind, value) = expect(extension, OBJECT_IDENTIFIER)?;
        if kind == SUBJECT_ALT_NAME {
            // Whether the extension is critical may stand before its value.
            let value = expect(value, BOOLEAN).map_or(value, |(_, after)| after);
            let (mut names, _) = expect(expect(value, OCTET_STRING)?.0, SEQUENCE)?;
            while !names.is_empty() {
                let (tag, value, rest) = element(names)?;
                found.push((tag, value));
                names = rest;
            }
        }
        extensions = rest;
    }
    Some(found)
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

    fn naming(common_names: &[&str], alternatives: &[&str]) -> Vec<String> {
        let alternatives: Vec<String> = alternatives.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = rcgen::CertificateParams::new(alternatives).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "Bank");
        for (number, name) in common_names.iter().enumerate() {
            // rcgen holds one value per type; a second common name goes by its object identifier.
            let kind = match number {
                0 => rcgen::DnType::CommonName,
                _ => rcgen::DnType::CustomDnType(vec![2, 5, 4, 3]),
            };
            parameters.distinguished_name.push(kind, *name);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        names(parameters.self_signed(&key).unwrap().der())
    }

    #[test]
    fn a_certificate_names_its_common_name_and_its_dns_names() {
        assert_eq!(naming(&["greenbank"], &[]), ["greenbank"]);
        assert_eq!(
            naming(&["Green Bank"], &["greenbank", "127.0.0.1", "pay.greenbank.example"]),
            ["Green Bank", "greenbank", "pay.greenbank.example"]
        );
        assert_eq!(naming(&[], &["greenbank"]), ["greenbank"]);
        assert_eq!(naming(&[], &["127.0.0.1"]), [""; 0]);
    }

    #[test]
    fn key_number_and_hosts_of_a_certificate_are_read() {
        let mut parameters =
            rcgen::CertificateParams::new(["pay.example", "127.0.0.1", "::1"].map(str::to_owned)).unwrap();
        parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x40, 0x01, 0xff]));
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "greenbank");
        let key = rcgen::KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        assert_eq!(hosts(&der), ["pay.example", "127.0.0.1", "::1"]);
        assert_eq!(serial_number(&der).as_deref(), Some("4001ff"));
        assert_eq!(common_name(&der).as_deref(), Some("greenbank"));
        assert_eq!(public_key(&der), Some(&rcgen::PublicKeyData::subject_public_key_info(&key)[..]));
        assert_eq!(fingerprint(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn of_several_common_names_none_counts() {
        assert_eq!(naming(&["greenbank", "bluebank"], &["redbank"]), ["redbank"]);
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
            assert_eq!(names(&whole[..length]), [""; 0], "{length} bytes");
        }
        for position in 0..whole.len() {
            for value in [0x00, 0x7f, 0x80, 0x83, 0xff] {
                let mut damaged = whole.clone();
                damaged[position] = value;
                let _any = (not_after(&damaged), names(&damaged));
            }
        }
    }
}
