//! The tables, and how they come to be.
//!
//! Migrations are additive, numbered from 1, embedded, and run once each, under a lock, in one transaction.

use super::{
    address::Address,
    columns::number,
    connection::{Connection, Request, Value},
    fault, locks,
};
use crate::StoreError;
use vocabulary::FspId;

const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_journal.sql"),
    include_str!("migrations/0003_settlement.sql"),
    include_str!("migrations/0004_participation.sql"),
    include_str!("migrations/0005_fees.sql"),
    include_str!("migrations/0006_administration.sql"),
    include_str!("migrations/0007_notices.sql"),
    include_str!("migrations/0008_interscheme.sql"),
    include_str!("migrations/0010_clients.sql"),
];

/// Milliseconds since 1970 on the database's clock, at this moment and not at the transaction's begin.
macro_rules! now_ms {
    () => {
        "floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT"
    };
}
pub(super) use now_ms;

const PREREQUISITES: &str = "SELECT current_setting('server_version_num')::BIGINT, current_setting('server_encoding')";
const OLDEST_SERVER: i64 = 130_000;

const SEED_PARTICIPANT: &str = concat!(
    "INSERT INTO participants (id, name, is_active, is_proxy, created_at) SELECT 1, $1, TRUE, FALSE, ",
    now_ms!(),
    " WHERE NOT EXISTS (SELECT FROM participants)"
);
const SEED_WINDOW: &str = concat!(
    "INSERT INTO windows (id, state, opened_at, changed_at) SELECT 1, 'OPEN', now, now FROM (SELECT ",
    now_ms!(),
    " AS now) AS clock WHERE NOT EXISTS (SELECT FROM windows)"
);
const SEED_POINTER: &str = "INSERT INTO open_window (id) SELECT 1 WHERE NOT EXISTS (SELECT FROM open_window)";

/// Brings the tables up to date and fills an empty database with the hub's own participant and the first window.
pub(super) async fn run(connection: &mut Connection, address: &Address, hub: &FspId) -> Result<(), StoreError> {
    check_server(connection, address).await?;
    connection.script("BEGIN").await?;
    connection.query(locks::TAKE, vec![Box::new(locks::MIGRATIONS)]).await?;
    connection.script("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let rows = connection.query("SELECT coalesce(max(version), 0) FROM schema_version", Vec::new()).await?;
    let present = number(&rows[0], 0)?;
    let newest = i64::try_from(MIGRATIONS.len()).expect("there are few migrations");
    if present > newest {
        return Err(address.refused(&format!(
            "its tables have version {present} and this program knows up to {newest}. Start a newer umoja."
        )));
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip_while(|(version, _)| *version <= present) {
        connection.script(migration).await?;
        let version: Value<'_> = Box::new(version);
        connection.execute("INSERT INTO schema_version (version) VALUES ($1::BIGINT)", vec![version]).await?;
    }
    let seed = [
        Request::new(SEED_PARTICIPANT, vec![Box::new(hub.as_str())]),
        Request::plain(SEED_WINDOW),
        Request::plain(SEED_POINTER),
    ];
    connection.pipeline(&seed).await.map_err(|failed| fault::of(&failed.error))?;
    connection.script("COMMIT").await
}

async fn check_server(connection: &mut Connection, address: &Address) -> Result<(), StoreError> {
    let rows = connection.query(PREREQUISITES, Vec::new()).await?;
    let version = number(&rows[0], 0)?;
    if version < OLDEST_SERVER {
        return Err(address.refused(&format!("it runs PostgreSQL {}, and 13 or newer is needed", version / 10_000)));
    }
    let encoding: String = rows[0].get(1);
    if encoding != "UTF8" {
        return Err(address.refused(&format!(
            "its encoding is {encoding}. Create it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )));
    }
    Ok(())
}
