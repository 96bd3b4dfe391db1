//! Conversations of two adapters through a real hub, over HTTP, each with a small core behind it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../../src/demo/admin.rs"]
#[expect(dead_code, reason = "a test of one scheme needs no routes")]
mod admin;
mod bad_input;
mod core;
mod payments;
mod requests;
mod restarts;
mod world;
