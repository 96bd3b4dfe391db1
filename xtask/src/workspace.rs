//! Where the workspace lies, and how a task runs other programs in it.
//!
//! Invariant: every program runs in the workspace's root, without standard input, and its failure is an error that
//! names the command.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder that holds the workspace's Cargo.toml.
pub fn root() -> PathBuf {
    // Cargo sets the variable for `cargo run`; the value of build time serves a binary that is started by hand.
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest_dir).parent().expect("xtask lies in a folder of the workspace").to_owned()
}

/// The cargo that started this task, so that a `+toolchain` holds for everything.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Prints the command to standard error, runs it with our output, and fails unless it exits 0.
pub fn run(command: &mut Command) -> Result<(), String> {
    eprintln!("$ {}", words(command));
    let status = command.status().map_err(|error| format!("cannot start `{}`: {error}", words(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", words(command))) }
}

/// Runs the command silently and returns what it wrote to standard output.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cannot start `{}`: {error}", words(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}` ended with {}: {}", words(command), output.status, complaint.trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` did not write UTF-8", words(command)))
}

/// Cargo's target directory, wherever environment or configuration put it.
pub fn target_dir() -> Result<PathBuf, String> {
    let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata is no JSON: {error}"))?;
    let directory = metadata["target_directory"].as_str().ok_or("cargo metadata names no target_directory")?;
    Ok(PathBuf::from(directory))
}

/// Whether a program of this name stands in a directory of PATH.
pub fn in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut text = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
