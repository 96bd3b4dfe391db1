//! A request on a side's listener: relayed to that side's hub, unless it is for the adapter itself.
//!
//! Invariant: body, path and query leave as they came, and so do status, body and headers of the hub's answer. What the
//! adapter has to say itself is an FSPIOP error object.

use crate::{
    adapter::{Adapter, Side, Which},
    headers, health,
    metrics::Outcome,
    ping,
    upstream::{NoAnswer, Outgoing},
};
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError, headers::BODY_BYTES_MAX};
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{CONTENT_TYPE, HOST},
    request::Parts,
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::SemaphorePermit, time::timeout};

/// A body, once begun, is there by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const PROXY: HeaderName = HeaderName::from_static(fspiop::headers::PROXY);

/// What is answered in place of a hub.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: FspiopError,
}

/// The bytes of a body, and the memory that they were given.
pub struct Content<'a> {
    pub bytes: Bytes,
    _room: Option<SemaphorePermit<'a>>,
}

/// Answers one request on the listener of a side.
pub async fn serve(
    adapter: Arc<Adapter>,
    which: Which,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    Ok(match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/health") => health::report(&adapter, which),
        (&Method::GET, "/metrics") => health::metrics(&adapter),
        (&Method::POST, "/ping") => {
            let accepted = ping::accept(&adapter, which, &parts.headers, body).await;
            accepted.unwrap_or_else(Refusal::into_response)
        }
        _ => relay(&adapter, adapter.side(which), parts, body).await,
    })
}

async fn relay(adapter: &Adapter, side: &Side, parts: Parts, body: Incoming) -> Response<Full<Bytes>> {
    let begun = Instant::now();
    let (outcome, response) = match pass_on(adapter, side, parts, body).await {
        Ok(Ok(answer)) => (Outcome::Answered(answer.status().as_u16()), answer.map(Full::new)),
        Ok(Err(error)) => {
            tracing::warn!(side = side.name, %error, "the hub gave no answer");
            let detail = format_args!("the next scheme gave no answer: {error}").to_string();
            (Outcome::Unanswered, unavailable(&detail).into_response())
        }
        Err(refusal) => (Outcome::Refused, refusal.into_response()),
    };
    side.metrics.count(outcome, begun.elapsed());
    response
}

/// The hub's answer, or why there is none; a refusal if the message did not leave.
async fn pass_on(
    adapter: &Adapter,
    side: &Side,
    parts: Parts,
    body: Incoming,
) -> Result<Result<Response<Bytes>, NoAnswer>, Refusal> {
    let Parts { method, uri, mut headers, .. } = parts;
    let path = uri.into_parts().path_and_query.ok_or_else(|| {
        let error = FspiopError::method_not_allowed("a relayed request has a path");
        Refusal { status: StatusCode::METHOD_NOT_ALLOWED, error }
    })?;
    headers::strip_request(&mut headers, &adapter.removed_headers);
    headers.insert(HOST, side.upstream.connector().target.authority().clone());
    headers.insert(PROXY, adapter.id.clone());
    side.authorize(&mut headers).map_err(|_not_ready| not_ready(side))?;
    let content = read(adapter, body).await?;
    let message = Outgoing { method, uri: Uri::from(path), headers, body: content.bytes.clone() };
    let (answer, retries) = side.upstream.deliver(&message).await;
    side.metrics.retries.inc_by(u64::from(retries));
    Ok(answer.map(|mut answer| {
        headers::strip_answer(answer.headers_mut());
        answer
    }))
}

/// Reads a body of at most 5 MiB.
pub async fn read(adapter: &Adapter, body: Incoming) -> Result<Content<'_>, Refusal> {
    if body.is_end_stream() {
        return Ok(Content { bytes: Bytes::new(), _room: None });
    }
    let length_max = body.size_hint().upper().unwrap_or(BODY_BYTES_MAX);
    if length_max > BODY_BYTES_MAX {
        return Err(too_large());
    }
    let content = async {
        let kib = u32::try_from(length_max.div_ceil(1024)).expect("five megabytes fit");
        let room = adapter.bodies.acquire_many(kib).await.expect("the semaphore is never closed");
        let limit = usize::try_from(length_max).expect("five megabytes fit");
        let collected = Limited::new(body, limit)
            .collect()
            .await
            .map_err(|error| if error.is::<LengthLimitError>() { too_large() } else { unreadable(error.as_ref()) })?;
        Ok(Content { bytes: collected.to_bytes(), _room: Some(room) })
    };
    timeout(BODY_TIMEOUT, content).await.unwrap_or_else(|_elapsed| Err(too_slow()))
}

fn too_large() -> Refusal {
    let detail = format_args!("a body has at most {BODY_BYTES_MAX} bytes").to_string();
    let error = FspiopError::with_detail(ErrorCode::TOO_LARGE_PAYLOAD, detail);
    Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, error }
}

fn unreadable(cause: &dyn std::error::Error) -> Refusal {
    let detail = format_args!("the body could not be read: {cause}").to_string();
    Refusal { status: StatusCode::BAD_REQUEST, error: FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, detail) }
}

fn too_slow() -> Refusal {
    let detail = format_args!("the body was not there after {} s", BODY_TIMEOUT.as_secs()).to_string();
    Refusal { status: StatusCode::REQUEST_TIMEOUT, error: FspiopError::with_detail(ErrorCode::CLIENT_ERROR, detail) }
}

fn not_ready(side: &Side) -> Refusal {
    unavailable(&format!("the proxy has no token or keys for side {}", side.name))
}

/// 503 with 2003.
pub fn unavailable(detail: &str) -> Refusal {
    let error = FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, detail);
    Refusal { status: StatusCode::SERVICE_UNAVAILABLE, error }
}

impl Refusal {
    /// 400 with 3100.
    pub fn invalid(detail: &str) -> Self {
        let error = FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
        Self { status: StatusCode::BAD_REQUEST, error }
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        respond(self.status, "application/json", self.error.to_json())
    }
}

/// A response of the adapter's own.
pub fn respond(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
