//! What `verify` reads, beside the running hub.
//!
//! Entries are only ever added, one unit after the other, so whatever is below the last one is complete.

use super::{
    SqliteStore,
    connection::{all, failure},
    of_one_moment, reads, settlement,
};
use crate::{
    StoreError,
    audit::{EntryRow, LinkRow, Snapshot, Source},
    codec,
};
use hub_core::settlement::{AccountTotal, ContentId};
use ledger::AccountId;
use rusqlite::{Connection, Row, params};
use std::sync::LazyLock;
use vocabulary::CorrelationId;

/// Rows of one read: some ten milliseconds.
const PAGE: i64 = 10_000;

static ENTRIES: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::AUDITED_ENTRY_COLUMNS;
    format!(
        "SELECT {columns} FROM entries AS e LEFT JOIN transfers AS t ON t.key = e.transfer \
         WHERE e.id > ?1 AND e.id <= ?2 ORDER BY e.id LIMIT ?3"
    )
});

/// One read for each partial index.
pub(super) const HOLDS: &str = "SELECT debit, amount FROM transfers WHERE state = 1 AND debit IS NOT NULL \
     UNION ALL SELECT debit, amount FROM transfers WHERE state > 4 AND debit IS NOT NULL";

impl Source for SqliteStore {
    async fn committed(&self, after: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT key FROM transfers WHERE key > ?1 AND state = ?2 AND (debit IS NOT NULL OR NOT EXISTS \
                   (SELECT 1 FROM transfer_terms WHERE transfer = key AND payee_proxy IS NOT NULL)) \
                   ORDER BY key LIMIT ?3";
        self.read(move |connection| all(connection, sql, params![after, codec::STATE_COMMITTED, PAGE], key)).await
    }

    async fn links(&self, after: i64) -> Result<Vec<LinkRow>, StoreError> {
        let (columns, links) = (codec::LINK_COLUMNS, codec::LINKS);
        let sql = format!(
            "SELECT {columns} FROM {links} WHERE terms.transfer > ?1 AND terms.determining IS NOT NULL \
             ORDER BY terms.transfer LIMIT ?2"
        );
        self.read(move |connection| all(connection, &sql, params![after, PAGE], |row| codec::link(row))).await
    }

    async fn last_entry(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(id), 0) FROM entries";
        self.read(move |connection| connection.query_row(sql, [], |row| row.get(0)).map_err(failure)).await
    }

    async fn entries(&self, after: i64, until: i64) -> Result<Vec<EntryRow>, StoreError> {
        self.read(move |connection| entries(connection, after, until, PAGE)).await
    }

    async fn snapshot(&self, after: i64) -> Result<Snapshot, StoreError> {
        self.read(move |connection| of_one_moment(connection, |connection| snapshot(connection, after))).await
    }

    async fn totals(
        &self,
        (content, account): (ContentId, AccountId),
    ) -> Result<Vec<(ContentId, AccountTotal)>, StoreError> {
        let sql = format!(
            "SELECT {} FROM window_totals WHERE (content, account) > (?1, ?2) ORDER BY content, account LIMIT ?3",
            codec::TOTAL_COLUMNS
        );
        let read = move |connection: &Connection| {
            all(connection, &sql, params![content.0, account.0, PAGE], |row| codec::total(row))
        };
        self.read(read).await
    }

    async fn ids(&self, keys: Vec<i64>) -> Result<Vec<CorrelationId>, StoreError> {
        let sql = format!("SELECT id, is_ulid FROM transfers WHERE key IN {} ORDER BY key", settlement::LIST);
        let read = move |connection: &Connection| {
            all(connection, &sql, [settlement::json(keys)], |row| codec::correlation_id(row, 0))
        };
        self.read(read).await
    }
}

fn entries(connection: &Connection, after: i64, until: i64, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    all(connection, &ENTRIES, params![after, until, limit], |row| codec::audited_entry(row))
}

fn snapshot(connection: &Connection, after: i64) -> Result<Snapshot, StoreError> {
    let directory = reads::directory(connection)?;
    let hold = |row: &Row<'_>| Ok((AccountId(key(row)?), row.get(1).map_err(failure)?));
    let windows = format!("SELECT {} FROM windows ORDER BY id", codec::WINDOW_COLUMNS);
    let contents = format!("SELECT {} FROM window_contents ORDER BY id", codec::CONTENT_COLUMNS);
    let windows = all(connection, &windows, [], |row| codec::window(row))?;
    Ok(Snapshot {
        entries: entries(connection, after, i64::MAX, i64::MAX)?,
        accounts: directory.accounts.into_iter().map(|record| record.account).collect(),
        holds: all(connection, HOLDS, [], hold)?,
        open_window: reads::open_window(connection).ok(),
        windows,
        contents: all(connection, &contents, [], |row| codec::content(row))?,
        models: directory.settlement_models,
        settlements: settlement::all_settlements(connection)?,
    })
}

fn key(row: &Row<'_>) -> Result<i64, StoreError> {
    row.get(0).map_err(failure)
}
