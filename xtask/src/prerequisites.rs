//! What the tests need from the machine besides Rust, and how it gets there.
//!
//! Invariant: nothing is installed that is there already, and nothing outside Debian's package manager (run by root)
//! and rustup is ever touched; everybody else gets one sentence that says what to install.

use crate::workspace::{cargo, command, in_path, output, run};
use std::{env, fs, path::Path};

/// Debian puts each major version's server programs here instead of into PATH.
const DEBIAN_POSTGRESQL: &str = "/usr/lib/postgresql";
/// Read by the package when it would create (and start) a cluster of its own.
const CLUSTER_POLICY_DIR: &str = "/etc/postgresql-common/createcluster.d";

/// The tests of the store start their own throw-away PostgreSQL from these programs.
pub fn postgresql_server() -> Result<(), String> {
    if has_postgresql_server() {
        return Ok(());
    }
    if !can_install() {
        return Err("the tests start a PostgreSQL of their own and find no `initdb`: install PostgreSQL's server \
                    programs (Debian, Ubuntu: `sudo apt-get install postgresql`; elsewhere: put them into PATH)"
            .to_owned());
    }
    let policy = Path::new(CLUSTER_POLICY_DIR).join("umoja-tests.conf");
    // Without the policy the installation still works; it only leaves a server running that nobody asked for.
    let policy_holds = fs::create_dir_all(CLUSTER_POLICY_DIR)
        .and_then(|()| fs::write(&policy, "create_main_cluster = false\n"))
        .inspect_err(|error| eprintln!("xtask: the package will start a server of its own: {error}"));
    let installed = apt_install(&["postgresql"]);
    if policy_holds.is_ok() {
        fs::remove_file(&policy).map_err(|error| format!("cannot remove {}: {error}", policy.display()))?;
    }
    installed?;
    if has_postgresql_server() { Ok(()) } else { Err("the package postgresql brought no `initdb`".to_owned()) }
}

/// SQLite is compiled into the product.
pub fn c_compiler() -> Result<(), String> {
    if env::var_os("CC").is_some() || ["cc", "gcc", "clang"].into_iter().any(in_path) {
        return Ok(());
    }
    if !can_install() {
        return Err("SQLite is built from source and there is no C compiler: install one \
                    (Debian, Ubuntu: `sudo apt-get install gcc libc6-dev`)"
            .to_owned());
    }
    apt_install(&["gcc", "libc6-dev"])
}

/// The commands of the pages are run with it.
pub fn curl() -> Result<(), String> {
    if in_path("curl") {
        return Ok(());
    }
    if !can_install() {
        return Err("the tests run the commands of the documentation and find no `curl`: install it \
                    (Debian, Ubuntu: `sudo apt-get install curl`)"
            .to_owned());
    }
    apt_install(&["curl"])
}

/// The published scheme adapter runs on it.
pub fn node() -> Result<(), String> {
    let missing: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| !in_path(program))
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !can_install() {
        return Err(
            "the published scheme adapter runs on Node.js and is installed with npm: install both, Node.js 18 or \
                    newer (Debian, Ubuntu: `sudo apt-get install nodejs npm`)"
                .to_owned(),
        );
    }
    apt_install(&missing)
}

/// The published scheme adapter keeps its records there.
pub fn redis_server() -> Result<(), String> {
    if in_path("redis-server") {
        return Ok(());
    }
    if !can_install() {
        return Err(
            "the published scheme adapter keeps its records in Redis and there is no `redis-server`: install it \
                    (Debian, Ubuntu: `sudo apt-get install redis-server`)"
                .to_owned(),
        );
    }
    apt_install(&["redis-server"])
}

/// The pages of the example DFSP are tried in it.
pub fn browser() -> Result<(), String> {
    if ["chromium", "chromedriver"].into_iter().all(in_path) {
        return Ok(());
    }
    if !can_install() {
        return Err(
            "the tests of the pages drive a browser and find no `chromium` or no `chromedriver`: install both \
                    (Debian: `sudo apt-get install chromium chromium-driver`; elsewhere: put them into PATH)"
                .to_owned(),
        );
    }
    apt_install(&["chromium", "chromium-driver"])
}

/// `cargo fmt` and `cargo clippy` are absent from rustup's minimal profile.
pub fn rust_component(subcommand: &str, component: &str) -> Result<(), String> {
    if output(cargo().args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    if !in_path("rustup") {
        return Err(format!("`cargo {subcommand}` is missing: install your toolchain's component {component}"));
    }
    run(command("rustup").args(["component", "add", component]))
}

fn has_postgresql_server() -> bool {
    let versions = fs::read_dir(DEBIAN_POSTGRESQL).into_iter().flatten().flatten();
    in_path("initdb") || versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

fn can_install() -> bool {
    in_path("apt-get") && output(command("id").arg("-u")).is_ok_and(|user| user.trim() == "0")
}

fn apt_install(packages: &[&str]) -> Result<(), String> {
    run(command("apt-get").args(["update", "-q"]))?;
    run(command("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-q", "-y", "--no-install-recommends"])
        .args(packages))
}
