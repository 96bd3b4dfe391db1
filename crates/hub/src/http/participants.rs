//! `/participants` on the FSPIOP port (FSPIOP 1.1 §6.2; contract §2.4): which DFSP serves a party.
//!
//! Invariant: a change is durable before it is acknowledged: in the built-in directory, or, where an oracle has to be
//! asked, as a request in the outbox.

use super::{
    Inbound, Refusal,
    parties::variables,
    requests::{self, Line, Repeated},
};
use crate::{
    Hub,
    callbacks::now,
    lookup::{self, Ask, Registrar},
    outbound::Delivery,
    render::Address,
    sequencer::Unavailable,
};
use fspiop::{
    ErrorCode, FspiopError, Operation, PartyPath, Resource,
    body::{ErrorInformation, ParticipantBatch, ParticipantRegistration, ParticipantUpdate, PartyIdInfo},
    callback::{PartyResult, batch_body, participant_body, party_list_body},
    endpoint::EndpointType,
};
use http::Method;
use std::sync::Arc;
use store::{PartyChange, PartyEntry};
use vocabulary::{Currency, FspId, PartyId};

pub async fn get(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath, query: Option<&str>) -> Result<(), Refusal> {
    let currency = lookup::currency_of(query)?;
    let hub = hub.clone();
    tokio::spawn(async move {
        let found = async {
            check_source(&hub, &inbound)?;
            let id = lookup::party_id(&party)?;
            let entries = hub.lookup().find(&inbound, &id, currency).await?;
            let first = entries.into_iter().find(|entry| entry.sub_id == id.sub_id);
            first.ok_or_else(|| FspiopError::new(ErrorCode::PARTY_NOT_FOUND))
        };
        let to = inbound.envelope.source.clone();
        match found.await {
            Ok(entry) => tell(&hub, &inbound, &to, &party, participant_body(&entry.fsp)),
            Err(error) => tell_error(&hub, &inbound, &party, &error),
        }
    });
    Ok(())
}

/// What is to change in a directory of parties.
enum Change {
    Register { fsp: FspId, currency: Option<Currency>, ask: Ask },
    Remove { currency: Option<Currency> },
}

pub async fn post(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath) -> Result<(), Refusal> {
    let change = registration(&inbound)?;
    begin(hub, inbound, (party, change), None).await
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath) -> Result<(), Refusal> {
    let change = update(&inbound)?;
    begin(hub, inbound, (party, change), None).await
}

pub async fn delete(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath, query: Option<&str>) -> Result<(), Refusal> {
    let change = removal(query)?;
    begin(hub, inbound, (party, change), query).await
}

fn registration(inbound: &Inbound) -> Result<Change, FspiopError> {
    let body = ParticipantRegistration::parse(&inbound.body)?;
    Ok(Change::Register { fsp: body.fsp_id, currency: body.currency, ask: Ask::Add })
}

fn update(inbound: &Inbound) -> Result<Change, FspiopError> {
    let body = ParticipantUpdate::parse(&inbound.body)?;
    let fsp = body.fsp_id.unwrap_or_else(|| inbound.envelope.source.clone());
    Ok(Change::Register { fsp, currency: body.currency, ask: Ask::Change })
}

fn removal(query: Option<&str>) -> Result<Change, FspiopError> {
    Ok(Change::Remove { currency: lookup::currency_of(query)? })
}

/// Changes the built-in directory, or puts the request off until the oracle has been asked.
async fn begin(
    hub: &Arc<Hub>,
    inbound: Inbound,
    (party, change): (PartyPath, Change),
    query: Option<&str>,
) -> Result<(), Refusal> {
    let registrar = checked(hub, &inbound, &party).and_then(|id| Ok((hub.lookup().registrar(id.id_type)?, id)));
    let answer = match registrar {
        Ok((Registrar::Oracle { id, .. }, _)) => {
            return requests::put_off(hub, &inbound, Line::Oracle(id), query).await;
        }
        Ok((Registrar::BuiltIn, id)) => match change_built_in(hub, id, &change).await? {
            Ok(()) => done(hub, &inbound, &party, &change),
            Err(error) => failed(hub, &inbound, &party, &error),
        },
        Err(error) => failed(hub, &inbound, &party, &error),
    };
    if let Some(answer) = answer {
        hub.callbacks.deliver(answer);
    }
    Ok(())
}

