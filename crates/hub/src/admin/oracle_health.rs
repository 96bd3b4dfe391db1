//! `/umoja/v1/oracles/{id}/health`: whether a registered oracle answers. Our own addition.

use super::reply::{Answer, Failure, ok};
use crate::Hub;
use axum::extract::{Path, State};
use fspiop::{ErrorCode, FspiopError};
use serde::Serialize;
use std::sync::Arc;

/// What the hub saw of an oracle.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    oracle_id: i64,
    /// OK if the oracle answered its `/health` with 2xx, else DOWN.
    status: &'static str,
    /// The HTTP status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    milliseconds: u64,
}

/// Asks an oracle for its `/health`; unknown ids are 400 with 3200.
pub(super) async fn get(State(hub): State<Arc<Hub>>, Path(id): Path<i64>) -> Answer {
    let directory = hub.directory();
    let oracle = directory.oracles.iter().find(|oracle| oracle.id == id && oracle.is_active);
    let unknown =
        || Failure(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, format_args!("no oracle has the id {id}")));
    let oracle = oracle.ok_or_else(unknown)?;
    let started = std::time::Instant::now();
    let answer = hub.lookup().health(&oracle.url).await;
    let (http_status, problem) = match answer {
        Ok(status) => (Some(status), None),
        Err(problem) => (None, Some(problem)),
    };
    let is_up = http_status.is_some_and(|status| (200..300).contains(&status));
    Ok(ok(&Report {
        oracle_id: id,
        status: if is_up { "OK" } else { "DOWN" },
        http_status,
        problem,
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}
