//! Starting and stopping a hub.

use crate::{
    Config, Hub, Listeners, admin,
    callbacks::{Callbacks, Services, now},
    certificates::{self, Revoked},
    config::Tls,
    directory::DirectoryCache,
    http::{self, discovery},
    journal::{Journal, Retention},
    keys::HubKeys,
    listener,
    lookup::Lookup,
    metrics::Metrics,
    net::{Net, Network},
    notices::{self, Notifier},
    polls,
    render::Renderer,
    schedule,
    sequencer::{Parts, Place, Sequencer, Writers},
    settlement,
    signing::Signer,
    tokens::{self, Tokens},
    verification::Verifier,
};
use axum::{Router, middleware::from_fn_with_state};
use hub_core::{Command, transfers::Expire};
use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, Instant},
};
use store::{Due, Store, StoreError};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// Transfers that one sweep ends.
const SWEEP_MAX: usize = 500;
/// Messages that are taken over at a time.
const CLAIM_MAX: usize = 1000;
/// Rows of the journal that are forgotten at a time, and the pauses after a chunk and after the last one. More can be
/// forgotten than comes in.
const TRIM_MAX: usize = 2000;
const TRIM_PAUSE: Duration = Duration::from_millis(20);
const TRIM_INTERVAL: Duration = Duration::from_secs(60);
/// How long a stopping hub waits for its callbacks.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Why a hub did not start: one sentence that says what to do.
#[derive(Debug)]
pub enum StartError {
    Store(StoreError),
    /// A listener's name and address, and what the system said.
    Listen {
        listener: &'static str,
        address: SocketAddr,
        error: std::io::Error,
    },
    Setting(String),
}

/// A hub that serves.
pub struct Running {
    hub: Arc<Hub>,
    addresses: Listeners,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    writers: Writers,
}

/// Starts a hub. `portal` makes the pages of the portal's listener.
pub async fn start(config: Config, portal: fn(Arc<Hub>) -> Router) -> Result<Running, StartError> {
    // Listening comes first: a port that is taken must not touch the store.
    let (sockets, addresses) = listen(&config.listeners, &config.tls).await?;
    let store = store::open(&config.store, &config.name).await.map_err(StartError::Store)?;
    check_settings(store.as_ref(), &config).await?;
    let signer = Arc::new(Signer::open(&config.signing, &config.name).map_err(StartError::Setting)?);
    let keys = HubKeys::open(&config.tls).map_err(StartError::Setting)?;
    let new_net = || Net::new(config.request_timeout, keys.outgoing.clone());
    let notifier = Notifier::open(new_net(), config.notices.smtp.as_ref(), &config.name);
    let notifier = notifier.map_err(StartError::Setting)?;
    let parts = Outside { signer, notifier, net: new_net(), keys, place: Place::Threads };
    let (hub, writers) = assemble(config, store, parts).await?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = background(&hub, &stopped);
    let served = [
        ("fspiop", http::router(hub.clone()), hub.keys.fspiop.clone()),
        ("administration", for_operators(&hub, admin::ledger_router(hub.clone())), hub.keys.administration.clone()),
        ("settlement", for_operators(&hub, admin::settlement_router(hub.clone())), hub.keys.administration.clone()),
        ("oracles", for_operators(&hub, admin::oracle_router(hub.clone())), hub.keys.administration.clone()),
        ("portal", for_operators(&hub, portal(hub.clone())), hub.keys.administration.clone()),
    ];
    for (socket, (name, router, keys)) in sockets.into_iter().zip(served) {
        tasks.spawn(listener::serve(socket, (name, router), keys, stopped.clone()));
    }
    Ok(Running { hub, addresses, stop, tasks, writers })
}

/// What a hub does by itself.
fn background(hub: &Arc<Hub>, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(until_stopped(stopped.clone(), sweep(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), end_questions(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), polls::run(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), claim(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), trim_journal(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), settlement::finish_windows(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), schedule::keep(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), notices::run(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), refresh(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), hub.keys.keep()));
    tasks.spawn(until_stopped(stopped.clone(), certificates::refresh(hub.clone())));
    tasks.spawn(until_stopped(stopped.clone(), tokens::keep(hub.clone())));
    tasks
}

