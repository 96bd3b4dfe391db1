//! The outbox: messages that are durable before the request that caused them is acknowledged.

use bytes::Bytes;
use vocabulary::{FspId, Timestamp};

/// The place of a message in the outbox; grows with time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(pub i64);

/// How long a message is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// No attempt begins after this time.
    pub until: Timestamp,
}

/// A message to a participant, as it will leave: its bytes do not change between attempts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    pub to: FspId,
    /// Messages with one key to one participant leave in order.
    pub payment_key: [u8; 16],
    pub retry: Retry,
    /// Method, path and headers, in a form that the hub defines.
    pub head: Bytes,
    pub body: Bytes,
}

/// A message in the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredMessage {
    pub id: MessageId,
    pub message: NewMessage,
    pub attempts: u32,
}

/// What became of a message; rides on a later unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark {
    /// The participant answered 2xx: the row goes.
    Delivered(MessageId),
    /// It was not delivered and nobody waits for it any more: the row goes.
    Dropped(MessageId),
    /// An attempt failed and another will follow.
    Failed { id: MessageId, attempts: u32, error: String },
    /// It will not be tried again: kept for the operator to see.
    Dead { id: MessageId, attempts: u32, error: String },
}
