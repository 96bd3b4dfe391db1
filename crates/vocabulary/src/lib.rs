//! The nouns that every umoja crate shares.
//!
//! Invariant: a value of one of these types is well formed. Each type has one parser ([`core::str::FromStr`] or
//! `parse`) and one printer ([`core::fmt::Display`]), both in the lexical form of FSPIOP 1.1 §7 "Data Types".
//! The crate has no dependencies, no I/O, no clock and no randomness; the compiler says so (`no_std`).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod base64url;
mod condition;
mod currency;
mod fsp_id;
mod id;
mod money;
mod party;
mod timestamp;

pub use condition::{Condition, Digest, Fulfilment};
pub use currency::{Currency, UnknownCurrency};
pub use fsp_id::{FspId, InvalidFspId};
pub use id::{CorrelationId, InvalidId};
pub use money::{Amount, InvalidAmount, Money, SCALE};
pub use party::{InvalidParty, PartyId, PartyIdType};
pub use timestamp::{InvalidTimestamp, Timestamp};
