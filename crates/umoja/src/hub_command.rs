//! `umoja hub`: runs a hub until it is told to stop.

use crate::{fail, logging, settings::Settings};
use clap::{Args, CommandFactory, Parser};
use hub::Listeners;
use std::{path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `umoja hub`.
#[derive(Args)]
pub struct HubArguments {
    #[command(flatten)]
    settings: Settings,
    /// TOML file with settings; keys are the flags' names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print every setting with its meaning and what is in force, as a configuration file, and stop.
    #[arg(long)]
    print_config: bool,
    /// When ready, print one line of JSON with the addresses of the listeners.
    #[arg(long)]
    json: bool,
    /// What is logged: error, warn, info, debug, trace, or a filter such as hub=debug.
    #[arg(long, env = "UMOJA_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

/// Only to ask for the definitions of the flags.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    _settings: Settings,
}

/// Runs the hub; returns when it has stopped.
pub async fn run(arguments: HubArguments) -> ExitCode {
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

async fn serve(arguments: HubArguments) -> Result<(), String> {
    let file = match &arguments.config {
        Some(path) => crate::settings::read(path)?,
        None => Settings::default(),
    };
    let settings = arguments.settings.over(file);
    if arguments.print_config {
        // Printing must not make directories.
        let shown = Settings { data: None, store: Some(String::new()), ..settings.clone() };
        print!("{}", crate::settings::explain(&Flags::command(), &settings, &shown.to_config()?));
        return Ok(());
    }
    logging::start(&arguments.log)?;
    let config = settings.to_config()?;
    let scheme = |has_tls| if has_tls { "https" } else { "http" };
    let schemes = (scheme(config.tls.fspiop.is_some()), scheme(config.tls.administration.is_some()));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let running = hub::start(config, portal::router).await.map_err(|error| error.to_string())?;
    announce(running.addresses(), schemes, arguments.json);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// The schemes are those of participants and of operators.
fn announce(listeners: &Listeners, (fspiop, operators): (&str, &str), as_json: bool) {
    if as_json {
        let line = serde_json::json!({
            "fspiop": listeners.fspiop,
            "administration": listeners.administration,
            "settlement": listeners.settlement,
            "oracles": listeners.oracles,
            "portal": listeners.portal,
        });
        println!("{line}");
        return;
    }
    println!("umoja hub is ready.");
    println!("  FSPIOP           {fspiop}://{}", listeners.fspiop);
    println!("  administration   {operators}://{}", listeners.administration);
    println!("  settlement       {operators}://{}/v2", listeners.settlement);
    println!("  oracles          {operators}://{}", listeners.oracles);
    println!("  portal           {operators}://{}", listeners.portal);
    println!("Stop it with Ctrl-C.");
}
