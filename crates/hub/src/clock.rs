//! The present time: the system's, or on a simulated thread that of its runtime, which moves when everything waits.

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};
use store::Micros;
use tokio::time::Instant;
use vocabulary::Timestamp;

/// In microseconds.
const OFF_MAX: i64 = 1_000_000;

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

/// Whether the clock of another machine differs from ours by more than a second: that of a database that was asked between
/// two moments. Expirations would then not mean the same at all nodes.
pub fn is_off((asked, answered): (Micros, Micros), there: Micros) -> bool {
    there.0 < asked.0.saturating_sub(OFF_MAX) || there.0 > answered.0.saturating_add(OFF_MAX)
}

fn micros_of(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_more_than_a_second_whatever_the_answer_took() {
        let asked = (Micros(5_000_000), Micros(9_000_000));
        for (there, expected) in
            [(3_999_999, true), (4_000_000, false), (7_000_000, false), (10_000_000, false), (10_000_001, true)]
        {
            assert_eq!(is_off(asked, Micros(there)), expected, "{there}");
        }
    }
}
