//! What an adapter is told.

pub use oauth::Secret;
pub use tls::{KeyPair, ListenerTls};

use crate::target::Target;
use http::HeaderName;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use vocabulary::FspId;

/// Requests under way to one hub at a time, each on a connection of its own.
pub const CONNECTIONS_DEFAULT: usize = 100;
/// How long one attempt to pass on a message may take, connecting included.
pub const ATTEMPT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// A token is fetched again after this time at the latest, less half a minute.
pub const TOKEN_REFRESH_DEFAULT: Duration = Duration::from_secs(60);
/// Pause after a token could not be had.
pub const TOKEN_RETRY_DEFAULT: Duration = Duration::from_secs(5);

/// One adapter between two schemes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name that the adapter has as a participant of both schemes.
    pub id: FspId,
    pub a: SideConfig,
    pub b: SideConfig,
    /// Headers of a request that do not travel on, besides those of the contract.
    pub removed_headers: Vec<HeaderName>,
    pub attempt_timeout: Duration,
    pub connections: usize,
    pub token_retry: Duration,
}

/// One scheme: a listener, and the hub to which it relays. The listener of a side is what the *other* hub calls.
#[derive(Clone, Debug)]
pub struct SideConfig {
    pub listen: SocketAddr,
    /// Requests keep their own path; the target's is not used.
    pub hub: Target,
    /// Needed for a hub or token endpoint that speaks TLS: the certificates that their certificates must go back to.
    pub ca: Option<PathBuf>,
    /// What the adapter shows the hub.
    pub client: Option<KeyPair>,
    pub oauth: Option<OauthConfig>,
    /// Without it the listener speaks plain HTTP.
    pub listener_tls: Option<ListenerTls>,
}

/// How the adapter gets the token that it shows the hub (client credentials, RFC 6749 §4.4).
#[derive(Clone, Debug)]
pub struct OauthConfig {
    pub endpoint: Target,
    /// Instead of the side's `ca`, if the token endpoint's certificate has another origin.
    pub ca: Option<PathBuf>,
    pub client_id: String,
    pub secret: Secret,
    pub refresh: Duration,
}
