//! A day's payments in one window, and what the operator does in the evening: close, settle, report, verify.

use super::{
    report::{milliseconds, number},
    session::{Session, progress},
};
use harness::{
    closing::Closing,
    load::{Measurement, Options},
    scheme::CURRENCY,
};
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

/// A day is stored in runs of this length, after each of which it is seen how far it has come.
const RUN: Duration = Duration::from_secs(20);
/// However slow the hub is, the day ends.
const RUNS_MAX: u32 = 1000;

/// How long each step of the evening took.
pub struct Day {
    pub payments: u64,
    steps: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    /// Length of the answer, for a report.
    bytes: Option<u64>,
}

/// Stores payments through the hub until there are enough. The measurement is that of the last run, with the errors of
/// all.
pub async fn load(session: &Session<'_>, payments: u32) -> Result<Measurement, String> {
    let mut errors = harness::load::Errors::default();
    for _ in 0..RUNS_MAX {
        let options = Options { measured: RUN, warm_up: Duration::ZERO, ..session.arguments.load(session.pids()) };
        let mut measurement = session.generator.run(options).await.map_err(|error| error.to_string())?;
        errors.count += measurement.errors.count;
        errors.texts.append(&mut measurement.errors.texts);
        progress(&format!("{} of {payments} payments are stored", measurement.committed));
        if measurement.committed >= u64::from(payments) || errors.count > 0 {
            measurement.errors = errors;
            return Ok(measurement);
        }
    }
    Err(format!("{payments} payments were not stored in {RUNS_MAX} runs of {} s.", RUN.as_secs()))
}

/// Closes the window, creates the settlement, has its reports written, settles, verifies.
pub async fn end(session: &Session<'_>, committed: u64) -> Result<(Day, Closing), String> {
    let mut closer = session.closer();
    let mut day = Day { payments: committed, steps: Vec::new() };
    progress("closing the window");
    let closed = closer.close().await.map_err(|error| error.to_string())?;
    let (window, close) = closed.ok_or("The window has no payments.")?;
    let (settlement, create) = closer.create(&[window]).await.map_err(|error| error.to_string())?;
    day.step("close the window", close, None);
    day.step("create the settlement", create, None);
    let administration = session.hub().administration;
    for (name, path) in reports(&settlement) {
        progress(&format!("writing {name}"));
        let begun = Instant::now();
        let url = format!("http://{administration}/umoja/v1/reports/{path}");
        let bytes = session.client.download(&url).await.map_err(|error| error.to_string())?;
        day.step(&name, begun.elapsed(), Some(bytes));
    }
    let settle = closer.settle(&settlement).await.map_err(|error| error.to_string())?;
    day.step("settle all accounts", settle, None);
    progress("verifying");
    let begun = Instant::now();
    let verified = session.client.download(&format!("http://{administration}/umoja/v1/verify")).await;
    verified.map_err(|error| error.to_string())?;
    day.step("verify", begun.elapsed(), None);
    let nets = harness::closing::nets(&settlement).map_err(|error| error.to_string())?;
    Ok((day, Closing { window, nets, close, create, settle }))
}

/// Names and addresses of the reports about a settlement and about the DFSP that is used most.
fn reports(settlement: &Value) -> Vec<(String, String)> {
    let id = &settlement["id"];
    let of_settlement = ["settlement-bank", "multilateral", "bilateral"]
        .map(|name| (format!("report {name}"), format!("{name}?settlementId={id}&format=csv")));
    let dfsp = harness::scheme::dfsp_text(0);
    let statement = format!("statement?dfspId={dfsp}&currency={CURRENCY}&accountType=POSITION&format=csv");
    let others =
        [("report windows".to_owned(), "windows?format=csv".to_owned()), ("report statement".to_owned(), statement)];
    of_settlement.into_iter().chain(others).collect()
}

impl Day {
    fn step(&mut self, name: &str, took: Duration, bytes: Option<u64>) {
        self.steps.push(Step { name: name.to_owned(), took, bytes });
    }

    pub fn table(&self) -> String {
        let mut text = format!("\nthe evening of a day with {} payments in one window\n", self.payments);
        for Step { name, took, bytes } in &self.steps {
            let size = bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes"));
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<32}{:>12} ms{size}", milliseconds(*took));
        }
        text
    }

    pub fn object(&self) -> Value {
        let step = |Step { name, took, bytes }: &Step| {
            let mut object = Map::new();
            object.insert("step".to_owned(), json!(name));
            object.insert("ms".to_owned(), number(&milliseconds(*took)));
            object.insert("bytes".to_owned(), json!(bytes));
            Value::Object(object)
        };
        json!({"payments": self.payments, "steps": self.steps.iter().map(step).collect::<Vec<_>>()})
    }
}
