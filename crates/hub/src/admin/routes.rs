//! `/umoja/v1/routes`: behind which proxy each DFSP of another scheme is. Most routes are learned from look-ups; what no
//! look-up ever finds, as a provider of currency conversion, is told here (contract, interscheme §1.2). Our own addition.

use super::{
    form::{Form, malformed},
    reply::{Answer, ok},
    request::{Actor, JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use vocabulary::FspId;

#[derive(Serialize)]
struct List {
    routes: Vec<View>,
}

#[derive(Serialize)]
struct View {
    fsp: String,
    proxy: String,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let view = |(fsp, proxy): (FspId, FspId)| View { fsp: fsp.to_string(), proxy: proxy.to_string() };
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
    let mut form = Form::new(&body.value);
    let proxy = form.parsed("proxy", |text| text.parse::<FspId>().ok(), "must be the name of a proxy");
    let proxy = form.finish(|| proxy)?;
    let directory = hub.fresh_directory().await?;
    if !directory.participant(&proxy).is_some_and(|known| known.participant.is_proxy) {
        return Err(malformed(format_args!("\"{proxy}\" is no proxy of this scheme; register it with isProxy first")));
    }
    if directory.participant(&fsp).is_some() {
        return Err(malformed(format_args!("\"{fsp}\" is a participant of this scheme, which needs no route")));
    }
    hub.store().set_route(&fsp, &proxy, &actor).await?;
    Ok(ok(&View { fsp: fsp.to_string(), proxy: proxy.to_string() }))
}
