//! Verification of the signatures of participants' messages (FSPIOP 1.1 "Signature"; contract §1.8).
//!
//! The key is that of the `FSPIOP-Source`: for a message that came by a proxy, of the DFSP or hub of the other scheme that
//! made it. A message is verified after its headers and before its schema, so that one that is refused has done nothing.
//!
//! Invariant: the bytes that are verified are the bytes that came, which are the bytes that are passed on.

use crate::metrics::{Metrics, SignatureLabels};
use fspiop::{
    Envelope, ErrorCode, FspiopError, Resource,
    jws::{KeyDirectory, Received},
};
use http::Method;
use std::{path::PathBuf, sync::Arc};

/// Whether signatures of others are verified, and what follows from one that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Verification {
    #[default]
    Off,
    On {
        /// The directory of public keys: `<FSP id>.pem`.
        keys: PathBuf,
        failure: SignatureFailure,
        party_answers: PartyAnswers,
    },
}

/// What becomes of a message whose signature does not verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureFailure {
    /// It is logged and counted, and taken all the same.
    Logged,
    /// It is answered 400 with 3105.
    Refused,
}

/// Whether `PUT /parties/…` is verified, which many DFSPs do not sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartyAnswers {
    Exempt,
    Verified,
}

/// Verifies messages.
pub struct Verifier {
    rule: Option<Rule>,
    metrics: Arc<Metrics>,
}

struct Rule {
    keys: KeyDirectory,
    failure: SignatureFailure,
    party_answers: PartyAnswers,
}

impl Verifier {
    /// The error is one sentence that says what to do.
    pub fn open(verification: &Verification, metrics: Arc<Metrics>) -> Result<Self, String> {
        let rule = match verification {
            Verification::Off => None,
            Verification::On { keys, failure, party_answers } => {
                let keys = KeyDirectory::open(keys)?;
                Some(Rule { keys, failure: *failure, party_answers: *party_answers })
            }
        };
        Ok(Self { rule, metrics })
    }

    /// Errors: 3105 with the reason, if the message is to be refused.
    pub fn check(
        &self,
        (resource, envelope): (Resource, &Envelope),
        received: &Received<'_>,
    ) -> Result<(), FspiopError> {
        let Some(rule) = self.rule.as_ref().filter(|rule| rule.is_due(resource, received.method)) else {
            return Ok(());
        };
        let Err(error) = rule.keys.verify(received) else { return Ok(()) };
        let (outcome, result) = match rule.failure {
            SignatureFailure::Logged => ("taken", Ok(())),
            SignatureFailure::Refused => {
                ("refused", Err(FspiopError::with_detail(ErrorCode::INVALID_SIGNATURE, &error)))
            }
        };
        let (reason, resource) = (error.reason(), resource.as_str());
        self.metrics.signature_failures.get_or_create(&SignatureLabels { resource, reason, outcome }).inc();
        // The path is left out: it may name a person.
        let (source, method) = (&envelope.source, received.method);
        tracing::warn!(%source, %method, resource, %error, outcome, "the signature of a message does not verify");
        result
    }
}

impl Rule {
    /// What has no body cannot be signed; what else is left out is what other hubs leave out (contract §1.8).
    fn is_due(&self, resource: Resource, method: &Method) -> bool {
        let has_body = *method != Method::GET && *method != Method::DELETE;
        has_body
            && match resource {
                Resource::Transfers
                | Resource::FxTransfers
                | Resource::Quotes
                | Resource::FxQuotes
                | Resource::Participants => true,
                Resource::Parties => self.party_answers == PartyAnswers::Verified,
                Resource::TransactionRequests
                | Resource::Authorizations
                | Resource::BulkQuotes
                | Resource::BulkTransfers
                | Resource::Services => false,
            }
    }
}
