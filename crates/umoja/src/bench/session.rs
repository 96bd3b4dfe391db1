//! One benchmark from the empty directory to the verified ledger.
//!
//! Invariant: whatever ends the session, the hub's process is ended and the fresh directory removed.

use super::{
    BenchArguments,
    report::{Audit, Durability, Report},
};
use harness::{
    filesystem,
    load::{Generator, Measurement},
    process::{Addresses, HubCommand, HubProcess},
    provision::{self, Client, Plan},
    scheme::Scheme,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};
use vocabulary::Amount;

/// More than any DFSP pays in an hour.
const FUNDS: u64 = 10_000_000_000;
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(60);
const REGISTRATION_POLL: Duration = Duration::from_millis(20);
const CHECK_TIME_LIMIT: Duration = Duration::from_secs(60);

/// The counters by which the hub says what it committed and what reached the disk first.
const UNITS: &str = "umoja_store_units_total";
const UNITS_SYNCED: &str = "umoja_store_units_synced_total";

/// Commits so far, and those of them that returned after a sync.
#[derive(Clone, Copy)]
struct Commits {
    units: u64,
    synced: u64,
}

/// Whether the hub of a session signs what it makes.
#[derive(Clone, Copy)]
pub struct Signing(pub bool);

pub async fn run(arguments: &BenchArguments, seed: u64, signing: Signing) -> Result<Report, String> {
    let parent = &arguments.data;
    let directory = filesystem::fresh_directory(parent).map_err(|error| {
        format!("No directory can be made in {}: {error}. Give --data another one.", parent.display())
    })?;
    let kind = match arguments.hub_store {
        None => Some(disk_of(directory.path())?),
        Some(_) => None,
    };
    let binary = std::env::current_exe().map_err(|error| format!("The path of this program is unknown: {error}."))?;
    let mut hub = start_hub(arguments, &binary, directory.path(), signing).await?;
    let scheme = arguments.scheme();
    let generator = Generator::start(scheme, hub.addresses().fspiop, seed)
        .map_err(|error| format!("The load generator cannot start: {error}."))?;
    let measured = measure(arguments, &hub, &generator).await;
    if let Some(sentence) = hub.ended_by_itself() {
        return Err(sentence);
    }
    let mut measured = measured?;
    measured.audit.problems.extend(hub.stop().await.err());
    measured.audit.problems.extend(ledger_problem(arguments, &binary, directory.path()).await);
    Ok(Report {
        signs: signing.0,
        pace: arguments.pace(),
        scheme,
        warm_up_s: arguments.warm_up,
        seed,
        measurement: measured.measurement,
        peak_memory_kib: measured.peak_memory_kib,
        durability: Durability { file_system: kind, ..measured.durability },
        audit: measured.audit,
    })
}

/// What is observed while the hub runs.
struct Measured {
    measurement: Measurement,
    peak_memory_kib: Option<u64>,
    durability: Durability,
    audit: Audit,
}

async fn measure(arguments: &BenchArguments, hub: &HubProcess, generator: &Generator) -> Result<Measured, String> {
    let (client, scheme) = (Client::new(), arguments.scheme());
    make_scheme(&client, scheme, hub, generator).await?;
    let commits_before = commits(&client, hub).await?;
    let positions_before = positions(&client, hub, scheme).await?;
    progress(&format!("warming up {} s, then measuring {} s", arguments.warm_up, arguments.seconds));
    let measurement = generator.run(arguments.load(hub.pid())).await.map_err(|error| error.to_string())?;
    let commits_after = commits(&client, hub).await?;
    let peak_memory_kib = hub.peak_memory_kib();

    progress("asking the hub for every payment that a payer saw committed");
    let checked = generator.check(CHECK_TIME_LIMIT).await.map_err(|error| error.to_string())?;
    let positions_after = positions(&client, hub, scheme).await?;
    let problems = position_problems(&positions_before, &positions_after, &measurement.positions);
    Ok(Measured {
        measurement,
        peak_memory_kib,
        durability: durability(commits_before, commits_after),
        audit: Audit { checked, problems },
    })
}

/// The kind of file system, if it is one that keeps what it is given.
fn disk_of(directory: &Path) -> Result<String, String> {
    let shown = directory.display();
    let kind =
        filesystem::kind_of(directory).map_err(|error| format!("The file system of {shown} is unknown: {error}."))?;
    if filesystem::is_in_memory(&kind) {
        return Err(format!(
            "{shown} lies on {kind}, which is memory: what is measured there says nothing about durable commits. Give --data a directory on a disk."
        ));
    }
    Ok(kind)
}

async fn start_hub(
    arguments: &BenchArguments,
    binary: &Path,
    directory: &Path,
    signing: Signing,
) -> Result<HubProcess, String> {
    let store: [OsString; 2] = match &arguments.hub_store {
        Some(address) => ["--store".into(), address.into()],
        None => ["--data".into(), data_directory(directory).into()],
    };
    let sign: [OsString; 2] = ["--sign".into(), signing.0.to_string().into()];
    let config = arguments.hub_config.iter().flat_map(|file| ["--config".into(), file.into()]);
    let command = HubCommand {
        binary: binary.to_owned(),
        arguments: store.into_iter().chain(config).chain(sign).collect(),
        log: directory.join("hub.log"),
    };
    HubProcess::start(&command, Addresses::any()).await
}

