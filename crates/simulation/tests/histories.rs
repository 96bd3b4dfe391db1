//! Random histories of networks of hubs: everybody agrees in the end, whatever was lost, late, repeated or crashed.

use simulation::{Plan, run};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// Each is some minutes of simulated time in networks of two to five schemes. `.ci/run` plays two thousand, with optimisation.
const HISTORIES: u64 = 100;

#[test]
fn every_history_ends_with_one_outcome_everywhere() {
    let next = AtomicU64::new(1);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(|| play(&next))).collect();
        players.into_iter().flat_map(|player| player.join().expect("a history does not panic")).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Plays the next histories until all are played; what failed is repeated by its seed.
fn play(next: &AtomicU64) -> Vec<String> {
    let mut failed = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed > HISTORIES {
            return failed;
        }
        let verdict = run(Plan::of(seed));
        if !verdict.problems.is_empty() {
            failed.push(format!("seed {seed}: {}", verdict.problems.join("; ")));
        }
    }
}

#[test]
fn a_history_is_repeated_by_its_seed_to_the_last_message() {
    for seed in [3, 17, 42] {
        assert_eq!(run(Plan::of(seed)), run(Plan::of(seed)), "the verdict, with the digest of all messages");
    }
}

/// What histories have found once.
#[test]
fn histories_that_failed_once() {
    for seed in [27, 48, 62, 98, 112] {
        let verdict = run(Plan::of(seed));
        assert!(verdict.problems.is_empty(), "seed {seed}: {}", verdict.problems.join("; "));
    }
}
