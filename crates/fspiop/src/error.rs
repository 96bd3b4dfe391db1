//! The error object of FSPIOP 1.1 §7.4.1, the same in synchronous answers and in error callbacks.
//!
//! Invariant: the description has 1 to 128 characters, a key of an extension 1 to 32, a value 1 to 128.

use crate::ErrorCode;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Characters of a description or of an extension's value.
pub(crate) const TEXT_CHARS_MAX: usize = 128;
const EXTENSION_KEY_CHARS_MAX: usize = 32;
pub(crate) const EXTENSIONS_MAX: usize = 16;

/// One error, ready to be answered or sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FspiopError {
    pub code: ErrorCode,
    description: String,
    extensions: Vec<Extension>,
    status: u16,
}

/// An entry of an `extensionList`: key of 1 to 32 characters, value of 1 to 128.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extension {
    pub key: String,
    pub value: String,
}

impl FspiopError {
    /// The bare error: its description is the standard name of the code.
    pub fn new(code: ErrorCode) -> Self {
        Self::relayed(code, code.name())
    }

    /// Description `<standard name> - <detail>`, cut to 128 characters.
    pub fn with_detail(code: ErrorCode, detail: impl fmt::Display) -> Self {
        Self::relayed(code, &format!("{} - {detail}", code.name()))
    }

    /// An error with a complete description, such as one that a participant sent. It is kept as it is, cut to 128
    /// characters; an empty one becomes the standard name.
    pub fn relayed(code: ErrorCode, description: &str) -> Self {
        let description = if description.is_empty() { code.name() } else { description };
        Self { code, description: cut(description, TEXT_CHARS_MAX), extensions: Vec::new(), status: code.http_status() }
    }

    /// 405: the path exists, the method does not.
    pub fn method_not_allowed(detail: impl fmt::Display) -> Self {
        let error = Self::with_detail(ErrorCode::CLIENT_ERROR, format_args!("Method Not Allowed - {detail}"));
        Self { status: 405, ..error }
    }

    /// 401: who sends has not proved who it is. The API has no code of its own for it.
    pub fn unauthorized(detail: impl fmt::Display) -> Self {
        let error = Self::with_detail(ErrorCode::CLIENT_ERROR, format_args!("Unauthorized - {detail}"));
        Self { status: 401, ..error }
    }

    /// What replaces a code that the API does not define and that therefore cannot be relayed (see
    /// [`ErrorCode::is_relayable`]).
    pub fn undefined_code() -> Self {
        Self::with_detail(ErrorCode::GENERIC_VALIDATION, "API specification undefined errorCode")
    }

    /// Adds an entry to the extension list, cut to the lengths of the API. The 17th and an empty entry are dropped.
    pub fn extension(mut self, key: &str, value: &str) -> Self {
        if !key.is_empty() && !value.is_empty() && self.extensions.len() < EXTENSIONS_MAX {
            let (key, value) = (cut(key, EXTENSION_KEY_CHARS_MAX), cut(value, TEXT_CHARS_MAX));
            self.extensions.push(Extension { key, value });
        }
        self
    }

    /// Status of the synchronous answer that carries this error.
    pub fn http_status(&self) -> u16 {
        self.status
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// `<code>: <description>`, the value of the `cause` extension of an aborted transfer, at most 128 characters.
    pub fn cause(&self) -> String {
        cut(&format!("{}: {}", self.code, self.description), TEXT_CHARS_MAX)
    }

    /// `{"errorInformation":{"errorCode","errorDescription","extensionList"?}}`, compact, keys in order.
    pub fn to_json(&self) -> Vec<u8> {
        let wire = Wire { error_information: self.to_information() };
        serde_json::to_vec(&wire).expect("strings and vectors of strings always serialise")
    }

    /// The inner object, for bodies that embed an error (`PUT /participants/{ID}`).
    pub(crate) fn to_information(&self) -> Information {
        Information {
            error_code: Text(self.code.to_string()),
            error_description: Text(self.description.clone()),
            extension_list: ExtensionList::of(self.extensions.clone()),
        }
    }

    /// Adopts the error of a peer's answer: a JSON object with `errorInformation` and a code of four digits.
    /// `None` for anything else.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let information = serde_json::from_slice::<Wire>(body).ok()?.error_information;
        let error = Self::relayed(ErrorCode::parse(&information.error_code.0)?, &information.error_description.0);
        let extensions = information.extension_list.map(|list| list.extension).unwrap_or_default();
        Some(extensions.iter().fold(error, |error, entry| error.extension(&entry.key, &entry.value)))
    }
}

