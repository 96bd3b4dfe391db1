//! `umoja admin ca`: the authority of the scheme, or of its operators.
//!
//! The authority is a directory of the machine where the command runs. Its key is read by these commands alone: no hub has
//! it, so that no API reaches it.

use super::{Form, certificates, hub::Hub};
use crate::own_keys;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use tls::{
    authority::{AUTHORITY_DAYS_DEFAULT, Authority, DAYS_DEFAULT, Issued, Wanted},
    files::{self, Readers},
};

#[derive(Subcommand)]
pub enum CaCommand {
    /// Make an authority: ca.pem, which goes to all who are to trust it, and its key, which goes nowhere.
    Init {
        #[command(flatten)]
        directory: AuthorityArguments,
        /// What the authority is called; two that are trusted in one place need different names.
        #[arg(long, default_value = "umoja scheme", value_name = "NAME")]
        name: String,
        /// Days until it ends.
        #[arg(long, default_value_t = AUTHORITY_DAYS_DEFAULT, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
    },
    /// Make a private key and a request for its certificate, for a hub or an operator.
    Request {
        /// Where they are put: tls-key.pem and tls-request.pem.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Who asks, for people to read.
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Issue a certificate for a request.
    Issue(IssueArguments),
}

/// Where the authority is.
#[derive(Args, Clone)]
pub struct AuthorityArguments {
    /// Directory of the authority.
    #[arg(long, visible_alias = "authority", env = "UMOJA_AUTHORITY", value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Args)]
pub struct IssueArguments {
    /// Whom the certificate names: a participant, the hub, an operator.
    name: String,
    #[command(flatten)]
    directory: AuthorityArguments,
    /// The request (PKCS #10, PEM). Of it the public key counts and nothing else.
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    /// DNS names and IP addresses at which the owner serves over TLS.
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    host: Vec<String>,
    /// Days for which it is valid.
    #[arg(long, default_value_t = DAYS_DEFAULT, value_name = "DAYS")]
    days: u32,
    /// Record it at the hub as a participant's, so that it can be revoked there.
    #[arg(long)]
    record: bool,
    /// Where the certificate is put; without it, it is printed.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What is to be printed.
pub async fn run(hub: &Hub, command: CaCommand, form: Form) -> Result<String, String> {
    match command {
        CaCommand::Init { directory, name, days } => {
            let authority = Authority::init(&directory.directory, &name, days)?;
            let (place, until) = (directory.directory.join("ca.pem"), authority.not_after().to_string());
            Ok(match form {
                Form::Json => json!({"certificate": authority.pem(), "file": place, "notAfter": until}).to_string(),
                Form::Text => format!(
                    "The authority is made, until {until}. Give {} to all who are to trust it, and keep a copy of the \
                     directory where only you reach it.",
                    place.display()
                ),
            })
        }
        CaCommand::Request { into, name } => {
            own_keys::make_tls(&into, &name)?;
            let request = into.join(own_keys::TLS_REQUEST);
            Ok(match form {
                Form::Json => json!({"request": files::read(&request)?, "file": request}).to_string(),
                Form::Text => format!("The key stays here; the authority needs {}.", request.display()),
            })
        }
        CaCommand::Issue(arguments) => issue(hub, arguments, form).await,
    }
}

async fn issue(hub: &Hub, arguments: IssueArguments, form: Form) -> Result<String, String> {
    let IssueArguments { name, directory, csr, host, days, record, output } = arguments;
    let authority = Authority::open(&directory.directory)?;
    let request = files::read(&csr)?;
    let wanted = Wanted { name, hosts: host, days };
    if record {
        certificates::check_hosts(hub, &wanted).await?;
    }
    let issued = authority.issue(&request, &wanted)?;
    let recorded = if record { certificates::record(hub, &wanted.name, &issued.pem).await? } else { Value::Null };
    if let Some(output) = &output {
        files::replace(output, &issued.pem, Readers::Everybody)?;
    }
    Ok(match (form, output) {
        (Form::Json, _) => {
            json!({"certificate": issued.pem, "notAfter": issued.not_after.to_string(), "recorded": recorded})
                .to_string()
        }
        (Form::Text, None) => issued.pem,
        (Form::Text, Some(output)) => format!("{} It is in {}.", sentence(&wanted.name, &issued), output.display()),
    })
}

fn sentence(name: &str, issued: &Issued) -> String {
    let what = if issued.is_known { "was issued before and is valid" } else { "is valid" };
    format!("The certificate of {name} {what} until {}.", issued.not_after)
}
