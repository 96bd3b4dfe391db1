//! What the hub says of a transfer (contract §4.9).

use super::{Transfer, TransferState};
use crate::Rejection;
use alloc::boxed::Box;
use vocabulary::{Fulfilment, Timestamp};

/// `TransferState` of FSPIOP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublicState {
    Reserved,
    Committed,
    Aborted,
}

/// The body of `PUT /transfers/{ID}` that the hub makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferStatus {
    pub state: PublicState,
    /// When the latest state was entered; present in every state.
    pub completed: Timestamp,
    pub fulfilment: Option<Fulfilment>,
    /// An `extensionList` as JSON text, the fulfil's if a fulfilment is stored, else the prepare's.
    pub extensions: Option<Box<str>>,
    /// Appended to the extensions of an aborted transfer.
    pub cause: Option<Rejection>,
}

impl PublicState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "RESERVED",
            Self::Committed => "COMMITTED",
            Self::Aborted => "ABORTED",
        }
    }
}

impl Transfer {
    /// What GET answers in the present state.
    pub fn status(&self) -> TransferStatus {
        let (state, fulfilment, cause) = match &self.state {
            TransferState::Reserved | TransferState::Forwarded => (PublicState::Reserved, None, None),
            TransferState::Agreed { fulfilment } => (PublicState::Reserved, *fulfilment, None),
            TransferState::Committed { fulfilment } => (PublicState::Committed, *fulfilment, None),
            TransferState::Aborted(cause) | TransferState::Refused(cause) => {
                (PublicState::Aborted, None, Some(cause.clone()))
            }
        };
        let extensions = if fulfilment.is_some() { &self.fulfil_extensions } else { &self.prepare_extensions };
        TransferStatus { state, completed: self.changed_at, fulfilment, extensions: extensions.clone(), cause }
    }
}
