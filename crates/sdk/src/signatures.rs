//! Signatures of what is sent and of what is received (FSPIOP 1.1 "Signature"; contract dfsp-client.md §7).
//!
//! Invariant: a message is signed once, before its first try, so that every try of it is the same. What is signed is the
//! body in its canonical form, which verifiers that render a body again arrive at too. A message whose signature does not
//! verify reaches no backend.

use fspiop::jws::{InvalidSignature, KeyDirectory, Received, SigningKey};
use fspiop::{ErrorCode, FspiopError, Resource};
use http::Method;
use std::sync::Arc;

/// What a DFSP signs with and whose signatures it verifies.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// With which requests and callbacks are signed; none signs nothing.
    pub key: Option<Arc<SigningKey>>,
    /// The public keys of other DFSPs and of hubs, which make messages too; none verifies nothing.
    pub keys: Option<Arc<KeyDirectory>>,
    /// Whether the answers to look-ups are verified too. Many DFSPs do not sign these.
    pub parties: PartyAnswers,
}

/// What is demanded of `PUT /parties/…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PartyAnswers {
    /// Taken without a look at the signature, as other participants do by default.
    #[default]
    Taken,
    Verified,
}

impl Signatures {
    /// Verifies a received message if its kind is signed. Errors: 3105 with the reason.
    pub fn check(&self, resource: Resource, received: &Received<'_>) -> Result<(), FspiopError> {
        let Some(keys) = self.keys.as_ref().filter(|_| self.is_due(resource, received.method)) else { return Ok(()) };
        keys.verify(received).map_err(|error| {
            tracing::warn!(%error, "a message was refused for its signature");
            refusal(&error)
        })
    }

    /// What has no body cannot be signed.
    fn is_due(&self, resource: Resource, method: &Method) -> bool {
        let answers_lookup = resource == Resource::Parties && *method == Method::PUT;
        let has_body = *method != Method::GET && *method != Method::DELETE;
        has_body && (!answers_lookup || self.parties == PartyAnswers::Verified)
    }
}

fn refusal(error: &InvalidSignature) -> FspiopError {
    FspiopError::with_detail(ErrorCode::INVALID_SIGNATURE, error)
}
