//! Conditions, fulfilments and content hashes: 32 bytes each, written as 43 characters of base64url.

use crate::base64url;
use core::fmt;

/// SHA-256 of a message body without insignificant white space: what duplicate detection compares.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest(pub [u8; 32]);

/// `IlpCondition` (FSPIOP 1.1 §7.2.13): SHA-256 of the fulfilment that releases the transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Condition([u8; 32]);

/// `IlpFulfilment` (FSPIOP 1.1 §7.2.14): the pre-image of the condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fulfilment([u8; 32]);

macro_rules! thirty_two_bytes {
    ($name:ident) => {
        impl $name {
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Parses 43 characters of unpadded base64url; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                base64url::decode(text).map(Self)
            }

            pub const fn bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = base64url::encode(&self.0);
                formatter.write_str(core::str::from_utf8(&text).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({self})", stringify!($name))
            }
        }
    };
}

thirty_two_bytes!(Condition);
thirty_two_bytes!(Fulfilment);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_published_vector_survives_parsing_and_printing() {
        let text = "Ft8BxJmdaEqZtx6NIEwuT0pficomwML33qq2sYyYdHQ";
        let condition = Condition::parse(text).unwrap();
        assert_eq!(condition.bytes()[..3], [0x16, 0xdf, 0x01]);
        assert_eq!(condition.to_string(), text);
    }

    #[test]
    fn padding_other_lengths_and_the_standard_alphabet_are_refused() {
        assert!(Condition::parse("Ft8BxJmdaEqZtx6NIEwuT0pficomwML33qq2sYyYdHQ=").is_none());
        assert!(Condition::parse("Ft8BxJmdaEqZtx6NIEwuT0pficomwML33qq2sYyYdH").is_none());
        assert!(Condition::parse("Ft8BxJmdaEqZtx6NIEwuT0pficomwML33qq2sYyYd+Q").is_none());
    }
}
