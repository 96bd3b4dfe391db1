//! TLS for servers and clients: keys and certificates in PEM files that may change at any time, what certificates say, the
//! listener that speaks with them, or without, the connections of a client, and the authority that issues certificates.
//!
//! Invariant: what is in use was complete and fitted together ([`Keys`]). What [`x509`] reads of a certificate decides
//! nothing by itself: whether it can be trusted was decided by rustls.
#![forbid(unsafe_code)]

pub mod authority;
mod clients;
pub mod files;
mod following;
mod keys;
mod listener;
mod patience;
pub mod request;
pub mod x509;

pub use clients::{Clients, HttpsClient, full_text};
pub use following::{Files, Following, days_left};
pub use keys::{Keys, Reload, State, have_common_certificate};
pub use listener::{Listener, serve};

use rustls::{ClientConfig, ServerConfig};
use std::path::PathBuf;

/// Keys of a client.
pub type ClientKeys = Keys<ClientConfig>;
/// Keys of a listener.
pub type ListenerKeys = Keys<ServerConfig>;

/// A certificate chain and its private key, both PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What a listener shows, and to whom it listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerTls {
    pub pair: KeyPair,
    /// If there are any, callers must show a certificate that goes back to one in these files.
    pub client_ca: Vec<PathBuf>,
}

/// Whom a client trusts, and what it shows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ClientTls {
    /// Files of certificates; none means those that the system trusts.
    pub ca: Vec<PathBuf>,
    pub pair: Option<KeyPair>,
}
