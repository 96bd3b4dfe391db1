//! `cargo xtask interop`: payments between the published scheme adapter and ours, through our hub.
//!
//! Invariant: the published package is the one of `interop/package-lock.json`, unchanged, and it is installed into the target
//! directory, never into the checkout. What is started ends with the task: the runner is tied to it by its standard input.

use crate::{
    prerequisites,
    workspace::{cargo, command, root, run as run_command, target_dir},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

/// What defines the installation.
const DEFINITION: [&str; 2] = ["package.json", "package-lock.json"];
/// Written into the installation when it is complete: the definition that it was made from.
const MARK: &str = "installed-from";

pub fn run(arguments: &[String]) -> Result<(), String> {
    let is_json = match arguments {
        [] => false,
        [option] if option == "--json" => true,
        _ => return Err("interop takes --json and nothing else".to_owned()),
    };
    prerequisites::node()?;
    prerequisites::redis_server()?;
    let target = target_dir()?;
    let directory = target.join("interop");
    let sdk = directory.join("sdk");
    install(&root().join("interop"), &sdk)?;
    run_command(cargo().args(["build", "-p", "umoja", "--bin", "umoja", "--example", "interop"]))?;
    let run_dir = directory.join("run");
    if run_dir.exists() {
        fs::remove_dir_all(&run_dir).map_err(|error| format!("cannot empty {}: {error}", run_dir.display()))?;
    }
    fs::create_dir_all(&run_dir).map_err(|error| format!("cannot create {}: {error}", run_dir.display()))?;
    let mut runner = command(target.join("debug/examples/interop"));
    runner.arg("--umoja").arg(target.join("debug/umoja")).arg("--sdk").arg(sdk).arg("--directory").arg(&run_dir);
    runner.arg("--tied").args(is_json.then_some("--json"));
    pay(runner, &run_dir)
}

/// Keeps the runner's standard input open as long as this task lives.
fn pay(mut runner: std::process::Command, run_dir: &Path) -> Result<(), String> {
    let mut child =
        runner.stdin(Stdio::piped()).spawn().map_err(|error| format!("cannot start the runner: {error}"))?;
    let tie = child.stdin.take();
    let status = child.wait().map_err(|error| format!("cannot wait for the runner: {error}"))?;
    drop(tie);
    if status.success() {
        return Ok(());
    }
    Err(format!("interop: not everything holds; the logs of all processes are in {}", run_dir.display()))
}

/// Installs the package if it is not there as it is defined.
fn install(definition: &Path, sdk: &Path) -> Result<(), String> {
    let wanted = text_of(definition)?;
    let mark = sdk.join(MARK);
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        eprintln!("interop: the published scheme adapter is installed in {}", sdk.display());
        return Ok(());
    }
    let problem = |error: std::io::Error| format!("cannot write {}: {error}", sdk.display());
    fs::create_dir_all(sdk).map_err(problem)?;
    for file in DEFINITION {
        fs::copy(definition.join(file), sdk.join(file)).map_err(problem)?;
    }
    eprintln!("interop: installing the published scheme adapter into {}, a minute perhaps", sdk.display());
    // No script of a package runs; none is needed.
    let mut npm = command("npm");
    npm.current_dir(sdk).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    // The table is what goes to standard output.
    npm.stdout(std::io::stderr());
    run_command(&mut npm)?;
    fs::write(&mark, wanted).map_err(problem)
}

fn text_of(definition: &Path) -> Result<String, String> {
    let mut text = String::new();
    for file in DEFINITION.map(|file| -> PathBuf { definition.join(file) }) {
        text += &fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever installs it chooses the registry; what is installed is known by its hash.
    #[test]
    fn the_lock_file_names_no_registry_and_the_hash_of_every_package() {
        let text = text_of(&root().join("interop")).unwrap();
        assert!(!text.contains("\"resolved\"") && !text.contains("registry."), "where packages come from is not said");
        let lock = fs::read_to_string(root().join("interop/package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let of_others: Vec<_> = packages.iter().filter(|(path, _)| !path.is_empty()).collect();
        let unknown = of_others.iter().filter(|(_, package)| package["integrity"].is_null()).count();
        assert_eq!((of_others.is_empty(), unknown), (false, 0));
    }
}
