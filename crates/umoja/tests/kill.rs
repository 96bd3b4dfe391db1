//! A hub that is killed with SIGKILL in the middle of payments, again and again (SQLite, real processes and sockets).

use harness::crash::{CrashPlan, run};
use std::path::PathBuf;

const KILLS: u32 = 5;
const PAYMENTS_PER_SECOND: u32 = 80;
/// Each run of the test kills at the same moments after each start; what is under way then differs.
const SEED: u64 = 20_261_121;

#[test]
fn a_hub_that_is_killed_loses_nothing_it_acknowledged_and_ends_every_transfer_once() {
    let directory = tempfile::tempdir().unwrap();
    let plan = CrashPlan {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_umoja")),
        directory: directory.path().to_owned(),
        seed: SEED,
        kills: KILLS,
        payments_per_second: PAYMENTS_PER_SECOND,
    };
    let report = run(&plan).unwrap();
    let log = std::fs::read_to_string(directory.path().join("hub.log")).unwrap_or_default();
    let log_end: Vec<&str> = log.lines().rev().take(20).collect();
    assert_eq!(report.breaches, [""; 0], "{report:#?}\nthe hub's log, last line first: {log_end:#?}");
    assert_eq!(report.kills, KILLS);
    assert_eq!(report.committed + report.aborted, report.acknowledged, "{report:#?}");
    // Most are committed; one in eight is left to expire by its payee.
    assert!(report.committed > report.acknowledged / 2, "{report:#?}");
    assert!(report.aborted > 0, "{report:#?}");
}
