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
mod metrics;
mod outbound;
mod parties;
mod records;
mod seals;
mod settings;
mod test_api;

pub use settings::{Endpoints, IlpVersion, Settings};

use backend::Backend;
use hub::Hub;
use locks::Locks;
use metrics::Metrics;
use records::Records;
use sdk::{Links, Listener};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use test_api::Log;
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, JoinHandle},
};

/// Between two looks for records that need not be kept any longer.
const PRUNING_INTERVAL: Duration = Duration::from_secs(3600);

/// What all handlers share.
pub(crate) struct Core {
    pub settings: Settings,
    pub hub: Hub,
    pub backend: Backend,
    pub records: Records,
    pub locks: Locks,
    /// Requests of the hub in work.
    pub working: Arc<Semaphore>,
    /// What was received, if the test API is on.
    pub test_api: Option<Log>,
    pub metrics: Metrics,
}

/// A running adapter.
pub struct Running {
    inbound: Listener,
    outbound: Listener,
    metrics: Option<Listener>,
    test_api: Option<(Listener, Log)>,
    pruning: Option<JoinHandle<()>>,
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
        test_api: settings.listen_test_api.map(|_| Log::new(test_api::LIMITS)),
        metrics: Metrics::new(),
        settings,
    });
    let (links, plain) = (core.settings.links.clone(), Links::default());
    let inbound = listen(&core, core.settings.listen_inbound, inbound::router, &links).await?;
    let outbound = listen(&core, core.settings.listen_outbound, outbound::router, &plain).await?;
    let metrics = match core.settings.listen_metrics {
        Some(address) => Some(listen(&core, address, metrics::router, &plain).await?),
        None => None,
    };
    let test_api = match (core.settings.listen_test_api, core.test_api.clone()) {
        (Some(address), Some(log)) => Some((listen(&core, address, test_api::router, &plain).await?, log)),
        (Some(_) | None, _) => None,
    };
    if let Some((listener, _)) = &test_api {
        tracing::warn!(
            address = %listener.address(),
            "the test API is on: whoever reaches it sees names, identifiers and amounts of this DFSP's customers, without a \
             password; switch it off (ENABLE_TEST_FEATURES) where real people pay"
        );
    }
    let pruning = core.settings.keep.map(|keep| tokio::spawn(prune(core.records.clone(), keep)));
    let tokens = core.settings.tokens.clone();
    let keeper = tokio::spawn(async move { tokens.keep().await }).abort_handle();
    tokio::spawn(inbound::resume::take_up(core));
    Ok(Running { inbound, outbound, metrics, test_api, pruning, keeper })
}

/// Forgets what has not changed for so long, now and every hour.
async fn prune(records: Records, keep: Duration) {
    let mut due = tokio::time::interval(PRUNING_INTERVAL);
    loop {
        due.tick().await;
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        match records.prune(sdk::now().millis().saturating_sub(keep_ms)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old records were dropped"),
            Err(error) => tracing::error!(%error, "old records cannot be dropped"),
        }
    }
}

async fn listen(
    core: &Arc<Core>,
    address: SocketAddr,
    router: fn(Arc<Core>) -> axum::Router,
    links: &Links,
) -> Result<Listener, StartError> {
    let listener = Listener::start_over(address, router(core.clone()), links).await;
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

    /// Where metrics are told, if they are.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Listener::address)
    }

    /// Where what was received is shown, if it is.
    pub fn test_api(&self) -> Option<SocketAddr> {
        self.test_api.as_ref().map(|(listener, _)| listener.address())
    }

    /// Takes no more requests, and waits a moment for those in work.
    pub async fn stop(self) {
        tokio::join!(self.outbound.stop(), self.inbound.stop());
        if let Some(pruning) = self.pruning {
            pruning.abort();
        }
        if let Some(listener) = self.metrics {
            listener.stop().await;
        }
        if let Some((listener, log)) = self.test_api {
            log.close();
            listener.stop().await;
        }
        self.keeper.abort();
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
