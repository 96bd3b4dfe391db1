//! Aborting a settlement, so that its windows can be settled again (contract, administration §2.5).

use super::{
    AbortSettlement, Books, Content, Settled, Settlement, SettlementAccount, SettlementAnswer, SettlementRejection,
    SettlementState, Window, WindowState, postings::Postings,
};
use crate::administration::Change;
use alloc::{vec, vec::Vec};
use vocabulary::{FspId, Timestamp};

/// Possible until the first account is committed. What was reserved moves back, and what was bound is free again.
pub(super) fn abort(
    books: &Books,
    command: &AbortSettlement,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Settled, SettlementRejection> {
    let unknown = SettlementRejection::SettlementNotFound(command.settlement);
    let before = books.settlement.as_ref().ok_or(unknown)?;
    let state = SettlementState::Aborted;
    let mut settlement = Settlement { state, reason: command.reason.clone(), changed_at: now, ..before.clone() };
    match before.state {
        SettlementState::Committed | SettlementState::Settling | SettlementState::Settled => {
            return Err(SettlementRejection::AbortNotAllowed(before.id, before.state));
        }
        SettlementState::Aborted => {
            let changes = vec![Change::SetSettlement(settlement.clone())];
            return Ok(Settled { changes, answer: SettlementAnswer::Aborted(settlement) });
        }
        SettlementState::PendingSettlement | SettlementState::Recorded | SettlementState::Reserved => {}
    }
    if before.accounts.iter().any(|account| account.state == SettlementState::Committed) {
        return Err(SettlementRejection::AbortAfterCommit(before.id));
    }
    let mut postings = Postings::new(books, before, hub_name)?;
    for account in &before.accounts {
        postings.take_back(account)?;
    }
    for account in &mut settlement.accounts {
        aborted(account, command, now);
    }
    let accounts = settlement.accounts.iter().cloned();
    let mut changes: Vec<Change> =
        accounts.map(|account| Change::SetSettlementAccount(settlement.id, account)).collect();
    changes.extend(postings.into_changes());
    changes.extend(books.windows.iter().flat_map(|window| freed(window, &settlement, now)));
    changes.push(Change::SetSettlement(settlement.clone()));
    Ok(Settled { changes, answer: SettlementAnswer::Aborted(settlement) })
}

fn aborted(account: &mut SettlementAccount, command: &AbortSettlement, now: Timestamp) {
    account.state = SettlementState::Aborted;
    account.reason = command.reason.clone();
    if command.external_reference.is_some() {
        account.external_reference = command.external_reference.clone();
    }
    account.changed_at = now;
}

/// A window without its binding to the settlement.
fn freed(window: &Window, settlement: &Settlement, now: Timestamp) -> Vec<Change> {
    let bound = window.contents.iter().filter(|content| content.settlement == Some(settlement.id));
    let free = |content: &Content| Content {
        state: WindowState::Aborted,
        settlement: None,
        changed_at: now,
        ..content.clone()
    };
    let mut changes: Vec<Change> = bound.map(|content| Change::SetContent(free(content))).collect();
    let (state, reason) = (WindowState::Aborted, settlement.reason.clone());
    changes.push(Change::SetWindow(Window { state, reason, changed_at: now, ..window.clone() }));
    changes
}
