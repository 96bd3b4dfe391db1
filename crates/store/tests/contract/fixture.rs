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

    /// Copies tables, to [`Self::restore`] them.
    pub async fn save<'a, const N: usize>(&self, tables: [&'a str; N]) -> [&'a str; N] {
        for table in tables {
            self.tamper(&format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}")).await;
        }
        tables
    }

    pub async fn restore(&self, tables: &[&str]) {
        let deletes = tables.iter().rev().map(|table| format!("DELETE FROM {table};")).collect::<String>();
        let always = if self.address.starts_with("sqlite:") { "" } else { "OVERRIDING SYSTEM VALUE " };
        let inserts = tables.iter().map(|table| format!("INSERT INTO {table} {always}SELECT * FROM saved_{table};"));
        self.tamper(&format!("BEGIN; {deletes} {} COMMIT", inserts.collect::<String>())).await;
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
        self.undo_settlement().await;
        let version = self.version(1);
        self.tamper(&format!(
            "DROP TABLE journal; DROP TABLE secrets; DROP INDEX outbox_dead; \
             ALTER TABLE transfers DROP COLUMN created_at; ALTER TABLE quotes DROP COLUMN created_at; {version}"
        ))
        .await;
    }

    /// Makes the tables what they were in version 2.
    pub async fn undo_settlement(&self) {
        let version = self.version(2);
        self.tamper(&format!(
            "DROP TABLE window_totals; DROP TABLE window_contents; DROP TABLE settlement_accounts; \
             DROP TABLE settlement_windows; DROP TABLE settlements; ALTER TABLE entries DROP COLUMN settlement; \
             ALTER TABLE windows DROP COLUMN reason; ALTER TABLE windows DROP COLUMN changed_at; \
             ALTER TABLE windows DROP COLUMN entries_after; ALTER TABLE windows DROP COLUMN last_entry; \
             ALTER TABLE participants DROP COLUMN flow; ALTER TABLE accounts DROP COLUMN cap_share; \
             DROP TABLE fee_rules; DROP TABLE transactions; ALTER TABLE transfers DROP COLUMN fees; \
             DROP TABLE account_types; DROP INDEX transfers_funds; \
             DROP TABLE transfer_terms; DROP INDEX transfers_elsewhere; ALTER TABLE quotes DROP COLUMN kind; \
             DROP TABLE routes; DROP TABLE discoveries; DROP TABLE clients; \
             DROP TABLE notice_deliveries; DROP TABLE notices; DROP TABLE alarms; DROP TABLE certificates; \
             ALTER TABLE accounts DROP COLUMN liquidity_threshold; {version}"
        ))
        .await;
    }

    /// What makes the database one of a version.
    fn version(&self, version: u32) -> String {
        if self.address.starts_with("sqlite:") {
            format!("PRAGMA user_version = {version}")
        } else {
            format!("DELETE FROM schema_version WHERE version > {version}")
        }
    }

    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}
