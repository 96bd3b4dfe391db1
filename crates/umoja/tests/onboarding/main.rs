//! From nothing to a payment by the commands of this program: authorities, a hub with TLS on every listener, keys made at
//! DFSPs, `umoja admin onboard`, and adapters that are started with the file that it writes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../adapter/core.rs"]
#[allow(dead_code, reason = "one customer is enough here")]
mod core;
mod handshakes;
mod links;
mod payment;
mod repetition;
mod world;
