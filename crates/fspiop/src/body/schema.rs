//! A small schema language and its checker. Schemas are static data; the checker reports the first fault only, in the
//! order and words of the validator that participants know (ajv): type, then `required`, unknown members, then the
//! members in the order of the schema; of a text, the greatest length, the least, the pattern, the list of values.
//!
//! Fault to code (contract §1.4): `required` 3102, unknown member 3103, type 3101, everything else 3100.

use super::json::{self, Array, Kind, Object};
use crate::{ErrorCode, FspiopError};

/// What a value must be.
#[derive(Clone, Copy)]
pub(crate) enum Schema {
    Text(&'static TextSchema),
    Object(&'static ObjectSchema),
    Array(&'static ArraySchema),
}

pub(crate) struct TextSchema {
    pub chars_min: usize,
    pub chars_max: usize,
    pub pattern: Option<Pattern>,
    /// The list of values of an enumeration, as a test.
    pub is_allowed: Option<fn(&str) -> bool>,
}

/// A regular expression of the API: its text for the message, and a function that decides the same.
pub(crate) struct Pattern {
    pub text: &'static str,
    pub matches: fn(&str) -> bool,
}

pub(crate) struct ObjectSchema {
    pub required: &'static [&'static str],
    pub unknown: Unknown,
    pub members: &'static [(&'static str, Schema)],
}

/// What becomes of members that the schema does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Accepted,
    Refused,
}

pub(crate) struct ArraySchema {
    pub items: Schema,
    pub items_min: usize,
    pub items_max: usize,
}

/// The first fault of a body.
struct Fault {
    code: ErrorCode,
    /// JSON pointer from the value that is being checked.
    pointer: String,
    message: String,
}

/// Checks a body and returns its top-level object.
///
/// A body that is not JSON counts as an empty object, so that it lacks its first mandatory member: that is how
/// participants see it reported (contract, "Observed on the running reference"). Where nothing is mandatory an empty
/// object would pass, so there it is 3101.
pub(crate) fn check_body<'body>(
    body: &'body [u8],
    schema: &'static ObjectSchema,
) -> Result<Object<'body>, FspiopError> {
    if body.is_empty() {
        let detail = "must have required property 'requestBody'";
        return Err(FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, detail));
    }
    let text = std::str::from_utf8(body).unwrap_or("");
    let checked = match Object::parse(text) {
        Some(object) => members(&object, schema).map(|()| object),
        None => match json::value(text) {
            Some(raw) => object(raw, schema),
            None if schema.required.is_empty() => {
                return Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "/requestBody must be JSON"));
            }
            None => members(&Object::default(), schema).map(|()| Object::default()),
        },
    };
    checked.map_err(|fault| {
        FspiopError::with_detail(fault.code, format_args!("/requestBody{} {}", fault.pointer, fault.message))
    })
}

fn check(raw: &str, schema: Schema) -> Result<(), Fault> {
    match schema {
        Schema::Text(schema) => text(raw, schema),
        Schema::Object(schema) => object(raw, schema).map(drop),
        Schema::Array(schema) => array(raw, schema),
    }
}

fn object<'body>(raw: &'body str, schema: &ObjectSchema) -> Result<Object<'body>, Fault> {
    if Kind::of(raw) != Kind::Object {
        return Err(Fault::new(ErrorCode::MALFORMED_SYNTAX, "must be object"));
    }
    let object = Object::parse(raw)
        .ok_or_else(|| Fault::new(ErrorCode::TOO_MANY_ELEMENTS, "must NOT have more than 1000 properties"))?;
    members(&object, schema)?;
    Ok(object)
}

fn members(object: &Object<'_>, schema: &ObjectSchema) -> Result<(), Fault> {
    if let Some(missing) = schema.required.iter().find(|name| object.get(name).is_none()) {
        let message = format!("must have required property '{missing}'");
        return Err(Fault::new(ErrorCode::MISSING_ELEMENT, message));
    }
    let is_known = |name: &str| schema.members.iter().any(|(known, _)| *known == name);
    if schema.unknown == Unknown::Refused && !object.names().all(is_known) {
        return Err(Fault::new(ErrorCode::TOO_MANY_ELEMENTS, "must NOT have additional properties"));
    }
    for (name, schema) in schema.members {
        if let Some(raw) = object.get(name) {
            check(raw, *schema).map_err(|fault| fault.inside(name))?;
        }
    }
    Ok(())
}

fn array(raw: &str, schema: &ArraySchema) -> Result<(), Fault> {
    if Kind::of(raw) != Kind::Array {
        return Err(Fault::new(ErrorCode::MALFORMED_SYNTAX, "must be array"));
    }
    let array = Array::parse(raw).expect("a raw value that begins with a bracket is an array");
    if array.length > schema.items_max {
        return Err(Fault::invalid(format!("must NOT have more than {} items", schema.items_max)));
    }
    if array.length < schema.items_min {
        return Err(Fault::invalid(format!("must NOT have fewer than {} items", schema.items_min)));
    }
    for (index, item) in array.items.iter().enumerate() {
        check(item, schema.items).map_err(|fault| fault.inside(&index.to_string()))?;
    }
    Ok(())
}

fn text(raw: &str, schema: &TextSchema) -> Result<(), Fault> {
    let text = json::text(raw).ok_or_else(|| Fault::new(ErrorCode::MALFORMED_SYNTAX, "must be string"))?;
    // Bytes bound characters from above; the count is needed only near the limit.
    let chars = if text.len() > schema.chars_max || schema.chars_min > 1 { text.chars().count() } else { text.len() };
    if chars > schema.chars_max {
        return Err(Fault::invalid(format!("must NOT have more than {} characters", schema.chars_max)));
    }
    if chars < schema.chars_min {
        return Err(Fault::invalid(format!("must NOT have fewer than {} characters", schema.chars_min)));
    }
    match &schema.pattern {
        Some(pattern) if !(pattern.matches)(&text) => {
            return Err(Fault::invalid(format!("must match pattern \"{}\"", pattern.text)));
        }
        Some(_) | None => {}
    }
    match schema.is_allowed {
        Some(is_allowed) if !is_allowed(&text) => {
            Err(Fault::invalid("must be equal to one of the allowed values".to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}

impl Fault {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, pointer: String::new(), message: message.into() }
    }

    fn invalid(message: String) -> Self {
        Self::new(ErrorCode::GENERIC_VALIDATION, message)
    }

    /// The same fault, seen from the object or array that holds the value.
    fn inside(mut self, name: &str) -> Self {
        self.pointer.insert_str(0, name);
        self.pointer.insert(0, '/');
        self
    }
}

/// Any text.
pub(crate) const ANY_TEXT: TextSchema =
    TextSchema { chars_min: 0, chars_max: usize::MAX, pattern: None, is_allowed: None };

/// A text of a length between two bounds, in characters.
pub(crate) const fn bounded(chars_min: usize, chars_max: usize) -> TextSchema {
    TextSchema { chars_min, chars_max, ..ANY_TEXT }
}

/// A text that a regular expression describes.
pub(crate) const fn pattern(text: &'static str, matches: fn(&str) -> bool) -> TextSchema {
    TextSchema { pattern: Some(Pattern { text, matches }), ..ANY_TEXT }
}

/// A text of an enumeration.
pub(crate) const fn one_of(is_allowed: fn(&str) -> bool) -> TextSchema {
    TextSchema { is_allowed: Some(is_allowed), ..ANY_TEXT }
}
