//! What the adapter remembers of payments: one row each in SQLite, its state as JSON.
//!
//! Invariant: what [`Records::save`] has accepted survives a crash (WAL, synchronous=FULL). A row is *open* while its end is
//! known to the hub at best; open rows are what a restart takes up, and are never pruned.
//!
//! One thread has the connection. What waits for it when it is free becomes one transaction, since a sync to disk costs more
//! than everything else; nobody is answered before that transaction is durable.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use std::path::Path;
use std::{sync::mpsc, thread};
use tokio::sync::oneshot;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        kind INTEGER NOT NULL, id TEXT NOT NULL, is_open INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS open_records ON records (kind, id) WHERE is_open;";
/// When a row was last written, for pruning. What was there before counts as written now.
const SCHEMA_2: &str = "
    ALTER TABLE records ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX settled_records ON records (changed_ms) WHERE NOT is_open;";
/// Of the forms above; a file with a greater number was made by a newer program.
const SCHEMA_VERSION: i64 = 2;
/// An alias stays as long as the record that it leads to.
const PRUNE: &str = "DELETE FROM records WHERE (kind, id) IN (
        SELECT kind, id FROM records AS old WHERE NOT is_open AND changed_ms < ?1 AND NOT (kind = ?2 AND EXISTS (
            SELECT 1 FROM records AS named WHERE named.kind = ?3 AND named.id = json_extract(old.state, '$.record')))
        LIMIT ?4)";
/// Rows that are pruned at a time; payments go on between.
const PRUNED_MAX: usize = 500;
/// Reads and writes of one transaction.
const BATCH_MAX: usize = 256;

/// What a record is about. The number is in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Outgoing = 1,
    Incoming = 2,
    RequestToPay = 3,
    RequestToPayTransfer = 4,
    Conversion = 5,
    /// Of a transfer whose id is not its transaction's: which record of [`Kind::Incoming`] it belongs to.
    Alias = 6,
}

/// Whether the end of a payment is still to be learned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Openness {
    Open,
    Settled,
}

/// The records could not be read or written: a sentence.
#[derive(Clone, Debug)]
pub(crate) struct RecordError(pub String);

#[derive(Clone)]
pub(crate) struct Records(mpsc::Sender<Work>);

/// Something to do with the connection. What it returns is called when the transaction has ended, and answers whoever waits.
type Work = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(&Result<(), RecordError>)>;

impl Records {
    /// Without a path the records are in memory.
    pub fn open(path: Option<&Path>) -> Result<Self, RecordError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(RecordError(format!("it was written by a newer version of umoja (format {version})")));
        }
        if version < SCHEMA_VERSION {
            let change = connection.unchecked_transaction()?;
            change.execute_batch(SCHEMA)?;
            change.execute_batch(SCHEMA_2)?;
            change.execute("UPDATE records SET changed_ms = ?1", params![sdk::now().millis()])?;
            change.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            change.commit()?;
        }
        let (sender, waiting) = mpsc::channel();
        let thread =
            thread::Builder::new().name("records".to_owned()).spawn(move || work_through(&connection, &waiting));
        thread.map_err(|error| RecordError(format!("there is no thread for them: {error}")))?;
        Ok(Self(sender))
    }

    /// Durable when this returns.
    pub async fn save(&self, kind: Kind, id: &str, state: &Value, openness: Openness) -> Result<(), RecordError> {
        let (id, state) = (id.to_owned(), state.to_string());
        self.with(move |connection| {
            let statement = "INSERT INTO records (kind, id, is_open, state, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET is_open = excluded.is_open, state = excluded.state,
                     changed_ms = excluded.changed_ms";
            let is_open = openness == Openness::Open;
            let row = params![kind as i64, id, is_open, state, sdk::now().millis()];
            connection.prepare_cached(statement)?.execute(row).map(drop)
        })
        .await
    }

    pub async fn load(&self, kind: Kind, id: &str) -> Result<Option<Value>, RecordError> {
        Ok(self.load_with_openness(kind, id).await?.map(|(state, _)| state))
    }

    pub async fn load_with_openness(&self, kind: Kind, id: &str) -> Result<Option<(Value, Openness)>, RecordError> {
        let id = id.to_owned();
        let found = self.with(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT state, is_open FROM records WHERE kind = ?1 AND id = ?2")?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?));
            statement.query_row(params![kind as i64, id], read).optional()
        });
        let Some((text, is_open)) = found.await? else { return Ok(None) };
        let state =
            serde_json::from_str(&text).map_err(|error| RecordError(format!("a record is no JSON: {error}")))?;
        Ok(Some((state, if is_open { Openness::Open } else { Openness::Settled })))
    }

    /// Ids of open records.
    pub async fn open_ids(&self, kind: Kind) -> Result<Vec<String>, RecordError> {
        self.with(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT id FROM records WHERE kind = ?1 AND is_open ORDER BY id")?;
            statement.query_map(params![kind as i64], |row| row.get(0))?.collect()
        })
        .await
    }

    pub async fn count_open(&self, kind: Kind) -> Result<i64, RecordError> {
        self.with(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT count(*) FROM records WHERE kind = ?1 AND is_open")?;
            statement.query_row(params![kind as i64], |row| row.get(0))
        })
        .await
    }

    /// Forgets what is settled and was last written before this time; says how many rows that were.
    pub async fn prune(&self, before_ms: i64) -> Result<usize, RecordError> {
        let mut count = 0;
        loop {
            let pruned = self.with(move |connection| {
                let bounds = params![before_ms, Kind::Alias as i64, Kind::Incoming as i64, PRUNED_MAX as i64];
                connection.prepare_cached(PRUNE)?.execute(bounds)
            });
            let pruned = pruned.await?;
            count += pruned;
            if pruned < PRUNED_MAX {
                return Ok(count);
            }
        }
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordError> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |connection: &Connection| {
            let found = work(connection).map_err(RecordError::from);
            // Whoever asked may have gone away.
            Box::new(move |ended: &Result<(), RecordError>| drop(tell.send(ended.clone().and(found))))
        });
        let gone = || RecordError("the thread of the records has ended".to_owned());
        self.0.send(work).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

