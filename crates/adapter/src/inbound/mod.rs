//! The listener for the hub's messages (dfsp-client.md §3).
//!
//! Invariant: requests (GET, POST) are answered 202 at once and worked on by a bounded number of tasks; callbacks (PUT) wake
//! whoever waits for them. A 2xx has no body.

mod conversions;
mod lookups;
mod ping;
mod quotes;
mod requests;
pub(crate) mod resume;
mod transfers;

use crate::Core;
use crate::hub::{Callback, Reply, error_body, headers_json};
use crate::outbound::{account_channel, party_channel, status};
use crate::test_api;
use axum::{Router, body::Body, extract::State, response::IntoResponse, response::Response};
use bytes::Bytes;
use fspiop::body as check;
use fspiop::jws::Received;
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, Resource, RouteError, check_headers, route};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use std::sync::Arc;

/// A checked request of the hub.
pub(crate) struct Inbound {
    pub envelope: Envelope,
    /// Whether it came by an `/error` path.
    pub is_error: bool,
    pub headers: Value,
    pub body: Value,
}

/// Why a message is not taken.
enum Failure {
    Error(FspiopError),
    /// Of a method that the path does not have: the value of `Allow`.
    Allow(FspiopError, String),
    /// Paths of the API that the adapter does not serve.
    NotFound,
}

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new().fallback(handle).with_state(core)
}

