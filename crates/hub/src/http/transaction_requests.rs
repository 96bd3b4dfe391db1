//! `/transactionRequests` (FSPIOP 1.1 §6.4; contract §5): a payee asks a payer to pay. The hub passes the request and its
//! answers on and keeps nothing of them.

use super::{
    Inbound, Refusal,
    relay::{self, Target},
};
use crate::{Hub, journal::Mention};
use fspiop::{
    body::{TransactionRequest, TransactionRequestPut},
    endpoint::EndpointType,
};
use std::sync::Arc;

pub async fn post(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    let body = TransactionRequest::parse(&inbound.body)?;
    inbound.mentioned.say(Mention { subject: Some(body.transaction_request_id), ..Mention::default() });
    let subject = format!("/transactionRequests/{}", body.transaction_request_id);
    relay::durably(hub, &inbound, &target(&subject)).await
}

/// GET goes to the destination; the hub never answers for it.
pub fn get(hub: &Arc<Hub>, inbound: &Inbound) {
    relay::in_memory(hub, inbound, &target(inbound.path()));
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    TransactionRequestPut::parse(&inbound.body)?;
    relay::durably(hub, &inbound, &target(inbound.path())).await
}

/// Passed on unread.
pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    relay::durably(hub, &inbound, &target(inbound.path())).await
}

fn target(subject: &str) -> Target<'_> {
    Target { endpoint: EndpointType::TransactionRequests, subject, query: None }
}
