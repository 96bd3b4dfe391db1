//! The content hash that duplicate detection compares.
//!
//! Invariant: two texts of the same JSON document differ in hash exactly if they differ outside insignificant white
//! space: order of members, spelling of numbers and escapes count. Whoever resends a message resends its bytes.

use sha2::{Digest as _, Sha256};
use vocabulary::Digest;

/// SHA-256 of a body without the white space between its tokens (RFC 8259 §2); strings are hashed as they are. For a
/// body that is not JSON the value is still defined but means nothing.
pub fn content_hash(body: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    let mut run_start = 0;
    let mut position = 0;
    while position < body.len() {
        match body[position] {
            b'"' => position = end_of_string(body, position),
            b' ' | b'\t' | b'\n' | b'\r' => {
                hasher.update(&body[run_start..position]);
                position += 1;
                run_start = position;
            }
            _ => position += 1,
        }
    }
    hasher.update(&body[run_start..]);
    Digest(hasher.finalize().into())
}

/// The position after the quotation mark that ends the string which begins at `start`.
fn end_of_string(body: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while position < body.len() {
        match body[position] {
            b'"' => return position + 1,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn hash(text: &str) -> Digest {
        content_hash(text.as_bytes())
    }

    #[test]
    fn white_space_between_tokens_does_not_count_and_within_strings_it_does() {
        assert_eq!(hash("{ \"a\" : [ 1 ,\n\t2 ]\r }"), hash(r#"{"a":[1,2]}"#));
        assert_ne!(hash(r#"{"a":"x y"}"#), hash(r#"{"a":"xy"}"#));
        assert_ne!(hash(r#"{"a":"\" "}"#), hash(r#"{"a":"\""}"#));
        assert_ne!(hash(r#"{"a":1,"b":2}"#), hash(r#"{"b":2,"a":1}"#));
    }

    #[test]
    fn the_hash_of_compact_text_is_its_sha_256() {
        let text = r#"{"a":"\\","b":"ö"}"#;
        assert_eq!(hash(text).0, <[u8; 32]>::from(Sha256::digest(text.as_bytes())));
    }

    #[test]
    fn text_that_is_not_json_is_no_problem() {
        for text in ["", "\"", "\"\\", "\\", "\" \\\"", "{\"a"] {
            let _ = hash(text);
        }
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[\\\\\" \t\n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-z \"]{0,6}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Writes the document with the given blanks between all tokens.
    fn spaced(value: &Value, blanks: &str) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| spaced(item, blanks)).collect();
                format!("{blanks}[{blanks}{}{blanks}]{blanks}", items.join(&format!("{blanks},{blanks}")))
            }
            Value::Object(members) => {
                let write = |(name, value): (&String, &Value)| {
                    format!("{blanks}{}{blanks}:{blanks}{}", Value::from(name.as_str()), spaced(value, blanks))
                };
                let members: Vec<String> = members.iter().map(write).collect();
                format!("{blanks}{{{}{blanks}}}{blanks}", members.join(&format!("{blanks},")))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("{blanks}{value}{blanks}"),
        }
    }

    proptest! {
        #[test]
        fn blanks_never_change_the_hash(value in document(), blanks in "[ \t\r\n]{0,3}") {
            prop_assert_eq!(hash(&spaced(&value, &blanks)), hash(&value.to_string()));
        }

        #[test]
        fn different_documents_have_different_hashes(first in document(), second in document()) {
            prop_assert_eq!(hash(&spaced(&first, " ")) == hash(&spaced(&second, "\n")), first == second);
        }

        #[test]
        fn any_other_byte_changes_the_hash(value in document(), place in any::<prop::sample::Index>(), byte in 0x21u8..) {
            let mut body = value.to_string().into_bytes();
            let before = content_hash(&body);
            let index = place.index(body.len());
            // A quotation mark or backslash that comes or goes moves the border between strings and blanks.
            prop_assume!(body[index] != byte && !b"\"\\".contains(&body[index]) && !b"\"\\".contains(&byte));
            prop_assume!(!body[index].is_ascii_whitespace());
            body[index] = byte;
            prop_assert_ne!(content_hash(&body), before);
        }
    }
}
