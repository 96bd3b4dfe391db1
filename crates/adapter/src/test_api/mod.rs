//! The test API (dfsp-client.md §5): shows who tests a scheme what the inbound listener has received.
//!
//! Invariant: it is off unless the settings ask for it, and then nothing is kept for it. What it shows is personal data
//! without a password; therefore it says so when it starts, and a web page cannot read it through somebody's browser.

mod log;

pub(crate) use log::{Limits, List, Log};

use crate::Core;
use crate::failure::{answer, not_found};
use crate::inbound::Inbound;
use crate::json::text;
use crate::records::Kind;
use axum::Router;
use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts as _, State};
use axum::response::{IntoResponse as _, Response};
use fspiop::Operation;
use http::request::Parts;
use http::{Method, Request, StatusCode, header};
use log::{Next, Reader, View};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const LIMITS: Limits = Limits { messages_max: 10_000, bytes_max: 67_108_864, readers_max: 100 };
/// What a subscriber may say; nothing of it is read.
const INCOMING_BYTES_MAX: usize = 4096;
/// For a subscriber to take one message.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two signs of life, so that subscribers that are gone are noticed.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// What a path names.
enum Place {
    View(View),
    /// Terms of a conversion that this DFSP has offered.
    Conversion(String),
}

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new().fallback(handle).with_state(core)
}

/// Shows a message of the hub that has passed all checks.
pub(crate) fn show(log: &Log, operation: &Operation, message: &Inbound) {
    if let Some(key) = key(operation, &message.body) {
        log.keep(key, &message.headers, &message.body);
    }
}

async fn handle(State(core): State<Arc<Core>>, request: Request<Body>) -> Response {
    let (mut head, _) = request.into_parts();
    let (Some(place), Some(log)) = (place(head.uri.path()), &core.test_api) else { return not_found() };
    let is_upgrade = head.headers.contains_key(header::UPGRADE);
    match place {
        Place::View(view) if is_upgrade => subscribe(log, view, &mut head).await,
        Place::View(_) | Place::Conversion(_) if head.method != Method::GET => not_found(),
        Place::View(View::All) => StatusCode::NO_CONTENT.into_response(),
        Place::View(View::List(_)) => not_found(),
        Place::View(View::One(list, id)) => json(log.newest(list, &id).map(|text| text.to_string())),
        Place::Conversion(id) => match core.records.load(Kind::Conversion, &id).await {
            Ok(known) => json(known.map(|known| without_fulfilment(known).to_string())),
            Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, &Value::from(error.to_string())),
        },
    }
}

fn place(path: &str) -> Option<Place> {
    let segments: Vec<String> =
        path.trim_start_matches('/').split('/').map(fspiop::percent_decode).collect::<Option<_>>()?;
    let place = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [""] => Place::View(View::All),
        ["requests"] => Place::View(View::List(List::Requests)),
        ["callbacks"] => Place::View(View::List(List::Callbacks)),
        ["requests", id] => Place::View(View::One(List::Requests, (*id).to_owned())),
        ["callbacks", id] => Place::View(View::One(List::Callbacks, (*id).to_owned())),
        ["fxQuoteRequests", id] => Place::Conversion((*id).to_owned()),
        _ => return None,
    };
    Some(place)
}

