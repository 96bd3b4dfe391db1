//! `/parties` (FSPIOP 1.1 §6.3; contract §2.2, §2.3): finds the DFSP of a party and passes the question on to it.
//!
//! Look-ups live in memory: whoever asked repeats the question after a crash.

use super::{Inbound, Refusal};
use crate::{
    Hub,
    lookup::{self, Found},
    render::{self, Address},
};
use fspiop::{ErrorCode, FspiopError, PartyPath, body::ErrorInformation, body::PartyPut, endpoint::EndpointType};
use std::sync::Arc;
use vocabulary::{FspId, PartyId};

/// An unknown source is refused at once; everything later is told by callback.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath, query: Option<&str>) -> Result<(), Refusal> {
    if !hub.knows_sender(&inbound.envelope) {
        return Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "invalid fspiop-source header").into());
    }
    let currency = lookup::currency_of(query)?;
    let hub = hub.clone();
    tokio::spawn(async move {
        if let Err(error) = find(&hub, &inbound, &party, currency).await {
            let address = address(&party, error_endpoint(&party));
            hub.tell_error(&inbound, &inbound.envelope.source, address, &error);
        }
    });
    Ok(())
}

async fn find(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    party: &PartyPath,
    currency: Option<vocabulary::Currency>,
) -> Result<(), FspiopError> {
    let id = lookup::party_id(party)?;
    let view = hub.view();
    if let Some(destination) = &inbound.envelope.destination {
        // The reference also removes the oracle's entry here; a wrong header must not cost a party its account.
        view.participant(destination).ok_or_else(not_found)?;
        return Ok(forward(hub, inbound, party, destination));
    }
    let entries = hub.lookup().find(inbound, &id, currency).await?;
    if entries.is_empty() {
        return Err(not_found());
    }
    let entries = with_sub_id(entries, &id)?;
    let known = entries.iter().filter(|entry| view.participant(&entry.fsp).is_some());
    let mut forwarded = 0;
    for entry in known {
        forward(hub, inbound, party, &entry.fsp);
        forwarded += 1;
    }
    if forwarded == 0 { Err(not_found()) } else { Ok(()) }
}

fn with_sub_id(entries: Vec<Found>, id: &PartyId) -> Result<Vec<Found>, FspiopError> {
    let same: Vec<Found> = entries.into_iter().filter(|entry| entry.sub_id == id.sub_id).collect();
    if same.is_empty() {
        let detail = "Empty oracle partyList, filtered based on callbackEndpointType";
        return Err(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, detail));
    }
    Ok(same)
}

fn forward(hub: &Arc<Hub>, inbound: &Inbound, party: &PartyPath, to: &FspId) {
    let endpoint = if party.sub_id.is_some() { EndpointType::PartiesSubIdGet } else { EndpointType::PartiesGet };
    let head = render::relay_head(inbound, to, endpoint, variables(party));
    let complaint = inbound.complaint(address(party, error_endpoint(party)), ErrorCode::DESTINATION_COMMUNICATION);
    hub.send_in_memory(to, render::with_complaint(head, complaint), inbound.body.clone());
}

pub fn put(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath) -> Result<(), Refusal> {
    PartyPut::parse(&inbound.body)?;
    if hub.view().participant(&inbound.envelope.source).is_none() {
        let error = FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "Requester FSP not found");
        hub.tell_error(&inbound, &inbound.envelope.source, address(party, error_endpoint(party)), &error);
        return Ok(());
    }
    let endpoint = if party.sub_id.is_some() { EndpointType::PartiesSubIdPut } else { EndpointType::PartiesPut };
    Ok(answer(hub, inbound, party, endpoint))
}

pub fn put_error(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath) -> Result<(), Refusal> {
    ErrorInformation::parse(inbound.resource, &inbound.body)?;
    Ok(answer(hub, inbound, party, error_endpoint(party)))
}

/// Passes an answer on to the destination that its header names.
fn answer(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath, endpoint: EndpointType) {
    let destination = inbound.envelope.destination.clone();
    let known = destination.filter(|name| hub.view().participant(name).is_some());
    let Some(to) = known else {
        let error = FspiopError::with_detail(ErrorCode::DESTINATION_FSP, "Destination FSP not found");
        return hub.tell_error(&inbound, &inbound.envelope.source, address(party, error_endpoint(party)), &error);
    };
    let head = render::relay_head(&inbound, &to, endpoint, variables(party));
    hub.send_in_memory(&to, head, inbound.body);
}

/// The bare text: the collections compare it for equality.
fn not_found() -> FspiopError {
    FspiopError::new(ErrorCode::PARTY_NOT_FOUND)
}

fn error_endpoint(party: &PartyPath) -> EndpointType {
    if party.sub_id.is_some() { EndpointType::PartiesSubIdPutError } else { EndpointType::PartiesPutError }
}

fn address(party: &PartyPath, endpoint: EndpointType) -> Address {
    Address { path: party.uri(fspiop::Resource::Parties).into(), endpoint, variables: variables(party) }
}

/// The placeholders of party and participant endpoints.
pub(super) fn variables(party: &PartyPath) -> Vec<(Box<str>, Box<str>)> {
    let mut variables = vec![
        ("partyIdType".into(), party.id_type.as_str().into()),
        ("partyIdentifier".into(), party.identifier.as_str().into()),
    ];
    if let Some(sub_id) = &party.sub_id {
        variables.push(("partySubIdOrType".into(), sub_id.as_str().into()));
    }
    variables
}
