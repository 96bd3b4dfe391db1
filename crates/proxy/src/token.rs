//! The access token of a side (OAuth 2.0 client credentials, RFC 6749 §4.4; contract, interscheme §2.4).
//!
//! Invariant: a token is shown only while the last attempt to get one succeeded.

use crate::{
    config::OauthConfig,
    upstream::{Connector, Outgoing},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header::HOST};
use oauth::{AfterFailure, Answered, Credentials, Rhythm, TokenEndpoint, TokenSource};
use std::time::Duration;

/// The contract has a token fetched half a minute before the time to refresh it is over.
const LEAD: Duration = Duration::from_secs(30);

impl TokenEndpoint for Connector {
    fn post(&self, mut headers: HeaderMap, form: Bytes) -> Answered<'_> {
        Box::pin(async move {
            headers.insert(HOST, self.target.authority().clone());
            let uri: Uri = self.target.path().parse().map_err(|error| format!("{error}"))?;
            let request = Outgoing { method: Method::POST, uri, headers, body: form };
            self.exchange_once(&request).await.map_err(|error| error.to_string())
        })
    }

    fn shown(&self) -> String {
        self.target.to_string()
    }
}

/// The token of a side, which is to be kept fresh.
pub fn source(oauth: OauthConfig, connector: Connector, (retry, timeout): (Duration, Duration)) -> TokenSource {
    let OauthConfig { client_id, secret, refresh, .. } = oauth;
    let rhythm = Rhythm { refresh: refresh.saturating_sub(LEAD), retry, timeout };
    TokenSource::new(Box::new(connector), Credentials { client_id, secret }, rhythm, AfterFailure::Forget)
}
