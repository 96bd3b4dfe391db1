//! What a decision tells whom.

use crate::{Rejection, Subject, transfers::TransferStatus};
use alloc::boxed::Box;
use vocabulary::FspId;

/// Which version of the wire a participant spoke last in a payment, so that what the hub makes for it uses the same.
/// Opaque here; zero means that it has not spoken yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dialect(pub u8);

/// One message that follows from a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    pub to: FspId,
    /// The proxy through which an external recipient is reached.
    pub via: Option<FspId>,
    pub about: Subject,
    pub dialect: Dialect,
    pub message: Message,
}

/// What the message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// The bytes of the command's own message, passed on as they came.
    Relay,
    /// An error about the subject.
    Failure(Rejection),
    /// The state of a transfer, as GET would answer it.
    Status(Box<TransferStatus>),
    /// The final state of a transfer for a payee that answered RESERVED.
    Patch(Box<TransferStatus>),
}
