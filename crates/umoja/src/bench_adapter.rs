//! `umoja bench-adapter`: how many payments a DFSP's adapter carries on this machine, and at what cost.
//!
//! The adapter is a process of its own, on one processor if `taskset` is there, with its records in a file; the hub and the
//! core that it speaks with are in this process, on real sockets. Exit code 0 means that every payment came to its end.

use crate::{
    bench::{decimal, milliseconds, number, rate},
    fail,
};
use clap::{Args, ValueEnum};
use fspiop::jws::SigningKey;
use harness::{
    adapting::{Adapter, Adapting, DFSP, Measurement, Options, Side},
    process::ServerProcess,
};
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// Exit code of a run that the person ended, as shells have it for SIGINT.
const INTERRUPTED: u8 = 130;
const PERCENTILES: [u8; 2] = [50, 99];

/// Arguments of `umoja bench-adapter`.
#[derive(Args)]
pub struct BenchAdapterArguments {
    /// Whether the adapter's DFSP pays or is paid.
    #[arg(long, value_enum, value_name = "SIDE", default_value_t = SideName::Payer)]
    side: SideName,
    /// Payments under way at a time.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=500))]
    concurrency: u16,
    /// Let the adapter sign what it sends.
    #[arg(long)]
    sign: bool,
    /// The processor that the adapter is on, and nothing else of it.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    processor: u16,
    /// Seconds before the measured time.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=600))]
    warm_up: u32,
    /// Seconds that are measured.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Make the adapter's directory inside this one; it is removed afterwards.
    #[arg(long, value_name = "DIR", default_value = ".")]
    data: PathBuf,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SideName {
    Payer,
    Payee,
}

/// What was observed.
struct Report {
    measurement: Measurement,
    is_pinned: bool,
    peak_memory_kib: Option<u64>,
}

/// Runs the benchmark and prints its report to standard output.
pub async fn run(arguments: BenchAdapterArguments) -> ExitCode {
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

async fn measure(arguments: &BenchAdapterArguments) -> Result<Report, String> {
    let adapting = Adapting::listen().map_err(|error| format!("Hub and core cannot listen: {error}."))?;
    let directory = tempfile::Builder::new().prefix("umoja-bench-").tempdir_in(&arguments.data);
    let directory = directory
        .map_err(|error| format!("No directory for the adapter's records in {}: {error}.", arguments.data.display()))?;
    let is_pinned = can_pin(arguments.processor).await;
    let command = command(arguments, &adapting, directory.path(), is_pinned)?;
    let log = directory.path().join("adapter.log");
    let (mut process, (inbound, outbound)) = ServerProcess::start("adapter", command, &log, listeners).await?;
    let adapter = Adapter { inbound, outbound, pid: process.pid() };
    let options = Options {
        side: match arguments.side {
            SideName::Payer => Side::Payer,
            SideName::Payee => Side::Payee,
        },
        concurrency: usize::from(arguments.concurrency),
        warm_up: Duration::from_secs(u64::from(arguments.warm_up)),
        measured: Duration::from_secs(u64::from(arguments.seconds)),
    };
    let measurement = adapting.run(adapter, options).await;
    if let Some(sentence) = process.ended_by_itself() {
        return Err(sentence);
    }
    let measurement = measurement.map_err(|error| format!("The load generator cannot run: {error}."))?;
    let report = Report { measurement, is_pinned, peak_memory_kib: process.peak_memory_kib() };
    process.stop().await?;
    Ok(report)
}

/// Whether a process can be started on this processor alone.
async fn can_pin(processor: u16) -> bool {
    let tried = Command::new("taskset").args(["-c", &processor.to_string(), "true"]).output().await;
    tried.is_ok_and(|output| output.status.success())
}

fn command(
    arguments: &BenchAdapterArguments,
    adapting: &Adapting,
    directory: &Path,
    is_pinned: bool,
) -> Result<Command, String> {
    let binary = std::env::current_exe().map_err(|error| format!("The path of this program is unknown: {error}."))?;
    let mut command = if is_pinned {
        let mut command = Command::new("taskset");
        // It becomes the adapter, with its process id.
        command.arg("-c").arg(arguments.processor.to_string()).arg(binary);
        command
    } else {
        Command::new(binary)
    };
    // Settings of the person's own adapter are not for this one.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path);
    command.args(["adapter", "--json", "--log", "warn", "--dfsp-id", DFSP, "--inbound-address", "127.0.0.1"]);
    command.args(["--inbound-port", "0", "--outbound-port", "0", "--reserve-notification", "true"]);
    command.args(["--peer-endpoint", &adapting.hub.to_string(), "--backend-endpoint", &adapting.core.to_string()]);
    command.args(["--resource-versions", "parties=1.1,quotes=1.1,transfers=1.1"]);
    command.arg("--data").arg(directory.join("adapter.sqlite"));
    if arguments.sign {
        let file = directory.join("key.pem");
        let (_, pem) = SigningKey::generate_rsa().map_err(|error| format!("No key can be made: {error}."))?;
        std::fs::write(&file, pem).map_err(|error| format!("The key cannot be written: {error}."))?;
        command.arg("--jws-signing-key").arg(file);
    }
    Ok(command)
}

/// Reads the line that `umoja adapter --json` prints when it is ready: inbound, outbound.
pub fn listeners(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
    Some((address("inbound")?, address("outbound")?))
}

impl Report {
    fn is_clean(&self) -> bool {
        self.measurement.errors == 0 && self.measurement.payments > 0
    }

    fn table(&self, arguments: &BenchAdapterArguments) -> String {
        let BenchAdapterArguments { concurrency, seconds, .. } = arguments;
        let measurement = &self.measurement;
        let place = if self.is_pinned { "on one processor" } else { "on any processor: there is no taskset here" };
        let mut text = format!(
            "{concurrency} payments at a time as the {}, {seconds} s measured, adapter {place}\n\n",
            arguments.side.as_str()
        );
        let unknown = || "unknown: there is no /proc".to_owned();
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<30}{value}");
        };
        line("payments per second", &rate(measurement.payments, measurement.elapsed));
        line("adapter CPU per payment, ms", &self.cpu_per_payment().unwrap_or_else(unknown));
        for percent in PERCENTILES {
            line(&format!("p{percent}, ms"), &milliseconds(measurement.latency.percentile(percent)));
        }
        line("adapter memory, peak, MiB", &self.peak_memory().unwrap_or_else(unknown));
        line("generator CPU, s", &milliseconds(measurement.generator_cpu / 1000));
        line("errors", &measurement.errors.to_string());
        if let Some(error) = &measurement.first_error {
            line("", error);
        }
        text
    }