/// Cuts to whole characters.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "errorInformation")]
    error_information: Information,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Information {
    error_code: Text,
    #[serde(default)]
    error_description: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension_list: Option<ExtensionList>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ExtensionList {
    extension: Vec<Extension>,
}

impl ExtensionList {
    /// The list, or `None` if it would be empty, which the API does not allow.
    pub(crate) fn of(extension: Vec<Extension>) -> Option<Self> {
        (!extension.is_empty()).then_some(Self { extension })
    }
}

/// A string that peers also write as a number.
#[derive(Serialize, Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => Err(serde::de::Error::custom("neither a string nor a number")),
        }
    }
}

impl fmt::Display for FspiopError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.description)
    }
}

impl std::error::Error for FspiopError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: &FspiopError) -> String {
        String::from_utf8(error.to_json()).unwrap()
    }

    #[test]
    fn the_body_is_the_error_object_and_omits_an_empty_extension_list() {
        let error = FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "no");
        assert_eq!(
            json(&error),
            r#"{"errorInformation":{"errorCode":"3100","errorDescription":"Generic validation error - no"}}"#
        );
        assert_eq!(
            json(&FspiopError::new(ErrorCode::UNACCEPTABLE_VERSION).extension("1", "1")),
            r#"{"errorInformation":{"errorCode":"3001","errorDescription":"Unacceptable version requested","extensionList":{"extension":[{"key":"1","value":"1"}]}}}"#
        );
    }

    #[test]
    fn a_description_is_cut_to_128_characters_and_never_inside_one() {
        let error = FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "ö".repeat(200));
        assert_eq!(error.description().chars().count(), 128);
        assert!(error.description().ends_with('ö'));
    }

    #[test]
    fn the_error_of_a_peer_is_adopted_word_for_word() {
        let error = FspiopError::new(ErrorCode::parse("5140").unwrap()).extension("k", "v");
        assert_eq!(FspiopError::from_json(&error.to_json()), Some(error));
        let numeric = br#"{"errorInformation":{"errorCode":3204,"errorDescription":"gone","x":[1]},"y":2}"#;
        let adopted = FspiopError::from_json(numeric).unwrap();
        assert_eq!((adopted.code, adopted.description()), (ErrorCode::PARTY_NOT_FOUND, "gone"));
    }

    #[test]
    fn what_is_no_error_object_is_not_adopted() {
        for body in ["", "{}", r#"{"errorInformation":{}}"#, r#"{"errorInformation":{"errorCode":"abc"}}"#, "[]"] {
            assert_eq!(FspiopError::from_json(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_method_that_is_not_allowed_is_3000_with_405() {
        let error = FspiopError::method_not_allowed("DELETE /transfers/x");
        assert_eq!((error.code, error.http_status()), (ErrorCode::CLIENT_ERROR, 405));
        assert_eq!(error.description(), "Generic client error - Method Not Allowed - DELETE /transfers/x");
    }

    #[test]
    fn a_cause_is_code_and_description() {
        assert_eq!(FspiopError::new(ErrorCode::TRANSFER_EXPIRED).cause(), "3303: Transfer expired");
    }

    #[test]
    fn at_most_sixteen_extensions_are_kept() {
        let full = (0..20).fold(FspiopError::new(ErrorCode::INTERNAL), |error, n| error.extension("k", &n.to_string()));
        assert_eq!(full.extensions().len(), 16);
    }
}
