//! The generator's thread and the handle on it.
//!
//! Invariant: all sockets and payments of the generator live on one thread of their own, so that nothing that the rest
//! of the process does stands between a message and its time stamp.

use super::{Checked, Measurement, Options, check, engine::Engine, inbound::Inbound};
use crate::{
    random::Random,
    scheme::Scheme,
    wire::{pool, server},
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

/// Connections to the hub. Each carries one request at a time; a request is answered when it is durable.
const CONNECTIONS: usize = 256;

/// A scheme's DFSPs, listening, and ready to pay.
pub struct Generator {
    callbacks: SocketAddr,
    registrations: Arc<Registrations>,
    orders: mpsc::Sender<Order>,
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
    pub fn start(scheme: Scheme, nodes: &[SocketAddr], seed: u64) -> io::Result<Self> {
        let [hub, ..] = nodes else { return Err(io::Error::other("a hub has one node at least")) };
        let (hub, nodes) = (*hub, nodes.to_vec());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let callbacks = listener.local_addr()?;
        let registrations = Arc::new(Registrations::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, inbox) = mpsc::channel(1);
        let shared = Arc::clone(&registrations);
        thread::Builder::new().name("generator".to_owned()).spawn(move || {
            let engine = Rc::new(Engine::new(scheme, &hub.to_string(), Random::seeded(seed)));
            LocalSet::new().block_on(&runtime, obey(engine, Parts { listener, nodes, registrations: shared }, inbox));
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
    nodes: Vec<SocketAddr>,
    registrations: Arc<Registrations>,
}

async fn obey(engine: Rc<Engine>, parts: Parts, mut inbox: mpsc::Receiver<Order>) {
    let listener = tokio::net::TcpListener::from_std(parts.listener).expect("a bound listener joins the runtime");
    let inbound = Rc::new(Inbound { engine: Rc::clone(&engine), registrations: parts.registrations });
    task::spawn_local(server::serve(listener, inbound));
    for (queue, node) in engine.queues.iter().cycle().zip(&parts.nodes) {
        pool::spawn(*node, CONNECTIONS / parts.nodes.len(), queue, &engine);
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
