//! Bodies of error callbacks, `PUT …/error` (FSPIOP 1.1 §7.4.1).

use super::json::{Object, text};
use super::schema::check_body;
use super::schemas::{ERROR_PUT, QUOTE_ERROR_PUT};
use crate::{ErrorCode, Extension, FspiopError, Resource};

/// The error that a participant reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorInformation {
    /// Any four digits; see [`ErrorCode::is_relayable`]. For quotes only codes of the API's groups.
    pub code: ErrorCode,
    /// 1 to 128 characters.
    pub description: String,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

impl ErrorInformation {
    pub fn parse(resource: Resource, body: &[u8]) -> Result<Self, FspiopError> {
        let schema = match resource {
            Resource::Quotes | Resource::FxQuotes | Resource::BulkQuotes => &QUOTE_ERROR_PUT,
            Resource::Parties
            | Resource::Participants
            | Resource::Transfers
            | Resource::FxTransfers
            | Resource::BulkTransfers
            | Resource::TransactionRequests
            | Resource::Authorizations
            | Resource::Services => &ERROR_PUT,
        };
        let object = check_body(body, schema)?;
        let information = object.object("errorInformation").expect("the schema demands the member");
        let code = ErrorCode::parse(&information.owned_text("errorCode")).expect("the schema has checked the form");
        let description = information.owned_text("errorDescription");
        Ok(Self { code, description, extension_list: information.raw("extensionList") })
    }

    /// The error as the hub stores and repeats it: as it came, or what replaces a code that cannot be relayed
    /// (contract §4.7).
    pub fn to_error(&self) -> FspiopError {
        if !self.code.is_relayable() {
            return FspiopError::undefined_code();
        }
        let extensions = self.extension_list.as_deref().map(extensions).unwrap_or_default();
        let error = FspiopError::relayed(self.code, &self.description);
        extensions.iter().fold(error, |error, entry| error.extension(&entry.key, &entry.value))
    }
}

/// The entries of an `extensionList` that was kept as it was written. Members of an entry other than key and value are
/// not part of the API and are left out.
pub(crate) fn extensions(list: &str) -> Vec<Extension> {
    let entry = |raw| {
        let entry = Object::parse(raw)?;
        Some(Extension { key: text(entry.get("key")?)?.into_owned(), value: text(entry.get("value")?)?.into_owned() })
    };
    let list = Object::parse(list).unwrap_or_default();
    list.items("extension").into_iter().filter_map(entry).collect()
}
