//! Clients of the token endpoint, and secrets that all nodes share.

use super::{
    administration::one,
    connection::{Connection, Value},
};
use crate::{
    StoreError,
    codec::{CLIENT_COLUMNS, ClientRow, Columns},
};
use hub_core::administration::Client;
use std::sync::LazyLock;

pub(super) static ALL: LazyLock<String> = LazyLock::new(|| format!("SELECT {CLIENT_COLUMNS} FROM clients ORDER BY id"));
const SET: &str = "INSERT INTO clients (id, generation, secret, secret_at, replaced_secret, replaced_secret_at, \
     replaced_until) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
     generation = EXCLUDED.generation, secret = EXCLUDED.secret, secret_at = EXCLUDED.secret_at, \
     replaced_secret = EXCLUDED.replaced_secret, replaced_secret_at = EXCLUDED.replaced_secret_at, \
     replaced_until = EXCLUDED.replaced_until";
const KEEP: &str = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
const KEPT: &str = "SELECT value FROM secrets WHERE name = $1";

/// Adds or replaces a client; part of a transaction.
pub(super) async fn set(connection: &mut Connection, client: &Client) -> Result<(), StoreError> {
    let row = ClientRow::of(client);
    let values: Vec<Value<'_>> = vec![
        Box::new(row.id),
        Box::new(row.generation),
        Box::new(row.secret),
        Box::new(row.secret_at),
        Box::new(row.replaced_secret),
        Box::new(row.replaced_secret_at),
        Box::new(row.replaced_until),
    ];
    one(connection, SET, values).await
}

/// What is kept under a name, or this if nothing is. Of several nodes that begin at once, all get what one has kept.
pub(super) async fn secret(connection: &mut Connection, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
    connection.execute(KEEP, vec![Box::new(name), Box::new(candidate)]).await?;
    let rows = connection.query(KEPT, vec![Box::new(name)]).await?;
    let kept = rows.first().map(|row| row.bytes(0)).transpose()?.flatten();
    kept.map(<[u8]>::to_vec).ok_or_else(|| StoreError::Data(format!("the secret {name} is missing")))
}
