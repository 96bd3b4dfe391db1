//! `umoja bench --schemes 2`: what a payment to another scheme costs, beside one within a scheme.
//!
//! Two hubs and the proxy between them are processes of their own, each hub on a fresh database; the DFSPs are this process.
//! The same hubs carry both kinds of payments, one after the other.
//!
//! Invariant: numbers count only with the audit: every DFSP's position is what its payments add up to, the proxy owes on one
//! side what it is owed on the other, and both ledgers verify.

use super::{
    BenchArguments,
    report::{milliseconds, number, per_payment, rate},
    session::{self, progress},
};
use harness::{
    filesystem,
    load::{Checked, Generator, Links, Measurement, Options},
    process::{Addresses, HubCommand, HubProcess, ServerProcess, processor_time},
    provision::{self, Client, PROXY, Plan},
    scheme::{Reach, Scheme, dfsp_text},
};
use serde_json::{Map, Value, json};
use std::{
    ffi::OsString,
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::sleep};
use vocabulary::Amount;

const HUBS: usize = 2;
const NAMES: [&str; HUBS] = ["HubA", "HubB"];
const LEGS: [(&str, Reach); 2] = [("within a scheme", Reach::OwnHub), ("to the other scheme", Reach::OtherHubs)];
const PERCENTILES: [u8; 3] = [50, 95, 99];
const CHECK_TIME_LIMIT: Duration = Duration::from_secs(60);

/// One kind of payments.
struct Leg {
    name: &'static str,
    measurement: Measurement,
    /// Processor time of the proxy for the whole leg, and the payments of the whole leg.
    proxy_cpu: Option<Duration>,
    payments: u64,
}

/// Everything that was observed.
pub struct Report {
    legs: Vec<Leg>,
    scheme: Scheme,
    seed: u64,
    checked: Checked,
    problems: Vec<String>,
}

/// The processes, and what speaks to them.
struct Session {
    client: Client,
    hubs: Vec<HubProcess>,
    proxy: ServerProcess,
    /// What hub A calls, and what hub B calls.
    listeners: [SocketAddr; HUBS],
    generator: Generator,
    scheme: Scheme,
}

pub async fn run(arguments: &BenchArguments, seed: u64) -> Result<Report, String> {
    let scheme = arguments.scheme().over_hubs(HUBS as u8);
    let scheme = scheme.ok_or("Two schemes need two DFSPs each: give --dfsps 4 or more.")?;
    let parent = &arguments.data;
    let directory = filesystem::fresh_directory(parent).map_err(|error| {
        format!("No directory can be made in {}: {error}. Give --data another one.", parent.display())
    })?;
    session::disk_of(directory.path())?;
    let binary = std::env::current_exe().map_err(|error| format!("The path of this program is unknown: {error}."))?;
    let mut session = Session::start((&binary, directory.path()), scheme, seed).await?;
    let measured = session.measure(arguments).await;
    let ended = session.hubs.iter_mut().find_map(HubProcess::ended_by_itself);
    if let Some(sentence) = ended.or_else(|| session.proxy.ended_by_itself()) {
        return Err(sentence);
    }
    let (legs, checked, mut problems) = measured?;
    for hub in session.hubs {
        problems.extend(hub.stop().await.err());
    }
    problems.extend(session.proxy.stop().await.err());
    for name in NAMES {
        let data = data_of(directory.path(), name);
        problems.extend(session::verify(&binary, &["--data".into(), data.into()]).await);
    }
    Ok(Report { legs, scheme, seed, checked, problems })
}

fn data_of(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}

impl Session {
    async fn start((binary, directory): (&Path, &Path), scheme: Scheme, seed: u64) -> Result<Self, String> {
        let mut hubs = Vec::new();
        for name in NAMES {
            let data = data_of(directory, name);
            let arguments: [OsString; 6] =
                ["--data".into(), data.into(), "--name".into(), name.into(), "--sign".into(), "false".into()];
            let log = directory.join(format!("{name}.log"));
            let command = HubCommand { binary: binary.to_owned(), arguments: arguments.into(), log };
            hubs.push(HubProcess::start(&command, Addresses::any()).await?);
        }
        let fspiop: Vec<SocketAddr> = hubs.iter().map(|hub| hub.addresses().fspiop).collect();
        let mut command = Command::new(binary);
        command.args(["proxy", "--name", PROXY, "--json", "--a-listen", "127.0.0.1:0", "--b-listen", "127.0.0.1:0"]);
        command.args(["--a-hub", &format!("http://{}", fspiop[0]), "--b-hub", &format!("http://{}", fspiop[1])]);
        let log = directory.join("proxy.log");
        // What listens for side A passes on to hub A: it is what hub B calls.
        let crossed = |line: &str| crate::bench_proxy::listeners(line).map(|[a, b]| [b, a]);
        let (proxy, listeners) = ServerProcess::start("proxy", command, &log, crossed).await?;
        let generator = Generator::start(scheme, &fspiop, seed, Links::default())
            .map_err(|error| format!("The load generator cannot start: {error}."))?;
        Ok(Self { client: Client::new(), hubs, proxy, listeners, generator, scheme })
    }