    fn json(&self, arguments: &BenchAdapterArguments) -> String {
        let measurement = &self.measurement;
        let known = |text: Option<String>| text.map_or(Value::Null, |text| number(&text));
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("side", arguments.side.as_str().into());
        put("payments_per_s", number(&rate(measurement.payments, measurement.elapsed)));
        put("cpu_per_payment_ms", known(self.cpu_per_payment()));
        for percent in PERCENTILES {
            put(&format!("p{percent}_ms"), number(&milliseconds(measurement.latency.percentile(percent))));
        }
        put("peak_rss_mib", known(self.peak_memory()));
        put("payments", json!(measurement.payments));
        put("errors", json!(measurement.errors));
        put("first_error", json!(measurement.first_error));
        put("pinned", json!(self.is_pinned));
        put("signed", json!(arguments.sign));
        put("concurrency", json!(arguments.concurrency));
        put("measured_s", json!(arguments.seconds));
        format!("{}\n", Value::Object(object))
    }

    fn cpu_per_payment(&self) -> Option<String> {
        let cpu = self.measurement.adapter_cpu?;
        let payments = u32::try_from(self.measurement.payments).ok().filter(|payments| *payments > 0)?;
        Some(milliseconds(cpu / payments))
    }

    fn peak_memory(&self) -> Option<String> {
        self.peak_memory_kib.map(|kib| decimal(kib * 10 / 1024, 1))
    }
}

impl SideName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Payee => "payee",
        }
    }
}
