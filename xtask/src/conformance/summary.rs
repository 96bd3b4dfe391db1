//! The counts that the kit writes with `--summary`: per collection, how many test cases and assertions passed.
//!
//! Invariant: a summary is information only. Whether a run passed is the kit's exit code.

use serde_json::Value;
use std::{fmt, fs, path::Path};

pub struct Summary {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    cases: String,
    assertions: String,
    skipped: u64,
}

impl Summary {
    /// `None` if the kit did not get as far as writing it.
    pub fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        Some(Self::of(&serde_json::from_str(&text).ok()?))
    }

    fn of(summary: &Value) -> Self {
        let templates = summary["templates"].as_array().into_iter().flatten();
        let collections = templates.flat_map(|template| template["collections"].as_array().into_iter().flatten());
        let mut rows: Vec<Row> =
            collections.map(|counts| Row::of(counts["file"].as_str().unwrap_or("?"), counts)).collect();
        rows.push(Row::of("TOTAL", summary));
        Self { rows }
    }
}

impl Row {
    fn of(name: &str, counts: &Value) -> Self {
        let count = |key: &str| counts[key].as_u64().unwrap_or(0);
        Self {
            name: name.to_owned(),
            cases: format!("{}/{}", count("testCasesPassed"), count("testCases")),
            assertions: format!("{}/{}", count("passed"), count("assertions")),
            skipped: count("testCasesSkipped"),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(formatter, "   {:<width$}  {:>10}  {:>11}", "collection", "test cases", "assertions")?;
        for row in &self.rows {
            write!(formatter, "   {:<width$}  {:>10}  {:>11}", row.name, row.cases, row.assertions)?;
            if row.skipped > 0 {
                write!(formatter, "  {} skipped", row.skipped)?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_collection_has_its_line_and_the_total_comes_last() {
        let summary = serde_json::json!({
            "ok": false, "testCases": 3, "testCasesPassed": 2, "testCasesSkipped": 1, "assertions": 9, "passed": 8,
            "templates": [{ "name": "dev", "collections": [
                { "file": "hub/a.json", "testCases": 1, "testCasesPassed": 1, "assertions": 4, "passed": 4 },
                { "file": "hub/bc.json", "testCases": 2, "testCasesPassed": 1, "testCasesSkipped": 1,
                  "assertions": 5, "passed": 4 }
            ] }]
        });
        let printed = Summary::of(&summary).to_string();
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(
            lines,
            [
                "   collection   test cases   assertions",
                "   hub/a.json          1/1          4/4",
                "   hub/bc.json         1/2          4/5  1 skipped",
                "   TOTAL               2/3          8/9  1 skipped",
            ]
        );
    }
}
