//! Random networks of schemes: whole hubs, each with its own store, proxies between them, DFSPs and foreign exchange
//! providers; a network that loses, delays, repeats and reorders messages; hubs and proxies that crash. In simulated time,
//! on one thread, from a seed: a history that failed is repeated by its seed.
//!
//! Invariant, when everything has quieted down: every payment has one outcome at its payer, at every hub that has seen it
//! and at its payee; a conversion has that of its payment; nothing is held; every ledger verifies; and what a proxy owes
//! in one scheme it is owed in the other.
#![forbid(unsafe_code)]

mod check;
mod dfsp;
mod history;
mod message;
mod network;
mod payer;
mod plan;
mod provider;
mod scheme;
mod tree;

pub use history::{Verdict, run};
pub use plan::Plan;
