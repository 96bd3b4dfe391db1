//! Certificates of participants: which are known to have been issued, and which are not to be heard any more.
//!
//! Invariant: what this node has revoked counts before the operator is answered; what another node has revoked, a second
//! later. A hub that cannot read the list does not start, and one that loses its store keeps what it knew.

use crate::Hub;
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use store::{CertificateQuery, CertificateRow, NewCertificate, Store, StoreError};

/// How often other nodes' revocations are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// The fingerprints of revoked certificates.
pub struct Revoked(RwLock<HashSet<String>>);

impl Revoked {
    pub async fn open(store: &dyn Store) -> Result<Self, StoreError> {
        let revoked = Self(RwLock::default());
        revoked.reload(store).await?;
        Ok(revoked)
    }

    pub fn has(&self, fingerprint: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(fingerprint)
    }

    /// Nothing is ever taken back: a list that was read late does not replace one that was read later.
    async fn reload(&self, store: &dyn Store) -> Result<(), StoreError> {
        let read = store.revoked_certificates().await?;
        if read.iter().any(|one| !self.has(one)) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).extend(read);
        }
        Ok(())
    }
}

impl Hub {
    /// Notes that a certificate was issued; false if it was known.
    pub async fn record_certificate(&self, certificate: NewCertificate, actor: &str) -> Result<bool, StoreError> {
        self.store().record_certificate(certificate, actor).await
    }

    /// A page of the certificates that were issued, the newest first.
    pub async fn certificates(&self, query: CertificateQuery) -> Result<Vec<CertificateRow>, StoreError> {
        self.store().certificates(query).await
    }

    /// A certificate is not heard any more once this returns. None if none of this fingerprint is known.
    pub async fn revoke_certificate(
        &self,
        fingerprint: &str,
        reason: &str,
        actor: &str,
    ) -> Result<Option<CertificateRow>, StoreError> {
        let row = self.store().revoke_certificate(fingerprint, reason, actor).await?;
        self.revoked.reload(self.store().as_ref()).await?;
        Ok(row)
    }
}

/// Follows what other nodes revoke.
pub async fn refresh(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(error) = hub.revoked.reload(hub.store().as_ref()).await {
            tracing::error!(%error, "the list of revoked certificates could not be read; the one before stays");
        }
    }
}
