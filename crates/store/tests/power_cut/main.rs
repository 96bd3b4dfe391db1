//! Power cuts: what the SQLite store has acknowledged survives one at any moment, and nothing survives by halves.
//!
//! A history of units runs once on a file system that records every write and sync. Then the power is cut at random
//! places of the record, many times: what a disk may hold at that moment is written to a fresh directory and opened.
#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]
#![allow(unsafe_code, reason = "SQLite's file system interface, in vfs.rs")]

mod disk;
#[path = "../contract/scheme.rs"]
#[allow(dead_code, reason = "shared with the contract suite")]
mod scheme;
mod vfs;

use disk::{Random, Step};
use hub_core::Subject;
use hub_core::{Command, administration::AccountRecord, transfers::Transfer};
use scheme::*;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};
use store::{
    Mark, MessageId, Store, StoreError, StoredMessage, UnitWork,
    sqlite::{SqliteOptions, SqliteStore},
};
use tempfile::TempDir;
use vfs::Recorder;
use vocabulary::{CorrelationId, Timestamp};

/// How many times the power is cut, over all histories.
const CUTS: usize = 240;
const HISTORIES: usize = 4;
const UNITS: u64 = 40;

/// Everything that a unit leaves behind, to compare with what is found.
#[derive(Clone, Default)]
struct Snapshot {
    transfers: BTreeMap<CorrelationId, Transfer>,
    accounts: Vec<AccountRecord>,
    messages: Vec<StoredMessage>,
}

