//! The administration ports: ledger administration (3001), settlement (3007), account-lookup administration (4001).
//!
//! Contract: administration §0 and §1, and §2.7 of transfers. A handler checks the form of a request, asks the core to
//! decide or reads the directory, and renders the answer; it holds no rule of its own. Every reply that is not a success
//! is an error object whose code decides the HTTP status. Bodies are at most [`BODY_BYTES_MAX`] long.

mod accounts;
mod certificates;
mod clients;
pub(crate) mod decimal;
mod endpoints;
mod enums;
mod fee_rules;
mod form;
mod funds;
mod funds_report;
pub mod health;
mod in_doubt;
mod ledger_account_types;
mod limits;
mod liquidity_threshold;
mod notices;
mod oracle_health;
mod oracles;
mod outbox;
mod participants;
mod positions;
mod rejections;
mod reply;
mod reports;
mod request;
mod routes;
mod settlement_models;
mod settlement_rejections;
mod settlement_schedule;
mod settlement_views;
mod settlement_windows;
mod settlements;
mod signing_key;
mod trace;
mod transactions;
mod verification_key;
mod verify;

use crate::{Hub, callbacks::now, http::Caller};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use fspiop::{ErrorCode, FspiopError};
use reply::Failure;
use std::sync::Arc;

/// Bytes of a request's body, as in the reference: the largest sensible one has a few thousand.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Ledger administration: participants, accounts, limits, endpoints, funds, settlement models.
pub fn ledger_router(hub: Arc<Hub>) -> Router {
    let participant = Router::new()
        .route("/", get(participants::one).put(participants::set_activity))
        .route("/endpoints", get(endpoints::list).post(endpoints::set))
        .route("/initialPositionAndLimits", post(limits::open))
        .route("/limits", get(limits::of_participant).put(limits::set))
        .route("/positions", get(positions::of_participant))
        .route("/accounts", get(accounts::list).post(accounts::create))
        .route("/accounts/{id}", post(funds::start).put(accounts::set_activity))
        .route("/accounts/{id}/transfers/{transferId}", put(funds::finish));
    let routes = Router::new()
        .route("/health", get(health::ledger))
        .route("/metrics", get(health::metrics))
        .route("/umoja/v1/oracles/{id}/health", get(oracle_health::get))
        .route("/umoja/v1/signing-key", get(signing_key::public))
        .route("/umoja/v1/participants/{name}/flow", get(participants::flow).put(participants::set_flow))
        .route("/umoja/v1/participants/{name}/verification-key", get(verification_key::get).put(verification_key::put))
        .route("/umoja/v1/certificates", get(certificates::list).post(certificates::record))
        .route("/umoja/v1/certificates/{fingerprint}/revoke", post(certificates::revoke))
        .route("/umoja/v1/participants/{name}/cap", put(limits::set_share))
        .route(
            "/umoja/v1/participants/{name}/liquidity-threshold",
            get(liquidity_threshold::get).put(liquidity_threshold::put),
        )
        .route("/umoja/v1/clients", get(clients::list).post(clients::create))
        .route("/umoja/v1/clients/{name}", delete(clients::revoke))
        .route("/umoja/v1/clients/{name}/rotate", post(clients::rotate))
        .route("/umoja/v1/notices", get(notices::list))
        .route("/umoja/v1/fee-rules", get(fee_rules::list).post(fee_rules::create))
        .route("/umoja/v1/fee-rules/{id}", put(fee_rules::set_activity))
        .route("/transactions/{id}", get(transactions::one))
        .route("/umoja/v1/reports/settlement-bank", get(reports::settlement_bank))
        .route("/umoja/v1/reports/settlement-initiation", get(reports::settlement_initiation))
        .route("/umoja/v1/reports/multilateral", get(reports::multilateral))
        .route("/umoja/v1/reports/bilateral", get(reports::bilateral))
        .route("/umoja/v1/reports/windows", get(reports::windows))
        .route("/umoja/v1/reports/statement", get(reports::statement))
        .route("/umoja/v1/reports/funds", get(funds_report::funds))
        .route("/umoja/v1/settlement-schedule", get(settlement_schedule::get).put(settlement_schedule::put))
        .route("/umoja/v1/routes", get(routes::list))
        .route("/umoja/v1/routes/{fsp}", put(routes::set))
        .route("/umoja/v1/verify", get(verify::now))
        .route("/umoja/v1/trace/{id}", get(trace::one))
        .route("/umoja/v1/in-doubt", get(in_doubt::list))
        .route("/umoja/v1/in-doubt/{resource}/{id}", post(in_doubt::resolve))
        .route("/umoja/v1/outbox", get(outbox::list))
        .route("/umoja/v1/outbox/{id}", delete(outbox::discard))
        .route("/umoja/v1/outbox/{id}/replay", post(outbox::replay))
        .route("/enums", get(enums::all))
        .route("/participants", get(participants::list).post(participants::create))
        .route("/participants/limits", get(limits::of_all))
        .nest("/participants/{name}", participant)
        .route("/ledgerAccountTypes", get(ledger_account_types::list).post(ledger_account_types::create))
        .route("/settlementModels", get(settlement_models::list).post(settlement_models::create))
        .route("/settlementModels/{name}", get(settlement_models::one).put(settlement_models::set_activity));
    with_edges(routes).with_state(hub)
}

