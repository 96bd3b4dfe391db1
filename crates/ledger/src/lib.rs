//! Double entry as a pure state machine.
//!
//! Money that has moved is an [`Entry`]: one amount debited to one account and credited to another of the same currency.
//! Money that may move is a *hold* on the account that would be debited. Invariants, per currency:
//!
//! - the posted balances of all accounts change by zero with every entry;
//! - an account's held amount is the sum of its open holds and is never negative.
//!
//! Signs are those of the administration API: a debit is positive. A participant's POSITION above zero is what it owes;
//! a funded SETTLEMENT account is below zero, and liquidity cover is its negation.
//! An operation that would overflow is refused and changes nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod account;
mod account_kind;
mod book;

pub use account::{Account, AccountId, Cap, ParticipantId};
pub use account_kind::{AccountKind, AccountTypeName, NotAnAccountType};
pub use book::{Book, Entry, EntryKind, LedgerError, Shortfall};
