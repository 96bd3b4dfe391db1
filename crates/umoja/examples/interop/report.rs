//! What was seen, for people and for programs.

use crate::{clients::Client, courses::Course};
use serde_json::{Value, json};
use std::{
    fmt::{self, Write as _},
    time::Duration,
};

pub struct Report {
    pub lines: Vec<Line>,
    /// Messages of the hub that nobody had taken at the end.
    pub undelivered: usize,
}

/// One course of a payment between two clients.
pub struct Line {
    pub payer: Client,
    pub payee: Client,
    pub course: Course,
    /// What was seen, or what was not as it should be.
    pub outcome: Result<String, String>,
    pub elapsed: Duration,
}

impl Report {
    pub fn holds(&self) -> bool {
        !self.lines.is_empty() && self.undelivered == 0 && self.lines.iter().all(|line| line.outcome.is_ok())
    }

    pub fn table(&self) -> String {
        let mut text = format!("{:<7}{:<7}{:<17}{:<8}{:>6}  seen\n", "payer", "payee", "course", "", "s");
        for line in &self.lines {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        }
        let held = self.lines.iter().filter(|line| line.outcome.is_ok()).count();
        let _ =
            writeln!(text, "{held} of {} hold; {} messages of the hub undelivered", self.lines.len(), self.undelivered);
        text
    }

    pub fn json(&self) -> String {
        let line = |line: &Line| {
            json!({
                "payer": line.payer.to_string(), "payee": line.payee.to_string(), "course": line.course.to_string(),
                "holds": line.outcome.is_ok(), "seen": line.outcome.as_ref().ok(),
                "problem": line.outcome.as_ref().err(), "milliseconds": line.elapsed.as_millis() as u64,
            })
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        format!("{}\n", json!({"holds": self.holds(), "undelivered": self.undelivered, "lines": lines}))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, seen) = match &self.outcome {
            Ok(seen) => ("holds", seen),
            Err(problem) => ("FAILS", problem),
        };
        let Self { payer, payee, course, elapsed, .. } = self;
        let seconds = format!("{}.{}", elapsed.as_secs(), elapsed.subsec_millis() / 100);
        write!(formatter, "{payer:<7}{payee:<7}{course:<17}{verdict:<8}{seconds:>6}  {seen}")
    }
}
