//! The outbox of the one process: what it inherited from its predecessor, new messages, and what became of them.

use super::connection::{failure, run};
use crate::{Mark, MessageId, NewMessage, StoreError, StoredMessage};
use rusqlite::{Connection, params};
use tokio::sync::Mutex;
use vocabulary::Timestamp;

/// Where an earlier process has left off.
pub(super) struct Place {
    pub clock: Timestamp,
    pub last_message: MessageId,
}

/// The messages that were waiting when the store was opened, handed out once, in chunks. Nobody else can have them, so
/// nothing needs to be written for a claim.
pub(super) struct Inheritance {
    claimed_up_to: Mutex<MessageId>,
    last: MessageId,
}

impl Inheritance {
    pub(super) fn up_to(last: MessageId) -> Self {
        Self { claimed_up_to: Mutex::new(MessageId(0)), last }
    }

    /// The next chunk, which `read` fetches, given the place after which it begins and the last one.
    pub(super) async fn claim<F>(
        &self,
        limit: usize,
        read: impl FnOnce(MessageId, MessageId) -> F,
    ) -> Result<Vec<StoredMessage>, StoreError>
    where
        F: Future<Output = Result<Vec<StoredMessage>, StoreError>>,
    {
        let mut claimed = self.claimed_up_to.lock().await;
        if *claimed >= self.last || limit == 0 {
            return Ok(Vec::new());
        }
        let chunk = read(*claimed, self.last).await?;
        *claimed = match chunk.last() {
            Some(message) if chunk.len() == limit => message.id,
            Some(_) | None => self.last,
        };
        Ok(chunk)
    }

    /// What is not this process's yet: messages after the first place, up to the second.
    pub(super) async fn unclaimed(&self) -> (MessageId, MessageId) {
        (*self.claimed_up_to.lock().await, self.last)
    }
}

pub(super) fn place(connection: &Connection) -> Result<Place, StoreError> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Place { clock: Timestamp::from_millis(row.get(0)?), last_message: MessageId(row.get(1)?) })
    };
    connection.query_row("SELECT clock, last_message FROM meta", [], read).map_err(failure)
}

/// Adds messages after `last`; returns their ids, in their order.
pub(super) fn add(
    connection: &Connection,
    messages: &[NewMessage],
    mut last: i64,
) -> Result<Vec<MessageId>, StoreError> {
    let mut ids = Vec::with_capacity(messages.len());
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO outbox (id, recipient, payment_key, retry_until, head, body, attempts, is_dead) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
        )
        .map_err(failure)?;
    for message in messages {
        last += 1;
        let until = message.retry.until.millis();
        let (head, body) = (&message.head[..], &message.body[..]);
        insert.execute(params![last, message.to.as_str(), message.payment_key, until, head, body]).map_err(failure)?;
        ids.push(MessageId(last));
    }
    Ok(ids)
}

/// Writes what became of messages. A message that is gone already stays gone.
pub(super) fn mark(connection: &Connection, marks: &[Mark]) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM outbox WHERE id = ?1").map_err(failure)?;
    for mark in marks {
        let (id, attempts, error, is_dead) = match mark {
            Mark::Delivered(id) | Mark::Dropped(id) => {
                delete.execute([id.0]).map_err(failure)?;
                continue;
            }
            Mark::Failed { id, attempts, error } => (id, attempts, error, false),
            Mark::Dead { id, attempts, error } => (id, attempts, error, true),
        };
        let update = "UPDATE outbox SET attempts = ?2, last_error = ?3, is_dead = ?4 WHERE id = ?1";
        run(connection, update, params![id.0, attempts, error, is_dead])?;
    }
    Ok(())
}
