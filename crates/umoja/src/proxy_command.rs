//! `umoja proxy`: carries messages between two schemes until it is told to stop.

use crate::{fail, logging, proxy_settings::ProxySettings, settings};
use clap::Args;
use proxy::Running;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Arguments of `umoja proxy`.
#[derive(Args)]
pub struct ProxyArguments {
    #[command(flatten)]
    settings: ProxySettings,
    /// TOML file with settings; keys are the flags' names, those of a side in the table [a] or [b].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// When ready, print one line of JSON with the addresses of the listeners.
    #[arg(long)]
    json: bool,
    /// What is logged: error, warn, info, debug, trace, or a filter such as proxy=debug.
    #[arg(long, env = "UMOJA_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

/// Runs the adapter; returns when it has stopped.
pub async fn run(arguments: ProxyArguments) -> ExitCode {
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

async fn serve(arguments: ProxyArguments) -> Result<(), String> {
    let file = match &arguments.config {
        Some(path) => settings::read(path)?,
        None => ProxySettings::default(),
    };
    logging::start(&arguments.log)?;
    let config = arguments.settings.over(file).to_config()?;
    let hear = |kind| signal(kind).map_err(|error| format!("The system gives no signals: {error}."));
    let stops = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    let hang_up = hear(SignalKind::hangup())?;
    let running = proxy::start(config).await.map_err(|error| error.to_string())?;
    announce(running.addresses(), arguments.json);
    until_told(&running, stops, hang_up).await;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// Returns with the first signal to stop; reads the keys again for each hang-up.
async fn until_told(running: &Running, (mut interrupt, mut terminate): (Signal, Signal), mut hang_up: Signal) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => return,
            _ = terminate.recv() => return,
            _ = hang_up.recv() => running.reload().await,
        }
    }
}

fn announce([a, b]: [SocketAddr; 2], as_json: bool) {
    if as_json {
        println!("{}", serde_json::json!({"a": a, "b": b}));
        return;
    }
    println!("umoja proxy is ready.");
    println!("  side A, to be registered in hub B   {a}");
    println!("  side B, to be registered in hub A   {b}");
    println!("Stop it with Ctrl-C.");
}
