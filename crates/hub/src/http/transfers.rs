//! `/transfers` (FSPIOP 1.1 §6.7; contract §4).

use super::{Inbound, Refusal};
use crate::{Hub, callbacks::now, journal::Mention, render, sequencer::RelayUntil};
use fspiop::{
    ErrorCode, FspiopError, Version,
    body::{ErrorInformation, TransferFulfil, TransferPrepare, TransferState},
    endpoint::EndpointType,
};
use hub_core::{
    Command, Message, Notice, Rejection, Subject, SubjectKind,
    fees::{Extension, TransactionFacts},
    transfers::{Fulfil, FulfilKind, Prepare, Reject, SenderStanding, Transfer, TransferState as TransferStage},
};
use serde_json::Value;
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId, Timestamp};

/// How far ahead of the hub's clock a `completedTimestamp` may be.
const CLOCK_LEAD_MS_MAX: i64 = 200;
/// How old a `completedTimestamp` may be.
const COMPLETED_AGE_MS_MAX: i64 = 300_000;
/// Extensions of a party that fee rules look at; FSPIOP allows sixteen in a list.
const EXTENSIONS_MAX: usize = 32;

pub async fn post(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let body = TransferPrepare::parse(&inbound.body)?;
    inbound.mentioned.say(Mention { subject: Some(body.transfer_id), ..Mention::default() });
    let amount_text = body.amount_text;
    let transaction = fspiop::ilp::transaction_of(&body.ilp_packet).ok();
    let command = Prepare {
        id: body.transfer_id,
        source: inbound.envelope.source.clone(),
        payer: body.payer_fsp,
        payee: body.payee_fsp,
        amount: body.amount.map_err(|_| amount_text),
        currency: body.currency,
        condition: body.condition,
        expiration: body.expiration,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
        extensions: body.extension_list,
        facts: transaction.as_deref().filter(|_| hub.view().has_fees()).map(transaction_facts),
        transaction: transaction.map(Vec::into_boxed_slice),
    };
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    let relay = RelayUntil::Expiration(command.expiration);
    let head = render::relay_head(&inbound, &command.payee, EndpointType::TransferPost, Vec::new());
    let origin = inbound.into_origin(head, relay);
    Ok(hub.sequencer().decide(Command::Prepare(Box::new(command)), Some(origin)).await?)
}

/// What fee rules look at; nothing where the transaction is not what FSPIOP says.
fn transaction_facts(transaction: &[u8]) -> Box<TransactionFacts> {
    let transaction: Value = serde_json::from_slice(transaction).unwrap_or_default();
    let text = |of: &Value| of.as_str().map(Into::into);
    let kind = &transaction["transactionType"];
    Box::new(TransactionFacts {
        scenario: text(&kind["scenario"]),
        sub_scenario: text(&kind["subScenario"]),
        initiator: text(&kind["initiator"]),
        initiator_type: text(&kind["initiatorType"]),
        payer_extensions: party_extensions(&transaction["payer"]),
        payee_extensions: party_extensions(&transaction["payee"]),
    })
}