async fn handle(State(core): State<Arc<Core>>, request: Request<Body>) -> Response {
    if request.method() == Method::GET && matches!(request.uri().path(), "/" | "/health") {
        return StatusCode::OK.into_response();
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = match take(core.clone(), request).await {
        Ok(status) => status.into_response(),
        Err(failure) => failure.into_response(),
    };
    core.metrics.message(&method, &path, response.status());
    response
}

/// The only way in: route, headers, body and signature, before anything is acted upon.
async fn take(core: Arc<Core>, request: Request<Body>) -> Result<StatusCode, Failure> {
    let (head, body) = request.into_parts();
    if head.method == Method::POST && head.uri.path() == "/ping" {
        return ping::take(core, head, body).await;
    }
    let route = route(&head.method, head.uri.path())?;
    let envelope = check_headers(&route, &head.headers)?;
    let body = read(&core, body).await?;
    let received = Received { method: &head.method, path: head.uri.path(), headers: &head.headers, body: &body };
    core.settings.signatures.check(route.resource(), &received)?;
    let (is_error, status) = (route.is_error(), route.success_status());
    let operation = route.operation(head.uri.query())?;
    check_body(&operation, &body)?;
    // Participants of today answer this one like a callback.
    let status = if matches!(operation, Operation::GetQuote(_)) { 200 } else { status };
    let message = Inbound::new(envelope, is_error, (&head.headers, &body))?;
    if let Some(log) = &core.test_api {
        test_api::show(log, &operation, &message);
    }
    dispatch(core, operation, message)?;
    Ok(StatusCode::from_u16(status).expect("200 or 202"))
}

/// Against the schema of the API, where the operation has a body.
fn check_body(operation: &Operation, body: &[u8]) -> Result<(), FspiopError> {
    use Operation as O;
    match operation {
        O::PostQuote => check::QuoteRequest::parse(body).map(drop),
        O::PutQuote(_) => check::QuoteResponse::parse(body).map(drop),
        O::PostTransfer => check::TransferPrepare::parse(body).map(drop),
        O::PutTransfer(_) => check::TransferFulfil::parse(body).map(drop),
        O::PatchTransfer(_) => check::TransferNotice::parse(body).map(drop),
        O::PostTransactionRequest => check::TransactionRequest::parse(body).map(drop),
        O::PutTransactionRequest(_) => check::TransactionRequestPut::parse(body).map(drop),
        O::PutAuthorization(_) => check::AuthorizationPut::parse(body).map(drop),
        O::PostFxQuote => check::FxQuoteRequest::parse(body).map(drop),
        O::PutFxQuote(_) => check::FxQuoteResponse::parse(body).map(drop),
        O::PostFxTransfer => check::FxTransferPrepare::parse(body).map(drop),
        O::PutFxTransfer(_) | O::PatchFxTransfer(_) => check::FxTransferFulfil::parse(body).map(drop),
        O::PutParty(_) => check::PartyPut::parse(body).map(drop),
        O::PutPartyError(_) => check_error(Resource::Parties, body),
        O::PutParticipantError(_) | O::PutParticipantsError(_) => check_error(Resource::Participants, body),
        O::PutQuoteError(_) => check_error(Resource::Quotes, body),
        O::PutTransferError(_) => check_error(Resource::Transfers, body),
        O::PutTransactionRequestError(_) => check_error(Resource::TransactionRequests, body),
        O::PutFxQuoteError(_) => check_error(Resource::FxQuotes, body),
        O::PutFxTransferError(_) => check_error(Resource::FxTransfers, body),
        O::GetParty(_)
        | O::GetParticipant(_)
        | O::PostParticipant(_)
        | O::PutParticipant(_)
        | O::DeleteParticipant(_)
        | O::PostParticipants
        | O::PutParticipants(_)
        | O::GetQuote(_)
        | O::GetTransfer(_)
        | O::GetTransactionRequest(_)
        | O::GetAuthorization(..)
        | O::PutAuthorizationError(_)
        | O::GetFxQuote(_)
        | O::GetFxTransfer(_)
        | O::PostBulkQuote
        | O::GetBulkQuote(_)
        | O::PutBulkQuote(_)
        | O::PutBulkQuoteError(_)
        | O::PostBulkTransfer
        | O::GetBulkTransfer(_)
        | O::PutBulkTransfer(_)
        | O::PutBulkTransferError(_)
        | O::GetFxProviders(_)
        | O::PutFxProviders(_) => Ok(()),
    }
}

fn check_error(resource: Resource, body: &[u8]) -> Result<(), FspiopError> {
    check::ErrorInformation::parse(resource, body).map(drop)
}

/// Questions go to the core, in the background; answers to whoever waits for them.
fn dispatch(core: Arc<Core>, operation: Operation, message: Inbound) -> Result<(), Failure> {
    use Operation as O;
    match operation {
        O::GetParty(path) => work(core, |core| async move { lookups::party(&core, path, &message).await }),
        O::GetParticipant(path) => work(core, |core| async move { lookups::participant(&core, path, &message).await }),
        O::PostQuote => work(core, |core| async move { quotes::answer(&core, message).await }),
        O::GetQuote(id) => work(core, |core| async move { quotes::repeat(&core, id, &message).await }),
        O::PostTransfer => work(core, |core| async move { transfers::prepare(&core, message).await }),
        O::GetTransfer(id) => work(core, |core| async move { transfers::status(&core, &id, &message).await }),
        O::PatchTransfer(id) => work(core, |core| async move { transfers::notice(&core, &id, message.body).await }),
        O::PostTransactionRequest => work(core, |core| async move { requests::take(&core, &message).await }),
        O::GetAuthorization(id, _) => work(core, |core| async move { requests::otp(&core, &id, &message).await }),
        O::PostFxQuote => work(core, |core| async move { conversions::quote(&core, &message).await }),
        O::PostFxTransfer => work(core, |core| async move { conversions::prepare(&core, &message).await }),
        O::PatchFxTransfer(id) => work(core, |core| async move { conversions::notice(&core, &id, &message).await }),
        O::PutParty(path) | O::PutPartyError(path) => hand_on(&core, &party_channel(&path), message),
        O::PutParticipants(id) | O::PutParticipantsError(id) => hand_on(&core, &format!("accounts-{id}"), message),
        O::PutParticipant(_) if !core.settings.auto_accept_participants_put => {
            Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED).into())
        }
        O::PutParticipant(path) | O::PutParticipantError(path) => hand_on(&core, &account_channel(&path), message),
        O::PutQuote(id) | O::PutQuoteError(id) => hand_on(&core, &format!("quotes-{id}"), message),
        O::PutTransfer(id) | O::PutTransferError(id) => transfer_news(core, id, message),
        O::PutTransactionRequest(id) | O::PutTransactionRequestError(id) => {
            Ok(requests::state(&core, id, message.into_callback()))
        }
        O::PutAuthorization(id) | O::PutAuthorizationError(id) => {
            hand_on(&core, &format!("authorizations-{id}"), message)
        }
        O::PutFxQuote(id) | O::PutFxQuoteError(id) => hand_on(&core, &format!("fxQuotes-{id}"), message),
        O::PutFxTransfer(id) | O::PutFxTransferError(id) => hand_on(&core, &format!("fxTransfers-{id}"), message),
        O::PostBulkQuote
        | O::GetBulkQuote(_)
        | O::PutBulkQuote(_)
        | O::PutBulkQuoteError(_)
        | O::PostBulkTransfer
        | O::GetBulkTransfer(_)
        | O::PutBulkTransfer(_)
        | O::PutBulkTransferError(_) => Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED).into()),
        O::PostParticipants
        | O::PostParticipant(_)
        | O::DeleteParticipant(_)
        | O::GetTransactionRequest(_)
        | O::GetFxQuote(_)
        | O::GetFxTransfer(_)
        | O::GetFxProviders(_)
        | O::PutFxProviders(_) => Err(Failure::NotFound),
    }
}

