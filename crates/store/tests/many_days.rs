//! Ten thousand random histories: see `contract/days.rs`. They run on the memory store, which is SQLite without a file; the
//! contract suite runs some of them on every store.
#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]

#[path = "contract/days.rs"]
mod days;
#[path = "contract/founding.rs"]
mod founding;
#[path = "contract/scheme.rs"]
#[allow(dead_code, reason = "the contract suite uses all of it")]
mod scheme;
#[path = "contract/settling.rs"]
mod settling;

use days::{Days, Seen};
use std::thread;

const HISTORIES: u64 = 10_000;
/// Histories of one store, after which its books are verified.
const OF_ONE_STORE: u64 = 100;
const STEPS: u64 = 10;

type Count = fn(&Seen) -> u64;

#[test]
fn whatever_happened_everything_can_be_settled_and_the_books_are_right() {
    let threads = thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let seen: Vec<Seen> = thread::scope(|scope| {
        let start = |first| scope.spawn(move || of_thread(first, threads));
        let running: Vec<_> = (0..threads).map(start).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let counts: [(&str, Count); 13] = [
        ("payments", |seen| seen.payments),
        ("conversions for payers", |seen| seen.converted),
        ("conversions for payees", |seen| seen.converted_by_payees),
        ("payments to or from other schemes", |seen| seen.through_proxies),
        ("payments within one proxy", |seen| seen.within_one_proxy),
        ("gross settlements", |seen| seen.settled_gross),
        ("interchange fees", |seen| seen.fees),
        ("movements of funds", |seen| seen.funds),
        ("windows closed during the day", |seen| seen.windows),
        ("settlements", |seen| seen.created),
        ("accounts that advanced", |seen| seen.accounts_advanced),
        ("accounts that were refused", |seen| seen.accounts_refused),
        ("aborted settlements", |seen| seen.aborted),
    ];
    for (what, count) in counts {
        let sum: u64 = seen.iter().map(count).sum();
        println!("{what}: {sum}");
        assert!(sum > HISTORIES / 20, "histories worth their name have more than {sum} {what}");
    }
}

/// Every so many stores.
fn of_thread(first: u64, threads: u64) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let seeds = (first..HISTORIES / OF_ONE_STORE).step_by(threads as usize);
    seeds.map(|seed| runtime.block_on(histories(seed))).collect()
}

async fn histories(seed: u64) -> Seen {
    let store = store::open("memory", &scheme::fsp(scheme::HUB)).await.unwrap();
    let mut days = Days::new(&*store, seed).await;
    for _ in 0..OF_ONE_STORE {
        days.day(STEPS).await;
    }
    let seen = days.seen;
    drop(days);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "seed {seed}");
    seen
}
