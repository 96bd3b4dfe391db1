//! `cargo xtask conformance`: the Mojaloop conformance kit against a hub that this task starts and stops.
//!
//! Invariant: the hub is fresh (empty data directory, default ports), it ends with the task, and the task fails unless
//! every run of the kit exits 0. The kit's exit codes: 0 all counted test cases passed, 1 some failed, 2 could not run.

mod adapters;
mod hub;
mod process;
mod summary;

use crate::workspace::{cargo, command, root, run as run_command, target_dir};
use adapters::Adapters;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use summary::Summary;

/// Sets that onboard their own participants; everything else needs a provisioning before it.
const SELF_SUFFICIENT_SETS: [&str; 3] = ["provisioning", "smoke", "all"];
const OTHER_SETS: [&str; 3] = ["smoke-sims", "dev", "dev-ttk-only"];
/// The collections of what the hub does so far: they run when nothing is asked for, and all of them pass.
const FINISHED: [&str; 11] = [
    "hub/golden_path/feature_tests",
    "hub/golden_path/bug fixes",
    "hub/golden_path/quoting_service",
    "hub/golden_path/negative_scenarios",
    "hub/golden_path/transaction_request_service",
    "hub/golden_path/settlement_management",
    "hub/golden_path/api-tests",
    "hub/sequence",
    "hub/golden_path/fx",
    "hub/provisioning/for_inter_scheme",
    "hub/inter_scheme",
];
/// The DFSPs' adapters are ours, not those of the kit.
const ADAPTERS: &str = "--adapters";
/// They tell the kit to test another hub than ours.
const HUB_ADDRESS_VARIABLES: [&str; 4] = ["HUB_FSPIOP", "HUB_ADMIN", "HUB_SETTLEMENT", "HUB_ALS_ADMIN"];

/// One call of the kit's `run`.
#[derive(Debug, PartialEq, Eq)]
struct KitRun {
    arguments: Vec<String>,
}

pub fn run(arguments: &[String]) -> Result<(), String> {
    let Some(kit) = find_kit()? else {
        println!("conformance: the kit is not there (UMOJA_TTK names no directory, ../shared/ttk is absent): not run");
        return Ok(());
    };
    let (with_adapters, arguments) = match arguments.split_first() {
        Some((first, rest)) if first == ADAPTERS => (true, rest),
        Some(_) | None => (false, arguments),
    };
    let mut runs = plan(arguments);
    if with_adapters {
        runs.iter_mut().for_each(KitRun::without_stand_ins);
    }
    run_command(&mut command(kit.join("install")))?;
    run_command(cargo().args(["build", "--release", "-p", "umoja"]))?;
    let target = target_dir()?;
    let work_dir = target.join("conformance");
    if work_dir.exists() {
        fs::remove_dir_all(&work_dir).map_err(|error| format!("cannot empty {}: {error}", work_dir.display()))?;
    }
    fs::create_dir_all(&work_dir).map_err(|error| format!("cannot create {}: {error}", work_dir.display()))?;
    let binary = target.join("release/umoja");
    let mut hub = hub::start(&binary, &work_dir)?;
    let adapters = with_adapters.then(|| Adapters::start(&kit, &binary, (&work_dir, &hub))).transpose()?;
    let results = execute(&kit, &runs, &work_dir);
    let failed = results.iter().filter(|(_, result, _)| result.is_err()).count();
    if let Some(adapters) = adapters.as_ref().filter(|_| failed > 0) {
        adapters.print_log_tails();
    }
    let adapters_end = adapters.map_or(Ok(()), Adapters::stop);
    let hub_end = hub.stop();
    report(&results);
    if failed > 0 || hub_end.is_err() {
        hub.print_log_tail();
    }
    adapters_end?;
    hub_end?;
    if failed > 0 {
        let skipped = runs.len() - results.len();
        return Err(format!("conformance: {failed} runs failed, {skipped} not tried; logs in {}", work_dir.display()));
    }
    println!("conformance: all {} runs passed", runs.len());
    Ok(())
}

fn find_kit() -> Result<Option<PathBuf>, String> {
    if let Some(named) = env::var_os("UMOJA_TTK").filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        let kit = named.canonicalize().map_err(|error| format!("UMOJA_TTK names {}: {error}", named.display()))?;
        return Ok(Some(kit));
    }
    let beside = root().join("../shared/ttk");
    Ok(beside.join("run").is_file().then_some(beside))
}

