//! What a benchmark says: a table for people, one JSON object for programs.
//!
//! Invariant: both say the same, from the same integers; no number goes through a float.

use super::{Run, day::Day};
use harness::{
    closing::Closing,
    histogram::Histogram,
    load::{Checked, Measurement, Pace},
    scheme::Scheme,
};
use serde_json::{Map, Number, Value, json};
use std::{fmt::Write as _, time::Duration};

/// Everything that was observed.
pub struct Report {
    pub run: Run,
    pub pace: Pace,
    pub scheme: Scheme,
    pub warm_up_s: u32,
    pub seed: u64,
    pub measurement: Measurement,
    pub peak_memory_kib: Option<u64>,
    pub durability: Durability,
    /// Windows that were closed and settled, in their order.
    pub closings: Vec<Closing>,
    pub day: Option<Day>,
    pub audit: Audit,
}

/// Commits of the run, and those of them that returned after a sync.
pub struct Durability {
    pub units: u64,
    pub units_synced: u64,
    /// Kind of the file system that the database lies on, if the benchmark chose it.
    pub file_system: Option<String>,
}

/// What was found when the payments were over.
pub struct Audit {
    pub checked: Checked,
    /// Positions and balances that do not add up.
    pub problems: Vec<String>,
}

const PERCENTILES: [u8; 3] = [50, 95, 99];

impl Report {
    /// No error, nothing that does not add up, commits that were durable, and payments at all.
    pub fn is_clean(&self) -> bool {
        self.errors() == 0 && self.durability.is_durable() && self.measurement.payments > 0
    }

    pub fn table(&self) -> String {
        let measurement = &self.measurement;
        let mut text = format!("{}\n\n", self.title());
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<26}{value}");
        };
        line("payments per second", &rate(measurement.payments, measurement.elapsed));
        line("", "     p50        p95        p99");
        line("end to end, ms", &row(&measurement.end_to_end));
        line("added by the hub, ms", &row(&measurement.hub_added));
        line("hub CPU per payment", &or_unknown(self.hub_cpu(), "ms"));
        line(
            "generator CPU per payment",
            &format!("{} ms", per_payment(measurement.generator_cpu, measurement.payments)),
        );
        line("hub memory, peak", &or_unknown(self.peak_memory(), "MiB"));
        line("links", self.run.step.text());
        line("hub signs its messages", if self.run.signs { "yes" } else { "no" });
        if let Some(every) = self.run.closes {
            line("windows", &windows(&self.closings, every));
        }
        line("durable", &self.durability.sentence());
        line("payments", &format!("{} measured, {} in all", measurement.payments, measurement.committed));
        line("repeated messages", &measurement.repeated_messages.to_string());
        line("checked afterwards", &self.audit.sentence());
        line("errors", &self.errors().to_string());
        for error in self.error_texts() {
            line("", &error);
        }
        if let Some(day) = &self.day {
            text.push_str(&day.table());
        }
        text
    }

    pub fn object(&self) -> Map<String, Value> {
        let measurement = &self.measurement;
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("payments_per_s", number(&rate(measurement.payments, measurement.elapsed)));
        for percent in PERCENTILES {
            put(&format!("p{percent}_ms"), number(&milliseconds(measurement.end_to_end.percentile(percent))));
        }
        for percent in PERCENTILES {
            put(&format!("hub_added_p{percent}_ms"), number(&milliseconds(measurement.hub_added.percentile(percent))));
        }
        put("hub_cpu_ms_per_payment", self.hub_cpu().map_or(Value::Null, |text| number(&text)));
        put("hub_peak_rss_mib", self.peak_memory().map_or(Value::Null, |text| number(&text)));
        put("errors", json!(self.errors()));
        put("error_texts", json!(self.error_texts()));
        put("signing", json!(self.run.signs));
        put("windows_settled", json!(self.closings.len()));
        put("longest_close_ms", number(&milliseconds(longest(&self.closings, |closing| closing.close))));
        put("longest_settlement_ms", number(&milliseconds(longest(&self.closings, |one| one.create + one.settle))));
        put("day", self.day.as_ref().map_or(Value::Null, Day::object));
        put("durable", json!(self.durability.is_durable()));
        match self.pace {
            Pace::Closed { concurrency } => put("concurrency", json!(concurrency)),
            Pace::Open { payments_per_second } => put("rate", json!(payments_per_second)),
        };
        put("warm_up_s", json!(self.warm_up_s));
        put("measured_s", number(&decimal(millis(measurement.elapsed), 3)));
        put("payments", json!(measurement.payments));
        put("committed", json!(measurement.committed));
        put("checked", json!(self.audit.checked.confirmed));
        put("repeated_messages", json!(measurement.repeated_messages));
        put("generator_cpu_ms_per_payment", number(&per_payment(measurement.generator_cpu, measurement.payments)));
        put("units", json!(self.durability.units));
        put("units_synced", json!(self.durability.units_synced));
        put("file_system", json!(self.durability.file_system));
        put("dfsps", json!(self.scheme.dfsps));
        put("parties_per_dfsp", json!(self.scheme.parties));
        put("seed", json!(self.seed));
        object
    }

    fn title(&self) -> String {
        let pace = match self.pace {
            Pace::Closed { concurrency } => format!("{concurrency} payments at a time"),
            Pace::Open { payments_per_second } => format!("{payments_per_second} payments begun each second"),
        };
        let (dfsps, parties) = (self.scheme.dfsps, self.scheme.parties_in_all());
        let measured = decimal(millis(self.measurement.elapsed), 3);
        format!("{pace}, {dfsps} DFSPs with {parties} customers, {} s warm-up, {measured} s measured", self.warm_up_s)
    }

    fn errors(&self) -> u64 {
        self.measurement.errors.count + self.audit.checked.errors.count + self.audit.problems.len() as u64
    }

    fn error_texts(&self) -> Vec<String> {
        let texts = self.measurement.errors.texts.iter().chain(&self.audit.checked.errors.texts);
        texts.chain(&self.audit.problems).cloned().collect()
    }

    fn hub_cpu(&self) -> Option<String> {
        self.measurement.hub_cpu.map(|cpu| per_payment(cpu, self.measurement.payments))
    }

    fn peak_memory(&self) -> Option<String> {
        self.peak_memory_kib.map(|kib| decimal(kib * 10 / 1024, 1))
    }
}

