//! What operators see of the outbox, and do with it.

use super::{
    administration::record_change,
    connection::{all, failure, first, run},
};
use crate::{MessageId, OutboxQuery, OutboxRow, OutboxState, StoreError, StoredMessage, codec};
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

pub(super) fn list(connection: &Connection, query: &OutboxQuery) -> Result<Vec<OutboxRow>, StoreError> {
    let columns = codec::OUTBOX_COLUMNS;
    // The state is written into the text, so that SQLite can tell which of the partial indexes serves it.
    let state = match query.state {
        OutboxState::Waiting => "is_dead = 0",
        OutboxState::Dead => "is_dead = 1",
    };
    let recipient = if query.to.is_some() { "AND recipient = ?3" } else { "AND ?3 IS NULL" };
    let sql = format!("SELECT {columns} FROM outbox WHERE {state} AND id > ?1 {recipient} ORDER BY id LIMIT ?2");
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let values = params![query.after.0, limit, query.to.as_ref().map(FspId::as_str)];
    all(connection, &sql, values, |row| codec::outbox_row(row))
}

pub(super) fn message(connection: &Connection, id: MessageId) -> Result<Option<OutboxRow>, StoreError> {
    let sql = format!("SELECT {} FROM outbox WHERE id = ?1", codec::OUTBOX_COLUMNS);
    first(connection, &sql, [id.0], |row| codec::outbox_row(row))
}

/// In a transaction of its own.
pub(super) fn replay(
    connection: &Connection,
    (id, until): (MessageId, Timestamp),
    (actor, now): (&str, Timestamp),
) -> Result<Option<StoredMessage>, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let revive = "UPDATE outbox SET is_dead = 0, attempts = 0, retry_until = ?2 WHERE id = ?1 AND is_dead = 1";
    if run(&transaction, revive, params![id.0, until.millis()])? == 0 {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM outbox WHERE id = ?1", codec::MESSAGE_COLUMNS);
    let revived = first(&transaction, &sql, [id.0], |row| codec::message(row))?;
    let to = revived.as_ref().map(|message| &message.message.to);
    record_change(&transaction, actor, now, ("replay_message", &codec::message_change(id, to)))?;
    transaction.commit().map_err(failure)?;
    Ok(revived)
}

/// In a transaction of its own.
pub(super) fn drop_message(
    connection: &Connection,
    id: MessageId,
    (actor, now): (&str, Timestamp),
) -> Result<bool, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let Some(row) = message(&transaction, id)? else { return Ok(false) };
    run(&transaction, "DELETE FROM outbox WHERE id = ?1", [id.0])?;
    record_change(&transaction, actor, now, ("drop_message", &codec::message_change(id, Some(&row.to))))?;
    transaction.commit().map_err(failure)?;
    Ok(true)
}
