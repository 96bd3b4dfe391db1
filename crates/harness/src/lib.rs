//! Schemes that run against a real hub: provisioning, load, and hubs that are killed.
//!
//! Invariant: everything here speaks to the hub as its participants and operators do, over sockets. Nothing reads the
//! hub's memory or its database, so what is measured and checked is what a DFSP would see.
//!
//! - [`process`] starts `umoja hub` or `umoja proxy` as a process of its own and ends it, gently or not.
//! - [`provision`] makes a scheme on it: DFSPs with accounts, limits, funds, endpoints and parties.
//! - [`load`] is payers and payees at once, as fast as one thread can be.
//! - [`relaying`] is two hubs that only listen, and callers, on both sides of a proxy adapter.
//! - [`adapting`] is a hub and a core on both sides of a DFSP's adapter.
//! - [`crash`] is payers and payees that never give up, for a hub that is killed again and again.
#![forbid(unsafe_code)]

pub mod adapting;
pub mod agreement;
pub mod clock;
pub mod closing;
pub mod crash;
pub mod credentials;
pub mod filesystem;
pub mod histogram;
pub mod load;
pub mod messages;
pub mod process;
pub mod provision;
pub mod random;
pub mod relaying;
pub mod scheme;
pub mod template;
pub mod wire;
pub mod zipf;
