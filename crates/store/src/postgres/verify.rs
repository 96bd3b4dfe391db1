//! What `verify` reads while payments go on.

use super::{
    PostgresStore,
    columns::number,
    connection::{Connection, Request, Value},
    fault, locks, settlement,
};
use crate::{
    StoreError,
    audit::{EntryRow, LinkRow, Snapshot, Source},
    codec::{
        self, ACCOUNT_COLUMNS, CONTENT_COLUMNS, LINK_COLUMNS, LINKS, SETTLEMENT_MODEL_COLUMNS, TOTAL_COLUMNS,
        WINDOW_COLUMNS,
    },
};
use hub_core::{
    WindowId,
    settlement::{AccountTotal, ContentId},
};
use ledger::AccountId;
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::CorrelationId;

/// Rows of one read.
const PAGE: i64 = 10_000;

const COMMITTED: &str = "SELECT key FROM transfers WHERE key > $1 AND state = $2 AND (debit IS NOT NULL OR NOT EXISTS \
     (SELECT FROM transfer_terms WHERE transfer = key AND payee_proxy IS NOT NULL)) ORDER BY key LIMIT $3";
static CONVERSIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {LINK_COLUMNS} FROM {LINKS} WHERE terms.transfer > $1 AND terms.determining IS NOT NULL \
         ORDER BY terms.transfer LIMIT $2"
    )
});
const LAST_ENTRY: &str = "SELECT coalesce(max(id), 0) FROM entries";
static ENTRIES: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::AUDITED_ENTRY_COLUMNS;
    format!(
        "SELECT {columns} FROM entries AS e LEFT JOIN transfers AS t ON t.key = e.transfer \
         WHERE e.id > $1 AND e.id <= $2 ORDER BY e.id LIMIT $3"
    )
});
static ACCOUNTS: LazyLock<String> = LazyLock::new(|| format!("SELECT {ACCOUNT_COLUMNS} FROM accounts ORDER BY id"));
const HOLDS: &str = "SELECT debit, amount FROM transfers WHERE state = 1 AND debit IS NOT NULL \
     UNION ALL SELECT debit, amount FROM transfers WHERE state > 4 AND debit IS NOT NULL";
static WINDOWS: LazyLock<String> = LazyLock::new(|| format!("SELECT {WINDOW_COLUMNS} FROM windows ORDER BY id"));
const OPEN_WINDOW: &str = "SELECT id FROM open_window";
static CONTENTS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {CONTENT_COLUMNS} FROM window_contents ORDER BY id"));
static MODELS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SETTLEMENT_MODEL_COLUMNS} FROM settlement_models ORDER BY id"));
static TOTALS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {TOTAL_COLUMNS} FROM window_totals WHERE (content, account) > ($1, $2) ORDER BY content, account LIMIT $3"
    )
});
const IDS: &str = "SELECT id, is_ulid FROM transfers WHERE key = ANY ($1::BIGINT[]) ORDER BY key";

impl Source for PostgresStore {
    async fn committed(&self, after: i64) -> Result<Vec<i64>, StoreError> {
        let place: Vec<Value<'_>> = vec![Box::new(after), Box::new(codec::STATE_COMMITTED), Box::new(PAGE)];
        self.pool.read(Request::new(COMMITTED, place)).await?.iter().map(|row| number(row, 0)).collect()
    }

    async fn links(&self, after: i64) -> Result<Vec<LinkRow>, StoreError> {
        let place: Vec<Value<'_>> = vec![Box::new(after), Box::new(PAGE)];
        read_all(&self.pool.read(Request::new(&CONVERSIONS, place)).await?, codec::link)
    }

    /// Ids are given before the commit that shows them, but only to units that are in the gate: with the gate closed, there
    /// are none.
    async fn last_entry(&self) -> Result<i64, StoreError> {
        let read = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            connection.query(locks::TAKE, vec![Box::new(locks::WINDOW_GATE)]).await?;
            let rows = connection.query(LAST_ENTRY, Vec::new()).await?;
            connection.script("COMMIT").await?;
            number(&rows[0], 0)
        };
        self.pool.with(read).await
    }

    async fn entries(&self, after: i64, until: i64) -> Result<Vec<EntryRow>, StoreError> {
        let rows = self.pool.read(Request::new(&ENTRIES, bounds(after, until, PAGE))).await?;
        read_all(&rows, codec::audited_entry)
    }

    async fn snapshot(&self, after: i64) -> Result<Snapshot, StoreError> {
        self.pool.with(async |connection| snapshot(connection, after).await).await
    }

    async fn totals(
        &self,
        (content, account): (ContentId, AccountId),
    ) -> Result<Vec<(ContentId, AccountTotal)>, StoreError> {
        let rows = self.pool.read(Request::new(&TOTALS, bounds(content.0, account.0, PAGE))).await?;
        read_all(&rows, codec::total)
    }

    async fn ids(&self, keys: Vec<i64>) -> Result<Vec<CorrelationId>, StoreError> {
        let rows = self.pool.read(Request::new(IDS, vec![Box::new(keys)])).await?;
        read_all(&rows, |row| codec::correlation_id(row, 0))
    }
}

async fn snapshot(connection: &mut Connection, after: i64) -> Result<Snapshot, StoreError> {
    connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let requests = [
        Request::new(&ENTRIES, bounds(after, i64::MAX, i64::MAX)),
        Request::plain(&ACCOUNTS),
        Request::plain(HOLDS),
        Request::plain(&WINDOWS),
        Request::plain(OPEN_WINDOW),
        Request::plain(&CONTENTS),
        Request::plain(&MODELS),
    ];
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    let settlements = settlement::all_settlements(connection).await?;
    connection.script("COMMIT").await?;
    Ok(Snapshot {
        entries: read_all(&replies[0], codec::audited_entry)?,
        accounts: read_all(&replies[1], codec::account)?,
        holds: read_all(&replies[2], |row| Ok((AccountId(number(row, 0)?), number(row, 1)?)))?,
        windows: read_all(&replies[3], codec::window)?,
        open_window: replies[4].first().map(|row| number(row, 0).map(WindowId)).transpose()?,
        contents: read_all(&replies[5], codec::content)?,
        models: read_all(&replies[6], codec::settlement_model)?,
        settlements,
    })
}

fn bounds(after: i64, until: i64, limit: i64) -> Vec<Value<'static>> {
    vec![Box::new(after), Box::new(until), Box::new(limit)]
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}
