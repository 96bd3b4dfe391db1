//! The canonical text of a JSON value: compact, members sorted by UTF-16 code units at every depth, as both generations
//! of participants' signature checks and ILP data expect it (dfsp-client.md §6.1, §7).

use serde_json::Value;

/// Writes a value with sorted keys and without white space. Only the escapes that JavaScript's serialiser uses appear;
/// numbers keep the text they were read with.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(first, _), (second, _)| first.encode_utf16().cmp(second.encode_utf16()));
            let mut separator = '{';
            for (name, value) in &members {
                text.push(separator);
                text.push_str(&quoted(name));
                text.push(':');
                write(value, text);
                separator = ',';
            }
            text.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            let mut separator = '[';
            for item in items {
                text.push(separator);
                write(item, text);
                separator = ',';
            }
            text.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::String(string) => text.push_str(&quoted(string)),
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_by_utf_16_at_every_depth() {
        let value: Value =
            serde_json::from_str("{\"b\":[{\"y\":1.50,\"x\":[]}],\"\u{ff5e}\":1,\"\u{1f600}\":2,\"a\":{}}").unwrap();
        // The astral character's first code unit, d83d, sorts before ff5e.
        assert_eq!(canonical_json(&value), "{\"a\":{},\"b\":[{\"x\":[],\"y\":1.50}],\"\u{1f600}\":2,\"\u{ff5e}\":1}");
    }

    #[test]
    fn only_javascripts_escapes_appear() {
        let value = Value::from("Ünï/\"x\"\\\n\u{1}\u{7f}");
        assert_eq!(canonical_json(&value), "\"Ünï/\\\"x\\\"\\\\\\n\\u0001\u{7f}\"");
    }
}
