//! Bodies: checked against the schema of the API, then read into what the hub and the client need of them.
//!
//! Invariant: a value of one of these types passed the schema, so its parts are well formed. The bytes of the body are
//! left alone: they are what is relayed, hashed and verified.
//!
//! Every `parse` reports the first fault as 400 with 3100, 3101, 3102 or 3103 (contract §1.4); see `schema.rs` for the
//! order and for what becomes of text that is not JSON.

mod error_information;
mod fx;
mod json;
mod participants;
mod quotes;
mod requests;
mod schema;
mod schemas;
mod texts;
mod transfers;

pub use error_information::ErrorInformation;
pub use fx::{
    ConversionTerms, FxAmount, FxMoney, FxProviders, FxQuoteRequest, FxQuoteResponse, FxTransferFulfil,
    FxTransferPrepare,
};
pub use participants::{ParticipantBatch, ParticipantRegistration, ParticipantUpdate, PartyIdInfo, PartyPut};
pub use quotes::{AmountType, MoneyText, QuoteParty, QuoteRequest, QuoteResponse};
pub use requests::{AuthorizationPut, TransactionRequest, TransactionRequestPut};
pub use transfers::{TransferFulfil, TransferNotice, TransferPrepare, TransferState};

pub(crate) use error_information::extensions;
pub(crate) use schemas::FX_PROVIDERS_MAX;
pub use texts::is_amount;
pub(crate) use texts::{AMOUNT_PATTERN, CORRELATION_ID_PATTERN};

use json::Object;
use std::str::FromStr;

impl<'body> Object<'body> {
    /// A member that the schema demands and whose form it has checked.
    fn checked<T: FromStr>(&self, name: &str) -> T {
        self.checked_option(name).expect("the schema demands the member")
    }

    /// An optional member whose form the schema has checked.
    fn checked_option<T: FromStr>(&self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        Some(text.parse().ok().expect("the schema has checked the form of the member"))
    }

    /// A text that the schema demands.
    fn owned_text(&self, name: &str) -> String {
        self.text(name).expect("the schema demands the member").into_owned()
    }

    /// The raw JSON text of a member, as it was written.
    fn raw(&self, name: &str) -> Option<Box<str>> {
        self.get(name).map(Box::from)
    }
}

#[cfg(test)]
mod tests;
