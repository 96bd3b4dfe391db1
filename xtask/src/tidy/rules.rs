//! Rules about what a file says.
//!
//! Invariant: rules about code look at code only, so a comment or a text may name what the code must not use.

use super::{
    Finding,
    files::File,
    scanner::{Source, line_of, words},
};

/// They decide about money: no floats, no I/O, no unsafe.
const PURE_CRATES: [&str; 3] = ["vocabulary", "ledger", "hub-core"];
/// First folders of paths that exist on one machine only.
const MACHINE_FOLDERS: [&str; 5] = ["home", "root", "tmp", "work", "Users"];
/// Split, so that this line does not break its own rule.
const POSTPONED: &str = concat!("FIX", "ME");

pub fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.text.trim_start().starts_with("//!") {
        findings.push(Finding::new(source.path, "does not open with `//!`: say what it is for and its invariant"));
    }
    for (number, line) in source.text.lines().enumerate() {
        if line.contains(POSTPONED) {
            let place = format_args!("{}:{}", source.path, number + 1);
            findings.push(Finding::new(place, format_args!("{POSTPONED}: do it now or open an issue")));
        }
    }
    let pure = PURE_CRATES.iter().any(|name| source.path.starts_with(&format!("crates/{name}/")));
    for (at, word) in words(&source.code) {
        let problem = match word {
            "todo" | "unimplemented" if source.code[at + word.len()..].starts_with('!') => "nothing is left for later",
            "ignore" if is_attribute(&source.code, at) => "a test that does not run is no test",
            _ if pure && is_float(word) => "no floating point near money",
            _ => continue,
        };
        let place = format_args!("{}:{}", source.path, line_of(&source.code, at));
        findings.push(Finding::new(place, format_args!("`{word}`: {problem}")));
    }
    findings
}

/// The pure crates let the compiler prove that they have no I/O and nothing unsafe.
pub fn check_pure_crates(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in PURE_CRATES {
        let path = format!("crates/{name}/src/lib.rs");
        let code = sources.iter().find(|source| source.path == path).map_or("", |source| source.code.as_str());
        // Tests may have std; the product's build may not.
        if !code.contains("#![no_std]") && !code.contains("#![cfg_attr(not(test), no_std)]") {
            findings.push(Finding::new(&path, "must say #![no_std]"));
        }
        if !code.contains("#![forbid(unsafe_code)]") {
            findings.push(Finding::new(&path, "must say #![forbid(unsafe_code)]"));
        }
    }
    findings
}

/// Rules for every text of the repository.
pub fn check_text(file: &File) -> Vec<Finding> {
    let npm_lock = file.path.ends_with("package-lock.json") || file.path.ends_with("npm-shrinkwrap.json");
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let place = format_args!("{}:{}", file.path, number + 1);
        if let Some(folder) = MACHINE_FOLDERS.into_iter().find(|folder| names_machine_path(line, folder)) {
            findings.push(Finding::new(place, format_args!("/{folder}/… exists on one machine only")));
        }
        if npm_lock && line.contains("\"resolved\": \"http") {
            findings.push(Finding::new(place, "a lock file must not name the server that a package came from"));
        }
    }
    findings
}

/// `#[ignore]`, `#[ignore = "…"]` or `#[cfg_attr(…, ignore)]`.
fn is_attribute(code: &str, at: usize) -> bool {
    let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = code[line_start..at].trim_start();
    before == "#[" || (before.starts_with("#[cfg_attr(") && before.ends_with(", "))
}

fn is_float(word: &str) -> bool {
    let number = word.starts_with(|first: char| first.is_ascii_digit()) && !word.starts_with("0x");
    ["f32", "f64"].into_iter().any(|float| word == float || (number && word.ends_with(float)))
}

/// Whether an absolute path through this folder stands in the line: one that is not the tail of a longer path or URL.
fn names_machine_path(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-/~})]*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source_findings(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check_source(&Source::new(&file)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_module_opens_with_what_it_is_for() {
        assert_eq!(source_findings("a.rs", "//! Money.\n#![no_std]\n"), [""; 0]);
        assert!(source_findings("a.rs", "// Money.\n")[0].starts_with("a.rs: does not open with"));
    }

    #[test]
    fn placeholders_are_found_in_code_and_nowhere_else() {
        let clean = "//! No todo!() here.\nfn f() { g(\"unimplemented!\"); todo(); }\n";
        assert_eq!(source_findings("a.rs", clean), [""; 0]);
        assert_eq!(
            source_findings("a.rs", "//! A.\nfn f() { todo!() }\n"),
            ["a.rs:2: `todo`: nothing is left for later"]
        );
        assert!(source_findings("a.rs", &format!("//! A.\n// {POSTPONED} later\n"))[0].starts_with("a.rs:2"));
    }

    #[test]
    fn ignored_tests_are_found_however_they_are_ignored() {
        for attribute in ["#[ignore]", "#[ignore = \"slow\"]", "    #[cfg_attr(windows, ignore)]"] {
            assert_eq!(source_findings("a.rs", &format!("//! A.\n{attribute}\nfn f() {{}}\n")).len(), 1, "{attribute}");
        }
        assert_eq!(source_findings("a.rs", "//! A.\nfn ignore() { list[ignore]; }\n"), [""; 0]);
    }

    #[test]
    fn the_crates_that_decide_about_money_have_no_floats() {
        let text = "//! No f64.\nconst A: f64 = 1.5f32;\nlet f64_like = 0x1f64;\n";
        assert_eq!(source_findings("crates/ledger/src/a.rs", text).len(), 2);
        assert_eq!(source_findings("crates/harness/src/a.rs", text), [""; 0]);
    }

    #[test]
    fn the_pure_crates_promise_to_be_pure() {
        let promise = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let pure = "//! A.\n#![no_std]\n#![forbid(unsafe_code)]\n";
        let files = [
            promise("crates/vocabulary/src/lib.rs", pure),
            promise("crates/ledger/src/lib.rs", pure),
            promise("crates/hub-core/src/lib.rs", "//! #![no_std]\n#![forbid(unsafe_code)]\n"),
        ];
        let sources: Vec<Source> = files.iter().map(Source::new).collect();
        assert_eq!(check_pure_crates(&sources), [Finding::new("crates/hub-core/src/lib.rs", "must say #![no_std]")]);
    }

    #[test]
    fn paths_of_one_machine_are_found_and_tails_of_other_paths_are_not() {
        let finds = |line: &str| {
            let file = File { path: "a.md".to_owned(), text: line.to_owned() };
            !check_text(&file).is_empty()
        };
        for folder in MACHINE_FOLDERS {
            assert!(finds(&format!("see /{folder}/a")), "{folder}");
            assert!(finds(&format!("\"/{folder}/a\"")), "{folder}");
            assert!(!finds(&format!("https://example.org/{folder}/a")), "{folder}");
            assert!(!finds(&format!("{{root}}/{folder}/a, ./{folder}/a")), "{folder}");
        }
    }

    #[test]
    fn a_lock_file_names_no_server() {
        let text = "  \"resolved\": \"https://example.org/a.tgz\",".to_owned();
        let lock = File { path: "ui/package-lock.json".to_owned(), text: text.clone() };
        assert_eq!(check_text(&lock).len(), 1);
        assert_eq!(check_text(&File { path: "ui/notes.json".to_owned(), text }), []);
    }
}
