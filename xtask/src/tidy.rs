//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy knows.
//!
//! Invariant: a finding names the place and what to do; the budgets are printed even when nothing is wrong. The rules
//! hold for this crate too, so no rule has an exception for the file that states it.

mod budgets;
mod dependencies;
mod files;
mod rules;
mod scanner;

use std::fmt;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// A path relative to the root, with `:line` where there is one.
    place: String,
    problem: String,
}

pub fn run() -> Result<(), String> {
    let files = files::of_the_repository(&crate::workspace::root())?;
    let sources: Vec<scanner::Source> =
        files.iter().filter(|file| file.path.ends_with(".rs")).map(scanner::Source::new).collect();
    let mut findings = dependencies::check(&files)?;
    findings.extend(budgets::check(&sources));
    findings.extend(sources.iter().flat_map(rules::check_source));
    findings.extend(rules::check_pure_crates(&sources));
    findings.extend(files.iter().flat_map(rules::check_text));
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("tidy has one finding".to_owned()),
        count => Err(format!("tidy has {count} findings")),
    }
}

impl Finding {
    fn new(place: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self { place: place.to_string(), problem: problem.to_string() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}
