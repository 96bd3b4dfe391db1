//! Windows and settlements: what a decision loads, and what it writes.

use super::{
    administration::one,
    columns::{number, without_nul},
    connection::{Connection, Request, Value},
    fault,
    rows::array,
};
use crate::{
    StoreError,
    codec::{self, WindowRow},
};
use hub_core::{
    WindowId,
    administration::Directory,
    settlement::{Books, Content, ContentId, Scope, Settlement, SettlementAccount, SettlementId, Window, WindowState},
};
use std::sync::LazyLock;
use tokio_postgres::Row;

static WINDOWS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM windows WHERE id = ANY ($1::BIGINT[]) ORDER BY id", codec::WINDOW_COLUMNS)
});
static CONTENTS: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::CONTENT_COLUMNS;
    format!("SELECT {columns} FROM window_contents WHERE window_id = ANY ($1::BIGINT[]) ORDER BY id")
});
static TOTALS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM window_totals WHERE content = ANY \
         (ARRAY (SELECT id FROM window_contents WHERE window_id = ANY ($1::BIGINT[]))) ORDER BY content, account",
        codec::TOTAL_COLUMNS
    )
});
static SETTLEMENTS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM settlements WHERE id = ANY ($1::BIGINT[]) ORDER BY id", codec::SETTLEMENT_COLUMNS)
});
static SETTLEMENT_WINDOWS: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::SETTLEMENT_WINDOW_COLUMNS;
    format!(
        "SELECT {columns} FROM settlement_windows WHERE settlement = ANY ($1::BIGINT[]) ORDER BY settlement, window_id"
    )
});
static SETTLEMENT_ACCOUNTS: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::SETTLEMENT_ACCOUNT_COLUMNS;
    format!(
        "SELECT {columns} FROM settlement_accounts WHERE settlement = ANY ($1::BIGINT[]) ORDER BY settlement, account"
    )
});

static ALL_SETTLEMENTS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM settlements ORDER BY id", codec::SETTLEMENT_COLUMNS));
static ALL_SETTLEMENT_WINDOWS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM settlement_windows ORDER BY settlement, window_id", codec::SETTLEMENT_WINDOW_COLUMNS)
});
static ALL_SETTLEMENT_ACCOUNTS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM settlement_accounts ORDER BY settlement, account", codec::SETTLEMENT_ACCOUNT_COLUMNS)
});

const LAST: &str = "SELECT coalesce((SELECT max(id) FROM windows), 0), \
     coalesce((SELECT max(id) FROM window_contents), 0), coalesce((SELECT max(id) FROM settlements), 0)";
const HAS_PAYMENTS: &str =
    "SELECT EXISTS (SELECT FROM entries WHERE id > $1 AND id <= $2 AND window_id = $3 ORDER BY id LIMIT 1)";

const OPEN_WINDOW: &str = "WITH opened AS (INSERT INTO windows (id, state, reason, opened_at, changed_at, \
     entries_after) VALUES ($1, $2, $3, $4, $5, (SELECT coalesce(max(id), 0) FROM entries)) RETURNING id) \
     UPDATE open_window SET id = opened.id FROM opened";
/// The unit that closes a window fixes the last of its entries.
const SET_WINDOW: &str = "UPDATE windows SET state = $2, reason = $3, changed_at = $4, closed_at = $5, \
     last_entry = CASE WHEN $6::BOOLEAN THEN NULL \
     ELSE coalesce(last_entry, (SELECT coalesce(max(id), 0) FROM entries)) END WHERE id = $1";
const ADD_CONTENT: &str = "INSERT INTO window_contents (id, window_id, ledger_account, currency, state, settlement, \
     created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ADD_TOTALS: &str = "INSERT INTO window_totals (content, account, debits, credits) \
     SELECT $1::BIGINT, account, debits, credits FROM unnest($2::BIGINT[], $3::BIGINT[], $4::BIGINT[]) \
     AS new (account, debits, credits)";
const SET_CONTENT: &str = "UPDATE window_contents SET state = $2, settlement = $3, changed_at = $4 WHERE id = $1";
const ADD_SETTLEMENT: &str = "INSERT INTO settlements (id, model, state, reason, created_at, changed_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const ADD_WINDOWS: &str = "INSERT INTO settlement_windows (settlement, window_id) \
     SELECT $1::BIGINT, window_id FROM unnest($2::BIGINT[]) AS new (window_id)";
