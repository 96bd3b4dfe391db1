//! Certificates that were issued to participants. Each change is a transaction of its own.

use super::{
    administration::RECORD,
    columns::{number, without_nul},
    connection::{Connection, Request, Value},
    migrations::now_ms,
    outbox::as_limit,
    pool::Pool,
};
use crate::{
    CertificateQuery, CertificateRow, NewCertificate, StoreError,
    codec::certificates::{self as codec, CERTIFICATE_COLUMNS},
};
use std::sync::LazyLock;
use vocabulary::FspId;

/// Returns the time of the change, or nothing where nothing changes.
const ADD: &str = concat!(
    "INSERT INTO certificates (fingerprint, serial_number, participant, not_after, recorded_at, recorded_by) \
     SELECT $1, $2, $3, $4, ",
    now_ms!(),
    ", $5 ON CONFLICT (fingerprint) DO NOTHING RETURNING recorded_at"
);
const REVOKE: &str = concat!(
    "UPDATE certificates SET revoked_by = $2, reason = $3, revoked_at = ",
    now_ms!(),
    " WHERE fingerprint = $1 AND revoked_at IS NULL RETURNING revoked_at"
);
static LIST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {CERTIFICATE_COLUMNS} FROM certificates WHERE id < $1 AND participant = coalesce($2, participant) \
         AND fingerprint = coalesce($3, fingerprint) ORDER BY id DESC LIMIT $4"
    )
});
static ONE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {CERTIFICATE_COLUMNS} FROM certificates WHERE fingerprint = $1"));
/// Clocks differ: what ended longer ago than a day is refused by TLS on every node.
const REVOKED: &str = concat!(
    "SELECT fingerprint FROM certificates WHERE revoked_at IS NOT NULL AND not_after > ",
    now_ms!(),
    " - 86400000"
);

/// False if the fingerprint is known.
pub(super) async fn record(pool: &Pool, new: &NewCertificate, actor: &str) -> Result<bool, StoreError> {
    let NewCertificate { fingerprint, serial_number, participant, not_after } = new;
    let add = async |connection: &mut Connection| {
        connection.script("BEGIN").await?;
        let values: Vec<Value<'_>> = vec![
            Box::new(&**fingerprint),
            Box::new(&**serial_number),
            Box::new(participant.as_str()),
            Box::new(not_after.millis()),
            Box::new(without_nul(actor).into_owned()),
        ];
        let rows = connection.query(ADD, values).await?;
        let changed_at = rows.first().map(|row| number(row, 0)).transpose()?;
        if let Some(at) = changed_at {
            let change = codec::change(fingerprint, participant);
            note(connection, actor, at, ("record_certificate", change)).await?;
        }
        connection.script("COMMIT").await?;
        Ok(changed_at.is_some())
    };
    pool.with(add).await
}

pub(super) async fn list(pool: &Pool, query: &CertificateQuery) -> Result<Vec<CertificateRow>, StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(query.before.unwrap_or(i64::MAX)),
        Box::new(query.participant.as_ref().map(FspId::as_str)),
        Box::new(query.fingerprint.as_deref().map(|text| without_nul(text).into_owned())),
        Box::new(as_limit(query.limit)),
    ];
    pool.read(Request::new(&LIST, values)).await?.iter().map(codec::certificate).collect()
}

/// None if the fingerprint is unknown.
pub(super) async fn revoke(
    pool: &Pool,
    fingerprint: &str,
    (reason, actor): (&str, &str),
) -> Result<Option<CertificateRow>, StoreError> {
    let fingerprint = &*without_nul(fingerprint);
    let revoke = async |connection: &mut Connection| {
        connection.script("BEGIN").await?;
        let values: Vec<Value<'_>> = vec![
            Box::new(fingerprint),
            Box::new(without_nul(actor).into_owned()),
            Box::new(without_nul(reason).into_owned()),
        ];
        let rows = connection.query(REVOKE, values).await?;
        let changed_at = rows.first().map(|row| number(row, 0)).transpose()?;
        let rows = connection.query(&ONE, vec![Box::new(fingerprint)]).await?;
        let row = rows.first().map(codec::certificate).transpose()?;
        if let (Some(at), Some(row)) = (changed_at, &row) {
            let change = codec::change(fingerprint, &row.participant);
            note(connection, actor, at, ("revoke_certificate", change)).await?;
        }
        connection.script("COMMIT").await?;
        Ok(row)
    };
    pool.with(revoke).await
}

pub(super) async fn revoked(pool: &Pool) -> Result<Vec<String>, StoreError> {
    pool.read(Request::plain(REVOKED)).await?.iter().map(codec::fingerprint).collect()
}

async fn note(
    connection: &mut Connection,
    actor: &str,
    at: i64,
    (kind, change): (&'static str, String),
) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> =
        vec![Box::new(at), Box::new(without_nul(actor).into_owned()), Box::new(kind), Box::new(change)];
    connection.execute(RECORD, values).await.map(drop)
}
