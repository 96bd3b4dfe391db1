//! Files of keys are looked at every second, and the ends of their certificates watched.

use crate::{Keys, Reload, State};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{task::spawn_blocking, time::Instant};
use vocabulary::Timestamp;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// From when on, and how often, the log warns of a certificate's end.
const WARN_DAYS: i64 = 30;
const WARN_INTERVAL: Duration = Duration::from_secs(24 * 3600);
const DAY_MS: i64 = 86_400_000;

/// [`Keys`] of a client or of a listener.
pub trait Files: Send + Sync {
    fn state(&self) -> State;
    /// Whether there is anything to look at.
    fn has_files(&self) -> bool;
    /// Reads the files. Blocks as long as the file system does.
    fn reload(&self, reload: Reload);
}

impl<T: Send + Sync> Files for Keys<T> {
    fn state(&self) -> State {
        Self::state(self)
    }

    fn has_files(&self) -> bool {
        Self::has_files(self)
    }

    fn reload(&self, reload: Reload) {
        Self::reload(self, reload);
    }
}

/// All keys of a program, each with a name for people.
#[derive(Default)]
pub struct Following(Vec<(&'static str, Arc<dyn Files>)>);

impl Following {
    pub fn new(all: Vec<(&'static str, Arc<dyn Files>)>) -> Self {
        Self(all)
    }

    pub fn states(&self) -> impl Iterator<Item = (&'static str, State)> {
        self.0.iter().map(|(name, files)| (*name, files.state()))
    }

    /// Why some files cannot be used as they are; a sentence.
    pub fn problem(&self) -> Option<String> {
        self.states().find_map(|(_, state)| state.problem)
    }

    /// Looks at the files until it is dropped; returns at once if there are none.
    pub async fn keep(self: Arc<Self>) {
        if !self.0.iter().any(|(_, files)| files.has_files()) {
            return;
        }
        let mut warned: Option<(Instant, Vec<Option<Timestamp>>)> = None;
        loop {
            let ends: Vec<_> = self.states().map(|(_, state)| state.not_after).collect();
            let is_told = warned.as_ref().is_some_and(|(at, of)| at.elapsed() < WARN_INTERVAL && *of == ends);
            if !is_told {
                self.warn();
                warned = Some((Instant::now(), ends));
            }
            tokio::time::sleep(LOOK).await;
            // File systems block; a thread of its own may wait for them.
            let looking = self.clone();
            let looked =
                spawn_blocking(move || looking.0.iter().for_each(|(_, files)| files.reload(Reload::IfChanged))).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the files of keys could not be looked at");
            }
        }
    }

    fn warn(&self) {
        let now = now();
        for (certificate, state) in self.states() {
            let Some(days) = state.not_after.map(|not_after| days_left(not_after, now)) else { continue };
            match days {
                ..0 => tracing::error!(certificate, "a certificate of this program has expired; replace its files"),
                0..WARN_DAYS => {
                    tracing::warn!(certificate, days, "a certificate of this program expires soon; renew it");
                }
                WARN_DAYS.. => {}
            }
        }
    }
}

/// Whole days; negative once it is over.
pub fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    (not_after.millis() - now.millis()).div_euclid(DAY_MS)
}

pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
