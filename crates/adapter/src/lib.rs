//! The client that a DFSP hosts (`umoja adapter`): a synchronous JSON API for the DFSP's core, FSPIOP towards the hub.
//!
//! Whoever knows the reference implementation's scheme adapter finds its paths, members, states and settings here
//! (dfsp-client.md; sections in comments are of that contract). A call of the core ([`outbound`]) sends a request to the
//! hub and waits for the callback; a request of the hub ([`inbound`]) asks the core ([`backend`]) and sends the callback.
//!
//! Invariant: what a payment has come to is durable ([`records`]) before the next message about it leaves, so that a payment
//! goes on after a restart where it stood, and one whose end is unknown is asked for at the hub. Bodies travel as JSON values,
//! so that members this version does not know are not lost.
//!
//! Messages to the hub leave through [`sdk::Connection::deliver`] alone, and the hub's enter through `inbound::take` alone:
//! these are the places where signatures are made and checked.
#![forbid(unsafe_code)]

mod backend;
mod failure;
mod hub;
mod ids;
mod inbound;
mod json;
mod locks;
mod outbound;
mod parties;
mod records;
mod seals;
mod settings;

pub use settings::{Endpoints, IlpVersion, Settings};

use backend::Backend;
use hub::Hub;
use locks::Locks;
use records::Records;
use sdk::Listener;
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::{sync::Semaphore, task::AbortHandle};

/// What all handlers share.
pub(crate) struct Core {
    pub settings: Settings,
    pub hub: Hub,
    pub backend: Backend,
    pub records: Records,
    pub locks: Locks,
    /// Requests of the hub in work.
    pub working: Arc<Semaphore>,
}

/// A running adapter.
pub struct Running {
    inbound: Listener,
    outbound: Listener,
    /// Keeps the access token fresh.
    keeper: AbortHandle,
}

/// Why an adapter does not start: a sentence.
#[derive(Debug)]
pub struct StartError(String);

/// Opens the records and both listeners, then takes up what was under way when the adapter was stopped.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let records = Records::open(settings.data.as_deref()).map_err(|error| {
        let place = settings.data.as_ref().map_or("memory".into(), |path| path.display().to_string());
        StartError(format!("The records in {place} cannot be opened: {error}."))
    })?;
    if settings.data.is_none() {
        tracing::warn!("payments are recorded in memory only; a restart forgets them");
    }
    let core = Arc::new(Core {
        hub: Hub::new(&settings),
        backend: Backend::new(&settings),
        records,
        locks: Locks::default(),
        working: Arc::new(Semaphore::new(settings.working_max)),
        settings,
    });
    let inbound = listen(&core, core.settings.listen_inbound, inbound::router).await?;
    let outbound = listen(&core, core.settings.listen_outbound, outbound::router).await?;
    let tokens = core.settings.tokens.clone();
    let keeper = tokio::spawn(async move { tokens.keep().await }).abort_handle();
    tokio::spawn(inbound::resume::take_up(core));
    Ok(Running { inbound, outbound, keeper })
}

async fn listen(
    core: &Arc<Core>,
    address: SocketAddr,
    router: fn(Arc<Core>) -> axum::Router,
) -> Result<Listener, StartError> {
    let listener = Listener::start(address, router(core.clone())).await;
    listener.map_err(|error| StartError(format!("The adapter cannot listen on {address}: {error}.")))
}

impl Running {
    /// Where the hub's messages are taken.
    pub fn inbound(&self) -> SocketAddr {
        self.inbound.address()
    }

    /// Where the DFSP's core calls.
    pub fn outbound(&self) -> SocketAddr {
        self.outbound.address()
    }

    /// Takes no more requests, and waits a moment for those in work.
    pub async fn stop(self) {
        tokio::join!(self.outbound.stop(), self.inbound.stop());
        self.keeper.abort();
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
