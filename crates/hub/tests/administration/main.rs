//! The administration ports over HTTP, against a hub that runs with the memory store.

mod edges;
mod funds;
mod input;
mod oracles;
mod provisioning;
mod reading;
mod support;
