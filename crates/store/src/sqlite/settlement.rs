//! Windows and settlements: what a decision loads, and what it writes.

use super::{
    commit::one_row,
    connection::{all, failure, run},
    reads,
};
use crate::{
    StoreError,
    codec::{self, WindowRow},
};
use hub_core::{
    WindowId,
    settlement::{Books, Content, ContentId, Scope, Settlement, SettlementAccount, SettlementId, Window, WindowState},
};
use rusqlite::{Connection, params};
use std::sync::LazyLock;

static WINDOWS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM windows WHERE id IN {LIST} ORDER BY id", codec::WINDOW_COLUMNS));
static CONTENTS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM window_contents WHERE window_id IN {LIST} ORDER BY id", codec::CONTENT_COLUMNS)
});
static TOTALS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM window_totals WHERE content IN (SELECT id FROM window_contents WHERE window_id IN {LIST}) \
         ORDER BY content, account",
        codec::TOTAL_COLUMNS
    )
});
static SETTLEMENTS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM settlements WHERE id IN {LIST} ORDER BY id", codec::SETTLEMENT_COLUMNS));
static SETTLEMENT_WINDOWS: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::SETTLEMENT_WINDOW_COLUMNS;
    format!("SELECT {columns} FROM settlement_windows WHERE settlement IN {LIST} ORDER BY settlement, window_id")
});
static SETTLEMENT_ACCOUNTS: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::SETTLEMENT_ACCOUNT_COLUMNS;
    format!("SELECT {columns} FROM settlement_accounts WHERE settlement IN {LIST} ORDER BY settlement, account")
});

/// A list of numbers as one parameter: [`json`].
pub(super) const LIST: &str = "(SELECT value FROM json_each(?1))";

pub(super) fn json(numbers: impl IntoIterator<Item = i64>) -> String {
    format!("[{}]", numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}

/// What a settlement decision sees; the caller sees to it that nothing changes in between.
pub(super) fn books(connection: &Connection, scope: &Scope) -> Result<Books, StoreError> {
    let (rows, settlement, has_payments) = match scope {
        Scope::Gate(window) => {
            let rows = window_rows(connection, &[*window])?;
            let has_payments = rows.first().map(|row| has_payments(connection, row)).transpose()?.unwrap_or(false);
            (rows, None, has_payments)
        }
        Scope::Windows(windows) => (windows_by_id(connection, windows)?, None, false),
        Scope::Settlement(id) => {
            let found = settlements_by_id(connection, &[*id])?.pop();
            let windows = found.as_ref().map_or(&[][..], |found| &found.windows);
            (windows_by_id(connection, windows)?, found, false)
        }
    };
    let last = |table: &str| {
        let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).map_err(failure)
    };
    Ok(Books {
        directory: reads::directory(connection)?,
        windows: rows.into_iter().map(|row| row.window).collect(),
        settlement,
        last_window: WindowId(last("windows")?),
        last_content: ContentId(last("window_contents")?),
        last_settlement: SettlementId(last("settlements")?),
        has_payments,
    })
}

/// Windows without contents.
pub(super) fn window_rows(connection: &Connection, ids: &[WindowId]) -> Result<Vec<WindowRow>, StoreError> {
    all(connection, &WINDOWS, [json(ids.iter().map(|id| id.0))], |row| codec::window(row))
}

/// Windows with their contents.
pub(super) fn windows_by_id(connection: &Connection, ids: &[WindowId]) -> Result<Vec<WindowRow>, StoreError> {
    let list = json(ids.iter().map(|id| id.0));
    let contents = all(connection, &CONTENTS, [&list], |row| codec::content(row))?;
    let totals = all(connection, &TOTALS, [&list], |row| codec::total(row))?;
    Ok(codec::with_contents(window_rows(connection, ids)?, contents, totals))
}

pub(super) fn settlements_by_id(connection: &Connection, ids: &[SettlementId]) -> Result<Vec<Settlement>, StoreError> {
    let list = json(ids.iter().map(|id| id.0));
    let settlements = all(connection, &SETTLEMENTS, [&list], |row| codec::settlement(row))?;
    let windows = all(connection, &SETTLEMENT_WINDOWS, [&list], |row| codec::settlement_window(row))?;
    let accounts = all(connection, &SETTLEMENT_ACCOUNTS, [&list], |row| codec::settlement_account(row))?;
    Ok(codec::with_accounts(settlements, windows, accounts))
}

