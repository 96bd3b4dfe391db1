//! Expiry of reserved transfers (contract §4.10).

use super::{Event, Stage, TransferKind, fulfil};
use crate::{Message, Outcome, Rejection, State};
use vocabulary::CorrelationId;

/// A transfer whose expiration may have passed.
#[derive(Clone, Copy, Debug)]
pub struct Expire {
    pub id: CorrelationId,
}

/// Ends a transfer that is still reserved past its expiration, and tells both sides. Anything else stays as it is, so
/// that any number of nodes may ask. Funds movements do not expire: an operator ends them.
pub fn expire(state: &mut State, command: &Expire) -> Outcome {
    let is_due = state.transfer(command.id).is_some_and(|known| {
        known.kind == TransferKind::Payment && known.stage() == Stage::Reserved && known.expiration < state.now
    });
    if !is_due {
        return Outcome::silent();
    }
    fulfil::abort(state, command.id, Event::Expired, Rejection::TransferExpired);
    let known = state.transfer(command.id).expect("it was just aborted");
    let expired = || Message::Failure(Rejection::TransferExpired);
    Outcome::tell([known.tell_payer(expired()), known.tell_payee(expired())])
}
