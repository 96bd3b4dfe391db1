//! Access tokens (OAuth 2.0): what they say (JWT, RFC 7519), the keys that they are checked with (JWKS, RFC 7517), and the
//! client that fetches them and what it asks an endpoint for (client credentials, RFC 6749 §4.4).
//!
//! Invariant: neither a token nor a secret is in a log, an error or a `Debug` form. Signatures are those of
//! [`fspiop::jws`]: no algorithm without a key pair is known here, so that nobody can sign with a public key.
#![forbid(unsafe_code)]

mod client;
mod jwks;
mod jwt;
mod refusal;
mod request;
mod secret;

pub use client::{AfterFailure, Answered, Credentials, Rhythm, TokenEndpoint, TokenSource, bearer};
pub use jwks::{Key, KeySet, describe, key_id};
pub use jwt::{Claims, Expected, TOKEN_BYTES_MAX, Token, sign};
pub use refusal::Refusal;
pub use request::{FORM_BYTES_MAX, RequestError, TokenRequest};
pub use secret::{Secret, random_text};
