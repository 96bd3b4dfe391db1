//! The hub and the proxy adapter as processes: started, asked for their resources, ended.
//!
//! Invariant: a started process is ended by its own id, at the latest when the value is dropped.

use crate::random::Random;
use std::{
    ffi::OsString,
    fs,
    fs::File,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The hub drains its callbacks for at most ten seconds.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Below the ephemeral ports of Linux, which begin at 32768.
const PORTS_FROM: u16 = 20_000;
const PORTS_COUNT: u64 = 10_000;
const PORT_TRIES_MAX: u32 = 200;
const READY_LINE_MAX: u64 = 4096;
const LOG_TAIL_LINES: usize = 10;
/// Linux reports processor times in this unit, whatever the kernel's own tick is (proc(5), `USER_HZ`).
const CLOCK_TICK: Duration = Duration::from_millis(10);

/// Where the listeners of a hub are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addresses {
    pub fspiop: SocketAddr,
    pub administration: SocketAddr,
    pub settlement: SocketAddr,
    pub oracles: SocketAddr,
    pub portal: SocketAddr,
}

/// How a hub is started.
#[derive(Clone, Debug)]
pub struct HubCommand {
    /// The `umoja` binary.
    pub binary: PathBuf,
    /// `--data DIR` or `--store ADDRESS`, and whatever else.
    pub arguments: Vec<OsString>,
    /// Where its log goes; appended to.
    pub log: PathBuf,
}

/// A running hub.
#[derive(Debug)]
pub struct HubProcess {
    process: ServerProcess,
    addresses: Addresses,
}

/// A running command of `umoja` that serves until it is told to stop.
#[derive(Debug)]
pub struct ServerProcess {
    name: &'static str,
    child: Child,
    pid: u32,
    log: PathBuf,
    /// Keeps the pipe open, so that the process may go on writing to it.
    _stdout: BufReader<ChildStdout>,
}

impl Addresses {
    /// Any free loopback ports.
    pub fn any() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { fspiop: any, administration: any, settlement: any, oracles: any, portal: any }
    }

    /// See [`reserved`].
    pub fn reserved(random: &mut Random) -> io::Result<Self> {
        let [fspiop, administration, settlement, oracles, portal] = reserved(random)?;
        Ok(Self { fspiop, administration, settlement, oracles, portal })
    }

    fn arguments(&self) -> impl Iterator<Item = OsString> {
        [
            ("--listen-fspiop", self.fspiop),
            ("--listen-administration", self.administration),
            ("--listen-settlement", self.settlement),
            ("--listen-oracles", self.oracles),
            ("--listen-portal", self.portal),
        ]
        .into_iter()
        .flat_map(|(flag, address)| [flag.into(), address.to_string().into()])
    }

    /// Reads the line that `umoja hub --json` prints when it is ready.
    fn parse(line: &str) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
        Some(Self {
            fspiop: address("fspiop")?,
            administration: address("administration")?,
            settlement: address("settlement")?,
            oracles: address("oracles")?,
            portal: address("portal")?,
        })
    }
}

impl HubProcess {
    /// Starts a hub on these addresses and waits until it is ready. The error is a sentence, with the end of its log.
    pub async fn start(command: &HubCommand, addresses: Addresses) -> Result<Self, String> {
        let arguments = ["hub".into()].into_iter().chain(command.arguments.iter().cloned());
        let arguments: Vec<OsString> = arguments.chain(["--json".into()]).chain(addresses.arguments()).collect();
        let mut process = Command::new(&command.binary);
        process.args(arguments);
        let (process, addresses) = ServerProcess::start("hub", process, &command.log, Addresses::parse).await?;
        Ok(Self { process, addresses })
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The most memory that it has had at a time, in KiB.
    pub fn peak_memory_kib(&self) -> Option<u64> {
        self.process.peak_memory_kib()
    }

    /// A sentence with the end of its log, if the hub does not run any more.
    pub fn ended_by_itself(&mut self) -> Option<String> {
        self.process.ended_by_itself()
    }

    /// SIGKILL: the process does not get to do anything any more.
    pub async fn kill(self) -> io::Result<()> {
        self.process.kill().await
    }

    /// SIGTERM, and SIGKILL if that does not help in time. An error if it had ended before or did not end well.
    pub async fn stop(self) -> Result<(), String> {
        self.process.stop().await
    }
}

impl ServerProcess {
    /// Starts a process, called `name` in sentences, that prints one line when it is ready, and gives what that line
    /// says. Its log is appended to a file. The error is a sentence, with the end of the log.
    pub async fn start<T>(
        name: &'static str,
        mut command: Command,
        log: &Path,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        let started = Self::spawn(&mut command, log).map_err(|error| {
            let binary = Path::new(command.as_std().get_program()).display();
            format!("cannot start {binary} with its log in {}: {error}", log.display())
        })?;
        let (mut child, pid, mut stdout) = started;
        let mut line = String::new();
        let ready = timeout(START_TIMEOUT, (&mut stdout).take(READY_LINE_MAX).read_line(&mut line)).await;
        let problem = match ready {
            Err(_) => format!("the {name} was not ready within {} s", START_TIMEOUT.as_secs()),
            Ok(Err(error)) => format!("the {name}'s first line cannot be read: {error}"),
            Ok(Ok(0)) => format!("the {name} ended while starting"),
            Ok(Ok(_)) => match parse(&line) {
                Some(said) => return Ok((Self { name, child, pid, log: log.to_owned(), _stdout: stdout }, said)),
                None => format!("the {name}'s first line does not name its addresses: {}", line.trim_end()),
            },
        };
        // It may have ended by itself already.
        let _ = child.kill().await;
        Err(format!("{problem}{}", log_tail(log)))
    }

