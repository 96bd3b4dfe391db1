//! `umoja bench --secure`: what each step from plain links to secured ones costs.
//!
//! The same scheme again and again, each time with a fresh hub: plain; with mutual TLS on every link; with messages that
//! carry their DFSP's signature, which the hub verifies; with the messages that the hub makes signed by it, of which each
//! payment has two, because the payee answers RESERVED: with a P-256 key, and with an RSA key of 2048 bits. What a step
//! costs is what the hub's processor time per payment grows by.
//!
//! Invariant: nothing is compared that was not measured in this run.

use super::{
    BenchArguments, Run,
    report::{Report, decimal, number, per_payment_micros, rate},
    session::{self, progress},
};
use harness::{
    credentials::Credentials,
    filesystem,
    load::{Links, SignedPayments},
};
use serde_json::{Map, Value, json};
use std::{ffi::OsString, fmt::Write as _, sync::Arc, time::Duration};

/// More payments than this are not signed beforehand; their signatures take 3 KiB each.
const SIGNED_MAX: u64 = 1_000_000;
/// A step is not faster than the one before it by more than this, in per cent.
const FASTER_MAX: u64 = 120;

/// How much of the security there is. Each step has what the ones before it have; the last two differ by their key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    Plain,
    Tls,
    Verified,
    SignedEs256,
    SignedRs256,
}

impl Step {
    const ALL: [Self; 5] = [Self::Plain, Self::Tls, Self::Verified, Self::SignedEs256, Self::SignedRs256];

    pub fn text(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "mutual TLS",
            Self::Verified => "signatures verified",
            Self::SignedEs256 => "own messages signed, ES256",
            Self::SignedRs256 => "own messages signed, RS256",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Verified => "verified",
            Self::SignedEs256 => "signed_es256",
            Self::SignedRs256 => "signed_rs256",
        }
    }

    /// The step that it is compared with.
    fn before(self) -> Option<Self> {
        match self {
            Self::Plain => None,
            Self::Tls => Some(Self::Plain),
            Self::Verified => Some(Self::Tls),
            Self::SignedEs256 | Self::SignedRs256 => Some(Self::Verified),
        }
    }
}

/// What the secured steps share.
pub struct Prepared {
    pub credentials: Arc<Credentials>,
    signed: Option<Arc<SignedPayments>>,
}

impl Prepared {
    pub fn links(&self, step: Step) -> Links {
        let signed = self.signed.clone().filter(|_| step >= Step::Verified);
        Links { credentials: Some(self.credentials.clone()), signed }
    }

    pub fn hub_arguments(&self, step: Step) -> Vec<OsString> {
        let mut arguments = self.credentials.outgoing_arguments();
        arguments.extend(self.credentials.listener_arguments());
        if step >= Step::Verified {
            arguments.extend(self.credentials.verification_arguments());
        }
        if step == Step::SignedEs256 {
            arguments.extend(self.credentials.p256_arguments());
        }
        arguments
    }
}

/// One session for each step.
pub async fn run(arguments: &BenchArguments, seed: u64) -> Result<Vec<Report>, String> {
    let directory = filesystem::fresh_directory(&arguments.data)
        .map_err(|error| format!("No directory can be made in {}: {error}.", arguments.data.display()))?;
    let credentials = Arc::new(Credentials::make(directory.path(), arguments.scheme())?);
    let mut prepared = Prepared { credentials, signed: None };
    let mut reports: Vec<Report> = Vec::new();
    for step in Step::ALL {
        progress(step.text());
        if let (Step::Verified, Some(before)) = (step, reports.last()) {
            prepared.signed = Some(Arc::new(sign(arguments, (seed, before), &prepared.credentials).await?));
        }
        let run = Run { signs: step >= Step::SignedEs256, closes: None, step };
        let shared = (step != Step::Plain).then_some(&prepared);
        reports.push(session::run(arguments, seed, run, shared).await?);
    }
    Ok(reports)
}

