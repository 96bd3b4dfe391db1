//! `umoja admin notices`: what operators were told, and whether it arrived.

use super::{Form, hub::Hub};
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;

#[derive(Args)]
pub struct NoticesArguments {
    /// Only those about this participant.
    #[arg(long, value_name = "FSP-ID")]
    participant: Option<String>,
    /// Only those of this kind, as in NET_DEBIT_CAP_THRESHOLD_BREACH.
    #[arg(long)]
    kind: Option<String>,
    /// Most notices to list.
    #[arg(long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Begin after this notice: the newest come first.
    #[arg(long, value_name = "ID")]
    after: Option<u64>,
}

/// What is to be printed.
pub async fn run(hub: &Hub, arguments: NoticesArguments, form: Form) -> Result<String, String> {
    let filter = |name: &str, value: Option<String>| {
        value.map(|value| format!("&{name}={}", fspiop::percent_encode(&value))).unwrap_or_default()
    };
    let filters = [
        filter("participant", arguments.participant),
        filter("kind", arguments.kind),
        filter("after", arguments.after.map(|id| id.to_string())),
    ];
    let page = hub.get(&format!("/umoja/v1/notices?limit={}{}", arguments.limit, filters.concat())).await?;
    Ok(match form {
        Form::Json => page.to_string(),
        Form::Text => list(&page),
    })
}

/// Each notice with a line for each of its messages below it.
fn list(page: &Value) -> String {
    let notices = page["notices"].as_array().map(Vec::as_slice).unwrap_or_default();
    if notices.is_empty() {
        return "There is no notice.".to_owned();
    }
    let mut text = String::new();
    for notice in notices {
        let [id, made_at, sentence] = ["id", "madeAt", "text"].map(|key| super::text(&notice[key]));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{id:>10}  {made_at}  {sentence}");
        for delivery in notice["deliveries"].as_array().into_iter().flatten() {
            let [state, channel, to, address] =
                ["state", "channel", "to", "address"].map(|key| super::text(&delivery[key]));
            let error = delivery["lastError"].as_str().map(|error| format!(": {error}")).unwrap_or_default();
            let _ = writeln!(text, "{:>12}{state:<8} {channel} to {to}, {address}{error}", "");
        }
    }
    if let Some(next) = page["next"].as_i64() {
        let _ = writeln!(text, "There may be more: --after {next}");
    }
    text
}
