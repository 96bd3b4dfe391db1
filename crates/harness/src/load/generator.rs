//! The generator's thread and the handle on it.
//!
//! Invariant: all sockets and payments of the generator live on one thread of their own, so that nothing that the rest
//! of the process does stands between a message and its time stamp.

use super::{
    Checked, Measurement, Options, SignedPayments, check,
    engine::{Engine, Lines},
    inbound::Inbound,
};
use crate::{
    credentials::Credentials,
    random::Random,
    scheme::Scheme,
    wire::{pool, server, stream::Target},
};
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::{self, LocalSet},
};
use tokio_rustls::TlsAcceptor;

/// Connections to the hub. Each carries one request at a time; a request is answered when it is durable.
const CONNECTIONS: usize = 256;

/// A scheme's DFSPs, listening, and ready to pay.
pub struct Generator {
    callbacks: SocketAddr,
    registrations: Arc<Registrations>,
    orders: mpsc::Sender<Order>,
}

/// How DFSPs and hub speak with each other; the default is plainly.
#[derive(Clone, Default)]
pub struct Links {
    /// With certificates on both sides.
    pub credentials: Option<Arc<Credentials>>,
    /// Payments that are made in their order instead of drawn.
    pub signed: Option<Arc<SignedPayments>>,
}

/// The generator's thread has ended, which it does only by a mistake of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// Answers to registrations of parties that have come in.
#[derive(Default, Debug)]
pub struct Registrations {
    confirmed: AtomicU64,
    refused: AtomicU64,
    first_refusal: Mutex<Option<String>>,
}

enum Order {
    Run(Options, oneshot::Sender<Measurement>),
    Check(Duration, oneshot::Sender<check::Checked>),
}

impl Generator {
    /// Listens on a free loopback port and keeps connections to the FSPIOP listeners of the hub's nodes: whichever has a
    /// free one takes the next message. Where the scheme has several hubs, the nodes are theirs in turn.
    pub fn start(scheme: Scheme, nodes: &[SocketAddr], seed: u64, links: Links) -> io::Result<Self> {
        let [hub, ..] = nodes else { return Err(io::Error::other("a hub has one node at least")) };
        let (hub, lines) = (*hub, if links.credentials.is_some() { Lines::OfDfsps } else { Lines::OfHubs });
        let targets = targets(scheme, nodes, links.credentials.as_deref())?;
        let acceptor = links.credentials.as_ref().map(|credentials| credentials.listener()).transpose();
        let acceptor = acceptor.map_err(io::Error::other)?.map(TlsAcceptor::from);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let callbacks = listener.local_addr()?;
        let registrations = Arc::new(Registrations::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, inbox) = mpsc::channel(1);
        let shared = Arc::clone(&registrations);
        thread::Builder::new().name("generator".to_owned()).spawn(move || {
            let engine = Engine::new(scheme, &hub.to_string(), Random::seeded(seed), (lines, links.signed));
            let parts = Parts { listener, acceptor, targets, registrations: shared };
            LocalSet::new().block_on(&runtime, obey(Rc::new(engine), parts, inbox));
        })?;
        Ok(Self { callbacks, registrations, orders })
    }

    /// Where the DFSPs listen: `http://{this}/dfspNN/…`.
    pub fn callbacks(&self) -> SocketAddr {
        self.callbacks
    }

    pub fn registrations(&self) -> &Registrations {
        &self.registrations
    }

    /// One run, until its last payment has ended.
    pub async fn run(&self, options: Options) -> Result<Measurement, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Run(options, reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Asks the hub for the committed transfers of all runs.
    pub async fn check(&self, time_limit: Duration) -> Result<Checked, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Check(time_limit, reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Registrations {
    pub fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// How many were refused, and what the first refusal says.
    pub fn refused(&self) -> (u64, Option<String>) {
        let first = self.first_refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.refused.load(Ordering::Relaxed), first)
    }

    pub(super) fn count(&self, is_error: bool, body: &[u8]) {
        if is_error {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let mut first = self.first_refusal.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| String::from_utf8_lossy(body).into_owned());
        } else {
            self.confirmed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Parts {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    targets: Vec<Target>,
    registrations: Arc<Registrations>,
}

/// With credentials each DFSP has a line of its own to the hub.
fn targets(scheme: Scheme, nodes: &[SocketAddr], credentials: Option<&Credentials>) -> io::Result<Vec<Target>> {
    let Some(credentials) = credentials else { return Ok(nodes.iter().copied().map(Target::plain).collect()) };
    let [node] = nodes else { return Err(io::Error::other("secured links lead to one node")) };
    let target = |dfsp| Ok(Target { address: *node, tls: Some(credentials.client(dfsp).map_err(io::Error::other)?) });
    (0..scheme.dfsps).map(target).collect()
}

async fn obey(engine: Rc<Engine>, parts: Parts, mut inbox: mpsc::Receiver<Order>) {
    let listener = tokio::net::TcpListener::from_std(parts.listener).expect("a bound listener joins the runtime");
    let inbound = Rc::new(Inbound { engine: Rc::clone(&engine), registrations: parts.registrations });
    task::spawn_local(server::serve(listener, parts.acceptor, inbound));
    for (queue, target) in engine.queues.iter().cycle().zip(&parts.targets) {
        pool::spawn(target, CONNECTIONS.div_ceil(parts.targets.len()), queue, &engine);
    }
    let housekeeper = Rc::clone(&engine);
    task::spawn_local(async move { housekeeper.housekeeping().await });
    while let Some(order) = inbox.recv().await {
        // Whoever gave the order may have gone away; the work was done all the same.
        match order {
            Order::Run(options, reply) => drop(reply.send(engine.run(&options).await)),
            Order::Check(time_limit, reply) => drop(reply.send(engine.check_committed(time_limit).await)),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the load generator's thread has ended; its last words are above")
    }
}

impl std::error::Error for Stopped {}
