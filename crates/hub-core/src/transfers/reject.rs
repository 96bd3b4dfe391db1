//! `PUT /transfers/{ID}/error`: the payee refuses (contract §4.7).

use super::{Event, Stage, fulfil, subject};
use crate::{Dialect, Message, Notice, Outcome, Rejection, State};
use alloc::{boxed::Box, vec::Vec};
use vocabulary::{CorrelationId, Digest, FspId};

/// A payee's error whose form has been checked.
#[derive(Clone, Debug)]
pub struct Reject {
    pub id: CorrelationId,
    pub source: FspId,
    pub destination: Option<FspId>,
    pub code: u16,
    pub description: Box<str>,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// Decides a payee's error: the hold is dropped, and the payer gets the payee's own message.
pub fn reject(state: &mut State, command: &Reject) -> Outcome {
    let to_sender =
        |message| Notice { to: command.source.clone(), about: subject(command.id), dialect: command.dialect, message };
    let Some(known) = state.transfer(command.id) else {
        return Outcome::tell([to_sender(Message::Failure(Rejection::TransferNotFound))]);
    };
    if let Err(rejection) = fulfil::check_parties(known, &command.source, command.destination.as_ref()) {
        let ends = known.stage() == Stage::Reserved && known.is_party(&command.source);
        let is_payment = known.condition.is_some();
        if !(ends && is_payment) {
            return Outcome::silent();
        }
        fulfil::abort(state, command.id, Event::Invalidated, rejection.clone());
        let known = state.transfer(command.id).expect("it was just aborted");
        return Outcome::tell([known.tell_payer(Message::Failure(rejection))]);
    }
    if let Some(earlier) = known.hashes.error {
        let message = match (earlier == command.hash, known.stage()) {
            (false, _) => Some(Message::Failure(Rejection::ModifiedRequest)),
            (true, Stage::Reserved) => None,
            (true, Stage::Committed | Stage::Aborted | Stage::Refused) => {
                Some(Message::Status(Box::new(known.status())))
            }
        };
        return Outcome::tell(message.map(to_sender));
    }
    let now = state.now;
    let known = state.change_transfer(command.id);
    known.hashes.error = Some(command.hash);
    known.payee_dialect = command.dialect;
    if known.stage() != Stage::Reserved {
        return Outcome::tell([known.tell_payee(Message::Failure(Rejection::NotReserved))]);
    }
    if known.expiration <= now {
        return Outcome::tell([known.tell_payee(Message::Failure(Rejection::TransferExpired))]);
    }
    let rejection = Rejection::ByPayee { code: command.code, description: command.description.clone() };
    fulfil::abort(state, command.id, Event::Rejected, rejection.clone());
    let confirms = state.rules.confirms_to_payee;
    let known = state.transfer(command.id).expect("it was just aborted");
    let mut notices = Vec::from([known.tell_payer(Message::Relay)]);
    if confirms && !known.payer.same_as(known.payee.as_str()) {
        notices.push(known.tell_payee(Message::Failure(rejection)));
    }
    Outcome::tell(notices)
}