/// The tables of all runs, and with two what the second costs against the first.
pub fn tables(reports: &[Report]) -> String {
    let mut text = reports.iter().map(Report::table).collect::<Vec<_>>().join("\n");
    if let [without, with] = reports {
        let percent = |with: u128, without: u128| (with * 100).checked_div(without).unwrap_or(0);
        let cpu = |report: &Report| per_payment_ns(report.measurement.hub_cpu, report.measurement.payments);
        let pace = |report: &Report| {
            u128::from(report.measurement.payments) * 1_000_000 / report.measurement.elapsed.as_millis().max(1)
        };
        let what = if with.run.closes.is_some() { "closing windows" } else { "signing" };
        let late = |report: &Report| report.measurement.hub_added.percentile(99).as_micros();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "\n{what}, in per cent of not: {} % of the payments per second, {} % of the hub's CPU per payment, {} % of the p99",
            percent(pace(with), pace(without)),
            percent(cpu(with), cpu(without)),
            percent(late(with), late(without)),
        );
    }
    text
}

/// One object on one line; a second run stands in its member `with_signing` or `with_closings`.
pub fn json(reports: &[Report]) -> String {
    let mut first = reports.first().map(Report::object).unwrap_or_default();
    if let Some(second) = reports.get(1) {
        let name = if second.run.closes.is_some() { "with_closings" } else { "with_signing" };
        first.insert(name.to_owned(), Value::Object(second.object()));
    }
    format!("{}\n", Value::Object(first))
}

fn per_payment_ns(time: Option<Duration>, payments: u64) -> u128 {
    time.map_or(0, |time| time.as_nanos()).checked_div(u128::from(payments)).unwrap_or(0)
}

impl Durability {
    /// Every commit of the run returned after a sync.
    fn is_durable(&self) -> bool {
        self.units > 0 && self.units_synced == self.units
    }

    fn sentence(&self) -> String {
        let Self { units, units_synced, .. } = self;
        let answer = if self.is_durable() { "yes" } else { "NO" };
        let place = self.file_system.as_ref().map_or(String::new(), |kind| format!(", on {kind}"));
        format!("{answer}: {units_synced} of {units} commits returned after a sync{place}")
    }
}

impl Audit {
    fn sentence(&self) -> String {
        let Checked { committed, confirmed, .. } = &self.checked;
        let balances = if self.problems.is_empty() { "positions add up" } else { "NOT everything adds up" };
        format!("{confirmed} of {committed} committed payments confirmed by GET /transfers; {balances}")
    }
}

fn windows(closings: &[Closing], every: Duration) -> String {
    let close = milliseconds(longest(closings, |closing| closing.close));
    let settle = milliseconds(longest(closings, |closing| closing.create + closing.settle));
    let (count, seconds) = (closings.len(), every.as_secs());
    format!("{count} closed and settled, one every {seconds} s; at most {close} ms to close, {settle} ms to settle")
}

fn longest(closings: &[Closing], of: impl Fn(&Closing) -> Duration) -> Duration {
    closings.iter().map(of).max().unwrap_or_default()
}

fn row(histogram: &Histogram) -> String {
    PERCENTILES.map(|percent| format!("{:>9}", milliseconds(histogram.percentile(percent)))).join("  ")
}

fn or_unknown(value: Option<String>, unit: &str) -> String {
    value.map_or_else(|| "unknown: there is no /proc".to_owned(), |value| format!("{value} {unit}"))
}

pub fn rate(count: u64, elapsed: Duration) -> String {
    decimal((u128::from(count) * 10_000 / elapsed.as_millis().max(1)) as u64, 1)
}

pub fn per_payment(time: Duration, payments: u64) -> String {
    decimal(per_payment_micros(time, payments), 3)
}

pub fn per_payment_micros(time: Duration, payments: u64) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / payments.max(1)
}

pub fn milliseconds(duration: Duration) -> String {
    decimal(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), 3)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An integer with the point moved by so many places.
pub fn decimal(value: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    format!("{}.{:0width$}", value / scale, value % scale, width = places as usize)
}

pub fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(decimal(1_234, 3), "1.234");
        assert_eq!(decimal(5, 3), "0.005");
        assert_eq!(rate(30_015, Duration::from_secs(30)), "1000.5");
        assert_eq!(per_payment(Duration::from_secs(3), 4000), "0.750");
        assert_eq!(number("0.750").to_string(), "0.750");
    }

    #[test]
    fn durable_means_that_every_commit_was_synced() {
        let durability = |units, units_synced| Durability { units, units_synced, file_system: None };
        assert!(durability(7, 7).is_durable());
        assert!(!durability(7, 6).is_durable());
        assert!(!durability(0, 0).is_durable());
    }
}
