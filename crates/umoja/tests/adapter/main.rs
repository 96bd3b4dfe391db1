//! Conversations of two adapters through a real hub, over HTTP, each with a small core behind it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../../src/demo/admin.rs"]
#[expect(dead_code, reason = "a test of one scheme needs no routes")]
mod admin;
mod bad_input;
mod conversions;
mod core;
mod kills;
mod observation;
mod payments;
mod records;
mod requests;
mod restarts;
mod signatures;
mod test_api;
mod tokens;
mod world;

/// Settings of an adapter that the person runs are not for this one.
#[tokio::test]
async fn the_command_says_what_it_lacks_and_what_it_cannot_do() {
    for (variables, expected) in [
        (vec![], "umoja: The adapter needs its hub: set PEER_ENDPOINT.\n"),
        (
            vec![("PEER_ENDPOINT", "hub"), ("BACKEND_ENDPOINT", "core"), ("MULTI_DFSP", "true")],
            "umoja: MULTI_DFSP is set, but this adapter cannot do that: it serves one DFSP; run one adapter for each. \
             Unset it, or set it to false.\n",
        ),
        (
            vec![("PEER_ENDPOINT", "hub"), ("BACKEND_ENDPOINT", "core"), ("JWS_SIGN", "true")],
            "umoja: JWS_SIGN is true, but there is no key: set JWS_SIGNING_KEY_PATH.\n",
        ),
    ] {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_umoja"));
        command.env_clear().envs(variables).arg("adapter").kill_on_drop(true);
        let output = command.output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert_eq!((output.stdout.len(), output.status.code()), (0, Some(1)));
    }
}

#[tokio::test]
async fn the_benchmark_is_clean_on_both_sides_and_says_so() {
    for side in ["payer", "payee"] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_umoja"));
        command.args(["bench-adapter", "--side", side, "--sign", "--concurrency", "4", "--warm-up", "0"]);
        command.args(["--seconds", "3", "--json", "--data"]).arg(directory.path()).kill_on_drop(true);
        let output = command.output().await.unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && report["errors"] == 0, "{report} {complaint}");
        assert!(report["payments"].as_u64().unwrap() > 0 && report["p99_ms"].is_number(), "{report}");
    }
}
