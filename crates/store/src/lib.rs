//! Durable state of the hub.
//!
//! [`Store`] is what a hub node opens: reads, and [`Writer`]s. A writer runs units: `open` finds what the unit's
//! commands are about, `lock` grants exclusive use of the accounts, `commit` makes states, entries, hashes and outgoing
//! messages durable together. Nothing is acknowledged before `commit` has returned.
//!
//! Backends differ in SQL only: [`sqlite`] (embedded, one writer; without a file it is the memory store) and
//! [`postgres`] (any number of nodes and writers). One contract suite (`tests/contract`) runs on all of them.
//!
//! Locks are taken in one order and never back: caller-chosen ids, payments, accounts, the gate of the settlement
//! window. The time of a unit is read after the last lock was granted and never runs backwards.
#![deny(unsafe_code)]

mod audit;
mod certificates;
mod codec;
mod error;
mod journal;
mod message;
mod movements;
mod notices;
pub mod postgres;
pub mod sqlite;
mod trace;
mod types;

pub use certificates::{CertificateQuery, CertificateRow, NewCertificate, Revocation};
pub use error::StoreError;
pub use hub_core::Wanted;
pub use journal::{
    Direction, JournalRow, Micros, OutboxQuery, OutboxRow, OutboxState, Trace, TracedEntry, TracedQuote, TracedTransfer,
};
pub use message::{Mark, MessageId, NewMessage, Retry, StoredMessage};
pub use notices::{
    Claim, DeliveryEnd, DeliveryId, DeliveryRow, DeliveryState, DueDelivery, NoticeId, NoticeQuery, NoticeRow,
    StoredNotice,
};
pub use types::{
    Asked, BoxFuture, Due, Durability, FundsQuery, NodeId, Opened, PairTotal, PartyChange, PartyEntry, Question,
    SEARCH_MAX, SettlementQuery, StatementLine, StatementQuery, Store, Unanswered, UnitWork, Verdict, WindowQuery,
    Writer, open,
};