    fn spawn(command: &mut Command, log: &Path) -> io::Result<(Child, u32, BufReader<ChildStdout>)> {
        let log = File::options().create(true).append(true).open(log)?;
        // Settings of a hub that the person runs are not for this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UMOJA_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().expect("a child that was not waited for has an id");
        let stdout = child.stdout.take().expect("its output was asked for");
        Ok((child, pid, BufReader::new(stdout)))
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The most memory that it has had at a time, in KiB.
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// A sentence with the end of its log, if the process does not run any more.
    pub fn ended_by_itself(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("the {} ended by itself: {status}{}", self.name, log_tail(&self.log)))
    }

    /// SIGKILL: the process does not get to do anything any more.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Sends a signal, named as kill(1) has it.
    pub async fn signal(&self, signal: &str) -> Result<(), String> {
        let pid = self.pid.to_string();
        let asked = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", signal, &pid]).status().await;
        asked
            .map(drop)
            .map_err(|error| format!("no shell to send SIG{signal} to the {}, pid {pid}: {error}", self.name))
    }

    /// SIGTERM, and SIGKILL if that does not help in time. An error if it had ended before or did not end well.
    pub async fn stop(mut self) -> Result<(), String> {
        if let Some(sentence) = self.ended_by_itself() {
            return Err(sentence);
        }
        self.signal("TERM").await?;
        let (name, pid) = (self.name, self.pid);
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("the {name} did not end well: {status}")),
            Ok(Err(error)) => Err(format!("cannot wait for the {name}, pid {pid}: {error}")),
            Err(_) => {
                self.child.kill().await.map_err(|error| format!("cannot kill the {name}, pid {pid}: {error}"))?;
                Err(format!("the {name} did not stop within {} s of SIGTERM and was killed", STOP_TIMEOUT.as_secs()))
            }
        }
    }
}

/// Free loopback ports that no client of this machine is given by chance. A server that is to come back on its ports, or that
/// is told them, needs such ones: whoever connects to an ephemeral port while nobody listens there may be given that very port.
pub fn reserved<const COUNT: usize>(random: &mut Random) -> io::Result<[SocketAddr; COUNT]> {
    let mut ports = Vec::new();
    for _ in 0..PORT_TRIES_MAX {
        let candidate = SocketAddr::from(([127, 0, 0, 1], PORTS_FROM + random.below(PORTS_COUNT) as u16));
        let is_free = std::net::TcpListener::bind(candidate).is_ok();
        if is_free && !ports.contains(&candidate) {
            ports.push(candidate);
        }
        if let Ok(ports) = <[SocketAddr; COUNT]>::try_from(ports.as_slice()) {
            return Ok(ports);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("no {COUNT} free ports between 20000 and 30000")))
}

/// Processor time that a process has used, in user and kernel mode. `None` if there is no such process.
pub fn processor_time(pid: u32) -> Option<Duration> {
    ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Processor time that this thread has used; zero where there is no `/proc`.
pub fn thread_processor_time() -> Duration {
    fs::read_to_string("/proc/thread-self/stat").ok().and_then(|stat| ticks(&stat)).unwrap_or_default()
}

/// Fields 14 and 15 of proc(5)'s `stat`. The second field is a name in parentheses that may contain anything.
fn ticks(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(CLOCK_TICK * user.checked_add(system)?)
}

fn log_tail(log: &Path) -> String {
    let log = fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
    if tail.is_empty() { String::new() } else { format!("\nits log ends:\n{}", tail.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 1 0 100 1 1";
        assert_eq!(ticks(stat), Some(Duration::from_millis(1750)));
        assert_eq!(ticks("42 (hub"), None);
    }

    #[test]
    fn the_ready_line_names_five_addresses() {
        let line = r#"{"fspiop":"127.0.0.1:4000","administration":"127.0.0.1:3001","settlement":"127.0.0.1:3007",
            "oracles":"127.0.0.1:4001","portal":"127.0.0.1:8080"}"#;
        assert_eq!(Addresses::parse(line).unwrap().settlement.port(), 3007);
        assert_eq!(Addresses::parse(r#"{"fspiop":"127.0.0.1:4000"}"#), None);
        assert_eq!(Addresses::parse("listening"), None);
    }

    #[test]
    fn a_hub_that_cannot_start_is_reported_with_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("no-such-binary");
        let command = HubCommand { binary, arguments: Vec::new(), log: directory.path().join("hub.log") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let problem = runtime.block_on(HubProcess::start(&command, Addresses::any())).unwrap_err();
        assert!(problem.starts_with("cannot start ") && problem.contains("no-such-binary"), "{problem}");
    }
}
