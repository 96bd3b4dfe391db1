//! The administration ports over HTTP, against a hub that runs with the memory store.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod account_types;
mod edges;
mod funds;
mod funds_report;
mod input;
mod oracles;
mod provisioning;
mod reading;
mod routes;
mod support;
