//! `umoja admin in-doubt`: payments that another scheme decides and has not.

use super::{Form, hub::Hub, text};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Subcommand)]
pub enum InDoubtCommand {
    /// List payments whose expiration has passed without the other scheme's word, oldest first.
    List,
    /// End one, after the other scheme's operator has said how it ended there.
    Resolve {
        #[arg(value_enum)]
        resource: Resource,
        id: String,
        /// How it ended there.
        #[arg(long, value_enum)]
        outcome: Outcome,
        /// Who said so, and how; stays with the payment.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Resource {
    Transfer,
    FxTransfer,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    Committed,
    Aborted,
}

/// What is to be printed.
pub async fn run(hub: &Hub, command: InDoubtCommand, form: Form) -> Result<String, String> {
    let (answer, printed) = match command {
        InDoubtCommand::List => {
            let all = hub.get("/umoja/v1/in-doubt").await?;
            let printed = list(&all);
            (all, printed)
        }
        InDoubtCommand::Resolve { resource, id, outcome, reason } => {
            let resource = match resource {
                Resource::Transfer => "transfers",
                Resource::FxTransfer => "fxTransfers",
            };
            let outcome = match outcome {
                Outcome::Committed => "COMMITTED",
                Outcome::Aborted => "ABORTED",
            };
            let path = format!("/umoja/v1/in-doubt/{resource}/{}", fspiop::percent_encode(&id));
            let ended = hub.post_json(&path, &json!({"outcome": outcome, "reason": reason})).await?;
            let printed = format!("{} is {}.", text(&ended["id"]), text(&ended["state"]));
            (ended, printed)
        }
    };
    Ok(match form {
        Form::Json => answer.to_string(),
        Form::Text => printed,
    })
}

fn list(all: &Value) -> String {
    let payments = all.as_array().map(Vec::as_slice).unwrap_or_default();
    if payments.is_empty() {
        return "No payment is in doubt.".to_owned();
    }
    let mut lines = String::new();
    for payment in payments {
        let value = |name: &str| text(&payment[name]);
        // Writing to a string does not fail.
        let _ = writeln!(
            lines,
            "{} {}  {} {} from {} to {}, {} since {}",
            value("resource"),
            value("id"),
            value("amount"),
            value("currency"),
            value("payer"),
            value("payee"),
            value("state"),
            value("expiration"),
        );
    }
    lines
}