/// Until all who could ask are gone.
fn work_through(connection: &Connection, waiting: &mpsc::Receiver<Work>) {
    while let Ok(first) = waiting.recv() {
        // Immediate: a read before a write would otherwise fail where another process has written in between.
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(RecordError::from);
        let batch = std::iter::once(first).chain(waiting.try_iter().take(BATCH_MAX - 1));
        let answers: Vec<Answer> = batch.map(|work| work(connection)).collect();
        let ended = begun.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
        if ended.is_err() && !connection.is_autocommit() {
            // What was not committed is undone, or the next transaction could not begin. It says itself if it cannot.
            drop(connection.execute_batch("ROLLBACK"));
        }
        for answer in answers {
            answer(&ended);
        }
    }
}

impl From<rusqlite::Error> for RecordError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn what_was_saved_is_there_after_the_file_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("adapter.sqlite");
        let state = json!({"amount": "10.5"});
        {
            let records = Records::open(Some(&path)).unwrap();
            records.save(Kind::Outgoing, "a", &json!({}), Openness::Open).await.unwrap();
            records.save(Kind::Outgoing, "a", &state, Openness::Open).await.unwrap();
            records.save(Kind::Outgoing, "b", &state, Openness::Settled).await.unwrap();
        }
        let records = Records::open(Some(&path)).unwrap();
        assert_eq!(records.load(Kind::Outgoing, "a").await.unwrap(), Some(state));
        assert_eq!(records.load(Kind::Incoming, "a").await.unwrap(), None);
        assert_eq!(records.open_ids(Kind::Outgoing).await.unwrap(), ["a"]);
    }

    async fn exists(records: &Records, kind: Kind, id: &str) -> bool {
        records.load(kind, id).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn old_records_go_but_those_in_doubt_and_what_leads_to_them_stay() {
        let records = Records::open(None).unwrap();
        records.save(Kind::Outgoing, "in doubt", &json!({}), Openness::Open).await.unwrap();
        records.save(Kind::Incoming, "untold", &json!({}), Openness::Open).await.unwrap();
        records.save(Kind::Alias, "other name", &json!({"record": "untold"}), Openness::Settled).await.unwrap();
        for count in 0..PRUNED_MAX + 1 {
            records.save(Kind::Outgoing, &count.to_string(), &json!({}), Openness::Settled).await.unwrap();
        }
        let now = sdk::now().millis();
        assert_eq!(records.prune(now - 3_600_000).await.unwrap(), 0, "they are young");
        assert_eq!(records.prune(now + 3_600_000).await.unwrap(), PRUNED_MAX + 1);
        assert!(
            exists(&records, Kind::Outgoing, "in doubt").await && exists(&records, Kind::Alias, "other name").await
        );
        assert_eq!(records.count_open(Kind::Incoming).await.unwrap(), 1);
        records.save(Kind::Incoming, "untold", &json!({}), Openness::Settled).await.unwrap();
        assert_eq!(records.prune(now + 3_600_000).await.unwrap(), 1);
        assert_eq!(records.prune(now + 3_600_000).await.unwrap(), 1, "the alias follows its record");
    }

    #[tokio::test]
    async fn a_file_of_the_first_form_is_taken_over_and_its_rows_are_young() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("adapter.sqlite");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA).unwrap();
        old.execute("INSERT INTO records VALUES (1, 'a', 0, '{}')", []).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        for _ in 0..2 {
            let records = Records::open(Some(&path)).unwrap();
            assert_eq!(records.prune(sdk::now().millis() - 3_600_000).await.unwrap(), 0);
            assert!(exists(&records, Kind::Outgoing, "a").await);
        }
    }

    #[tokio::test]
    async fn many_who_save_at_the_same_time_each_find_what_they_saved() {
        let records = Records::open(None).unwrap();
        let ids: Vec<String> = (0..2 * BATCH_MAX).map(|number| format!("{number:04}")).collect();
        let saving = |id: String| {
            let records = records.clone();
            tokio::spawn(async move {
                records.save(Kind::Incoming, &id, &json!({"id": id}), Openness::Open).await.unwrap();
                records.load(Kind::Incoming, &id).await.unwrap().unwrap()["id"] == id.as_str()
            })
        };
        let saving: Vec<_> = ids.iter().cloned().map(saving).collect();
        for saved in saving {
            assert!(saved.await.unwrap(), "what was saved is read, also by a read of the same transaction");
        }
        assert_eq!(records.open_ids(Kind::Incoming).await.unwrap(), ids);
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("adapter.sqlite");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
        let refused = Records::open(Some(&path)).err().unwrap();
        assert!(refused.0.contains("newer version"), "{refused}");
    }
}
