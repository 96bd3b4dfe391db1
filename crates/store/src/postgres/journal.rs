//! The journal, and what a trace reads.

use super::{
    PostgresStore,
    columns::{Sixteen, number},
    connection::{Request, Value},
    outbox::as_limit,
    rows::{array, request},
};
use crate::{
    Direction, JournalRow, OutboxRow, StoreError, TracedEntry, TracedQuote, TracedTransfer,
    codec::{
        self, Columns, ENTRY_COLUMNS, JOURNAL_COLUMNS, OUTBOX_COLUMNS, QUOTE_COLUMNS, TRANSFER_COLUMNS, TRANSFERS,
        subject_kind_code,
    },
    trace::{Keys, MESSAGES_MAX, Range, Source, Timeline},
};
use hub_core::{Subject, SubjectKind};
use std::{collections::BTreeSet, sync::LazyLock};
use vocabulary::{CorrelationId, FspId, Timestamp};

const ADD: &str = "INSERT INTO journal (at, is_out, participant, method, resource, status, error, attempt, subject, \
     is_ulid, related, is_related_ulid, trace, party) \
     SELECT * FROM unnest($1::BIGINT[], $2::BOOLEAN[], $3::TEXT[], $4::SMALLINT[], $5::SMALLINT[], $6::SMALLINT[], \
     $7::SMALLINT[], $8::SMALLINT[], $9::UUID[], $10::BOOLEAN[], $11::UUID[], $12::BOOLEAN[], $13::UUID[], \
     $14::BIGINT[])";

const TRIM: &str = "DELETE FROM journal WHERE id <= (SELECT max(id) FROM \
     (SELECT id, at FROM journal ORDER BY id LIMIT $2) AS oldest WHERE at < $1)";

const TRIM_TRANSACTIONS: &str = "DELETE FROM transactions WHERE transfer <= (SELECT max(transfer) FROM \
     (SELECT transfer, at FROM transactions ORDER BY transfer LIMIT $2) AS oldest WHERE at < $1)";

const TRANSACTION: &str = "SELECT body FROM transactions WHERE transfer = \
     (SELECT key FROM ids WHERE id = $1 AND kind = $2 AND is_ulid = $3)";

const KEY: &str = "SELECT value FROM secrets WHERE name = 'journal'";

static TRANSFER: LazyLock<String> = LazyLock::new(|| by_id(TRANSFER_COLUMNS, TRANSFERS));
static QUOTE: LazyLock<String> = LazyLock::new(|| by_id(QUOTE_COLUMNS, "quotes"));
static CONVERSIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {TRANSFER_COLUMNS}, created_at FROM {TRANSFERS} WHERE determining = $1 AND is_determining_ulid = $2 \
         ORDER BY key"
    )
});
static ENTRIES: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {ENTRY_COLUMNS} FROM entries WHERE id > $1 AND id <= $2 AND transfer = $3 ORDER BY id")
});
static MESSAGES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {JOURNAL_COLUMNS} FROM journal WHERE id > $1 AND id <= $2 AND (subject = ANY ($3::UUID[]) \
         OR related = ANY ($3::UUID[]) OR trace = ANY ($4::UUID[]) OR party = ANY ($5::BIGINT[])) ORDER BY id LIMIT $6"
    )
});
static OUTBOX: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {OUTBOX_COLUMNS} FROM outbox WHERE recipient = $1 AND payment_key = $2 ORDER BY id LIMIT $3")
});

fn by_id(columns: &str, table: &str) -> String {
    format!(
        "SELECT {columns}, created_at FROM {table} WHERE key = \
         (SELECT key FROM ids WHERE id = $1 AND kind = $2 AND is_ulid = $3)"
    )
}

fn id_values(id: CorrelationId, kind: SubjectKind) -> Vec<Value<'static>> {
    let (bytes, is_ulid) = id.to_parts();
    vec![Box::new(Sixteen(bytes)), Box::new(subject_kind_code(kind)), Box::new(is_ulid)]
}

/// Appends rows; part of a unit.
pub(super) fn add(rows: &[JournalRow]) -> Option<Request<'_>> {
    let bytes = |id: Option<CorrelationId>| id.map(|id| Sixteen(id.to_parts().0));
    let is_ulid = |id: Option<CorrelationId>| id.is_some_and(|id| id.to_parts().1);
    let small = |code: u16| i16::try_from(code).unwrap_or(i16::MAX);
    let values = vec![
        array(rows, |row| row.at.0),
        array(rows, |row| row.direction == Direction::Out),
        array(rows, |row| row.participant.as_ref().map(FspId::as_str)),
        array(rows, |row| i16::from(row.method)),
        array(rows, |row| i16::from(row.resource)),
        array(rows, |row| row.status.map(small)),
        array(rows, |row| row.error.map(small)),
        array(rows, |row| small(row.attempt)),
        array(rows, |row| bytes(row.subject)),
        array(rows, |row| is_ulid(row.subject)),
        array(rows, |row| bytes(row.related)),
        array(rows, |row| is_ulid(row.related)),
        array(rows, |row| row.trace.map(Sixteen)),
        array(rows, |row| row.party.map(i64::from_be_bytes)),
    ];
    request(ADD, rows, values)
}