/// Wakes whoever waits; a callback that nobody waits for any more is none of the hub's concern.
fn hand_on(core: &Core, channel: &str, message: Inbound) -> Result<(), Failure> {
    core.hub.hand_on(channel, &message.into_callback());
    Ok(())
}

fn transfer_news(core: Arc<Core>, id: String, message: Inbound) -> Result<(), Failure> {
    let callback = message.into_callback();
    core.hub.hand_on(&format!("transfers-{id}"), &callback);
    // After whoever waits for it; then there is nothing left to settle.
    tokio::spawn(async move { status::settle(&core, &id, &callback).await });
    Ok(())
}

/// In the background, if there is room.
fn work<F>(core: Arc<Core>, start: impl FnOnce(Arc<Core>) -> F) -> Result<(), Failure>
where
    F: Future<Output = ()> + Send + 'static,
{
    let permit = core.working.clone().try_acquire_owned();
    let permit = permit.map_err(|_| FspiopError::new(ErrorCode::SERVICE_UNAVAILABLE))?;
    let work = start(core);
    tokio::spawn(async move {
        work.await;
        drop(permit);
    });
    Ok(())
}

impl Inbound {
    fn new(envelope: Envelope, is_error: bool, (headers, body): (&HeaderMap, &[u8])) -> Result<Self, FspiopError> {
        let is_not_json = |_| FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "/requestBody must be JSON");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).map_err(is_not_json)? };
        Ok(Self { envelope, is_error, headers: headers_json(headers), body })
    }

    fn into_callback(self) -> Callback {
        let source = self.envelope.source.to_string();
        Callback { headers: self.headers, body: self.body, source, is_error: self.is_error }
    }

    /// The callback that answers this request.
    pub fn reply(&self, resource: Resource, operation: Operation, body: Value) -> Reply<'_> {
        Reply { resource, operation, version: self.envelope.version, destination: &self.envelope.source, body }
    }
}

async fn read(core: &Core, body: Body) -> Result<Bytes, FspiopError> {
    match Limited::new(body, core.settings.inbound_bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "the body is too large"))
        }
        Err(_) => Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "the body ended early")),
    }
}

impl Failure {
    fn into_response(self) -> Response {
        let (error, allow) = match self {
            Self::NotFound => return crate::failure::not_found(),
            Self::Error(error) => (error, None),
            Self::Allow(error, allow) => (error, Some(allow)),
        };
        let status = StatusCode::from_u16(error.http_status()).expect("the status of an error is one");
        let mut response = crate::failure::answer(status, &error_body(&error));
        if let Some(allow) = allow.and_then(|allow| allow.parse().ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

impl From<FspiopError> for Failure {
    fn from(error: FspiopError) -> Self {
        Self::Error(error)
    }
}

impl From<RouteError> for Failure {
    /// A method that the path does not have is 405 with 3100 here (§3).
    fn from(error: RouteError) -> Self {
        let Some(allow) = error.allow().map(str::to_owned) else { return Self::Error(error.into()) };
        let mut refused = FspiopError::from(error);
        refused.code = ErrorCode::GENERIC_VALIDATION;
        Self::Allow(refused, allow)
    }
}
