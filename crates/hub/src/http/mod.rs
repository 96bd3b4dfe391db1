//! The FSPIOP listener: checks a request in the contract's order (§1.2), hands it to its resource, acknowledges.
//!
//! Invariant: 202 or 200 means that what the request asks for is durable, or, for questions and their answers, that it
//! is on its way. What goes wrong later is told by callback.

mod authorizations;
mod caller;
pub mod discovery;
mod fx_quotes;
mod fx_transfers;
mod participants;
mod parties;
mod quotes;
mod relay;
mod requests;
mod services;
mod transaction_requests;
mod transfers;

use crate::{
    Health, Hub,
    admin::health,
    callbacks::now,
    journal::{self, Mentioned},
    metrics::RequestLabels,
    outbound::{Complaint, Head},
    render,
    sequencer::{Origin, RelayUntil, Unavailable},
    tokens,
    ways::Ways,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, RawRoute, Resource, jws::Received};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hub_core::SubjectKind;
use std::sync::Arc;
use store::{Direction, JournalRow, Micros};

/// A request that has passed the checks of its headers and path.
pub struct Inbound {
    pub method: Method,
    /// The canonical path.
    pub uri: String,
    pub resource: Resource,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub envelope: Envelope,
    /// How the external DFSPs that it names are reached.
    pub ways: Ways,
    /// What the journal is told of the body.
    pub mentioned: Arc<Mentioned>,
}

pub use caller::Caller;
pub use requests::CarryOut;

/// The router of the listener: one entry, because unknown paths are answered by the contract too.
pub fn router(hub: Arc<Hub>) -> axum::Router {
    axum::Router::new().fallback(serve).with_state(hub)
}

async fn serve(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let method = request.method().clone();
    let path = request.uri().path();
    if method == Method::GET && path == "/health" {
        return json_response(&hub.health().await);
    }
    if method == Method::GET && path == "/metrics" {
        return text_response(hub.metrics_text());
    }
    if tokens::endpoint::is_here(path) {
        return tokens::endpoint::serve(&hub, request).await;
    }
    let mut arrival = Arrival::now();
    let outcome = handle(&hub, request, &mut arrival).await;
    let error = outcome.as_ref().err().map(|refusal| refusal.error.code.number());
    let response = match outcome {
        Ok(status) => empty_response(status),
        Err(refusal) => refusal.into_response(),
    };
    let status = response.status().as_u16();
    let resource = arrival.row.as_ref().map_or("unknown", |(resource, _)| resource.as_str());
    let labels = RequestLabels { resource, method: method_label(&method), status };
    hub.metrics().requests.get_or_create(&labels).inc();
    arrival.note(&hub, (status, error));
    response
}

/// What the journal will say of a request, as far as it has been read.
struct Arrival {
    at: Micros,
    /// None for a path that the API does not have.
    row: Option<(Resource, JournalRow)>,
    mentioned: Arc<Mentioned>,
}

impl Arrival {
    fn now() -> Self {
        Self { at: journal::now(), row: None, mentioned: Arc::default() }
    }

    /// Takes up the head of a request whose path the API has.
    fn read_head(&mut self, route: &RawRoute, parts: &http::request::Parts) {
        let path = parts.uri.path();
        let source = parts.headers.get(fspiop::headers::SOURCE).and_then(|value| value.to_str().ok());
        let row = JournalRow {
            at: self.at,
            direction: Direction::In,
            participant: source.and_then(|source| source.parse().ok()),
            method: journal::method_code(parts.method.as_str()),
            resource: journal::code_of_resource(Some(route.resource()), route.is_error()),
            subject: journal::subject_of(path),
            related: None,
            status: None,
            error: None,
            attempt: 0,
            trace: journal::trace_of_headers(&parts.headers),
            party: None,
        };
        self.row = Some((route.resource(), row));
    }

    /// Takes up what has become of the operation: the party of a look-up, the code of an error that was told.
    fn read_operation(&mut self, hub: &Hub, operation: &Operation, body: &Bytes) {
        let Some((_, row)) = &mut self.row else { return };
        if let Operation::GetParty(party) | Operation::PutParty(party) | Operation::PutPartyError(party) = operation {
            row.party = Some(hub.journal().party(party.id_type.as_str(), &party.identifier));
        }
        if journal::Line::of(row).is_error {
            row.error = journal::code_of(body);
        }
    }

