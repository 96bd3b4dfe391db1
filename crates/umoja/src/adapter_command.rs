//! `umoja adapter`: the client that a DFSP hosts, until it is told to stop; and the making of its keys.

use crate::{
    adapter_settings::{AdapterSettings, unused},
    environment_file, fail, logging, own_keys,
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `umoja adapter`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AdapterArguments {
    #[command(subcommand)]
    command: Option<AdapterCommand>,
    #[command(flatten)]
    settings: AdapterSettings,
    /// File of variables, NAME=VALUE on each line, as `umoja admin onboard` writes one. A variable that is set wins.
    #[arg(long, env = "UMOJA_ADAPTER_ENV_FILE", value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// When ready, print one line of JSON with the addresses of the listeners.
    #[arg(long)]
    json: bool,
    /// What is logged: error, warn, info, debug, trace, or a filter such as adapter=debug.
    #[arg(long, env = "UMOJA_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

#[derive(Subcommand)]
enum AdapterCommand {
    /// Make the DFSP's private keys, and what the hub's operator needs to know of them.
    Keys(own_keys::KeysArguments),
}

/// Runs the adapter; returns when it has stopped.
pub async fn run(arguments: AdapterArguments) -> ExitCode {
    let done = match &arguments.command {
        Some(AdapterCommand::Keys(keys)) => own_keys::make(keys).map(|sentence| println!("{sentence}")),
        None => serve(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

async fn serve(arguments: AdapterArguments) -> Result<(), String> {
    if let Some(file) = &arguments.env_file {
        environment_file::enter(file)?;
    }
    let settings = arguments.settings.to_settings(|name| std::env::var(name).ok())?;
    logging::start(&arguments.log)?;
    for sentence in unused(|name| std::env::var(name).ok()) {
        tracing::warn!("{sentence}");
    }
    let hear = |kind| signal(kind).map_err(|error| format!("The system gives no signals: {error}."));
    let (mut interrupt, mut terminate) = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    let running = adapter::start(settings).await.map_err(|error| error.to_string())?;
    let (inbound, outbound) = (running.inbound(), running.outbound());
    if arguments.json {
        let addresses = serde_json::json!({
            "inbound": inbound, "outbound": outbound, "metrics": running.metrics(), "testApi": running.test_api(),
        });
        println!("{addresses}");
    } else {
        println!("umoja adapter is ready.");
        println!("  inbound, to be registered at the hub   {inbound}");
        println!("  outbound, for the DFSP's core          {outbound}");
        if let Some(metrics) = running.metrics() {
            println!("  metrics                                {metrics}");
        }
        if let Some(test_api) = running.test_api() {
            println!("  test API, which shows personal data    {test_api}");
        }
        println!("Stop it with Ctrl-C.");
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
