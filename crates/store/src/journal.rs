//! The journal: the conversation of every payment, one row for each message in or out (DESIGN, "Journal").
//!
//! Rows hold neither bodies nor identifiers of parties, only a keyed hash of the latter. The table is appended to and has
//! no secondary index, since an index of random ids would cost every payment; its own key grows with time, and that is
//! how a trace finds its place in it. Rows ride on units: the last second may be lost in a crash.

use crate::MessageId;
use bytes::Bytes;
use hub_core::{quotes::Quote, transfers::Transfer};
use ledger::{AccountId, EntryKind};
use vocabulary::{Amount, CorrelationId, FspId, Timestamp};

/// Microseconds since 1970: finer than what is shown, so that messages of one millisecond keep their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Micros(pub i64);

/// As the hub sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    In,
    Out,
}

/// One message, or one attempt to send one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalRow {
    /// When it arrived, or when the attempt to send it began.
    pub at: Micros,
    pub direction: Direction,
    /// Who sent it, or to whom it went; none where the sender did not say.
    pub participant: Option<FspId>,
    /// Method and resource as codes of the hub, which never change their meaning.
    pub method: u8,
    pub resource: u8,
    /// The payment that it is about; none for look-ups and for what could not be read.
    pub subject: Option<CorrelationId>,
    /// The transaction that a quote is for.
    pub related: Option<CorrelationId>,
    /// The HTTP status of the answer; none if there was none.
    pub status: Option<u16>,
    /// The FSPIOP error code of the answer, or of the message if that is an error.
    pub error: Option<u16>,
    /// Counts from 1 for what is sent; 0 for what came.
    pub attempt: u16,
    /// The trace id of its `traceparent`.
    pub trace: Option<[u8; 16]>,
    /// Keyed hash of the party that is looked up, or of a quote's payee.
    pub party: Option<[u8; 8]>,
}

/// Everything that is known of a payment.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    pub transfer: Option<TracedTransfer>,
    /// The conversions that the transfer determines, oldest first.
    pub conversions: Vec<TracedTransfer>,
    /// Oldest first, fxQuotes included.
    pub quotes: Vec<TracedQuote>,
    pub entries: Vec<TracedEntry>,
    /// In the order of their times.
    pub messages: Vec<JournalRow>,
    /// What waits in the outbox or is dead.
    pub outbox: Vec<OutboxRow>,
    /// Whether the journal was searched as far as anything of the payment can be in it; false if that was too much.
    pub is_whole: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracedTransfer {
    pub transfer: Transfer,
    /// None for a transfer that is older than the journal.
    pub created_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracedQuote {
    pub quote: Quote,
    /// None for a quote that is older than the journal.
    pub created_at: Option<Timestamp>,
}

/// A ledger entry of a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracedEntry {
    pub id: i64,
    /// The key of the transfer, or of the conversion.
    pub transfer: i64,
    pub kind: EntryKind,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Amount,
    pub window: Option<i64>,
    pub at: Timestamp,
}

/// A message of the outbox as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    pub id: MessageId,
    pub to: FspId,
    pub payment_key: [u8; 16],
    /// Method, path and headers, in the form that the hub defines.
    pub head: Bytes,
    pub until: Timestamp,
    pub attempts: u32,
    pub is_dead: bool,
    pub last_error: Option<Box<str>>,
}

/// Which messages of the outbox are listed, oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxQuery {
    pub state: OutboxState,
    pub to: Option<FspId>,
    pub after: MessageId,
    pub limit: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutboxState {
    /// Still tried.
    Waiting,
    /// Given up, and kept for the operator.
    Dead,
}

impl Micros {
    /// The same moment as everything else is timed.
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.0.div_euclid(1000))
    }
}

impl From<Timestamp> for Micros {
    fn from(time: Timestamp) -> Self {
        Self(time.millis().saturating_mul(1000))
    }
}
