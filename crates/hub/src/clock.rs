//! The present time: the system's, or on a simulated thread that of its runtime, which moves when everything waits.

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};
use store::Micros;
use tokio::time::Instant;
use vocabulary::Timestamp;

thread_local! {
    /// When the simulation of this thread began, and what time it was then.
    static SIMULATED: Cell<Option<(Instant, i64)>> = const { Cell::new(None) };
}

/// Lets time on this thread begin now and follow its runtime's clock, which may be paused.
pub fn simulate(begin: Timestamp) {
    SIMULATED.set(Some((Instant::now(), begin.millis().saturating_mul(1000))));
}

pub fn now_micros() -> Micros {
    let micros = match SIMULATED.get() {
        Some((instant, begin)) => begin.saturating_add(micros_of(instant.elapsed())),
        None => micros_of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
    };
    Micros(micros)
}

/// For messages that no unit has dated.
pub fn now() -> Timestamp {
    now_micros().to_timestamp()
}

fn micros_of(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
