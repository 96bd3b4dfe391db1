//! `umoja admin`: asks a running hub, at its administration port, and tells people what it says; `--json` prints the hub's
//! own answer.

mod ca;
mod certificates;
mod clients;
mod hub;
mod in_doubt;
mod notices;
mod onboard;
mod outbox;
mod report;
mod trace;

use crate::fail;
use ::hub::Config;
use clap::{Args, Subcommand};
use hub::Hub;
use std::process::ExitCode;

/// Arguments of `umoja admin`.
#[derive(Args)]
pub struct AdminArguments {
    /// Administration address of the hub.
    #[arg(long, env = "UMOJA_HUB", value_name = "URL", default_value_t = default_hub(), global = true)]
    hub: String,
    #[command(flatten)]
    tls: hub::TlsArguments,
    /// Print the hub's answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Show the whole conversation of a payment: messages, states, ledger entries, and what still waits.
    Trace {
        /// Id of the transfer, or of its quote.
        id: String,
    },
    /// Messages that wait for a participant or were given up.
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Payments that another scheme decides and has not.
    #[command(subcommand)]
    InDoubt(in_doubt::InDoubtCommand),
    /// Clients of the token endpoint, and their secrets.
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// What operators were told about caps, liquidity and settlement, and whether it arrived.
    Notices(notices::NoticesArguments),
    /// Print a settlement report.
    Report(report::ReportArguments),
    /// Make a DFSP a participant: accounts, limits, addresses, keys and certificate, and the configuration of its adapter.
    Onboard(Box<onboard::OnboardArguments>),
    /// The authority that issues certificates: a directory of this machine, which no hub reads.
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// Certificates of participants, and which of them are not heard any more.
    #[command(subcommand)]
    Certificates(certificates::CertificatesCommand),
    /// Recompute every balance, window and settlement from the ledger's entries, while the hub runs.
    Verify,
}

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

/// Exits 0 if the hub did what it was asked; else says why not and exits 1.
pub async fn run(arguments: AdminArguments) -> ExitCode {
    match answer(arguments).await {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(sentence) => fail(&sentence),
    }
}

/// What is to be printed.
async fn answer(arguments: AdminArguments) -> Result<String, String> {
    let form = if arguments.json { Form::Json } else { Form::Text };
    let hub = Hub::new(&arguments.hub, arguments.tls)?;
    match arguments.command {
        AdminCommand::Trace { id } => trace::run(&hub, &id, form).await,
        AdminCommand::Outbox(command) => outbox::run(&hub, command, form).await,
        AdminCommand::InDoubt(command) => in_doubt::run(&hub, command, form).await,
        AdminCommand::Clients(command) => clients::run(&hub, command, form).await,
        AdminCommand::Notices(notices) => notices::run(&hub, notices, form).await,
        AdminCommand::Report(report) => report::run(&hub, report, form).await,
        AdminCommand::Onboard(arguments) => onboard::run(&hub, *arguments, form).await,
        AdminCommand::Ca(command) => ca::run(&hub, command, form).await,
        AdminCommand::Certificates(command) => certificates::run(&hub, command, form).await,
        AdminCommand::Verify => report::verify(&hub, form).await,
    }
}

fn default_hub() -> String {
    format!("http://{}", Config::default().listeners.administration)
}

/// A value as people read it.
fn text(value: &serde_json::Value) -> String {
    if value.is_null() {
        return "?".to_owned();
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
