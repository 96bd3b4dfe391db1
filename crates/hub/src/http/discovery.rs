//! Look-ups across schemes (contract, interscheme §1.4, §1.5): who is asked, whose answer counts, what is learned from it.
//!
//! Invariant: a route is learned from the answer to a pending look-up only: that of the source who answers, and that of the
//! external source who had asked. A participant of this scheme has no route.

use super::{Inbound, parties};
use crate::{
    Hub,
    callbacks::now,
    lookup::{Ask, Registrar},
    outbound::{Delivery, Head, Purpose},
    render::Address,
    ways::Ways,
};
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError, PartyPath};
use hub_core::discovery::Answered;
use std::sync::Arc;
use store::{Asked, PartyChange, PartyEntry, Question, StoreError, Unanswered, Verdict};
use vocabulary::{FspId, PartyId};

/// Look-ups that are ended in one sweep.
pub const SWEEP_MAX: usize = 100;

/// Remembers through which proxy an external source asks, so that its answer finds the way back.
pub async fn note(hub: &Hub, inbound: &Inbound, party: &PartyId) -> Result<(), FspiopError> {
    if inbound.ways.to(&inbound.envelope.source).is_none() {
        return Ok(());
    }
    hub.store().ask(asked(hub, inbound, party, Vec::new())).await.map(drop).map_err(unavailable)
}

/// Asks every other active proxy, in turn for the scheme that it connects.
pub async fn broadcast(
    hub: &Arc<Hub>,
    inbound: &Inbound,
    path: &PartyPath,
    party: &PartyId,
) -> Result<(), FspiopError> {
    let proxies = proxies(hub, inbound.envelope.proxy.as_ref());
    if proxies.is_empty() {
        return Err(FspiopError::new(ErrorCode::PARTY_NOT_FOUND));
    }
    let asked = asked(hub, inbound, party, proxies.clone());
    let (question, via) = (asked.question.clone(), asked.via.clone());
    if !hub.store().ask(asked).await.map_err(unavailable)? {
        // What a proxy repeats is answered once; an error now would be taken for that answer.
        if via.is_some() && hub.store().asked_via(question).await.map_err(unavailable)? == via {
            return Ok(());
        }
        return Err(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "Failed to cache sendToProxiesList"));
    }
    for proxy in &proxies {
        let head = parties::question(inbound, path, None, ErrorCode::ID_NOT_FOUND);
        hub.send_in_memory(proxy, Head { purpose: Purpose::Discovery, ..head }, inbound.body.clone());
    }
    Ok(())
}

fn proxies(hub: &Hub, without: Option<&FspId>) -> Vec<FspId> {
    let view = hub.view();
    let known = view.directory.participants.iter().map(|record| &record.participant);
    let asked = known.filter(|known| known.is_proxy && known.is_active && Some(&known.name) != without);
    asked.map(|known| known.name.clone()).collect()
}

fn asked(hub: &Hub, inbound: &Inbound, party: &PartyId, proxies: Vec<FspId>) -> Asked {
    let source = inbound.envelope.source.clone();
    let time = i64::try_from(hub.config.discovery_time.as_millis()).unwrap_or(i64::MAX);
    Asked {
        via: inbound.ways.to(&source).cloned(),
        question: Question { source, party: party.clone() },
        dialect: inbound.dialect(),
        proxies,
        until: now().plus_millis(time),
    }
}

/// Takes up a party that was found, and says through which proxy it goes back to an external destination.
pub async fn found(hub: &Arc<Hub>, inbound: &Inbound, party: &PartyId) -> Result<Option<FspId>, StoreError> {
    let (source, Some(destination)) = (&inbound.envelope.source, &inbound.envelope.destination) else {
        return Ok(None);
    };
    let question = Question { source: destination.clone(), party: party.clone() };
    let via = match &inbound.envelope.proxy {
        Some(proxy) => {
            let verdict = hub.store().take_answer(question, Some(proxy.clone()), true).await?;
            if verdict.answered == Answered::Success {
                hub.store().learn_route(source, proxy).await?;
                if !hub.is_external(destination) {
                    register(hub, inbound, source, party).await;
                }
            }
            verdict.via
        }
        None => hub.store().asked_via(question).await?,
    };
    if let Some(asker) = via.as_ref().filter(|_| hub.is_external(destination)) {
        hub.store().learn_route(destination, asker).await?;
    }
    match via {
        Some(via) => Ok(Some(via)),
        None => hub.way(destination).await,
    }
}

/// The party is found here next time. What goes wrong costs a question to other schemes.
async fn register(hub: &Hub, inbound: &Inbound, fsp: &FspId, party: &PartyId) {
    let entry = PartyEntry { party: party.clone(), fsp: fsp.clone(), currency: None };
    let registered = match hub.lookup().registrar(party.id_type) {
        Ok(Registrar::BuiltIn) => change(hub, PartyChange::Register(entry)).await,
        Ok(Registrar::Oracle { url, .. }) => match hub.lookup().register(inbound, &url, &entry, Ask::Change).await {
            Ok(()) => Ok(()),
            Err(_) => hub.lookup().register(inbound, &url, &entry, Ask::Add).await,
        },
        Err(error) => Err(error),
    };
    if let Err(error) = registered {
        tracing::warn!(error = error.description(), "a party of another scheme could not be registered");
    }
}

