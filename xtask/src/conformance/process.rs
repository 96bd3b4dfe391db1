//! A program of ours that runs beside the kit: started with a log, stopped by its process id.
//!
//! Invariant: what was started is stopped, at the latest when the value is dropped. It gets SIGTERM first, and time to
//! finish what it promised to finish.

use crate::workspace::command;
use std::{
    env, fs,
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread::sleep,
    time::{Duration, Instant},
};

/// A hub drains its callbacks for at most ten seconds.
const STOP_WAIT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
const LOG_TAIL_LINES: usize = 20;

pub struct Process {
    /// For messages: "the hub".
    name: String,
    child: Child,
    log: PathBuf,
    stopped: bool,
}

/// `umoja` without the settings of whatever the person runs beside this.
pub fn umoja(binary: &Path) -> Command {
    let mut umoja = command(binary);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UMOJA_")) {
        umoja.env_remove(name);
    }
    umoja
}

impl Process {
    /// Starts the program; what it prints goes to `log`.
    pub fn start(name: &str, program: &mut Command, log: PathBuf) -> Result<Self, String> {
        let log_problem = |error: io::Error| format!("cannot write {}: {error}", log.display());
        let stdout = File::create(&log).map_err(log_problem)?;
        let stderr = stdout.try_clone().map_err(log_problem)?;
        let child = program.stdout(stdout).stderr(stderr).spawn();
        let child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
        println!("conformance: {name} started, pid {}, log {}", child.id(), log.display());
        Ok(Self { name: name.to_owned(), child, log, stopped: false })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `is_ready`. Errors, with the end of the log printed: it ends before, or takes longer than `wait`.
    pub fn wait_until(&mut self, wait: Duration, is_ready: impl Fn() -> bool) -> Result<(), String> {
        let deadline = Instant::now() + wait;
        let problem = loop {
            if let Some(status) = self.exit_status()? {
                self.stopped = true;
                break format!("{} ended while starting: {status}", self.name);
            }
            if is_ready() {
                return Ok(());
            }
            if Instant::now() > deadline {
                break format!("{} is not ready after {} s", self.name, wait.as_secs());
            }
            sleep(POLL_INTERVAL);
        };
        self.print_log_tail();
        Err(problem)
    }

    /// Ends the program. An error if it had ended before by itself or had to be killed.
    pub fn stop(&mut self) -> Result<(), String> {
        self.stopped = true;
        let name = self.name.clone();
        if let Some(status) = self.exit_status()? {
            return Err(format!("{name} ended during the run: {status}"));
        }
        let pid = self.id().to_string();
        let terminated = command("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        let deadline = Instant::now() + STOP_WAIT;
        while terminated.is_ok() && Instant::now() < deadline {
            if let Some(status) = self.exit_status()? {
                println!("conformance: {name} stopped, {status}");
                return Ok(());
            }
            sleep(POLL_INTERVAL);
        }
        self.child.kill().map_err(|error| format!("cannot kill {name}, pid {pid}: {error}"))?;
        self.child.wait().map_err(|error| format!("cannot wait for {name}, pid {pid}: {error}"))?;
        Err(format!("{name} did not stop within {} s of SIGTERM and was killed", STOP_WAIT.as_secs()))
    }

    pub fn print_log_tail(&self) {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        println!("-- the last lines of {}", self.log.display());
        for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
            println!("   {line}");
        }
    }

    fn exit_status(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| format!("cannot ask for the state of {}: {error}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(problem) = self.stop()
        {
            eprintln!("xtask: {problem}");
        }
    }
}

pub fn connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE_TIMEOUT)
}

pub fn is_open(port: u16) -> bool {
    connect(port).is_ok()
}
