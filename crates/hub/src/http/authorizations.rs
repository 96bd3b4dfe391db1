//! `/authorizations` (FSPIOP 1.1 §6.6; contract §5): before a requested payment, the payer's DFSP has the payer's secret
//! asked for on the payee's device. The hub passes question and answer on and keeps nothing of them.

use super::{
    Inbound, Refusal,
    relay::{self, Target},
};
use crate::Hub;
use fspiop::{body::AuthorizationPut, endpoint::EndpointType};
use std::sync::Arc;

/// The query says what is to be authorized; it has been checked and goes on as it came.
pub fn get(hub: &Arc<Hub>, inbound: &Inbound, query: Option<&str>) {
    relay::in_memory(hub, inbound, &Target { query, ..target(inbound) });
}

pub async fn put(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    AuthorizationPut::parse(&inbound.body)?;
    relay::durably(hub, &inbound, &target(&inbound)).await
}

/// Passed on unread.
pub async fn put_error(hub: &Arc<Hub>, inbound: Inbound) -> Result<(), Refusal> {
    relay::durably(hub, &inbound, &target(&inbound)).await
}

fn target(inbound: &Inbound) -> Target<'_> {
    Target { endpoint: EndpointType::Authorizations, subject: inbound.path(), query: None }
}
