//! Reading JSON member by member without copying: an object is a list of names and the raw texts of their values.
//!
//! Invariant: a raw text is well-formed JSON (serde_json has scanned it) and borrows from the body, so that a part of a
//! message can be kept exactly as it came. Of members with the same name the last one counts, as in every common parser.

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Members of one object; no message of the API comes near it.
const MEMBERS_MAX: usize = 1_000;
/// Items of one array that are looked at; the longest list of the API has 10,000 parties.
const ITEMS_MAX: usize = 10_001;

/// What the first character of a raw text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// The members of an object, in the order of the text.
#[derive(Default)]
pub(crate) struct Object<'body> {
    members: Vec<(Text<'body>, &'body str)>,
}

/// The first items of an array and how many there are in all.
pub(crate) struct Array<'body> {
    pub items: Vec<&'body str>,
    pub length: usize,
}

/// A string, borrowed unless it has escapes.
struct Text<'body>(Cow<'body, str>);

impl Kind {
    pub(crate) fn of(raw: &str) -> Self {
        match raw.as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::Text,
            Some(b't' | b'f') => Self::Bool,
            Some(b'n') => Self::Null,
            Some(_) | None => Self::Number,
        }
    }
}

impl<'body> Object<'body> {
    /// Reads an object. `None` if the text is not JSON, not an object or has too many members.
    pub(crate) fn parse(text: &'body str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The raw text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'body str> {
        self.members.iter().rev().find(|(known, _)| known.0 == name).map(|(_, raw)| *raw)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.0.as_ref())
    }

    /// A member as text, coerced as [`text`] says; `None` if it is absent or an object or array.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'body, str>> {
        text(self.get(name)?)
    }

    /// A member that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Object<'body>> {
        Object::parse(self.get(name)?)
    }

    /// The items of a member that is an array.
    pub(crate) fn items(&self, name: &str) -> Vec<&'body str> {
        self.get(name).and_then(Array::parse).map(|array| array.items).unwrap_or_default()
    }
}

impl<'body> Array<'body> {
    pub(crate) fn parse(text: &'body str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Whether a text is one JSON value of any kind, blanks around it allowed; and if so, the value.
pub(crate) fn value(text: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
}

/// A scalar as text. Implementations coerce numbers, booleans and null where a string belongs (contract §1.4), in the
/// form that JavaScript prints. `None` for an object, an array and a string that is not Unicode.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    match Kind::of(raw) {
        Kind::Text => serde_json::from_str::<Text>(raw).ok().map(|text| text.0),
        Kind::Number => Some(Cow::Borrowed(plain_number(raw))),
        Kind::Bool => Some(Cow::Borrowed(raw)),
        Kind::Null => Some(Cow::Borrowed("")),
        Kind::Array | Kind::Object => None,
    }
}

/// A number in plain notation loses the zeros that end its decimals. One with an exponent stays as it is written and
/// fits none of the API's patterns.
fn plain_number(raw: &str) -> &str {
    if !raw.contains('.') || raw.contains(['e', 'E']) {
        return raw;
    }
    raw.trim_end_matches('0').trim_end_matches('.')
}

impl<'de: 'body, 'body> Deserialize<'de> for Text<'body> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'body, 'body> Deserialize<'de> for Object<'body> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(name) = map.next_key::<Text>()? {
                    if members.len() == MEMBERS_MAX {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((name, map.next_value::<&RawValue>()?.get()));
                }
                Ok(Object { members })
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de: 'body, 'body> Deserialize<'de> for Array<'body> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArrayVisitor;
        impl<'de> Visitor<'de> for ArrayVisitor {
            type Value = Array<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Array<'de>, A::Error> {
                let mut items = Vec::new();
                while items.len() < ITEMS_MAX {
                    match sequence.next_element::<&RawValue>()? {
                        Some(item) => items.push(item.get()),
                        None => return Ok(Array { length: items.len(), items }),
                    }
                }
                let mut length = items.len();
                while sequence.next_element::<IgnoredAny>()?.is_some() {
                    length += 1;
                }
                Ok(Array { items, length })
            }
        }
        deserializer.deserialize_seq(ArrayVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_they_were_written_and_the_last_of_a_name_counts() {
        let object = Object::parse(r#" {"a": {"x" : 1} , "b":"\u00d6z", "a":[1, 2]} "#).unwrap();
        assert_eq!(object.get("a"), Some("[1, 2]"));
        assert_eq!(object.text("b").unwrap(), "Öz");
        assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b", "a"]);
        assert_eq!(object.items("a"), ["1", "2"]);
    }

    #[test]
    fn scalars_become_text_as_javascript_prints_them() {
        for (raw, expected) in [
            ("5.50", Some("5.5")),
            ("5.00", Some("5")),
            ("100", Some("100")),
            ("1e3", Some("1e3")),
            ("true", Some("true")),
            ("null", Some("")),
            ("[]", None),
            ("{}", None),
            (r#""\ud800""#, None),
        ] {
            assert_eq!(text(raw).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        for text in ["", "{", r#"{"a":1,}"#, r#"{"a":1} x"#, "{'a':1}", r#"{"a":01}"#, "[]"] {
            assert!(Object::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn members_and_items_have_limits() {
        let members = |count: usize| {
            let list: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
            format!("{{{}}}", list.join(","))
        };
        assert!(Object::parse(&members(MEMBERS_MAX)).is_some());
        assert!(Object::parse(&members(MEMBERS_MAX + 1)).is_none());
        let long = format!("[{}0]", "0,".repeat(20_000));
        let array = Array::parse(&long).unwrap();
        assert_eq!((array.items.len(), array.length), (ITEMS_MAX, 20_001));
    }
}
