//! One benchmark from the empty directory to the verified ledger.
//!
//! Invariant: whatever ends the session, the hub's process is ended and the fresh directory removed.

use super::{
    BenchArguments, Run, day,
    report::{Audit, Durability, Report},
    secure::Prepared,
};
use harness::{
    closing::{Closer, Closing, close_every},
    filesystem,
    load::{Generator, Links, Measurement, Registrations, Stopped},
    process::{Addresses, HubCommand, HubProcess},
    provision::{self, Client, Plan},
    random::Random,
    scheme::{CURRENCY, Scheme},
};
use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};
use vocabulary::Amount;

/// More than any DFSP pays in an hour.
pub const FUNDS: u64 = 10_000_000_000;
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(60);
/// How old a node's copy of the directory may be.
pub const DIRECTORY_AGE_MAX: Duration = Duration::from_millis(1100);
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

/// Whether DFSPs are called over TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsSecured {
    Yes,
    No,
}

/// The hub's processes and what speaks to them.
pub struct Session<'a> {
    pub arguments: &'a BenchArguments,
    pub client: Client,
    pub generator: Generator,
    nodes: Vec<HubProcess>,
}

/// Signed payments are for runs in which signatures are verified.
pub async fn run(
    arguments: &BenchArguments,
    seed: u64,
    run: Run,
    prepared: Option<&Prepared>,
) -> Result<Report, String> {
    let parent = &arguments.data;
    let directory = filesystem::fresh_directory(parent).map_err(|error| {
        format!("No directory can be made in {}: {error}. Give --data another one.", parent.display())
    })?;
    let kind = match arguments.hub_store {
        None => Some(disk_of(directory.path())?),
        Some(_) => None,
    };
    let binary = std::env::current_exe().map_err(|error| format!("The path of this program is unknown: {error}."))?;
    let hubs = Hubs { arguments, binary: &binary, directory: directory.path(), run };
    let mut session = match prepared {
        None => hubs.plain_session(seed).await?,
        Some(prepared) => hubs.secured_session(seed, prepared).await?,
    };
    let measured = session.measure(run).await;
    if let Some(sentence) = session.nodes.iter_mut().find_map(HubProcess::ended_by_itself) {
        return Err(sentence);
    }
    let mut measured = measured?;
    for node in session.nodes {
        measured.audit.problems.extend(node.stop().await.err());
    }
    measured.audit.problems.extend(ledger_problem(arguments, &binary, directory.path()).await);
    Ok(Report {
        run,
        pace: arguments.pace(),
        scheme: arguments.scheme(),
        warm_up_s: arguments.warm_up,
        seed,
        durability: Durability { file_system: kind, ..measured.durability },
        measurement: measured.measurement,
        peak_memory_kib: measured.peak_memory_kib,
        closings: measured.closings,
        day: measured.day,
        audit: measured.audit,
    })
}

/// What is observed while the hub runs.
struct Measured {
    measurement: Measurement,
    peak_memory_kib: Option<u64>,
    durability: Durability,
    closings: Vec<Closing>,
    day: Option<day::Day>,
    audit: Audit,
}