/// What the kit is asked to run, in order; sets come before files.
fn plan(arguments: &[String]) -> Vec<KitRun> {
    let options_at = arguments.iter().position(|argument| argument.starts_with('-')).unwrap_or(arguments.len());
    let (names, options) = arguments.split_at(options_at);
    if names.is_empty() {
        return vec![
            KitRun::new(&["provisioning"], options),
            KitRun::new(&["provisioning", "--keep-state"], options),
            KitRun::new(&[&["file"], FINISHED.as_slice()].concat(), options),
        ];
    }
    let is_set = |name: &&str| SELF_SUFFICIENT_SETS.contains(name) || OTHER_SETS.contains(name);
    let (sets, files): (Vec<&str>, Vec<&str>) = names.iter().map(String::as_str).partition(is_set);
    let onboards = match sets.first() {
        Some(first) => SELF_SUFFICIENT_SETS.contains(first),
        None => files.iter().all(|file| file.starts_with("hub/provisioning")),
    };
    let mut runs = Vec::new();
    if !onboards {
        runs.push(KitRun::new(&["provisioning"], &[]));
    }
    runs.extend(sets.into_iter().map(|set| KitRun::new(&[set], options)));
    if !files.is_empty() {
        runs.push(KitRun::new(&[&["file"], files.as_slice()].concat(), options));
    }
    runs
}

/// Runs until the end, or until a provisioning fails: without participants the rest would only repeat that failure.
fn execute<'a>(
    kit: &Path,
    runs: &'a [KitRun],
    work_dir: &Path,
) -> Vec<(&'a KitRun, Result<(), String>, Option<Summary>)> {
    let mut results = Vec::new();
    for (number, kit_run) in runs.iter().enumerate() {
        let summary_file = work_dir.join(format!("summary-{}.json", number + 1));
        let mut kit_command = command(kit.join("run"));
        kit_command.args(&kit_run.arguments).arg("--summary").arg(&summary_file);
        for variable in HUB_ADDRESS_VARIABLES {
            kit_command.env_remove(variable);
        }
        let result = run_command(&mut kit_command);
        let go_on = result.is_ok() || kit_run.arguments[0] != "provisioning";
        results.push((kit_run, result, Summary::read(&summary_file)));
        if !go_on {
            break;
        }
    }
    results
}

fn report(results: &[(&KitRun, Result<(), String>, Option<Summary>)]) {
    for (kit_run, result, summary) in results {
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        println!("\n== {}: {verdict}", kit_run.arguments.join(" "));
        match summary {
            Some(summary) => print!("{summary}"),
            None => println!("   the kit left no summary"),
        }
        if let Err(problem) = result {
            println!("   {problem}");
        }
    }
    println!();
}

impl KitRun {
    fn new(words: &[&str], options: &[String]) -> Self {
        let words = words.iter().map(|&word| word.to_owned());
        Self { arguments: words.chain(options.iter().cloned()).collect() }
    }

    /// They run already.
    fn without_stand_ins(&mut self) {
        self.arguments.push("--no-sims".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(arguments: &str) -> Vec<String> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        plan(&arguments).iter().map(|kit_run| kit_run.arguments.join(" ")).collect()
    }

    #[test]
    fn without_arguments_what_is_finished_runs_and_provisioning_is_repeated() {
        let finished = ["provisioning", "provisioning --keep-state", &format!("file {}", FINISHED.join(" "))];
        assert_eq!(planned(""), finished);
        assert_eq!(planned("--verbose")[1], "provisioning --keep-state --verbose");
    }

    #[test]
    fn a_set_that_onboards_its_participants_runs_alone() {
        assert_eq!(planned("all"), ["all"]);
        assert_eq!(planned("smoke"), ["smoke"]);
        assert_eq!(planned("hub/provisioning/for_inter_scheme"), ["file hub/provisioning/for_inter_scheme"]);
    }

    #[test]
    fn other_sets_and_files_are_preceded_by_a_provisioning() {
        assert_eq!(planned("dev"), ["provisioning", "dev"]);
        assert_eq!(planned("hub/a.json hub/b"), ["provisioning", "file hub/a.json hub/b"]);
        assert_eq!(planned("hub/a.json dev"), ["provisioning", "dev", "file hub/a.json"]);
    }

    #[test]
    fn options_go_to_the_kit_but_not_to_the_provisioning_that_it_needs() {
        assert_eq!(
            planned("hub/a.json --only quote --verbose"),
            ["provisioning", "file hub/a.json --only quote --verbose"]
        );
    }
}
