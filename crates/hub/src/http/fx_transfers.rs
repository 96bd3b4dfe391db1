//! `/fxTransfers` (FSPIOP 2.0; contract, interscheme §3.3 to §3.8).

use super::{
    Inbound, Refusal,
    transfers::{self, check_completed},
};
use crate::{Hub, callbacks::now, journal::Mention, render, sequencer::RelayUntil};
use fspiop::{
    ErrorCode, FspiopError,
    body::{ErrorInformation, FxAmount, FxTransferFulfil, FxTransferPrepare, TransferState},
    endpoint::EndpointType,
};
use hub_core::{
    Command, Rejection, Subject, SubjectKind,
    fx_transfers::{Agree, AskedAmount, Conclude, PrepareConversion, RejectConversion},
    transfers::SenderStanding,
};
use std::sync::Arc;
use vocabulary::CorrelationId;

pub async fn post(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let body = FxTransferPrepare::parse(&inbound.body)?;
    let (subject, related) = (Some(body.commit_request_id), body.determining_transfer_id);
    inbound.mentioned.say(Mention { subject, related, ..Mention::default() });
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    let command = PrepareConversion {
        id: body.commit_request_id,
        source: inbound.envelope.source.clone(),
        initiator: body.initiating_fsp,
        provider: body.counter_party_fsp,
        determining: body.determining_transfer_id,
        source_amount: asked(body.source),
        target_amount: asked(body.target),
        condition: body.condition,
        expiration: body.expiration,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    let relay = RelayUntil::Expiration(command.expiration.unwrap_or_else(now));
    let head = render::relay_head(&inbound, &command.provider, EndpointType::FxTransferPost, Vec::new());
    let origin = inbound.into_origin(head, relay);
    Ok(hub.sequencer().decide(Command::PrepareConversion(Box::new(command)), Some(origin)).await?)
}

fn asked(amount: FxAmount) -> AskedAmount {
    let FxAmount { text, amount, currency } = amount;
    AskedAmount { amount: amount.map_err(|_| text), currency }
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, id: &str) -> Result<(), Refusal> {
    let body = FxTransferFulfil::parse(&inbound.body)?;
    if inbound.envelope.proxy.is_none() {
        check_completed(body.completed, now())?;
    }
    let Ok(id) = id.parse::<CorrelationId>() else { return Ok(unknown(hub, &inbound, id)) };
    let command = Agree {
        id,
        payment: payment_of(hub, id).await?,
        source: inbound.envelope.source.clone(),
        standing: hub.standing_of(&inbound.envelope.source),
        via: inbound.envelope.proxy.clone(),
        destination: inbound.envelope.destination.clone(),
        agrees: body.state != TransferState::Aborted,
        fulfilment: body.fulfilment,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide(hub, inbound, (Command::Agree(Box::new(command)), id), EndpointType::FxTransferPut).await
}

pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound, id: &str) -> Result<(), Refusal> {
    let body = ErrorInformation::parse(inbound.resource, &inbound.body)?;
    let Ok(id) = id.parse::<CorrelationId>() else { return Ok(unknown(hub, &inbound, id)) };
    let command = RejectConversion {
        id,
        payment: payment_of(hub, id).await?,
        source: inbound.envelope.source.clone(),
        standing: hub.standing_of(&inbound.envelope.source),
        via: inbound.envelope.proxy.clone(),
        destination: inbound.envelope.destination.clone(),
        code: body.code.number(),
        description: body.description.into(),
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    let command = Command::RejectConversion(Box::new(command));
    decide(hub, inbound, (command, id), EndpointType::FxTransferError).await
}

/// From another scheme only: to anybody else the hub sends PATCH and takes none (contract §1.4).
pub async fn patch(hub: &Arc<Hub>, inbound: Inbound, id: &str) -> Result<(), Refusal> {
    let standing = hub.standing_of(&inbound.envelope.source);
    if inbound.envelope.proxy.is_none() || standing == SenderStanding::Participant {
        return Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED).into());
    }
    let body = FxTransferFulfil::parse(&inbound.body)?;
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    let Ok(id) = id.parse::<CorrelationId>() else { return Ok(unknown(hub, &inbound, id)) };
    let is_committed = match body.state {
        TransferState::Committed => true,
        TransferState::Aborted => false,
        TransferState::Received | TransferState::Reserved => return Ok(()),
    };
    let (payment, via) = (payment_of(hub, id).await?, inbound.envelope.proxy.clone());
    let command = Conclude { id, payment, standing, via, is_committed };
    Ok(hub.sequencer().decide(Command::Conclude(command), None).await?)
}

/// The payment of a conversion, which never changes: read before the unit, so that the unit has at most one command of
/// each payment.
async fn payment_of(hub: &Hub, id: CorrelationId) -> Result<CorrelationId, Refusal> {
    let unavailable = |error: store::StoreError| crate::Unavailable::Store(error.to_string());
    let known = hub.store().transfer(subject(id)).await.map_err(unavailable)?;
    Ok(known.map_or(id, |known| known.payment()))
}

async fn decide(
    hub: &Arc<Hub>,
    inbound: Inbound,
    (command, id): (Command, CorrelationId),
    endpoint: EndpointType,
) -> Result<(), Refusal> {
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    // The recipient is the stored initiator, which the renderer fills in.
    let to = inbound.envelope.destination.clone().unwrap_or_else(|| inbound.envelope.source.clone());
    let head = render::relay_head(&inbound, &to, endpoint, render::variables(subject(id)));
    let origin = inbound.into_origin(head, RelayUntil::Outcome);
    Ok(hub.sequencer().decide(command, Some(origin)).await?)
}

fn subject(id: CorrelationId) -> Subject {
    Subject { kind: SubjectKind::Conversion, id }
}

/// An id that cannot exist is answered like one that does not.
fn unknown(hub: &Hub, inbound: &Inbound, id: &str) {
    let error = crate::rejections::error_of(&Rejection::ConversionNotFound);
    transfers::tell(hub, inbound, (EndpointType::FxTransferError, "commitRequestId", id), &error);
}
