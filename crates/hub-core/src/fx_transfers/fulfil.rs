//! `PUT /fxTransfers/{ID}`: the provider agrees (contract, interscheme §3.4).

use super::subject;
use crate::{
    Dialect, Message, Notice, Outcome, Rejection, State,
    transfers::{Event, Sender, SenderStanding, Stage, Transfer, TransferState, is_preimage, linked},
};
use alloc::{boxed::Box, vec::Vec};
use vocabulary::{CorrelationId, Digest, FspId, Fulfilment};

/// A provider's answer whose form has been checked.
#[derive(Clone, Debug)]
pub struct Agree {
    pub id: CorrelationId,
    /// The payment that the conversion is part of, by what was stored; its own id if it is not known.
    pub payment: CorrelationId,
    pub source: FspId,
    pub standing: SenderStanding,
    /// The proxy that the message came by.
    pub via: Option<FspId>,
    pub destination: Option<FspId>,
    /// False for `conversionState` ABORTED, which belongs on the error resource: checked, then ignored.
    pub agrees: bool,
    pub fulfilment: Option<Fulfilment>,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// Decides a provider's answer. Nothing moves: what is held waits for the determining transfer.
pub fn agree(state: &mut State, command: &Agree) -> Outcome {
    let about = subject(command.id);
    let sender = Sender::new((&command.source, command.via.as_ref()), command.standing, command.dialect);
    // One that was stored since its payment was looked up is not known yet: the rest of its payment is not loaded.
    let known = state.conversion(command.id).filter(|known| known.payment() == command.payment);
    let Some(known) = known else {
        return Outcome::tell([sender.tell(about, None, Message::Failure(Rejection::ConversionNotFound))]);
    };
    if let Err(rejection) = check_parties(&sender, known, command.destination.as_ref()) {
        return if sender.ends_by_mismatch(known) { invalidate(state, command, rejection) } else { Outcome::silent() };
    }
    // The other scheme's hub, on our question, says what stands there: without a fulfilment its provider may not have
    // answered yet.
    let is_provider = known.payee.same_as(command.source.as_str());
    if known.stage() == Stage::Forwarded && !is_provider && command.fulfilment.is_none() {
        return Outcome::silent();
    }
    if let Some(earlier) = known.hashes.fulfil {
        let via = known.payee_proxy.clone();
        return Outcome::tell(repeated(known, command, earlier).map(|message| sender.tell(about, via, message)));
    }
    let known = state.change_transfer(about);
    known.hashes.fulfil = Some(command.hash);
    known.payee_dialect = command.dialect;
    let (stage, condition) = (known.stage(), known.condition);
    // Where there is a fulfilment it has to fit (step 5); a conversion is proved by its transfer in any case.
    let fits =
        command.fulfilment.zip(condition).is_none_or(|(fulfilment, condition)| is_preimage(fulfilment, condition));
    if stage.is_pending() && !fits {
        return invalidate(state, command, Rejection::InvalidFulfilment);
    }
    let known = state.conversion(command.id).expect("it was found above");
    if !stage.is_pending() {
        return Outcome::tell([known.tell_payee(Message::Failure(Rejection::NotReserved))]);
    }
    if known.has_expired(state.now) {
        return Outcome::tell([known.tell_payee(Message::Failure(Rejection::TransferExpired))]);
    }
    if !command.agrees {
        return Outcome::silent();
    }
    let now = state.now;
    let known = state.change_transfer(about);
    known.enter(Event::Agreed, TransferState::Agreed { fulfilment: command.fulfilment }, now);
    Outcome::tell([known.tell_payer(Message::Relay)])
}

/// As for a transfer, and the destination has to be there unless the initiator is behind a proxy.
pub(super) fn check_parties(
    sender: &Sender<'_>,
    known: &Transfer,
    destination: Option<&FspId>,
) -> Result<(), Rejection> {
    sender.check(known, destination)?;
    let is_missing = destination.is_none() && known.payer_proxy.is_none();
    if is_missing { Err(Rejection::DestinationIsNotPayer) } else { Ok(()) }
}

fn repeated(known: &Transfer, command: &Agree, earlier: Digest) -> Option<Message> {
    if earlier != command.hash {
        let is_same = known.payee_proxy.is_some() && known.status().fulfilment == command.fulfilment;
        return (!is_same).then_some(Message::Failure(Rejection::ModifiedRequest));
    }
    match known.stage() {
        Stage::Reserved | Stage::Forwarded | Stage::Agreed => None,
        Stage::Committed | Stage::Aborted | Stage::Refused => Some(Message::Status(Box::new(known.status()))),
    }
}

/// Ends a conversion, and its payment with it, because the provider's answer is wrong. The provider said that it holds
/// the money ready, so it is told that it need not.
fn invalidate(state: &mut State, command: &Agree, rejection: Rejection) -> Outcome {
    end_payment(state, command.id, (Event::Invalidated, rejection.clone()), |state, known| {
        let initiator = known.tell_payer(Message::Failure(rejection.clone()));
        [Some(initiator), linked::tell_provider(state, known)].into_iter().flatten().collect()
    })
}

/// Ends a conversion with all that is open of its payment. Who is told of the conversion itself is the caller's matter; the
/// payer of the transfer hears why it has failed, and so do the initiators and providers of other conversions.
pub(super) fn end_payment(
    state: &mut State,
    id: CorrelationId,
    (event, rejection): (Event, Rejection),
    tell: impl FnOnce(&State, &Transfer) -> Vec<Notice>,
) -> Outcome {
    let about = subject(id);
    let payment = state.conversion(id).expect("the caller has found it").payment();
    let parts = linked::open_parts(state, payment);
    linked::abort(state, about, event, rejection.clone());
    let mut notices = tell(state, state.conversion(id).expect("it was just aborted"));
    for part in parts.into_iter().filter(|part| *part != about) {
        linked::abort(state, part, event, rejection.clone());
        let known = state.any_transfer(part).expect("it was just aborted");
        notices.push(known.tell_payer(Message::Failure(rejection.clone())));
        if known.terms().is_some() {
            notices.extend(linked::tell_provider(state, known));
        }
    }
    Outcome::tell(notices)
}