/// Carries out a request that was put off: one of the four that change something. Returns its answer; an error means that it is tried again.
pub async fn carry_out(hub: &Arc<Hub>, repeated: Repeated) -> Result<Option<Delivery>, Unavailable> {
    let Repeated { inbound, operation, query, is_again } = repeated;
    if operation == Operation::PostParticipants {
        return Ok(carry_out_batch(hub, &inbound, is_again).await);
    }
    let (Operation::PostParticipant(party) | Operation::PutParticipant(party) | Operation::DeleteParticipant(party)) =
        operation
    else {
        return Ok(None);
    };
    let change = match inbound.method {
        Method::POST => registration(&inbound),
        Method::PUT => update(&inbound),
        _ => removal(query.as_deref()),
    };
    let outcome = match (checked(hub, &inbound, &party), change) {
        (Ok(id), Ok(change)) => carry_out_one(hub, &inbound, (id, &change), is_again).await?.map(|()| change),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    Ok(match outcome {
        Ok(change) => done(hub, &inbound, &party, &change),
        Err(error) => failed(hub, &inbound, &party, &error),
    })
}

/// The registrar may be another than when the request came.
async fn carry_out_one(
    hub: &Hub,
    inbound: &Inbound,
    (id, change): (PartyId, &Change),
    is_again: bool,
) -> Result<Result<(), FspiopError>, Unavailable> {
    let url = match hub.lookup().registrar(id.id_type) {
        Ok(Registrar::Oracle { url, .. }) => url,
        Ok(Registrar::BuiltIn) => return change_built_in(hub, id, change).await,
        Err(error) => return Ok(Err(error)),
    };
    Ok(match change {
        Change::Register { fsp, currency, ask } => {
            let entry = PartyEntry { party: id, fsp: fsp.clone(), currency: *currency };
            hub.lookup().register(inbound, &url, &entry, ask.again_if(is_again)).await
        }
        Change::Remove { .. } => hub.lookup().remove(inbound, &url, &id, is_again).await,
    })
}

async fn change_built_in(hub: &Hub, party: PartyId, change: &Change) -> Result<Result<(), FspiopError>, Unavailable> {
    let change = match change {
        Change::Register { fsp, .. } if hub.view().participant(fsp).is_none() => {
            return Ok(Err(FspiopError::with_detail(ErrorCode::ADD_PARTY, format_args!("FSP {fsp} not found"))));
        }
        Change::Register { fsp, currency, .. } => {
            PartyChange::Register(PartyEntry { party, fsp: fsp.clone(), currency: *currency })
        }
        Change::Remove { currency } => PartyChange::Remove { party, currency: *currency },
    };
    Ok(Ok(hub.sequencer().change_party(change).await?))
}

/// A DFSP's own error about a registration, passed on.
pub fn put_error(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath) -> Result<(), Refusal> {
    ErrorInformation::parse(inbound.resource, &inbound.body)?;
    let destination = inbound.envelope.destination.clone();
    let Some(to) = destination.filter(|name| hub.view().participant(name).is_some()) else {
        let error = FspiopError::with_detail(ErrorCode::DESTINATION_FSP, "Destination FSP not found");
        return Ok(tell_error(hub, &inbound, party, &error));
    };
    let head = crate::render::relay_head(&inbound, &to, endpoints(party).1, variables(party));
    hub.send_in_memory(&to, head, inbound.body);
    Ok(())
}

/// `POST /participants`: many parties of the requester; what fails is told party by party.
pub async fn post_batch(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let batch = ParticipantBatch::parse(&inbound.body)?;
    if let Err(error) = check_source(hub, &inbound) {
        if let Some(answer) = batch_answer(hub, &inbound, &batch, Err(error)) {
            hub.callbacks.deliver(answer);
        }
        return Ok(());
    }
    requests::put_off(hub, &inbound, Line::Several, None).await
}

async fn carry_out_batch(hub: &Arc<Hub>, inbound: &Inbound, is_again: bool) -> Option<Delivery> {
    let batch = ParticipantBatch::parse(&inbound.body).ok()?;
    let mut results = Vec::with_capacity(batch.parties.len());
    for info in &batch.parties {
        let outcome = register_one(hub, inbound, (info, batch.currency), is_again).await;
        let error = outcome.err().map(|error| error.extension(info.id_type.as_str(), &info.identifier));
        results.push(PartyResult { party: info.clone(), error });
    }
    batch_answer(hub, inbound, &batch, Ok(batch_body(&results, batch.currency)))
}

async fn register_one(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    (info, currency): (&PartyIdInfo, Option<Currency>),
    is_again: bool,
) -> Result<(), FspiopError> {
    let source = &inbound.envelope.source;
    if info.fsp_id.as_ref().is_some_and(|fsp| fsp != source) {
        return Err(FspiopError::new(ErrorCode::PARTY_NOT_FOUND));
    }
    let path = PartyPath { id_type: info.id_type, identifier: info.identifier.clone(), sub_id: info.sub_id.clone() };
    let id = lookup::party_id(&path)?;
    let change = Change::Register { fsp: source.clone(), currency, ask: Ask::Add };
    let unavailable = |reason| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, reason);
    carry_out_one(hub, inbound, (id, &change), is_again).await.map_err(unavailable)?
}