const ADD_ACCOUNTS: &str = "INSERT INTO settlement_accounts (settlement, account, net, state, reason, \
     external_reference, created_at, changed_at) SELECT $1::BIGINT, account, net, state, reason, external_reference, \
     created_at, changed_at FROM unnest($2::BIGINT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BIGINT[], \
     $8::BIGINT[]) AS new (account, net, state, reason, external_reference, created_at, changed_at)";
const SET_SETTLEMENT: &str = "UPDATE settlements SET state = $2, reason = $3, changed_at = $4 WHERE id = $1";
const SET_ACCOUNT: &str = "UPDATE settlement_accounts SET state = $3, reason = $4, external_reference = $5, \
     changed_at = $6 WHERE settlement = $1 AND account = $2";

/// What a settlement decision sees, besides the directory. The caller holds the locks that the scope asks for.
pub(super) async fn books(
    connection: &mut Connection,
    scope: &Scope,
    directory: Directory,
) -> Result<Books, StoreError> {
    let (mut settlement, mut payments) = (None, false);
    let rows = match scope {
        Scope::Gate(window) => {
            let mut rows = windows_by_id(connection, &[*window]).await?;
            for row in &mut rows {
                payments = has_payments(connection, row).await?;
                row.window.contents.clear();
            }
            rows
        }
        Scope::Windows(windows) => windows_by_id(connection, windows).await?,
        Scope::Settlement(id) => {
            settlement = settlements_by_id(connection, &[*id]).await?.pop();
            let windows = settlement.as_ref().map_or(&[][..], |found| &found.windows);
            windows_by_id(connection, windows).await?
        }
    };
    let last = connection.query(LAST, Vec::new()).await?;
    Ok(Books {
        directory,
        windows: rows.into_iter().map(|row| row.window).collect(),
        settlement,
        last_window: WindowId(number(&last[0], 0)?),
        last_content: ContentId(number(&last[0], 1)?),
        last_settlement: SettlementId(number(&last[0], 2)?),
        has_payments: payments,
    })
}

/// Windows with their contents.
pub(super) async fn windows_by_id(connection: &mut Connection, ids: &[WindowId]) -> Result<Vec<WindowRow>, StoreError> {
    let list = || -> Vec<Value<'_>> { vec![array(ids, |id| id.0)] };
    let requests = [&WINDOWS, &CONTENTS, &TOTALS].map(|sql| Request::new(sql, list()));
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    let windows = read_all(&replies[0], codec::window)?;
    Ok(codec::with_contents(windows, read_all(&replies[1], codec::content)?, read_all(&replies[2], codec::total)?))
}

pub(super) async fn settlements_by_id(
    connection: &mut Connection,
    ids: &[SettlementId],
) -> Result<Vec<Settlement>, StoreError> {
    let list = || -> Vec<Value<'_>> { vec![array(ids, |id| id.0)] };
    let requests = [&SETTLEMENTS, &SETTLEMENT_WINDOWS, &SETTLEMENT_ACCOUNTS].map(|sql| Request::new(sql, list()));
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    let windows = read_all(&replies[1], codec::settlement_window)?;
    let accounts = read_all(&replies[2], codec::settlement_account)?;
    Ok(codec::with_accounts(read_all(&replies[0], codec::settlement)?, windows, accounts))
}

/// Every settlement that ever was.
pub(super) async fn all_settlements(connection: &mut Connection) -> Result<Vec<Settlement>, StoreError> {
    let requests = [&ALL_SETTLEMENTS, &ALL_SETTLEMENT_WINDOWS, &ALL_SETTLEMENT_ACCOUNTS].map(|sql| Request::plain(sql));
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    let windows = read_all(&replies[1], codec::settlement_window)?;
    let accounts = read_all(&replies[2], codec::settlement_account)?;
    Ok(codec::with_accounts(read_all(&replies[0], codec::settlement)?, windows, accounts))
}

