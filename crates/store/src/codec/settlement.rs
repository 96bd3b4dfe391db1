//! How windows, contents and settlements lie in columns.

use super::{Columns, amount, correlation_id, parsed, parsed_or, required, time, unreadable};
use crate::{StatementLine, StoreError};
use hub_core::{
    WindowId,
    settlement::{
        AccountTotal, Content, ContentId, Settlement, SettlementAccount, SettlementId, SettlementState, Window,
        WindowState,
    },
};
use ledger::AccountId;
use std::collections::BTreeMap;

/// The first six are the window's; the last two say between which entries its own lie.
pub(crate) const WINDOW_COLUMNS: &str =
    "id, state, reason, opened_at, changed_at, closed_at, entries_after, last_entry";
pub(crate) const CONTENT_COLUMNS: &str =
    "id, window_id, ledger_account, currency, state, settlement, created_at, changed_at";
pub(crate) const TOTAL_COLUMNS: &str = "content, account, debits, credits";
pub(crate) const SETTLEMENT_COLUMNS: &str = "id, model, state, reason, created_at, changed_at";
pub(crate) const SETTLEMENT_WINDOW_COLUMNS: &str = "settlement, window_id";
pub(crate) const SETTLEMENT_ACCOUNT_COLUMNS: &str =
    "settlement, account, net, state, reason, external_reference, created_at, changed_at";

/// A window as its row has it, without contents.
#[derive(Clone, Debug)]
pub(crate) struct WindowRow {
    pub window: Window,
    /// The last entry before it was opened.
    pub entries_after: i64,
    /// The last entry when it was closed; none while it is open.
    pub last_entry: Option<i64>,
}

/// Reads [`WINDOW_COLUMNS`].
pub(crate) fn window(row: &impl Columns) -> Result<WindowRow, StoreError> {
    let window = Window {
        id: WindowId(required(row.number(0)?, "id")?),
        state: window_state(row, 1)?,
        reason: required(row.text(2)?, "reason")?.into(),
        created_at: time(row, 3)?,
        changed_at: time(row, 4)?,
        closed_at: row.number(5)?.map(|_| time(row, 5)).transpose()?,
        contents: Vec::new(),
    };
    let entries_after = required(row.number(6)?, "entries_after")?;
    Ok(WindowRow { window, entries_after, last_entry: row.number(7)? })
}

/// Reads [`CONTENT_COLUMNS`]; without totals.
pub(crate) fn content(row: &impl Columns) -> Result<Content, StoreError> {
    Ok(Content {
        id: ContentId(required(row.number(0)?, "id")?),
        window: WindowId(required(row.number(1)?, "window_id")?),
        ledger_account: parsed_or(row, 2, "ledger_account")?,
        currency: parsed(row, 3, "currency")?,
        state: window_state(row, 4)?,
        settlement: row.number(5)?.map(SettlementId),
        created_at: time(row, 6)?,
        changed_at: time(row, 7)?,
        totals: Vec::new(),
    })
}

/// Reads [`TOTAL_COLUMNS`].
pub(crate) fn total(row: &impl Columns) -> Result<(ContentId, AccountTotal), StoreError> {
    let total = AccountTotal {
        account: AccountId(required(row.number(1)?, "account")?),
        debits: amount(row, 2)?,
        credits: amount(row, 3)?,
    };
    Ok((ContentId(required(row.number(0)?, "content")?), total))
}

/// Reads [`SETTLEMENT_COLUMNS`]; without windows and accounts.
pub(crate) fn settlement(row: &impl Columns) -> Result<Settlement, StoreError> {
    Ok(Settlement {
        id: SettlementId(required(row.number(0)?, "id")?),
        model: required(row.number(1)?, "model")?,
        state: settlement_state(row, 2)?,
        reason: required(row.text(3)?, "reason")?.into(),
        created_at: time(row, 4)?,
        changed_at: time(row, 5)?,
        windows: Vec::new(),
        accounts: Vec::new(),
    })
}

/// Reads [`SETTLEMENT_WINDOW_COLUMNS`].
pub(crate) fn settlement_window(row: &impl Columns) -> Result<(SettlementId, WindowId), StoreError> {
    Ok((SettlementId(required(row.number(0)?, "settlement")?), WindowId(required(row.number(1)?, "window_id")?)))
}

