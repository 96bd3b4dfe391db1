//! `/umoja/v1/routes`: behind which proxy each DFSP of another scheme is. Most routes are learned from look-ups; what no
//! look-up ever finds, as a provider of currency conversion, is told here (contract, interscheme §1.2). Our own addition.

use super::{
    form::malformed,
    reply::{Answer, ok},
    request::{Actor, JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::{Currency, FspId};

/// Currencies between which one provider converts.
const CURRENCIES_MAX: usize = 100;

#[derive(Serialize)]
struct List {
    routes: Vec<View>,
}

#[derive(Serialize)]
struct View {
    fsp: String,
    proxy: String,
    /// Between which it converts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    currencies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    proxy: String,
    /// For a provider of currency conversion; absent leaves what was said before.
    currencies: Option<Vec<String>>,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let mut providers: BTreeMap<FspId, Vec<Currency>> = hub.providers_abroad().await?.into_iter().collect();
    let view = |(fsp, proxy): (FspId, FspId)| View {
        currencies: texts(providers.remove(&fsp).unwrap_or_default()),
        fsp: fsp.to_string(),
        proxy: proxy.to_string(),
    };
    Ok(ok(&List { routes: hub.store().routes().await?.into_iter().map(view).collect() }))
}

/// Sets a route; a later look-up that finds the DFSP behind another proxy changes it.
pub(super) async fn set(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let fsp = participant_name(&segment)?;
    let body: Body = serde_json::from_value(body.value).map_err(malformed)?;
    let proxy = participant_name(&body.proxy)?;
    let currencies = body.currencies.map(|codes| codes.iter().map(|code| code.parse()).collect::<Result<Vec<_>, _>>());
    let currencies: Option<Vec<Currency>> = currencies.transpose().map_err(malformed)?;
    if currencies.as_ref().is_some_and(|some| some.len() == 1 || some.len() > CURRENCIES_MAX) {
        return Err(malformed("\"currencies\" must have no entry or two at least"));
    }
    let directory = hub.fresh_directory().await?;
    if !directory.participant(&proxy).is_some_and(|known| known.participant.is_proxy) {
        return Err(malformed(format_args!("\"{proxy}\" is no proxy of this scheme; register it with isProxy first")));
    }
    if directory.participant(&fsp).is_some() {
        return Err(malformed(format_args!("\"{fsp}\" is a participant of this scheme, which needs no route")));
    }
    hub.store().set_route(&fsp, &proxy, &actor).await?;
    if let Some(currencies) = &currencies {
        hub.set_provider_abroad(&fsp, currencies, &actor).await?;
    }
    let currencies = texts(currencies.unwrap_or_default());
    Ok(ok(&View { fsp: fsp.to_string(), proxy: proxy.to_string(), currencies }))
}

fn texts(currencies: Vec<Currency>) -> Vec<String> {
    currencies.iter().map(Currency::to_string).collect()
}
