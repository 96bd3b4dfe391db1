//! `/services/FXP` (FSPIOP 2.0): which participants convert between two currencies. The hub answers from its own directory;
//! the reference specifies the resource and has it nowhere (contract, interscheme §3.1).

use super::Inbound;
use crate::{Hub, View, render::Address};
use fspiop::{callback::fx_providers_body, endpoint::EndpointType};
use ledger::{AccountKind, ParticipantId};
use std::sync::Arc;
use vocabulary::{Currency, FspId};

/// Answers in memory, where the source takes its fxQuotes: FSPIOP has no endpoint type for services of its own.
pub fn get(hub: &Arc<Hub>, inbound: &Inbound, pair: Option<[Currency; 2]>) {
    let body = fx_providers_body(&providers(&hub.view(), pair, &inbound.envelope.source));
    let path = inbound.path().into();
    let address = Address { path, endpoint: EndpointType::FxQuotes, variables: Vec::new() };
    hub.tell_made(inbound, &inbound.envelope.source, address, body.into());
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
    let converts = |owner| match pair {
        Some(pair) => pair.iter().all(|currency| currencies(owner).contains(currency)),
        None => currencies(owner).len() > 1,
    };
    let takes = |name: &FspId, endpoint: EndpointType| view.endpoint(name, endpoint.as_str()).is_some();
    let known = directory.participants.iter().map(|record| &record.participant);
    known
        .filter(|known| known.is_active && !known.is_proxy && known.name != *asker && converts(known.id))
        .filter(|known| takes(&known.name, EndpointType::FxQuotes) && takes(&known.name, EndpointType::FxTransferPost))
        .map(|known| known.name.clone())
        .collect()
}
