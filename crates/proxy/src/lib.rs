//! The inter-scheme proxy adapter: a participant of two schemes that carries messages from one hub to the other
//! (contract, interscheme §2).
//!
//! Each side has a listener and a hub. A hub sends what is for the other scheme to the listener of the *other* side,
//! from where it is relayed to that side's hub: same method, path and body, the headers that concern nobody else
//! removed, `FSPIOP-Proxy` set. The adapter keeps nothing, checks no FSPIOP and signs nothing; the sender's signature
//! stays valid because what it covers stays as it was.
//!
//! Invariant: a message may arrive more than once, which hubs expect, and never in part. Whoever sent it gets the hub's
//! answer, or an error that says that there was none.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
mod headers;
mod health;
mod listener;
mod metrics;
mod ping;
mod relay;
mod server;
mod target;
mod token;
mod upstream;

pub use config::{Config, SideConfig};
pub use server::{Running, StartError, start};
pub use target::Target;