/// Settlement, under `/v2`.
pub fn settlement_router(hub: Arc<Hub>) -> Router {
    let routes = Router::new()
        .route("/health", get(health::ledger))
        .route("/metrics", get(health::metrics))
        .route("/v2/health", get(health::ledger))
        .route("/v2/settlementWindows", get(settlement_windows::list))
        .route("/v2/settlementWindows/{id}", get(settlement_windows::one).post(settlement_windows::close))
        .route("/v2/settlements", get(settlements::list).post(settlements::create))
        .route("/v2/settlements/{id}", get(settlements::one).put(settlements::update))
        .route(
            "/v2/settlements/{sid}/participants/{pid}",
            get(settlements::of_participant).put(settlements::update_participant),
        )
        .route(
            "/v2/settlements/{sid}/participants/{pid}/accounts/{aid}",
            get(settlements::of_account).put(settlements::update_account),
        );
    with_edges(routes).with_state(hub)
}

/// Account-lookup administration: oracles.
pub fn oracle_router(hub: Arc<Hub>) -> Router {
    let routes = Router::new()
        .route("/health", get(health::oracles))
        .route("/metrics", get(health::metrics))
        .route("/oracles", get(oracles::list).post(oracles::create))
        .route("/oracles/{id}", put(oracles::replace).delete(oracles::remove));
    with_edges(routes).with_state(hub)
}

/// What all ports share: unknown paths are 404/3002, other methods 405/3000 with `Allow`, and bodies have a limit.
fn with_edges(routes: Router<Arc<Hub>>) -> Router<Arc<Hub>> {
    routes
        .fallback(unknown_uri)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(refuse_other_origins))
}

/// A web page of another origin may make its visitor's browser send requests to this machine's own ports. A browser says
/// so in `Origin`; programs do not send it.
async fn refuse_other_origins(request: Request, next: Next) -> Response {
    if is_of_another_origin(request.headers()) {
        let detail = "requests from web pages of other origins are refused";
        return Failure(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)).into_response();
    }
    next.run(request).await
}

/// An operator's connection may outlive its certificate.
pub(crate) async fn refuse_ended_certificates(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>().map(|caller| caller.check_certificate(&hub, now())) {
        Some(Err(error)) => Failure(error).into_response(),
        Some(Ok(())) | None => next.run(request).await,
    }
}

fn is_of_another_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    origin.is_some() && origin != text(header::HOST)
}

async fn unknown_uri(uri: Uri) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::UNKNOWN_URI, uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Failure {
    Failure(FspiopError::method_not_allowed(format_args!("{method} {}", uri.path())))
}
