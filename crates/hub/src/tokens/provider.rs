//! An identity provider outside the hub (OpenID Connect Discovery 1.0): its public keys, fetched and kept.
//!
//! Invariant: keys that are known go on working whatever becomes of the provider. A key that is not known is asked for at
//! once, but no more often than every few seconds, whoever shows tokens with made-up ones.

use crate::{
    config,
    net::{Net, Outgoing},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::ACCEPT};
use oauth::KeySet;
use serde::Deserialize;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

/// How often keys are fetched that nobody has missed.
const REFRESH: Duration = Duration::from_secs(600);
const RETRY: Duration = Duration::from_secs(10);
/// Between two questions for keys that are not known.
const MISSED_PAUSE: Duration = Duration::from_secs(5);
/// For one request.
const TIMEOUT: Duration = Duration::from_secs(5);

pub struct Provider {
    config: config::Provider,
    net: Net,
    keys: RwLock<Arc<KeySet>>,
    /// Held by who fetches; when that was begun last.
    fetching: Mutex<Option<Instant>>,
}

/// What is read of the provider's description.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Provider {
    pub fn new(config: config::Provider, net: Net) -> Self {
        Self { config, net, keys: RwLock::default(), fetching: Mutex::default() }
    }

    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    pub fn audience(&self) -> &str {
        &self.config.audience
    }

    /// Names of claims, the first of which that a token has says who sends.
    pub fn claims(&self) -> &[String] {
        &self.config.claims
    }

    pub fn has_no_keys(&self) -> bool {
        self.keys().is_empty()
    }

    /// The keys, fetched again if none of them can be a token's.
    pub async fn keys_for(&self, id: Option<&str>, algorithm: &str) -> Arc<KeySet> {
        let known = |keys: &KeySet| keys.candidates(id, algorithm).next().is_some();
        let keys = self.keys();
        if known(&keys) {
            return keys;
        }
        let mut begun = self.fetching.lock().await;
        let keys = self.keys();
        if known(&keys) || begun.is_some_and(|begun| begun.elapsed() < MISSED_PAUSE) {
            return keys;
        }
        *begun = Some(Instant::now());
        self.refresh().await;
        self.keys()
    }

    /// Keeps the keys fresh, for ever.
    pub async fn keep(&self) {
        loop {
            let is_fresh = {
                let mut begun = self.fetching.lock().await;
                *begun = Some(Instant::now());
                self.refresh().await
            };
            sleep(if is_fresh { REFRESH } else { RETRY }).await;
        }
    }

    fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn refresh(&self) -> bool {
        match self.fetch().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                true
            }
            Err(problem) => {
                let issuer = &self.config.issuer;
                tracing::error!(%issuer, %problem, "the keys of the identity provider could not be fetched");
                false
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let issuer = &self.config.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let description: Description = serde_json::from_slice(&self.get(&url).await?)
            .map_err(|_| format!("{url} is no object with issuer and jwks_uri"))?;
        if description.issuer != *issuer {
            return Err(format!("{url} describes another issuer; --oidc-issuer must be what it says"));
        }
        let jwks = &description.jwks_uri;
        if issuer.starts_with("https:") && !jwks.starts_with("https:") {
            return Err(format!("the keys at {jwks} are not protected by TLS, as the issuer is"));
        }
        KeySet::parse(&self.get(jwks).await?).map_err(|problem| format!("{jwks} cannot be used: {problem}"))
    }

    async fn get(&self, url: &str) -> Result<Bytes, String> {
        let uri = url.parse().map_err(|error| format!("{url} is no address: {error}"))?;
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let request = Outgoing { method: Method::GET, uri, headers, body: Bytes::new() };
        let answer = self.net.send(request, TIMEOUT).await.map_err(|error| format!("{url}: {error}"))?;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(format!("{url} answers {}", answer.status)) }
    }
}
