//! Windows: exactly one is open, each has its entries where it says, and its state follows from its contents
//! (contract, administration §2.2).

use super::{Report, Snapshot, entries::Entries};
use crate::codec::WindowRow;
use hub_core::{
    WindowId,
    settlement::{Content, WindowState},
};
use std::collections::BTreeMap;

pub(super) fn check(entries: &Entries, snapshot: &Snapshot, report: &mut Report) {
    check_open(snapshot, report);
    let rows: BTreeMap<WindowId, &WindowRow> = snapshot.windows.iter().map(|row| (row.window.id, row)).collect();
    for (window, span) in entries.spans() {
        let Some(row) = rows.get(window) else {
            let (id, first) = (window.0, span.first);
            report.say(format!("Entry {first} lies in window {id}, which does not exist."));
            continue;
        };
        let is_inside = |entry: i64| entry > row.entries_after && row.last_entry.is_none_or(|last| entry <= last);
        for entry in [span.first, span.last].into_iter().filter(|entry| !is_inside(*entry)) {
            let (id, after) = (window.0, row.entries_after);
            let until = row.last_entry.map_or("now".into(), |last| last.to_string());
            report
                .say(format!("Entry {entry} lies in window {id}, whose entries come after {after} and up to {until}."));
        }
    }
    let mut contents: BTreeMap<WindowId, Vec<&Content>> = BTreeMap::new();
    for content in &snapshot.contents {
        contents.entry(content.window).or_default().push(content);
    }
    for row in &snapshot.windows {
        check_state(row, contents.get(&row.window.id).map_or(&[], Vec::as_slice), report);
    }
}

fn check_open(snapshot: &Snapshot, report: &mut Report) {
    let is_open = |row: &&WindowRow| row.window.state == WindowState::Open;
    let open: Vec<WindowId> = snapshot.windows.iter().filter(is_open).map(|row| row.window.id).collect();
    let names = || open.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ");
    match open.as_slice() {
        [] => report.say("No window is open.".into()),
        [only] if snapshot.open_window == Some(*only) => {}
        [only] => {
            let pointed = snapshot.open_window.map_or("none".into(), |id| id.0.to_string());
            report.say(format!("Window {} is open, but payments join window {pointed}.", only.0));
        }
        [_, _, ..] => report.say(format!("More than one window is open: {}.", names())),
    }
}

fn check_state(row: &WindowRow, contents: &[&Content], report: &mut Report) {
    let (id, state) = (row.window.id.0, row.window.state);
    let is_taking = row.last_entry.is_none() && row.window.closed_at.is_none();
    if is_taking != (state == WindowState::Open) {
        report.say(format!("Window {id} is {}, which its time of closing contradicts.", state.as_str()));
    }
    let all_settled = !contents.is_empty() && contents.iter().all(|content| content.state == WindowState::Settled);
    let is_pending = contents.iter().any(|content| content.state == WindowState::PendingSettlement);
    let fits = match state {
        WindowState::Open | WindowState::Processing | WindowState::Failed => contents.is_empty(),
        WindowState::Closed => contents.iter().all(|content| content.state == WindowState::Closed),
        // Another settlement of the window may have been settled already, or be under way.
        WindowState::PendingSettlement | WindowState::Aborted => !contents.is_empty() && !all_settled,
        WindowState::Settled => all_settled && !is_pending,
    };
    if !fits {
        let states = contents.iter().map(|content| format!("{} {}", content.id.0, content.state.as_str()));
        let states = states.collect::<Vec<_>>().join(", ");
        let states = if states.is_empty() { "there are none".into() } else { states };
        report.say(format!("Window {id} is {}, which its contents contradict: {states}.", state.as_str()));
    }
}
