//! Funds movements, by the index that payments are not in.

use super::{PostgresStore, connection::Request, outbox::as_limit};
use crate::{FundsQuery, StoreError, TracedTransfer, codec};
use std::sync::LazyLock;
use vocabulary::FspId;

static FUNDS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, created_at FROM {} WHERE kind <> {} AND kind <> {} AND key > $1 \
         AND ((coalesce(created_at, changed_at) >= $2 AND coalesce(created_at, changed_at) < $3) \
         OR (changed_at >= $2 AND changed_at < $3)) AND ($4::TEXT IS NULL OR payer = $4 OR payee = $4) \
         ORDER BY key LIMIT $5",
        codec::TRANSFER_COLUMNS,
        codec::TRANSFERS,
        codec::KIND_PAYMENT,
        codec::KIND_CONVERSION
    )
});

impl PostgresStore {
    pub(super) async fn funds_movements(&self, query: FundsQuery) -> Result<Vec<TracedTransfer>, StoreError> {
        let request = Request::new(
            &FUNDS,
            vec![
                Box::new(query.after),
                Box::new(query.from.millis()),
                Box::new(query.to.millis()),
                Box::new(query.participant.as_ref().map(FspId::as_str)),
                Box::new(as_limit(query.limit)),
            ],
        );
        self.pool.read(request).await?.iter().map(codec::traced_transfer).collect()
    }
}