    fn note(self, hub: &Hub, (status, error): (u16, Option<u16>)) {
        let Some((_, row)) = self.row else { return };
        let mention = self.mentioned.get();
        hub.journal().note(JournalRow {
            subject: row.subject.or(mention.subject),
            related: mention.related,
            party: row.party.or(mention.party),
            status: Some(status),
            error: error.or(row.error),
            ..row
        });
    }
}

fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// A synchronous error, with the methods that the path allows, or the proof that is asked for, where that is the error.
struct Refusal {
    error: FspiopError,
    allow: Option<String>,
    challenge: Option<HeaderValue>,
}

impl From<FspiopError> for Refusal {
    fn from(error: FspiopError) -> Self {
        Self { error, allow: None, challenge: None }
    }
}

impl From<oauth::Refusal> for Refusal {
    fn from(refusal: oauth::Refusal) -> Self {
        let challenge = Some(tokens::challenge(refusal));
        Self { error: FspiopError::unauthorized(refusal), allow: None, challenge }
    }
}

impl From<Unavailable> for Refusal {
    fn from(reason: Unavailable) -> Self {
        let code = match reason {
            Unavailable::Busy | Unavailable::Store(_) | Unavailable::Stopping => ErrorCode::SERVICE_UNAVAILABLE,
            Unavailable::Data(_) => ErrorCode::INTERNAL,
        };
        Self::from(FspiopError::with_detail(code, reason))
    }
}

impl Refusal {
    fn into_response(self) -> Response {
        let mut response = error_response(&self.error);
        if let Some(allow) = self.allow.and_then(|allow| allow.parse().ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

async fn handle(hub: &Arc<Hub>, request: Request, arrival: &mut Arrival) -> Result<StatusCode, Refusal> {
    let (parts, body) = request.into_parts();
    let route = fspiop::route(&parts.method, parts.uri.path()).map_err(|error| {
        let allow = error.allow().map(str::to_owned);
        Refusal { error: error.into(), allow, challenge: None }
    })?;
    arrival.read_head(&route, &parts);
    let token = hub.tokens.caller(hub, &parts.headers).await;
    let body = read(body).await;
    let token = token?;
    let envelope = fspiop::check_headers(&route, &parts.headers)?;
    for caller in parts.extensions.get::<Caller>().into_iter().chain(&token) {
        caller.check(hub, &envelope, now())?;
    }
    let body = body?;
    let status = StatusCode::from_u16(route.success_status()).expect("200 and 202 are statuses");
    let resource = route.resource();
    let received = Received { method: &parts.method, path: parts.uri.path(), headers: &parts.headers, body: &body };
    hub.verifier().check((resource, &envelope), &received)?;
    let operation = route.operation(parts.uri.query())?;
    let uri = operation.uri();
    arrival.read_operation(hub, &operation, &body);
    let mentioned = arrival.mentioned.clone();
    let ways = hub.ways(&envelope).await.map_err(|error| Unavailable::Store(error.to_string()))?;
    let (method, headers) = (parts.method, parts.headers);
    let inbound = Inbound { method, uri, resource, headers, body, envelope, ways, mentioned };
    dispatch(hub, inbound, operation, parts.uri.query()).await?;
    Ok(status)
}

async fn dispatch(hub: &Arc<Hub>, inbound: Inbound, operation: Operation, query: Option<&str>) -> Result<(), Refusal> {
    match operation {
        Operation::GetParty(party) => parties::get(hub, inbound, party, query),
        Operation::PutParty(party) => parties::put(hub, inbound, &party),
        Operation::PutPartyError(party) => parties::put_error(hub, inbound, &party),
        Operation::GetParticipant(party) => participants::get(hub, inbound, party, query).await,
        Operation::PostParticipant(party) => participants::post(hub, inbound, party).await,
        Operation::PutParticipant(party) => participants::put(hub, inbound, party).await,
        Operation::DeleteParticipant(party) => participants::delete(hub, inbound, party, query).await,
        Operation::PutParticipantError(party) => participants::put_error(hub, inbound, &party),
        Operation::PostQuote => quotes::post(hub, inbound).await,
        Operation::GetQuote(id) => quotes::get(hub, inbound, id),
        Operation::PutQuote(id) => quotes::put(hub, inbound, id).await,
        Operation::PutQuoteError(id) => quotes::put_error(hub, inbound, id).await,
        Operation::PostTransfer => transfers::post(hub, inbound).await,
        Operation::GetTransfer(id) => transfers::get(hub, inbound, SubjectKind::Transfer, id),
        Operation::PutTransfer(id) => transfers::put(hub, inbound, &id).await,
        Operation::PutTransferError(id) => transfers::put_error(hub, inbound, &id).await,
        Operation::PostParticipants => participants::post_batch(hub, inbound).await,
        Operation::PostTransactionRequest => transaction_requests::post(hub, inbound).await,
        Operation::GetTransactionRequest(_) => Ok(transaction_requests::get(hub, &inbound)),
        Operation::PutTransactionRequest(_) => transaction_requests::put(hub, inbound).await,
        Operation::PutTransactionRequestError(_) => transaction_requests::put_error(hub, inbound).await,
        Operation::GetAuthorization(..) => Ok(authorizations::get(hub, &inbound, query)),
        Operation::PutAuthorization(_) => authorizations::put(hub, inbound).await,
        Operation::PutAuthorizationError(_) => authorizations::put_error(hub, inbound).await,
        Operation::PostFxQuote => fx_quotes::post(hub, inbound).await,
        Operation::GetFxQuote(id) => fx_quotes::get(hub, inbound, id),
        Operation::PutFxQuote(id) => fx_quotes::put(hub, inbound, id).await,
        Operation::PutFxQuoteError(id) => fx_quotes::put_error(hub, inbound, id).await,
        Operation::PostFxTransfer => fx_transfers::post(hub, inbound).await,
        Operation::GetFxTransfer(id) => transfers::get(hub, inbound, SubjectKind::Conversion, id),
        Operation::PutFxTransfer(id) => fx_transfers::put(hub, inbound, &id).await,
        Operation::PutFxTransferError(id) => fx_transfers::put_error(hub, inbound, &id).await,
        Operation::PatchFxTransfer(id) => fx_transfers::patch(hub, inbound, &id).await,
        Operation::GetFxProviders(pair) => Ok(services::get(hub, inbound, pair)),
        // The hub sends these and does not take them (contract §1.4), or does not know the resource yet.
        Operation::PatchTransfer(_)
        | Operation::PutParticipants(_)
        | Operation::PutParticipantsError(_)
        | Operation::PostBulkQuote
        | Operation::GetBulkQuote(_)
        | Operation::PutBulkQuote(_)
        | Operation::PutBulkQuoteError(_)
        | Operation::PostBulkTransfer
        | Operation::GetBulkTransfer(_)
        | Operation::PutBulkTransfer(_)
        | Operation::PutBulkTransferError(_)
        | Operation::PutFxProviders(_) => Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED).into()),
    }
}

async fn read(body: Body) -> Result<Bytes, FspiopError> {
    let limit = usize::try_from(fspiop::headers::BODY_BYTES_MAX).expect("five megabytes fit");
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(FspiopError::with_detail(
            ErrorCode::TOO_LARGE_PAYLOAD,
            format_args!("a body has at most {limit} bytes"),
        )),
        Err(error) => {
            let text = format_args!("the body could not be read: {error}").to_string();
            Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, text))
        }
    }
}