impl Session<'_> {
    pub fn hub(&self) -> Addresses {
        self.nodes[0].addresses()
    }

    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().map(HubProcess::pid).collect()
    }

    pub fn closer(&self) -> Closer {
        let nodes = self.nodes.iter().map(HubProcess::addresses).collect();
        Closer::new(self.client.clone(), nodes, &format!("DEFERREDNET{CURRENCY}"))
    }

    async fn measure(&self, run: Run) -> Result<Measured, String> {
        let scheme = self.arguments.scheme();
        let commits_before = self.commits().await?;
        let positions_before = self.positions().await?;
        let (measurement, mut closings) = match self.arguments.day {
            Some(payments) => (day::load(self, payments).await?, Vec::new()),
            None => self.load(run.closes).await?,
        };
        let commits_after = self.commits().await?;
        let peak_memory_kib = self.nodes.iter().map(HubProcess::peak_memory_kib).sum();

        progress("asking the hub for every payment that a payer saw committed");
        let checked = self.generator.check(CHECK_TIME_LIMIT).await.map_err(|error| error.to_string())?;
        let mut problems = Vec::new();
        let mut day = None;
        if self.arguments.day.is_some() {
            let (figures, closing) = day::end(self, measurement.committed).await?;
            (day, closings) = (Some(figures), vec![closing]);
        } else if run.closes.is_some() {
            closings.extend(self.closer().close_and_settle().await.map_err(|error| error.to_string())?);
        } else {
            let positions = self.positions().await?;
            problems = position_problems(&positions_before, &positions, &measurement.positions);
        }
        if !closings.is_empty() {
            let accounts = provision::position_accounts(&self.client, self.hub().administration, scheme).await;
            let settled = settled(&closings, &accounts.map_err(|error| error.to_string())?);
            problems = settlement_problems(&settled, &measurement.positions, &self.positions().await?);
        }
        Ok(Measured {
            measurement,
            peak_memory_kib,
            durability: durability(commits_before, commits_after),
            closings,
            day,
            audit: Audit { checked, problems },
        })
    }

    /// One run of the generator, beside which windows may be closed and settled.
    async fn load(&self, closes: Option<Duration>) -> Result<(Measurement, Vec<Closing>), String> {
        let arguments = self.arguments;
        progress(&format!("warming up {} s, then measuring {} s", arguments.warm_up, arguments.seconds));
        let load = self.generator.run(arguments.load(self.pids()));
        let Some(every) = closes else {
            return Ok((load.await.map_err(|error| error.to_string())?, Vec::new()));
        };
        let over = tokio::sync::Notify::new();
        let load = async {
            let measurement = load.await;
            over.notify_one();
            measurement
        };
        let mut closer = self.closer();
        let (measurement, closings) = tokio::join!(load, close_every(&mut closer, every, over.notified()));
        let measurement = measurement.map_err(|error: Stopped| error.to_string())?;
        Ok((measurement, closings.map_err(|error| error.to_string())?))
    }

    async fn make_scheme(&self, is_secured: IsSecured) -> Result<(), String> {
        let (hub, scheme) = (self.hub(), self.arguments.scheme());
        progress(&format!("making {} DFSPs with {} customers each", scheme.dfsps, scheme.parties));
        let plan = Plan {
            scheme,
            hub,
            callbacks: self.generator.callbacks(),
            is_secured: is_secured == IsSecured::Yes,
            funds: FUNDS,
        };
        provision::provision(&self.client, &plan).await.map_err(|error| error.to_string())?;
        // Every node has to have heard of the participants before it is asked about them.
        sleep(DIRECTORY_AGE_MAX).await;
        provision::register_parties(&self.client, hub.fspiop, scheme).await.map_err(|error| error.to_string())?;
        until_registered(self.generator.registrations(), scheme).await
    }

    async fn positions(&self) -> Result<Vec<Amount>, String> {
        let scheme = self.arguments.scheme();
        provision::positions(&self.client, self.hub().administration, scheme).await.map_err(|error| error.to_string())
    }

    async fn commits(&self) -> Result<Commits, String> {
        let mut all = Commits { units: 0, synced: 0 };
        for node in &self.nodes {
            let url = format!("http://{}/metrics", node.addresses().portal);
            let reply = self.client.get(&url).await.map_err(|error| error.to_string())?;
            reply.expect(&[200]).map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&reply.body);
            let counter = |name: &str| counter(&text, name).ok_or_else(|| format!("GET {url} does not count {name}."));
            all.units += counter(UNITS)?;
            all.synced += counter(UNITS_SYNCED)?;
        }
        Ok(all)
    }
}

