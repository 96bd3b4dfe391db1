//! Paying in a currency that the payee does not hold: a foreign exchange provider (FXP) gives the payee's currency for the
//! payer's (FSPIOP 2.0; contract, interscheme §3).
//!
//! The payer's DFSP asks [`Connection::fx_providers`] who converts, and [`Connection::best_fx_quote`] for the best terms:
//! before the payee's quote if the payer says what leaves, after it if the payer says what arrives. Then it sends the
//! conversion, and the transfer once the provider has agreed:
//!
//! ```
//! use sdk::{AmountType, CallError, Connection, Decision, FxDecision, FxTransferOrder, FxWish, QuoteOrder, TransferOrder};
//!
//! /// Pays what the order says, in the payee's currency, from an account in `wish.amount`'s.
//! async fn pay(connection: &Connection, wish: FxWish, order: QuoteOrder) -> Result<Decision, CallError> {
//!     assert_eq!((wish.transfer_id, wish.amount_type), (order.transaction_id, AmountType::Send));
//!     let providers = connection.fx_providers(wish.source(), wish.target()).await?;
//!     let fx_quote = connection.best_fx_quote(&wish, &providers).await?;
//!     let quote = connection.quote(&QuoteOrder { amount: fx_quote.target, ..order }).await?;
//!     // Here the payer sees both amounts, the rate and all fees, and agrees; then the money is set aside.
//!     let fx_order = FxTransferOrder::of(&fx_quote, wish.expiration);
//!     if let FxDecision::Aborted(error) = connection.fx_send(&fx_order).await? {
//!         return Ok(Decision::Aborted(error));
//!     }
//!     let transfer = TransferOrder {
//!         id: wish.transfer_id,
//!         payee_fsp: quote.payee_fsp,
//!         amount: quote.transfer,
//!         packet: quote.packet,
//!         condition: quote.condition,
//!         expiration: wish.expiration,
//!     };
//!     connection.send(&transfer).await
//! }
//! ```
//!
//! A payee's DFSP can convert instead: it asks the providers when it is asked for a quote, gives their terms to
//! [`Terms::conversion`](crate::Terms::conversion) and finds them again in the transfer. It answers [`Answer::Later`](crate::Answer::Later),
//! sends the conversion with the transfer's id and amount, and [fulfils](Connection::fulfil) the transfer once the provider
//! has agreed.
//!
//! Invariant: after an agreement the payment is open until its transfer has ended, so a transfer that could not be sent is
//! sent again. After a time-out [`Connection::fx_status`] tells whether there was an agreement.

mod exchange;
mod news;
mod payer;
pub(crate) mod sealed;
pub(crate) mod wire;

pub use exchange::{Exchange, FxAnswer, FxCharge, FxQuestion, FxReservation, FxTerms, IncomingConversion};
pub use news::{FxDecision, FxNews, FxStatus};
pub(crate) use payer::FxOffer;
pub use payer::{FxQuote, FxQuoteOrder, FxTransferOrder, FxWish};

#[cfg(doc)]
use crate::Connection;
use fspiop::body::AmountType;
use vocabulary::Currency;

/// From which currency into which one is converted: the given amount is what leaves, or what arrives.
fn from_to(amount_type: AmountType, given: Currency, other: Currency) -> [Currency; 2] {
    match amount_type {
        AmountType::Send => [given, other],
        AmountType::Receive => [other, given],
    }
}