async fn make_scheme(client: &Client, scheme: Scheme, hub: &HubProcess, generator: &Generator) -> Result<(), String> {
    progress(&format!("making {} DFSPs with {} customers each", scheme.dfsps, scheme.parties));
    let plan = Plan { scheme, hub: hub.addresses(), callbacks: generator.callbacks(), funds: FUNDS };
    provision::provision(client, &plan).await.map_err(|error| error.to_string())?;
    let fspiop = hub.addresses().fspiop;
    provision::register_parties(client, fspiop, scheme).await.map_err(|error| error.to_string())?;
    let deadline = Instant::now() + REGISTRATION_TIMEOUT;
    let wanted = scheme.parties_in_all() as u64;
    loop {
        let confirmed = generator.registrations().confirmed();
        if let (refused, Some(text)) = generator.registrations().refused() {
            return Err(format!("{refused} parties were not registered; the first answer: {text}"));
        }
        if confirmed >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            let seconds = REGISTRATION_TIMEOUT.as_secs();
            return Err(format!("Only {confirmed} of {wanted} registrations were confirmed within {seconds} s."));
        }
        sleep(REGISTRATION_POLL).await;
    }
}

async fn positions(client: &Client, hub: &HubProcess, scheme: Scheme) -> Result<Vec<Amount>, String> {
    let administration = hub.addresses().administration;
    provision::positions(client, administration, scheme).await.map_err(|error| error.to_string())
}

/// What the hub's positions moved by, against what the payers heard.
fn position_problems(before: &[Amount], after: &[Amount], expected: &[Amount]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut sum = Amount::ZERO;
    for (dfsp, ((before, after), expected)) in (0u8..).zip(before.iter().zip(after).zip(expected)) {
        let moved = after.checked_sub(*before);
        if moved != Some(*expected) {
            let name = harness::scheme::dfsp_text(dfsp);
            problems.push(format!(
                "position of {name}: {before} before, {after} after, but its payments add up to {expected}"
            ));
        }
        sum = moved.and_then(|moved| sum.checked_add(moved)).unwrap_or(Amount::MAX);
    }
    if !sum.is_zero() {
        problems.push(format!("the positions moved by {sum} in sum, not by 0"));
    }
    problems
}

/// Lets `umoja verify` recompute the stopped hub's ledger.
async fn ledger_problem(arguments: &BenchArguments, binary: &Path, directory: &Path) -> Option<String> {
    let store: [OsString; 2] = match &arguments.hub_store {
        // Nothing is left of it.
        Some(address) if address == "memory" => return None,
        Some(address) => ["--store".into(), address.into()],
        None => ["--data".into(), data_directory(directory).into()],
    };
    let verified = Command::new(binary).arg("verify").args(store).kill_on_drop(true).output().await;
    match verified {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some(format!("umoja verify: {}", String::from_utf8_lossy(&said).trim_end()))
        }
        Err(error) => Some(format!("umoja verify cannot be run: {error}")),
    }
}

async fn commits(client: &Client, hub: &HubProcess) -> Result<Commits, String> {
    let url = format!("http://{}/metrics", hub.addresses().portal);
    let reply = client.get(&url).await.map_err(|error| error.to_string())?;
    reply.expect(&[200]).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&reply.body);
    let counter = |name: &str| counter(&text, name).ok_or_else(|| format!("GET {url} does not count {name}."));
    Ok(Commits { units: counter(UNITS)?, synced: counter(UNITS_SYNCED)? })
}

/// Sum of a counter over its labels, in Prometheus' text format.
fn counter(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let is_whole_name = rest.starts_with([' ', '{']);
        is_whole_name.then(|| rest.rsplit(' ').next()?.parse::<u64>().ok()).flatten()
    });
    values.reduce(u64::saturating_add)
}

fn durability(before: Commits, after: Commits) -> Durability {
    Durability {
        units: after.units.saturating_sub(before.units),
        units_synced: after.synced.saturating_sub(before.synced),
        file_system: None,
    }
}

fn data_directory(directory: &Path) -> PathBuf {
    directory.join("data")
}

fn progress(what: &str) {
    eprintln!("umoja bench: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_compared_with_the_payments_and_with_each_other() {
        let amounts = |units: [i64; 2]| units.map(Amount::from_units);
        let (before, moved) = (amounts([500, 0]), amounts([70, -70]));
        assert_eq!(position_problems(&before, &amounts([570, -70]), &moved), [""; 0]);
        let lost = position_problems(&before, &amounts([500, -70]), &moved);
        assert_eq!(lost.len(), 2, "one position and the sum: {lost:?}");
        let elsewhere = position_problems(&before, &amounts([580, -80]), &moved);
        assert_eq!(elsewhere.len(), 2, "both positions: {elsewhere:?}");
    }

    #[test]
    fn a_counter_is_summed_over_its_labels_and_not_mistaken_for_another() {
        let text = "# TYPE umoja_store_units_total counter\numoja_store_units_total{node=\"a\"} 3\n\
                    umoja_store_units_total{node=\"b\"} 4\numoja_store_units_totally 9\numoja_other_total 5\n";
        assert_eq!(counter(text, UNITS), Some(7));
        assert_eq!(counter(text, "umoja_other_total"), Some(5));
        assert_eq!(counter(text, UNITS_SYNCED), None);
    }
}
