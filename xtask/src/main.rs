//! The tasks of this workspace: `cargo xtask test | tidy | conformance | interop | fuzz`. `cargo xtask help` explains them.
//!
//! Invariant: a task exits 0 only if everything that it was asked to do was done and passed.

mod conformance;
mod fuzz;
mod interop;
mod prerequisites;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--only STEP,...]      everything a change must pass; STEP = fmt | clippy | test | tidy
    Installs what is missing when run as root on Debian or Ubuntu (PostgreSQL's server programs, a C compiler),
    otherwise says what to install. Then: cargo fmt --check; cargo clippy with warnings as errors;
    cargo test --workspace; cargo xtask tidy. Every step runs, also after one that failed.

cargo xtask tidy                        the rules of the house that no compiler knows
    Dependency arrows between our crates, lengths of files and functions, number of external dependencies, purity of
    the pure crates, module documentation, no placeholders, no ignored tests, no machine's own paths.

cargo xtask conformance [--adapters] [SET|FILE...] [KIT OPTION...]
    Runs the Mojaloop conformance kit against a hub that it builds, starts on the default ports with an empty data
    directory, and stops. Without arguments: provisioning, provisioning again on the same hub, and the collections of
    what the hub does. SET is one of the kit's (smoke, provisioning, dev, all, ...), FILE a collection or a folder of them; what needs
    participants is preceded by a provisioning. From the first argument that begins with '-' on, everything goes
    to the kit (--verbose, --only REGEX, ...). With --adapters, which comes first, the DFSPs that the kit simulates with
    the reference implementation's scheme adapter have `umoja adapter` instead.
    The kit is looked for in the directory named by UMOJA_TTK, else in ../shared/ttk beside the checkout; if neither is
    there, the task says so and succeeds. Logs and summaries are left in the target directory, under conformance.

cargo xtask interop [--json]
    Pays between the published @mojaloop/sdk-scheme-adapter and `umoja adapter`, each as payer and as payee, through a hub
    that verifies signatures, and prints what was seen. Needs Node.js, npm and redis-server, which it installs when run as
    root on Debian or Ubuntu; the package goes into the target directory. Logs are left there, under interop/run.

cargo xtask fuzz [--seconds N] [TARGET...]
    Builds the fuzz targets with cargo-fuzz (`cargo install cargo-fuzz`; the stable compiler is enough) and runs all, or
    those named, for N seconds each (60). Fails if one finds something; the input is then left in fuzz/artifacts.

cargo xtask help                        this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), String> {
    let Some((task, arguments)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match task.as_str() {
        "test" => test::run(arguments),
        "tidy" if arguments.is_empty() => tidy::run(),
        "tidy" => Err("tidy takes no arguments".to_owned()),
        "conformance" => conformance::run(arguments),
        "interop" => interop::run(arguments),
        "fuzz" => fuzz::run(arguments),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no task {other:?}; `cargo xtask help` lists them")),
    }
}
