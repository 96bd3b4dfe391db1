//! `PUT /transfers/{ID}/error`: the payee refuses (contract §4.7).

use super::{Event, Sender, SenderStanding, Stage, Transfer, linked, subject};
use crate::{Dialect, Message, Outcome, Rejection, State};
use alloc::{boxed::Box, vec::Vec};
use vocabulary::{CorrelationId, Digest, FspId, Timestamp};

/// What a scheme says of a transfer or conversion that it does not know (contract §4.9, interscheme §1.8).
const ID_NOT_FOUND: u16 = 3208;

/// A payee's error whose form has been checked.
#[derive(Clone, Debug)]
pub struct Reject {
    pub id: CorrelationId,
    pub source: FspId,
    pub standing: SenderStanding,
    /// The proxy that the message came by.
    pub via: Option<FspId>,
    pub destination: Option<FspId>,
    pub code: u16,
    pub description: Box<str>,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// Decides a payee's error: the holds of the payment are dropped, and the payer gets the payee's own message.
pub fn reject(state: &mut State, command: &Reject) -> Outcome {
    let sender = Sender::new((&command.source, command.via.as_ref()), command.standing, command.dialect);
    let about = subject(command.id);
    let Some(known) = state.transfer(command.id) else {
        return sender.hears_of_error([sender.tell(about, None, Message::Failure(Rejection::TransferNotFound))]);
    };
    if let Err(rejection) = sender.check(known, command.destination.as_ref()) {
        if !sender.ends_by_mismatch(known) {
            return Outcome::silent();
        }
        linked::abort(state, about, Event::Invalidated, rejection.clone());
        let known = state.transfer(command.id).expect("it was just aborted");
        let mut notices = Vec::from([known.tell_payer(Message::Failure(rejection.clone()))]);
        notices.extend(linked::abort_conversions(state, command.id, (Event::Invalidated, &rejection)));
        return Outcome::tell(notices);
    }
    if may_be_under_way(known, command.code, state.now) {
        return Outcome::silent();
    }
    if let Some(earlier) = known.hashes.error {
        let message = match (earlier == command.hash, known.stage()) {
            (false, _) => Some(Message::Failure(Rejection::ModifiedRequest)),
            (true, Stage::Reserved | Stage::Forwarded | Stage::Agreed) => None,
            (true, Stage::Committed | Stage::Aborted | Stage::Refused) => {
                Some(Message::Status(Box::new(known.status())))
            }
        };
        return sender.hears_of_error(message.map(|message| sender.tell(about, None, message)));
    }
    let now = state.now;
    let known = state.change_transfer(about);
    known.hashes.error = Some(command.hash);
    known.payee_dialect = command.dialect;
    if !known.stage().is_pending() {
        let late = known.tell_payee(Message::Failure(Rejection::NotReserved));
        return sender.hears_of_error([late]);
    }
    if known.has_expired(now) {
        let late = known.tell_payee(Message::Failure(Rejection::TransferExpired));
        return sender.hears_of_error([late]);
    }
    let rejection = Rejection::ByPayee { code: command.code, description: command.description.clone() };
    linked::abort(state, about, Event::Rejected, rejection.clone());
    let confirms = state.rules.confirms_to_payee;
    let known = state.transfer(command.id).expect("it was just aborted");
    let mut notices = Vec::from([known.tell_payer(Message::Relay)]);
    if confirms && known.payee_proxy.is_none() && !known.payer.same_as(known.payee.as_str()) {
        notices.push(known.tell_payee(Message::Failure(rejection.clone())));
    }
    notices.extend(linked::abort_conversions(state, command.id, (Event::Rejected, &rejection)));
    Outcome::tell(notices)
}

/// Whether what was forwarded may still get to the scheme that says it does not know it: until it expires, from when on
/// nobody accepts it any more.
pub(crate) fn may_be_under_way(known: &Transfer, code: u16, now: Timestamp) -> bool {
    code == ID_NOT_FOUND && known.stage() == Stage::Forwarded && now <= known.expiration
}