/// What is not known is no content, as users of this API expect.
fn json(text: Option<String>) -> Response {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Who has the fulfilment can take the money.
fn without_fulfilment(mut conversion: Value) -> Value {
    if let Some(members) = conversion.as_object_mut() {
        members.remove("fulfilment");
    }
    conversion
}

async fn subscribe(log: &Log, view: View, head: &mut Parts) -> Response {
    // Browsers alone say where a page comes from, and let any page of the world ask a WebSocket on this machine.
    if head.headers.contains_key(header::ORIGIN) {
        return answer(StatusCode::FORBIDDEN, &Value::from("The test API is not for web pages."));
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(head, &()).await {
        Ok(upgrade) => upgrade.max_message_size(INCOMING_BYTES_MAX).max_frame_size(INCOMING_BYTES_MAX),
        Err(refusal) => return refusal.into_response(),
    };
    // Before the answer, so that what is caused after it is seen.
    let Some(reader) = log.read(view) else {
        let full = format!("At most {} subscribers are served; try again when one has left.", LIMITS.readers_max);
        return answer(StatusCode::SERVICE_UNAVAILABLE, &Value::from(full));
    };
    upgrade.on_upgrade(move |socket| stream(socket, reader))
}

/// Until the subscriber leaves, is too slow, or the adapter stops.
async fn stream(mut socket: WebSocket, mut reader: Reader) {
    let mut alive = tokio::time::interval(PING_INTERVAL);
    loop {
        let message = tokio::select! {
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
            },
            next = reader.next() => match next {
                Next::Message(text) => Message::Text(text.into()),
                Next::TooSlow => {
                    tracing::warn!("a subscriber of the test API is too slow and is dropped");
                    closing(close_code::POLICY, "too slow")
                }
                Next::Closed => closing(close_code::AWAY, "the adapter stops"),
            },
            _ = alive.tick() => Message::Ping(bytes::Bytes::new()),
        };
        let is_last = matches!(message, Message::Close(_));
        match tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await {
            Ok(Ok(())) if !is_last => {}
            Ok(Ok(()) | Err(_)) => return,
            Err(_) => {
                tracing::warn!("a subscriber of the test API does not read and is dropped");
                return;
            }
        }
    }
}

fn closing(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

/// In which list and under which id a message is shown: that of its path, or the one that its body gives to what it begins.
fn key(operation: &Operation, body: &Value) -> Option<(List, String)> {
    use List::{Callbacks, Requests};
    use Operation as O;
    let named = |name| text(body, &[name]).map(str::to_owned);
    let (list, id) = match operation {
        O::GetParty(path) | O::GetParticipant(path) => (Requests, Some(path.identifier.clone())),
        O::PutParty(path) | O::PutPartyError(path) | O::PutParticipant(path) | O::PutParticipantError(path) => {
            (Callbacks, Some(path.identifier.clone()))
        }
        O::PutParticipants(id) | O::PutParticipantsError(id) => (Callbacks, Some(id.clone())),
        O::PostQuote => (Requests, named("quoteId")),
        O::GetQuote(id) | O::GetFxQuote(id) | O::GetBulkQuote(id) => (Requests, Some(id.to_string())),
        O::PutQuote(id)
        | O::PutQuoteError(id)
        | O::PutFxQuote(id)
        | O::PutFxQuoteError(id)
        | O::PutBulkQuote(id)
        | O::PutBulkQuoteError(id) => (Callbacks, Some(id.to_string())),
        O::PostTransfer => (Requests, named("transferId")),
        O::GetTransfer(id)
        | O::PatchTransfer(id)
        | O::PatchFxTransfer(id)
        | O::GetFxTransfer(id)
        | O::GetBulkTransfer(id)
        | O::GetTransactionRequest(id)
        | O::GetAuthorization(id, _) => (Requests, Some(id.clone())),
        O::PutTransfer(id)
        | O::PutTransferError(id)
        | O::PutFxTransfer(id)
        | O::PutFxTransferError(id)
        | O::PutBulkTransfer(id)
        | O::PutBulkTransferError(id)
        | O::PutTransactionRequest(id)
        | O::PutTransactionRequestError(id)
        | O::PutAuthorization(id)
        | O::PutAuthorizationError(id) => (Callbacks, Some(id.clone())),
        O::PostTransactionRequest => (Requests, named("transactionRequestId")),
        O::PostFxQuote => (Requests, named("conversionRequestId")),
        O::PostFxTransfer => (Requests, named("commitRequestId")),
        O::PostBulkQuote => (Requests, named("bulkQuoteId")),
        O::PostBulkTransfer => (Requests, named("bulkTransferId")),
        O::PostParticipants
        | O::PostParticipant(_)
        | O::DeleteParticipant(_)
        | O::GetFxProviders(_)
        | O::PutFxProviders(_) => return None,
    };
    Some((list, id?))
}
