//! Parties: who a payment is for, by the identifier that people use.

use alloc::{boxed::Box, string::String};
use core::{fmt, str::FromStr};

/// `PartyIdType` (FSPIOP 1.1 §7.5.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum PartyIdType {
    Msisdn,
    Email,
    PersonalId,
    Business,
    Device,
    AccountId,
    Iban,
    Alias,
}

/// A party by type, identifier and optional sub-identifier. The identifier is personal data: it is never logged.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartyId {
    pub id_type: PartyIdType,
    pub identifier: Box<str>,
    pub sub_id: Option<Box<str>>,
}

/// The identifier breaks the lexical rules of its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidParty;

impl PartyIdType {
    pub const ALL: [Self; 8] = [
        Self::Msisdn,
        Self::Email,
        Self::PersonalId,
        Self::Business,
        Self::Device,
        Self::AccountId,
        Self::Iban,
        Self::Alias,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Msisdn => "MSISDN",
            Self::Email => "EMAIL",
            Self::PersonalId => "PERSONAL_ID",
            Self::Business => "BUSINESS",
            Self::Device => "DEVICE",
            Self::AccountId => "ACCOUNT_ID",
            Self::Iban => "IBAN",
            Self::Alias => "ALIAS",
        }
    }
}

impl PartyId {
    /// Checks the identifier against the rules of its type: 1 to 128 characters without white space, control
    /// characters or any of ``{}<>`\``; digits for MSISDN, `local@domain.tld` for EMAIL, the ISO 13616 shape for IBAN.
    pub fn try_new(id_type: PartyIdType, identifier: &str, sub_id: Option<&str>) -> Result<Self, InvalidParty> {
        let fits_type = match id_type {
            PartyIdType::Msisdn => is_msisdn(identifier),
            PartyIdType::Email => is_email(identifier),
            PartyIdType::Iban => is_iban(identifier),
            PartyIdType::PersonalId
            | PartyIdType::Business
            | PartyIdType::Device
            | PartyIdType::AccountId
            | PartyIdType::Alias => true,
        };
        if !fits_type || !is_plain(identifier) || !sub_id.is_none_or(is_plain) {
            return Err(InvalidParty);
        }
        Ok(Self { id_type, identifier: identifier.into(), sub_id: sub_id.map(Into::into) })
    }
}

fn is_plain(text: &str) -> bool {
    let length = text.chars().take(129).count();
    let forbidden = |character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, '{' | '}' | '<' | '>' | '`' | '\\')
    };
    (1..=128).contains(&length) && !text.contains(forbidden)
}

fn is_msisdn(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=30).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    !local.is_empty() && !host.is_empty() && !top.is_empty() && !domain.contains('@')
}

fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (5..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

impl FromStr for PartyIdType {
    type Err = InvalidParty;

    fn from_str(text: &str) -> Result<Self, InvalidParty> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(InvalidParty)
    }
}

impl fmt::Display for PartyIdType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for PartyId {
    /// Prints the type only: a party's identifier does not belong in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from(self.id_type.as_str());
        text.push_str("/…");
        formatter.write_str(&text)
    }
}

impl fmt::Display for InvalidParty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the party identifier does not have the form of its type")
    }
}

impl core::error::Error for InvalidParty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_own_form() {
        for (id_type, identifier, is_valid) in [
            (PartyIdType::Msisdn, "+27713803912", true),
            (PartyIdType::Msisdn, "2771380391x", false),
            (PartyIdType::Msisdn, "+", false),
            (PartyIdType::Email, "ana@example.org", true),
            (PartyIdType::Email, "ana@example", false),
            (PartyIdType::Iban, "GB29NWBK60161331926819", true),
            (PartyIdType::Iban, "gb29NWBK60161331926819", false),
            (PartyIdType::Alias, "Öz", true),
            (PartyIdType::Alias, "a b", false),
            (PartyIdType::Alias, "a{b}", false),
            (PartyIdType::Alias, "", false),
        ] {
            assert_eq!(PartyId::try_new(id_type, identifier, None).is_ok(), is_valid, "{id_type} {identifier}");
        }
    }
}
