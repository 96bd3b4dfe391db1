//! Certificates that were issued to participants. Each change is a transaction of its own.

use super::{
    administration::record_change,
    connection::{all, failure, first, run},
};
use crate::{
    CertificateQuery, CertificateRow, NewCertificate, StoreError,
    codec::certificates::{self as codec, CERTIFICATE_COLUMNS},
};
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

/// False if the fingerprint is known.
pub(super) fn record(
    connection: &Connection,
    new: &NewCertificate,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let NewCertificate { fingerprint, serial_number, participant, not_after } = new;
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let sql = "INSERT INTO certificates (fingerprint, serial_number, participant, not_after, recorded_at, recorded_by) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (fingerprint) DO NOTHING";
    let columns = params![fingerprint, serial_number, participant.as_str(), not_after.millis(), now.millis(), actor];
    let is_new = run(&transaction, sql, columns)? == 1;
    if is_new {
        let change = codec::change(fingerprint, participant);
        record_change(&transaction, actor, now, ("record_certificate", &change))?;
        transaction.commit().map_err(failure)?;
    }
    Ok(is_new)
}

pub(super) fn list(connection: &Connection, query: &CertificateQuery) -> Result<Vec<CertificateRow>, StoreError> {
    let sql = format!(
        "SELECT {CERTIFICATE_COLUMNS} FROM certificates WHERE id < ?1 AND participant = coalesce(?2, participant) \
         AND fingerprint = coalesce(?3, fingerprint) ORDER BY id DESC LIMIT ?4"
    );
    let before = query.before.unwrap_or(i64::MAX);
    let participant = query.participant.as_ref().map(FspId::as_str);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    all(connection, &sql, params![before, participant, query.fingerprint, limit], |row| codec::certificate(row))
}

/// None if the fingerprint is unknown.
pub(super) fn revoke(
    connection: &Connection,
    fingerprint: &str,
    (reason, actor): (&str, &str),
    now: Timestamp,
) -> Result<Option<CertificateRow>, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let sql = "UPDATE certificates SET revoked_at = ?2, revoked_by = ?3, reason = ?4 \
               WHERE fingerprint = ?1 AND revoked_at IS NULL";
    let is_changed = run(&transaction, sql, params![fingerprint, now.millis(), actor, reason])? == 1;
    let sql = format!("SELECT {CERTIFICATE_COLUMNS} FROM certificates WHERE fingerprint = ?1");
    let row = first(&transaction, &sql, [fingerprint], |row| codec::certificate(row))?;
    if let Some(row) = row.as_ref().filter(|_| is_changed) {
        let change = codec::change(fingerprint, &row.participant);
        record_change(&transaction, actor, now, ("revoke_certificate", &change))?;
        transaction.commit().map_err(failure)?;
    }
    Ok(row)
}

pub(super) fn revoked(connection: &Connection, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT fingerprint FROM certificates WHERE revoked_at IS NOT NULL AND not_after > ?1";
    all(connection, sql, [codec::still_of_interest(now)], |row| codec::fingerprint(row))
}
