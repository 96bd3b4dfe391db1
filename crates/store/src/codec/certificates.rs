//! How certificates lie in columns.

use super::{Columns, parsed, required, time};
use crate::{CertificateRow, Revocation, StoreError};
use vocabulary::{FspId, Timestamp};

pub(crate) const CERTIFICATE_COLUMNS: &str = "id, fingerprint, serial_number, participant, not_after, recorded_at, \
     recorded_by, revoked_at, revoked_by, reason";

/// Reads [`CERTIFICATE_COLUMNS`].
pub(crate) fn certificate(row: &impl Columns) -> Result<CertificateRow, StoreError> {
    let text = |column, what| required(row.text(column)?, what).map(str::to_owned);
    let revocation = match row.number(7)? {
        None => None,
        Some(at) => Some(Revocation {
            at: Timestamp::from_millis(at),
            by: text(8, "who revoked a certificate")?,
            reason: text(9, "reason of a revocation")?,
        }),
    };
    Ok(CertificateRow {
        id: required(row.number(0)?, "id")?,
        fingerprint: text(1, "fingerprint")?,
        serial_number: text(2, "serial number")?,
        participant: parsed(row, 3, "participant")?,
        not_after: time(row, 4)?,
        recorded_at: time(row, 5)?,
        recorded_by: text(6, "who recorded a certificate")?,
        revocation,
    })
}

/// Reads a fingerprint alone.
pub(crate) fn fingerprint(row: &impl Columns) -> Result<String, StoreError> {
    required(row.text(0)?, "fingerprint").map(str::to_owned)
}

/// How a change is recorded.
pub(crate) fn change(fingerprint: &str, participant: &FspId) -> String {
    format!("{fingerprint} of {participant}")
}

/// Clocks differ: what ended longer ago than a day is refused by TLS on every node.
pub(crate) fn still_of_interest(now: Timestamp) -> i64 {
    now.plus_millis(-86_400_000).millis()
}
