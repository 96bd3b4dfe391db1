//! The demo's scheme: a hub, three DFSPs and a foreign exchange provider in this process, onboarded.
//!
//! Invariant: they know each other's addresses only; everything between them goes over HTTP.

use crate::demo::admin::{Admin, Member, Role};
use crate::demo::cast::{self, BLUE, CONVERTING_DEPOSIT_ID, GREEN, LAKE, PROVIDER, PROVIDER_DEPOSIT_IDS, Part, Site};
use dfsp::{Bank, Treasury};
use hub::Listeners;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Which ports are listened on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    Usual,
    Free,
}

impl Ports {
    /// The port itself, or any free one.
    pub fn or_free(self, port: u16) -> u16 {
        match self {
            Self::Usual => port,
            Self::Free => 0,
        }
    }
}

pub struct World {
    pub hub: hub::Running,
    pub admin: Admin,
    pub green: dfsp::Running,
    pub blue: dfsp::Running,
    /// In another currency.
    pub lake: dfsp::Running,
    pub provider: dfsp::RunningTreasury,
    /// How long a payment may take.
    pub lifetime: Duration,
}

impl World {
    /// Starts and onboards everything. Errors: one sentence for the person who started it.
    pub async fn start(data: Option<PathBuf>, ports: Ports, lifetime: Duration) -> Result<Self, String> {
        let data = data.as_deref();
        let hub = hub::start(hub_config(data, GREEN.name, ports)?, portal::router).await.map_err(hub_sentence)?;
        let addresses = hub.addresses();
        let admin = Admin::new(addresses.administration, hub.hub().name().as_str());
        let config = |part: &Part, others: [&Part; 2]| {
            let wallet_port = ports.or_free(part.wallet_port);
            part.config(&Site { hub: addresses.fspiop, wallet_port, data, lifetime }, &others)
        };
        let green = dfsp::start(config(&GREEN, [&BLUE, &LAKE])).await;
        let green = green.map_err(|error| dfsp_sentence(&GREEN, error))?;
        let blue = dfsp::start(config(&BLUE, [&GREEN, &LAKE])).await;
        let blue = blue.map_err(|error| dfsp_sentence(&BLUE, error))?;
        let lake = dfsp::start(cast::converting(config(&LAKE, [&GREEN, &BLUE]))).await;
        let lake = lake.map_err(|error| dfsp_sentence(&LAKE, error))?;
        let provider = dfsp::start_treasury(cast::provider(addresses.fspiop, data)).await;
        let provider = provider.map_err(|error| format!("{PROVIDER} does not start: {error}."))?;
        let world = Self { hub, admin, green, blue, lake, provider, lifetime };
        world.onboard().await.map_err(|error| format!("The demo cannot be set up: {error}."))?;
        world.introduce();
        Ok(world)
    }

    async fn onboard(&self) -> Result<(), String> {
        let currencies = cast::currencies();
        self.admin.prepare_scheme(&currencies).await?;
        let ids = PROVIDER_DEPOSIT_IDS.map(str::to_owned);
        let accounts: Vec<_> = currencies.into_iter().zip(ids).collect();
        let provider = Member { name: PROVIDER, role: Role::Provider, accounts: &accounts };
        self.admin.onboard(&provider, self.provider.fspiop_address()).await?;
        for (part, running) in [(&GREEN, &self.green), (&BLUE, &self.blue), (&LAKE, &self.lake)] {
            let mut accounts = vec![(part.currency(), part.deposit_id.to_owned())];
            if part.name == LAKE.name {
                accounts.push((GREEN.currency(), CONVERTING_DEPOSIT_ID.to_owned()));
            }
            let member = Member { name: part.name, role: Role::Dfsp, accounts: &accounts };
            self.admin.onboard(&member, running.fspiop_address()).await?;
            let registered = running.register_customers().await;
            registered.map_err(|error| format!("the customers of {} are not registered: {error}", part.title))?;
        }
        Ok(())
    }

    /// Tells each wallet's pages where the others are, so that a code shown by one can be opened in another.
    fn introduce(&self) {
        let wallets = [(&GREEN, &self.green), (&BLUE, &self.blue), (&LAKE, &self.lake)];
        for (own, running) in wallets {
            let others = wallets.iter().filter(|(part, _)| part.name != own.name);
            let address = |running: &dfsp::Running| format!("http://{}", running.wallet_address());
            running.introduce(others.map(|(part, other)| (part.title.to_owned(), address(other))).collect());
        }
    }

    /// Green Bank, from which the script pays.
    pub fn payer(&self) -> &Arc<Bank> {
        self.green.bank()
    }

    /// Blue Wallet, to which the script pays.
    pub fn payee(&self) -> &Arc<Bank> {
        self.blue.bank()
    }

    /// Lake Savings, to which the script pays in another currency.
    pub fn foreign_payee(&self) -> &Arc<Bank> {
        self.lake.bank()
    }

    pub fn treasury(&self) -> &Arc<Treasury> {
        self.provider.treasury()
    }

    pub async fn stop(self) {
        self.green.stop().await;
        self.blue.stop().await;
        self.lake.stop().await;
        self.provider.stop().await;
        self.hub.stop().await;
    }
}

/// What to do about a port that is taken is another thing here than for a hub alone.
pub fn hub_sentence(error: hub::StartError) -> String {
    match error {
        hub::StartError::Listen { listener, address, error } => {
            port_sentence(&format!("The hub's {listener}"), address, error)
        }
        hub::StartError::Store(_) | hub::StartError::Setting(_) => error.to_string(),
    }
}

pub fn dfsp_sentence(part: &Part, error: dfsp::StartError) -> String {
    match error {
        dfsp::StartError::Listen(listener, address, error) => {
            port_sentence(&format!("{}'s {listener}", part.title), address, error)
        }
        dfsp::StartError::Journal(_) => format!("{} does not start: {error}.", part.title),
    }
}

pub fn port_sentence(whose: &str, address: SocketAddr, error: std::io::Error) -> String {
    format!("{whose} cannot listen at {address} ({error}). Stop the program that does, or add --free-ports.")
}

/// A hub's settings. A directory that has a hub but not the bank `mark` is somebody else's.
pub fn hub_config(data: Option<&Path>, mark: &str, ports: Ports) -> Result<hub::Config, String> {
    let mut config = hub::Config::default();
    if let Some(directory) = data {
        let shown = directory.display();
        std::fs::create_dir_all(directory)
            .map_err(|error| format!("The directory {shown} cannot be made: {error}."))?;
        let database = directory.join("hub.db");
        // The demo's participants and money do not belong into a hub that serves others.
        if database.exists() && !directory.join(mark).exists() {
            return Err(format!("{shown} holds a hub that is not the demo's. Give the demo a directory of its own."));
        }
        config.store = format!("sqlite:{}", database.display());
    }
    if ports == Ports::Free {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        config.listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    }
    Ok(config)
}