struct History {
    steps: Vec<Step>,
    files: Vec<PathBuf>,
    /// What was there after each commit, the first of which founded the scheme.
    snapshots: Vec<Snapshot>,
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut_at_any_moment_and_nothing_by_halves() {
    let mut outcomes = [0; 2];
    for number in 0..HISTORIES {
        let history = record(number).await;
        let mut random = Random(number as u64);
        for cut in 0..CUTS / HISTORIES {
            let at = random.below(history.steps.len() + 1);
            let steps = &history.steps[..at];
            let disk = TempDir::new().unwrap();
            disk::survive(steps, &history.files, disk.path(), &mut random);
            let acknowledged = steps.iter().filter(|step| matches!(step, Step::CommitReturned)).count();
            let found = inspect(&history, disk.path()).await;
            assert!(found >= acknowledged, "history {number}, cut {cut} at {at}: {found} of {acknowledged} units");
            assert!(found <= acknowledged + 1, "history {number}, cut {cut} at {at}: a unit that was never begun");
            outcomes[found - acknowledged] += 1;
        }
    }
    // Some units arrive although the power failed before anybody was told.
    assert!(outcomes[0] > CUTS / 2 && outcomes[1] > 0, "{outcomes:?}");
}

/// Opens what is left, and returns how many units it holds, after having found them whole.
async fn inspect(history: &History, directory: &Path) -> usize {
    let path = directory.join("hub.db");
    let store = SqliteStore::open(&path, &fsp(HUB)).unwrap();
    let mut left = snapshot(&*store, history.snapshots.last().unwrap()).await;
    left.messages = store.renew_and_claim(usize::MAX).await.unwrap();
    let is_this = |known: &&Snapshot| known.accounts == left.accounts && known.messages == left.messages;
    let at = history.snapshots.iter().rposition(|known| is_this(&known));
    let at = at.expect("balances and outbox are those after one of the units");
    assert_eq!(left.transfers, history.snapshots[at].transfers, "so are the transfers");
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    // Life goes on.
    if at == 0 {
        found(&*store).await;
    }
    let later = (SqliteOptions::default().time)().plus_millis(60_000);
    let mut writer = store.writer().await.unwrap();
    run(&mut *writer, &[Command::Prepare(prepare(9999, later).into())]).await;
    drop((writer, store));
    let connection = rusqlite::Connection::open(&path).unwrap();
    let checked: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    at
}

/// Runs a history on a recording file system, with checkpoints as often as possible.
async fn record(number: usize) -> History {
    let name = format!("recorder-{number}");
    let recorder = Recorder::register(&name);
    let directory = TempDir::new().unwrap();
    let options = SqliteOptions { vfs: Some(name), checkpoint_pages: 24, ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&directory.path().join("hub.db"), &fsp(HUB), &options).unwrap();
    let mut snapshots = vec![Snapshot::default()];
    let later = found(&*store).await.plus_millis(600_000);
    recorder.note_commit();
    let mut latest = snapshot(&*store, &Snapshot::default()).await;
    snapshots.push(latest.clone());
    let mut writer = store.writer().await.unwrap();
    let mut random = Random(1000 + number as u64);
    for unit in 0..UNITS {
        let commands = commands_of(unit, later, &mut random);
        let (_, mut work) = decided(&mut *writer, &commands).await.unwrap();
        work.marks = marks(&latest, &mut random);
        for transfer in work.changes.new_transfers.iter().chain(&work.changes.changed_transfers) {
            latest.transfers.insert(transfer.id, transfer.clone());
        }
        writer.commit(work).await.unwrap();
        recorder.note_commit();
        latest = snapshot(&*store, &latest).await;
        snapshots.push(latest.clone());
    }
    let (steps, files) = recorder.history();
    History { steps, files, snapshots }
}

/// New transfers, answers to those of the unit before, and a quote.
fn commands_of(unit: u64, later: Timestamp, random: &mut Random) -> Vec<Command> {
    let count = 1 + random.below(6) as u64;
    let mut commands: Vec<Command> =
        (0..count).map(|number| Command::Prepare(prepare(unit * 10 + number, later).into())).collect();
    for number in unit.saturating_sub(1) * 10..unit * 10 {
        commands.push(match random.below(3) {
            0 => Command::Reject(reject(number).into()),
            _ => Command::Fulfil(fulfil(number).into()),
        });
    }
    commands.push(Command::SubmitQuote(submit_quote(unit).into()));
    commands
}

/// About half of what waits is delivered, some of it fails or dies.
fn marks(latest: &Snapshot, random: &mut Random) -> Vec<Mark> {
    let mark = |message: &StoredMessage, chance| match chance {
        0 | 1 => Some(Mark::Delivered(message.id)),
        2 => Some(Mark::Failed { id: message.id, attempts: message.attempts + 1, error: "timeout".into() }),
        _ => None,
    };
    latest.messages.iter().filter_map(|message| mark(message, random.below(5))).collect()
}

/// What the store holds of what `known` knows about.
async fn snapshot(store: &dyn Store, known: &Snapshot) -> Snapshot {
    let mut found = Snapshot { accounts: store.directory().await.unwrap().accounts, ..Snapshot::default() };
    for bank in BANKS {
        found.messages.extend(store.waiting_messages(fsp(bank), MessageId(0), usize::MAX).await.unwrap());
    }
    found.messages.sort_by_key(|message| message.id);
    for id in known.transfers.keys() {
        found.transfers.extend(store.transfer(Subject::transfer(*id)).await.unwrap().map(|transfer| (*id, transfer)));
    }
    found
}

#[tokio::test]
async fn a_full_disk_refuses_the_unit_and_the_next_one_goes_through() {
    refuses_and_goes_on("full-disk", |recorder, fails| recorder.writes_fail.store(fails, Ordering::SeqCst)).await;
}

#[tokio::test]
async fn a_sync_that_fails_refuses_the_unit_and_the_next_one_goes_through() {
    refuses_and_goes_on("bad-disk", |recorder, fails| recorder.syncs_fail.store(fails, Ordering::SeqCst)).await;
}

async fn refuses_and_goes_on(name: &str, set_failing: impl Fn(&Recorder, bool)) {
    let recorder = Recorder::register(name);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("hub.db");
    let options = SqliteOptions { vfs: Some(name.into()), ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, &fsp(HUB), &options).unwrap();
    let later = found(&*store).await.plus_millis(60_000);
    let mut writer = store.writer().await.unwrap();
    let commands = |number| [Command::Prepare(prepare(number, later).into())];
    run(&mut *writer, &commands(1)).await;
    set_failing(recorder, true);
    for _ in 0..3 {
        let work: UnitWork = decided(&mut *writer, &commands(2)).await.unwrap().1;
        let refused = writer.commit(work).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(store.transfer(Subject::transfer(id(2))).await.unwrap(), None);
    set_failing(recorder, false);
    run(&mut *writer, &commands(3)).await;
    for (number, is_there) in [(1, true), (2, false), (3, true)] {
        assert_eq!(store.transfer(Subject::transfer(id(number))).await.unwrap().is_some(), is_there);
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}
