//! What the hub decides.
//!
//! Every decision is a function of the loaded state, a command and the time; it returns what to tell whom and leaves
//! the changed state behind for the store to commit. There is no I/O, no clock, no randomness and no wire format here:
//! the same decision serves every version of FSPIOP. Behaviour follows FSPIOP 1.1 §6 "API services" as the hub's
//! contract refines it; the sections named in comments are those of that contract.
//!
//! A unit of commands is decided in three steps, which [`State`] ties together:
//! [`Command::subject`] says which payment or quote a command is about, [`Command::standings`] which accounts the
//! decision looks at or changes, and [`decide`] decides.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod administration;
mod command;
pub mod discovery;
pub mod fees;
#[cfg(test)]
mod fixture;
pub mod fx_transfers;
mod notice;
pub mod notices;
mod participant;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod quotes;
mod rejection;
pub mod settlement;
mod state;
pub mod transfers;

pub use command::{Access, Command, Outcome, Standing, Subject, SubjectKind, Wanted, decide};
pub use notice::{Dialect, Message, Notice};
pub use participant::{Flow, OnUs, Participant, Rules};
pub use rejection::Rejection;
pub use state::{Changes, Holder, Loaded, Posting, State, WindowId};