impl Inbound {
    /// The canonical path of the resource, without `/error`.
    fn path(&self) -> &str {
        self.uri.strip_suffix("/error").unwrap_or(&self.uri)
    }

    /// Whom to tell, on the error resource of this message, if it cannot be passed on.
    fn complaint(&self, address: render::Address, no_endpoint: ErrorCode) -> Complaint {
        let source = &self.envelope.source;
        Complaint {
            to: source.as_str().into(),
            via: self.ways.to(source).map(|proxy| proxy.as_str().into()),
            path: address.path,
            endpoint: address.endpoint.as_str().into(),
            variables: address.variables,
            content_type: fspiop::content_type(self.resource, self.envelope.version).into(),
            no_endpoint_code: no_endpoint.number(),
        }
    }

    /// What a command that this message causes passes on.
    fn into_origin(self, head: Head, relay: RelayUntil) -> Origin {
        Origin { head, body: self.body, relay, ways: self.ways }
    }

    fn dialect(&self) -> hub_core::Dialect {
        render::dialect_of(self.envelope.version)
    }
}

/// An error as the body of a synchronous answer.
pub fn error_response(error: &FspiopError) -> Response {
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(error.to_json()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn json_response(health: &Health) -> Response {
    let mut response = Response::new(Body::from(health::health_json(health)));
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if !health.is_up {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn empty_response(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn text_response(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let plain = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
