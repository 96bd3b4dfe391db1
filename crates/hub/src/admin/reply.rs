//! Answers: JSON, empty, or an error object.

use crate::{AdminFailure, Unavailable};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fspiop::{ErrorCode, FspiopError};
use serde::Serialize;
use store::StoreError;
use vocabulary::Amount;

/// What a handler returns.
pub(super) type Answer = Result<Response, Failure>;

/// An error that is answered with its own HTTP status.
#[derive(Debug)]
pub(super) struct Failure(pub FspiopError);

/// 200 with a JSON body.
pub(super) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_text(status, serde_json::to_vec(body).expect("our own replies have text keys and no other failures"))
}

/// A body that is JSON already.
pub(super) fn json_text(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    status.into_response()
}

/// An amount as a JSON number, digit by digit.
pub(super) fn number(amount: Amount) -> serde_json::Number {
    amount.to_string().parse().expect("an amount prints as a JSON number")
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.http_status()).expect("the error table has HTTP statuses only");
        json_text(status, self.0.to_json())
    }
}

/// Failures of the database are internal errors that name it.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        of_database(&error.to_string())
    }
}

impl From<AdminFailure> for Failure {
    fn from(failure: AdminFailure) -> Self {
        match failure {
            AdminFailure::Rejected(rejection) => Self(super::rejections::error_of(rejection)),
            AdminFailure::Unavailable(what) => of_database(&what),
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(failure: Unavailable) -> Self {
        match failure {
            Unavailable::Busy | Unavailable::Stopping => Self(FspiopError::new(ErrorCode::SERVICE_UNAVAILABLE)),
            Unavailable::Store(what) | Unavailable::Data(what) => of_database(&what),
        }
    }
}

fn of_database(what: &str) -> Failure {
    tracing::error!(what, "the administration cannot reach the database");
    Failure(FspiopError::new(ErrorCode::INTERNAL).extension("system", "[\"db\"]"))
}
