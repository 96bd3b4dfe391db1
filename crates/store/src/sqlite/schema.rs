//! Migrations: what makes a file umoja's, and brings an older one up to date. Additive; under the write lock.
//!
//! Invariant: `user_version` is the number of migrations that have run; a binary refuses a file that has seen more than
//! it knows, and one that belongs to another program.

use super::connection::failure;
use crate::StoreError;
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

const MIGRATIONS: [&str; 10] = [
    include_str!("schema.sql"),
    include_str!("journal.sql"),
    include_str!("settlement.sql"),
    include_str!("participation.sql"),
    include_str!("fees.sql"),
    include_str!("administration.sql"),
    include_str!("notices.sql"),
    include_str!("interscheme.sql"),
    include_str!("certificates.sql"),
    include_str!("clients.sql"),
];
/// `application_id` of the file's header: the letters "umoj".
const APPLICATION_ID: i64 = 0x756d_6f6a;

/// Brings the file to the present version. An empty one gets the hub as participant 1, and window 1, open.
pub(super) fn migrate(connection: &Connection, hub_name: &FspId, now: Timestamp) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failure)?;
    let migrated = migrate_locked(connection, hub_name, now);
    connection.execute_batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(failure)?;
    migrated
}

fn migrate_locked(connection: &Connection, hub_name: &FspId, now: Timestamp) -> Result<(), StoreError> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(failure);
    let (owner, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    let is_empty = number("SELECT COUNT(*) FROM sqlite_schema")? == 0;
    if owner != APPLICATION_ID && !is_empty {
        return Err(StoreError::Refused(
            "The file is a database of another program. Give the store a path of its own.".into(),
        ));
    }
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Refused(format!(
            "The database has schema version {version}, this program knows versions up to {}. Install a newer release.",
            MIGRATIONS.len()
        )));
    };
    for migration in missing {
        connection.execute_batch(migration).map_err(failure)?;
    }
    if is_empty {
        seed(connection, hub_name, now)?;
    }
    let header = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", MIGRATIONS.len());
    connection.execute_batch(&header).map_err(failure)
}

fn seed(connection: &Connection, hub_name: &FspId, now: Timestamp) -> Result<(), StoreError> {
    let now = now.millis();
    let hub = "INSERT INTO participants (id, name, is_active, is_proxy, created_at) VALUES (1, ?1, 1, 0, ?2)";
    connection.execute(hub, params![hub_name.as_str(), now]).map_err(failure)?;
    let window = "INSERT INTO windows (id, state, opened_at, changed_at) VALUES (1, 'OPEN', ?1, ?1)";
    connection.execute(window, [now]).map_err(failure)?;
    let meta = "INSERT INTO meta (id, directory_version, clock, last_message) VALUES (1, 0, ?1, 0)";
    connection.execute(meta, [now]).map_err(failure)?;
    Ok(())
}
