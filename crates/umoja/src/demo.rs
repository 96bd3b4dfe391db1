//! `umoja demo`: a scheme in one process, to look at or to try out by script.
//!
//! A hub, three example DFSPs with their customers and a foreign exchange provider talk to each other over HTTP on the
//! local machine, exactly as they would across a country; with `--schemes`, several hubs do, as across a continent. Without
//! `--data` everything lives in memory.

mod admin;
mod cast;
mod report;
mod schemes;
mod script;
mod world;

use crate::{fail, logging};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use world::{Ports, World};

/// Arguments of `umoja demo`.
#[derive(Args)]
pub struct DemoOptions {
    /// Keep hub and DFSPs in this directory; a later demo with it finds everything again.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many schemes there are, with proxies between them.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    schemes: u8,
    /// Run the scripted payments on free ports and stop; exit 0 only if all sides agree on all of them.
    #[arg(long)]
    once: bool,
    /// With --once: print one JSON object per payment, and one for the whole.
    #[arg(long, requires = "once")]
    json: bool,
    /// Use any free ports instead of the usual ones.
    #[arg(long)]
    free_ports: bool,
    /// How long a payee may take to answer before the money goes back; with --once it is 2, or 4 between schemes.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    expire_after: u64,
    /// What is logged: error, warn, info, debug, trace, or a filter such as hub=debug.
    #[arg(long, env = "UMOJA_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// Runs the demo until Ctrl-C, or the script to its end.
pub async fn run(options: DemoOptions) -> ExitCode {
    if let Err(sentence) = logging::start(&options.log) {
        return fail(&sentence);
    }
    let ports = if options.once || options.free_ports { Ports::Free } else { Ports::Usual };
    let result = if options.schemes == 1 {
        run_one(&options, ports).await
    } else {
        let mode = if options.once { schemes::Mode::Script { as_json: options.json } } else { schemes::Mode::Open };
        let lifetime = Duration::from_secs(options.expire_after);
        schemes::run(schemes::Order { count: options.schemes, data: options.data, ports, lifetime }, mode).await
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => fail(&sentence),
    }
}

/// The demo of one scheme. True if all was as it must be.
async fn run_one(options: &DemoOptions, ports: Ports) -> Result<bool, String> {
    let started = Instant::now();
    let lifetime = if options.once { script::TRANSFER_LIFETIME } else { Duration::from_secs(options.expire_after) };
    let world = World::start(options.data.clone(), ports, lifetime).await?;
    let result = if options.once {
        script::play(&world, options.json).await
    } else {
        say(&report::welcome(&world, started.elapsed(), options.data.as_deref()));
        stop_signal().await.map(|()| true)
    };
    world.stop().await;
    result
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.map_err(|error| error.to_string())?,
        _ = terminate.recv() => {}
    }
    say("\nStopping.");
    Ok(())
}

/// Prints a line. Whoever reads may have gone (`umoja demo | head`), which is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
