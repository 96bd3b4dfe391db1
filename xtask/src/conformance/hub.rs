//! The hub under test: a process of its own on the default ports.

use super::process::{PROBE_TIMEOUT, Process, connect, is_open, umoja};
use std::{
    io::{self, Read, Write},
    path::Path,
    time::Duration,
};

const FSPIOP_PORT: u16 = 4000;
const PORTS: [u16; 5] = [FSPIOP_PORT, 3001, 3007, 4001, 8080];
const START_WAIT: Duration = Duration::from_secs(30);

/// Starts the hub with an empty data directory and waits until it is healthy. Data and log lie in `work_dir`.
pub fn start(binary: &Path, work_dir: &Path) -> Result<Process, String> {
    if let Some(port) = PORTS.into_iter().find(|port| is_open(*port)) {
        return Err(format!("port {port} is in use: stop what listens there, the hub under test needs it"));
    }
    let mut hub = umoja(binary);
    hub.arg("hub").arg("--data").arg(work_dir.join("data"));
    let mut hub = Process::start("the hub", &mut hub, work_dir.join("hub.log"))?;
    hub.wait_until(START_WAIT, || is_healthy() && PORTS.into_iter().all(is_open))?;
    Ok(hub)
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