    async fn measure(&self, arguments: &BenchArguments) -> Result<(Vec<Leg>, Checked, Vec<String>), String> {
        self.make_schemes().await?;
        let mut legs: Vec<Leg> = Vec::new();
        for (name, reach) in LEGS {
            progress(&format!("payments {name}"));
            let options = Options { reach, ..arguments.load(self.hubs.iter().map(HubProcess::pid).collect()) };
            let cpu_before = processor_time(self.proxy.pid());
            let measurement = self.generator.run(options).await.map_err(|error| error.to_string())?;
            let cpu = processor_time(self.proxy.pid()).zip(cpu_before).map(|(after, before)| after - before);
            let before = legs.last().map_or(0, |leg| leg.measurement.committed);
            legs.push(Leg { name, payments: measurement.committed - before, measurement, proxy_cpu: cpu });
        }
        progress("asking the hubs for payments that a payer saw committed");
        let checked = self.generator.check(CHECK_TIME_LIMIT).await.map_err(|error| error.to_string())?;
        let problems = self.position_problems(&legs[legs.len() - 1].measurement.positions).await?;
        Ok((legs, checked, problems))
    }

    async fn make_schemes(&self) -> Result<(), String> {
        progress(&format!("making {HUBS} schemes with {} DFSPs in all", self.scheme.dfsps));
        let hubs = || self.hubs.iter().map(HubProcess::addresses).enumerate();
        for (at, hub) in hubs() {
            let plan = Plan {
                scheme: self.scheme,
                hub,
                callbacks: self.generator.callbacks(),
                is_secured: false,
                funds: session::FUNDS,
            };
            let neighbour = provision::Neighbour { hub: at, name: NAMES[at], proxy: self.listeners[at] };
            let made = provision::provision_neighbour(&self.client, &plan, neighbour).await;
            made.map_err(|error| error.to_string())?;
        }
        sleep(session::DIRECTORY_AGE_MAX).await;
        for (at, hub) in hubs() {
            let dfsps = (self.scheme, self.scheme.dfsps_of(at));
            let registered = provision::register_parties_of(&self.client, hub.fspiop, dfsps).await;
            registered.map_err(|error| error.to_string())?;
        }
        session::until_registered(self.generator.registrations(), self.scheme).await
    }

    /// Positions that are not what payments add up to; on a proxy, what one side owes and the other is not owed.
    async fn position_problems(&self, expected: &[Amount]) -> Result<Vec<String>, String> {
        let mut problems = Vec::new();
        let mut of_proxy = Amount::ZERO;
        for (at, hub) in self.hubs.iter().enumerate() {
            let administration = hub.addresses().administration;
            let position = async |name: &str| {
                let found = provision::position(&self.client, administration, name).await;
                found.map_err(|error| error.to_string())
            };
            for dfsp in self.scheme.dfsps_of(at) {
                let (name, wanted) = (dfsp_text(dfsp), expected[usize::from(dfsp)]);
                let found = position(&name).await?;
                if found != wanted {
                    problems.push(format!("position of {name}: {found}, but its payments add up to {wanted}"));
                }
            }
            of_proxy = of_proxy.checked_add(position(PROXY).await?).unwrap_or(Amount::MAX);
        }
        if !of_proxy.is_zero() {
            problems.push(format!("what the proxy owes in both schemes adds up to {of_proxy}, not to 0"));
        }
        Ok(problems)
    }
}

impl Report {
    /// No error, nothing that does not add up, and payments of both kinds.
    pub fn is_clean(&self) -> bool {
        self.errors() == 0 && self.legs.iter().all(|leg| leg.measurement.payments > 0)
    }

