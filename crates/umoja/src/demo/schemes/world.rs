//! The schemes of the demo and the proxies between them, in this process, onboarded.
//!
//! Invariant: they know each other's addresses only; everything between them goes over HTTP, and every scheme has a store
//! of its own.

use super::cast::{self, MOVER, Play};
use super::link::Link;
use crate::demo::admin::{Admin, Member, Role};
use crate::demo::cast::{BLUE, GREEN, PROVIDER, PROVIDER_DEPOSIT_IDS, Part, Site, currencies, customer, provider};
use crate::demo::script::Seen;
use crate::demo::world::{Ports, dfsp_sentence, hub_config, hub_sentence};
use dfsp::{Bank, RunningTreasury};
use sdk::TransferState;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vocabulary::{CorrelationId, Currency};

pub struct World {
    pub schemes: Vec<Scheme>,
    /// The first is between the first and the second scheme, and so on.
    pub links: Vec<Link>,
    /// How long a payment may take.
    pub lifetime: Duration,
}

pub struct Scheme {
    pub play: Play,
    pub hub: hub::Running,
    pub admin: Admin,
    pub banks: Vec<Banker>,
    pub provider: Option<RunningTreasury>,
}

/// A DFSP at work.
pub struct Banker {
    pub part: &'static Part,
    pub running: dfsp::Running,
}

/// How a world is started.
#[derive(Clone)]
pub struct Setup {
    pub count: u8,
    pub data: Option<PathBuf>,
    pub ports: Ports,
    pub lifetime: Duration,
}

impl World {
    /// Starts and onboards everything. Errors: one sentence for the person who started it.
    pub async fn start(setup: Setup) -> Result<Self, String> {
        let mut schemes = Vec::new();
        for play in cast::plays(setup.count) {
            schemes.push(Scheme::start(play, &setup).await?);
        }
        let mut links = Vec::new();
        for (number, (bridge, pair)) in (0..).zip(cast::bridges(setup.count).iter().zip(schemes.windows(2))) {
            let hubs = [&pair[0], &pair[1]].map(|scheme| scheme.hub.addresses().fspiop);
            links.push(Link::start(bridge, hubs, (setup.ports, number)).await?);
        }
        let world = Self { schemes, links, lifetime: setup.lifetime };
        world.onboard().await.map_err(|error| format!("The demo cannot be set up: {error}."))?;
        Ok(world)
    }

    async fn onboard(&self) -> Result<(), String> {
        for (at, scheme) in self.schemes.iter().enumerate() {
            scheme.admin.prepare_scheme(&self.currencies(at)).await?;
            scheme.onboard_banks().await?;
            scheme.onboard_provider().await?;
            for (link, side) in self.links_of(at) {
                let member = Member { name: link.bridge.name, role: Role::Proxy, accounts: &link.accounts() };
                scheme.admin.onboard(&member, link.endpoints[side]).await?;
            }
        }
        self.tell_of_the_provider().await
    }

    /// The links of a scheme, each with the side on which the scheme is.
    fn links_of(&self, at: usize) -> impl Iterator<Item = (&Link, usize)> {
        let before = at.checked_sub(1).map(|link| (&self.links[link], 1));
        let after = self.links.get(at).map(|link| (link, 0));
        before.into_iter().chain(after)
    }

    /// In which a hub keeps accounts.
    fn currencies(&self, at: usize) -> Vec<Currency> {
        let play = &self.schemes[at].play;
        let of_banks = play.banks.iter().map(|part| part.currency);
        let of_links = self.links_of(at).flat_map(|(link, _)| link.bridge.currencies.iter().copied());
        let codes = [play.currency].into_iter().chain(of_banks).chain(of_links).map(cast::currency);
        let of_provider = currencies().into_iter().filter(|_| play.has_provider);
        let mut currencies: Vec<Currency> = codes.chain(of_provider).collect();
        currencies.sort_by_key(|currency| currency.as_str().to_owned());
        currencies.dedup();
        currencies
    }

    /// A provider of conversion has no parties that a look-up could find: its neighbours are told where it is.
    async fn tell_of_the_provider(&self) -> Result<(), String> {
        let home = self.provider_home();
        for (at, scheme) in self.schemes.iter().enumerate().filter(|(at, _)| *at != home) {
            let towards = if at < home { at } else { at - 1 };
            scheme.admin.set_route(PROVIDER, self.links[towards].bridge.name, &currencies()).await?;
        }
        Ok(())
    }

    /// The bank of a name, with the number of its scheme.
    pub fn bank(&self, name: &str) -> (usize, &Arc<Bank>) {
        let mut all = self.schemes.iter().enumerate().flat_map(|(at, scheme)| {
            scheme
                .banks
                .iter()
                .filter(move |banker| banker.part.name == name)
                .map(move |banker| (at, banker.running.bank()))
        });
        all.next().expect("the script names banks of the cast")
    }

    /// In which a bank keeps accounts.
    pub fn currency_of(&self, name: &str) -> Currency {
        let mut all = self.schemes.iter().flat_map(|scheme| &scheme.banks);
        all.find(|banker| banker.part.name == name).expect("the script names banks of the cast").part.currency()
    }