/// Extensions stand beside a party or beside its identifier.
fn party_extensions(party: &Value) -> Vec<Extension> {
    let lists = [&party["extensionList"], &party["partyIdInfo"]["extensionList"]];
    let entries = lists.into_iter().flat_map(|list| list["extension"].as_array().into_iter().flatten());
    let extension =
        |entry: &Value| Some(Extension { key: entry["key"].as_str()?.into(), value: entry["value"].as_str()?.into() });
    entries.filter_map(extension).take(EXTENSIONS_MAX).collect()
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, id: &str) -> Result<(), Refusal> {
    let body = TransferFulfil::parse(&inbound.body)?;
    if inbound.envelope.proxy.is_none() {
        check_completed(body.completed, now())?;
    }
    let Ok(id) = id.parse::<CorrelationId>() else { return Ok(unknown(hub, &inbound, id)) };
    let standing = hub.standing_of(&inbound.envelope.source);
    let kind = match body.state {
        // The hub of another scheme has not decided yet, if it says so without a fulfilment.
        TransferState::Received if standing == SenderStanding::External && body.fulfilment.is_none() => {
            FulfilKind::Reserve
        }
        TransferState::Reserved if inbound.envelope.version == Version::V1_0 => FulfilKind::ReserveWithoutPatch,
        TransferState::Reserved => FulfilKind::Reserve,
        TransferState::Aborted => FulfilKind::Abort,
        TransferState::Received | TransferState::Committed => FulfilKind::Commit,
    };
    let command = Fulfil {
        id,
        source: inbound.envelope.source.clone(),
        standing,
        via: inbound.envelope.proxy.clone(),
        destination: inbound.envelope.destination.clone(),
        kind,
        fulfilment: body.fulfilment,
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
        extensions: body.extension_list,
    };
    decide_outcome(hub, inbound, Command::Fulfil(Box::new(command)), EndpointType::TransferPut).await
}

pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound, id: &str) -> Result<(), Refusal> {
    let body = ErrorInformation::parse(inbound.resource, &inbound.body)?;
    let Ok(id) = id.parse::<CorrelationId>() else { return Ok(unknown(hub, &inbound, id)) };
    let command = Reject {
        id,
        source: inbound.envelope.source.clone(),
        standing: hub.standing_of(&inbound.envelope.source),
        via: inbound.envelope.proxy.clone(),
        destination: inbound.envelope.destination.clone(),
        code: body.code.number(),
        description: body.description.into(),
        hash: fspiop::content_hash(&inbound.body),
        dialect: inbound.dialect(),
    };
    decide_outcome(hub, inbound, Command::Reject(Box::new(command)), EndpointType::TransferError).await
}

async fn decide_outcome(
    hub: &Arc<Hub>,
    inbound: Inbound,
    command: Command,
    endpoint: EndpointType,
) -> Result<(), Refusal> {
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    // The recipient is the stored payer, which the renderer fills in.
    let to = inbound.envelope.destination.clone().unwrap_or_else(|| inbound.envelope.source.clone());
    let head = render::relay_head(&inbound, &to, endpoint, render::variables(command.subject()));
    let origin = inbound.into_origin(head, RelayUntil::Outcome);
    Ok(hub.sequencer().decide(command, Some(origin)).await?)
}

/// GET of a transfer or a conversion is answered from the hub's own store, in memory: whoever asked repeats the question.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, kind: SubjectKind, id: String) -> Result<(), Refusal> {
    hub.check_proxy(&inbound.envelope, &inbound.ways)?;
    // As things are when it asks: who is switched off meanwhile is answered, who is switched on is not.
    if !is_heard(hub, &inbound) {
        return Ok(());
    }
    let hub = hub.clone();
    tokio::spawn(async move {
        if let Err(error) = answer(&hub, &inbound, kind, &id).await {
            tracing::error!(%error, "a transfer could not be read for GET");
        }
    });
    Ok(())
}

/// An active participant, or somebody whom an answer reaches.
fn is_heard(hub: &Hub, inbound: &Inbound) -> bool {
    let source = &inbound.envelope.source;
    match hub.view().participant(source) {
        Some(known) => known.participant.is_active,
        None => inbound.ways.to(source).is_some(),
    }
}

