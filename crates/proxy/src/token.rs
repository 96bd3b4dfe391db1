//! The access token of a side (OAuth 2.0 client credentials, RFC 6749 §4.4; contract, interscheme §2.4).
//!
//! Invariant: a token is shown only while the last attempt to get one succeeded. The secret and the token are never
//! logged.

use crate::{
    config::{OauthConfig, Secret},
    upstream::{Connector, Outgoing},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use serde::Deserialize;
use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::time::{sleep, timeout};

const FORM: &[u8] = b"grant_type=client_credentials";
/// A new token is fetched so long before the old one ends.
const LEAD: Duration = Duration::from_secs(30);
/// However short-lived tokens are, fetching them must not become a load.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Fetches the token again and again, and has it ready.
pub struct Token {
    connector: Connector,
    client_id: String,
    secret: Secret,
    refresh: Duration,
    retry: Duration,
    request_timeout: Duration,
    state: RwLock<State>,
}

enum State {
    Held(HeaderValue),
    /// Why there is none; a sentence.
    Missing(String),
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Token {
    pub fn new(oauth: OauthConfig, connector: Connector, (retry, request_timeout): (Duration, Duration)) -> Self {
        Self {
            connector,
            client_id: oauth.client_id,
            secret: oauth.secret,
            refresh: oauth.refresh,
            retry,
            request_timeout,
            state: RwLock::new(State::Missing("No access token was fetched yet.".to_owned())),
        }
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> Option<HeaderValue> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Held(value) => Some(value.clone()),
            State::Missing(_) => None,
        }
    }

    pub fn problem(&self) -> Option<String> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Held(_) => None,
            State::Missing(problem) => Some(problem.clone()),
        }
    }

    /// Keeps the token fresh, for ever.
    pub async fn keep(&self) {
        loop {
            let (state, pause) = match self.fetch().await {
                Ok((value, lifetime)) => {
                    (State::Held(value), self.refresh.min(lifetime).saturating_sub(LEAD).max(PAUSE_MIN))
                }
                Err(problem) => {
                    let problem = format!("No access token from {}: {problem}.", self.connector.target);
                    tracing::error!(%problem, retry_s = self.retry.as_secs(), "this side is not ready");
                    (State::Missing(problem), self.retry)
                }
            };
            *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
            sleep(pause).await;
        }
    }

    async fn fetch(&self) -> Result<(HeaderValue, Duration), String> {
        let request = self.request()?;
        let answer = timeout(self.request_timeout, self.connector.exchange_once(&request)).await;
        let answer = answer.map_err(|_| format!("no answer within {} ms", self.request_timeout.as_millis()))?;
        read(&answer.map_err(|error| error.to_string())?)
    }

    fn request(&self) -> Result<Outgoing, String> {
        let secret = self.secret.read().map_err(|error| error.trim_end_matches('.').to_owned())?;
        let mut basic =
            HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.client_id))))
                .expect("base64 is text");
        basic.set_sensitive(true);
        let target = &self.connector.target;
        let mut headers = HeaderMap::new();
        headers.insert(HOST, target.authority().clone());
        headers.insert(AUTHORIZATION, basic);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let uri: Uri = target.path().parse().map_err(|error| format!("{error}"))?;
        Ok(Outgoing { method: Method::POST, uri, headers, body: Bytes::from_static(FORM) })
    }
}

fn read(answer: &Response<Bytes>) -> Result<(HeaderValue, Duration), String> {
    if !answer.status().is_success() {
        return Err(format!("the answer is {}", answer.status()));
    }
    // What serde says of a text that does not fit may quote it; it may be a token.
    let granted: Granted = serde_json::from_slice(answer.body())
        .map_err(|_| "the answer is not an object with access_token, a text, and expires_in, a number".to_owned())?;
    if granted.access_token.is_empty() {
        return Err("the token is empty".to_owned());
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", granted.access_token))
        .map_err(|_| "the token has characters that no header can carry".to_owned())?;
    value.set_sensitive(true);
    Ok((value, Duration::from_secs(granted.expires_in)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_token_needs_a_text_and_a_lifetime() {
        let granted = answer(200, r#"{"access_token":"abc","expires_in":300,"token_type":"Bearer"}"#);
        let (value, lifetime) = read(&granted).unwrap();
        assert_eq!((value.as_bytes(), lifetime), (&b"Bearer abc"[..], Duration::from_secs(300)));
        assert!(value.is_sensitive(), "it must not be shown in a log");
        for wrong in [
            r#"{"access_token":"secret-abc"}"#,
            r#"{"expires_in":300}"#,
            r#"{"access_token":"","expires_in":300}"#,
            r#"{"access_token":"secret-a\nb","expires_in":300}"#,
            r#"{"access_token":"secret-abc","expires_in":-1}"#,
            "secret-abc",
            "",
        ] {
            let problem = read(&answer(200, wrong)).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert_eq!(read(&answer(401, "{}")).unwrap_err(), "the answer is 401 Unauthorized");
    }
}
