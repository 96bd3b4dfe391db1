//! `umoja bench-proxy`: how many messages a proxy adapter carries on this machine, and at what cost.
//!
//! The adapter is a process of its own between two hubs that accept everything; hubs and callers are in this process, on
//! real sockets. Exit code 0 means that every message was answered and arrived as it was sent.

use crate::{
    bench::{decimal, milliseconds, number, rate},
    fail,
};
use clap::Args;
use harness::{
    process::ServerProcess,
    relaying::{Measurement, Options, Relaying},
};
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, net::SocketAddr, process::ExitCode, time::Duration};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// Exit code of a run that the person ended, as shells have it for SIGINT.
const INTERRUPTED: u8 = 130;
const PERCENTILES: [u8; 2] = [50, 99];

/// Arguments of `umoja bench-proxy`.
#[derive(Args)]
pub struct BenchProxyArguments {
    /// Messages under way at a time, each on a connection of its own, half of them in each direction.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// Bytes of each message's body.
    #[arg(long, value_name = "BYTES", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    body_bytes: u32,
    /// Seconds before the measured time.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=600))]
    warm_up: u32,
    /// Seconds that are measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What was observed.
struct Report {
    measurement: Measurement,
    peak_memory_kib: Option<u64>,
}

/// Runs the benchmark and prints its report to standard output.
pub async fn run(arguments: BenchProxyArguments) -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("The system gives no signals; the adapter could not be ended reliably.");
    };
    // Whichever ends first drops the other: with the measurement its adapter, which is killed by its process id.
    let outcome = tokio::select! {
        outcome = measure(&arguments) => outcome,
        _ = interrupt.recv() => return ExitCode::from(INTERRUPTED),
        _ = terminate.recv() => return ExitCode::from(INTERRUPTED),
    };
    match outcome {
        Ok(report) => {
            print!("{}", if arguments.json { report.json(&arguments) } else { report.table(&arguments) });
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(sentence) => fail(&sentence),
    }
}

async fn measure(arguments: &BenchProxyArguments) -> Result<Report, String> {
    let relaying = Relaying::listen().map_err(|error| format!("The hubs cannot listen: {error}."))?;
    let [a, b] = relaying.hubs();
    let binary = std::env::current_exe().map_err(|error| format!("The path of this program is unknown: {error}."))?;
    let directory = tempfile::tempdir().map_err(|error| format!("No directory for the adapter's log: {error}."))?;
    let mut command = Command::new(binary);
    command.args(["proxy", "--name", "bench", "--json", "--a-listen", "127.0.0.1:0", "--b-listen", "127.0.0.1:0"]);
    command.args(["--a-hub", &format!("http://{a}"), "--b-hub", &format!("http://{b}"), "--connections", "1000"]);
    let log = directory.path().join("proxy.log");
    let (mut process, listeners) = ServerProcess::start("proxy", command, &log, listeners).await?;
    let options = Options {
        concurrency: usize::from(arguments.concurrency),
        body_bytes: arguments.body_bytes as usize,
        warm_up: Duration::from_secs(u64::from(arguments.warm_up)),
        measured: Duration::from_secs(u64::from(arguments.seconds)),
        pid: process.pid(),
    };
    let measurement = relaying.run(listeners, options).await;
    if let Some(sentence) = process.ended_by_itself() {
        return Err(sentence);
    }
    let measurement = measurement.map_err(|error| format!("The load generator cannot run: {error}."))?;
    let report = Report { measurement, peak_memory_kib: process.peak_memory_kib() };
    process.stop().await?;
    Ok(report)
}

/// Reads the line that `umoja proxy --json` prints when it is ready.
pub fn listeners(line: &str) -> Option<[SocketAddr; 2]> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
    Some([address("a")?, address("b")?])
}

impl Report {
    fn is_clean(&self) -> bool {
        self.measurement.errors == 0 && self.measurement.messages > 0
    }

    fn table(&self, arguments: &BenchProxyArguments) -> String {
        let BenchProxyArguments { concurrency, body_bytes, seconds, .. } = arguments;
        let measurement = &self.measurement;
        let mut text =
            format!("{concurrency} messages at a time with {body_bytes} bytes each, {seconds} s measured\n\n");
        let unknown = || "unknown: there is no /proc".to_owned();
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<30}{value}");
        };
        line("messages per second", &rate(measurement.messages, measurement.elapsed));
        line("messages per CPU second", &self.per_cpu_second().unwrap_or_else(unknown));
        for percent in PERCENTILES {
            let latency = milliseconds(measurement.latency.percentile(percent));
            line(&format!("p{percent}, ms"), &latency);
        }
        line("adapter memory, peak, MiB", &self.peak_memory().unwrap_or_else(unknown));
        line("generator CPU, s", &milliseconds(measurement.generator_cpu / 1000));
        line("errors", &measurement.errors.to_string());
        if let Some(error) = &measurement.first_error {
            line("", error);
        }
        text
    }

    fn json(&self, arguments: &BenchProxyArguments) -> String {
        let measurement = &self.measurement;
        let known = |text: Option<String>| text.map_or(Value::Null, |text| number(&text));
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("messages_per_s", number(&rate(measurement.messages, measurement.elapsed)));
        put("messages_per_cpu_s", known(self.per_cpu_second()));
        for percent in PERCENTILES {
            put(&format!("p{percent}_ms"), number(&milliseconds(measurement.latency.percentile(percent))));
        }
        put("peak_rss_mib", known(self.peak_memory()));
        put("messages", json!(measurement.messages));
        put("errors", json!(measurement.errors));
        put("first_error", json!(measurement.first_error));
        put("concurrency", json!(arguments.concurrency));
        put("body_bytes", json!(arguments.body_bytes));
        put("measured_s", json!(arguments.seconds));
        format!("{}\n", Value::Object(object))
    }

    fn per_cpu_second(&self) -> Option<String> {
        let cpu = self.measurement.adapter_cpu.filter(|cpu| !cpu.is_zero())?;
        Some(rate(self.measurement.messages, cpu))
    }

    fn peak_memory(&self) -> Option<String> {
        self.peak_memory_kib.map(|kib| decimal(kib * 10 / 1024, 1))
    }
}
