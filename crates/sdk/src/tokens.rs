//! Access tokens that are shown to the hub (contract, dfsp-client.md §9).
//!
//! Invariant: a token is shown until its successor is there. The reference forgets it when it begins to ask for another, so
//! that requests of that moment go out without one.

use crate::http_client::HttpClient;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::Full;
use oauth::{AfterFailure, Answered, Credentials, Rhythm, TokenEndpoint, TokenSource};
use std::{fmt, sync::Arc, time::Duration};

/// What a DFSP shows its hub.
#[derive(Clone, Default)]
pub enum Tokens {
    #[default]
    None,
    /// One that was given to it.
    Static(HeaderValue),
    /// One that is fetched again and again.
    Fetched(Fetched),
}

/// Tokens of an endpoint; cloning shares them.
#[derive(Clone)]
pub struct Fetched {
    source: Arc<TokenSource>,
    /// How often a request that was answered 401 is sent again with another token.
    retries: u32,
}

struct Endpoint {
    http: HttpClient,
    url: String,
    timeout: Duration,
}

impl Tokens {
    /// A token that does not change. Errors: no header can carry it.
    pub fn of_text(token: &str) -> Result<Self, String> {
        oauth::bearer(token.trim()).map(Self::Static).ok_or("The access token is empty, or no text.".to_owned())
    }

    /// Tokens of an endpoint, a URL. They are fetched when they are needed, and ahead of that by [`Self::keep`]. After a 401
    /// a request is sent again with another token so many times.
    pub fn of_endpoint(
        (http, url): (HttpClient, &str),
        credentials: Credentials,
        rhythm: Rhythm,
        retries: u32,
    ) -> Self {
        let endpoint = Endpoint { http, url: url.to_owned(), timeout: rhythm.timeout };
        let source = TokenSource::new(Box::new(endpoint), credentials, rhythm, AfterFailure::Keep);
        Self::Fetched(Fetched { source: Arc::new(source), retries })
    }

    /// Keeps what is fetched fresh, for ever; ends at once where nothing is.
    pub async fn keep(&self) {
        match self {
            Self::Fetched(fetched) => fetched.source.keep().await,
            Self::None | Self::Static(_) => {}
        }
    }

    pub(crate) async fn authorization(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Static(value) => Some(value.clone()),
            Self::Fetched(fetched) => fetched.source.ready().await,
        }
    }

    /// Another one than that which was refused, if it may be tried after so many tries.
    pub(crate) async fn renewed(&self, refused: Option<&HeaderValue>, tries: u32) -> Option<HeaderValue> {
        match self {
            Self::None | Self::Static(_) => None,
            Self::Fetched(fetched) if tries >= fetched.retries => None,
            Self::Fetched(fetched) => match refused {
                Some(refused) => fetched.source.renew(refused).await,
                None => fetched.source.ready().await,
            },
        }
    }
}

impl TokenEndpoint for Endpoint {
    fn post(&self, headers: HeaderMap, form: Bytes) -> Answered<'_> {
        Box::pin(async move {
            let mut request = Request::post(&self.url).body(Full::new(form)).map_err(|error| error.to_string())?;
            request.headers_mut().extend(headers);
            self.http.send(request, self.timeout).await.map_err(|error| error.to_string())
        })
    }

    fn shown(&self) -> String {
        self.url.clone()
    }
}

impl fmt::Debug for Tokens {
    /// Never shows a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::Static(_) => formatter.write_str("Static"),
            Self::Fetched(fetched) => write!(formatter, "{:?}", fetched.source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth::Secret;

    #[test]
    fn no_token_is_in_what_is_shown() {
        let fixed = Tokens::of_text(" abcdef\n").unwrap();
        let credentials = Credentials { client_id: "bank".into(), secret: Secret::Value("abcdef".into()) };
        let second = Duration::from_secs(1);
        let rhythm = Rhythm { refresh: second, retry: second, timeout: second };
        let fetched = Tokens::of_endpoint((HttpClient::new(), "http://tokens"), credentials, rhythm, 0);
        for tokens in [fixed, fetched] {
            assert!(!format!("{tokens:?}").contains("abcdef"), "{tokens:?}");
        }
        for wrong in ["", " ", "a\nb"] {
            assert!(Tokens::of_text(wrong).is_err(), "{wrong:?}");
        }
    }
}
