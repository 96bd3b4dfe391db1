//! `umoja bench`: how much a hub carries on this machine, how fast, and at what cost.
//!
//! The hub is a process of its own on a fresh database; payers and payees are in this process, on real sockets. What is
//! printed was observed from outside: messages at the DFSPs, processor time and memory of the hub's process, and the
//! commits and syncs that the hub counts.
//!
//! Invariant: numbers are printed together with what casts doubt on them. Exit code 0 means no error at all, durable
//! commits, and a ledger that says what the payers heard.

mod day;
mod report;
mod schemes;
mod secure;
mod session;

pub use report::{decimal, milliseconds, number, rate};

use crate::fail;
use clap::{ArgGroup, Args};
use harness::{
    load::{IN_FLIGHT_MAX, Options, Pace},
    random::Random,
    scheme::{DFSPS_MAX, PARTIES_MAX, Reach, Scheme},
};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a run that the person ended, as shells have it for SIGINT.
const INTERRUPTED: u8 = 130;
const CONCURRENCY_DEFAULT: u32 = 64;
/// An hour.
const SECONDS_MAX: i64 = 3600;
/// As many as the generator remembers.
const DAY_MAX: u32 = 5_000_000;

/// Arguments of `umoja bench`.
#[derive(Args)]
#[command(group(ArgGroup::new("pace").multiple(false)))]
pub struct BenchArguments {
    /// Begin so many payments each second, whether the hub keeps up or not.
    #[arg(long, value_name = "PER-SECOND", group = "pace", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Keep so many payments under way, as fast as it goes [default: 64].
    #[arg(long, value_name = "COUNT", group = "pace", value_parser = clap::value_parser!(u32).range(1..=i64::from(IN_FLIGHT_MAX)))]
    concurrency: Option<u32>,
    /// Seconds before the measured time.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=SECONDS_MAX))]
    warm_up: u32,
    /// Seconds that are measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=SECONDS_MAX))]
    seconds: u32,
    /// DFSPs of the scheme; the first is used most (Zipf).
    #[arg(long, value_name = "COUNT", default_value_t = 12, value_parser = clap::value_parser!(u8).range(2..=i64::from(DFSPS_MAX)))]
    dfsps: u8,
    /// Customers of each DFSP; the first is used most (Zipf).
    #[arg(long, value_name = "COUNT", default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=i64::from(PARTIES_MAX)))]
    parties: u32,
    /// Make the fresh data directory inside this one; it is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = ".")]
    data: PathBuf,
    /// Let the hub use this store instead: memory, sqlite:PATH or postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "ADDRESS")]
    hub_store: Option<String>,
    /// Settings of the hub, as for umoja hub --config; its listeners and its store stay the benchmark's.
    #[arg(long, value_name = "FILE")]
    hub_config: Option<PathBuf>,
    /// Whether the hub signs what it makes, two messages of each payment: one run without, one with, or both in turn.
    #[arg(long, value_enum, default_value = "both")]
    sign: Sign,
    /// Close and settle the open window so often while payments go on, and compare with a run without
    /// (not with --hub-store, which is one store for all runs) [signing: off].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=SECONDS_MAX), conflicts_with = "day")]
    close_every: Option<u32>,
    /// Store so many payments in one window, then close, settle, report and verify it, and time each [signing: off].
    #[arg(long, value_name = "PAYMENTS", value_parser = clap::value_parser!(u32).range(1..=i64::from(DAY_MAX)), conflicts_with = "seconds")]
    day: Option<u32>,
    /// Hub processes on one PostgreSQL; messages go to whichever has a free connection.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    nodes: u8,
    /// Two schemes with a proxy between them: payments within a scheme, then payments to the other one.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(2..=2),
        conflicts_with_all = ["hub_store", "hub_config", "sign", "close_every", "day", "nodes"])]
    schemes: Option<u8>,
    /// Secure all links, one step after the other: nothing, mutual TLS, signatures of the DFSPs verified, messages of the
    /// hub signed with ES256, and with RS256; and compare.
    #[arg(long, conflicts_with_all = ["hub_store", "sign", "close_every", "day", "nodes", "schemes"])]
    secure: bool,
    /// Draw DFSPs, parties and ids from this seed.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What is measured of signing.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sign {
    Off,
    On,
    Both,
}

