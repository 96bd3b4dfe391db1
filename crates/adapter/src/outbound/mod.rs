//! The API of the DFSP's core (dfsp-client.md §2): one call, one answer.
//!
//! Invariant: a call goes on to its end also if the core hangs up, because money may be on its way.

mod accounts;
mod body;
mod fx;
mod phases;
mod request_to_pay;
mod request_to_pay_transfer;
mod simple;
pub(crate) mod status;
mod transfers;

pub(crate) use accounts::account_channel;
pub(crate) use phases::party_channel;

use crate::Core;
use crate::failure::{FailedState, answer, bad_request, not_found};
use axum::{Router, body::Body, extract::State, response::IntoResponse, response::Response};
use body::Call;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// What a call comes to.
enum Outcome {
    Done(Value),
    /// The lookup found an error: 404.
    NotFound(Value),
    /// The state of a failed payment was asked to go on.
    NoContent,
    Failed(FailedState),
}

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new().fallback(handle).with_state(core)
}

async fn handle(State(core): State<Arc<Core>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if matches!(head.uri.path(), "/" | "/health") && head.method == Method::GET {
        return StatusCode::OK.into_response();
    }
    let begun = Instant::now();
    let Ok(body) = Limited::new(body, core.settings.outbound_bytes_max).collect().await else {
        return bad_request("The body of the request ended early or is too large.");
    };
    let call = match Call::parse(&head.method, head.uri.path(), &body.to_bytes()) {
        Ok(Some(call)) => call,
        Ok(None) => return not_found(),
        Err(message) => return bad_request(&message),
    };
    let name = call.name();
    let response = answer_call(&core, call).await;
    core.metrics.call(name, response.status(), begun.elapsed());
    response
}

async fn answer_call(core: &Arc<Core>, call: Call) -> Response {
    let extension_key = core.settings.error_extension_key.clone();
    let core = core.clone();
    // A task of its own: this future is dropped when the core hangs up.
    let working = tokio::spawn(async move { run(&core, call).await });
    match working.await {
        Ok(Outcome::Done(state)) => answer(StatusCode::OK, &state),
        Ok(Outcome::NotFound(state)) => answer(StatusCode::NOT_FOUND, &state),
        Ok(Outcome::NoContent) => StatusCode::NO_CONTENT.into_response(),
        Ok(Outcome::Failed(failed)) => failed.into_response(extension_key.as_deref()),
        Err(error) => {
            tracing::error!(%error, "a call of the core ended unexpectedly");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn run(core: &Arc<Core>, call: Call) -> Outcome {
    match call {
        Call::PostTransfer(body) => transfers::start(core, body).await,
        Call::PutTransfer(id, body) => transfers::go_on(core, &id, &body).await,
        Call::GetTransfer(id) => status::ask(core, &id).await,
        Call::GetParty(path) => simple::party(core, path).await,
        Call::PostQuote(body) => simple::quote(core, &body).await,
        Call::PostSimpleTransfer(body) => simple::transfer(core, &body).await,
        Call::PostAccounts(body) => accounts::register(core, body).await,
        Call::DeleteAccount(path) => accounts::unregister(core, path).await,
        Call::PostRequestToPay(body) => request_to_pay::start(core, body).await,
        Call::PutRequestToPay(id, body) => request_to_pay::go_on(core, &id, &body).await,
        Call::PostRequestToPayTransfer(body) => request_to_pay_transfer::start(core, body).await,
        Call::PutRequestToPayTransfer(id, body) => request_to_pay_transfer::go_on(core, &id, &body).await,
    }
}