fn batch_answer(
    hub: &Hub,
    inbound: &Inbound,
    batch: &ParticipantBatch,
    outcome: Result<Vec<u8>, FspiopError>,
) -> Option<Delivery> {
    let id = batch.request_id.to_string();
    let path = format!("/participants/{id}");
    let variables = vec![("requestId".into(), id.into())];
    let (path, endpoint, body) = match outcome {
        Ok(body) => (path, EndpointType::ParticipantBatchPut, body),
        Err(error) => (path + "/error", EndpointType::ParticipantBatchPutError, error.to_json()),
    };
    let address = Address { path: path.into(), endpoint, variables };
    hub.renderer.answer(inbound, &inbound.envelope.source, (address, body.into()), now())
}

fn check_source(hub: &Hub, inbound: &Inbound) -> Result<(), FspiopError> {
    match hub.view().participant(&inbound.envelope.source) {
        Some(_) => Ok(()),
        None => Err(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "Requester FSP not found")),
    }
}

fn checked(hub: &Hub, inbound: &Inbound, party: &PartyPath) -> Result<PartyId, FspiopError> {
    check_source(hub, inbound)?;
    lookup::party_id(party)
}

/// What is told of a change that was made: after a registration to the destination of the request, else to the DFSP that
/// was registered; after a removal to whom asked for it.
fn done(hub: &Hub, inbound: &Inbound, party: &PartyPath, change: &Change) -> Option<Delivery> {
    let source = &inbound.envelope.source;
    let (to, body) = match change {
        Change::Register { fsp, currency, .. } => {
            let info = PartyIdInfo {
                id_type: party.id_type,
                identifier: party.identifier.clone(),
                sub_id: party.sub_id.clone(),
                fsp_id: Some(fsp.clone()),
            };
            (inbound.envelope.destination.as_ref().unwrap_or(fsp), party_list_body(&[info], *currency))
        }
        Change::Remove { .. } => (source, participant_body(source)),
    };
    hub.renderer.answer(inbound, to, (address(party, endpoints(party).0), body.into()), now())
}

/// What is told to whom asked for a change that was not made.
fn failed(hub: &Hub, inbound: &Inbound, party: &PartyPath, error: &FspiopError) -> Option<Delivery> {
    let address = address(party, endpoints(party).1);
    let address = Address { path: format!("{}/error", address.path).into(), ..address };
    hub.renderer.answer(inbound, &inbound.envelope.source, (address, error.to_json().into()), now())
}

fn tell(hub: &Hub, inbound: &Inbound, to: &FspId, party: &PartyPath, body: Vec<u8>) {
    hub.tell_made(inbound, to, address(party, endpoints(party).0), body.into());
}

fn tell_error(hub: &Hub, inbound: &Inbound, party: &PartyPath, error: &FspiopError) {
    hub.tell_error(inbound, &inbound.envelope.source, address(party, endpoints(party).1), error);
}

fn address(party: &PartyPath, endpoint: EndpointType) -> Address {
    Address { path: party.uri(Resource::Participants).into(), endpoint, variables: variables(party) }
}

/// The endpoint types of success and error callbacks.
fn endpoints(party: &PartyPath) -> (EndpointType, EndpointType) {
    if party.sub_id.is_some() {
        (EndpointType::ParticipantSubIdPut, EndpointType::ParticipantSubIdPutError)
    } else {
        (EndpointType::ParticipantPut, EndpointType::ParticipantPutError)
    }
}
