//! `umoja admin certificates`: what was issued to participants, and taking it back.

use super::{Form, hub::Hub, text};
use clap::Subcommand;
use serde_json::{Value, json};
use std::{fmt::Write as _, path::PathBuf};
use tls::{authority::Wanted, files};

#[derive(Subcommand)]
pub enum CertificatesCommand {
    /// List certificates, newest first.
    List {
        /// Only those of this participant.
        #[arg(long, value_name = "FSP-ID")]
        participant: Option<String>,
        /// Most certificates to list.
        #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Those older than the last page.
        #[arg(long, value_name = "ID")]
        after: Option<u64>,
    },
    /// Record a certificate that another authority has issued to a participant, so that it can be revoked.
    Record {
        participant: String,
        /// The certificate (PEM).
        file: PathBuf,
    },
    /// Stop hearing who shows a certificate, on connections that are open too. It cannot be undone.
    Revoke {
        /// Its fingerprint, as the list has it.
        fingerprint: String,
        /// Why, for the records.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// What is to be printed.
pub async fn run(hub: &Hub, command: CertificatesCommand, form: Form) -> Result<String, String> {
    let (answer, printed) = match command {
        CertificatesCommand::List { participant, limit, after } => {
            let of = participant.map(|name| format!("&participant={}", fspiop::percent_encode(&name)));
            let after = after.map(|after| format!("&after={after}"));
            let filters = format!("{}{}", of.unwrap_or_default(), after.unwrap_or_default());
            let page = hub.get(&format!("/umoja/v1/certificates?limit={limit}{filters}")).await?;
            let printed = list(&page);
            (page, printed)
        }
        CertificatesCommand::Record { participant, file } => {
            let row = record(hub, &participant, &files::read(&file)?).await?;
            let printed = format!("The certificate {} of {participant} is recorded.", text(&row["fingerprint"]));
            (row, printed)
        }
        CertificatesCommand::Revoke { fingerprint, reason } => {
            let path = format!("/umoja/v1/certificates/{}/revoke", fspiop::percent_encode(&fingerprint));
            let body = reason.map_or_else(|| json!({}), |reason| json!({"reason": reason}));
            let row = hub.post_json(&path, &body).await?;
            let [participant, at] = [&row["participant"], &row["revocation"]["at"]].map(text);
            let printed =
                format!("The certificate of {participant} is revoked since {at}; every node knows within seconds.");
            (row, printed)
        }
    };
    Ok(match form {
        Form::Json => answer.to_string(),
        Form::Text => printed,
    })
}

/// Records a certificate as a participant's. One that was revoked is an error.
pub async fn record(hub: &Hub, participant: &str, pem: &str) -> Result<Value, String> {
    let row = hub.post_json("/umoja/v1/certificates", &json!({"participant": participant, "certificate": pem})).await?;
    if !row["revocation"].is_null() {
        return Err(format!(
            "The certificate of {participant} for this key was revoked ({}). Let the owner make a new key and ask again.",
            text(&row["revocation"]["reason"])
        ));
    }
    Ok(row)
}

/// A certificate speaks for every name in it, so that no host may have the name of another participant.
pub async fn check_hosts(hub: &Hub, wanted: &Wanted) -> Result<(), String> {
    let participants = hub.get("/participants").await?;
    let names = participants.as_array().into_iter().flatten().filter_map(|known| known["name"].as_str());
    let other = names.into_iter().find(|name| *name != wanted.name && wanted.hosts.iter().any(|host| host == name));
    match other {
        Some(other) => Err(format!(
            "The host {other} has the name of a participant; with it {} could speak for {other}. Give another host.",
            wanted.name
        )),
        None => Ok(()),
    }
}

fn list(page: &Value) -> String {
    let rows = page["certificates"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "No certificate is recorded.".to_owned();
    }
    let mut printed = String::new();
    for row in rows {
        let [participant, fingerprint, not_after] =
            ["participant", "fingerprint", "notAfter"].map(|key| text(&row[key]));
        // Writing to a string does not fail.
        let _ = writeln!(printed, "{participant:<20}  until {not_after}  {fingerprint}");
        if row["revocation"].is_object() {
            let [at, by, reason] = ["at", "by", "reason"].map(|key| text(&row["revocation"][key]));
            let _ = writeln!(printed, "{:>20}  revoked {at} by {by}: {reason}", "");
        }
    }
    if let Some(next) = page["next"].as_i64() {
        let _ = writeln!(printed, "There may be more: --after {next}");
    }
    printed
}
