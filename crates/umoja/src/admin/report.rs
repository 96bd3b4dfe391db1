//! `umoja admin report` and `umoja admin verify`: settlement reports, and the ledger's check on a running hub.

use super::{Form, hub::Hub};
use clap::{Args, ValueEnum};
use serde_json::Value;

/// Arguments of `umoja admin report`.
#[derive(Args)]
pub struct ReportArguments {
    #[arg(value_enum)]
    report: Report,
    /// Id of the settlement, for the reports about one.
    #[arg(long, value_name = "ID")]
    settlement: Option<u64>,
    /// Participant, for a statement or the report of funds.
    #[arg(long, value_name = "FSP-ID")]
    dfsp: Option<String>,
    /// Currency, for a statement.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Ledger account type, for a statement [default: SETTLEMENT].
    #[arg(long, value_name = "TYPE")]
    account_type: Option<String>,
    /// First moment of a statement or of the report of funds, as in 2026-11-21 or 2026-11-21T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment after the last of them.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Form of the report; --json is the same as json.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Report {
    /// What the settlement bank is asked to pay; also as xml in the manner of ISO 20022.
    SettlementBank,
    /// The sheet that the bank completes: one row per account.
    SettlementInitiation,
    /// Who sent how much to whom, with net positions and a check value.
    Multilateral,
    /// What each pair of participants owes.
    Bilateral,
    /// Opening balance, movements and closing balance of one account.
    Statement,
    /// What each participant came to owe in each window.
    Windows,
    /// What was paid in and taken out, with who asked for it and why.
    Funds,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Json,
    Xml,
}

/// What is to be printed.
pub async fn run(hub: &Hub, arguments: ReportArguments, form: Form) -> Result<String, String> {
    let report = arguments.report.to_possible_value().expect("every report has a name");
    let format = match (form, arguments.format) {
        (Form::Json, _) | (Form::Text, Format::Json) => "json",
        (Form::Text, Format::Csv) => "csv",
        (Form::Text, Format::Xml) => "xml",
    };
    let settlement = arguments.settlement.map(|id| id.to_string());
    let filters = [
        ("settlementId", settlement),
        ("dfspId", arguments.dfsp),
        ("currency", arguments.currency),
        ("accountType", arguments.account_type),
        ("startDate", arguments.from),
        ("endDate", arguments.to),
    ];
    let given =
        filters.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("&{name}={}", encoded(value))));
    let path = format!("/umoja/v1/reports/{}?format={format}{}", report.get_name(), given.collect::<String>());
    hub.get_text(&path).await
}

/// An error where the ledger does not add up, so that the exit code says so.
pub async fn verify(hub: &Hub, form: Form) -> Result<String, String> {
    let answer = hub.get("/umoja/v1/verify").await?;
    let differences: Vec<&str> =
        answer["differences"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !differences.is_empty() {
        return Err(format!("The ledger does not add up.\n{}", differences.join("\n")));
    }
    Ok(match form {
        Form::Json => answer.to_string(),
        Form::Text => format!("Every balance follows from the ledger's entries ({} ms).", answer["milliseconds"]),
    })
}

/// A value in a query: everything but letters, digits and `-._~` as %XX.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