/// Every settlement that ever was.
pub(super) fn all_settlements(connection: &Connection) -> Result<Vec<Settlement>, StoreError> {
    let select = |columns: &str, table: &str, order: &str| format!("SELECT {columns} FROM {table} ORDER BY {order}");
    let settlements = select(codec::SETTLEMENT_COLUMNS, "settlements", "id");
    let windows = select(codec::SETTLEMENT_WINDOW_COLUMNS, "settlement_windows", "settlement, window_id");
    let accounts = select(codec::SETTLEMENT_ACCOUNT_COLUMNS, "settlement_accounts", "settlement, account");
    Ok(codec::with_accounts(
        all(connection, &settlements, [], |row| codec::settlement(row))?,
        all(connection, &windows, [], |row| codec::settlement_window(row))?,
        all(connection, &accounts, [], |row| codec::settlement_account(row))?,
    ))
}

fn has_payments(connection: &Connection, row: &WindowRow) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entries WHERE id > ?1 AND id <= ?2 AND window_id = ?3)";
    let place = params![row.entries_after, row.last_entry.unwrap_or(i64::MAX), row.window.id.0];
    connection.query_row(sql, place, |row| row.get(0)).map_err(failure)
}

pub(super) fn open_window(connection: &Connection, window: &Window) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO windows (id, state, reason, opened_at, changed_at, closed_at, entries_after) \
         VALUES (?1, ?2, ?3, ?4, ?5, NULL, (SELECT coalesce(max(id), 0) FROM entries))",
        params![
            window.id.0,
            window.state.as_str(),
            window.reason,
            window.created_at.millis(),
            window.changed_at.millis()
        ],
    )
    .map(drop)
}

/// The unit that closes a window fixes the last of its entries.
pub(super) fn set_window(connection: &Connection, window: &Window) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE windows SET state = ?2, reason = ?3, changed_at = ?4, closed_at = ?5, last_entry = CASE \
         WHEN ?6 THEN NULL ELSE coalesce(last_entry, (SELECT coalesce(max(id), 0) FROM entries)) END WHERE id = ?1",
        params![
            window.id.0,
            window.state.as_str(),
            window.reason,
            window.changed_at.millis(),
            window.closed_at.map(|at| at.millis()),
            window.state == WindowState::Open,
        ],
    );
    one_row(changed, "window", window.id.0)
}

pub(super) fn add_content(connection: &Connection, content: &Content) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO window_contents (id, window_id, ledger_account, currency, state, settlement, created_at, \
         changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            content.id.0,
            content.window.0,
            content.ledger_account.as_str(),
            content.currency.as_str(),
            content.state.as_str(),
            content.settlement.map(|settlement| settlement.0),
            content.created_at.millis(),
            content.changed_at.millis(),
        ],
    )?;
    let sql = "INSERT INTO window_totals (content, account, debits, credits) VALUES (?1, ?2, ?3, ?4)";
    for total in &content.totals {
        run(connection, sql, params![content.id.0, total.account.0, total.debits.units(), total.credits.units()])?;
    }
    Ok(())
}

pub(super) fn set_content(connection: &Connection, content: &Content) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE window_contents SET state = ?2, settlement = ?3, changed_at = ?4 WHERE id = ?1",
        params![
            content.id.0,
            content.state.as_str(),
            content.settlement.map(|settlement| settlement.0),
            content.changed_at.millis(),
        ],
    );
    one_row(changed, "window content", content.id.0)
}

pub(super) fn add_settlement(connection: &Connection, settlement: &Settlement) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO settlements (id, model, state, reason, created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            settlement.id.0,
            settlement.model,
            settlement.state.as_str(),
            settlement.reason,
            settlement.created_at.millis(),
            settlement.changed_at.millis(),
        ],
    )?;
    for window in &settlement.windows {
        let sql = "INSERT INTO settlement_windows (settlement, window_id) VALUES (?1, ?2)";
        run(connection, sql, params![settlement.id.0, window.0])?;
    }
    let sql = "INSERT INTO settlement_accounts (settlement, account, net, state, reason, external_reference, \
               created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    for account in &settlement.accounts {
        let columns = params![
            settlement.id.0,
            account.account.0,
            account.net.units(),
            account.state.as_str(),
            account.reason,
            account.external_reference,
            account.created_at.millis(),
            account.changed_at.millis(),
        ];
        run(connection, sql, columns)?;
    }
    Ok(())
}

pub(super) fn set_settlement(connection: &Connection, settlement: &Settlement) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE settlements SET state = ?2, reason = ?3, changed_at = ?4 WHERE id = ?1",
        params![settlement.id.0, settlement.state.as_str(), settlement.reason, settlement.changed_at.millis()],
    );
    one_row(changed, "settlement", settlement.id.0)
}

pub(super) fn set_account(
    connection: &Connection,
    settlement: SettlementId,
    account: &SettlementAccount,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE settlement_accounts SET state = ?3, reason = ?4, external_reference = ?5, changed_at = ?6 \
         WHERE settlement = ?1 AND account = ?2",
        params![
            settlement.0,
            account.account.0,
            account.state.as_str(),
            account.reason,
            account.external_reference,
            account.changed_at.millis(),
        ],
    );
    one_row(changed, "settlement account", account.account.0)
}
