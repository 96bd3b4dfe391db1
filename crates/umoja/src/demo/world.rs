//! The demo's scheme: a hub and two DFSPs in this process, onboarded.
//!
//! Invariant: they know each other's addresses only; everything between them goes over HTTP.

use crate::demo::admin::Admin;
use crate::demo::cast::{BLUE, GREEN, Part};
use dfsp::Bank;
use hub::Listeners;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a payment may take when people play: a payee that never answers is told soon.
pub const TRANSFER_LIFETIME: Duration = Duration::from_secs(15);

/// Which ports are listened on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    Usual,
    Free,
}

pub struct World {
    pub hub: hub::Running,
    pub admin: Admin,
    pub green: dfsp::Running,
    pub blue: dfsp::Running,
}

impl World {
    /// Starts and onboards everything. Errors: one sentence for the person who started it.
    pub async fn start(data: Option<PathBuf>, ports: Ports, lifetime: Duration) -> Result<Self, String> {
        let data = data.as_deref();
        let hub = hub::start(hub_config(data, ports)?, portal::router).await.map_err(|error| error.to_string())?;
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration);
        let start = |part: &Part| {
            let port = if ports == Ports::Usual { part.wallet_port } else { 0 };
            dfsp::start(part.config(addresses.fspiop, port, data, lifetime))
        };
        let green = start(&GREEN).await.map_err(|error| format!("{} does not start: {error}.", GREEN.title))?;
        let blue = start(&BLUE).await.map_err(|error| format!("{} does not start: {error}.", BLUE.title))?;
        let world = Self { hub, admin, green, blue };
        world.onboard().await.map_err(|error| format!("The demo cannot be set up: {error}."))?;
        Ok(world)
    }

    async fn onboard(&self) -> Result<(), String> {
        self.admin.prepare_scheme().await?;
        for (part, running) in [(&GREEN, &self.green), (&BLUE, &self.blue)] {
            self.admin.onboard(part, running.fspiop_address()).await?;
            let registered = running.register_customers().await;
            registered.map_err(|error| format!("the customers of {} are not registered: {error}", part.title))?;
        }
        Ok(())
    }

    /// Green Bank, from which the script pays.
    pub fn payer(&self) -> &Arc<Bank> {
        self.green.bank()
    }

    /// Blue Wallet, to which the script pays.
    pub fn payee(&self) -> &Arc<Bank> {
        self.blue.bank()
    }

    pub async fn stop(self) {
        self.green.stop().await;
        self.blue.stop().await;
        self.hub.stop().await;
    }
}

fn hub_config(data: Option<&Path>, ports: Ports) -> Result<hub::Config, String> {
    let mut config = hub::Config::default();
    if let Some(directory) = data {
        std::fs::create_dir_all(directory)
            .map_err(|error| format!("The directory {} cannot be made: {error}.", directory.display()))?;
        config.store = format!("sqlite:{}", directory.join("hub.db").display());
    }
    if ports == Ports::Free {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        config.listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    }
    Ok(config)
}
