//! What an operator sees of payments: the trace of each, and the outbox.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod outbox;
mod payment;
#[path = "../support/mod.rs"]
mod support;