impl PostgresStore {
    pub(super) async fn trim(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = before.millis().saturating_mul(1000);
        let trim = async |connection: &mut super::Connection| {
            connection.execute(TRIM, vec![Box::new(before), Box::new(as_limit(limit))]).await
        };
        Ok(usize::try_from(self.pool.with(trim).await?).unwrap_or(usize::MAX))
    }

    pub(super) async fn find_transaction(&self, id: CorrelationId) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.pool.read(Request::new(TRANSACTION, id_values(id, SubjectKind::Transfer))).await?;
        Ok(rows.first().map(|row| row.bytes(0)).transpose()?.flatten().map(<[u8]>::to_vec))
    }

    /// As [`Self::trim`], for the transactions of transfers, whose keys grow with time as well.
    pub(super) async fn trim_old_transactions(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let before = before.millis();
        let trim = async |connection: &mut super::Connection| {
            connection.execute(TRIM_TRANSACTIONS, vec![Box::new(before), Box::new(as_limit(limit))]).await
        };
        Ok(usize::try_from(self.pool.with(trim).await?).unwrap_or(usize::MAX))
    }

    pub(super) async fn find_journal_key(&self) -> Result<[u8; 32], StoreError> {
        let rows = self.pool.read(Request::plain(KEY)).await?;
        let key = rows.first().map(|row| row.bytes(0)).transpose()?.flatten();
        let missing = || StoreError::Data("the key of the journal is missing".to_owned());
        key.and_then(|key| key.get(..32)?.try_into().ok()).ok_or_else(missing)
    }
}

impl Source for PostgresStore {
    async fn transfer(&self, subject: Subject) -> Result<Option<TracedTransfer>, StoreError> {
        let request = Request::new(&TRANSFER, id_values(subject.id, subject.kind));
        self.pool.read(request).await?.first().map(codec::traced_transfer).transpose()
    }

    async fn conversions(&self, payment: CorrelationId) -> Result<Vec<TracedTransfer>, StoreError> {
        let (bytes, is_ulid) = payment.to_parts();
        let request = Request::new(&CONVERSIONS, vec![Box::new(Sixteen(bytes)), Box::new(is_ulid)]);
        self.pool.read(request).await?.iter().map(codec::traced_transfer).collect()
    }

    async fn quote(&self, subject: Subject) -> Result<Option<TracedQuote>, StoreError> {
        let request = Request::new(&QUOTE, id_values(subject.id, subject.kind));
        self.pool.read(request).await?.first().map(codec::traced_quote).transpose()
    }

    async fn ends(&self, of: Timeline) -> Result<Option<(i64, i64)>, StoreError> {
        let rows = self
            .pool
            .read(Request::plain(match of {
                Timeline::Journal => "SELECT min(id), max(id) FROM journal",
                Timeline::Entries => "SELECT min(id), max(id) FROM entries",
            }))
            .await?;
        Ok(rows[0].number(0)?.zip(rows[0].number(1)?))
    }

    async fn time_at(&self, of: Timeline, key: i64) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = match of {
            Timeline::Journal => "SELECT id, at FROM journal WHERE id >= $1 ORDER BY id LIMIT 1",
            Timeline::Entries => "SELECT id, at FROM entries WHERE id >= $1 ORDER BY id LIMIT 1",
        };
        let rows = self.pool.read(Request::new(sql, vec![Box::new(key)])).await?;
        rows.first().map(|row| Ok((number(row, 0)?, number(row, 1)?))).transpose()
    }

    async fn entries(&self, (after, until): Range, transfer: i64) -> Result<Vec<TracedEntry>, StoreError> {
        let request = Request::new(&ENTRIES, vec![Box::new(after), Box::new(until), Box::new(transfer)]);
        self.pool.read(request).await?.iter().map(codec::traced_entry).collect()
    }

    async fn messages(&self, (after, until): Range, keys: Keys) -> Result<Vec<JournalRow>, StoreError> {
        let ids = |ids: BTreeSet<[u8; 16]>| Box::new(ids.into_iter().map(Sixteen).collect::<Vec<_>>());
        let values: Vec<Value<'_>> = vec![
            Box::new(after),
            Box::new(until),
            ids(keys.subjects),
            ids(keys.traces),
            Box::new(keys.parties.into_iter().collect::<Vec<i64>>()),
            Box::new(as_limit(MESSAGES_MAX)),
        ];
        self.pool.read(Request::new(&MESSAGES, values)).await?.iter().map(codec::journal_row).collect()
    }

    async fn outbox_of(&self, to: FspId, payment_key: [u8; 16]) -> Result<Vec<OutboxRow>, StoreError> {
        let values: Vec<Value<'_>> =
            vec![Box::new(to.as_str()), Box::new(Sixteen(payment_key)), Box::new(as_limit(MESSAGES_MAX))];
        self.pool.read(Request::new(&OUTBOX, values)).await?.iter().map(codec::outbox_row).collect()
    }
}
