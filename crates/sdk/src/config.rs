//! Settings of the connection between a DFSP and its hub. Every wait and every queue has a limit.

use crate::{links::Links, signatures::Signatures, tokens::Tokens};
use fspiop::Version;
use std::time::Duration;
use vocabulary::{FspId, Timestamp};

/// How a DFSP reaches its hub, and how patient it is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The DFSP's name in the scheme.
    pub name: FspId,
    /// Base URL of the hub's FSPIOP listener, for example `http://127.0.0.1:4000`.
    pub hub: String,
    /// Spoken in requests; answers use the version of the question.
    pub version: Version,
    /// From which fulfilments are made. Whoever knows it can make up fulfilments of this DFSP.
    pub ilp_secret: String,
    /// For one request until its synchronous answer.
    pub request_timeout: Duration,
    /// For the callback that answers a lookup, quote or question.
    pub callback_timeout: Duration,
    /// How long the terms of several foreign exchange providers are awaited when one of them has answered.
    pub choice_timeout: Duration,
    /// How long after a transfer's expiration the hub's word about it is awaited. Hubs look for expired transfers every
    /// second (umoja) to every fifteen (the reference implementation).
    pub word_after_expiration: Duration,
    /// Tries of a request that got no answer or a 5xx; the hub recognises repeated messages.
    pub attempts_max: u32,
    /// Requests of ours that may wait for a callback at one time.
    pub waiting_max: usize,
    /// Requests of others that may be in work at one time; more are answered 503.
    pub working_max: usize,
    /// Whether messages are signed, and whether the signatures of others are verified; neither by default.
    pub signatures: Signatures,
    /// TLS of the links to and from the hub; without it they are plain HTTP.
    pub links: Links,
    /// What shows the hub who sends; nothing by default.
    pub tokens: Tokens,
}

impl Config {
    /// A DFSP called `name` at the hub whose FSPIOP listener is `hub`, with usual limits and FSPIOP 2.0.
    pub fn new(name: FspId, hub: impl Into<String>, ilp_secret: impl Into<String>) -> Self {
        Self {
            name,
            hub: hub.into(),
            version: Version::V2_0,
            ilp_secret: ilp_secret.into(),
            request_timeout: Duration::from_secs(10),
            callback_timeout: Duration::from_secs(10),
            choice_timeout: Duration::from_secs(3),
            word_after_expiration: Duration::from_secs(3),
            attempts_max: 3,
            waiting_max: 10_000,
            working_max: 1_000,
            signatures: Signatures::default(),
            links: Links::default(),
            tokens: Tokens::default(),
        }
    }
}

/// The system's clock.
pub fn now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
