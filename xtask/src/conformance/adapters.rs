//! The kit's DFSPs with our adapter in place of the reference implementation's: `conformance --adapters`.
//!
//! Of the kit only the oracles and the DFSPs' backends are started; the adapters have the ports and the environment
//! variables that the kit gives its own (its `lib/sims.js`).
//!
//! Invariant: what was started is stopped, also when the task is killed: a shell waits for the end of this process and then
//! stops what is left.

use super::process::{Process, is_open, umoja};
use crate::workspace::{command, run as run_command};
use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
    time::Duration,
};

/// Names and inbound ports; outbound, test API and backend follow.
const DFSPS: [(&str, u16); 4] = [("payerfsp", 4110), ("payeefsp", 4120), ("testfsp1", 4130), ("testfsp2", 4140)];
const START_WAIT: Duration = Duration::from_secs(30);
const VERSIONS: &str = "transfers=2.0,quotes=2.0,participants=2.0,parties=2.0,transactionRequests=1.1,authorizations=1.1,\
                        bulkTransfers=1.1,bulkQuotes=1.1";
/// Packets and conditions in the kit's environment files belong to this secret.
const ILP_SECRET: &str = "Quaixohyaesahju3thivuiChai5cahng";
/// Lines of process ids until the input ends, or the word that all is well.
const GUARD: &str = "trap '' INT TERM HUP; pids=
while read -r line; do [ \"$line\" != done ] || exit 0; pids=\"$pids $line\"; done
[ -z \"$pids\" ] || kill -TERM $pids 2>/dev/null
\"$0\" stop >/dev/null 2>&1";

/// Everything that stands around the hub.
pub struct Adapters {
    kit: PathBuf,
    adapters: Vec<Process>,
    guard: Guard,
}

/// Ends what is left when this process does.
struct Guard {
    shell: Child,
    input: Option<ChildStdin>,
}

impl Adapters {
    /// Starts stand-ins and adapters. `hub` is stopped with them if this process is killed.
    pub fn start(kit: &Path, binary: &Path, (work_dir, hub): (&Path, &Process)) -> Result<Self, String> {
        if env::var_os("UMOJA_TTK_PORT_OFFSET").is_some_and(|offset| offset != "0") {
            return Err("--adapters uses the kit's own ports: unset UMOJA_TTK_PORT_OFFSET".to_owned());
        }
        let status = command(kit.join("sims")).arg("status").stdout(Stdio::null()).status();
        if status.is_ok_and(|status| status.success()) {
            return Err(
                "the kit's stand-ins run already: stop them (sims stop), the adapters need their ports".to_owned()
            );
        }
        let mut started = Self { kit: kit.to_owned(), adapters: Vec::new(), guard: Guard::start(kit)? };
        started.guard.watch(hub.id())?;
        run_command(command(kit.join("sims")).args(["start", "--light", "--reset-state"]))?;
        for dfsp in DFSPS {
            let adapter = start_adapter(binary, work_dir, dfsp)?;
            started.guard.watch(adapter.id())?;
            started.adapters.push(adapter);
        }
        for (adapter, (_, port)) in started.adapters.iter_mut().zip(DFSPS) {
            adapter.wait_until(START_WAIT, || (port..port + 3).all(is_open))?;
        }
        Ok(started)
    }

    /// Stops all. An error if an adapter had ended before.
    pub fn stop(mut self) -> Result<(), String> {
        let problems: Vec<String> = self.adapters.iter_mut().filter_map(|adapter| adapter.stop().err()).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    pub fn print_log_tails(&self) {
        self.adapters.iter().for_each(Process::print_log_tail);
    }
}

impl Drop for Adapters {
    fn drop(&mut self) {
        self.adapters.clear();
        if let Err(problem) = run_command(command(self.kit.join("sims")).arg("stop")) {
            eprintln!("xtask: {problem}");
        }
        self.guard.dismiss();
    }
}

impl Guard {
    fn start(kit: &Path) -> Result<Self, String> {
        let mut shell = command("sh");
        shell.args(["-c", GUARD]).arg(kit.join("sims")).stdin(Stdio::piped());
        let mut shell = shell.spawn().map_err(|error| format!("cannot start sh: {error}"))?;
        let input = shell.stdin.take();
        Ok(Self { shell, input })
    }

    fn watch(&mut self, pid: u32) -> Result<(), String> {
        self.say(&pid.to_string())
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        let Some(input) = &mut self.input else { return Ok(()) };
        writeln!(input, "{line}").map_err(|error| format!("the guard of the processes has ended: {error}"))
    }

    fn dismiss(&mut self) {
        let said = self.say("done");
        self.input = None;
        if let Err(problem) = said.and_then(|()| self.shell.wait().map(drop).map_err(|error| error.to_string())) {
            eprintln!("xtask: {problem}");
        }
    }
}

fn start_adapter(binary: &Path, work_dir: &Path, (name, port): (&str, u16)) -> Result<Process, String> {
    if let Some(port) = (port..port + 3).find(|port| is_open(*port)) {
        return Err(format!("port {port} is in use: stop what listens there, the adapter of {name} needs it"));
    }
    let keys = kit_home()?.join("sdk/keys");
    let mut adapter = umoja(binary);
    adapter.arg("adapter").arg("--data").arg(work_dir.join(format!("{name}.sqlite")));
    adapter.args(["--inbound-address", "127.0.0.1"]);
    for (offset, variable) in (0..).zip(["INBOUND_LISTEN_PORT", "OUTBOUND_LISTEN_PORT", "TEST_LISTEN_PORT"]) {
        adapter.env(variable, (port + offset).to_string());
    }
    adapter.env("DFSP_ID", name).env("PEER_ENDPOINT", "127.0.0.1:4000");
    adapter.env("BACKEND_ENDPOINT", format!("127.0.0.1:{}", port + 3)).env("ENABLE_TEST_FEATURES", "true");
    adapter.env("METRICS_SERVER_LISTEN_PORT", (port + 4).to_string());
    adapter.env("JWS_SIGN", "true").env("JWS_SIGN_PUT_PARTIES", "true").env("VALIDATE_INBOUND_JWS", "false");
    adapter.env("JWS_SIGNING_KEY_PATH", keys.join("jws.key")).env("JWS_VERIFICATION_KEYS_DIRECTORY", keys);
    adapter.env("ILP_SECRET", ILP_SECRET).env("CHECK_ILP", "true").env("ALLOW_TRANSFER_WITHOUT_QUOTE", "true");
    adapter.env("AUTO_ACCEPT_PARTICIPANTS_PUT", "true").env("EXPIRY_SECONDS", "60");
    adapter.env("REQUEST_PROCESSING_TIMEOUT_SECONDS", "30").env("LOG_INDENT", "0").env("RESOURCE_VERSIONS", VERSIONS);
    Process::start(&format!("the adapter of {name}"), &mut adapter, work_dir.join(format!("{name}.log")))
}

/// Where the kit has put its packages and keys.
fn kit_home() -> Result<PathBuf, String> {
    let directory = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || directory("XDG_CACHE_HOME").or_else(|| Some(directory("HOME")?.join(".cache")));
    let home = directory("UMOJA_TTK_HOME").or_else(|| Some(cache()?.join("umoja-ttk")));
    let home = home.ok_or("neither UMOJA_TTK_HOME nor HOME is set, so the kit's keys cannot be found")?;
    fs::canonicalize(&home).map_err(|error| format!("the kit's directory {}: {error}", home.display()))
}
