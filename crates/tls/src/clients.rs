//! The kept-alive connections of a client, over TLS where the address begins with `https`.
//!
//! Invariant: a connection over TLS is used only while the keys with which it was opened are in use.

use crate::Keys;
use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// Idle connections kept open to one host.
const IDLE_CONNECTIONS_MAX: usize = 64;
const IDLE_MAX: Duration = Duration::from_secs(30);

pub type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections of the keys that are in use.
pub struct Clients {
    keys: Arc<Keys<ClientConfig>>,
    connect_timeout: Duration,
    current: RwLock<Option<(Arc<ClientConfig>, HttpsClient)>>,
}

impl Clients {
    pub fn new(keys: Arc<Keys<ClientConfig>>, connect_timeout: Duration) -> Self {
        Self { keys, connect_timeout, current: RwLock::default() }
    }

    /// What is under way on connections of other keys ends by itself; idle ones are closed. None before there were keys
    /// that can be used.
    pub fn client(&self) -> Option<HttpsClient> {
        let keys = self.keys.current()?;
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, client)) = current.filter(|(used, _)| Arc::ptr_eq(used, &keys)) {
            return Some(client);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((used, client)) if Arc::ptr_eq(used, &keys) => Some(client.clone()),
            Some(_) | None => {
                let client = self.open(keys.clone());
                *current = Some((keys, client.clone()));
                Some(client)
            }
        }
    }

    fn open(&self, keys: Arc<ClientConfig>) -> HttpsClient {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(self.connect_timeout));
        connector.enforce_http(false);
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(HttpsConnector::from((connector, keys)))
    }
}

/// The error with its causes, which hyper keeps apart.
pub fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
