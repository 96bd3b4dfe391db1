//! Payments between the published `@mojaloop/sdk-scheme-adapter` and `umoja adapter` through a hub, with signatures made and
//! verified by everybody: each client as payer and as payee, four courses of a payment for each pair. `cargo xtask interop`
//! starts it with what it needs.
//!
//! Exit code 0 means that every course was as it should be, seen from both cores and from the hub's ledger. Invariant: what
//! it starts ends with it, also when it is interrupted.

#[path = "../../src/demo/admin.rs"]
#[expect(dead_code, reason = "a scheme of DFSPs alone has no routes and no providers")]
mod admin;
mod clients;
#[path = "../../tests/adapter/core.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it is the tests' core, of which not every customer is paid here")]
mod core;
mod courses;
mod foreign;
mod report;
mod scheme;

use clap::Parser;
use clients::Client;
use courses::{Course, Pair};
use report::{Line, Report};
use scheme::Scheme;
use std::{
    io::Read as _,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// Longer than all courses take on a slow machine, so that a run has an end.
const RUN_MAX: Duration = Duration::from_secs(600);

/// What it is told.
#[derive(Parser)]
#[command(about = "Payments between the published scheme adapter and umoja adapter through a hub")]
pub struct Arguments {
    /// The `umoja` binary.
    #[arg(long)]
    umoja: PathBuf,
    /// Directory whose node_modules has the published scheme adapter.
    #[arg(long)]
    sdk: PathBuf,
    /// Where keys, records and logs go; it is there and empty.
    #[arg(long)]
    directory: PathBuf,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// End when standard input ends, which is when whoever has started this has gone.
    #[arg(long)]
    tied: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("the system gives no signals, and the processes could not be ended reliably");
    };
    // Whichever ends first drops the run, and with it the processes, which are killed by their ids.
    let report = tokio::select! {
        report = tokio::time::timeout(RUN_MAX, run(&arguments)) => report,
        _ = interrupt.recv() => return fail("interrupted"),
        _ = terminate.recv() => return fail("ended"),
        _ = orphaned(arguments.tied) => return fail("whoever has started this has gone"),
    };
    match report {
        Ok(Ok(report)) => {
            print!("{}", if arguments.json { report.json() } else { report.table() });
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Err(sentence)) => fail(&sentence),
        Err(_) => fail(&format!("not done within {} s", RUN_MAX.as_secs())),
    }
}

async fn run(arguments: &Arguments) -> Result<Report, String> {
    eprintln!("interop: starting the hub and four clients, logs in {}", arguments.directory.display());
    let begun = Instant::now();
    let scheme = Scheme::start(arguments).await?;
    eprintln!("interop: ready after {:.1?}", begun.elapsed());
    let mut lines = Vec::new();
    for (payer, payee) in PAIRS {
        let pair = Pair { admin: &scheme.admin, payer: scheme.payer(payer), payee: scheme.payee(payee) };
        for course in Course::ALL {
            let begun = Instant::now();
            let outcome = course.run(&pair).await;
            let line = Line { payer, payee, course, outcome, elapsed: begun.elapsed() };
            eprintln!("interop: {line}");
            lines.push(line);
        }
    }
    let undelivered = scheme.undelivered().await?;
    scheme.stop().await?;
    Ok(Report { lines, undelivered })
}

const PAIRS: [(Client, Client); 4] = [
    (Client::Sdk, Client::Sdk),
    (Client::Sdk, Client::Umoja),
    (Client::Umoja, Client::Sdk),
    (Client::Umoja, Client::Umoja),
];

/// Returns when standard input ends, if it is tied to it.
async fn orphaned(is_tied: bool) {
    let (tell, told) = oneshot::channel::<()>();
    if !is_tied {
        return std::future::pending().await;
    }
    // A thread of its own: the end of this process does not wait for it.
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|length| length > 0) {}
        drop(tell);
    });
    // An error is the end of the thread.
    let _ = told.await;
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("interop: {sentence}");
    ExitCode::FAILURE
}