    fn errors(&self) -> u64 {
        let of_legs: u64 = self.legs.iter().map(|leg| leg.measurement.errors.count).sum();
        of_legs + self.checked.errors.count + self.problems.len() as u64
    }

    fn error_texts(&self) -> Vec<&String> {
        let of_legs = self.legs.iter().flat_map(|leg| &leg.measurement.errors.texts);
        of_legs.chain(&self.checked.errors.texts).chain(&self.problems).collect()
    }

    pub fn table(&self) -> String {
        let mut text = format!(
            "two schemes with {} DFSPs and {} customers in all, and a proxy between them\n\n",
            self.scheme.dfsps,
            self.scheme.parties_in_all()
        );
        let mut line = |name: &str, values: Vec<String>| {
            let cells: String = values.iter().map(|value| format!("{value:>22}")).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<30}{cells}");
        };
        let each = |value: fn(&Leg) -> String| self.legs.iter().map(value).collect::<Vec<_>>();
        line("payments", each(|leg| leg.name.to_owned()));
        line("per second", each(|leg| rate(leg.measurement.payments, leg.measurement.elapsed)));
        for percent in PERCENTILES {
            let end_to_end = |leg: &Leg| milliseconds(leg.measurement.end_to_end.percentile(percent));
            line(&format!("end to end, p{percent}, ms"), self.legs.iter().map(end_to_end).collect());
        }
        for percent in PERCENTILES {
            let added = |leg: &Leg| milliseconds(leg.measurement.hub_added.percentile(percent));
            line(&format!("added on the way, p{percent}, ms"), self.legs.iter().map(added).collect());
        }
        line("CPU of the hubs, ms each", each(|leg| leg.hub_cpu().unwrap_or_else(|| "unknown".to_owned())));
        line("CPU of the proxy, ms each", each(|leg| leg.proxy_cpu().unwrap_or_else(|| "unknown".to_owned())));
        line("measured", each(|leg| leg.measurement.payments.to_string()));
        line("a proxy adds, p50, ms", vec![String::new(), self.added_by_proxy(50)]);
        line("checked afterwards", vec![format!("{} of {}", self.checked.confirmed, self.checked.committed)]);
        line("errors", vec![self.errors().to_string()]);
        for error in self.error_texts() {
            line(error, Vec::new());
        }
        text
    }

    pub fn json(&self) -> String {
        let mut object = Map::new();
        for (leg, key) in self.legs.iter().zip(["within", "across"]) {
            let mut put = |name: &str, value: Value| object.insert(format!("{key}_{name}"), value);
            let known = |text: Option<String>| text.map_or(Value::Null, |text| number(&text));
            put("payments_per_s", number(&rate(leg.measurement.payments, leg.measurement.elapsed)));
            for percent in PERCENTILES {
                let (end, added) = (&leg.measurement.end_to_end, &leg.measurement.hub_added);
                put(&format!("p{percent}_ms"), number(&milliseconds(end.percentile(percent))));
                put(&format!("added_p{percent}_ms"), number(&milliseconds(added.percentile(percent))));
            }
            put("hub_cpu_ms_per_payment", known(leg.hub_cpu()));
            put("proxy_cpu_ms_per_payment", known(leg.proxy_cpu()));
            put("payments", json!(leg.measurement.payments));
        }
        object.insert("proxy_adds_p50_ms".to_owned(), number(&self.added_by_proxy(50)));
        object.insert("checked".to_owned(), json!(self.checked.confirmed));
        object.insert("errors".to_owned(), json!(self.errors()));
        object.insert("error_texts".to_owned(), json!(self.error_texts()));
        object.insert("seed".to_owned(), json!(self.seed));
        format!("{}\n", Value::Object(object))
    }

    /// How much longer messages are on their way to the other scheme: two hubs and a proxy instead of one hub.
    fn added_by_proxy(&self, percent: u8) -> String {
        let [within, across] = [0, 1].map(|leg: usize| self.legs[leg].measurement.hub_added.percentile(percent));
        milliseconds(across.saturating_sub(within))
    }
}

impl Leg {
    fn hub_cpu(&self) -> Option<String> {
        let cpu = self.measurement.hub_cpu.filter(|_| self.measurement.payments > 0)?;
        Some(per_payment(cpu, self.measurement.payments))
    }

    fn proxy_cpu(&self) -> Option<String> {
        Some(per_payment(self.proxy_cpu.filter(|_| self.payments > 0)?, self.payments))
    }
}