/// Reads [`SETTLEMENT_ACCOUNT_COLUMNS`].
pub(crate) fn settlement_account(row: &impl Columns) -> Result<(SettlementId, SettlementAccount), StoreError> {
    let account = SettlementAccount {
        account: AccountId(required(row.number(1)?, "account")?),
        net: amount(row, 2)?,
        state: settlement_state(row, 3)?,
        reason: required(row.text(4)?, "reason")?.into(),
        external_reference: row.text(5)?.map(Into::into),
        created_at: time(row, 6)?,
        changed_at: time(row, 7)?,
    };
    Ok((SettlementId(required(row.number(0)?, "settlement")?), account))
}

/// Reads a line of an account's statement: entry, id and is_ulid of the transfer, time, kind, settlement, debit, credit,
/// amount.
pub(crate) fn statement_line(row: &impl Columns, of: AccountId) -> Result<StatementLine, StoreError> {
    let (debit, credit) = (required(row.number(6)?, "debit")?, required(row.number(7)?, "credit")?);
    let (other, amount) = if debit == of.0 {
        (credit, amount(row, 8)?)
    } else {
        let back = amount(row, 8)?.checked_neg();
        (debit, back.ok_or_else(|| unreadable("amount", "the least of all numbers"))?)
    };
    Ok(StatementLine {
        entry: required(row.number(0)?, "id")?,
        at: time(row, 3)?,
        kind: required(row.text(4)?, "kind of an entry")?.to_owned(),
        transfer: row.bytes(1)?.map(|_| correlation_id(row, 1)).transpose()?,
        settlement: row.number(5)?.map(SettlementId),
        other: AccountId(other),
        amount,
    })
}

/// Puts totals into their contents, and these into their windows. All come in the order of their ids.
pub(crate) fn with_contents(
    mut windows: Vec<WindowRow>,
    contents: Vec<Content>,
    totals: Vec<(ContentId, AccountTotal)>,
) -> Vec<WindowRow> {
    let mut of_content: BTreeMap<ContentId, Vec<AccountTotal>> = BTreeMap::new();
    for (content, total) in totals {
        of_content.entry(content).or_default().push(total);
    }
    let mut of_window: BTreeMap<WindowId, Vec<Content>> = BTreeMap::new();
    for mut content in contents {
        content.totals = of_content.remove(&content.id).unwrap_or_default();
        of_window.entry(content.window).or_default().push(content);
    }
    for row in &mut windows {
        row.window.contents = of_window.remove(&row.window.id).unwrap_or_default();
    }
    windows
}

/// Puts windows and accounts, in the order of their ids, into their settlements.
pub(crate) fn with_accounts(
    mut settlements: Vec<Settlement>,
    windows: Vec<(SettlementId, WindowId)>,
    accounts: Vec<(SettlementId, SettlementAccount)>,
) -> Vec<Settlement> {
    let mut windows_of: BTreeMap<SettlementId, Vec<WindowId>> = BTreeMap::new();
    for (settlement, window) in windows {
        windows_of.entry(settlement).or_default().push(window);
    }
    let mut accounts_of: BTreeMap<SettlementId, Vec<SettlementAccount>> = BTreeMap::new();
    for (settlement, account) in accounts {
        accounts_of.entry(settlement).or_default().push(account);
    }
    for settlement in &mut settlements {
        settlement.windows = windows_of.remove(&settlement.id).unwrap_or_default();
        settlement.accounts = accounts_of.remove(&settlement.id).unwrap_or_default();
    }
    settlements
}

fn window_state(row: &impl Columns, column: usize) -> Result<WindowState, StoreError> {
    let text = required(row.text(column)?, "state")?;
    WindowState::parse(text).ok_or_else(|| unreadable("state of a window", text))
}

fn settlement_state(row: &impl Columns, column: usize) -> Result<SettlementState, StoreError> {
    let text = required(row.text(column)?, "state")?;
    SettlementState::parse(text).ok_or_else(|| unreadable("state of a settlement", text))
}
