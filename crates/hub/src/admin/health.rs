//! `/health` and `/metrics` of the administration ports (contract, transfers §7.4).

use super::reply;
use crate::{Health, Hub};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    status: &'static str,
    uptime: u64,
    start_time: String,
    version_number: &'static str,
    services: Vec<Service<'a>>,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    status: &'static str,
}

/// `{"status","uptime","startTime","versionNumber","services":[{"name","status"}]}`, compact.
pub fn health_json(health: &Health) -> String {
    let report = Report {
        status: word(health.is_up),
        uptime: health.uptime_seconds,
        start_time: health.started_at.to_string(),
        version_number: health.version,
        services: health.services.iter().map(|(name, is_up)| Service { name, status: word(*is_up) }).collect(),
    };
    serde_json::to_string(&report).expect("a report has text keys and no other failures")
}

/// 200, or 502 if the hub does not work.
pub fn response(health: &Health) -> Response {
    answer(health, StatusCode::BAD_GATEWAY)
}

pub(super) async fn ledger(State(hub): State<Arc<Hub>>) -> Response {
    response(&hub.health().await)
}

/// As [`ledger`], with 503: the reference's account lookup answers so.
pub(super) async fn oracles(State(hub): State<Arc<Hub>>) -> Response {
    answer(&hub.health().await, StatusCode::SERVICE_UNAVAILABLE)
}

pub(super) async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, media_type)], hub.metrics_text()).into_response()
}

fn answer(health: &Health, when_down: StatusCode) -> Response {
    let status = if health.is_up { StatusCode::OK } else { when_down };
    reply::json_text(status, health_json(health))
}

fn word(is_up: bool) -> &'static str {
    if is_up { "OK" } else { "DOWN" }
}
