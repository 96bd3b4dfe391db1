//! The hub's keys and certificates: read at the start, looked at every second, and their ends watched.

use crate::{
    Hub,
    callbacks::now,
    config::Tls,
    metrics::{CertificateLabels, Metrics},
};
use rustls::{ClientConfig, ServerConfig};
use std::{sync::Arc, time::Duration};
use tls::{Keys, Reload, State};
use tokio::{task::spawn_blocking, time::Instant};
use vocabulary::Timestamp;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// From when on, and how often, the log warns of a certificate's end.
const WARN_DAYS: i64 = 30;
const WARN_INTERVAL: Duration = Duration::from_secs(24 * 3600);
const DAY_MS: i64 = 86_400_000;

/// What the hub shows and whom it trusts.
pub struct HubKeys {
    pub fspiop: Option<Arc<Keys<ServerConfig>>>,
    pub outgoing: Arc<Keys<ClientConfig>>,
}

impl HubKeys {
    /// Reads all files. The error is a sentence: a hub does not start without its keys.
    pub fn open(tls: &Tls) -> Result<Self, String> {
        let fspiop = tls.fspiop.clone().map(|tls| Arc::new(Keys::of_listener(tls)));
        let keys = Self { fspiop, outgoing: Arc::new(Keys::of_client(tls.outgoing.clone())) };
        let problem = keys.states().find_map(|(_, state)| state.problem);
        problem.map_or(Ok(keys), Err)
    }

    /// Whether files cannot be used as they are now. What was read before stays in use, so that the hub works.
    pub fn has_problem(&self) -> bool {
        self.states().any(|(_, state)| state.problem.is_some())
    }

    pub fn tell(&self, metrics: &Metrics) {
        let now = now();
        for (certificate, state) in self.states() {
            if let Some(not_after) = state.not_after {
                let days = metrics.certificate_days.get_or_create(&CertificateLabels { certificate });
                days.set(days_left(not_after, now));
            }
        }
    }

    fn states(&self) -> impl Iterator<Item = (&'static str, State)> {
        let fspiop = self.fspiop.iter().map(|keys| ("fspiop", keys.state()));
        fspiop.chain([("outgoing", self.outgoing.state())])
    }

    fn has_files(&self) -> bool {
        self.fspiop.is_some() || self.outgoing.has_files()
    }

    fn reload(&self) {
        if let Some(keys) = &self.fspiop {
            keys.reload(Reload::IfChanged);
        }
        self.outgoing.reload(Reload::IfChanged);
    }

    fn warn(&self) {
        let now = now();
        for (certificate, state) in self.states() {
            let Some(days) = state.not_after.map(|not_after| days_left(not_after, now)) else { continue };
            match days {
                ..0 => tracing::error!(certificate, "a certificate of this hub has expired; replace its files"),
                0..WARN_DAYS => tracing::warn!(certificate, days, "a certificate of this hub expires soon; renew it"),
                WARN_DAYS.. => {}
            }
        }
    }
}

/// Follows the files.
pub async fn keep(hub: Arc<Hub>) {
    if !hub.keys.has_files() {
        return;
    }
    let mut warned: Option<(Instant, Vec<Option<Timestamp>>)> = None;
    loop {
        let ends: Vec<_> = hub.keys.states().map(|(_, state)| state.not_after).collect();
        let is_told = warned.as_ref().is_some_and(|(at, of)| at.elapsed() < WARN_INTERVAL && *of == ends);
        if !is_told {
            hub.keys.warn();
            warned = Some((Instant::now(), ends));
        }
        tokio::time::sleep(LOOK).await;
        // File systems block; a thread of its own may wait for them.
        let looking = hub.clone();
        if let Err(error) = spawn_blocking(move || looking.keys.reload()).await {
            tracing::error!(%error, "the files of keys could not be looked at");
        }
    }
}

/// Whole days; negative once it is over.
fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    (not_after.millis() - now.millis()).div_euclid(DAY_MS)
}