/// Forgets an entry that names somebody who cannot be reached, so that the next look-up asks other schemes.
pub async fn forget(hub: &Hub, inbound: &Inbound, party: &PartyId) {
    let removed = match hub.lookup().registrar(party.id_type) {
        Ok(Registrar::BuiltIn) => change(hub, PartyChange::Remove { party: party.clone(), currency: None }).await,
        Ok(Registrar::Oracle { url, .. }) => hub.lookup().remove(inbound, &url, party, true).await,
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::warn!(error = error.description(), "a stale entry of a party could not be removed");
    }
}

async fn change(hub: &Hub, change: PartyChange) -> Result<(), FspiopError> {
    let failed = |reason| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, reason);
    hub.sequencer().change_party(change).await.map_err(failed)
}

/// Takes up an error; returns whether it is passed on, and through which proxy.
pub async fn failed(hub: &Arc<Hub>, inbound: &Inbound, party: &PartyId) -> Result<(bool, Option<FspId>), FspiopError> {
    let Some(destination) = &inbound.envelope.destination else { return Ok((true, None)) };
    let question = Question { source: destination.clone(), party: party.clone() };
    let way = async |via: Option<FspId>| match via {
        Some(via) => Ok(Some(via)),
        None => hub.way(destination).await.map_err(unavailable),
    };
    let Some(proxy) = &inbound.envelope.proxy else {
        let via = hub.store().asked_via(question).await.map_err(unavailable)?;
        return Ok((true, way(via).await?));
    };
    let verdict = hub.store().take_answer(question, Some(proxy.clone()), false).await.map_err(unavailable)?;
    let is_passed_on = match verdict.answered {
        Answered::LastFailure => true,
        Answered::OneFailure | Answered::Success => false,
        Answered::NotPending => {
            let entries = hub.lookup().find(inbound, party, None).await.unwrap_or_default();
            if entries.first().is_some_and(|entry| hub.is_external(&entry.fsp)) {
                forget(hub, inbound, party).await;
            }
            true
        }
    };
    Ok((is_passed_on, way(verdict.via).await?))
}

/// Takes up a success that says nothing about where it came from: of the source itself, while proxies are asked. It counts
/// as a failure of one of them (contract, interscheme §1.4, the last remark). Returns whether it was one.
pub async fn echoed(hub: &Arc<Hub>, inbound: &Inbound, path: &PartyPath, party: &PartyId) -> Result<bool, StoreError> {
    let source = &inbound.envelope.source;
    let is_echo = inbound.envelope.proxy.is_none() && inbound.envelope.destination.as_ref() == Some(source);
    if !is_echo {
        return Ok(false);
    }
    let question = Question { source: source.clone(), party: party.clone() };
    let verdict = hub.store().take_answer(question, None, false).await?;
    if verdict.answered == Answered::LastFailure {
        parties::tell_not_found(hub, inbound, path);
    }
    Ok(verdict.answered != Answered::NotPending)
}

/// A proxy that cannot be reached has failed to answer; the source is told when it was the last one.
pub async fn could_not_ask(hub: &Arc<Hub>, delivery: &Delivery) -> bool {
    let source = delivery.head.headers.iter().find(|(name, _)| &**name == fspiop::headers::SOURCE);
    let source = source.and_then(|(_, value)| value.parse::<FspId>().ok());
    let (Some(source), Some(party)) = (source, party_of(&delivery.head.path)) else { return false };
    let answer = hub.store().take_answer(Question { source, party }, Some(delivery.to.clone()), false).await;
    match answer {
        Ok(Verdict { answered, .. }) => answered == Answered::LastFailure,
        Err(error) => {
            tracing::error!(%error, "an unreachable proxy could not be noted; the look-up ends with its time");
            false
        }
    }
}

fn party_of(path: &str) -> Option<PartyId> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let operation = fspiop::route(&http::Method::GET, path).ok()?.operation(query).ok()?;
    let fspiop::Operation::GetParty(path) = operation else { return None };
    crate::lookup::party_id(&path).ok()
}

/// Tells the source of a look-up that no scheme has answered it.
pub fn tell_unanswered(hub: &Hub, unanswered: Unanswered) {
    let Unanswered { question, via, dialect } = unanswered;
    let party = question.party;
    let path = PartyPath {
        id_type: party.id_type,
        identifier: party.identifier.to_string(),
        sub_id: party.sub_id.map(|sub_id| sub_id.to_string()),
    };
    let address = parties::error_address(&path);
    let address = Address { path: format!("{}/error", address.path).into(), ..address };
    let body: Bytes = FspiopError::new(ErrorCode::EXPIRED).to_json().into();
    let mut ways = Ways::default();
    if let Some(via) = via {
        ways.add(&question.source, via);
    }
    hub.tell_unasked(fspiop::Resource::Parties, (&question.source, dialect, &ways), address, body);
}

fn unavailable(error: StoreError) -> FspiopError {
    FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, error)
}
