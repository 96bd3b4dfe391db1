//! `/fxQuotes` (FSPIOP 2.0; contract, interscheme §1.6, §3.2): checked, remembered by hash, relayed byte for byte.

use super::{Inbound, Refusal};
use crate::{Hub, journal::Mention, outbound::Complaint, render, sequencer::RelayUntil};
use fspiop::{
    ErrorCode, FspiopError,
    body::{ErrorInformation, FxQuoteRequest, FxQuoteResponse},
    endpoint::EndpointType,
};
use hub_core::{
    Command,
    quotes::{AnswerKind, AnswerQuote, QuoteKind, QuoteTerms, SubmitQuote},
};
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId};

pub async fn post(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let body = FxQuoteRequest::parse(&inbound.body)?;
    let (subject, related) = (Some(body.conversion_request_id), body.terms.determining_transfer_id);
    inbound.mentioned.say(Mention { subject, related, ..Mention::default() });
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    let source = &inbound.envelope.source;
    if hub.is_stranger(source).await? {
        let text = format_args!("Unsupported participant '{source}'");
        let error = FspiopError::with_detail(ErrorCode::PAYER_FSP_NOT_FOUND, text);
        return Ok(tell_source(hub, &inbound, body.conversion_request_id, &error));
    }
    let command = SubmitQuote {
        id: body.conversion_request_id,
        source: source.clone(),
        destination: destination(&inbound),
        terms: QuoteTerms::Conversion([body.terms.source.currency, body.terms.target.currency]),
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide(hub, inbound, (Command::SubmitQuote(Box::new(command)), body.conversion_request_id)).await
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    FxQuoteResponse::parse(&inbound.body)?;
    if inbound.envelope.has_accept {
        let detail = "\"accept\" header should not be sent in callbacks.";
        return Ok(tell_source(hub, &inbound, id, &FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)));
    }
    answer(hub, inbound, id, AnswerKind::Response(None)).await
}

pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    ErrorInformation::parse(inbound.resource, &inbound.body)?;
    answer(hub, inbound, id, AnswerKind::Error).await
}

/// GET goes to the destination; the hub never answers for it.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    let to = destination(&inbound);
    let head = render::relay_head(&inbound, &to, EndpointType::FxQuotes, Vec::new());
    let complaint = complaint(&inbound, id);
    hub.send_in_memory(inbound.ways.hop(&to), render::with_complaint(head, complaint), inbound.body);
    Ok(())
}

async fn answer(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId, kind: AnswerKind) -> Result<(), Refusal> {
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    if let Err(error) = hub.check_reach(&destination(&inbound), &inbound.ways, EndpointType::FxQuotes) {
        return Ok(tell_source(hub, &inbound, id, &error));
    }
    let command = AnswerQuote {
        id,
        of: QuoteKind::Conversion,
        source: inbound.envelope.source.clone(),
        destination: destination(&inbound),
        kind,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide(hub, inbound, (Command::AnswerQuote(Box::new(command)), id)).await
}

async fn decide(hub: &Arc<Hub>, inbound: Inbound, (command, id): (Command, CorrelationId)) -> Result<(), Refusal> {
    let head = render::relay_head(&inbound, &destination(&inbound), EndpointType::FxQuotes, Vec::new());
    let complaint = complaint(&inbound, id);
    let origin = inbound.into_origin(render::with_complaint(head, complaint), RelayUntil::Short);
    Ok(hub.sequencer().decide(command, Some(origin)).await?)
}

fn destination(inbound: &Inbound) -> FspId {
    inbound.envelope.destination.clone().expect("the header checks demand a destination for fxQuotes")
}

fn complaint(inbound: &Inbound, id: CorrelationId) -> Complaint {
    inbound.complaint(address(id), ErrorCode::DESTINATION_FSP)
}

fn address(id: CorrelationId) -> render::Address {
    render::Address { path: format!("/fxQuotes/{id}").into(), endpoint: EndpointType::FxQuotes, variables: Vec::new() }
}

fn tell_source(hub: &Hub, inbound: &Inbound, id: CorrelationId, error: &FspiopError) {
    hub.tell_error(inbound, &inbound.envelope.source, address(id), error);
}
