//! The scheme settings.

use super::{administration::RECORD, connection::Connection, locks, migrations::now_ms};
use crate::StoreError;

const ALL: &str = "SELECT name, value FROM settings ORDER BY name";
const ADD: &str = "INSERT INTO settings (name, value) VALUES ($1, $2)";
const SET: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
const NOW: &str = concat!("SELECT ", now_ms!());

/// Fills an empty table, recorded as the doing of `actor`, and returns what is stored.
pub(super) async fn seed(
    connection: &mut Connection,
    seed: &[(String, String)],
    actor: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    connection.script("BEGIN").await?;
    connection.query(locks::TAKE, vec![Box::new(locks::SETTINGS)]).await?;
    if connection.query(ALL, Vec::new()).await?.is_empty() {
        let now: i64 = connection.query(NOW, Vec::new()).await?[0].get(0);
        for (name, value) in seed {
            connection.execute(ADD, vec![Box::new(name.as_str()), Box::new(value.as_str())]).await?;
            let change = format!("{name}={value}");
            connection
                .execute(RECORD, vec![Box::new(now), Box::new(actor), Box::new("seed_setting"), Box::new(change)])
                .await?;
        }
    }
    let rows = connection.query(ALL, Vec::new()).await?;
    connection.script("COMMIT").await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Sets one setting, recorded as the doing of `actor`.
pub(super) async fn set(
    connection: &mut Connection,
    (name, value): (&str, &str),
    actor: &str,
) -> Result<(), StoreError> {
    connection.script("BEGIN").await?;
    connection.query(locks::TAKE, vec![Box::new(locks::SETTINGS)]).await?;
    let now: i64 = connection.query(NOW, Vec::new()).await?[0].get(0);
    connection.execute(SET, vec![Box::new(name), Box::new(value)]).await?;
    let change = format!("{name}={value}");
    connection.execute(RECORD, vec![Box::new(now), Box::new(actor), Box::new("set_setting"), Box::new(change)]).await?;
    connection.script("COMMIT").await
}
