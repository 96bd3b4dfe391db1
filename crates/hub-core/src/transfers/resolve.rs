//! What an operator decides where another scheme does not answer: the one case in doubt (DESIGN, "One payment").

use super::{Event, Stage, Transfer, TransferState, linked};
use crate::{Message, Notice, Outcome, Rejection, State, Subject, SubjectKind};
use alloc::{boxed::Box, format, vec::Vec};
use vocabulary::CorrelationId;

/// An operator's word on a payment that is in doubt, after asking the other scheme by other means.
#[derive(Clone, Debug)]
pub struct Resolve {
    pub subject: Subject,
    /// The payment that it is part of.
    pub payment: CorrelationId,
    pub is_committed: bool,
    pub reason: Box<str>,
    /// Why, and who says so, as an `extensionList` in JSON text.
    pub extensions: Option<Box<str>>,
}

impl Transfer {
    /// Whether another scheme is to say how it ends, and has not by its expiration: a forwarded transfer, or a conversion
    /// whose transfer never came.
    pub fn is_undecided(&self) -> bool {
        match self.stage() {
            Stage::Forwarded | Stage::Agreed => true,
            Stage::Reserved | Stage::Committed | Stage::Aborted | Stage::Refused => false,
        }
    }
}

/// Ends a payment that is in doubt, and tells those of this scheme. Before its expiration, or where something else
/// decides, nothing happens.
pub fn resolve(state: &mut State, command: &Resolve) -> Outcome {
    let Some(known) = state.any_transfer(command.subject) else { return Outcome::silent() };
    // The parts of a payment end together: of a conversion only where its transfer is not here.
    let is_alone = command.subject.kind == SubjectKind::Transfer || state.transfer(command.payment).is_none();
    if !known.is_undecided() || known.expiration >= state.now || !is_alone {
        return Outcome::silent();
    }
    if command.is_committed { commit(state, command) } else { abort(state, command) }
}

fn commit(state: &mut State, command: &Resolve) -> Outcome {
    let parts = linked::open_parts(state, command.payment);
    let Some(entries) = linked::post(state, parts) else { return Outcome::silent() };
    linked::record(state, entries);
    let now = state.now;
    let mut notices = linked::commit_conversions(state, command.payment, now);
    if command.subject.kind == SubjectKind::Transfer {
        let window = Some(state.window);
        let known = state.change_transfer(command.subject);
        known.enter(Event::Fulfilled, TransferState::Committed { fulfilment: None }, now);
        known.window = window;
        known.fulfil_extensions.clone_from(&command.extensions);
        notices.push(known.tell_payer(Message::Status(Box::new(known.status()))));
    }
    Outcome::tell(notices)
}

fn abort(state: &mut State, command: &Resolve) -> Outcome {
    let description = format!("Ended by the operator: {}", command.reason).into_boxed_str();
    let rejection = Rejection::ByPayee { code: 2001, description };
    let mut notices: Vec<Notice> = Vec::new();
    if command.subject.kind == SubjectKind::Transfer {
        linked::abort(state, command.subject, Event::Rejected, rejection.clone());
        let known = state.change_transfer(command.subject);
        known.fulfil_extensions.clone_from(&command.extensions);
        notices.push(known.tell_payer(Message::Failure(rejection.clone())));
    } else if let Some(known) = state.any_transfer(command.subject) {
        notices.push(known.tell_payer(Message::Failure(rejection.clone())));
    }
    notices.extend(linked::abort_conversions(state, command.payment, (Event::Rejected, &rejection)));
    Outcome::tell(notices)
}
