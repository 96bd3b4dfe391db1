//! What a DFSP's core does when the scheme asks: the trait that the core implements, and what it is told.
//!
//! Invariant: the core is asked about a transfer only after its condition, packet and amount have been checked. It may be
//! asked and told the same thing again, so it answers by id; what it has promised (a reservation) it has made durable
//! before it answers.

use crate::{FxNews, FxQuote, News, Party, PaymentRequest, RequestNews, text};
use fspiop::{ErrorCode, FspiopError, Version, body::AmountType};
use serde::{Deserialize, Serialize};
use std::future::Future;
use vocabulary::{Amount, CorrelationId, FspId, Money, PartyId, Timestamp};

/// The core-banking side of a DFSP.
pub trait Backend: Send + Sync + 'static {
    /// Who has this identifier? Errors: `PARTY_NOT_FOUND`.
    fn lookup(&self, party: PartyId) -> impl Future<Output = Result<Party, FspiopError>> + Send;

    /// At which terms would a payment be accepted?
    fn quote(&self, question: QuoteQuestion) -> impl Future<Output = Result<Terms, FspiopError>> + Send;

    /// A transfer has been reserved at the hub: will the payee take it?
    fn prepare(&self, transfer: IncomingTransfer) -> impl Future<Output = Answer> + Send;

    /// News of a transfer, sent or received. Acknowledged to the hub only after `Ok`; after `Err` the hub repeats it.
    fn news(&self, id: CorrelationId, news: News) -> impl Future<Output = Result<(), NotRecorded>> + Send;

    /// Somebody asks one of our customers to pay. The answer is the id that the payment's transaction will have; the same
    /// request gets the same one. Who has nobody to ask leaves it out.
    fn requested(&self, _request: PaymentRequest) -> impl Future<Output = Result<CorrelationId, FspiopError>> + Send {
        std::future::ready(Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED)))
    }

    /// News of a request to pay that this DFSP has made; like [`Backend::news`].
    fn request_news(
        &self,
        _id: CorrelationId,
        _news: RequestNews,
    ) -> impl Future<Output = Result<(), NotRecorded>> + Send {
        std::future::ready(Ok(()))
    }

    /// News of a conversion that this DFSP has asked for; like [`Backend::news`]. Who never pays in other currencies leaves
    /// it out.
    fn fx_news(&self, _id: CorrelationId, _news: FxNews) -> impl Future<Output = Result<(), NotRecorded>> + Send {
        std::future::ready(Ok(()))
    }
}

/// `POST /quotes`, as the payee's DFSP reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteQuestion {
    pub quote_id: CorrelationId,
    pub transaction_id: CorrelationId,
    pub payer: Party,
    pub payee: PartyId,
    /// Whether `amount` is what the payer sends or what the payee receives.
    pub amount_type: AmountType,
    pub amount: Money,
    pub note: Option<String>,
    /// The transaction of which this payment gives something back.
    pub refund_of: Option<CorrelationId>,
}

/// What the payee's DFSP answers. All amounts are in the currency of the question; with a conversion, what is received and
/// the fee are in the currency into which it converts.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Moves between the DFSPs.
    pub transfer: Amount,
    /// Reaches the payee.
    pub received: Amount,
    /// Of the transfer, or of what it is converted into, what the payee's DFSP keeps.
    pub fee: Amount,
    /// How the payee's DFSP will convert the transfer. It comes back with the transfer and need not be remembered.
    pub conversion: Option<FxQuote>,
    /// The payee, with the name that the payer may see.
    pub payee: Party,
    pub expiration: Timestamp,
}

/// `POST /transfers`, with the terms out of its ILP packet, which this DFSP has made itself.
#[derive(Clone, Debug)]
pub struct IncomingTransfer {
    pub id: CorrelationId,
    pub quote_id: CorrelationId,
    /// Of the quote. A conversion was offered for the transfer of this id.
    pub transaction_id: CorrelationId,
    pub payer_fsp: FspId,
    pub payer: Party,
    pub payee: Party,
    /// Moves between the DFSPs.
    pub amount: Money,
    /// Of it, or of what it is converted into, what reaches the payee, as quoted.
    pub received: Amount,
    /// The terms at which it is converted here, as quoted, with one charge at most.
    pub conversion: Option<FxQuote>,
    pub note: Option<String>,
    /// The transaction of which this payment gives something back.
    pub refund_of: Option<CorrelationId>,
    pub expiration: Timestamp,
    /// To answer it after [`Answer::Later`].
    pub held: HeldTransfer,
}

/// A transfer whose answer was put off: what [`crate::Connection::fulfil`] and [`crate::Connection::reject`] need, also after
/// a restart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeldTransfer {
    #[serde(with = "text")]
    pub id: CorrelationId,
    /// Who is answered.
    #[serde(with = "text")]
    pub source: FspId,
    /// Of the question.
    #[serde(with = "text")]
    pub version: Version,
    pub packet: String,
}

/// What becomes of an incoming transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The money is credited when the hub says so ([`Backend::news`]). What a careful DFSP answers.
    Reserve,
    /// The money is credited now, whatever becomes of the transfer.
    Commit,
    /// The transfer ends and the payer gets this error.
    Reject(FspiopError),
    /// No answer yet: the DFSP gives it by [`crate::Connection::fulfil`] or [`crate::Connection::reject`].
    Later,
    /// No answer; the transfer expires. For trials.
    Silence,
}

/// News could not be made durable; tell it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotRecorded(pub String);
