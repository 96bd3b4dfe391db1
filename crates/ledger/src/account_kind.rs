//! Ledger account types: what the balance of an account means.
//!
//! Six are built in, because the hub's own rules post to them. An operator may add more by name (contract, administration
//! §1.14); nothing posts to those by itself. Invariant: a custom name is never that of a built-in type.

use core::{fmt, str::FromStr};

/// The ledger account types of the administration API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AccountKind {
    Position,
    Settlement,
    HubReconciliation,
    HubMultilateralSettlement,
    InterchangeFee,
    InterchangeFeeSettlement,
    /// A type of the operator's own.
    Custom(AccountTypeName),
}

/// The name of a type that is not built in: 2 to 30 letters, digits and underscores of ASCII. It is made by parsing an
/// [`AccountKind`] only, and lies in the value, so that accounts stay small and can be copied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountTypeName {
    /// Zero behind the name, so that comparing the bytes compares the names.
    bytes: [u8; NAME_BYTES_MAX],
    length: u8,
}

/// The text can be the name of no ledger account type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnAccountType;

const NAME_BYTES_MIN: usize = 2;
const NAME_BYTES_MAX: usize = 30;

impl AccountKind {
    /// In the order of their public ids, from 1.
    pub const BUILT_IN: [Self; 6] = [
        Self::Position,
        Self::Settlement,
        Self::HubReconciliation,
        Self::HubMultilateralSettlement,
        Self::InterchangeFee,
        Self::InterchangeFeeSettlement,
    ];

    pub fn as_str(&self) -> &str {
        match self {
            Self::Position => "POSITION",
            Self::Settlement => "SETTLEMENT",
            Self::HubReconciliation => "HUB_RECONCILIATION",
            Self::HubMultilateralSettlement => "HUB_MULTILATERAL_SETTLEMENT",
            Self::InterchangeFee => "INTERCHANGE_FEE",
            Self::InterchangeFeeSettlement => "INTERCHANGE_FEE_SETTLEMENT",
            Self::Custom(name) => name.as_str(),
        }
    }
}

impl AccountTypeName {
    pub fn as_str(&self) -> &str {
        let name = &self.bytes[..usize::from(self.length)];
        core::str::from_utf8(name).expect("a name is made of ASCII characters")
    }

    fn parse(text: &str) -> Option<Self> {
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word || text.len() < NAME_BYTES_MIN {
            return None;
        }
        let mut bytes = [0; NAME_BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }
}

/// Reads the name of a built-in type, or any other that an operator could give.
impl FromStr for AccountKind {
    type Err = NotAnAccountType;

    fn from_str(text: &str) -> Result<Self, NotAnAccountType> {
        let built_in = Self::BUILT_IN.into_iter().find(|kind| kind.as_str() == text);
        built_in.or_else(|| AccountTypeName::parse(text).map(Self::Custom)).ok_or(NotAnAccountType)
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountTypeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use proptest::prelude::*;

    #[test]
    fn the_names_of_built_in_types_are_never_custom_ones() {
        for kind in AccountKind::BUILT_IN {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }

    #[test]
    fn a_name_has_2_to_30_word_characters() {
        for (name, is_name) in [
            ("", false),
            ("A", false),
            ("A1", true),
            ("_x", true),
            ("position", true),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ_123", true),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ_1234", false),
            ("MY-TYPE", false),
            ("MY TYPE", false),
            ("TYPÉ", false),
            ("A\0", false),
        ] {
            assert_eq!(name.parse::<AccountKind>().is_ok(), is_name, "{name:?}");
        }
    }

    fn names() -> impl Strategy<Value = String> {
        "[A-Za-z0-9_]{2,30}"
    }

    proptest! {
        #[test]
        fn what_is_printed_is_what_was_parsed(name in names()) {
            let kind: AccountKind = name.parse().unwrap();
            prop_assert_eq!(kind.as_str(), &name);
            prop_assert_eq!(kind.to_string(), &*name);
            prop_assert_eq!(kind.as_str().parse(), Ok(kind));
        }

        #[test]
        fn custom_types_compare_as_their_names_do(one in names(), other in names()) {
            let custom = |name: &str| AccountKind::Custom(AccountTypeName::parse(name).unwrap());
            prop_assert_eq!(custom(&one) == custom(&other), one == other);
            prop_assert_eq!(custom(&one).cmp(&custom(&other)), one.cmp(&other));
        }

        #[test]
        fn nothing_that_is_no_name_is_taken_for_one(text in ".{0,40}") {
            let is_word = text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
            let is_name = is_word && (2..=30).contains(&text.len());
            prop_assert_eq!(text.parse::<AccountKind>().is_ok(), is_name);
        }
    }
}
