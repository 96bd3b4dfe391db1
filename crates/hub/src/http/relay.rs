//! Messages that the hub passes on without looking into its books: to the participant that `FSPIOP-Destination` names,
//! with their bytes and headers (contract §5).
//!
//! Invariant: a message that asks for or reports something is durable before it is acknowledged; a question lives in
//! memory, and whoever asked repeats it after a crash. What cannot be delivered is told to its sender by the hub.

use super::{Inbound, Refusal};
use crate::{
    Hub,
    callbacks::{key_of, now},
    outbound::{Delivery, Persistence},
    render::{self, Address},
};
use fspiop::{ErrorCode, FspiopError, endpoint::EndpointType};
use std::sync::Arc;

/// Where a message goes, beside its destination.
pub struct Target<'message> {
    /// A [base type](EndpointType::is_base): the path is appended to what is registered.
    pub endpoint: EndpointType,
    /// The path of what the message is about, whose `/error` its sender is told on. Messages of one subject leave in
    /// order.
    pub subject: &'message str,
    /// Sent behind the path, unchanged.
    pub query: Option<&'message str>,
}

/// Passes on a message that must not be lost; returns when it is durable.
pub async fn durably(hub: &Arc<Hub>, inbound: &Inbound, target: &Target<'_>) -> Result<(), Refusal> {
    match delivery(hub, inbound, target) {
        Ok(delivery) => Ok(hub.sequencer().relay(delivery).await?),
        Err(error) => Ok(tell_source(hub, inbound, target, &error)),
    }
}

/// Passes on a question.
pub fn in_memory(hub: &Hub, inbound: &Inbound, target: &Target<'_>) {
    match delivery(hub, inbound, target) {
        Ok(delivery) => hub.callbacks.deliver(delivery),
        Err(error) => tell_source(hub, inbound, target, &error),
    }
}

/// The message on its way, or what its sender is told instead.
fn delivery(hub: &Hub, inbound: &Inbound, target: &Target<'_>) -> Result<Delivery, FspiopError> {
    let no_address = |text: String| FspiopError::with_detail(ErrorCode::DESTINATION_COMMUNICATION, text);
    let Some(to) = inbound.envelope.destination.as_ref() else {
        return Err(no_address("the fspiop-destination header is missing".to_owned()));
    };
    let hop = inbound.ways.hop(to);
    if hub.view().endpoint(hop, target.endpoint.as_str()).is_none() {
        return Err(no_address(format!("no {} endpoint for DFSP {to}", target.endpoint)));
    }
    let mut head = render::relay_head(inbound, to, target.endpoint, Vec::new());
    if let Some(query) = target.query {
        head.path = format!("{}?{query}", head.path).into();
    }
    let complaint = inbound.complaint(address(target), ErrorCode::DESTINATION_COMMUNICATION);
    Ok(Delivery {
        to: hop.clone(),
        payment_key: key_of(target.subject),
        head: Arc::new(render::with_complaint(head, complaint)),
        body: inbound.body.clone(),
        until: now().plus_millis(render::SHORT_MS),
        persistence: Persistence::InMemory,
        attempts: 0,
    })
}

fn tell_source(hub: &Hub, inbound: &Inbound, target: &Target<'_>, error: &FspiopError) {
    hub.tell_error(inbound, &inbound.envelope.source, address(target), error);
}

fn address(target: &Target<'_>) -> Address {
    Address { path: target.subject.into(), endpoint: target.endpoint, variables: Vec::new() }
}
