//! The demo of several schemes as a script runs it: the program, what it prints, its exit code.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use serde_json::Value;
use std::process::Command;

/// The lines of a run that must have succeeded, all but the last one, and the last one.
fn play(arguments: &[&str]) -> (Vec<Value>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_umoja")).arg("demo").args(arguments).output().unwrap();
    let (text, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{complaints}");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap();
    assert!(lines.iter().all(|line| line["agree"] == true), "{lines:#?}");
    assert_eq!((&summary["ok"], &summary["steps"]), (&true.into(), &lines.len().into()));
    (lines, summary)
}

fn step<'a>(lines: &'a [Value], title: &str) -> &'a Value {
    lines.iter().find(|line| line["step"] == title).unwrap()
}

/// What was given for what, at the provider's price.
fn check_conversions(lines: &[Value], titles: [&str; 2]) {
    for (title, currencies) in titles.into_iter().zip([("TZS ", "KES "), ("KES ", "TZS ")]) {
        let converted = step(lines, title)["converted"].as_str().unwrap();
        let (given, taken) = converted.split_once(" for ").unwrap();
        assert!(given.starts_with(currencies.0) && taken.starts_with(currencies.1), "{title}: {converted}");
    }
    assert_eq!(step(lines, "to another scheme")["converted"], Value::Null);
}

fn check(lines: &[Value], hubs: &[&str]) {
    for (title, end, code) in [
        ("to another scheme", "COMMITTED", ""),
        ("payee rejects, converted", "ABORTED", "5104"),
        ("payee rejects", "ABORTED", "5104"),
        ("proxy down on the way there", "COMMITTED", ""),
        ("proxy down on the way back", "ABORTED", "3303"),
        ("payee moved to another DFSP", "COMMITTED", "2006"),
    ] {
        let line = step(lines, title);
        for hub in hubs {
            assert_eq!(line["hubs"][hub], end, "{title} in {hub}");
        }
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.starts_with(code) && error.is_empty() == code.is_empty(), "{title}: {error}");
    }
    let local = &step(lines, "within a scheme")["hubs"];
    assert_eq!((&local["hub-a"], &local["hub-b"]), (&"COMMITTED".into(), &"no transfer".into()));
    assert_eq!(step(lines, "payee is unknown everywhere")["transferId"], Value::Null);
}

#[test]
fn payments_between_two_schemes_end_the_same_everywhere_and_again_on_their_own_data() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    for _ in 0..2 {
        let (lines, _) = play(&["--schemes", "2", "--once", "--json", "--data", data]);
        check(&lines, &["hub-a", "hub-b"]);
        check_conversions(&lines, ["provider in payer's scheme", "provider in payee's scheme"]);
    }
}

#[test]
fn payments_through_a_scheme_in_the_middle_end_the_same_everywhere() {
    let (lines, _) = play(&["--schemes", "3", "--once", "--json"]);
    check(&lines, &["hub-a", "hub-r", "hub-b"]);
    check_conversions(&lines, ["provider between the schemes", "provider between, other way"]);
}