/// A question to an external DFSP goes to its scheme (contract, interscheme §1.8); others are answered here.
async fn answer(hub: &Hub, inbound: &Inbound, kind: SubjectKind, id: &str) -> Result<(), store::StoreError> {
    let source = &inbound.envelope.source;
    let endpoint = match kind {
        SubjectKind::Conversion => EndpointType::FxTransferPut,
        SubjectKind::Transfer | SubjectKind::Quote | SubjectKind::ConversionQuote => EndpointType::TransferPut,
    };
    let subject = id.parse::<CorrelationId>().ok().map(|id| Subject { kind, id });
    let known = match subject {
        Some(subject) => hub.store().transfer(subject).await?,
        None => None,
    };
    // What passes through here has passed through here before: nobody further on can know of anything else.
    let is_unknown_on_its_way = known.is_none() && hub.is_external(source);
    if let Some((destination, hop)) = external_destination(inbound).filter(|_| !is_unknown_on_its_way) {
        let variables = subject.map(render::variables).unwrap_or_default();
        let head = render::relay_head(inbound, destination, endpoint, variables);
        return Ok(hub.send_in_memory(hop, head, inbound.body.clone()));
    }
    let (message, about) = match (known, subject) {
        (Some(known), Some(about)) if !known.is_party(source) => (Message::Failure(Rejection::NotAParty), about),
        (Some(known), Some(about)) => (state_of(&known, inbound), about),
        (None, _) | (_, None) => return Ok(tell_not_found(hub, inbound, kind, id)),
    };
    let via = inbound.ways.to(source).cloned();
    hub.tell_in_memory(&Notice { to: source.clone(), via, about, dialect: inbound.dialect(), message });
    Ok(())
}

fn external_destination(inbound: &Inbound) -> Option<(&FspId, &FspId)> {
    let destination = inbound.envelope.destination.as_ref()?;
    Some((destination, inbound.ways.to(destination)?))
}

/// Another scheme that asks for what has failed is told the error, which ends its own part.
fn state_of(known: &Transfer, inbound: &Inbound) -> Message {
    match &known.state {
        TransferStage::Aborted(cause) | TransferStage::Refused(cause) if inbound.envelope.proxy.is_some() => {
            Message::Failure(cause.clone())
        }
        TransferStage::Reserved
        | TransferStage::Forwarded
        | TransferStage::Agreed { .. }
        | TransferStage::Committed { .. }
        | TransferStage::Aborted(_)
        | TransferStage::Refused(_) => Message::Status(Box::new(known.status())),
    }
}

fn tell_not_found(hub: &Hub, inbound: &Inbound, kind: SubjectKind, id: &str) {
    let (detail, endpoint, variable) = match kind {
        SubjectKind::Conversion => {
            let detail = "Provided commitRequest ID was not found on the server.";
            (detail, EndpointType::FxTransferError, "commitRequestId")
        }
        SubjectKind::Transfer | SubjectKind::Quote | SubjectKind::ConversionQuote => {
            ("Provided Transfer ID was not found on the server.", EndpointType::TransferError, "transferId")
        }
    };
    let error = FspiopError::with_detail(ErrorCode::TRANSFER_ID_NOT_FOUND, detail);
    tell(hub, inbound, (endpoint, variable, id), &error);
}

/// An id that cannot exist is answered like one that does not.
fn unknown(hub: &Hub, inbound: &Inbound, id: &str) {
    let error = crate::rejections::error_of(&Rejection::TransferNotFound);
    tell(hub, inbound, (EndpointType::TransferError, "transferId", id), &error);
}

pub(super) fn tell(
    hub: &Hub,
    inbound: &Inbound,
    (endpoint, variable, id): (EndpointType, &str, &str),
    error: &FspiopError,
) {
    let to: &FspId = &inbound.envelope.source;
    let variables = vec![(variable.into(), id.into())];
    let address = render::Address { path: inbound.path().into(), endpoint, variables };
    hub.tell_error(inbound, to, address, error);
}

pub(super) fn check_completed(completed: Option<Timestamp>, now: Timestamp) -> Result<(), FspiopError> {
    let Some(completed) = completed else { return Ok(()) };
    let refuse = |detail| {
        let text = format!("completedTimestamp fails because {detail}");
        Err(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, text))
    };
    if completed > now.plus_millis(CLOCK_LEAD_MS_MAX) {
        return refuse("future timestamp was provided");
    }
    if completed < now.plus_millis(-COMPLETED_AGE_MS_MAX) {
        return refuse("provided timestamp exceeded the maximum timeout duration");
    }
    Ok(())
}
