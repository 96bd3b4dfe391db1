//! `PUT /fxTransfers/{ID}/error`: the provider refuses (contract, interscheme §3.6).

use super::{
    fulfil::{check_parties, end_payment},
    subject,
};
use crate::{
    Dialect, Message, Outcome, Rejection, State,
    transfers::{Event, Sender, SenderStanding, Stage, Transfer, linked, may_be_under_way},
};
use alloc::{boxed::Box, vec::Vec};
use vocabulary::{CorrelationId, Digest, FspId};

/// A provider's error whose form has been checked.
#[derive(Clone, Debug)]
pub struct RejectConversion {
    pub id: CorrelationId,
    /// As in [`super::Agree`].
    pub payment: CorrelationId,
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

/// Decides a provider's error: the payment ends, and the initiator gets the provider's own message.
pub fn reject(state: &mut State, command: &RejectConversion) -> Outcome {
    let about = subject(command.id);
    let sender = Sender::new((&command.source, command.via.as_ref()), command.standing, command.dialect);
    // One that was stored since its payment was looked up is not known yet: the rest of its payment is not loaded.
    let known = state.conversion(command.id).filter(|known| known.payment() == command.payment);
    let Some(known) = known else {
        return sender.hears_of_error([sender.tell(about, None, Message::Failure(Rejection::ConversionNotFound))]);
    };
    if let Err(rejection) = check_parties(&sender, known, command.destination.as_ref()) {
        if !sender.ends_by_mismatch(known) {
            return Outcome::silent();
        }
        return end_payment(state, command.id, (Event::Invalidated, rejection.clone()), |_, known| {
            Vec::from([known.tell_payer(Message::Failure(rejection))])
        });
    }
    if may_be_under_way(known, command.code, state.now) {
        return Outcome::silent();
    }
    if let Some(earlier) = known.hashes.error {
        let message = match (earlier == command.hash, known.is_open()) {
            (false, _) => Some(Message::Failure(Rejection::ModifiedRequest)),
            (true, true) => None,
            (true, false) => Some(Message::Status(Box::new(known.status()))),
        };
        return sender.hears_of_error(message.map(|message| sender.tell(about, None, message)));
    }
    let is_late = known.stage() == Stage::Reserved && known.has_expired(state.now);
    let may_end = known.is_open() && may_end_payment(state, known);
    let known = state.change_transfer(about);
    known.hashes.error = Some(command.hash);
    known.payee_dialect = command.dialect;
    if !may_end {
        let late = known.tell_payee(Message::Failure(Rejection::NotReserved));
        return sender.hears_of_error([late]);
    }
    if is_late {
        let late = known.tell_payee(Message::Failure(Rejection::TransferExpired));
        return sender.hears_of_error([late]);
    }
    let rejection = Rejection::ByPayee { code: command.code, description: command.description.clone() };
    let confirms = state.rules.confirms_to_payee;
    end_payment(state, command.id, (Event::Rejected, rejection.clone()), |_, known| {
        let is_confirmed = confirms && known.payee_proxy.is_none();
        let confirmation = is_confirmed.then(|| known.tell_payee(Message::Failure(rejection)));
        [Some(known.tell_payer(Message::Relay)), confirmation].into_iter().flatten().collect()
    })
}

/// A transfer that was forwarded may be committed in the scheme of its payee; only that scheme can end it, and it
/// answers for the provider too where both are behind the same proxy (contract, interscheme §4.2).
fn may_end_payment(state: &State, conversion: &Transfer) -> bool {
    let parts = linked::open_parts(state, conversion.payment());
    let mut forwarded = parts
        .into_iter()
        .filter_map(|part| state.any_transfer(part))
        .filter(|known| known.terms().is_none() && known.stage() == Stage::Forwarded);
    forwarded.all(|known| known.payee_proxy == conversion.payee_proxy)
}