/// What one session is to show.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Run {
    signs: bool,
    closes: Option<Duration>,
    step: secure::Step,
}

/// Runs the benchmark. Prints its report to standard output, and what it is doing to standard error.
pub async fn run(arguments: BenchArguments) -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("The system gives no signals; the hub could not be ended reliably.");
    };
    // Whichever ends first drops the other: with the session its hub, which is killed by its process id.
    let outcome = tokio::select! {
        outcome = print_of(&arguments) => outcome,
        _ = interrupt.recv() => return ExitCode::from(INTERRUPTED),
        _ = terminate.recv() => return ExitCode::from(INTERRUPTED),
    };
    match outcome {
        Ok((text, is_clean)) => {
            print!("{text}");
            if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(sentence) => fail(&sentence),
    }
}

/// What is to be printed, and whether nothing casts doubt on it.
async fn print_of(arguments: &BenchArguments) -> Result<(String, bool), String> {
    if arguments.schemes.is_some() {
        let report = schemes::run(arguments, arguments.seed.unwrap_or_else(Random::fresh_seed)).await?;
        return Ok((if arguments.json { report.json() } else { report.table() }, report.is_clean()));
    }
    if arguments.secure {
        let steps = secure::run(arguments, arguments.seed.unwrap_or_else(Random::fresh_seed)).await?;
        let text = if arguments.json { secure::json(&steps) } else { secure::tables(&steps) };
        return Ok((text, steps.iter().all(report::Report::is_clean)));
    }
    let reports = measure(arguments).await?;
    let text = if arguments.json { report::json(&reports) } else { report::tables(&reports) };
    Ok((text, reports.iter().all(report::Report::is_clean)))
}

/// One session after the other, each with a fresh hub and the same payments.
async fn measure(arguments: &BenchArguments) -> Result<Vec<report::Report>, String> {
    let seed = arguments.seed.unwrap_or_else(Random::fresh_seed);
    if arguments.nodes > 1 && !arguments.hub_store.as_ref().is_some_and(|address| address.starts_with("postgres")) {
        return Err("Several nodes share one PostgreSQL: give --hub-store postgres://USER@HOST/DATABASE.".to_owned());
    }
    let mut reports = Vec::new();
    for run in arguments.runs() {
        reports.push(session::run(arguments, seed, run, None).await?);
    }
    Ok(reports)
}

impl BenchArguments {
    fn scheme(&self) -> Scheme {
        Scheme::try_new(self.dfsps, self.parties).expect("the arguments were checked against the same limits")
    }

    fn runs(&self) -> Vec<Run> {
        let run = |signs, closes| Run { signs, closes, step: secure::Step::Plain };
        if let Some(seconds) = self.close_every {
            let closing = run(false, Some(Duration::from_secs(u64::from(seconds))));
            // A store that is not fresh has payments of the run before in its open window.
            return if self.hub_store.is_some() { vec![closing] } else { vec![run(false, None), closing] };
        }
        match self.sign {
            _ if self.day.is_some() => vec![run(false, None)],
            Sign::Off => vec![run(false, None)],
            Sign::On => vec![run(true, None)],
            Sign::Both => vec![run(false, None), run(true, None)],
        }
    }

    fn pace(&self) -> Pace {
        match (self.rate, self.concurrency) {
            (Some(payments_per_second), _) => Pace::Open { payments_per_second },
            (None, concurrency) => Pace::Closed { concurrency: concurrency.unwrap_or(CONCURRENCY_DEFAULT) },
        }
    }

    fn load(&self, hub_pids: Vec<u32>) -> Options {
        Options {
            pace: self.pace(),
            warm_up: Duration::from_secs(u64::from(self.warm_up)),
            measured: Duration::from_secs(u64::from(self.seconds)),
            reach: Reach::Anyone,
            hub_pids,
        }
    }
}
