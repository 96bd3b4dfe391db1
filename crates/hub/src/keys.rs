//! The hub's keys and certificates: read at the start and followed while it runs.

use crate::{
    callbacks::now,
    config::Tls,
    metrics::{CertificateLabels, Metrics},
};
use rustls::{ClientConfig, ServerConfig};
use std::sync::Arc;
use tls::{Files, Following, Keys, days_left};

/// What the hub shows and whom it trusts.
pub struct HubKeys {
    pub fspiop: Option<Arc<Keys<ServerConfig>>>,
    /// Of the listeners for operators.
    pub administration: Option<Arc<Keys<ServerConfig>>>,
    pub outgoing: Arc<Keys<ClientConfig>>,
    following: Arc<Following>,
}

impl HubKeys {
    /// Reads all files. The error is a sentence: a hub does not start without its keys.
    pub fn open(tls: &Tls) -> Result<Self, String> {
        let listener = |tls: &Option<_>| tls.clone().map(|tls| Arc::new(Keys::of_listener(tls)));
        let (fspiop, administration) = (listener(&tls.fspiop), listener(&tls.administration));
        let outgoing = Arc::new(Keys::of_client(tls.outgoing.clone()));
        let mut all: Vec<(&'static str, Arc<dyn Files>)> = Vec::new();
        all.extend(fspiop.clone().map(|keys| ("fspiop", keys as Arc<dyn Files>)));
        all.extend(administration.clone().map(|keys| ("administration", keys as Arc<dyn Files>)));
        all.push(("outgoing", outgoing.clone()));
        let following = Arc::new(Following::new(all));
        match following.problem() {
            Some(problem) => Err(problem),
            None => Ok(Self { fspiop, administration, outgoing, following }),
        }
    }

    /// Whether files cannot be used as they are now. What was read before stays in use, so that the hub works.
    pub fn has_problem(&self) -> bool {
        self.following.problem().is_some()
    }

    pub fn tell(&self, metrics: &Metrics) {
        let now = now();
        for (certificate, state) in self.following.states() {
            if let Some(not_after) = state.not_after {
                let days = metrics.certificate_days.get_or_create(&CertificateLabels { certificate });
                days.set(days_left(not_after, now));
            }
        }
    }

    /// Looks at the files until it is dropped.
    pub fn keep(&self) -> impl Future<Output = ()> + use<> {
        self.following.clone().keep()
    }
}
