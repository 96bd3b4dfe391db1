//! The operator's web page (port 8080): who takes part, where each stands, and whether the hub works.
//!
//! Rendered on the server, without scripts; it shows what the hub's services say and changes nothing. Balances are those
//! of the moment of the request. The same port answers `/health` and `/metrics` for whoever watches the hub.
#![forbid(unsafe_code)]

mod figures;
mod page;

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hub::{Hub, admin::health::health_json};
use std::sync::Arc;

/// Nothing is loaded from anywhere; the one style sheet is inline.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// What every page says about itself: not to be kept, framed, or guessed at.
const PAGE_HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The pages of the operator's port.
pub fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .with_state(hub)
}

async fn overview(State(hub): State<Arc<Hub>>) -> Response {
    let health = hub.health().await;
    match hub.fresh_directory().await {
        Ok(directory) => {
            let figures = figures::Figures::of(&directory, hub.name());
            page_response(StatusCode::OK, page::overview(hub.name(), &health, &figures))
        }
        Err(error) => {
            let page = page::unavailable(hub.name(), &health, &error.to_string());
            page_response(StatusCode::SERVICE_UNAVAILABLE, page)
        }
    }
}

async fn health(State(hub): State<Arc<Hub>>) -> Response {
    let health = hub.health().await;
    let status = if health.is_up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let media_type = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, media_type)], health_json(&health)).into_response()
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, media_type)], hub.metrics_text()).into_response()
}

async fn not_found(State(hub): State<Arc<Hub>>) -> Response {
    page_response(StatusCode::NOT_FOUND, page::not_found(hub.name()))
}

fn page_response(status: StatusCode, page: maud::Markup) -> Response {
    (status, PAGE_HEADERS, page).into_response()
}
