//! `/transfers` (FSPIOP 1.1 §6.7; contract §4).

use super::{Inbound, Refusal};
use crate::{
    Hub,
    callbacks::now,
    journal::Mention,
    render,
    sequencer::{Origin, RelayUntil},
};
use fspiop::{
    ErrorCode, FspiopError, Version,
    body::{ErrorInformation, TransferFulfil, TransferPrepare, TransferState},
    endpoint::EndpointType,
};
use hub_core::{
    Command, Message, Notice, Rejection, Subject, SubjectKind,
    fees::{Extension, TransactionFacts},
    transfers::{Fulfil, FulfilKind, Prepare, Reject},
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
    let relay = RelayUntil::Expiration(command.expiration);
    let head = render::relay_head(&inbound, &command.payee, EndpointType::TransferPost, Vec::new());
    let origin = Origin { head, body: inbound.body, relay };
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
    let kind = match body.state {
        TransferState::Reserved if inbound.envelope.version == Version::V1_0 => FulfilKind::ReserveWithoutPatch,
        TransferState::Reserved => FulfilKind::Reserve,
        TransferState::Aborted => FulfilKind::Abort,
        TransferState::Received | TransferState::Committed => FulfilKind::Commit,
    };
    let command = Fulfil {
        id,
        source: inbound.envelope.source.clone(),
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
    let id = command.subject().id.to_string();
    // The recipient is the stored payer, which the renderer fills in.
    let to = inbound.envelope.destination.clone().unwrap_or_else(|| inbound.envelope.source.clone());
    let head = render::relay_head(&inbound, &to, endpoint, vec![("transferId".into(), id.into())]);
    let origin = Origin { head, body: inbound.body, relay: RelayUntil::Outcome };
    Ok(hub.sequencer().decide(command, Some(origin)).await?)
}

/// GET is answered from the hub's own store, in memory: whoever asked repeats the question.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, id: String) -> Result<(), Refusal> {
    let hub = hub.clone();
    tokio::spawn(async move {
        if let Err(error) = answer(&hub, &inbound, &id).await {
            tracing::error!(%error, "a transfer could not be read for GET");
        }
    });
    Ok(())
}

async fn answer(hub: &Hub, inbound: &Inbound, id: &str) -> Result<(), store::StoreError> {
    let source = &inbound.envelope.source;
    let view = hub.view();
    if !view.participant(source).is_some_and(|known| known.participant.is_active) {
        return Ok(());
    }
    let known = match id.parse::<CorrelationId>() {
        Ok(id) => hub.store().transfer(id).await?,
        Err(_) => None,
    };
    let message = match known {
        None => {
            let detail = "Provided Transfer ID was not found on the server.";
            return Ok(tell(hub, inbound, id, &FspiopError::with_detail(ErrorCode::TRANSFER_ID_NOT_FOUND, detail)));
        }
        Some(known) if !known.is_party(source) => Message::Failure(Rejection::NotAParty),
        Some(known) => Message::Status(Box::new(known.status())),
    };
    let about = Subject { kind: SubjectKind::Transfer, id: id.parse().expect("a transfer was found under it") };
    hub.tell_in_memory(&Notice { to: source.clone(), about, dialect: inbound.dialect(), message });
    Ok(())
}

/// An id that cannot exist is answered like one that does not.
fn unknown(hub: &Hub, inbound: &Inbound, id: &str) {
    tell(hub, inbound, id, &crate::rejections::error_of(&Rejection::TransferNotFound));
}

fn tell(hub: &Hub, inbound: &Inbound, id: &str, error: &FspiopError) {
    let to: &FspId = &inbound.envelope.source;
    let variables = vec![("transferId".into(), id.into())];
    let address = render::Address { path: inbound.path().into(), endpoint: EndpointType::TransferError, variables };
    hub.tell_error(inbound, to, address, error);
}

fn check_completed(completed: Option<Timestamp>, now: Timestamp) -> Result<(), FspiopError> {
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
