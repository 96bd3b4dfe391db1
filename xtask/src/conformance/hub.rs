//! The hub under test: a process of its own on the default ports.
//!
//! Invariant: a started hub is stopped by its process id, at the latest when the value is dropped. It gets SIGTERM
//! first, and time to finish what it promised to finish.

use crate::workspace::command;
use std::{
    env, fs,
    fs::File,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

const FSPIOP_PORT: u16 = 4000;
const PORTS: [u16; 5] = [FSPIOP_PORT, 3001, 3007, 4001, 8080];
const START_WAIT: Duration = Duration::from_secs(30);
/// The hub drains its callbacks for at most ten seconds.
const STOP_WAIT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
const LOG_TAIL_LINES: usize = 20;

pub struct Hub {
    process: Child,
    log: PathBuf,
    stopped: bool,
}

impl Hub {
    /// Starts the hub with an empty data directory and waits until it is healthy. Data and log lie in `work_dir`.
    pub fn start(binary: &Path, work_dir: &Path) -> Result<Self, String> {
        if let Some(port) = PORTS.into_iter().find(|port| is_open(*port)) {
            return Err(format!("port {port} is in use: stop what listens there, the hub under test needs it"));
        }
        let log = work_dir.join("hub.log");
        let log_problem = |error: io::Error| format!("cannot write {}: {error}", log.display());
        let stdout = File::create(&log).map_err(log_problem)?;
        let stderr = stdout.try_clone().map_err(log_problem)?;
        let mut hub = command(binary);
        hub.arg("hub").arg("--data").arg(work_dir.join("data")).stdout(stdout).stderr(stderr);
        // Settings of the person's own hub; the one under test runs on defaults.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UMOJA_")) {
            hub.env_remove(name);
        }
        let process = hub.spawn().map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
        println!("conformance: hub started, pid {}, log {}", process.id(), log.display());
        let mut hub = Self { process, log, stopped: false };
        match hub.wait_until_healthy() {
            Ok(()) => Ok(hub),
            Err(problem) => {
                hub.print_log_tail();
                Err(problem)
            }
        }
    }

    /// Ends the hub. An error if it had ended before by itself or had to be killed.
    pub fn stop(&mut self) -> Result<(), String> {
        self.stopped = true;
        if let Some(status) = self.exit_status()? {
            return Err(format!("the hub ended during the run: {status}"));
        }
        let pid = self.process.id().to_string();
        let terminated = command("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        let deadline = Instant::now() + STOP_WAIT;
        while terminated.is_ok() && Instant::now() < deadline {
            if let Some(status) = self.exit_status()? {
                println!("conformance: hub stopped, {status}");
                return Ok(());
            }
            sleep(POLL_INTERVAL);
        }
        self.process.kill().map_err(|error| format!("cannot kill the hub, pid {pid}: {error}"))?;
        self.process.wait().map_err(|error| format!("cannot wait for the hub, pid {pid}: {error}"))?;
        Err(format!("the hub did not stop within {} s of SIGTERM and was killed", STOP_WAIT.as_secs()))
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

    fn wait_until_healthy(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_WAIT;
        while Instant::now() < deadline {
            if let Some(status) = self.exit_status()? {
                self.stopped = true;
                return Err(format!("the hub ended while starting: {status}"));
            }
            if is_healthy() && PORTS.into_iter().all(is_open) {
                return Ok(());
            }
            sleep(POLL_INTERVAL);
        }
        let closed: Vec<String> =
            PORTS.into_iter().filter(|port| !is_open(*port)).map(|port| port.to_string()).collect();
        let seconds = START_WAIT.as_secs();
        Err(format!("the hub is not healthy after {seconds} s; ports not listening: [{}]", closed.join(", ")))
    }

    fn exit_status(&mut self) -> Result<Option<std::process::ExitStatus>, String> {
        self.process.try_wait().map_err(|error| format!("cannot ask for the state of the hub: {error}"))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(problem) = self.stop()
        {
            eprintln!("xtask: {problem}");
        }
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE_TIMEOUT)
}

fn is_open(port: u16) -> bool {
    connect(port).is_ok()
}

fn is_healthy() -> bool {
    let ask = || -> io::Result<Vec<u8>> {
        let mut stream = connect(FSPIOP_PORT)?;
        stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
        stream.set_write_timeout(Some(PROBE_TIMEOUT))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
        let mut status_line = vec![0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut status_line)?;
        Ok(status_line)
    };
    ask().is_ok_and(|status_line| status_line.ends_with(b" 200"))
}
