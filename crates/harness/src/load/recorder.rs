//! What a run measures, and what went wrong in it.
//!
//! Invariant: latencies are those of the payments that were scheduled in the measured window, however late they end;
//! the rate is that of the payments that ended in it. Positions and ids cover the whole run.

use crate::{histogram::Histogram, random::Id, scheme::Scheme};
use std::time::Duration;
use vocabulary::Amount;

/// More errors than this end a run: something is wrong that more load will not show better.
pub const ERRORS_MAX: u64 = 1000;
/// Memory for the ids of committed transfers ends here, and with it the run.
pub const COMMITTED_MAX: usize = 10_000_000;
const ERROR_TEXTS_MAX: usize = 5;
const ERROR_TEXT_LENGTH_MAX: usize = 300;

/// The result of a run.
pub struct Measurement {
    /// Payments that ended in the measured window.
    pub payments: u64,
    /// How long the window was.
    pub elapsed: Duration,
    /// From the scheduled beginning until the payer heard COMMITTED.
    pub end_to_end: Histogram,
    /// Sum over the six hops of arrival at the receiver minus departure at the sender.
    pub hub_added: Histogram,
    /// Processor time of the hub in the window, if its process is known.
    pub hub_cpu: Option<Duration>,
    /// Processor time of the generator in the window.
    pub generator_cpu: Duration,
    pub errors: Errors,
    /// Messages that came again after they had been answered.
    pub repeated_messages: u64,
    /// Transfers of the whole run, warm-up included, that payers heard to be committed.
    pub committed: u64,
    /// What those transfers did to the position of each DFSP: what it paid minus what it was paid.
    pub positions: Vec<Amount>,
}

/// How many, and the first few.
#[derive(Clone, Default, Debug)]
pub struct Errors {
    pub count: u64,
    pub texts: Vec<String>,
}

/// A transfer that its payer heard to be committed.
#[derive(Clone, Copy)]
pub struct Committed {
    pub transfer: Id,
    pub payer: u8,
}

/// A measured span of the engine's clock, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub struct Window {
    pub from: u64,
    pub to: u64,
}

/// Collects while a run goes on.
pub struct Recorder {
    pub window: Window,
    pub payments: u64,
    pub end_to_end: Histogram,
    pub hub_added: Histogram,
    pub errors: Errors,
    pub repeated_messages: u64,
    pub committed: Vec<Committed>,
    pub positions: Vec<Amount>,
}

impl Errors {
    pub fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.texts.len() < ERROR_TEXTS_MAX {
            let text: String = text().chars().take(ERROR_TEXT_LENGTH_MAX).collect();
            if !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
    }
}

impl Window {
    pub fn contains(self, time: u64) -> bool {
        (self.from..self.to).contains(&time)
    }
}

impl Recorder {
    pub fn new(scheme: Scheme) -> Self {
        Self {
            window: Window::default(),
            payments: 0,
            end_to_end: Histogram::default(),
            hub_added: Histogram::default(),
            errors: Errors::default(),
            repeated_messages: 0,
            committed: Vec::new(),
            positions: vec![Amount::ZERO; usize::from(scheme.dfsps)],
        }
    }

    /// A transfer between two DFSPs, by their numbers.
    pub fn move_positions(&mut self, payer: u8, payee: u8, amount: Amount) {
        let paid = &mut self.positions[usize::from(payer)];
        *paid = paid.checked_add(amount).expect("amounts below ten do not add up to an overflow");
        let received = &mut self.positions[usize::from(payee)];
        *received = received.checked_sub(amount).expect("amounts below ten do not add up to an overflow");
    }

    pub fn is_full(&self) -> bool {
        self.errors.count > ERRORS_MAX || self.committed.len() >= COMMITTED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_all_counted_and_only_the_first_few_different_ones_are_quoted() {
        let mut errors = Errors::default();
        for number in 0..20 {
            errors.add(|| format!("{}{}", "x".repeat(1000), number));
            errors.add(|| format!("error {}", number / 2));
        }
        assert_eq!(errors.count, 40);
        assert_eq!(errors.texts.len(), ERROR_TEXTS_MAX);
        assert!(errors.texts.iter().all(|text| text.len() <= ERROR_TEXT_LENGTH_MAX));
    }
}
