//! What operators see of the outbox, of every node, and do with it.

use super::{
    Shared,
    administration::RECORD,
    connection::{Connection, Request, Value},
    migrations::now_ms,
    outbox::as_limit,
    pool::Pool,
};
use crate::{
    MessageId, OutboxQuery, OutboxRow, OutboxState, StoreError, StoredMessage,
    codec::{self, MESSAGE_COLUMNS, OUTBOX_COLUMNS},
};
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::{FspId, Timestamp};

static WAITING: LazyLock<String> = LazyLock::new(|| page_of("NOT is_dead"));
static DEAD: LazyLock<String> = LazyLock::new(|| page_of("is_dead"));
static ONE: LazyLock<String> = LazyLock::new(|| format!("SELECT {OUTBOX_COLUMNS} FROM outbox WHERE id = $1"));

static REPLAY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE outbox SET is_dead = FALSE, attempts = 0, retry_until = $2, node = $3, batch = $4 \
         WHERE id = $1 AND is_dead RETURNING {MESSAGE_COLUMNS}"
    )
});

static DROP: LazyLock<String> =
    LazyLock::new(|| format!("DELETE FROM outbox WHERE id = $1 RETURNING {OUTBOX_COLUMNS}"));

const NOW: &str = concat!("SELECT ", now_ms!());

fn page_of(state: &str) -> String {
    format!(
        "SELECT {OUTBOX_COLUMNS} FROM outbox WHERE {state} AND id > $1 AND recipient = coalesce($3, recipient) \
         ORDER BY id LIMIT $2"
    )
}

pub(super) async fn list(pool: &Pool, query: &OutboxQuery) -> Result<Vec<OutboxRow>, StoreError> {
    let sql = match query.state {
        OutboxState::Waiting => &*WAITING,
        OutboxState::Dead => &*DEAD,
    };
    let to = query.to.as_ref().map(FspId::as_str);
    let values: Vec<Value<'_>> = vec![Box::new(query.after.0), Box::new(as_limit(query.limit)), Box::new(to)];
    pool.read(Request::new(sql, values)).await?.iter().map(codec::outbox_row).collect()
}

pub(super) async fn message(pool: &Pool, id: MessageId) -> Result<Option<OutboxRow>, StoreError> {
    pool.read(Request::new(&ONE, vec![Box::new(id.0)])).await?.first().map(codec::outbox_row).transpose()
}

pub(super) async fn replay(
    pool: &Pool,
    shared: &Shared,
    (id, until): (MessageId, Timestamp),
    actor: &str,
) -> Result<Option<StoredMessage>, StoreError> {
    let batch = shared.next_batch();
    let values: Vec<Value<'_>> =
        vec![Box::new(id.0), Box::new(until.millis()), Box::new(shared.node.0), Box::new(batch)];
    let change = async move |connection: &mut Connection| {
        changed(connection, Request::new(&REPLAY, values), (actor, "replay_message")).await
    };
    pool.with(change).await?.as_ref().map(codec::message).transpose()
}

pub(super) async fn drop_message(pool: &Pool, id: MessageId, actor: &str) -> Result<bool, StoreError> {
    let change = async move |connection: &mut Connection| {
        changed(connection, Request::new(&DROP, vec![Box::new(id.0)]), (actor, "drop_message")).await
    };
    Ok(pool.with(change).await?.is_some())
}

/// Changes a message, and leaves a row that says who did; in one transaction. The message's columns begin with its id and
/// its recipient.
async fn changed(
    connection: &mut Connection,
    request: Request<'_>,
    (actor, kind): (&str, &str),
) -> Result<Option<Row>, StoreError> {
    connection.script("BEGIN").await?;
    let row = connection.query(request.sql, request.values).await?.pop();
    if let Some(row) = &row {
        let now: i64 = connection.query(NOW, Vec::new()).await?[0].get(0);
        let to: Option<FspId> = row.get::<_, &str>(1).parse().ok();
        let change = codec::message_change(MessageId(row.get(0)), to.as_ref());
        connection.execute(RECORD, vec![Box::new(now), Box::new(actor), Box::new(kind), Box::new(change)]).await?;
    }
    connection.script("COMMIT").await?;
    Ok(row)
}
