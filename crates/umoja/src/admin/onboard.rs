//! `umoja admin onboard`: makes a DFSP a participant, in one command that may be repeated.
//!
//! Invariant: everything is compared with what the hub has before anything is changed. What is so already is left alone;
//! what differs is a conflict, told before the first change, and overwritten only if the operator says so. A command that
//! was cut is finished by the same command.

mod apply;
mod package;
mod plan;

use super::{Form, certificates, hub::Hub};
use apply::{Done, Outcome};
use clap::Args;
use serde_json::json;
use std::{fmt::Write as _, path::PathBuf};
use tls::{
    authority::{Authority, DAYS_DEFAULT, Issued, Wanted},
    files,
};
use vocabulary::{Amount, Currency, FspId};

/// Arguments of `umoja admin onboard`.
#[derive(Args)]
pub struct OnboardArguments {
    /// The DFSP's name in the scheme.
    name: FspId,
    /// Currency of its accounts; once for each.
    #[arg(long, required = true, value_name = "CODE")]
    currency: Vec<Currency>,
    /// Net debit cap in each currency, in their order: how much it may owe.
    #[arg(long, required = true, value_name = "AMOUNT", value_parser = amount)]
    limit: Vec<Amount>,
    /// What it has deposited in each currency, in their order; recorded once, however often this is repeated.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    initial_liquidity: Vec<Amount>,
    /// Where the DFSP listens for the hub's messages: the URL before /parties, /transfers and so on.
    #[arg(long, value_name = "URL")]
    callback: String,
    /// It converts currencies for others: it is told where fxTransfers are asked for.
    #[arg(long)]
    fx_provider: bool,
    /// It is the proxy adapter to another scheme.
    #[arg(long)]
    proxy: bool,
    /// Its request for a certificate (PKCS #10, PEM), as `umoja adapter keys` makes one.
    #[arg(long, value_name = "FILE", requires = "authority")]
    csr: Option<PathBuf>,
    /// Directory of the authority that issues the certificate.
    #[arg(long, env = "UMOJA_AUTHORITY", value_name = "DIR")]
    authority: Option<PathBuf>,
    /// DNS names and IP addresses in the certificate, where the DFSP listens [default: the host of --callback].
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    host: Vec<String>,
    /// Days for which the certificate is valid.
    #[arg(long, default_value_t = DAYS_DEFAULT, value_name = "DAYS")]
    days: u32,
    /// The public key (PEM) that verifies its signatures.
    #[arg(long, value_name = "FILE")]
    verification_key: Option<PathBuf>,
    /// The hub's FSPIOP address as the DFSP reaches it, for its configuration: HOST:PORT.
    #[arg(long, value_name = "HOST:PORT")]
    peer: Option<String>,
    /// Where the DFSP keeps its keys, for its configuration.
    #[arg(long, default_value = ".", value_name = "DIR")]
    files: String,
    /// Directory for what goes to the DFSP: configuration, certificate, authority, keys of the others.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Overwrite limits, addresses and the key where the hub has others.
    #[arg(long)]
    update: bool,
}

/// What is to be printed.
pub async fn run(hub: &Hub, arguments: OnboardArguments, form: Form) -> Result<String, String> {
    arguments.check()?;
    let plan = plan::make(hub, &arguments).await?;
    // What the certificate needs is looked at before the first change, too.
    let request = arguments.csr.as_deref().map(files::read).transpose()?;
    let authority = match (&request, &arguments.authority) {
        (Some(request), Some(directory)) => {
            tls::request::public_key(request)?;
            certificates::check_hosts(hub, &arguments.wanted()?).await?;
            Some(Authority::open(directory)?)
        }
        (None, _) | (_, None) => None,
    };
    let mut done = Vec::new();
    for step in plan {
        let what = step.what.clone();
        let outcome = apply::step(hub, step).await.map_err(|error| interrupted(&done, &what, &error))?;
        done.push(Done { what, outcome });
    }
    let mut issued = None;
    if let (Some(authority), Some(request)) = (&authority, &request) {
        let what = "certificate".to_owned();
        let new = certify(hub, &arguments, authority, request).await;
        let new = new.map_err(|error| interrupted(&done, &what, &error))?;
        let outcome = if new.is_known { Outcome::Already } else { Outcome::Done };
        done.push(Done { what: format!("{what} until {}", new.not_after), outcome });
        issued = Some(new);
    }
    let authority = authority.as_ref().map(Authority::pem);
    let configuration = package::configuration(&arguments, issued.is_some());
    let written = match &arguments.output {
        Some(directory) => {
            let parts = package::Parts { configuration: &configuration, issued: issued.as_ref(), authority };
            package::write(hub, directory, &parts).await.map_err(|error| interrupted(&done, "files", &error))?
        }
        None => Vec::new(),
    };
    Ok(match form {
        Form::Json => json!({
            "participant": arguments.name.as_str(),
            "steps": done.iter().map(Done::to_json).collect::<Vec<_>>(),
            "certificate": issued.map(|issued| issued.pem),
            "adapterConfiguration": configuration,
            "files": written,
        })
        .to_string(),
        Form::Text => text(&arguments, &done, &written, &configuration),
    })
}

