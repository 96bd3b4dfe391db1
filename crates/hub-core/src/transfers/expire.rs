//! Expiry of reserved transfers (contract §4.10).

use super::{Event, Stage, Transfer, TransferKind, TransferState, linked};
use crate::{Outcome, State, Subject, SubjectKind};
use vocabulary::CorrelationId;

/// A transfer or conversion whose expiration may have passed.
#[derive(Clone, Copy, Debug)]
pub struct Expire {
    pub subject: Subject,
    /// The payment that it is part of.
    pub payment: CorrelationId,
}

/// Ends what is still reserved past its expiration, with the payment of which it is a part, and tells both sides.
/// Anything else stays as it is, so that any number of nodes may ask.
///
/// Funds movements do not expire: an operator ends them. What was forwarded is decided by the scheme that it was forwarded
/// to, and a conversion that was agreed to waits for its transfer (contract, interscheme §1.8, §3.7).
pub fn expire(state: &mut State, command: &Expire) -> Outcome {
    let Some(known) = state.any_transfer(command.subject).filter(|known| is_due(state, known)) else {
        return Outcome::silent();
    };
    let mut parts = linked::open_parts(state, known.payment());
    if command.subject.kind == SubjectKind::Conversion && is_elsewhere(state, known) {
        parts.retain(|part| *part == command.subject);
    }
    Outcome::tell(linked::expire(state, parts))
}

fn is_due(state: &State, known: &Transfer) -> bool {
    let expires = match known.kind {
        TransferKind::Payment | TransferKind::Conversion(_) => true,
        TransferKind::FundsIn | TransferKind::FundsOut => false,
    };
    expires && known.stage() == Stage::Reserved && known.expiration < state.now
}

/// Whether the transfer of a conversion has been forwarded, so that it is not ours to end.
fn is_elsewhere(state: &State, conversion: &Transfer) -> bool {
    state.transfer(conversion.payment()).is_some_and(|known| known.stage() == Stage::Forwarded)
}

/// What was to be forwarded never left this scheme: nobody else can decide it, so that it expires here as any other
/// (contract, interscheme §1.10).
pub fn not_forwarded(state: &mut State, command: &Expire) -> Outcome {
    let now = state.now;
    if state.any_transfer(command.subject).is_some_and(|known| known.stage() == Stage::Forwarded) {
        let known = state.change_transfer(command.subject);
        known.enter(Event::NotForwarded, TransferState::Reserved, now);
    }
    Outcome::silent()
}
