//! `/umoja/v1/settlement-schedule`: when windows close by themselves. An addition of this hub.

use super::{
    form::malformed,
    reply::{Answer, ok},
    request::{Actor, JsonBody},
};
use crate::{Hub, schedule::Schedule};
use axum::extract::State;
use std::sync::Arc;

pub(super) async fn get(State(hub): State<Arc<Hub>>) -> Answer {
    Ok(ok(&hub.settlement_schedule().await?))
}

/// Replaces the schedule; without times nothing closes by itself.
pub(super) async fn put(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let schedule: Schedule = serde_json::from_value(body.value).map_err(malformed)?;
    if let Some(problem) = schedule.problem() {
        return Err(malformed(problem));
    }
    let directory = hub.fresh_directory().await?;
    let unknown = schedule.settle.iter().find(|name| directory.settlement_model(name).is_none());
    if let Some(name) = unknown {
        return Err(malformed(format_args!("\"settle\": there is no settlement model '{name}'")));
    }
    hub.set_settlement_schedule(&schedule, &actor).await?;
    Ok(ok(&schedule))
}
