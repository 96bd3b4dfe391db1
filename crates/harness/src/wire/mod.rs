//! HTTP/1.1 as far as FSPIOP between a hub and a load generator needs it, and no further.
//!
//! The generator shares two cores with the hub that it measures. A general HTTP library builds a map of headers for
//! each message, which costs more than everything else a generator does; this module looks for the end of the head and
//! the three headers that say how a message ends.
//!
//! Invariant: a message is either understood or refused. Chunked bodies and obsolete forms are refused, never guessed.

mod message;
pub mod pool;
pub mod server;
pub mod stream;

pub use message::{Head, Malformed, parse_head};

/// Largest message, head and body, that is read.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// A whole FSPIOP message usually fits; a read that fills less than this needs no second system call.
const READ_BYTES: usize = 16 * 1024;
