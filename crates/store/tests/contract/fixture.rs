//! Stores to test, and a way around them: SQL on the same database.

use crate::scheme::HUB;
use std::sync::Arc;
use store::Store;
use tempfile::TempDir;

pub struct Fixture {
    address: String,
    /// Goes away with the fixture.
    _directory: Option<TempDir>,
}

impl Fixture {
    pub fn memory() -> Self {
        Self { address: "memory".into(), _directory: None }
    }

    pub fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let address = format!("sqlite:{}", directory.path().join("hub.db").display());
        Self { address, _directory: Some(directory) }
    }

    pub async fn postgres() -> Self {
        Self { address: store::postgres::scratch::database().await.unwrap(), _directory: None }
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.address, &HUB.parse().unwrap()).await.unwrap()
    }

    /// Runs a statement behind the store's back.
    pub async fn tamper(&self, sql: &str) {
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
        } else {
            self.client().await.batch_execute(sql).await.unwrap();
        }
    }

    /// The two text columns that a query selects.
    pub async fn look(&self, sql: &str) -> Vec<(String, String)> {
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let connection = rusqlite::Connection::open(path).unwrap();
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        } else {
            let rows = self.client().await.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| (row.get(0), row.get(1))).collect()
        }
    }

    /// Makes what earlier processes have left claimable now. SQLite has one process, so there it always is.
    pub async fn end_leases(&self) {
        if !self.address.starts_with("sqlite:") {
            self.tamper("UPDATE nodes SET lease_until = lease_until - interval '1 day'").await;
        }
    }

    /// Makes the tables what they were in version 1.
    pub async fn undo_the_journal(&self) {
        let version = if self.address.starts_with("sqlite:") {
            "PRAGMA user_version = 1"
        } else {
            "DELETE FROM schema_version WHERE version = 2"
        };
        self.tamper(&format!(
            "DROP TABLE journal; DROP TABLE secrets; DROP INDEX outbox_dead; \
             ALTER TABLE transfers DROP COLUMN created_at; ALTER TABLE quotes DROP COLUMN created_at; {version}"
        ))
        .await;
    }

    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}
