//! What a DFSP links to take part in a scheme: the FSPIOP client and server, and the ILP seals.
//!
//! A DFSP makes a [`Connection`], implements [`Backend`] for its core, and gives both to [`serve`]. It then calls
//! [`Connection::find`], [`Connection::quote`] and [`Connection::send`] to pay, and is called to be paid. Who converts currencies
//! implements [`Exchange`] and calls [`serve_exchange`]; paying in another currency is described in [`fx`]. Behaviour:
//! FSPIOP 1.1 §6 and the participants' contract (dfsp-client.md). Signatures are off until [`Signatures`] say otherwise.
//!
//! Invariant: the hub is the authority on every transfer. What is not known for certain is asked
//! ([`Connection::status`]), never guessed. Nothing here knows the hub's rules, and no identifier of a party is logged.
#![forbid(unsafe_code)]

mod backend;
mod call_error;
mod config;
mod connection;
pub mod fx;
mod http_client;
mod inbound;
mod links;
mod message;
mod news;
mod party;
mod payer;
mod requests;
mod signatures;
pub mod text;
mod tokens;
mod waiting;
mod wire;

pub use backend::{Answer, Backend, HeldTransfer, IncomingTransfer, NotRecorded, QuoteQuestion, Terms};
pub use call_error::CallError;
pub use config::{Config, now};
pub use connection::Connection;
pub use fspiop::body::{AmountType, TransferState};
pub use fspiop::ilp::{condition_of, exponent};
pub use fspiop::jws::{KeyDirectory, SigningKey};
pub use fspiop::{ErrorCode, FspiopError, Version};
pub use fx::{
    Exchange, FxAnswer, FxCharge, FxDecision, FxNews, FxQuestion, FxQuote, FxQuoteOrder, FxReservation, FxStatus,
    FxTerms, FxTransferOrder, FxWish, IncomingConversion,
};
pub use http_client::{HttpAnswer, HttpClient, HttpError};
pub use inbound::{Listener, serve, serve_both, serve_exchange};
pub use links::Links;
pub use message::Message;
pub use news::{Decision, News, Role, TransferStatus, ends_for_payer};
pub use oauth::{Credentials, Rhythm, Secret};
pub use party::Party;
pub use payer::{Quote, QuoteOrder, TransferOrder};
pub use requests::{PaymentRequest, RequestNews, RequestOrder};
pub use signatures::{PartyAnswers, Signatures};
pub use tls::{ClientTls, KeyPair, ListenerTls};
pub use tokens::{Fetched, Tokens};
pub use waiting::{TooManyWaiters, Waiter, Waiting};

use vocabulary::CorrelationId;

/// A new id for a quote, transaction or transfer: a random UUID.
pub fn new_id() -> CorrelationId {
    uuid::Uuid::new_v4().to_string().parse().expect("a version 4 UUID in lower case is an id")
}
