//! Closing windows and taking their totals (contract, administration §2.2 and §2.3).

use super::{
    AccountTotal, Books, CloseWindow, Content, ContentId, Settled, SettlementAnswer, SettlementRejection, TakeTotals,
    Window, WindowState,
};
use crate::{
    WindowId,
    administration::{Change, is_settleable},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use ledger::AccountKind;
use vocabulary::{Amount, Currency, Timestamp};

/// The old window takes no more payments from here on; its contents follow by [`take_totals`].
pub(super) fn close(books: &Books, command: &CloseWindow, now: Timestamp) -> Result<Settled, SettlementRejection> {
    let window = books.window(command.window)?;
    if window.state != WindowState::Open {
        return Err(SettlementRejection::WindowNotOpen(window.id));
    }
    if !books.has_payments {
        return Err(SettlementRejection::WindowEmpty(window.id));
    }
    let closed = Window {
        state: WindowState::Processing,
        reason: command.reason.clone(),
        changed_at: now,
        closed_at: Some(now),
        ..window.clone()
    };
    let opened = Window {
        id: WindowId(books.last_window.0 + 1),
        state: WindowState::Open,
        reason: command.reason.clone(),
        created_at: now,
        changed_at: now,
        closed_at: None,
        contents: Vec::new(),
    };
    let changes = vec![Change::SetWindow(closed), Change::OpenWindow(opened.clone())];
    Ok(Settled { changes, answer: SettlementAnswer::Opened(opened) })
}

/// Makes a window's contents: one for each kind of account that settles and each currency that payments have moved.
pub(super) fn take_totals(books: &Books, command: &TakeTotals, now: Timestamp) -> Result<Settled, SettlementRejection> {
    let window = books.window(command.window)?;
    match window.state {
        WindowState::Processing | WindowState::Failed => {}
        WindowState::Open
        | WindowState::Closed
        | WindowState::PendingSettlement
        | WindowState::Settled
        | WindowState::Aborted => return Ok(Settled::nothing()),
    }
    let mut by_content: BTreeMap<(AccountKind, Currency), Vec<AccountTotal>> = BTreeMap::new();
    for total in command.totals.iter().filter(|total| **total != zero(total)) {
        let account = books.directory.account_by_id(total.account).ok_or(unbalanced(window))?.account;
        if is_settleable(&books.directory.account_types, account.kind) {
            by_content.entry((account.kind, account.currency)).or_default().push(*total);
        }
    }
    let mut changes = Vec::new();
    for (id, ((ledger_account, currency), mut totals)) in (books.last_content.0 + 1..).zip(by_content) {
        let sum: i128 = totals.iter().map(|total| i128::from(total.net().units())).sum();
        if sum != 0 {
            return Err(unbalanced(window));
        }
        totals.sort_by_key(|total| total.account);
        changes.push(Change::AddContent(Content {
            id: ContentId(id),
            window: window.id,
            ledger_account,
            currency,
            state: WindowState::Closed,
            settlement: None,
            created_at: now,
            changed_at: now,
            totals,
        }));
    }
    changes.push(Change::SetWindow(Window { state: WindowState::Closed, changed_at: now, ..window.clone() }));
    Ok(Settled { changes, answer: SettlementAnswer::Done })
}

/// A window whose totals were taken after all is left as it is.
pub(super) fn fail(
    books: &Books,
    (window, reason): (WindowId, &str),
    now: Timestamp,
) -> Result<Settled, SettlementRejection> {
    let window = books.window(window)?;
    if window.state != WindowState::Processing {
        return Ok(Settled::nothing());
    }
    let failed = Window { state: WindowState::Failed, reason: reason.into(), changed_at: now, ..window.clone() };
    Ok(Settled { changes: vec![Change::SetWindow(failed)], answer: SettlementAnswer::Done })
}

fn zero(of: &AccountTotal) -> AccountTotal {
    AccountTotal { account: of.account, debits: Amount::ZERO, credits: Amount::ZERO }
}

fn unbalanced(window: &Window) -> SettlementRejection {
    SettlementRejection::TotalsDoNotBalance(window.id)
}
