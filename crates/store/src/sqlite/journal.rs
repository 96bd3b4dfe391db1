//! The journal, and what a trace reads.

use super::{
    SqliteStore,
    connection::{all, failure, first, run},
};
use crate::{
    Direction, JournalRow, OutboxRow, StoreError, TracedEntry, TracedQuote, TracedTransfer, codec,
    trace::{KEYS_MAX, Keys, MESSAGES_MAX, Range, Source, Timeline},
};
use hub_core::Subject;
use rusqlite::{Connection, Statement, params, params_from_iter, types::Value};
use std::sync::LazyLock;
use vocabulary::{CorrelationId, FspId, Timestamp};

static TRANSFER: LazyLock<String> = LazyLock::new(|| by_id(codec::TRANSFER_COLUMNS, codec::TRANSFERS));
static QUOTE: LazyLock<String> = LazyLock::new(|| by_id(codec::QUOTE_COLUMNS, "quotes"));
static CONVERSIONS: LazyLock<String> = LazyLock::new(|| {
    let (columns, transfers) = (codec::TRANSFER_COLUMNS, codec::TRANSFERS);
    format!(
        "SELECT {columns}, created_at FROM {transfers} WHERE determining = ?1 AND is_determining_ulid = ?2 ORDER BY key"
    )
});
static ENTRIES: LazyLock<String> = LazyLock::new(|| {
    let columns = codec::ENTRY_COLUMNS;
    format!("SELECT {columns} FROM entries WHERE id > ?1 AND id <= ?2 AND transfer = ?3 ORDER BY id")
});
/// Places of the statement that have no key are null, which nothing equals.
static MESSAGES: LazyLock<String> = LazyLock::new(|| {
    let places = |nth: usize| {
        let first = 3 + nth * KEYS_MAX;
        (first..first + KEYS_MAX).map(|place| format!("?{place}")).collect::<Vec<_>>().join(",")
    };
    let (subjects, traces, parties) = (places(0), places(1), places(2));
    format!(
        "SELECT {} FROM journal WHERE id > ?1 AND id <= ?2 AND (subject IN ({subjects}) OR trace IN ({traces}) \
         OR related IN ({subjects}) OR party IN ({parties})) ORDER BY id LIMIT {MESSAGES_MAX}",
        codec::JOURNAL_COLUMNS
    )
});
static OUTBOX: LazyLock<String> = LazyLock::new(|| {
    let of = |state: &str| {
        let columns = codec::OUTBOX_COLUMNS;
        format!("SELECT {columns} FROM outbox WHERE recipient = ?1 AND is_dead = {state} AND payment_key = ?2")
    };
    format!("{} UNION ALL {} ORDER BY 1 LIMIT {MESSAGES_MAX}", of("0"), of("1"))
});

fn by_id(columns: &str, table: &str) -> String {
    format!(
        "SELECT {columns}, created_at FROM {table} WHERE key = \
         (SELECT key FROM ids WHERE kind = ?3 AND id = ?1 AND is_ulid = ?2)"
    )
}

/// Rows of one statement: running one costs as much as a few rows.
const ROWS_AT_ONCE: usize = 16;
const COLUMNS: usize = 14;

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(ROWS_AT_ONCE));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));

fn insert(rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS].join(", "));
    format!(
        "INSERT INTO journal (at, is_out, participant, method, resource, status, error, attempt, is_ulid, subject, \
         is_related_ulid, related, trace, party) VALUES {}",
        vec![row; rows].join(", ")
    )
}

/// Appends rows; part of a unit.
pub(super) fn add(connection: &Connection, rows: &[JournalRow]) -> Result<(), StoreError> {
    let chunks = rows.chunks_exact(ROWS_AT_ONCE);
    let rest = chunks.remainder().chunks(1);
    add_by(connection, &INSERT_MANY, chunks)?;
    add_by(connection, &INSERT_ONE, rest)
}

/// Runs a statement for each chunk of as many rows as it takes.
fn add_by<'a>(
    connection: &Connection,
    sql: &str,
    chunks: impl Iterator<Item = &'a [JournalRow]>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    for chunk in chunks {
        for (number, row) in chunk.iter().enumerate() {
            bind(&mut statement, number * COLUMNS, row).map_err(failure)?;
        }
        statement.raw_execute().map_err(failure)?;
    }
    Ok(())
}

/// Binds a row to the parameters after a place.
fn bind(statement: &mut Statement<'_>, after: usize, row: &JournalRow) -> rusqlite::Result<()> {
    let (subject, is_ulid) = row.subject.map(CorrelationId::to_parts).unzip();
    let (related, is_related_ulid) = row.related.map(CorrelationId::to_parts).unzip();
    statement.raw_bind_parameter(after + 1, row.at.0)?;
    statement.raw_bind_parameter(after + 2, row.direction == Direction::Out)?;
    statement.raw_bind_parameter(after + 3, row.participant.as_ref().map(FspId::as_str))?;
    statement.raw_bind_parameter(after + 4, row.method)?;
    statement.raw_bind_parameter(after + 5, row.resource)?;
    statement.raw_bind_parameter(after + 6, row.status)?;
    statement.raw_bind_parameter(after + 7, row.error)?;
    statement.raw_bind_parameter(after + 8, row.attempt)?;
    statement.raw_bind_parameter(after + 9, is_ulid.unwrap_or_default())?;
    statement.raw_bind_parameter(after + 10, subject)?;
    statement.raw_bind_parameter(after + 11, is_related_ulid.unwrap_or_default())?;
    statement.raw_bind_parameter(after + 12, related)?;
    statement.raw_bind_parameter(after + 13, row.trace)?;
    statement.raw_bind_parameter(after + 14, row.party.map(i64::from_be_bytes))
}

