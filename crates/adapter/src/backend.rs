//! The DFSP's core, as the adapter asks it (dfsp-client.md §4).
//!
//! Invariant: every question ends: with the core's answer, or with the error that the scheme is told. A question may arrive
//! more than once, so that the core answers by id.

use crate::hub::error_body;
use crate::json::text;
use crate::settings::Settings;
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use sdk::{HttpAnswer, HttpClient, HttpError};
use serde_json::{Value, json};
use std::time::Duration;

const TRIES_MAX: u32 = 4;
const TRY_DELAY: Duration = Duration::from_millis(10);

pub(crate) struct Backend {
    base: String,
    http: HttpClient,
    timeout: Duration,
    notification_attempts_max: u32,
    notification_delay: Duration,
    notification_delay_max: Duration,
    notification_delay_factor: u32,
}

/// What the core answered a question that wants data.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Data(Value),
    /// A success without a body: the core has nothing to say, and the scheme is told nothing.
    Nothing,
    /// What the scheme is told instead: `{"errorInformation": …}`.
    Refusal(Refusal),
}

/// A question that did not get data.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The body of the error callback.
    pub body: Value,
    /// What the core said, for the records.
    pub original: String,
}

impl Backend {
    pub fn new(settings: &Settings) -> Self {
        let base = settings.backend.trim_end_matches('/');
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        Self {
            base,
            http: HttpClient::new(),
            timeout: settings.request_timeout,
            notification_attempts_max: settings.notification_attempts_max,
            notification_delay: settings.notification_delay,
            notification_delay_max: settings.notification_delay_max,
            notification_delay_factor: settings.notification_delay_factor,
        }
    }

    /// `path` is percent-encoded and begins with a slash.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Tells the core something that it must learn; repeats it until it is taken, refused for good, or the tries are used
    /// up. True if the core knows now, or does not want to.
    pub async fn notify(&self, path: &str, body: &Value) -> bool {
        let mut delay = self.notification_delay;
        for attempt in 1..=self.notification_attempts_max {
            let status = self.once(&Method::PUT, path, Some(body)).await.map(|answer| answer.status());
            match status {
                Ok(status) if status.is_success() => return true,
                Ok(status) if status.is_client_error() => {
                    tracing::warn!(%status, "the core refuses a notification");
                    return true;
                }
                Ok(status) => tracing::warn!(%status, attempt, "the core did not take a notification"),
                Err(error) => tracing::warn!(%error, attempt, "a notification did not reach the core"),
            }
            if attempt < self.notification_attempts_max {
                tokio::time::sleep(delay).await;
                delay = delay.saturating_mul(self.notification_delay_factor).min(self.notification_delay_max);
            }
        }
        false
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        for attempt in 1.. {
            let answer = self.once(&method, path, body).await;
            let can_change = match &answer {
                Ok(answer) => can_change(answer.status()),
                Err(_) => true,
            };
            if !can_change || attempt >= TRIES_MAX {
                return read(answer);
            }
            tokio::time::sleep(TRY_DELAY).await;
        }
        unreachable!("the loop ends with the last try")
    }

    async fn once(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<HttpAnswer, HttpError> {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::DATE, sdk::now().http().to_string())
            .body(Full::new(bytes));
        let request = request.map_err(|error| HttpError::Unreachable(error.to_string()))?;
        self.http.send(request, self.timeout).await
    }
}

fn can_change(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT || status == StatusCode::TOO_MANY_REQUESTS
}

fn read(answer: Result<HttpAnswer, HttpError>) -> Answer {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Answer::Refusal(Refusal::internal(error.to_string())),
    };
    let body = answer.body();
    if answer.status().is_success() && body.is_empty() {
        tracing::warn!("the core answered with an empty body; the scheme is told nothing");
        return Answer::Nothing;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(data) if answer.status().is_success() && data.is_object() => Answer::Data(data),
        Ok(data) if !answer.status().is_success() => Answer::Refusal(Refusal::of(&data)),
        Ok(_) | Err(_) => {
            let original = format!("the core answered {} with a body that is no JSON object", answer.status());
            Answer::Refusal(Refusal::internal(original))
        }
    }
}

impl Refusal {
    /// 2001, as for everything that the core did not explain.
    pub fn internal(original: impl Into<String>) -> Self {
        let original = original.into();
        tracing::warn!(reason = original, "a question to the core had no usable answer");
        Self { body: error_body(&FspiopError::new(ErrorCode::INTERNAL)), original }
    }

    pub fn error(error: &FspiopError) -> Self {
        Self { body: error_body(error), original: error.to_string() }
    }

    /// Of `{"statusCode", "message"}`. A code of the scheme's table has its text if the core gives none; any other is passed
    /// on as it is.
    fn of(data: &Value) -> Self {
        let code = match &data["statusCode"] {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let message = text(data, &["message"]).unwrap_or_default();
        let original = format!("the core answered {code}: {message}");
        match ErrorCode::parse(&code).filter(|code| code.is_defined()) {
            Some(code) => Self { body: error_body(&FspiopError::relayed(code, message)), original },
            None if code.is_empty() => Self::internal(original),
            None => {
                let information = json!({"errorCode": code, "errorDescription": message});
                Self { body: json!({"errorInformation": information}), original }
            }
        }
    }

    /// What the state of a failed payment says about it.
    pub fn last_error(&self) -> Value {
        json!({"originalError": self.original, "mojaloopError": self.body})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Value {
        let answer = http::Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        match read(Ok(answer)) {
            Answer::Refusal(refusal) => refusal.body["errorInformation"].clone(),
            Answer::Data(data) => panic!("{data}"),
            Answer::Nothing => Value::Null,
        }
    }

    #[test]
    fn the_words_of_the_core_become_words_of_the_scheme() {
        for (status, body, code, description) in [
            (404, r#"{"statusCode":"3204","message":"ID not found"}"#, "3204", "ID not found"),
            (500, r#"{"statusCode":3204}"#, "3204", "Party not found"),
            (500, r#"{"statusCode":"404","message":"none"}"#, "404", "none"),
            (500, "", "2001", "Internal server error"),
            (200, "<html>", "2001", "Internal server error"),
            (200, "[]", "2001", "Internal server error"),
            (400, r#"{"message":"no code"}"#, "2001", "Internal server error"),
        ] {
            let expected = json!({"errorCode": code, "errorDescription": description});
            assert_eq!(refusal(status, body), expected, "{status} {body}");
        }
        assert_eq!(refusal(204, ""), Value::Null, "nothing is said where the core says nothing");
    }
}
