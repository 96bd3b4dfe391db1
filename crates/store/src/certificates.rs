//! Certificates that were issued to participants, as they are stored: whom each is for, until when, and whether it was
//! revoked. A row is never deleted; a revocation is never taken back.

use vocabulary::{FspId, Timestamp};

/// A certificate that was issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCertificate {
    /// SHA-256 of its DER form, in hexadecimal with small letters.
    pub fingerprint: String,
    /// In hexadecimal.
    pub serial_number: String,
    pub participant: FspId,
    pub not_after: Timestamp,
}

/// A certificate as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateRow {
    /// Grows with time.
    pub id: i64,
    pub fingerprint: String,
    pub serial_number: String,
    pub participant: FspId,
    pub not_after: Timestamp,
    pub recorded_at: Timestamp,
    pub recorded_by: String,
    pub revocation: Option<Revocation>,
}

/// That a certificate is not to be heard any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// Which certificates are listed, the newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateQuery {
    pub participant: Option<FspId>,
    pub fingerprint: Option<String>,
    /// Only those older than the one with this id.
    pub before: Option<i64>,
    pub limit: usize,
}
