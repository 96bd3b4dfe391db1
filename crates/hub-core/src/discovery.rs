//! Asking other schemes who serves a party (contract, interscheme §1.4 step 5, §1.5).
//!
//! Invariant: a proxy is asked once in a discovery, and its first answer counts; a loop ends because a source has one
//! discovery of a party at a time.

use alloc::collections::BTreeSet;
use vocabulary::FspId;

/// Answers that are awaited.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Discovery {
    pub pending: BTreeSet<FspId>,
    pub has_success: bool,
}

/// What an answer from a proxy is to a discovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// The proxy is not, or no longer, asked: its message is none of the discovery's.
    NotPending,
    Success,
    /// An error while others may still succeed, or have.
    OneFailure,
    /// The last error, and nobody has succeeded.
    LastFailure,
}

impl Discovery {
    pub fn of(proxies: impl IntoIterator<Item = FspId>) -> Self {
        Self { pending: proxies.into_iter().collect(), has_success: false }
    }

    /// Takes the answer of a proxy.
    pub fn answer(&mut self, proxy: &FspId, is_success: bool) -> Answered {
        if !self.pending.remove(proxy) {
            return Answered::NotPending;
        }
        self.has_success |= is_success;
        match (is_success, self.has_success, self.is_over()) {
            (true, _, _) => Answered::Success,
            (false, false, true) => Answered::LastFailure,
            (false, _, _) => Answered::OneFailure,
        }
    }

    /// Takes a failure of one that is asked, where it is not known of which.
    pub fn fail_one(&mut self) -> Answered {
        match self.pending.first().cloned() {
            Some(proxy) => self.answer(&proxy, false),
            None => Answered::NotPending,
        }
    }

    /// Whether nobody is left to answer.
    pub fn is_over(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fsp(name: &str) -> FspId {
        name.parse().unwrap()
    }

    #[test]
    fn only_the_last_failure_without_a_success_is_passed_on() {
        let mut discovery = Discovery::of([fsp("p"), fsp("q"), fsp("r"), fsp("p")]);
        assert_eq!(discovery.answer(&fsp("p"), false), Answered::OneFailure);
        assert_eq!(discovery.answer(&fsp("p"), true), Answered::NotPending, "the first answer counts");
        assert_eq!(discovery.answer(&fsp("x"), true), Answered::NotPending, "it was not asked");
        assert_eq!(discovery.answer(&fsp("q"), false), Answered::OneFailure);
        assert!(!discovery.is_over());
        assert_eq!(discovery.answer(&fsp("r"), false), Answered::LastFailure);
        assert!(discovery.is_over());
    }

    #[test]
    fn a_failure_of_whomever_counts_as_one() {
        let mut discovery = Discovery::of([fsp("p"), fsp("q")]);
        assert_eq!(discovery.fail_one(), Answered::OneFailure);
        assert_eq!(discovery.fail_one(), Answered::LastFailure);
        assert_eq!(discovery.fail_one(), Answered::NotPending);
    }

    #[test]
    fn every_success_is_one_and_a_failure_after_it_is_kept_quiet() {
        let mut discovery = Discovery::of([fsp("p"), fsp("q"), fsp("r")]);
        assert_eq!(discovery.answer(&fsp("p"), true), Answered::Success);
        assert_eq!(discovery.answer(&fsp("q"), true), Answered::Success);
        assert_eq!(discovery.answer(&fsp("r"), false), Answered::OneFailure);
        assert!(discovery.is_over());
    }
}
