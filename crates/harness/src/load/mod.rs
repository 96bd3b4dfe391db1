//! Load: the payers and the payees of a whole scheme in one thread, as cheap as they can be.
//!
//! A payment goes through its three phases, discovery never skipped: `GET /parties` → `PUT /parties` → `POST /quotes` →
//! `PUT /quotes` → `POST /transfers` → `PUT /transfers` RESERVED → the payer hears COMMITTED and the payee a PATCH.
//! Six times a message leaves one DFSP and, through the hub, causes the arrival of another at a DFSP; the sum of these
//! six times on the one clock of this process is what the hub added.
//!
//! Invariant: a payment counts when the payer has heard COMMITTED with the fulfilment it waited for. Whatever else
//! happens to a payment is an error that the measurement reports. Ids are fresh; nothing is sent that a DFSP could not
//! have sent; the sockets are real.

mod check;
mod engine;
mod generator;
mod inbound;
mod pace;
mod payment;
mod recorder;
mod signed;
mod state;

pub use check::Checked;
pub use generator::{Generator, Links, Registrations, Stopped};
pub use recorder::{Errors, Measurement};
pub use signed::SignedPayments;

use crate::scheme::Reach;
use std::time::Duration;

/// How payments follow one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// So many are under way at any time; the next begins when one ends.
    Closed { concurrency: u32 },
    /// So many begin each second, whether the hub keeps up or not; latency counts from the scheduled beginning.
    Open { payments_per_second: u32 },
}

/// One run.
#[derive(Clone, Debug)]
pub struct Options {
    pub pace: Pace,
    /// Payments that begin in this time are not measured.
    pub warm_up: Duration,
    pub measured: Duration,
    pub reach: Reach,
    /// The processes whose processor time counts as the hub's.
    pub hub_pids: Vec<u32>,
}

/// Most payments under way at any time, whatever the pace.
pub const IN_FLIGHT_MAX: u32 = 4096;
