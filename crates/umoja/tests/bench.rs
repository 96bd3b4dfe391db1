//! The benches of two schemes and of secured links: that they come to figures, and that their own audit finds nothing.
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
fn what_secures_the_links_is_measured_step_by_step() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_umoja"))
        .args(["bench", "--secure", "--dfsps", "3", "--parties", "20", "--concurrency", "4", "--seed", "7"])
        .args(["--warm-up", "0", "--seconds", "1", "--json", "--data", directory.path().to_str().unwrap()])
        .output()
        .unwrap();
    let (text, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{complaints}");
    let report: Value = serde_json::from_str(&text).unwrap();
    for step in ["plain", "tls", "verified", "signed_es256", "signed_rs256"] {
        let step = &report[step];
        assert_eq!(step["errors"], 0, "{report:#}");
        assert_eq!((&step["checked"], step["payments"].as_u64() > Some(0)), (&step["committed"], true), "{report:#}");
    }
    for cost in ["tls", "verifying", "signing_es256", "signing_rs256"] {
        assert!(report[format!("hub_cpu_ms_{cost}")].is_number(), "{report:#}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "keys and data are removed");
}

#[test]
fn two_schemes_need_two_dfsps_each() {
    let arguments = ["bench", "--schemes", "2", "--dfsps", "3"];
    let output = Command::new(env!("CARGO_BIN_EXE_umoja")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--dfsps 4"));
}
