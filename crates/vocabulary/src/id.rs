//! Ids that callers choose: of transfers, quotes, transactions and requests.

use core::{fmt, str::FromStr};

/// `CorrelationId`: a lower-case UUID (versions 1 to 7) or a ULID (FSPIOP 2.0). Both are 16 bytes;
/// the form is kept, so that printing gives back the text that was parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorrelationId {
    bytes: [u8; 16],
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Form {
    Uuid,
    Ulid,
}

/// The text is neither a lower-case UUID nor a ULID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidId;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Positions of the hyphens in the text of a UUID.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl CorrelationId {
    /// The sixteen bytes, and whether the text was a ULID: what a store keeps.
    pub fn to_parts(self) -> ([u8; 16], bool) {
        (self.bytes, self.form == Form::Ulid)
    }

    /// The inverse of [`CorrelationId::to_parts`].
    pub fn from_parts(bytes: [u8; 16], is_ulid: bool) -> Self {
        Self { bytes, form: if is_ulid { Form::Ulid } else { Form::Uuid } }
    }

    fn parse_uuid(text: &[u8]) -> Option<Self> {
        let mut bytes = [0u8; 16];
        let mut digits = 0;
        for (position, character) in text.iter().enumerate() {
            if HYPHENS.contains(&position) {
                if *character != b'-' {
                    return None;
                }
                continue;
            }
            let digit = HEX.iter().position(|hex| hex == character)? as u8;
            bytes[digits / 2] = (bytes[digits / 2] << 4) | digit;
            digits += 1;
        }
        let version_is_known = matches!(bytes[6] >> 4, 1..=7);
        let variant_is_known = bytes[8] >> 6 == 0b10;
        (version_is_known && variant_is_known).then_some(Self { bytes, form: Form::Uuid })
    }

    fn parse_ulid(text: &[u8]) -> Option<Self> {
        let mut value: u128 = 0;
        for character in text {
            let digit = CROCKFORD.iter().position(|known| known == character)? as u128;
            value = value.checked_mul(32)?.checked_add(digit)?;
        }
        Some(Self { bytes: value.to_be_bytes(), form: Form::Ulid })
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.len() {
            36 => Self::parse_uuid(text.as_bytes()),
            26 => Self::parse_ulid(text.as_bytes()),
            _ => None,
        }
        .ok_or(InvalidId)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; 36];
        let length = match self.form {
            Form::Uuid => {
                let mut position = 0;
                for byte in self.bytes {
                    if HYPHENS.contains(&position) {
                        position += 1;
                    }
                    text[position] = HEX[usize::from(byte >> 4)];
                    text[position + 1] = HEX[usize::from(byte & 15)];
                    position += 2;
                }
                36
            }
            Form::Ulid => {
                let mut value = u128::from_be_bytes(self.bytes);
                for position in (0..26).rev() {
                    text[position] = CROCKFORD[(value % 32) as usize];
                    value /= 32;
                }
                26
            }
        };
        formatter.write_str(core::str::from_utf8(&text[..length]).expect("hex and Crockford digits are ASCII"))
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CorrelationId({self})")
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id is a lower-case UUID or a 26-character ULID")
    }
}

impl core::error::Error for InvalidId {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn uuids_and_ulids_print_as_they_were_written() {
        for text in ["b51ec534-ee48-4575-b6a9-ead2955b8069", "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            let id: CorrelationId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            let (bytes, is_ulid) = id.to_parts();
            assert_eq!(CorrelationId::from_parts(bytes, is_ulid), id);
        }
    }

    #[test]
    fn the_same_bytes_as_uuid_and_as_ulid_are_two_ids() {
        let uuid: CorrelationId = "b51ec534-ee48-4575-b6a9-ead2955b8069".parse().unwrap();
        assert_ne!(CorrelationId::from_parts(uuid.to_parts().0, true), uuid);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "x",
            "B51EC534-EE48-4575-B6A9-EAD2955B8069",
            "b51ec534-ee48-0575-b6a9-ead2955b8069",
            "b51ec534-ee48-4575-c6a9-ead2955b8069",
            "b51ec534xee48-4575-b6a9-ead2955b8069",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "01arz3ndektsv4rrffq69g5fav",
        ] {
            assert_eq!(text.parse::<CorrelationId>(), Err(InvalidId), "{text}");
        }
    }
}
