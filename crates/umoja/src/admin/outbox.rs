//! `umoja admin outbox`: what waits, what was given up, and what to do about it.

use super::{Form, hub::Hub};
use clap::{Subcommand, ValueEnum};
use serde_json::Value;
use std::fmt::Write as _;

#[derive(Subcommand)]
pub enum OutboxCommand {
    /// List messages, oldest first.
    List {
        #[arg(long, value_enum, default_value = "dead")]
        state: State,
        /// Only those to this participant.
        #[arg(long, value_name = "FSP-ID")]
        to: Option<String>,
        /// Most messages to list.
        #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Begin after this message.
        #[arg(long, default_value_t = 0, value_name = "ID")]
        after: u64,
    },
    /// Send a dead message again.
    Replay { id: u64 },
    /// Remove a message for good.
    Drop { id: u64 },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Still tried.
    Waiting,
    /// Given up.
    Dead,
}

/// What is to be printed.
pub async fn run(hub: &Hub, command: OutboxCommand, form: Form) -> Result<String, String> {
    let (answer, text) = match command {
        OutboxCommand::List { state, to, limit, after } => {
            let state = match state {
                State::Waiting => "waiting",
                State::Dead => "dead",
            };
            let to = to.map(|to| format!("&to={}", fspiop::percent_encode(&to))).unwrap_or_default();
            let page = hub.get(&format!("/umoja/v1/outbox?state={state}&limit={limit}&after={after}{to}")).await?;
            let text = list(&page, state);
            (page, text)
        }
        OutboxCommand::Replay { id } => {
            let message = hub.post(&format!("/umoja/v1/outbox/{id}/replay")).await?;
            let text = format!("Message {id} is being sent again until {}.", super::text(&message["until"]));
            (message, text)
        }
        OutboxCommand::Drop { id } => {
            hub.delete(&format!("/umoja/v1/outbox/{id}")).await?;
            (serde_json::json!({"id": id, "dropped": true}), format!("Message {id} is dropped."))
        }
    };
    Ok(match form {
        Form::Json => answer.to_string(),
        Form::Text => text,
    })
}

fn list(page: &Value, state: &str) -> String {
    let messages = page["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        return format!("No message is {state}.");
    }
    let mut text = format!("{:>10}  {:<20}  {:>8}  message\n", "id", "to", "attempts");
    for message in messages {
        text.push_str(&line(message));
    }
    if let Some(next) = page["next"].as_i64() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "There may be more: --after {next}");
    }
    text
}

/// A message as a line, with what went wrong last in a second one.
pub fn line(message: &Value) -> String {
    let [id, to, attempts, method, path] =
        ["id", "to", "attempts", "method", "path"].map(|key| super::text(&message[key]));
    let mut text = format!("{id:>10}  {to:<20}  {attempts:>8}  {method} {path}\n");
    if let Some(error) = message["lastError"].as_str() {
        let _ = writeln!(text, "{:>44}{error}", "");
    }
    text
}