async fn certify(
    hub: &Hub,
    arguments: &OnboardArguments,
    authority: &Authority,
    request: &str,
) -> Result<Issued, String> {
    let issued = authority.issue(request, &arguments.wanted()?)?;
    certificates::record(hub, arguments.name.as_str(), &issued.pem).await?;
    Ok(issued)
}

/// What was done before a step failed.
fn interrupted(done: &[Done], what: &str, error: &str) -> String {
    let steps: String = done.iter().map(Done::line).collect();
    format!("{what}: {error}\nDone so far:\n{steps}The same command goes on where this one has stopped.")
}

fn text(arguments: &OnboardArguments, done: &[Done], written: &[String], configuration: &str) -> String {
    let mut text: String = done.iter().map(Done::line).collect();
    let name = &arguments.name;
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{name} is a participant.");
    if written.is_empty() {
        let _ = writeln!(text, "The configuration of its adapter:\n\n{configuration}");
    } else {
        let _ = writeln!(text, "Send to {name}, into the directory of its keys:");
        for file in written {
            let _ = writeln!(text, "  {file}");
        }
    }
    text
}

impl OnboardArguments {
    fn check(&self) -> Result<(), String> {
        let count = self.currency.len();
        if self.limit.len() != count {
            return Err(format!("There are {count} currencies and {} limits; give one for each.", self.limit.len()));
        }
        if !self.initial_liquidity.is_empty() && self.initial_liquidity.len() != count {
            let amounts = self.initial_liquidity.len();
            return Err(format!("There are {count} currencies and {amounts} initial liquidities; give one for each."));
        }
        let mut seen = Vec::new();
        for currency in &self.currency {
            if seen.contains(&currency) {
                return Err(format!("{currency} is given twice; give one limit for each currency."));
            }
            seen.push(currency);
        }
        if self.name.as_str().chars().any(char::is_control) {
            return Err(
                "The name has a control character, which no certificate and no file of settings can have.".into()
            );
        }
        self.callback_url().map(drop)
    }

    /// The URL without a slash at its end.
    fn callback(&self) -> &str {
        self.callback.trim_end_matches('/')
    }

    fn callback_url(&self) -> Result<http::Uri, String> {
        let url: Option<http::Uri> = self.callback().parse().ok();
        let is_usable = |url: &http::Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
        url.filter(|url| is_usable(url) && !self.callback.contains(['?', '#', '{'])).ok_or_else(|| {
            format!("The callback '{}' is no URL such as https://pay.greenbank.example:4000.", self.callback)
        })
    }

    /// What the certificate says.
    fn wanted(&self) -> Result<Wanted, String> {
        let url = self.callback_url()?;
        let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let hosts = if self.host.is_empty() { vec![host.to_owned()] } else { self.host.clone() };
        Ok(Wanted { name: self.name.to_string(), hosts, days: self.days })
    }
}

fn amount(text: &str) -> Result<Amount, String> {
    let amount = Amount::parse(text).map_err(|error| error.to_string())?;
    if amount < Amount::ZERO { Err("it must not be negative".to_owned()) } else { Ok(amount) }
}
