//! `/parties` (FSPIOP 1.1 §6.3; contract §2.2, §2.3): finds the DFSP of a party and passes the question on to it.
//!
//! Look-ups live in memory: whoever asked repeats the question after a crash.

use super::{Inbound, Refusal, discovery};
use crate::{
    Hub,
    lookup::{self, Found},
    outbound::Head,
    render::{self, Address},
};
use fspiop::{ErrorCode, FspiopError, PartyPath, body::ErrorInformation, body::PartyPut, endpoint::EndpointType};
use std::sync::Arc;
use vocabulary::{FspId, PartyId};

/// An unknown source is refused at once; everything later is told by callback.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, party: PartyPath, query: Option<&str>) -> Result<(), Refusal> {
    let envelope = &inbound.envelope;
    if hub.is_external(&envelope.source) && envelope.proxy.is_none() {
        return Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "invalid fspiop-source header").into());
    }
    if envelope.proxy.as_ref().is_some_and(|proxy| proxy.same_as(envelope.source.as_str())) {
        return Err(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "Invalid fspiop-proxy header").into());
    }
    let currency = lookup::currency_of(query)?;
    let (hub, mut inbound) = (hub.clone(), inbound);
    tokio::spawn(async move {
        // The answer goes back the way that the question came.
        if let Some(proxy) = inbound.envelope.proxy.clone().filter(|name| hub.is_proxy(name)) {
            #[cfg(feature = "planted-bugs")]
            if hub_core::planted::has(hub_core::planted::Bug::LearnFromQuestion)
                && hub.is_external(&inbound.envelope.source)
            {
                let _ = hub.store().learn_route(&inbound.envelope.source, &proxy).await;
            }
            inbound.ways.add(&inbound.envelope.source.clone(), proxy);
        }
        if let Err(error) = find(&hub, &inbound, &party, currency).await {
            hub.tell_error(&inbound, &inbound.envelope.source, error_address(&party), &error);
        }
    });
    Ok(())
}

/// The order of contract, interscheme §1.4.
async fn find(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    party: &PartyPath,
    currency: Option<vocabulary::Currency>,
) -> Result<(), FspiopError> {
    let id = lookup::party_id(party)?;
    let is_external = hub.is_external(&inbound.envelope.source);
    if is_external && !inbound.envelope.proxy.as_ref().is_some_and(|proxy| hub.is_proxy(proxy)) {
        return Err(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "Proxy not found"));
    }
    let Some(destination) = &inbound.envelope.destination else {
        return ask_whom_the_directory_names(hub, inbound, (party, &id), currency).await;
    };
    let is_here = !hub.is_external(destination);
    if is_here && is_external {
        let entries = hub.lookup().find(inbound, &id, currency).await?;
        if !entries.iter().any(|entry| entry.fsp == *destination) {
            let detail = "External party resolution error";
            return Err(FspiopError::with_detail(ErrorCode::PARTY_RESOLUTION_FAILED, detail));
        }
        discovery::note(hub, inbound, &id).await?;
    }
    if is_here || inbound.ways.to(destination).is_some() {
        return Ok(forward(hub, inbound, party, destination));
    }
    // Only an entry that names who cannot be reached is stale: a wrong header must not cost a party its account.
    let entries = hub.lookup().find(inbound, &id, currency).await.unwrap_or_default();
    if !entries.is_empty() && entries.iter().all(|entry| entry.fsp == *destination) {
        discovery::forget(hub, inbound, &id).await;
    }
    discovery::broadcast(hub, inbound, party, &id).await
}

async fn ask_whom_the_directory_names(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    (party, id): (&PartyPath, &PartyId),
    currency: Option<vocabulary::Currency>,
) -> Result<(), FspiopError> {
    let entries = hub.lookup().find(inbound, id, currency).await?;
    let entries = if entries.is_empty() { entries } else { with_sub_id(entries, id)? };
    let source_is_here = !hub.is_external(&inbound.envelope.source);
    let (mut forwarded, mut is_stale) = (0, !entries.is_empty());
    for entry in entries {
        if !hub.is_external(&entry.fsp) {
            discovery::note(hub, inbound, id).await?;
            forward(hub, inbound, party, &entry.fsp);
            (forwarded, is_stale) = (forwarded + 1, false);
            continue;
        }
        let unreadable = |error| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, error);
        let Some(proxy) = hub.way(&entry.fsp).await.map_err(unreadable)? else { continue };
        is_stale = false;
        if source_is_here {
            let head = question(inbound, party, Some(&entry.fsp), ErrorCode::DESTINATION_COMMUNICATION);
            hub.send_in_memory(&proxy, head, inbound.body.clone());
            forwarded += 1;
        }
    }
    // The directory forgets a party as a whole: an entry that leads somewhere is not lost with one that does not.
    if is_stale {
        discovery::forget(hub, inbound, id).await;
    }
    if forwarded > 0 { Ok(()) } else { discovery::broadcast(hub, inbound, party, id).await }
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
    let head = question(inbound, party, Some(to), ErrorCode::DESTINATION_COMMUNICATION);
    hub.send_in_memory(inbound.ways.hop(to), head, inbound.body.clone());
}