impl Running {
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Where the hub listens, with the ports that the system chose.
    pub fn addresses(&self) -> &Listeners {
        &self.addresses
    }

    /// Stops accepting, finishes what was accepted, delivers for at most ten seconds, and closes the store. What is not
    /// delivered by then stays in the outbox.
    pub async fn stop(mut self) {
        self.hub.is_stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        let deadline = Instant::now() + DRAIN_MAX;
        let drained = async {
            while self.hub.callbacks.waiting() > 0 || !self.hub.sequencer.has_no_notes() {
                self.hub.sequencer.hurry();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout_at(deadline.into(), drained).await.is_err() {
            tracing::warn!(waiting = self.hub.callbacks.waiting(), "messages are left for the next start");
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(1), ended).await.is_err() {
            self.tasks.abort_all();
        }
        self.hub.sequencer.close();
        let writers = self.writers;
        // Writers block; a thread of its own may wait for them.
        if tokio::task::spawn_blocking(move || writers.join()).await.is_err() {
            tracing::error!("the writers could not be joined");
        }
    }
}

/// By what a hub works and reaches others.
struct Outside {
    signer: Arc<Signer>,
    notifier: Notifier,
    net: Net,
    keys: HubKeys,
    place: Place,
}

async fn assemble(config: Config, store: Arc<dyn Store>, outside: Outside) -> Result<(Arc<Hub>, Writers), StartError> {
    let Outside { signer, notifier, net, keys, place } = outside;
    let metrics = Arc::new(Metrics::new());
    let verifier = Verifier::open(&config.verification, metrics.clone()).map_err(StartError::Setting)?;
    let tokens = Tokens::open(&config.tokens, &config.name, (store.as_ref(), net.clone(), metrics.clone())).await;
    let tokens = tokens.map_err(StartError::Setting)?;
    let directory = Arc::new(DirectoryCache::open(store.clone()).await?);
    let revoked = Revoked::open(store.as_ref()).await?;
    let journal = Arc::new(Journal::new(&store.journal_key().await?, config.journal, metrics.clone()));
    let services = Services {
        net: net.clone(),
        directory: directory.clone(),
        store: store.clone(),
        metrics: metrics.clone(),
        journal: journal.clone(),
        signer: signer.clone(),
    };
    let callbacks = Callbacks::new(services, config.name.clone(), config.connections_per_participant);
    let renderer = Arc::new(Renderer { hub_name: config.name.clone(), directory: directory.clone() });
    let parts = Parts {
        rules: config.rules(),
        render: renderer.clone(),
        callbacks: callbacks.clone(),
        metrics: metrics.clone(),
        marks: callbacks.marks(),
        journal: journal.clone(),
    };
    let (sequencer, writers) = Sequencer::start(store.as_ref(), parts, place).await?;
    let lookup = Lookup {
        store: store.clone(),
        directory: directory.clone(),
        net,
        journal: journal.clone(),
        hub_name: config.name.clone(),
        built_in: config.directory_id_types.clone(),
    };
    let started = (Instant::now(), now());
    let is_stopping = AtomicBool::new(false);
    let hub = Hub {
        config,
        store,
        directory,
        sequencer,
        callbacks,
        lookup,
        renderer,
        signer,
        verifier,
        tokens,
        journal,
        notifier,
        keys,
        revoked,
        metrics,
        started,
        is_stopping,
        verifying: tokio::sync::Mutex::new(()),
    };
    let hub = Arc::new(hub);
    hub.callbacks.set_requests(http::CarryOut::new(&hub));
    Ok((hub, writers))
}

/// The scheme settings of a filled store win; a node that was told otherwise does not start.
async fn check_settings(store: &dyn Store, config: &Config) -> Result<(), StartError> {
    let wanted = config.scheme_settings();
    let stored = store.settings(&wanted, "configuration").await.map_err(StartError::Store)?;
    for (name, value) in wanted {
        let known = stored.iter().find(|(known, _)| *known == name);
        match known {
            Some((_, known)) if *known != value => {
                return Err(StartError::Setting(format!(
                    "The scheme setting {name} is '{known}' in the store, but this node was told '{value}'. \
                     Change the node's configuration to what the store says."
                )));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

async fn listen(wanted: &Listeners, tls: &Tls) -> Result<([TcpListener; 5], Listeners), StartError> {
    check_operators(wanted, tls)?;
    let fspiop = bind("fspiop", wanted.fspiop).await?;
    let administration = bind("administration", wanted.administration).await?;
    let settlement = bind("settlement", wanted.settlement).await?;
    let oracles = bind("oracles", wanted.oracles).await?;
    let portal = bind("portal", wanted.portal).await?;
    let addresses = Listeners {
        fspiop: fspiop.1,
        administration: administration.1,
        settlement: settlement.1,
        oracles: oracles.1,
        portal: portal.1,
    };
    Ok(([fspiop.0, administration.0, settlement.0, oracles.0, portal.0], addresses))
}

/// Who reaches a listener for operators may do everything, unless it demands certificates; then participants must not have
/// such.
fn check_operators(wanted: &Listeners, tls: &Tls) -> Result<(), StartError> {
    let callers = tls.administration.as_ref().map(|tls| &tls.client_ca[..]).unwrap_or_default();
    let listeners = [
        ("administration", wanted.administration),
        ("settlement", wanted.settlement),
        ("oracles", wanted.oracles),
        ("portal", wanted.portal),
    ];
    let open = listeners.into_iter().find(|(_, address)| callers.is_empty() && !address.ip().is_loopback());
    if let Some((listener, address)) = open {
        return Err(StartError::Setting(format!(
            "The {listener} listener would be open to the network at {address} without authentication. Demand \
             certificates of operators with --administration-certificate, --administration-key and \
             --administration-client-ca; or give it an address of 127.0.0.1 and put an authenticating proxy in front of it."
        )));
    }
    let participants = tls.fspiop.as_ref().map(|tls| &tls.client_ca[..]).unwrap_or_default();
    for (operators, participants) in callers.iter().flat_map(|one| participants.iter().map(move |other| (one, other))) {
        if tls::have_common_certificate(operators, participants).map_err(StartError::Setting)? {
            return Err(StartError::Setting(format!(
                "An authority in {} is also in {}: with it every participant could administer the hub. Give operators an \
                 authority of their own.",
                operators.display(),
                participants.display()
            )));
        }
    }
    Ok(())
}

/// With what every request of an operator is met, whichever listener it comes to.
fn for_operators(hub: &Arc<Hub>, router: Router) -> Router {
    router.layer(from_fn_with_state(hub.clone(), admin::refuse_ended_certificates))
}

async fn bind(listener: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { listener, address, error };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let actual = socket.local_addr().map_err(failed)?;
    Ok((socket, actual))
}

async fn until_stopped(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        _ = stopped.wait_for(|is_stopping| *is_stopping) => {}
        () = work => {}
    }
}

/// Ends transfers whose expiration has passed.
async fn sweep(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(hub.config.expiry_sweep).await;
        match hub.store.due_transfers(SWEEP_MAX).await {
            Ok(due) => {
                for transfer in due {
                    let Due { subject, payment, .. } = transfer;
                    let command = Command::Expire(Expire { subject, payment });
                    let (sequencer, id) = (hub.sequencer.clone(), subject.id);
                    tokio::spawn(async move {
                        if let Err(error) = sequencer.decide(command, None).await {
                            tracing::warn!(%id, %error, "a due transfer was not expired; the next sweep tries again");
                        }
                    });
                }
            }
            Err(error) => tracing::error!(%error, "due transfers could not be read"),
        }
    }
}

/// Ends look-ups that other schemes have not answered.
async fn end_questions(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match hub.store.expire_questions(discovery::SWEEP_MAX).await {
            Ok(unanswered) => unanswered.into_iter().for_each(|one| discovery::tell_unanswered(&hub, one)),
            Err(error) => tracing::error!(%error, "look-ups whose time is up could not be read"),
        }
    }
}

/// Keeps this node's lease, and takes over messages of nodes that are gone.
async fn claim(hub: Arc<Hub>) {
    loop {
        match hub.store.renew_and_claim(CLAIM_MAX).await {
            Ok(messages) => {
                let is_all = messages.len() < CLAIM_MAX;
                for message in messages {
                    hub.callbacks.deliver_stored(message);
                }
                if !is_all {
                    continue;
                }
            }
            Err(error) => tracing::error!(%error, "the lease of this node could not be renewed"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Forgets what is older than the journal's retention: a chunk at a time, between units.
async fn trim_journal(hub: Arc<Hub>) {
    let Retention::Days(days) = hub.config.journal else { return };
    loop {
        let before = now().plus_millis(-i64::from(days) * 24 * 3_600_000);
        let trimmed = match hub.store.trim_journal(before, TRIM_MAX).await {
            Ok(rows) => hub.store.trim_transactions(before, TRIM_MAX).await.map(|transactions| rows.max(transactions)),
            failed => failed,
        };
        match trimmed {
            Ok(TRIM_MAX) => tokio::time::sleep(TRIM_PAUSE).await,
            Ok(_) => tokio::time::sleep(TRIM_INTERVAL).await,
            Err(error) => {
                tracing::error!(%error, "old rows of the journal could not be deleted");
                tokio::time::sleep(TRIM_INTERVAL).await;
            }
        }
    }
}

/// Follows what other nodes change.
async fn refresh(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(error) = hub.directory.refresh().await {
            tracing::error!(%error, "the directory could not be read");
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(StoreError::Refused(sentence)) => formatter.write_str(sentence),
            Self::Store(error) => {
                write!(
                    formatter,
                    "The store cannot be used: {error}. Check that its address is right and that it runs."
                )
            }
            Self::Listen { listener, address, error } if error.kind() == std::io::ErrorKind::AddrInUse => write!(
                formatter,
                "The {listener} listener cannot use {address}: another program listens there. \
                 Stop it, or give --listen-{listener} another address."
            ),
            Self::Listen { listener, address, error } => {
                write!(formatter, "The {listener} listener cannot use {address}: {error}.")
            }
            Self::Setting(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for StartError {}

/// A hub without sockets and threads, for a simulation: requests come by its routers and leave by a network of the
/// simulation's, and time is that of the runtime ([`crate::clock::simulate`]). Runs in a `LocalSet`.
pub struct Simulated {
    hub: Arc<Hub>,
    tasks: JoinSet<()>,
    writers: Writers,
    stop: watch::Sender<bool>,
}

impl Simulated {
    /// Starts a hub on a store; signing needs threads and is to be off.
    pub async fn start(config: Config, store: Arc<dyn Store>, network: Arc<dyn Network>) -> Result<Self, StartError> {
        check_settings(store.as_ref(), &config).await?;
        let signer = Arc::new(Signer::open(&config.signing, &config.name).map_err(StartError::Setting)?);
        let net = Net::simulated(network, config.request_timeout);
        let notifier = Notifier::open(net.clone(), None, &config.name).map_err(StartError::Setting)?;
        let keys = HubKeys::open(&config.tls).map_err(StartError::Setting)?;
        let parts = Outside { signer, notifier, net, keys, place: Place::Tasks };
        let (hub, writers) = assemble(config, store, parts).await?;
        let (stop, stopped) = watch::channel(false);
        let tasks = background(&hub, &stopped);
        Ok(Self { hub, tasks, writers, stop })
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub fn fspiop(&self) -> Router {
        http::router(self.hub.clone())
    }

    pub fn administration(&self) -> Router {
        admin::ledger_router(self.hub.clone())
    }

    /// Ends the hub as a crash does: nothing is finished. What it had begun to send may still be under way.
    pub fn crash(mut self) {
        self.tasks.abort_all();
        if let Writers::Tasks(writers) = &mut self.writers {
            writers.abort_all();
        }
        drop(self.stop);
    }
}
