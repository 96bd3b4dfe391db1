//! `umoja admin trace`: a payment on one page, from its look-up to its end.

use super::{Form, hub::Hub, outbox, text};
use serde_json::Value;
use std::fmt::Write as _;

/// What is to be printed.
pub async fn run(hub: &Hub, id: &str, form: Form) -> Result<String, String> {
    let trace = hub.get(&format!("/umoja/v1/trace/{}", fspiop::percent_encode(id))).await?;
    Ok(match form {
        Form::Json => trace.to_string(),
        Form::Text => page(&trace),
    })
}

fn page(trace: &Value) -> String {
    let mut page = heading(trace);
    // Each event belongs behind a message; what happened at the hub belongs behind the last one that came before it.
    let messages = list(trace, "messages");
    let place_of = |event: &Value| {
        let came_before =
            |message: &Value| message["direction"] == "in" && text(&message["time"]) <= text(&event["time"]);
        messages.iter().rposition(came_before).map_or(0, |place| place + 1)
    };
    let mut events: Vec<(usize, String)> =
        messages.iter().enumerate().map(|(place, message)| (place + 1, message_line(message))).collect();
    events.extend(list(trace, "states").iter().map(|state| (place_of(state), state_line(state))));
    events.extend(list(trace, "entries").iter().map(|entry| (place_of(entry), entry_line(entry))));
    events.sort_by_key(|(place, _)| *place);
    page.push('\n');
    page.extend(events.into_iter().map(|(_, line)| line));
    let waiting = list(trace, "outbox");
    if !waiting.is_empty() {
        page.push_str("\nIn the outbox:\n");
        page.extend(waiting.iter().map(|message| format!("{:<8}{}", text(&message["state"]), outbox::line(message))));
    }
    if trace["isWhole"] == false {
        page.push_str("\nThe journal holds more rows than one search looks at; later messages may be missing.\n");
    }
    page
}

fn heading(trace: &Value) -> String {
    let mut heading = String::new();
    let transfer = &trace["transfer"];
    if !transfer.is_null() {
        let [id, payer, payee, amount, currency] =
            ["id", "payer", "payee", "amount", "currency"].map(|key| text(&transfer[key]));
        let state = list(trace, "states").last().map(|state| text(&state["state"])).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(heading, "Transfer {id}: {amount} {currency} from {payer} to {payee}, {state}");
    }
    for quote in list(trace, "quotes") {
        let _ = writeln!(heading, "Quote    {}", text(quote));
    }
    heading
}

fn message_line(message: &Value) -> String {
    let is_out = message["direction"] == "out";
    let participant = text(&message["participant"]);
    let way = format!("{} {participant}", if is_out { "to  " } else { "from" });
    let line = format!(
        "{} /{}{}",
        text(&message["method"]),
        text(&message["resource"]),
        if message["isError"] == true { "/…/error" } else { "" }
    );
    let status = message["status"].as_u64().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let error = message["error"].as_str().map(|code| format!("  error {code}")).unwrap_or_default();
    let attempt = message["attempt"].as_u64().filter(|attempt| *attempt > 1);
    let attempt = attempt.map(|attempt| format!("  attempt {attempt}")).unwrap_or_default();
    format!("{}  {way:<26}  {line:<36}  {status}{error}{attempt}\n", text(&message["time"]))
}

fn state_line(state: &Value) -> String {
    let reason = state["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}    state {}{reason}\n", text(&state["time"]), text(&state["state"]))
}

fn entry_line(entry: &Value) -> String {
    let account = |side: &str| {
        let account = &entry[side];
        format!("{} {}", text(&account["participant"]), text(&account["kind"]))
    };
    let [time, kind, amount, currency] = ["time", "kind", "amount", "currency"].map(|key| text(&entry[key]));
    let (debit, credit) = (account("debit"), account("credit"));
    format!("{time}    entry {kind}: {amount} {currency}, debit {debit}, credit {credit}\n")
}

fn list<'a>(trace: &'a Value, key: &str) -> &'a [Value] {
    trace[key].as_array().map(Vec::as_slice).unwrap_or_default()
}
