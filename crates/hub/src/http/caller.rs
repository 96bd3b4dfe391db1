//! Who is at the other end of a connection, and whether that is who a message says it comes from.
//!
//! Invariant: what somebody is known by is decided here and nowhere else. Where the hub knows the caller, a message is
//! from the caller, or came by the proxy that the caller is; where it does not, this costs nothing. Who shows a
//! certificate and a token is two callers, each of whom must be the sender.

use crate::Hub;
use fspiop::{Envelope, ErrorCode, FspiopError};
use std::sync::Arc;
use vocabulary::{FspId, Timestamp};

/// Whom a client's certificate names, which goes with every request of its connection, or an access token.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Identity>);

#[derive(Debug)]
struct Identity {
    names: Vec<String>,
    certificate: Option<Certificate>,
}

/// By what a certificate ceases to be heard.
#[derive(Debug)]
struct Certificate {
    fingerprint: String,
    not_after: Option<Timestamp>,
}

impl Caller {
    /// From a certificate in DER that TLS has verified.
    pub fn of_certificate(der: &[u8]) -> Self {
        let (fingerprint, not_after) = (tls::x509::fingerprint(der), tls::x509::not_after(der));
        let certificate = Some(Certificate { fingerprint, not_after });
        Self(Arc::new(Identity { names: tls::x509::names(der), certificate }))
    }

    /// What the certificate calls its owner first.
    pub fn name(&self) -> Option<&str> {
        self.0.names.first().map(String::as_str)
    }

    /// A connection may outlive the certificate with which it was opened.
    pub fn check_certificate(&self, hub: &Hub, now: Timestamp) -> Result<(), FspiopError> {
        let Some(certificate) = &self.0.certificate else { return Ok(()) };
        if certificate.not_after.is_some_and(|end| end <= now) {
            return Err(invalid("The client certificate has expired"));
        }
        if hub.revoked.has(&certificate.fingerprint) {
            return Err(invalid("The client certificate has been revoked"));
        }
        Ok(())
    }

    /// From a token that was verified, for one request.
    pub fn of_token(name: &FspId) -> Self {
        Self(Arc::new(Identity { names: vec![name.to_string()], certificate: None }))
    }

    /// The errors are those that the contract has for a gateway's `x-client-id` (transfers §1.5).
    pub fn check(&self, hub: &Hub, envelope: &Envelope, now: Timestamp) -> Result<(), FspiopError> {
        self.check_certificate(hub, now)?;
        let source = &envelope.source;
        match &envelope.proxy {
            None if self.is(source) => Ok(()),
            None => Err(invalid("Invalid fspiop-source header")),
            // A proxy speaks for other schemes, and for nobody of this one. Hubs of several schemes may share a name.
            Some(proxy)
                if self.is(proxy)
                    && hub.is_proxy(proxy)
                    && (hub.is_external(source) || source.same_as(hub.name().as_str())) =>
            {
                Ok(())
            }
            Some(_) => Err(invalid("Invalid fspiop-proxy header")),
        }
    }

    /// Whether this is one of its names.
    pub fn is(&self, name: &FspId) -> bool {
        self.0.names.iter().any(|known| known == name.as_str())
    }
}

fn invalid(detail: &str) -> FspiopError {
    FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
}
