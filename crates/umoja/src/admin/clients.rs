//! `umoja admin clients`: who may ask the hub's token endpoint, and their secrets.

use super::{Form, hub::Hub};
use clap::Subcommand;
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Subcommand)]
pub enum ClientsCommand {
    /// List clients and when their secrets were made.
    List,
    /// Make a participant a client; prints its secret, which is not shown again.
    Create {
        #[arg(value_name = "FSP-ID")]
        participant: String,
    },
    /// Give a client another secret; prints it. The one before is taken for a while still.
    Rotate {
        #[arg(value_name = "FSP-ID")]
        participant: String,
        /// Seconds for which the secret before is taken; 0 ends it, and any older one, at once.
        #[arg(long, default_value_t = 86_400, value_name = "S")]
        overlap_s: u32,
    },
    /// End all secrets and tokens of a client.
    Revoke {
        #[arg(value_name = "FSP-ID")]
        participant: String,
    },
}

/// What is to be printed.
pub async fn run(hub: &Hub, command: ClientsCommand, form: Form) -> Result<String, String> {
    let (answer, text) = match command {
        ClientsCommand::List => {
            let answer = hub.get("/umoja/v1/clients").await?;
            let text = list(&answer);
            (answer, text)
        }
        ClientsCommand::Create { participant } => {
            let answer = hub.post_json("/umoja/v1/clients", &json!({"participant": participant})).await?;
            let text = made(&answer);
            (answer, text)
        }
        ClientsCommand::Rotate { participant, overlap_s } => {
            let path = format!("/umoja/v1/clients/{}/rotate", fspiop::percent_encode(&participant));
            let answer = hub.post_json(&path, &json!({"overlapSeconds": overlap_s})).await?;
            let text = made(&answer);
            (answer, text)
        }
        ClientsCommand::Revoke { participant } => {
            hub.delete(&format!("/umoja/v1/clients/{}", fspiop::percent_encode(&participant))).await?;
            let text = format!("The client {participant} is revoked: its secrets and tokens are worth nothing.");
            (json!({"clientId": participant, "revoked": true}), text)
        }
    };
    Ok(match form {
        Form::Json => answer.to_string(),
        Form::Text => text,
    })
}

fn list(answer: &Value) -> String {
    let clients = answer["clients"].as_array().map(Vec::as_slice).unwrap_or_default();
    if clients.is_empty() {
        return "There is no client.".to_owned();
    }
    let mut text = String::new();
    for client in clients {
        let name = super::text(&client["clientId"]);
        let secrets = client["secrets"].as_array().map(Vec::as_slice).unwrap_or_default();
        if secrets.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<30}  revoked");
        }
        for secret in secrets {
            let made_at = super::text(&secret["createdAt"]);
            let end = secret["endsAt"].as_str().map(|end| format!(", taken until {end}")).unwrap_or_default();
            let _ = writeln!(text, "{name:<30}  secret of {made_at}{end}");
        }
    }
    text
}

fn made(answer: &Value) -> String {
    let [id, secret] = ["clientId", "clientSecret"].map(|key| super::text(&answer[key]));
    let previous = answer["previousEndsAt"].as_str();
    let previous = previous.map(|end| format!("\nThe secret before is taken until {end}.")).unwrap_or_default();
    format!("client id      {id}\nclient secret  {secret}\nKeep the secret now: it is not shown again.{previous}")
}
