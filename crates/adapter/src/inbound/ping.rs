//! `POST /ping`: a hub asks whether the adapter reaches it and verifies its signatures (§3).
//!
//! Invariant: a ping is answered positively only if its signature was verified. The answer goes to whom the ping names.

use super::{Failure, read, work};
use crate::Core;
use crate::hub::error_body;
use axum::body::Body;
use fspiop::jws::Received;
use fspiop::{ErrorCode, FspiopError, headers};
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId};

/// Errors: nobody could be answered, or not about anything.
pub(super) async fn take(core: Arc<Core>, head: Parts, body: Body) -> Result<StatusCode, Failure> {
    let invalid = |detail: &str| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    let body = read(&core, body).await?;
    let source = head.headers.get(headers::SOURCE).and_then(|source| source.to_str().ok());
    let source: FspId = source
        .and_then(|source| source.parse().ok())
        .ok_or_else(|| FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, "the header fspiop-source"))?;
    let ping: Value = serde_json::from_slice(&body).map_err(|_| invalid("/requestBody must be JSON"))?;
    let id = ping["requestId"].as_str().and_then(|id| id.parse::<CorrelationId>().ok());
    let id = id.ok_or_else(|| invalid("/requestBody/requestId must be a UUID or a ULID"))?;
    let received = Received { method: &head.method, path: head.uri.path(), headers: &head.headers, body: &body };
    let problem = match &core.settings.signatures.keys {
        Some(keys) => keys.verify(&received).err().map(|error| error.to_string()),
        None => Some("signatures are not verified here".to_owned()),
    };
    work(core, |core| async move {
        match problem {
            None => core.hub.answer_ping(&id, &source, Ok(json!({"requestId": id.to_string()}))).await,
            Some(problem) => {
                tracing::warn!(%source, problem, "a ping is answered with an error");
                let error = FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, &problem);
                core.hub.answer_ping(&id, &source, Err(error_body(&error))).await;
            }
        }
    })?;
    Ok(StatusCode::ACCEPTED)
}