async fn has_payments(connection: &mut Connection, row: &WindowRow) -> Result<bool, StoreError> {
    let (after, until) = (row.entries_after, row.last_entry.unwrap_or(i64::MAX));
    let place: Vec<Value<'_>> = vec![Box::new(after), Box::new(until), Box::new(row.window.id.0)];
    Ok(connection.query(HAS_PAYMENTS, place).await?[0].get(0))
}

pub(super) async fn open_window(connection: &mut Connection, window: &Window) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(window.id.0),
        Box::new(window.state.as_str()),
        text(&window.reason),
        Box::new(window.created_at.millis()),
        Box::new(window.changed_at.millis()),
    ];
    one(connection, OPEN_WINDOW, values).await
}

pub(super) async fn set_window(connection: &mut Connection, window: &Window) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(window.id.0),
        Box::new(window.state.as_str()),
        text(&window.reason),
        Box::new(window.changed_at.millis()),
        Box::new(window.closed_at.map(|at| at.millis())),
        Box::new(window.state == WindowState::Open),
    ];
    one(connection, SET_WINDOW, values).await
}

pub(super) async fn add_content(connection: &mut Connection, content: &Content) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(content.id.0),
        Box::new(content.window.0),
        Box::new(content.ledger_account.as_str()),
        Box::new(content.currency.as_str()),
        Box::new(content.state.as_str()),
        Box::new(content.settlement.map(|settlement| settlement.0)),
        Box::new(content.created_at.millis()),
        Box::new(content.changed_at.millis()),
    ];
    one(connection, ADD_CONTENT, values).await?;
    let totals: Vec<Value<'_>> = vec![
        Box::new(content.id.0),
        array(&content.totals, |total| total.account.0),
        array(&content.totals, |total| total.debits.units()),
        array(&content.totals, |total| total.credits.units()),
    ];
    connection.execute(ADD_TOTALS, totals).await.map(drop)
}

pub(super) async fn set_content(connection: &mut Connection, content: &Content) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(content.id.0),
        Box::new(content.state.as_str()),
        Box::new(content.settlement.map(|settlement| settlement.0)),
        Box::new(content.changed_at.millis()),
    ];
    one(connection, SET_CONTENT, values).await
}

pub(super) async fn add_settlement(connection: &mut Connection, settlement: &Settlement) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(settlement.id.0),
        Box::new(settlement.model),
        Box::new(settlement.state.as_str()),
        text(&settlement.reason),
        Box::new(settlement.created_at.millis()),
        Box::new(settlement.changed_at.millis()),
    ];
    one(connection, ADD_SETTLEMENT, values).await?;
    let windows: Vec<Value<'_>> = vec![Box::new(settlement.id.0), array(&settlement.windows, |window| window.0)];
    connection.execute(ADD_WINDOWS, windows).await?;
    let own = &settlement.accounts;
    let accounts: Vec<Value<'_>> = vec![
        Box::new(settlement.id.0),
        array(own, |account| account.account.0),
        array(own, |account| account.net.units()),
        array(own, |account| account.state.as_str()),
        array(own, |account| without_nul(&account.reason).into_owned()),
        array(own, reference),
        array(own, |account| account.created_at.millis()),
        array(own, |account| account.changed_at.millis()),
    ];
    connection.execute(ADD_ACCOUNTS, accounts).await.map(drop)
}

pub(super) async fn set_settlement(connection: &mut Connection, settlement: &Settlement) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(settlement.id.0),
        Box::new(settlement.state.as_str()),
        text(&settlement.reason),
        Box::new(settlement.changed_at.millis()),
    ];
    one(connection, SET_SETTLEMENT, values).await
}

pub(super) async fn set_account(
    connection: &mut Connection,
    settlement: SettlementId,
    account: &SettlementAccount,
) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(settlement.0),
        Box::new(account.account.0),
        Box::new(account.state.as_str()),
        text(&account.reason),
        Box::new(reference(account)),
        Box::new(account.changed_at.millis()),
    ];
    one(connection, SET_ACCOUNT, values).await
}

fn reference(account: &SettlementAccount) -> Option<String> {
    account.external_reference.as_deref().map(|text| without_nul(text).into_owned())
}

/// A text that people read.
fn text(text: &str) -> Value<'static> {
    Box::new(without_nul(text).into_owned())
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}
