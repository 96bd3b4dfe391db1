//! `cargo xtask fuzz`: every fuzz target for a while, on inputs that grow from run to run.
//!
//! Invariant: every target runs, also after one that found something, and a finding fails the task. The targets are built
//! without a sanitizer: our own crates forbid unsafe code, and without one the stable compiler is enough. Panics,
//! overflows, hangs and hunger for memory are found all the same.

use crate::workspace::{cargo, output, root, run as run_command, target_dir};
use std::{fs, path::Path};

const SECONDS: u64 = 60;
/// One input may not take longer than this.
const INPUT_SECONDS_MAX: u64 = 10;
const MEMORY_MIB_MAX: u64 = 2_048;
/// Longer inputs cost time and find nothing that shorter ones do not.
const INPUT_BYTES_MAX: u64 = 16_384;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let Options { seconds, only } = chosen(arguments)?;
    if output(cargo().args(["fuzz", "--version"])).is_err() {
        return Err("cargo-fuzz is not installed: `cargo install cargo-fuzz`; it also needs a C++ compiler \
                    (Debian, Ubuntu: `sudo apt-get install g++`)"
            .to_owned());
    }
    let targets = targets(&root().join("fuzz/targets"))?;
    let chosen: Vec<&String> = targets.iter().filter(|name| only.is_empty() || only.contains(name)).collect();
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        return Err(format!("there is no fuzz target {unknown:?}; targets: {}", targets.join(", ")));
    }
    let directory = target_dir()?.join("fuzz");
    let build = ["fuzz", "build", "--sanitizer", "none", "--target-dir"];
    run_command(cargo().args(build).arg(&directory))?;
    let mut found = Vec::new();
    for target in chosen {
        println!("\n== {target}");
        if let Err(problem) = fuzz(target, seconds, &directory) {
            eprintln!("xtask: {problem}");
            found.push(target.as_str());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("something was found by: {}; the inputs lie in fuzz/artifacts", found.join(", ")))
}

fn fuzz(target: &str, seconds: u64, directory: &Path) -> Result<(), String> {
    let corpus = directory.join("corpus").join(target);
    fs::create_dir_all(&corpus).map_err(|error| format!("cannot create {}: {error}", corpus.display()))?;
    let mut command = cargo();
    command.args(["fuzz", "run", "--sanitizer", "none", "--target-dir"]).arg(directory).arg(target);
    command.arg(corpus).arg(root().join("fuzz/seeds").join(target));
    command.args(["--", "-verbosity=0", "-print_final_stats=1"]).args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
    ]);
    run_command(&mut command)
}

/// Every source file of the folder is a target; each has a folder of seeds.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if let (Some("rs"), Some(name)) = (path.extension().and_then(|it| it.to_str()), path.file_stem()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    seconds: u64,
    /// Empty for all.
    only: Vec<String>,
}

fn chosen(arguments: &[String]) -> Result<Options, String> {
    let usage = || "usage: cargo xtask fuzz [--seconds N] [TARGET...]".to_owned();
    let mut options = Options { seconds: SECONDS, only: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let seconds = match argument.strip_prefix("--seconds") {
            None if argument.starts_with('-') => return Err(usage()),
            None => {
                options.only.push(argument.clone());
                continue;
            }
            Some("") => arguments.next().ok_or_else(usage)?,
            Some(rest) => rest.strip_prefix('=').ok_or_else(usage)?,
        };
        options.seconds = seconds.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(usage)?;
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &str) -> Result<Options, String> {
        let arguments: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        chosen(&arguments)
    }

    #[test]
    fn a_minute_for_every_target_unless_something_else_is_said() {
        assert_eq!(options(""), Ok(Options { seconds: 60, only: Vec::new() }));
        let both = Options { seconds: 5, only: vec!["ilp".to_owned(), "route".to_owned()] };
        assert_eq!(options("--seconds 5 ilp route").as_ref(), Ok(&both));
        assert_eq!(options("ilp --seconds=5 route"), Ok(both));
        for wrong in ["--seconds", "--seconds 0", "--seconds=x", "--secondsly", "--time 5"] {
            assert!(options(wrong).unwrap_err().starts_with("usage"), "{wrong}");
        }
    }

    #[test]
    fn every_target_is_built_and_has_seeds() {
        let folder = root().join("fuzz");
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let built = manifest["bin"].as_array().unwrap().iter();
        let mut built: Vec<String> = built.map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
        built.sort();
        assert_eq!(targets(&folder.join("targets")).unwrap(), built);
        for target in built {
            assert!(folder.join("seeds").join(&target).is_dir(), "{target} has no seeds");
        }
    }
}
