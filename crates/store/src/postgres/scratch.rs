//! A throw-away PostgreSQL for tests: one server for the process, one empty database for each caller.
//!
//! The server listens on a socket in a directory of its own, does not sync, and is stopped and removed by a shell that
//! reads a pipe: the pipe closes when this process ends, however it ends, killed included.

use super::{
    address::Address,
    connection::{Connection, Purpose},
};
use crate::StoreError;
use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Debian puts each major version's server programs here instead of into PATH.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The longest path that a socket may have everywhere, less what PostgreSQL appends.
const SOCKET_DIRECTORY_MAX: usize = 80;
/// Under these names root can run the server, which refuses to run as root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Starts the server, says `ready`, waits for the end of the standard input and removes everything. Nobody may be left
/// to hear it say `ready`, and that must not be what ends it.
const SUPERVISE: &str = r#"
trap '' PIPE
cleanup() {
    "$PROGRAMS/pg_ctl" -D "$DIRECTORY/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$DIRECTORY"
}
"$PROGRAMS/initdb" -D "$DIRECTORY/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$DIRECTORY/log" 2>&1 &&
"$PROGRAMS/pg_ctl" -D "$DIRECTORY/data" -l "$DIRECTORY/log" -w start -o "$OPTIONS -k '$DIRECTORY'" >/dev/null 2>&1 &&
echo ready || { tail -n 5 "$DIRECTORY/log"; cleanup; exit 1; }
cat >/dev/null
cleanup
"#;

const OPTIONS: &str = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=300 \
     -c shared_buffers=32MB -c max_wal_size=256MB -c log_min_messages=error";

struct Server {
    directory: PathBuf,
    /// Its standard input is the pipe.
    _supervisor: Child,
}

/// The address of a new, empty database on this process's server, which the first call starts.
pub async fn database() -> Result<String, StoreError> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(start).as_ref().map_err(|error| StoreError::Refused(error.clone()))?;
    let name = format!("scratch_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let connection = Connection::open(&Address::parse(&server.address("postgres"))?, Purpose::Reads).await?;
    connection.script(&format!("CREATE DATABASE {name}")).await?;
    Ok(server.address(&name))
}

impl Server {
    fn address(&self, database: &str) -> String {
        let host = self.directory.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://postgres@{host}/{database}")
    }
}

fn start() -> Result<Server, String> {
    let programs = programs().ok_or(
        "The tests start a PostgreSQL of their own and find no `initdb`: run `cargo xtask test` as root, or install \
         PostgreSQL's server programs (Debian, Ubuntu: `apt-get install postgresql`; elsewhere: put them into PATH).",
    )?;
    let refused = |error: std::io::Error| format!("No directory for PostgreSQL: {error}");
    let directory = new_directory().map_err(refused)?;
    // Who runs this is whom a new directory belongs to.
    let is_root = fs::metadata(&directory).map_err(refused)?.uid() == 0;
    let user = if is_root { Some(unprivileged_user()?) } else { None };
    if let Some((user, group)) = user {
        chown(&directory, Some(user), Some(group)).map_err(refused)?;
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SUPERVISE]).current_dir(&directory).process_group(0);
    command.env("PROGRAMS", programs).env("DIRECTORY", &directory).env("OPTIONS", OPTIONS);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    let mut supervisor = command.spawn().map_err(|error| format!("/bin/sh: {error}"))?;
    let output = supervisor.stdout.take().expect("it was asked for above");
    let mut said = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|error| error.to_string())?;
        if line == "ready" {
            return Ok(Server { directory, _supervisor: supervisor });
        }
        said.push(line);
    }
    Err(format!("PostgreSQL for tests did not start: {}", said.join(" / ")))
}

/// The directory with `initdb`: the newest that Debian installed, else one of PATH.
fn programs() -> Option<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut installed: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    installed.sort_by_key(|path| std::cmp::Reverse(version(path)));
    let installed = installed.into_iter().map(|path| path.join("bin"));
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let has_all = |directory: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| directory.join(name).is_file());
    installed.chain(in_path).find(has_all)
}

fn unprivileged_user() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    UNPRIVILEGED
        .into_iter()
        .find_map(ids)
        .ok_or_else(|| "PostgreSQL does not run as root, and there is neither a user postgres nor nobody.".to_owned())
}

fn new_directory() -> std::io::Result<PathBuf> {
    let chosen = env::temp_dir();
    let parent = if chosen.as_os_str().len() > SOCKET_DIRECTORY_MAX { PathBuf::from("/tmp") } else { chosen };
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let directory = parent.join(format!("umoja-pg-{:016x}", u64::from_le_bytes(random)));
    fs::DirBuilder::new().mode(0o700).create(&directory)?;
    Ok(directory)
}
