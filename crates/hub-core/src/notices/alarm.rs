//! How often an alarm is repeated: at most so many times in a period, and not too soon after the last time.
//!
//! The period begins with the first notice. What was said is remembered until the period is over, also when the alarm
//! has passed meanwhile: a balance that goes to and fro around its threshold would otherwise be told each time.

use vocabulary::Timestamp;

/// How often one alarm is repeated (contract, administration §4.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// At least one.
    pub per_period_max: u32,
    pub spacing_ms: i64,
    pub period_ms: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { per_period_max: 3, spacing_ms: 3 * 60_000, period_ms: 60 * 60_000 }
    }
}

/// What has been said in a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said {
    /// When the period began: with its first notice.
    pub since: Timestamp,
    pub last: Timestamp,
    pub count: u32,
}

/// What is to be done about an alarm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Nothing,
    /// A notice is due; this has been said with it.
    Say(Said),
    /// The alarm has passed, and so has its period.
    Forget,
}

/// What follows now for an account that is, or is not, in a state to be told about.
pub(super) fn next(said: Option<Said>, is_breached: bool, now: Timestamp, policy: &Policy) -> Next {
    let first = Said { since: now, last: now, count: 1 };
    let Some(said) = said else { return if is_breached { Next::Say(first) } else { Next::Nothing } };
    let has_passed = |since: Timestamp, span: i64| now.millis().saturating_sub(since.millis()) >= span;
    let is_over = has_passed(said.since, policy.period_ms);
    let may_say = has_passed(said.last, policy.spacing_ms) && (is_over || said.count < policy.per_period_max);
    match (is_breached, may_say) {
        (true, true) if is_over => Next::Say(first),
        (true, true) => Next::Say(Said { last: now, count: said.count + 1, ..said }),
        // The spacing may reach beyond the end of the period.
        (false, true) if is_over => Next::Forget,
        (true, false) | (false, true | false) => Next::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + minutes * MINUTE)
    }

    fn said(since: i64, last: i64, count: u32) -> Option<Said> {
        Some(Said { since: at(since), last: at(last), count })
    }

    #[test]
    fn section_4_8_three_times_an_hour_three_minutes_apart() {
        let say = |since, last, count| Next::Say(said(since, last, count).unwrap());
        for (before, is_breached, now, expected) in [
            (None, false, 0, Next::Nothing),
            (None, true, 0, say(0, 0, 1)),
            (said(0, 0, 1), true, 2, Next::Nothing),
            (said(0, 0, 1), true, 3, say(0, 3, 2)),
            (said(0, 3, 2), true, 5, Next::Nothing),
            (said(0, 3, 2), true, 6, say(0, 6, 3)),
            (said(0, 6, 3), true, 9, Next::Nothing),
            (said(0, 6, 3), true, 59, Next::Nothing),
            (said(0, 6, 3), true, 60, say(60, 60, 1)),
            (said(0, 59, 3), true, 60, Next::Nothing),
            (said(0, 59, 3), true, 62, say(62, 62, 1)),
            (said(0, 6, 3), false, 30, Next::Nothing),
            (said(0, 6, 3), false, 60, Next::Forget),
            (said(0, 59, 3), false, 60, Next::Nothing),
            (said(0, 59, 3), false, 62, Next::Forget),
            // A clock that was set back.
            (said(10, 10, 1), true, 5, Next::Nothing),
        ] {
            assert_eq!(next(before, is_breached, at(now), &Policy::default()), expected, "{before:?} at {now}");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_so_many_in_a_period_and_never_closer_than_the_spacing(
            steps in proptest::collection::vec((1i64..400_000, proptest::bool::weighted(0.7)), 1..400),
            per_period_max in 1u32..5,
            spacing_ms in 0i64..600_000,
            period_ms in 1i64..4_000_000,
        ) {
            let policy = Policy { per_period_max, spacing_ms, period_ms };
            let (mut now, mut state, mut told) = (at(0), None, Vec::<i64>::new());
            for (later_ms, is_breached) in steps {
                now = now.plus_millis(later_ms);
                match next(state, is_breached, now, &policy) {
                    Next::Nothing => {}
                    Next::Forget => state = None,
                    Next::Say(said) => {
                        prop_assert!(is_breached);
                        state = Some(said);
                        told.push(now.millis());
                    }
                }
            }
            for pair in told.windows(2) {
                prop_assert!(pair[1] - pair[0] >= spacing_ms);
            }
            let mut rest = told.as_slice();
            while let Some(first) = rest.first() {
                let count = rest.iter().take_while(|time| **time < first + period_ms).count();
                prop_assert!(count <= per_period_max as usize);
                rest = &rest[count..];
            }
        }

        #[test]
        fn a_breach_that_lasts_is_told_again_in_every_period(minutes in 1i64..1000) {
            let (mut state, mut count) = (None, 0);
            for minute in 0..minutes {
                if let Next::Say(said) = next(state, true, at(minute), &Policy::default()) {
                    state = Some(said);
                    count += 1;
                }
            }
            prop_assert!(count > minutes / 60 * 3 - 3 && count <= (minutes / 60 + 1) * 3, "{count} in {minutes}");
        }
    }
}
