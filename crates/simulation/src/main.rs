//! `cargo run --release -p simulation -- [HISTORIES] [FIRST SEED]`: plays histories and prints those that failed.

use simulation::{Plan, run};
use std::{process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(histories), Ok(first)) = (numbers.next().unwrap_or(Ok(2_000)), numbers.next().unwrap_or(Ok(1))) else {
        eprintln!("Give the number of histories and the first seed, as in: simulation 2000 1");
        return ExitCode::FAILURE;
    };
    let begun = Instant::now();
    let (mut payments, mut committed, mut failed) = (0, 0, 0_u64);
    for seed in first..first.saturating_add(histories) {
        let verdict = run(Plan::of(seed));
        payments += verdict.payments;
        committed += verdict.committed;
        if !verdict.problems.is_empty() {
            failed += 1;
            println!("seed {seed} after {} simulated seconds:", verdict.seconds);
            verdict.problems.iter().take(12).for_each(|problem| println!("  {problem}"));
        }
        if (seed - first + 1) % 500 == 0 {
            eprintln!("{} histories, {failed} failed, {:.0} s", seed - first + 1, begun.elapsed().as_secs_f64());
        }
    }
    println!(
        "{histories} histories, {payments} payments, {committed} committed, {failed} failed, {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