    /// The number of the scheme that has the provider.
    pub fn provider_home(&self) -> usize {
        let home = self.schemes.iter().position(|scheme| scheme.play.has_provider);
        home.expect("one scheme of the cast has the provider")
    }

    /// What the provider knows of a conversion.
    pub fn provider_sees(&self, conversion: CorrelationId) -> Seen {
        let mut providers = self.schemes.iter().filter_map(|scheme| scheme.provider.as_ref());
        match providers.next().and_then(|provider| provider.treasury().state(conversion)) {
            None => Seen::Nothing,
            Some(TransferState::Received | TransferState::Reserved) => Seen::Open,
            Some(TransferState::Committed) => Seen::Committed,
            Some(TransferState::Aborted) => Seen::Aborted,
        }
    }

    /// Everybody's positions with a scheme: name and currency.
    pub fn positions(&self, at: usize) -> Vec<(&'static str, Currency)> {
        let play = &self.schemes[at].play;
        let banks = play.banks.iter().map(|part| (part.name, part.currency()));
        let links = self.links_of(at).flat_map(|(link, _)| {
            let bridge = link.bridge;
            bridge.currencies.iter().map(|code| (bridge.name, cast::currency(code)))
        });
        let provider = currencies().into_iter().filter(|_| play.has_provider).map(|currency| (PROVIDER, currency));
        banks.chain(links).chain(provider).collect()
    }

    pub async fn stop(self) {
        for scheme in self.schemes {
            for banker in scheme.banks {
                banker.running.stop().await;
            }
            if let Some(provider) = scheme.provider {
                provider.stop().await;
            }
            scheme.hub.stop().await;
        }
        for link in self.links {
            link.cut().await;
        }
    }
}

impl Scheme {
    async fn start(play: Play, setup: &Setup) -> Result<Self, String> {
        let data = setup.data.as_ref().map(|data| data.join(format!("schemes-{}", setup.count)).join(play.hub));
        let mut config = hub_config(data.as_deref(), play.banks[0].name, setup.ports)?;
        config.name = play.hub.parse().expect("names of the cast are short");
        if setup.ports == Ports::Usual {
            let listeners = &mut config.listeners;
            for address in [
                &mut listeners.fspiop,
                &mut listeners.administration,
                &mut listeners.settlement,
                &mut listeners.oracles,
                &mut listeners.portal,
            ] {
                address.set_port(address.port() + play.port_offset);
            }
        }
        let hub = hub::start(config, portal::router).await.map_err(hub_sentence)?;
        let admin = Admin::new(hub.addresses().administration, play.hub);
        let mut banks = Vec::new();
        for part in play.banks {
            banks.push(start_bank(part, hub.addresses().fspiop, (data.as_deref(), setup)).await?);
        }
        let provider = match play.has_provider {
            true => Some(start_provider(hub.addresses().fspiop, data.as_deref()).await?),
            false => None,
        };
        Ok(Self { play, hub, admin, banks, provider })
    }

    async fn onboard_banks(&self) -> Result<(), String> {
        for Banker { part, running } in &self.banks {
            let accounts = [(part.currency(), part.deposit_id.to_owned())];
            let member = Member { name: part.name, role: Role::Dfsp, accounts: &accounts };
            self.admin.onboard(&member, running.fspiop_address()).await?;
            let registered = running.register_customers().await;
            registered.map_err(|error| format!("the customers of {} are not registered: {error}", part.title))?;
        }
        Ok(())
    }

    async fn onboard_provider(&self) -> Result<(), String> {
        let Some(provider) = &self.provider else { return Ok(()) };
        let ids = PROVIDER_DEPOSIT_IDS.map(str::to_owned);
        let accounts: Vec<_> = currencies().into_iter().zip(ids).collect();
        let member = Member { name: PROVIDER, role: Role::Provider, accounts: &accounts };
        self.admin.onboard(&member, provider.fspiop_address()).await
    }
}

async fn start_provider(hub: SocketAddr, data: Option<&Path>) -> Result<RunningTreasury, String> {
    let running = dfsp::start_treasury(provider(hub, data)).await;
    running.map_err(|error| format!("{PROVIDER} does not start: {error}."))
}

async fn start_bank(
    part: &'static Part,
    hub: SocketAddr,
    (data, setup): (Option<&Path>, &Setup),
) -> Result<Banker, String> {
    let wallet_port = setup.ports.or_free(part.wallet_port);
    let site = Site { hub, wallet_port, data, lifetime: setup.lifetime };
    let all: Vec<&Part> = cast::plays(setup.count).into_iter().flat_map(|play| play.banks).copied().collect();
    let others: Vec<&Part> = all.into_iter().filter(|other| other.name != part.name).collect();
    let mut config = part.config(&site, &others);
    if [GREEN.name, BLUE.name].contains(&part.name) {
        config.customers.push(customer(&MOVER));
    }
    let running = dfsp::start(config).await.map_err(|error| dfsp_sentence(part, error))?;
    Ok(Banker { part, running })
}
