//! After a run: does the hub's ledger say what the payers heard?
//!
//! Invariant: the transfers are asked for in an order that is spread over the whole run from the first question on, so
//! that a check that runs out of time has still looked everywhere. Each asked transfer is confirmed, or is an error.

use super::{engine::Engine, engine::Job, recorder::Errors};
use crate::random::Id;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const UNDER_WAY_MAX: usize = 64;
/// However slow the hub is, so many are asked for (or all, if there are fewer).
const CHECKED_MIN: usize = 1000;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The result of a check.
#[derive(Clone, Default, Debug)]
pub struct Checked {
    /// Transfers that the payers heard to be committed.
    pub committed: u64,
    /// Those of them that were asked for and whose state at the hub is COMMITTED.
    pub confirmed: u64,
    pub errors: Errors,
}

/// A check that goes on; the default is none.
#[derive(Default)]
pub struct Check {
    total: usize,
    stride: usize,
    asked: usize,
    deadline: Option<Instant>,
    under_way: HashMap<Id, u32>,
    result: Checked,
}

impl Check {
    fn new(total: usize, time_limit: Duration) -> Self {
        Self {
            total,
            stride: stride(total),
            asked: 0,
            deadline: Some(Instant::now() + time_limit),
            under_way: HashMap::new(),
            result: Checked { committed: total as u64, ..Checked::default() },
        }
    }

    /// The number of the next transfer to ask for.
    fn next(&mut self) -> Option<u32> {
        let in_time = self.deadline.is_some_and(|deadline| Instant::now() < deadline);
        if self.asked >= self.total || (!in_time && self.asked >= CHECKED_MIN) {
            return None;
        }
        let number = (self.asked as u64 * self.stride as u64 % self.total as u64) as u32;
        self.asked += 1;
        Some(number)
    }

    /// The question itself was not accepted.
    pub fn refused(&mut self, number: u32, problem: &str) {
        self.under_way.retain(|_, asked| *asked != number);
        self.result.errors.add(|| format!("GET /transfers {problem}"));
    }
}

impl Engine {
    /// Asks the hub for the state of the committed transfers: of all, or of as many as the time allows.
    pub async fn check_committed(&self, time_limit: Duration) -> Checked {
        let total = self.state.borrow().recorder.committed.len();
        *self.check.borrow_mut() = Check::new(total, time_limit);
        for _ in 0..UNDER_WAY_MAX {
            self.continue_check();
        }
        let end = Instant::now() + time_limit + ANSWER_TIMEOUT;
        while !self.check.borrow().under_way.is_empty() && Instant::now() < end {
            sleep(POLL_INTERVAL).await;
        }
        let mut check = self.check.take();
        for id in check.under_way.keys() {
            let id = id.text();
            check.result.errors.add(|| format!("no answer to GET /transfers/{}", String::from_utf8_lossy(&id)));
        }
        check.result
    }

    pub fn continue_check(&self) {
        let Some(number) = self.check.borrow_mut().next() else { return };
        let id = self.state.borrow().recorder.committed[number as usize].transfer;
        self.check.borrow_mut().under_way.insert(id, number);
        self.push(Job::Check { number });
    }

    /// Takes an outcome if a check has asked for it.
    pub fn check_outcome(&self, id: &[u8], is_committed: bool, body: &[u8]) -> bool {
        let mut check = self.check.borrow_mut();
        let asked =
            !check.under_way.is_empty() && Id::parse(id).is_some_and(|id| check.under_way.remove(&id).is_some());
        if !asked {
            return false;
        }
        if is_committed {
            check.result.confirmed += 1;
        } else {
            let (id, body) = (String::from_utf8_lossy(id), String::from_utf8_lossy(body));
            check.result.errors.add(|| format!("transfer {id}: the payer heard COMMITTED, the hub says {body}"));
        }
        drop(check);
        self.continue_check();
        true
    }
}

/// A step that visits every number below `total` once. Steps of the golden section spread the visits evenly at any time.
fn stride(total: usize) -> usize {
    let mut stride = (total * 61_803 / 100_000).max(1);
    while greatest_common_divisor(stride, total) > 1 {
        stride += 1;
    }
    stride
}

fn greatest_common_divisor(mut first: usize, mut second: usize) -> usize {
    while second > 0 {
        (first, second) = (second, first % second);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transfer_is_asked_for_once_and_the_first_thousand_are_spread() {
        for total in [1, 2, 5, 1000, 12_345] {
            let mut check = Check::new(total, Duration::from_secs(3600));
            let mut asked: Vec<u32> = std::iter::from_fn(|| check.next()).collect();
            let mut early: Vec<u32> = asked[..total.min(1000)].to_vec();
            early.sort_unstable();
            let widest = early.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
            assert!(widest as usize <= total / 100 + 1, "a gap of {widest} in {total}");
            asked.sort_unstable();
            assert_eq!(asked, (0..total as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_check_without_time_asks_for_a_thousand() {
        let mut check = Check::new(5000, Duration::ZERO);
        assert_eq!(std::iter::from_fn(|| check.next()).count(), CHECKED_MIN);
    }
}
