//! Conversations with other schemes through proxies, and conversions of currency, as the participants see them (contract,
//! interscheme).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod agreement;
mod conversion;
mod crossing;
mod discovery;
mod discovery_refusals;
mod doubt;
mod fx;
mod fx_ends;
mod fx_refusals;
mod polls;
mod restarts;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod transfers;
mod verification;
mod world;
