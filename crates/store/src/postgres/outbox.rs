//! Which node delivers which message: leases, takeovers, and messages whose node missed the reply to a commit.

use super::{
    Shared,
    connection::{Connection, Request, Value},
    fault,
    pool::Pool,
};
use crate::{MessageId, NodeId, StoreError, StoredMessage, codec, codec::MESSAGE_COLUMNS};
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio_postgres::Row;
use vocabulary::FspId;

/// A node that has not renewed its lease for this long is taken for dead.
macro_rules! lease_end {
    () => {
        "clock_timestamp() + INTERVAL '10 seconds'"
    };
}

pub(super) const ENLIST: &str =
    concat!("INSERT INTO nodes (lease_until) VALUES (", lease_end!(), ") RETURNING incarnation");

/// Forgets nodes that died long ago and left nothing.
pub(super) const FORGET: &str = "DELETE FROM nodes WHERE lease_until < clock_timestamp() - INTERVAL '1 day' \
     AND NOT EXISTS (SELECT FROM outbox WHERE node = incarnation AND NOT is_dead)";

const RENEW: &str = concat!(
    "INSERT INTO nodes (incarnation, lease_until) OVERRIDING SYSTEM VALUE VALUES ($1, ",
    lease_end!(),
    ") ON CONFLICT (incarnation) DO UPDATE SET lease_until = EXCLUDED.lease_until"
);

/// The oldest messages of dead nodes that nobody else is claiming. Their order is computed, so that the planner finds
/// them by their node and does not read the whole outbox in the order of its ids, hoping to meet some.
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE outbox SET node = $1, batch = $2 WHERE id = ANY (ARRAY (SELECT id FROM outbox WHERE NOT is_dead \
         AND node = ANY (ARRAY (SELECT incarnation FROM nodes WHERE lease_until < clock_timestamp())) \
         ORDER BY id + 0 LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING {MESSAGE_COLUMNS}, batch"
    )
});

static FIND_BATCHES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {MESSAGE_COLUMNS}, batch FROM outbox WHERE node = $1 AND batch = ANY ($2::BIGINT[]) AND NOT is_dead"
    )
});

static WAITING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {MESSAGE_COLUMNS} FROM outbox WHERE node = $1 AND recipient = $2 AND id > $3 AND NOT is_dead \
         ORDER BY id LIMIT $4"
    )
});

/// For how many renewals a batch is looked for whose outcome is unknown: a server may still be busy with its commit.
const LOOKS: u32 = 60;

/// Batches of this node whose messages it may not know of, with how often to look for each.
#[derive(Default)]
pub(super) struct Unheard(Mutex<Vec<(i64, u32)>>);

impl Unheard {
    pub fn add(&self, batch: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((batch, LOOKS));
    }

    fn batches(&self) -> Vec<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(batch, _)| *batch).collect()
    }

    /// A batch that was found is complete: one transaction put all of its messages there.
    fn looked(&self, found: &[i64]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter_mut().for_each(|(_, looks)| *looks -= 1);
        waiting.retain(|(batch, looks)| *looks > 0 && !found.contains(batch));
    }
}

/// Renews the lease of this node and takes messages of dead nodes over. Returns also those of its own units whose
/// commit's reply was lost, since nobody else will deliver them while this node lives.
pub(super) async fn renew_and_claim(
    pool: &Pool,
    shared: &Shared,
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let claim = shared.next_batch();
    let unheard = shared.unheard.batches();
    let node = shared.node.0;
    let mut requests = vec![
        Request::new(RENEW, vec![Box::new(node)]),
        Request::new(&CLAIM, vec![Box::new(node), Box::new(claim), Box::new(as_limit(limit))]),
    ];
    if !unheard.is_empty() {
        requests.push(Request::new(&FIND_BATCHES, vec![Box::new(node), Box::new(unheard)]));
    }
    let ask = async |connection: &mut Connection| {
        connection.pipeline(&requests).await.map_err(|failed| {
            shared.unheard.add(claim);
            fault::of(&failed.error)
        })
    };
    let replies = pool.with(ask).await?;
    let rows: Vec<Row> = replies.into_iter().skip(1).flatten().collect();
    let found: Vec<i64> = rows.iter().map(|row| row.get("batch")).collect();
    shared.unheard.looked(&found);
    let mut messages = messages(&rows)?;
    messages.sort_by_key(|message| message.id);
    Ok(messages)
}

/// Messages of this node to one participant, oldest first.
pub(super) async fn waiting(
    pool: &Pool,
    node: NodeId,
    (to, after): (FspId, MessageId),
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let values: Vec<Value<'_>> =
        vec![Box::new(node.0), Box::new(to.as_str()), Box::new(after.0), Box::new(as_limit(limit))];
    messages(&pool.read(Request::new(&WAITING, values)).await?)
}

fn messages(rows: &[Row]) -> Result<Vec<StoredMessage>, StoreError> {
    rows.iter().map(codec::message).collect()
}

pub(super) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
