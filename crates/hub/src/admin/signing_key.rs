//! `/umoja/v1/signing-key`: the public key with which participants verify what the hub signs. Our own addition.

use super::reply::{Answer, Failure};
use crate::Hub;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use fspiop::{ErrorCode, FspiopError};
use std::sync::Arc;

/// The key as `BEGIN PUBLIC KEY`; 404 with 3002 where the hub does not sign.
pub(super) async fn public(State(hub): State<Arc<Hub>>) -> Answer {
    let none = || Failure(FspiopError::with_detail(ErrorCode::UNKNOWN_URI, "this hub does not sign its messages"));
    let pem = hub.public_key().ok_or_else(none)?;
    let media_type = HeaderValue::from_static("application/x-pem-file");
    Ok(([(header::CONTENT_TYPE, media_type)], pem).into_response())
}
