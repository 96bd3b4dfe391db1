//! `/participants` on the FSPIOP port (FSPIOP 1.1 §6.2; contract §2.4): which DFSP serves a party.

use super::{Inbound, Refusal, parties::variables};
use crate::{Hub, lookup, lookup::Registrar, render::Address};
use fspiop::{
    ErrorCode, FspiopError, PartyPath, Resource,
    body::{ErrorInformation, ParticipantBatch, ParticipantRegistration, ParticipantUpdate, PartyIdInfo},
    callback::{PartyResult, batch_body, participant_body, party_list_body},
    endpoint::EndpointType,
};
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

pub async fn post(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath) -> Result<(), Refusal> {
    let body = ParticipantRegistration::parse(&inbound.body)?;
    let registration = Registration { party, fsp: body.fsp_id, currency: body.currency, is_new: true };
    register(hub, inbound, registration).await
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath) -> Result<(), Refusal> {
    let body = ParticipantUpdate::parse(&inbound.body)?;
    let fsp = body.fsp_id.unwrap_or_else(|| inbound.envelope.source.clone());
    let registration = Registration { party, fsp, currency: body.currency, is_new: false };
    register(hub, inbound, registration).await
}

struct Registration {
    party: PartyPath,
    fsp: FspId,
    currency: Option<Currency>,
    is_new: bool,
}

/// Where the built-in directory serves the id type, the change is durable before the request is acknowledged.
async fn register(hub: &Arc<Hub>, inbound: Inbound, registration: Registration) -> Result<(), Refusal> {
    let id = match checked(hub, &inbound, &registration.party) {
        Ok(id) => id,
        Err(error) => return Ok(tell_error(hub, &inbound, &registration.party, &error)),
    };
    let Registration { party, fsp, currency, is_new } = registration;
    match hub.lookup().registrar(id.id_type) {
        Ok(Registrar::BuiltIn) => {
            if hub.view().participant(&fsp).is_none() {
                let error = FspiopError::with_detail(ErrorCode::ADD_PARTY, format_args!("FSP {fsp} not found"));
                return Ok(tell_error(hub, &inbound, &party, &error));
            }
            let entry = PartyEntry { party: id, fsp: fsp.clone(), currency };
            hub.sequencer().change_party(PartyChange::Register(entry)).await?;
            tell_registered(hub, &inbound, &party, (&fsp, currency));
        }
        Ok(Registrar::Oracle(url)) => {
            let hub = hub.clone();
            tokio::spawn(async move {
                let entry = PartyEntry { party: id, fsp: fsp.clone(), currency };
                match hub.lookup().register(&inbound, &url, &entry, is_new).await {
                    Ok(()) => tell_registered(&hub, &inbound, &party, (&fsp, currency)),
                    Err(error) => tell_error(&hub, &inbound, &party, &error),
                }
            });
        }
        Err(error) => tell_error(hub, &inbound, &party, &error),
    }
    Ok(())
}

pub async fn delete(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath, query: Option<&str>) -> Result<(), Refusal> {
    let currency = lookup::currency_of(query)?;
    let id = match checked(hub, &inbound, &party) {
        Ok(id) => id,
        Err(error) => return Ok(tell_error(hub, &inbound, &party, &error)),
    };
    let source = inbound.envelope.source.clone();
    let deleted = participant_body(&source);
    match hub.lookup().registrar(id.id_type) {
        Ok(Registrar::BuiltIn) => {
            hub.sequencer().change_party(PartyChange::Remove { party: id, currency }).await?;
            tell(hub, &inbound, &source, &party, deleted);
        }
        Ok(Registrar::Oracle(url)) => {
            let hub = hub.clone();
            tokio::spawn(async move {
                match hub.lookup().remove(&inbound, &url, &id).await {
                    Ok(()) => tell(&hub, &inbound, &source, &party, deleted),
                    Err(error) => tell_error(&hub, &inbound, &party, &error),
                }
            });
        }
        Err(error) => tell_error(hub, &inbound, &party, &error),
    }
    Ok(())
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
        return Ok(tell_batch(hub, &inbound, &batch, Err(error)));
    }
    let hub = hub.clone();
    tokio::spawn(async move {
        let mut results = Vec::with_capacity(batch.parties.len());
        for info in &batch.parties {
            let outcome = register_one(&hub, &inbound, info, batch.currency).await;
            let error = outcome.err().map(|error| error.extension(info.id_type.as_str(), &info.identifier));
            results.push(PartyResult { party: info.clone(), error });
        }
        tell_batch(&hub, &inbound, &batch, Ok(batch_body(&results, batch.currency)));
    });
    Ok(())
}

async fn register_one(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    info: &PartyIdInfo,
    currency: Option<Currency>,
) -> Result<(), FspiopError> {
    let source = &inbound.envelope.source;
    if info.fsp_id.as_ref().is_some_and(|fsp| fsp != source) {
        return Err(FspiopError::new(ErrorCode::PARTY_NOT_FOUND));
    }
    let path = PartyPath { id_type: info.id_type, identifier: info.identifier.clone(), sub_id: info.sub_id.clone() };
    let entry = PartyEntry { party: lookup::party_id(&path)?, fsp: source.clone(), currency };
    match hub.lookup().registrar(info.id_type)? {
        Registrar::BuiltIn => {
            let change = PartyChange::Register(entry);
            let refused = |reason| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, reason);
            hub.sequencer().change_party(change).await.map_err(refused)
        }
        Registrar::Oracle(url) => hub.lookup().register(inbound, &url, &entry, true).await,
    }
}

fn tell_batch(hub: &Hub, inbound: &Inbound, batch: &ParticipantBatch, outcome: Result<Vec<u8>, FspiopError>) {
    let id = batch.request_id.to_string();
    let to = inbound.envelope.source.clone();
    let path: Box<str> = format!("/participants/{id}").into();
    let variables = vec![("requestId".into(), id.into())];
    match outcome {
        Ok(body) => hub.tell_made(
            inbound,
            &to,
            Address { path, endpoint: EndpointType::ParticipantBatchPut, variables },
            body.into(),
        ),
        Err(error) => {
            let address = Address { path, endpoint: EndpointType::ParticipantBatchPutError, variables };
            hub.tell_error(inbound, &to, address, &error);
        }
    }
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

/// The callback after a registration goes to the destination of the request, else to the DFSP that was registered.
fn tell_registered(hub: &Hub, inbound: &Inbound, party: &PartyPath, registered: (&FspId, Option<Currency>)) {
    let (fsp, currency) = registered;
    let info = PartyIdInfo {
        id_type: party.id_type,
        identifier: party.identifier.clone(),
        sub_id: party.sub_id.clone(),
        fsp_id: Some(fsp.clone()),
    };
    let to = inbound.envelope.destination.as_ref().unwrap_or(fsp).clone();
    tell(hub, inbound, &to, party, party_list_body(&[info], currency));
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
