//! The test of the test: bugs that are planted in the hub's rules are found by the histories.
//!
//! Invariant: what is planted is planted in the whole process, so that everything here is one test.

use hub_core::planted::{Bug, plant};
use simulation::{Plan, Verdict, run};

/// Histories until each bug is found.
const HISTORIES: u64 = 40;

#[test]
fn each_planted_bug_is_caught_by_histories_that_are_clean_without_it() {
    for bug in [Bug::ExpireForwarded, Bug::PostWithinOneProxy, Bug::LearnFromQuestion] {
        plant(Some(bug));
        let caught = (1..=HISTORIES).map(|seed| run(Plan::of(seed))).find(|verdict| !verdict.problems.is_empty());
        plant(None);
        let Some(Verdict { seed, .. }) = caught else { panic!("{bug:?} is not caught by {HISTORIES} histories") };
        let clean = run(Plan::of(seed));
        assert!(clean.problems.is_empty(), "seed {seed} without {bug:?}: {}", clean.problems.join("; "));
    }
}
