//! Processes of others: started with a log, waited for until they listen, ended by their ids.
//!
//! Invariant: a started process is ended, at the latest when the value is dropped.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOG_TAIL_LINES: usize = 15;

pub struct Foreign {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Foreign {
    /// Starts it and waits until it listens everywhere. The error is a sentence with the end of its log.
    pub async fn start(mut command: Command, log: PathBuf, addresses: &[SocketAddr]) -> Result<Self, String> {
        let name = Path::new(command.as_std().get_program()).display().to_string();
        let spawned = File::create(&log).and_then(|file| {
            let errors = file.try_clone()?;
            command.stdin(Stdio::null()).stdout(file).stderr(errors).kill_on_drop(true).spawn()
        });
        let child = spawned.map_err(|error| format!("cannot start {name} with its log {}: {error}", log.display()))?;
        let mut foreign = Self { name, child, log };
        let deadline = Instant::now() + START_MAX;
        for address in addresses {
            while TcpStream::connect(address).await.is_err() {
                if let Some(sentence) = foreign.ended() {
                    return Err(sentence);
                }
                if Instant::now() > deadline {
                    let seconds = START_MAX.as_secs();
                    let Self { name, .. } = &foreign;
                    return Err(format!(
                        "{name} does not listen on {address} after {seconds} s{}",
                        log_tail(&foreign.log)
                    ));
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Ok(foreign)
    }

    /// A sentence if it does not run any more.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("{} ended by itself: {status}{}", self.name, log_tail(&self.log)))
    }

    /// SIGTERM, and SIGKILL if that does not help in time. An error if it had ended before.
    pub async fn stop(mut self) -> Result<(), String> {
        if let Some(sentence) = self.ended() {
            return Err(sentence);
        }
        let pid = self.child.id().unwrap_or_default().to_string();
        // Whoever cannot be told is killed.
        let _ = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().await;
        if timeout(STOP_MAX, self.child.wait()).await.is_ok() {
            return Ok(());
        }
        self.child.kill().await.map_err(|error| format!("cannot kill {}, pid {pid}: {error}", self.name))
    }
}

fn log_tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
    format!("; {} ends:\n{}", log.display(), tail.join("\n"))
}
