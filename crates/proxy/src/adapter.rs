//! The adapter and its two sides.
//!
//! Invariant: the sides are alike. What comes in on a side's listener goes to that side's hub, and nothing of one
//! side's token or keys is shown on the other.

use crate::{
    config::{Config, SideConfig},
    metrics::{Metrics, SideMetrics},
    token,
    upstream::{Connector, Upstream},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use oauth::TokenSource;
use rustls::{ClientConfig, ServerConfig};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Instant, SystemTime},
};
use tls::{ClientTls, Keys};
use tokio::sync::Semaphore;
use vocabulary::Timestamp;

/// Bodies that are in memory at a time, in KiB. Further ones wait for room, as long as a slow body may.
const BODIES_KIB_MAX: usize = 64 * 1024;
/// Answers to pings that are under way at a time.
pub const PINGS_MAX: u32 = 64;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    A,
    B,
}

pub struct Adapter {
    pub id: HeaderValue,
    pub removed_headers: Vec<HeaderName>,
    pub metrics: Metrics,
    pub bodies: Semaphore,
    pub pings: Arc<Semaphore>,
    pub started: (Instant, Timestamp),
    a: Side,
    b: Side,
}

pub struct Side {
    pub name: &'static str,
    pub upstream: Upstream,
    pub token: Option<TokenSource>,
    pub hub_keys: Option<Arc<Keys<ClientConfig>>>,
    pub token_keys: Option<Arc<Keys<ClientConfig>>>,
    pub listener_keys: Option<Arc<Keys<ServerConfig>>>,
    pub metrics: SideMetrics,
}

/// The side has no token or no keys, so that its hub cannot be asked.
#[derive(Debug)]
pub struct NotReady;

impl Adapter {
    /// Reads the files that the configuration names. The error is a sentence.
    pub fn try_new(config: &Config) -> Result<Self, String> {
        let metrics = Metrics::new();
        if !config.id.as_str().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("The name '{}' has characters that no header can carry.", config.id));
        }
        let side = |which: Which, side| Side::new(which.name(), config, side, metrics.of_side(which.name()));
        Ok(Self {
            id: HeaderValue::from_str(config.id.as_str()).expect("graphic ASCII fits into a header"),
            removed_headers: config.removed_headers.clone(),
            a: side(Which::A, &config.a),
            b: side(Which::B, &config.b),
            bodies: Semaphore::new(BODIES_KIB_MAX),
            pings: Arc::new(Semaphore::new(PINGS_MAX as usize)),
            started: (Instant::now(), now()),
            metrics,
        })
    }

    pub fn side(&self, which: Which) -> &Side {
        match which {
            Which::A => &self.a,
            Which::B => &self.b,
        }
    }

    pub fn sides(&self) -> [&Side; 2] {
        [&self.a, &self.b]
    }
}

impl Which {
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

impl Side {
    fn new(name: &'static str, config: &Config, side: &SideConfig, metrics: SideMetrics) -> Self {
        let keys = |ca: &Option<PathBuf>| {
            let tls = ClientTls { ca: ca.clone().into_iter().collect(), pair: side.client.clone() };
            ca.is_some().then(|| Arc::new(Keys::of_client(tls)))
        };
        let hub_keys = if side.hub.is_tls() { keys(&side.ca) } else { None };
        let token_tls = side.oauth.as_ref().filter(|oauth| oauth.endpoint.is_tls());
        let token_keys = token_tls.and_then(|oauth| keys(if oauth.ca.is_some() { &oauth.ca } else { &side.ca }));
        let token = side.oauth.clone().map(|oauth| {
            let connector = Connector { target: oauth.endpoint.clone(), keys: token_keys.clone() };
            token::source(oauth, connector, (config.token_retry, config.attempt_timeout))
        });
        let connector = Connector { target: side.hub.clone(), keys: hub_keys.clone() };
        Self {
            name,
            upstream: Upstream::new(connector, config),
            token,
            hub_keys,
            token_keys,
            listener_keys: side.listener_tls.clone().map(|tls| Arc::new(Keys::of_listener(tls))),
            metrics,
        }
    }

    /// Sets what the hub wants to see of the adapter itself.
    pub fn authorize(&self, headers: &mut HeaderMap) -> Result<(), NotReady> {
        if !self.has_keys() {
            return Err(NotReady);
        }
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.authorization().ok_or(NotReady)?);
        }
        Ok(())
    }

    pub fn has_token(&self) -> bool {
        self.token.as_ref().is_none_or(|token| token.authorization().is_some())
    }

    pub fn has_keys(&self) -> bool {
        self.upstream.connector().has_keys()
    }

    /// Sentences that say what is wrong, whether or not it stops messages.
    pub fn problems(&self) -> Vec<String> {
        let token = self.token.as_ref().and_then(TokenSource::problem);
        let clients = [&self.hub_keys, &self.token_keys].into_iter().flatten().map(|keys| keys.state());
        let listener = self.listener_keys.iter().map(|keys| keys.state());
        let keys = clients.chain(listener).filter_map(|state| state.problem);
        token.into_iter().chain(keys).collect()
    }
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
