//! The bench of two schemes: that it comes to figures, and that its own audit finds nothing.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use serde_json::Value;
use std::process::Command;

#[test]
fn payments_within_a_scheme_and_to_another_one_are_measured_and_add_up() {
    // Below the target directory, which is on a disk where the system's temporary one may not be.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_umoja"))
        .args(["bench", "--schemes", "2", "--dfsps", "4", "--parties", "50", "--concurrency", "8", "--seed", "7"])
        .args(["--warm-up", "0", "--seconds", "2", "--json", "--data", directory.path().to_str().unwrap()])
        .output()
        .unwrap();
    let (text, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{complaints}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["errors"], &report["seed"]), (&0.into(), &7.into()));
    for kind in ["within", "across"] {
        assert!(report[format!("{kind}_payments")].as_u64().unwrap() > 0, "{report:#}");
        assert!(report[format!("{kind}_p50_ms")].as_f64().unwrap() > 0.0, "{report:#}");
    }
    assert!(report["across_proxy_cpu_ms_per_payment"].as_f64().unwrap() > 0.0, "{report:#}");
}

#[test]
fn two_schemes_need_two_dfsps_each() {
    let arguments = ["bench", "--schemes", "2", "--dfsps", "3"];
    let output = Command::new(env!("CARGO_BIN_EXE_umoja")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--dfsps 4"));
}
