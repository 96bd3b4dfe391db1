//! Unpadded base64url of 32-byte values (RFC 4648 §5), the only form in which FSPIOP writes a condition or fulfilment.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Characters of 32 bytes in unpadded base64url.
pub(crate) const ENCODED_LENGTH: usize = 43;

/// Decodes exactly 43 characters to 32 bytes; `None` for any other length or alphabet.
/// The two unused low bits of the last character are ignored, as the reference implementation's decoder does.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != ENCODED_LENGTH {
        return None;
    }
    let mut bytes = [0u8; 32];
    let (mut buffer, mut bits, mut filled) = (0u32, 0u32, 0usize);
    for character in text.bytes() {
        buffer = (buffer << 6) | u32::from(value_of(character)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes[filled] = (buffer >> bits) as u8;
            filled += 1;
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// Encodes 32 bytes to 43 ASCII characters.
pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; ENCODED_LENGTH] {
    let mut text = [b'A'; ENCODED_LENGTH];
    let (mut buffer, mut bits, mut filled) = (0u32, 0u32, 0usize);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            text[filled] = ALPHABET[((buffer >> bits) & 63) as usize];
            filled += 1;
        }
        buffer &= (1 << bits) - 1;
    }
    text[filled] = ALPHABET[((buffer << (6 - bits)) & 63) as usize];
    text
}

fn value_of(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}
