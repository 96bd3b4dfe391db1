//! `/transactions/{id}`: what the packet of a transfer says (contract, administration §1.16).

use super::{
    form::malformed,
    reply::{Answer, Failure, json_text},
    request::Segments,
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError};
use std::sync::Arc;
use vocabulary::CorrelationId;

/// By the id of the transfer. Funds movements have no transaction, and those of old transfers are not kept.
pub(super) async fn one(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let id: CorrelationId = segment.parse().map_err(|_| malformed("\"id\" must be a valid GUID or ULID"))?;
    match hub.store().transaction(id).await? {
        Some(transaction) => Ok(json_text(StatusCode::OK, transaction)),
        None => {
            Err(Failure(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "The requested resource could not be found")))
        }
    }
}
