//! `umoja demo --schemes N`: neighbouring schemes, each with its own hub, currency, store and DFSPs, and the proxies between
//! them. With three, the one in the middle connects the other two.

mod agreement;
mod cast;
mod link;
mod report;
mod script;
mod world;

use super::{say, stop_signal};
use crate::demo::world::Ports;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use world::{Setup, World};

/// What is asked for.
pub struct Order {
    /// Two or three.
    pub count: u8,
    pub data: Option<PathBuf>,
    pub ports: Ports,
    /// How long a payment may take, when people pay.
    pub lifetime: Duration,
}

/// How the demo goes on once it is set up.
#[derive(Clone, Copy)]
pub enum Mode {
    /// Until it is stopped.
    Open,
    Script {
        as_json: bool,
    },
}

/// Runs until Ctrl-C, or the script to its end. True if all was as it must be.
pub async fn run(order: Order, mode: Mode) -> Result<bool, String> {
    let started = Instant::now();
    let lifetime = match mode {
        Mode::Open => order.lifetime,
        Mode::Script { .. } => script::TRANSFER_LIFETIME,
    };
    let Order { count, data, ports, .. } = order;
    let world = World::start(Setup { count, data: data.clone(), ports, lifetime }).await?;
    let result = match mode {
        Mode::Open => {
            say(&report::welcome(&world, started.elapsed(), data.as_deref()));
            stop_signal().await.map(|()| true)
        }
        Mode::Script { as_json } => script::play(&world, as_json).await,
    };
    world.stop().await;
    result
}
