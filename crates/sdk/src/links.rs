//! TLS of the links between a DFSP and its hub (contract dfsp-client.md §8): keys and certificates in files, read again when
//! they change.
//!
//! Invariant: where a link has keys it speaks TLS and nothing else; an authority and its successor may stand in the files
//! together, so that either side changes when it can.

use crate::http_client::HttpClient;
use std::sync::Arc;
use tls::{ClientKeys, ClientTls, Files, Following, ListenerKeys, ListenerTls};

/// The keys of both directions; none by default.
#[derive(Clone, Default, Debug)]
pub struct Links {
    /// Of requests to the hub.
    pub outbound: Option<Arc<ClientKeys>>,
    /// Of the listener for the hub.
    pub inbound: Option<Arc<ListenerKeys>>,
}

impl Links {
    /// Reads all files. The error is a sentence.
    pub fn open(outbound: Option<ClientTls>, inbound: Option<ListenerTls>) -> Result<Self, String> {
        let links = Self {
            outbound: outbound.map(|tls| Arc::new(ClientKeys::of_client(tls))),
            inbound: inbound.map(|tls| Arc::new(ListenerKeys::of_listener(tls))),
        };
        links.following().problem().map_or(Ok(links), Err)
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.outbound.clone().map_or_else(HttpClient::new, HttpClient::over_tls)
    }

    /// Looks at the files, and warns of certificates that end, until it is dropped.
    pub(crate) fn keep(&self) -> impl Future<Output = ()> + use<> {
        Arc::new(self.following()).keep()
    }

    fn following(&self) -> Following {
        let outbound = self.outbound.clone().map(|keys| ("outbound", keys as Arc<dyn Files>));
        let inbound = self.inbound.clone().map(|keys| ("inbound", keys as Arc<dyn Files>));
        Following::new(outbound.into_iter().chain(inbound).collect())
    }
}
