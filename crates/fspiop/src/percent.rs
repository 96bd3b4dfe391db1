//! Percent-encoding of path segments and query values (RFC 3986 §2.1).

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes everything but unreserved characters and `+ : @`, which phone numbers and e-mail addresses need and a path
/// segment may hold. A text of dots only is encoded whole, so that it cannot be taken for a relative path, and so is the
/// first letter of `error`, so that an identifier cannot be taken for the error resource of what stands before it.
pub fn encode(text: &str) -> String {
    let only_dots = text.bytes().all(|byte| byte == b'.');
    let is_error = text == "error";
    let mut encoded = String::with_capacity(text.len());
    for (place, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_~+:@".contains(&byte) || (byte == b'.' && !only_dots);
        let kept = is_plain && !(is_error && place == 0);
        if kept {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Decodes `%XX`; `None` if a `%` is not followed by two hexadecimal digits or the result is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { hex(bytes.next()?)? << 4 | hex(bytes.next()?)? } else { byte });
    }
    String::from_utf8(decoded).ok()
}

/// Decodes a query value, where `+` is a blank.
pub(crate) fn decode_query(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_keeps_phone_numbers_and_addresses_readable() {
        assert_eq!(encode("+27713803912"), "+27713803912");
        assert_eq!(encode("ana@example.org"), "ana@example.org");
        assert_eq!(encode("a/b?c&d e"), "a%2Fb%3Fc%26d%20e");
        assert_eq!(encode(".."), "%2E%2E");
        assert_eq!([encode("error"), encode("errors")], ["%65rror", "errors"]);
    }

    #[test]
    fn decoding_refuses_what_is_not_encoded_text() {
        for text in ["%", "%4", "%zz", "%ff", "a%+1"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("%C3%96z+").as_deref(), Some("Öz+"));
    }
}
