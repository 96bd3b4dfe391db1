//! `cargo xtask test`: everything that a change must pass, in the order in which a mistake is cheapest to find.
//!
//! Invariant: every chosen step runs, whatever happened to the one before, and each has its line in the summary.

use crate::{prerequisites, tidy, workspace::cargo, workspace::run as run_command};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Fmt,
    Clippy,
    Test,
    Tidy,
}

pub fn run(arguments: &[String]) -> Result<(), String> {
    let steps = chosen(arguments)?;
    let mut outcomes = Vec::new();
    for step in steps {
        println!("\n== {}", step.name());
        let started = Instant::now();
        let result = step.run();
        if let Err(problem) = &result {
            eprintln!("xtask: {problem}");
        }
        outcomes.push((step, result.is_ok(), started.elapsed()));
    }
    summarize(&outcomes)
}

impl Step {
    const ALL: [Self; 4] = [Self::Fmt, Self::Clippy, Self::Test, Self::Tidy];

    const fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Test => "test",
            Self::Tidy => "tidy",
        }
    }

    fn run(self) -> Result<(), String> {
        match self {
            Self::Fmt => {
                prerequisites::rust_component("fmt", "rustfmt")?;
                run_command(cargo().args(["fmt", "--all", "--check"]))
            }
            Self::Clippy => {
                prerequisites::rust_component("clippy", "clippy")?;
                prerequisites::c_compiler()?;
                run_command(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
            }
            Self::Test => {
                prerequisites::c_compiler()?;
                prerequisites::postgresql_server()?;
                prerequisites::curl()?;
                prerequisites::browser()?;
                run_command(cargo().args(["test", "--workspace", "--no-fail-fast"]))
            }
            Self::Tidy => tidy::run(),
        }
    }
}

fn chosen(arguments: &[String]) -> Result<Vec<Step>, String> {
    let list = match arguments {
        [] => return Ok(Step::ALL.to_vec()),
        [option, list] if option == "--only" => list,
        [option] if option.starts_with("--only=") => &option["--only=".len()..],
        _ => return Err("usage: cargo xtask test [--only fmt,clippy,test,tidy]".to_owned()),
    };
    let step = |name: &str| Step::ALL.into_iter().find(|step| step.name() == name);
    let known = |name| step(name).ok_or_else(|| format!("there is no step {name:?}; steps: fmt, clippy, test, tidy"));
    list.split(',').map(known).collect()
}

fn summarize(outcomes: &[(Step, bool, Duration)]) -> Result<(), String> {
    println!();
    for (step, passed, elapsed) in outcomes {
        let verdict = if *passed { "ok" } else { "FAILED" };
        println!("{:<8}{verdict:<8}{:>7.1} s", step.name(), elapsed.as_secs_f64());
    }
    let failed: Vec<&str> = outcomes.iter().filter(|(_, passed, _)| !passed).map(|(step, ..)| step.name()).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>, String> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Ok(chosen(&arguments)?.into_iter().map(Step::name).collect())
    }

    #[test]
    fn without_arguments_every_step_runs() {
        assert_eq!(names(&[]).unwrap(), ["fmt", "clippy", "test", "tidy"]);
    }

    #[test]
    fn only_chooses_steps_and_refuses_unknown_ones() {
        assert_eq!(names(&["--only", "tidy,fmt"]).unwrap(), ["tidy", "fmt"]);
        assert_eq!(names(&["--only=clippy"]).unwrap(), ["clippy"]);
        assert!(names(&["--only", "fuzz"]).unwrap_err().contains("fuzz"));
        assert!(names(&["--quick"]).unwrap_err().starts_with("usage"));
    }
}
