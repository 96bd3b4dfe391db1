//! Why a call of the core did not succeed, and how that is answered (dfsp-client.md §2, conventions).

use crate::json::text;
use crate::records::RecordError;
use axum::response::{IntoResponse, Response};
use fspiop::ErrorCode;
use http::StatusCode;
use sdk::CallError;
use serde_json::{Value, json};

/// A failed call.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub status: StatusCode,
    pub message: String,
    /// The body of an error callback, if that was the reason.
    pub scheme: Option<Value>,
    /// Whether the request that failed has certainly ended, so that nothing comes of it any more.
    pub is_final: bool,
}

/// How far a call had come when it failed, and under which name that is answered.
pub(crate) struct FailedState {
    pub failure: Failure,
    pub name: &'static str,
    pub state: Value,
}

impl Failure {
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: message.into(), scheme: None, is_final: false }
    }

    /// The hub did not take a request. Its reason is said, but not as the scheme's: only a callback is that (§13.2).
    pub fn request(error: &CallError) -> Self {
        Self { is_final: error.is_certain(), ..Self::internal(format!("Request failed: {error}.")) }
    }

    pub fn timeout(message: impl Into<String>) -> Self {
        Self { status: StatusCode::GATEWAY_TIMEOUT, ..Self::internal(message) }
    }

    /// An error callback of the scheme.
    pub fn callback(doing: &str, body: &Value) -> Self {
        let message = format!("Got an error response {doing}: {body}");
        let code = text(body, &["errorInformation", "errorCode"]).and_then(ErrorCode::parse);
        Self { scheme: Some(body.clone()), is_final: code.is_some_and(sdk::ends_for_payer), ..Self::internal(message) }
    }

    /// What the state of a failed call says about it.
    pub fn last_error(&self) -> Value {
        let mut error = json!({"httpStatusCode": self.status.as_u16()});
        if let Some(scheme) = &self.scheme {
            error["mojaloopError"] = scheme.clone();
        }
        error
    }

    pub fn with_state(self, name: &'static str, state: Value) -> FailedState {
        FailedState { failure: self, name, state }
    }

    /// The scheme's code if it gave one, and the value of an extension in its place if the settings name one.
    fn status_code(&self, extension_key: Option<&str>) -> String {
        let Some(scheme) = &self.scheme else { return self.status.as_u16().to_string() };
        let extensions = scheme["errorInformation"]["extensionList"]["extension"].as_array();
        let named = extensions.into_iter().flatten().find(|entry| text(entry, &["key"]) == extension_key);
        let named = named.filter(|_| extension_key.is_some()).and_then(|entry| text(entry, &["value"]));
        let code = named.or_else(|| text(scheme, &["errorInformation", "errorCode"]));
        code.map_or_else(|| self.status.as_u16().to_string(), str::to_owned)
    }
}

impl FailedState {
    pub fn into_response(self, extension_key: Option<&str>) -> Response {
        let code = self.failure.status_code(extension_key);
        let body = json!({"message": self.failure.message, "statusCode": code, self.name: self.state});
        answer(self.failure.status, &body)
    }
}

/// A body that does not have the form of the API, an unknown path, or a method that it does not have.
pub(crate) fn bad_request(message: &str) -> Response {
    answer(StatusCode::BAD_REQUEST, &json!({"message": message, "statusCode": 400}))
}

/// A path of the API that nothing answers.
pub(crate) fn not_found() -> Response {
    answer(StatusCode::NOT_FOUND, &json!({"message": "Not found", "statusCode": 404}))
}

pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(http::header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        tracing::error!(%error, "the records failed");
        Self::internal(format!("The adapter's records failed: {error}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_callback_takes_the_place_of_the_status() {
        let body = json!({"errorInformation": {"errorCode": "3204", "errorDescription": "Party not found",
            "extensionList": {"extension": [{"key": "own", "value": "77"}]}}});
        let failure = Failure::callback("resolving party", &body);
        assert_eq!(failure.status_code(None), "3204");
        assert_eq!(failure.status_code(Some("own")), "77");
        assert_eq!(failure.status_code(Some("other")), "3204");
        assert_eq!(Failure::timeout("late").status_code(Some("own")), "504");
    }
}
