//! TLS for servers and clients: keys and certificates in PEM files that may change at any time, what certificates say, and
//! the listener that speaks with them, or without.
//!
//! Invariant: what is in use was complete and fitted together ([`Keys`]). What [`x509`] reads of a certificate decides
//! nothing by itself: whether it can be trusted was decided by rustls.
#![forbid(unsafe_code)]

mod keys;
mod listener;
mod patience;
pub mod x509;

pub use keys::{Keys, Reload, State};
pub use listener::{Listener, serve};

use std::path::PathBuf;

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
    /// If given, callers must show a certificate that goes back to one of these.
    pub client_ca: Option<PathBuf>,
}

/// Whom a client trusts, and what it shows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ClientTls {
    /// None is the certificates that the system trusts.
    pub ca: Option<PathBuf>,
    pub pair: Option<KeyPair>,
}
