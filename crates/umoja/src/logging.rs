//! Logs: to standard error, so that standard output stays for what a script reads.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging with a filter such as `info` or `hub=debug`.
pub fn start(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("The log filter '{filter}' is wrong: {error}."))?;
    // A second subscriber is refused, which happens where one process runs several commands; the first one stays.
    let is_terminal = std::io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .with_target(true)
        .try_init();
    Ok(())
}
