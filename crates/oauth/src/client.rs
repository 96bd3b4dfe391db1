//! The client of a token endpoint: fetches an access token again and again, and has it ready.
//!
//! Invariant: one request is under way at a time, however many ask. What becomes of a token whose successor cannot be had is
//! the holder's choice ([`AfterFailure`]).

use crate::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde::Deserialize;
use std::{
    fmt,
    pin::Pin,
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

const FORM: &[u8] = b"grant_type=client_credentials";
/// A new token is fetched so long before the old one ends, or in the middle of its life if that is shorter.
const LEAD: Duration = Duration::from_secs(30);
/// However short-lived tokens are, fetching them must not become a load.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Where tokens are had.
pub trait TokenEndpoint: Send + Sync {
    /// Posts a form once. The error is a sentence without its full stop.
    fn post(&self, headers: HeaderMap, form: Bytes) -> Answered<'_>;

    /// As people know it.
    fn shown(&self) -> String;
}

pub type Answered<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send + 'a>>;

/// Who asks for tokens.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub client_id: String,
    pub secret: Secret,
}

/// When tokens are fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rhythm {
    /// At the latest.
    pub refresh: Duration,
    /// After a failure.
    pub retry: Duration,
    /// For one request.
    pub timeout: Duration,
}

/// What becomes of the token that is held when its successor cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterFailure {
    /// Nothing is shown any more.
    Forget,
    /// It is shown until there is another.
    Keep,
}

/// Has a token.
pub struct TokenSource {
    endpoint: Box<dyn TokenEndpoint>,
    credentials: Credentials,
    rhythm: Rhythm,
    after_failure: AfterFailure,
    state: RwLock<State>,
    /// Held by who fetches; when that was begun last.
    fetching: Mutex<Option<Instant>>,
}

struct State {
    held: Option<HeaderValue>,
    /// Why there is no newer one; a sentence.
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// The value of the `Authorization` header that shows a token; none if no header can carry it.
pub fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

impl TokenSource {
    /// Nothing is fetched before [`Self::keep`] or [`Self::ready`].
    pub fn new(
        endpoint: Box<dyn TokenEndpoint>,
        credentials: Credentials,
        rhythm: Rhythm,
        after_failure: AfterFailure,
    ) -> Self {
        let problem = Some("No access token was fetched yet.".to_owned());
        let state = RwLock::new(State { held: None, problem });
        Self { endpoint, credentials, rhythm, after_failure, state, fetching: Mutex::default() }
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).held.clone()
    }

    pub fn problem(&self) -> Option<String> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    /// Keeps the token fresh, for ever.
    pub async fn keep(&self) {
        loop {
            let pause = {
                let mut begun = self.fetching.lock().await;
                *begun = Some(Instant::now());
                self.fetch().await
            };
            sleep(pause).await;
        }
    }

    /// As [`Self::authorization`]; where there is none it is waited for.
    pub async fn ready(&self) -> Option<HeaderValue> {
        match self.authorization() {
            Some(held) => Some(held),
            None => self.renewed(None).await,
        }
    }

    /// Another token than one that was refused; none if it cannot be had.
    pub async fn renew(&self, refused: &HeaderValue) -> Option<HeaderValue> {
        self.renewed(Some(refused)).await
    }

    /// Whoever comes while a request is under way takes what it brings. Refusals do not make more than one a second.
    async fn renewed(&self, refused: Option<&HeaderValue>) -> Option<HeaderValue> {
        let other = || self.authorization().filter(|held| Some(held) != refused);
        let mut begun = self.fetching.lock().await;
        if let Some(held) = other() {
            return Some(held);
        }
        if begun.is_some_and(|begun| begun.elapsed() < PAUSE_MIN) {
            return None;
        }
        *begun = Some(Instant::now());
        self.fetch().await;
        other()
    }

    /// Fetches once; returns the pause until the next time.
    async fn fetch(&self) -> Duration {
        let granted = match self.request() {
            Ok(headers) => self.exchange(headers).await,
            Err(problem) => Err(problem),
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match granted {
            Ok((held, lifetime)) => {
                *state = State { held: Some(held), problem: None };
                let lead = LEAD.min(lifetime / 2);
                self.rhythm.refresh.min(lifetime.saturating_sub(lead)).max(PAUSE_MIN)
            }
            Err(problem) => {
                let problem = format!("No access token from {}: {problem}.", self.endpoint.shown());
                tracing::error!(%problem, retry_s = self.rhythm.retry.as_secs(), "there is no new access token");
                let held = match self.after_failure {
                    AfterFailure::Forget => None,
                    AfterFailure::Keep => state.held.take(),
                };
                *state = State { held, problem: Some(problem) };
                self.rhythm.retry
            }
        }
    }

    async fn exchange(&self, headers: HeaderMap) -> Result<(HeaderValue, Duration), String> {
        let limit = self.rhythm.timeout;
        let answer = timeout(limit, self.endpoint.post(headers, Bytes::from_static(FORM))).await;
        read(&answer.unwrap_or_else(|_| Err(format!("no answer within {} ms", limit.as_millis())))?)
    }

    fn request(&self) -> Result<HeaderMap, String> {
        let Credentials { client_id, secret } = &self.credentials;
        let secret = secret.read().map_err(|error| error.trim_end_matches('.').to_owned())?;
        let mut basic = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}"))))
            .expect("base64 is text");
        basic.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, basic);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        Ok(headers)
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
    let value = bearer(&granted.access_token).ok_or("the token has characters that no header can carry")?;
    Ok((value, Duration::from_secs(granted.expires_in)))
}

impl fmt::Debug for TokenSource {
    /// Never shows the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenSource({} at {})", self.credentials.client_id, self.endpoint.shown())
    }
}

#[cfg(test)]
mod tests;
