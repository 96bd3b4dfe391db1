//! A proxy of the demo between two neighbouring schemes, which can be stopped and started again where it was.

use super::cast::{Bridge, currency, deposit_id};
use crate::demo::world::{Ports, port_sentence};
use proxy::{Config, SideConfig, Target};
use std::net::SocketAddr;
use tokio::sync::Mutex;
use vocabulary::Currency;

/// The listeners of the first proxy; those of the next are one higher.
const USUAL_PORTS: [u16; 2] = [4100, 4200];

pub struct Link {
    pub bridge: &'static Bridge,
    number: u16,
    /// Where each of the two hubs calls: the first, then the second of the neighbours.
    pub endpoints: [SocketAddr; 2],
    config: Config,
    running: Mutex<Option<proxy::Running>>,
}

impl Link {
    /// Starts a proxy between two hubs, given by their FSPIOP listeners. The number tells its ports and deposits apart.
    pub async fn start(
        bridge: &'static Bridge,
        hubs: [SocketAddr; 2],
        (ports, number): (Ports, u16),
    ) -> Result<Self, String> {
        let name = bridge.name;
        let [a, b] = [0, 1].map(|side: usize| (hubs[side], ports.or_free(USUAL_PORTS[side] + number)));
        let mut config = Config {
            id: name.parse().expect("names of the cast are short"),
            a: side(a)?,
            b: side(b)?,
            removed_headers: Vec::new(),
            attempt_timeout: proxy::config::ATTEMPT_TIMEOUT_DEFAULT,
            connections: proxy::config::CONNECTIONS_DEFAULT,
            token_retry: proxy::config::TOKEN_RETRY_DEFAULT,
        };
        let running = proxy::start(config.clone()).await.map_err(|error| sentence(name, error))?;
        let [of_a, of_b] = running.addresses();
        (config.a.listen, config.b.listen) = (of_a, of_b);
        // What side A's listener takes goes to hub A: it is what hub B calls.
        Ok(Self { bridge, number, endpoints: [of_b, of_a], config, running: Mutex::new(Some(running)) })
    }

    /// What the proxy is, as a participant of either neighbour.
    pub fn accounts(&self) -> Vec<(Currency, String)> {
        let currencies = self.bridge.currencies.iter().map(|code| currency(code));
        currencies.map(|currency| (currency, deposit_id(usize::from(self.number), currency))).collect()
    }

    /// Stops the proxy, as a failure of its machine would.
    pub async fn cut(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.stop().await;
        }
    }

    /// Starts it again; nothing happens if it runs.
    pub async fn mend(&self) -> Result<(), String> {
        let mut running = self.running.lock().await;
        if running.is_none() {
            *running =
                Some(proxy::start(self.config.clone()).await.map_err(|error| sentence(self.bridge.name, error))?);
        }
        Ok(())
    }
}

fn side((hub, port): (SocketAddr, u16)) -> Result<SideConfig, String> {
    let hub = Target::parse(&format!("http://{hub}"))
        .map_err(|error| format!("The hub at {hub} cannot be used: {error}."))?;
    let listen = ([127, 0, 0, 1], port).into();
    Ok(SideConfig { listen, hub, ca: None, client: None, oauth: None, listener_tls: None })
}

fn sentence(name: &str, error: proxy::StartError) -> String {
    match error {
        proxy::StartError::Listen { side, address, error } => {
            port_sentence(&format!("The side {side} of {name}"), address, error)
        }
        proxy::StartError::Setting(what) => what,
    }
}
