//! The FSPIOP wire: what a request must look like, what the hub and its participants answer, and how messages travel on.
//!
//! Invariant: everything here is a function of its arguments. No sockets, no clock, no randomness, no state, but for
//! [`jws::KeyDirectory`], which reads files; the same code serves the hub and the participants' client. A relayed message is never rendered again: only its headers are
//! rebuilt ([`callback`]), its body stays the bytes that came.
//!
//! The order of use is the order of the checks that FSPIOP 1.1 and its implementations agree on: [`route()`] →
//! [`check_headers`] → [`RawRoute::operation`] → a parser of [`body`]. Each step reports the first fault only, as a
//! [`FspiopError`] that knows its HTTP status and its JSON.
#![forbid(unsafe_code)]

pub mod body;
pub mod callback;
mod canonical;
pub mod endpoint;
mod error;
mod error_code;
mod hash;
pub mod headers;
pub mod ilp;
pub mod jws;
mod media_type;
mod percent;
mod resource;
mod route;

pub use canonical::canonical_json;
pub use error::{Extension, FspiopError};
pub use error_code::ErrorCode;
pub use hash::content_hash;
pub use headers::{Envelope, check_headers};
pub use percent::{decode as percent_decode, encode as percent_encode};
pub use resource::{Resource, Version, accept, content_type};
pub use route::{AuthorizationQuery, Operation, PartyPath, RawRoute, RouteError, route};