/// Deletes up to `limit` of the oldest rows, as far as they are older than `before`.
pub(super) fn trim(connection: &Connection, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "DELETE FROM journal WHERE id <= (SELECT max(id) FROM \
               (SELECT id, at FROM journal ORDER BY id LIMIT ?2) WHERE at < ?1)";
    run(connection, sql, params![before.millis().saturating_mul(1000), limit])
}

/// As [`trim`], for the transactions of transfers, whose keys grow with time as well.
pub(super) fn trim_transactions(connection: &Connection, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "DELETE FROM transactions WHERE transfer <= (SELECT max(transfer) FROM \
               (SELECT transfer, at FROM transactions ORDER BY transfer LIMIT ?2) WHERE at < ?1)";
    run(connection, sql, params![before.millis(), limit])
}

pub(super) fn key(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let sql = "SELECT value FROM secrets WHERE name = 'journal'";
    first(connection, sql, [], |row| row.get(0).map_err(failure))?
        .ok_or_else(|| StoreError::Data("the key of the journal is missing".into()))
}

impl Source for SqliteStore {
    async fn transfer(&self, subject: Subject) -> Result<Option<TracedTransfer>, StoreError> {
        let (bytes, is_ulid) = subject.id.to_parts();
        let kind = codec::subject_kind_code(subject.kind);
        let read = |row: &rusqlite::Row<'_>| codec::traced_transfer(row);
        self.read(move |connection| first(connection, &TRANSFER, params![bytes, is_ulid, kind], read)).await
    }

    async fn conversions(&self, payment: CorrelationId) -> Result<Vec<TracedTransfer>, StoreError> {
        let (bytes, is_ulid) = payment.to_parts();
        let read = |row: &rusqlite::Row<'_>| codec::traced_transfer(row);
        self.read(move |connection| all(connection, &CONVERSIONS, params![bytes, is_ulid], read)).await
    }

    async fn quote(&self, subject: Subject) -> Result<Option<TracedQuote>, StoreError> {
        let (bytes, is_ulid) = subject.id.to_parts();
        let kind = codec::subject_kind_code(subject.kind);
        let read = |row: &rusqlite::Row<'_>| codec::traced_quote(row);
        self.read(move |connection| first(connection, &QUOTE, params![bytes, is_ulid, kind], read)).await
    }

    async fn ends(&self, of: Timeline) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = match of {
            Timeline::Journal => "SELECT (SELECT min(id) FROM journal), (SELECT max(id) FROM journal)",
            Timeline::Entries => "SELECT (SELECT min(id) FROM entries), (SELECT max(id) FROM entries)",
        };
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0).map_err(failure)?, row.get(1).map_err(failure)?));
        let ends: Option<(Option<i64>, Option<i64>)> =
            self.read(move |connection| first(connection, sql, [], read)).await?;
        Ok(ends.and_then(|(least, greatest)| Some((least?, greatest?))))
    }

    async fn time_at(&self, of: Timeline, key: i64) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = match of {
            Timeline::Journal => "SELECT id, at FROM journal WHERE id >= ?1 ORDER BY id LIMIT 1",
            Timeline::Entries => "SELECT id, at FROM entries WHERE id >= ?1 ORDER BY id LIMIT 1",
        };
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0).map_err(failure)?, row.get(1).map_err(failure)?));
        self.read(move |connection| first(connection, sql, [key], read)).await
    }

    async fn entries(&self, (after, until): Range, transfer: i64) -> Result<Vec<TracedEntry>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| codec::traced_entry(row);
        self.read(move |connection| all(connection, &ENTRIES, params![after, until, transfer], read)).await
    }

    async fn messages(&self, (after, until): Range, keys: Keys) -> Result<Vec<JournalRow>, StoreError> {
        let ids = |ids: std::collections::BTreeSet<[u8; 16]>| padded(ids.into_iter().map(|id| Value::Blob(id.into())));
        let values: Vec<Value> = [Value::Integer(after), Value::Integer(until)]
            .into_iter()
            .chain(ids(keys.subjects))
            .chain(ids(keys.traces))
            .chain(padded(keys.parties.into_iter().map(Value::Integer)))
            .collect();
        let read = |row: &rusqlite::Row<'_>| codec::journal_row(row);
        self.read(move |connection| all(connection, &MESSAGES, params_from_iter(values), read)).await
    }

    async fn outbox_of(&self, to: FspId, payment_key: [u8; 16]) -> Result<Vec<OutboxRow>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| codec::outbox_row(row);
        self.read(move |connection| all(connection, &OUTBOX, params![to.as_str(), payment_key], read)).await
    }
}

fn padded(keys: impl Iterator<Item = Value>) -> Vec<Value> {
    keys.chain(std::iter::repeat(Value::Null)).take(KEYS_MAX).collect()
}
