//! What a foreign exchange provider does when the scheme asks: the trait that it implements, and what it is told.
//!
//! Invariant: the provider is asked to reserve only a conversion whose condition follows from its own quote and secret. It
//! may be asked and told the same thing again, so it answers by id; what it has reserved it has made durable before it
//! answers.

use super::{FxNews, from_to};
use crate::NotRecorded;
use fspiop::FspiopError;
use fspiop::body::{AmountType, TransferState};
use std::future::Future;
use vocabulary::{CorrelationId, Currency, FspId, Money, Timestamp};

/// The treasury of a foreign exchange provider.
pub trait Exchange: Send + Sync + 'static {
    /// At which terms would it convert? A question that is repeated gets the same terms.
    fn quote(&self, question: FxQuestion) -> impl Future<Output = Result<FxTerms, FspiopError>> + Send;

    /// The terms that were answered to a question, for who asks again. Errors: `QUOTE_ID_NOT_FOUND`.
    fn quoted(
        &self,
        request_id: CorrelationId,
    ) -> impl Future<Output = Result<(FxQuestion, FxTerms), FspiopError>> + Send;

    /// A conversion has been reserved at the hub: will the provider give the target amount once the transfer is committed?
    fn prepare(&self, conversion: IncomingConversion) -> impl Future<Output = FxAnswer> + Send;

    /// What has become of a conversion. Errors: `TRANSFER_ID_NOT_FOUND`.
    fn reservation(&self, id: CorrelationId) -> impl Future<Output = Result<FxReservation, FspiopError>> + Send;

    /// The outcome of a conversion, see [`FxNews::for_provider`]. Acknowledged to the hub only after `Ok`; after `Err` the
    /// hub repeats it.
    fn news(&self, id: CorrelationId, news: FxNews) -> impl Future<Output = Result<(), NotRecorded>> + Send;
}

/// `POST /fxQuotes`, as the provider reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxQuestion {
    pub request_id: CorrelationId,
    /// The id that the conversion will have.
    pub conversion_id: CorrelationId,
    /// The transfer that the conversion is for.
    pub transfer_id: Option<CorrelationId>,
    pub initiator: FspId,
    /// Whether `amount` is what is given to the provider or what the provider gives.
    pub amount_type: AmountType,
    pub amount: Money,
    /// The currency of the amount that is asked for.
    pub other: Currency,
    /// Until when the initiator wants the terms to hold.
    pub expiration: Timestamp,
}

/// What the provider answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxTerms {
    /// The provider gets it, charges included.
    pub source: Money,
    /// The provider gives it.
    pub target: Money,
    pub charges: Vec<FxCharge>,
    pub expiration: Timestamp,
}

/// What of a conversion the provider keeps; it is part of the amounts already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxCharge {
    /// At most 32 characters.
    pub kind: String,
    /// In either currency, or in both.
    pub source: Option<Money>,
    pub target: Option<Money>,
}

/// `POST /fxTransfers`, with the amounts of a quote of this provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingConversion {
    pub id: CorrelationId,
    pub transfer_id: Option<CorrelationId>,
    pub initiator: FspId,
    pub source: Money,
    pub target: Money,
    /// A conversion that has not been agreed to by then ends. An agreed one ends with its transfer.
    pub expiration: Timestamp,
}

/// What becomes of an incoming conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FxAnswer {
    /// The conversion is made when the hub says so ([`Exchange::news`]).
    Reserve,
    /// The conversion ends, with its payment, and the initiator gets this error.
    Reject(FspiopError),
    /// No answer; the conversion expires. For trials.
    Silence,
}

/// A conversion as the provider knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxReservation {
    pub conversion: IncomingConversion,
    /// RESERVED, COMMITTED or ABORTED.
    pub state: TransferState,
}

impl FxQuestion {
    pub fn source(&self) -> Currency {
        from_to(self.amount_type, self.amount.currency, self.other)[0]
    }

    pub fn target(&self) -> Currency {
        from_to(self.amount_type, self.amount.currency, self.other)[1]
    }
}
