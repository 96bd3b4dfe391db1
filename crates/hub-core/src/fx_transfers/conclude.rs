//! `PATCH /fxTransfers/{ID}` from another scheme: how a payment ended that converts here and is paid there.
//!
//! Our own addition: the reference takes no PATCH, so that a provider whose scheme does not see the transfer never learns
//! what has become of it (contract, interscheme §1.7, last row of the second table).

use super::subject;
use crate::{
    Outcome, Rejection, State,
    transfers::{Event, SenderStanding, Stage, linked},
};
use alloc::vec::Vec;
use vocabulary::{CorrelationId, FspId};

/// The word of the initiator's scheme.
#[derive(Clone, Debug)]
pub struct Conclude {
    pub id: CorrelationId,
    /// As in [`super::Agree`].
    pub payment: CorrelationId,
    pub standing: SenderStanding,
    /// The proxy that the message came by.
    pub via: Option<FspId>,
    pub is_committed: bool,
}

/// Ends a conversion that an external initiator asked for and whose transfer this scheme has not seen, if its own proxy
/// says so. Anything else changes nothing: here the transfer decides.
pub fn conclude(state: &mut State, command: &Conclude) -> Outcome {
    let about = subject(command.id);
    let is_theirs = state.conversion(command.id).is_some_and(|known| {
        let is_from_outside = known.payer_proxy.is_some() && command.standing == SenderStanding::External;
        let is_by_its_proxy = is_from_outside && known.payer_proxy == command.via;
        let may_end = if command.is_committed { known.stage() == Stage::Agreed } else { known.is_open() };
        let is_loaded = known.payment() == command.payment;
        is_loaded && is_by_its_proxy && may_end && state.transfer(known.payment()).is_none()
    });
    if !is_theirs {
        return Outcome::silent();
    }
    if !command.is_committed {
        linked::abort(state, about, Event::Rejected, Rejection::ConversionNotAgreed);
        let known = state.conversion(command.id).expect("it was just aborted");
        return Outcome::tell(linked::tell_provider(state, known));
    }
    // What cannot be posted is said again: an outcome is tried until it is taken.
    let Some(entries) = linked::post(state, Vec::from([about])) else { return Outcome::silent() };
    linked::record(state, entries);
    let now = state.now;
    Outcome::tell(linked::commit_conversion(state, about, now))
}