/// As many payments as the next steps could make in their time.
async fn sign(
    arguments: &BenchArguments,
    (seed, before): (u64, &Report),
    credentials: &Arc<Credentials>,
) -> Result<SignedPayments, String> {
    let whole = u64::from(arguments.warm_up + arguments.seconds);
    let measured = u64::from(arguments.seconds);
    let count = before.measurement.payments * whole / measured * FASTER_MAX / 100 + 1000;
    let count = u32::try_from(count.min(SIGNED_MAX)).expect("the limit fits");
    progress(&format!("signing the messages of {count} payments"));
    let (scheme, credentials) = (arguments.scheme(), credentials.clone());
    let signing = tokio::task::spawn_blocking(move || SignedPayments::make(count, seed, (scheme, &credentials)));
    signing.await.map_err(|error| format!("Signing ended early: {error}."))?
}

/// The table of each step, and what the steps cost.
pub fn tables(steps: &[Report]) -> String {
    let mut text = steps.iter().map(Report::table).collect::<Vec<_>>().join("\n");
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{:<28}{:>12}{:>10}{:>14}{:>12}", "", "payments/s", "of plain", "hub CPU, ms", "more, ms");
    for (step, share, cpu) in figures(steps) {
        let pace = rate(step.measurement.payments, step.measurement.elapsed);
        let cpu = cpu.map_or_else(|| "unknown".to_owned(), |cpu| decimal(cpu, 3));
        let more = more(steps, step.run.step).unwrap_or_default();
        let _ = writeln!(text, "{:<28}{pace:>12}{share:>8} %{cpu:>14}{more:>12}", step.run.step.text());
    }
    text
}

/// One object on one line: the plain step's members, and those of the others in members of their own.
pub fn json(steps: &[Report]) -> String {
    let mut all = Map::new();
    for (step, share, cpu) in figures(steps) {
        let mut object = step.object();
        object.insert("percent_of_plain".to_owned(), json!(share));
        object.insert("hub_cpu_us_per_payment".to_owned(), json!(cpu));
        all.insert(step.run.step.name().to_owned(), Value::Object(object));
    }
    for (name, step) in [
        ("hub_cpu_ms_tls", Step::Tls),
        ("hub_cpu_ms_verifying", Step::Verified),
        ("hub_cpu_ms_signing_es256", Step::SignedEs256),
        ("hub_cpu_ms_signing_rs256", Step::SignedRs256),
    ] {
        all.insert(name.to_owned(), more(steps, step).map_or(Value::Null, |more| number(&more)));
    }
    format!("{}\n", Value::Object(all))
}

/// What a step costs the hub for each payment, in milliseconds.
fn more(steps: &[Report], step: Step) -> Option<String> {
    let cpu = |wanted| figures(steps).find(|(report, ..)| report.run.step == wanted).and_then(|(.., cpu)| cpu);
    Some(difference(cpu(step)?, cpu(step.before()?)?))
}

/// Each step with its throughput in per cent of the first one's, and the hub's processor time per payment in microseconds.
fn figures(steps: &[Report]) -> impl Iterator<Item = (&Report, u64, Option<u64>)> {
    let pace = |report: &Report| per_second(report.measurement.payments, report.measurement.elapsed);
    let plain = steps.first().map_or(0, pace);
    steps.iter().map(move |step| {
        let share = (pace(step) * 100).checked_div(plain).unwrap_or(0);
        let cpu = step.measurement.hub_cpu.map(|cpu| per_payment_micros(cpu, step.measurement.payments));
        (step, share, cpu)
    })
}

/// Thousandths of payments per second.
fn per_second(payments: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    (payments * 1_000_000).checked_div(millis).unwrap_or(0)
}

/// In milliseconds, with its sign.
fn difference(to: u64, from: u64) -> String {
    let sign = if to < from { "-" } else { "" };
    format!("{sign}{}", decimal(to.abs_diff(from), 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_keep_their_sign() {
        assert_eq!(difference(1_250, 250), "1.000");
        assert_eq!(difference(250, 262), "-0.012");
    }

    #[test]
    fn each_step_has_what_the_ones_before_it_have() {
        assert!(Step::ALL.is_sorted());
        assert!(Step::ALL.iter().all(|step| step.before().is_none_or(|before| before < *step)));
        assert_eq!(per_second(30_000, Duration::from_secs(10)), 3_000_000);
    }
}
