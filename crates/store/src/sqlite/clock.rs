//! The store's time: the system's, which never runs backwards from one unit to the next, nor over a restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use vocabulary::Timestamp;

/// Where the time comes from.
pub type TimeSource = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) struct Clock {
    source: TimeSource,
    latest: AtomicI64,
}

/// The system's clock.
pub(super) fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is later than 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("the clock is before the year 292278994"))
}

impl Clock {
    pub(super) fn new(source: TimeSource) -> Self {
        Self { source, latest: AtomicI64::new(i64::MIN) }
    }

    /// Never earlier than what was returned before, nor than `hold_at`.
    pub(super) fn now(&self) -> Timestamp {
        let read = (self.source)().millis();
        Timestamp::from_millis(self.latest.fetch_max(read, Ordering::SeqCst).max(read))
    }

    /// The last unit of an earlier process ran at this time.
    pub(super) fn hold_at(&self, earlier: Timestamp) {
        self.latest.fetch_max(earlier.millis(), Ordering::SeqCst);
        let behind_ms = earlier.millis() - (self.source)().millis();
        if behind_ms > 0 {
            tracing::warn!(
                behind_ms,
                "the system's clock is behind the last unit; time stands still until it has caught up"
            );
        }
    }
}
