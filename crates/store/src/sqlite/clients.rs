//! Clients of the token endpoint, and secrets that all nodes share.

use super::connection::{failure, first, run};
use crate::{StoreError, codec::ClientRow};
use hub_core::administration::Client;
use rusqlite::{Connection, params};

/// Adds or replaces a client; part of a transaction.
pub(super) fn set(connection: &Connection, client: &Client) -> Result<(), StoreError> {
    let row = ClientRow::of(client);
    let sql = "INSERT OR REPLACE INTO clients (id, generation, secret, secret_at, replaced_secret, \
               replaced_secret_at, replaced_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let columns = params![
        row.id,
        row.generation,
        row.secret,
        row.secret_at,
        row.replaced_secret,
        row.replaced_secret_at,
        row.replaced_until
    ];
    run(connection, sql, columns).map(drop)
}

/// What is kept under a name, or this if nothing is.
pub(super) fn secret(connection: &Connection, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
    let sql = "INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    run(connection, sql, params![name, candidate])?;
    let kept =
        first(connection, "SELECT value FROM secrets WHERE name = ?1", [name], |row| row.get(0).map_err(failure))?;
    kept.ok_or_else(|| StoreError::Data(format!("the secret {name} is missing")))
}
