//! `cargo run --release -p simulation -- [HISTORIES] [FIRST SEED]`: plays histories and prints those that failed.
//! `cargo run --release -p simulation -- replay SEED`: plays one again and prints all its messages.

use simulation::{Plan, Verdict, run};
use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

#[derive(Default)]
struct Tally {
    histories: u64,
    payments: usize,
    committed: usize,
    failed: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse::<u64>());
    if arguments.first().is_some_and(|word| word == "replay")
        && let Ok(seed) = number(1, 1)
    {
        return replay(seed);
    }
    let (Ok(histories), Ok(first)) = (number(0, 2_000), number(1, 1)) else {
        eprintln!("Give the number of histories and the first seed, as in: simulation 2000 1; or: simulation replay 1");
        return ExitCode::FAILURE;
    };
    let (begun, next, tally) = (Instant::now(), AtomicU64::new(first), Mutex::new(Tally::default()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| play(&next, first.saturating_add(histories), &tally, begun));
        }
    });
    let Tally { histories, payments, committed, failed } =
        tally.into_inner().expect("a tally is kept without panicking");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{histories} histories, {payments} payments, {committed} committed, {failed} failed, {seconds:.1} s");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the next histories until all are played.
fn play(next: &AtomicU64, end: u64, tally: &Mutex<Tally>, begun: Instant) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let verdict = run(Plan::of(seed));
        let mut tally = tally.lock().expect("a tally is kept without panicking");
        tally.histories += 1;
        tally.payments += verdict.payments;
        tally.committed += verdict.committed;
        if !verdict.problems.is_empty() {
            tally.failed += 1;
            show(&verdict);
        }
        if tally.histories.is_multiple_of(500) {
            eprintln!("{} histories, {} failed, {:.0} s", tally.histories, tally.failed, begun.elapsed().as_secs_f64());
        }
    }
}

fn replay(seed: u64) -> ExitCode {
    let plan = Plan::of(seed).shown();
    eprintln!("{plan:#?}");
    let verdict = run(plan);
    println!("{} of {} payments committed", verdict.committed, verdict.payments);
    show(&verdict);
    if verdict.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(verdict: &Verdict) {
    println!("seed {} after {} simulated seconds:", verdict.seed, verdict.seconds);
    verdict.problems.iter().take(12).for_each(|problem| println!("  {problem}"));
}