/// Waits until every customer is known to the hub.
pub async fn until_registered(registrations: &Registrations, scheme: Scheme) -> Result<(), String> {
    let deadline = Instant::now() + REGISTRATION_TIMEOUT;
    let wanted = scheme.parties_in_all() as u64;
    loop {
        let confirmed = registrations.confirmed();
        if let (refused, Some(text)) = registrations.refused() {
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

/// The kind of file system, if it is one that keeps what it is given.
pub fn disk_of(directory: &Path) -> Result<String, String> {
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

/// How the hubs of a session are started.
struct Hubs<'a> {
    arguments: &'a BenchArguments,
    binary: &'a Path,
    directory: &'a Path,
    run: Run,
}

impl<'a> Hubs<'a> {
    async fn plain_session(&self, seed: u64) -> Result<Session<'a>, String> {
        let mut nodes = Vec::new();
        for _ in 0..self.arguments.nodes {
            nodes.push(self.start(Addresses::any(), Vec::new()).await?);
        }
        let fspiop: Vec<_> = nodes.iter().map(|node| node.addresses().fspiop).collect();
        let generator = self.generator(&fspiop, (seed, Links::default()))?;
        let session = Session { arguments: self.arguments, client: Client::new(), generator, nodes };
        session.make_scheme(IsSecured::No).await?;
        Ok(session)
    }

    /// What is not measured speaks plainly: DFSPs and parties are there before the hub asks for certificates.
    async fn secured_session(&self, seed: u64, prepared: &Prepared) -> Result<Session<'a>, String> {
        let addresses = Addresses::reserved(&mut Random::seeded(seed))
            .map_err(|error| format!("There are no ports for the hub: {error}."))?;
        let generator = self.generator(&[addresses.fspiop], (seed, prepared.links(self.run.step)))?;
        let open = self.start(addresses, prepared.credentials.outgoing_arguments()).await?;
        let mut session = Session { arguments: self.arguments, client: Client::new(), generator, nodes: vec![open] };
        session.make_scheme(IsSecured::Yes).await?;
        for node in session.nodes.drain(..) {
            node.stop().await?;
        }
        session.nodes.push(self.start(addresses, prepared.hub_arguments(self.run.step)).await?);
        Ok(session)
    }

    fn generator(&self, nodes: &[SocketAddr], (seed, links): (u64, Links)) -> Result<Generator, String> {
        Generator::start(self.arguments.scheme(), nodes, seed, links)
            .map_err(|error| format!("The load generator cannot start: {error}."))
    }

    async fn start(&self, addresses: Addresses, more: Vec<OsString>) -> Result<HubProcess, String> {
        let store: [OsString; 2] = match &self.arguments.hub_store {
            Some(address) => ["--store".into(), address.into()],
            None => ["--data".into(), data_directory(self.directory).into()],
        };
        let sign: [OsString; 2] = ["--sign".into(), self.run.signs.to_string().into()];
        let config = self.arguments.hub_config.iter().flat_map(|file| ["--config".into(), file.into()]);
        let command = HubCommand {
            binary: self.binary.to_owned(),
            arguments: store.into_iter().chain(config).chain(sign).chain(more).collect(),
            log: self.directory.join("hub.log"),
        };
        HubProcess::start(&command, addresses).await
    }
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

/// What the settlements asked each of these accounts for, in sum.
fn settled(closings: &[Closing], accounts: &[u64]) -> Vec<Option<Amount>> {
    let of = |account: u64| {
        let nets = closings.iter().flat_map(|closing| &closing.nets).filter(|(id, _)| *id == account);
        nets.map(|(_, net)| *net).try_fold(Amount::ZERO, |sum, net| sum.checked_add(net))
    };
    accounts.iter().map(|account| of(*account)).collect()
}

/// Every payment was settled once: the net amounts are what the payments add up to, and no position is left.
fn settlement_problems(settled: &[Option<Amount>], expected: &[Amount], left: &[Amount]) -> Vec<String> {
    let mut problems = Vec::new();
    for (dfsp, ((settled, expected), left)) in (0u8..).zip(settled.iter().zip(expected).zip(left)) {
        let name = harness::scheme::dfsp_text(dfsp);
        if *settled != Some(*expected) {
            let settled = settled.map_or("too much to add".to_owned(), |sum| sum.to_string());
            problems.push(format!("{name}: {settled} was settled, but its payments add up to {expected}"));
        }
        if !left.is_zero() {
            problems.push(format!("position of {name}: {left} after everything was settled"));
        }
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
    verify(binary, &store).await
}

/// Lets `umoja verify` recompute a store that no hub uses; a sentence if something differs.
pub async fn verify(binary: &Path, store: &[OsString; 2]) -> Option<String> {
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

pub fn progress(what: &str) {
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
    fn what_was_settled_is_compared_with_the_payments() {
        let amounts = |units: [i64; 2]| units.map(Amount::from_units);
        let closing = |nets: [i64; 2]| Closing {
            window: 1,
            nets: vec![(3, Amount::from_units(nets[0])), (5, Amount::from_units(nets[1]))],
            close: Duration::ZERO,
            create: Duration::ZERO,
            settle: Duration::ZERO,
        };
        let settled = settled(&[closing([70, -70]), closing([-20, 20])], &[3, 5]);
        assert_eq!(settlement_problems(&settled, &amounts([50, -50]), &amounts([0, 0])), [""; 0]);
        assert_eq!(settlement_problems(&settled, &amounts([51, -51]), &amounts([0, 0])).len(), 2);
        assert_eq!(settlement_problems(&settled, &amounts([50, -50]), &amounts([1, 0])).len(), 1);
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