/// The question as it is passed on: to a DFSP, or without a destination, to whoever may know.
pub(super) fn question(inbound: &Inbound, party: &PartyPath, to: Option<&FspId>, no_endpoint: ErrorCode) -> Head {
    let endpoint = if party.sub_id.is_some() { EndpointType::PartiesSubIdGet } else { EndpointType::PartiesGet };
    let head = match to {
        Some(to) => render::relay_head(inbound, to, endpoint, variables(party)),
        None => render::without_destination(inbound, endpoint, variables(party)),
    };
    render::with_complaint(head, inbound.complaint(address(party, error_endpoint(party)), no_endpoint))
}

pub fn put(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath) -> Result<(), Refusal> {
    PartyPut::parse(&inbound.body)?;
    let is_external = hub.is_external(&inbound.envelope.source);
    if is_external && inbound.envelope.proxy.is_none() {
        let error = FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "Requester FSP not found");
        hub.tell_error(&inbound, &inbound.envelope.source, error_address(party), &error);
        return Ok(());
    }
    let (hub, party) = (hub.clone(), party.clone());
    tokio::spawn(async move {
        let taken = async {
            let Ok(id) = lookup::party_id(&party) else { return Ok(pass_on(&hub, inbound, &party, false)) };
            if discovery::echoed(&hub, &inbound, &party, &id).await? {
                return Ok(());
            }
            let mut inbound = inbound;
            let via = discovery::found(&hub, &inbound, &id).await?;
            // Without a route to who answers the answer is of no use: it came too late, and the question is repeated.
            if is_external && hub.way(&inbound.envelope.source).await?.is_none() {
                return Ok(());
            }
            if let Some(via) = via
                && let Some(destination) = inbound.envelope.destination.clone().filter(|name| hub.is_external(name))
            {
                inbound.ways.add(&destination, via);
            }
            Ok::<_, store::StoreError>(pass_on(&hub, inbound, &party, false))
        };
        if let Err(error) = taken.await {
            tracing::error!(%error, "an answer about a party was lost; who asked repeats the question");
        }
    });
    Ok(())
}

pub fn put_error(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath) -> Result<(), Refusal> {
    ErrorInformation::parse(inbound.resource, &inbound.body)?;
    let (hub, party, mut inbound) = (hub.clone(), party.clone(), inbound);
    tokio::spawn(async move {
        let Ok(id) = lookup::party_id(&party) else { return pass_on(&hub, inbound, &party, true) };
        match discovery::failed(&hub, &inbound, &id).await {
            Ok((false, _)) => {}
            Ok((true, via)) => {
                let destination = inbound.envelope.destination.clone().filter(|name| hub.is_external(name));
                if let (Some(via), Some(destination)) = (via, destination) {
                    inbound.ways.add(&destination, via);
                }
                pass_on(&hub, inbound, &party, true);
            }
            Err(error) => tracing::error!(%error, "an error about a party was lost; who asked repeats the question"),
        }
    });
    Ok(())
}

/// Passes an answer on to the destination that its header names.
fn pass_on(hub: &Arc<Hub>, inbound: Inbound, party: &PartyPath, is_error: bool) {
    let endpoint = match (is_error, party.sub_id.is_some()) {
        (true, _) => error_endpoint(party),
        (false, true) => EndpointType::PartiesSubIdPut,
        (false, false) => EndpointType::PartiesPut,
    };
    let destination = inbound.envelope.destination.clone();
    let known = destination.filter(|name| !hub.is_external(name) || inbound.ways.to(name).is_some());
    let Some(to) = known else {
        let error = FspiopError::with_detail(ErrorCode::DESTINATION_FSP, "Destination FSP not found");
        return hub.tell_error(&inbound, &inbound.envelope.source, error_address(party), &error);
    };
    let head = render::relay_head(&inbound, &to, endpoint, variables(party));
    hub.send_in_memory(inbound.ways.hop(&to), head, inbound.body);
}

pub(super) fn tell_not_found(hub: &Hub, inbound: &Inbound, party: &PartyPath) {
    hub.tell_error(
        inbound,
        &inbound.envelope.source,
        error_address(party),
        &FspiopError::new(ErrorCode::PARTY_NOT_FOUND),
    );
}

pub(super) fn error_address(party: &PartyPath) -> Address {
    address(party, error_endpoint(party))
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
