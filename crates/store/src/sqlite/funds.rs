//! Funds movements, by the index that payments are not in.

use super::{SqliteStore, connection::all};
use crate::{FundsQuery, StoreError, TracedTransfer, codec};
use rusqlite::{Connection, params};
use std::sync::LazyLock;
use vocabulary::FspId;

static FUNDS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, created_at FROM {} WHERE kind <> {} AND kind <> {} AND key > ?1 \
         AND ((coalesce(created_at, changed_at) >= ?2 AND coalesce(created_at, changed_at) < ?3) \
         OR (changed_at >= ?2 AND changed_at < ?3)) AND (?4 IS NULL OR payer = ?4 OR payee = ?4) ORDER BY key LIMIT ?5",
        codec::TRANSFER_COLUMNS,
        codec::TRANSFERS,
        codec::KIND_PAYMENT,
        codec::KIND_CONVERSION
    )
});

impl SqliteStore {
    pub(super) async fn funds_movements(&self, query: FundsQuery) -> Result<Vec<TracedTransfer>, StoreError> {
        let read = move |connection: &Connection| {
            let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
            let participant = query.participant.as_ref().map(FspId::as_str);
            let place = params![query.after, query.from.millis(), query.to.millis(), participant, limit];
            all(connection, &FUNDS, place, |row| codec::traced_transfer(row))
        };
        self.read(read).await
    }
}
