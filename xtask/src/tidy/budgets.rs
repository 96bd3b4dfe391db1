//! How long files and functions may be.
//!
//! Invariant: the hard limits fail; medians and nine-tenths values are printed beside their budget, because a house
//! that drifts should be seen to drift before a limit is hit.

use super::{
    Finding,
    scanner::{Function, Source, functions},
};

const FILE: Budget = Budget { noun: "files", median: 150, p90: 400, max: 600 };
const FUNCTION: Budget = Budget { noun: "functions", median: 8, p90: 30, max: 70 };

/// Lines.
struct Budget {
    noun: &'static str,
    median: usize,
    p90: usize,
    max: usize,
}

/// Something measured: where it is, what it is called, how many lines it has.
struct Measured {
    place: String,
    what: String,
    lines: usize,
}

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let files = sources.iter().map(|source| Measured {
        place: source.path.to_owned(),
        what: "the file".to_owned(),
        lines: source.text.lines().count(),
    });
    let functions = sources.iter().flat_map(|source| {
        let measured = |function: Function| Measured {
            place: format!("{}:{}", source.path, function.line),
            what: format!("fn {}", function.name),
            lines: function.lines,
        };
        functions(&source.code).into_iter().map(measured)
    });
    let mut findings = FILE.check(files.collect());
    findings.extend(FUNCTION.check(functions.collect()));
    findings
}

impl Budget {
    fn check(&self, mut measured: Vec<Measured>) -> Vec<Finding> {
        measured.sort_by_key(|item| item.lines);
        self.print(&measured);
        measured
            .iter()
            .filter(|item| item.lines > self.max)
            .map(|item| {
                Finding::new(&item.place, format_args!("{} has {} lines, at most {}", item.what, item.lines, self.max))
            })
            .collect()
    }

    fn print(&self, sorted: &[Measured]) {
        let Some(longest) = sorted.last() else { return };
        let lines: Vec<usize> = sorted.iter().map(|item| item.lines).collect();
        let compared = |value: usize, budget: usize| {
            let over = if value > budget { " OVER" } else { "" };
            format!("{value} (budget {budget}{over})")
        };
        println!(
            "{} {}: median {}, p90 {}, longest {}: {} {}",
            lines.len(),
            self.noun,
            compared(percentile(&lines, 50), self.median),
            compared(percentile(&lines, 90), self.p90),
            compared(longest.lines, self.max),
            longest.place,
            longest.what,
        );
    }
}

/// Nearest rank: the smallest value that at least `percent` of the values do not exceed. The values are sorted and
/// there is at least one.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::File;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let ten: Vec<usize> = (1..=10).collect();
        assert_eq!((percentile(&ten, 50), percentile(&ten, 90)), (5, 9));
        assert_eq!((percentile(&[7], 50), percentile(&[7], 90)), (7, 7));
    }

    #[test]
    fn the_limit_itself_is_allowed_and_one_line_more_is_not() {
        let body = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
        let findings = |text: String| {
            let file = File { path: "a.rs".to_owned(), text };
            check(&[Source::new(&file)]).iter().map(Finding::to_string).collect::<Vec<_>>()
        };
        assert_eq!(findings(body(70)), [""; 0]);
        assert_eq!(findings(body(71)), ["a.rs:1: fn f has 71 lines, at most 70"]);
        assert_eq!(findings("\n".repeat(600)), [""; 0]);
        assert_eq!(findings("\n".repeat(601)), ["a.rs: the file has 601 lines, at most 600"]);
    }
}
