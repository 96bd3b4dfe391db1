//! `/quotes` (FSPIOP 1.1 §6.5; contract §3): checked, remembered by hash, relayed byte for byte.

use super::{Inbound, Refusal};
use crate::{Hub, journal::Mention, outbound::Complaint, render, sequencer::RelayUntil};
use fspiop::{
    ErrorCode, FspiopError,
    body::{ErrorInformation, QuoteRequest, QuoteResponse},
    endpoint::EndpointType,
};
use hub_core::{
    Command,
    quotes::{AnswerKind, AnswerQuote, QuoteKind, QuoteTerms, SubmitQuote},
};
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId};

pub async fn post(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let body = QuoteRequest::parse(&inbound.body)?;
    let payee = &body.payee.id;
    inbound.mentioned.say(Mention {
        subject: Some(body.quote_id),
        related: Some(body.transaction_id),
        party: Some(hub.journal().party(payee.id_type.as_str(), &payee.identifier)),
    });
    let source = &inbound.envelope.source;
    // Both participants are looked up before anything is relayed (contract §3.2 step 3): a stranger's quote reaches nobody.
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    if hub.is_stranger(source).await? {
        let text = format_args!("Unsupported participant '{source}'");
        let error = FspiopError::with_detail(ErrorCode::PAYER_FSP_NOT_FOUND, text);
        return Ok(tell_source(hub, &inbound, body.quote_id, &error));
    }
    let command = SubmitQuote {
        id: body.quote_id,
        source: source.clone(),
        destination: destination(&inbound),
        terms: QuoteTerms::Transfer {
            currency: body.amount.currency,
            payer_currencies: body.payer.supported_currencies,
            stated_payer: body.payer.id.fsp_id,
            stated_payee: body.payee.id.fsp_id,
        },
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide(hub, inbound, Command::SubmitQuote(Box::new(command))).await
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    let body = QuoteResponse::parse(&inbound.body)?;
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    if inbound.envelope.has_accept {
        let detail = "\"accept\" header should not be sent in callbacks.";
        return Ok(tell_source(hub, &inbound, id, &FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)));
    }
    answer(hub, inbound, id, AnswerKind::Response(Some(body.currency()))).await
}

pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    ErrorInformation::parse(inbound.resource, &inbound.body)?;
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    answer(hub, inbound, id, AnswerKind::Error).await
}

/// GET goes to the destination; the hub never answers for it.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId) -> Result<(), Refusal> {
    let to = destination(&inbound);
    let head = render::relay_head(&inbound, &to, EndpointType::Quotes, Vec::new());
    let complaint = complaint(&inbound, id);
    hub.send_in_memory(inbound.ways.hop(&to), render::with_complaint(head, complaint), inbound.body);
    Ok(())
}

async fn decide(hub: &Arc<Hub>, inbound: Inbound, command: Command) -> Result<(), Refusal> {
    let id = command.subject().id;
    let head = render::relay_head(&inbound, &destination(&inbound), EndpointType::Quotes, Vec::new());
    let complaint = complaint(&inbound, id);
    let origin = inbound.into_origin(render::with_complaint(head, complaint), RelayUntil::Short);
    Ok(hub.sequencer().decide(command, Some(origin)).await?)
}

async fn answer(hub: &Arc<Hub>, inbound: Inbound, id: CorrelationId, kind: AnswerKind) -> Result<(), Refusal> {
    if let Err(error) = hub.check_reach(&destination(&inbound), &inbound.ways, EndpointType::Quotes) {
        return Ok(tell_source(hub, &inbound, id, &error));
    }
    let command = AnswerQuote {
        id,
        of: QuoteKind::Transfer,
        source: inbound.envelope.source.clone(),
        destination: destination(&inbound),
        kind,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide(hub, inbound, Command::AnswerQuote(Box::new(command))).await
}

fn destination(inbound: &Inbound) -> FspId {
    inbound.envelope.destination.clone().expect("the header checks demand a destination for quotes")
}

fn complaint(inbound: &Inbound, id: CorrelationId) -> Complaint {
    let address =
        render::Address { path: format!("/quotes/{id}").into(), endpoint: EndpointType::Quotes, variables: Vec::new() };
    inbound.complaint(address, ErrorCode::DESTINATION_FSP)
}

fn tell_source(hub: &Hub, inbound: &Inbound, id: CorrelationId, error: &FspiopError) {
    let path = format!("/quotes/{id}").into();
    let address = render::Address { path, endpoint: EndpointType::Quotes, variables: Vec::new() };
    hub.tell_error(inbound, &inbound.envelope.source, address, error);
}
