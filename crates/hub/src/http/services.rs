//! `/services/FXP` (FSPIOP 2.0): who converts between two currencies. The hub answers from its own directory, and names
//! the providers of other schemes that it was told of; the reference specifies the resource and has it nowhere (contract,
//! interscheme §3.1).

use super::Inbound;
use crate::{Hub, View, render::Address};
use fspiop::{callback::fx_providers_body, endpoint::EndpointType};
use ledger::{AccountKind, ParticipantId};
use std::sync::Arc;
use vocabulary::{Currency, FspId};

/// Answers in memory, where the source takes its fxQuotes: FSPIOP has no endpoint type for services of its own.
pub fn get(hub: &Arc<Hub>, inbound: Inbound, pair: Option<[Currency; 2]>) {
    let hub = hub.clone();
    tokio::spawn(async move {
        let mut names = providers(&hub.view(), pair, &inbound.envelope.source);
        match hub.providers_abroad().await {
            Ok(abroad) => names.extend(abroad.into_iter().filter(|(_, known)| fits(known, pair)).map(|(name, _)| name)),
            Err(error) => tracing::error!(%error, "the providers of other schemes could not be read"),
        }
        let body = fx_providers_body(&names);
        let path = inbound.path().into();
        let address = Address { path, endpoint: EndpointType::FxQuotes, variables: Vec::new() };
        hub.tell_made(&inbound, &inbound.envelope.source, address, body.into());
    });
}

/// Whether somebody converts who does so between these currencies.
fn fits(known: &[Currency], pair: Option<[Currency; 2]>) -> bool {
    match pair {
        Some(pair) => pair.iter().all(|currency| known.contains(currency)),
        None => known.len() > 1,
    }
}

/// Active participants that take fxQuotes and fxTransfers and hold active positions in the currencies: in both of the
/// pair, or in any two.
fn providers(view: &View, pair: Option<[Currency; 2]>, asker: &FspId) -> Vec<FspId> {
    let directory = &view.directory;
    let currencies = |owner: ParticipantId| {
        let records = directory.accounts.iter().map(|record| &record.account);
        let positions = records.filter(|account| account.kind == AccountKind::Position && account.is_active);
        positions.filter(|account| account.owner == owner).map(|account| account.currency).collect::<Vec<_>>()
    };
    let converts = |owner| fits(&currencies(owner), pair);
    let takes = |name: &FspId, endpoint: EndpointType| view.endpoint(name, endpoint.as_str()).is_some();
    let known = directory.participants.iter().map(|record| &record.participant);
    known
        .filter(|known| known.is_active && !known.is_proxy && known.name != *asker && converts(known.id))
        .filter(|known| takes(&known.name, EndpointType::FxQuotes) && takes(&known.name, EndpointType::FxTransferPost))
        .map(|known| known.name.clone())
        .collect()
}
