//! The sequencer: collects commands from all connections into units and commits each unit in one store transaction.
//!
//! Invariant: a reply leaves only after the commit that contains its command, and a callback only after the commit that
//! contains its message. A unit that the database refused changes nothing; it is run again, halved, or given up with an
//! error to everybody who waits for it.

mod unit;

use crate::{
    callbacks::Callbacks,
    journal::Journal,
    metrics::Metrics,
    outbound::{Delivery, Head},
    ways::Ways,
};
use bytes::Bytes;
use hub_core::{
    Command, Rules,
    administration::{AdminCommand, AdminRejection, Directory},
    settlement::{SettlementAnswer, SettlementCommand, SettlementRejection, Window},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{Mark, PartyChange, Store, StoreError};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot};
use vocabulary::Timestamp;

/// Commands that may wait; more are refused with "try again".
const QUEUE_MAX: usize = 8192;
/// Commands of one unit.
const UNIT_MAX: usize = 512;
/// How long delivery marks may wait for a unit to ride on.
const MARKS_WAIT: Duration = Duration::from_millis(500);

/// The message that caused a command: what a relay passes on.
#[derive(Clone, Debug)]
pub struct Origin {
    pub head: Head,
    pub body: Bytes,
    pub relay: RelayUntil,
    pub ways: Ways,
}

/// How long the relayed message is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelayUntil {
    /// A prepare: until the transfer expires.
    Expiration(Timestamp),
    /// The outcome of a transfer.
    Outcome,
    /// Everything else that is durable.
    Short,
}

/// Why a command was not decided. Nothing of it is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unavailable {
    /// Too many commands wait.
    Busy,
    /// The store does not work; says what it said.
    Store(String),
    /// The command alone does not fit into the database.
    Data(String),
    Stopping,
}

/// The answer to an administrative command that was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminFailure {
    Rejected(AdminRejection),
    Unavailable(String),
}

/// The answer to a settlement command that was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettlementFailure {
    Rejected(SettlementRejection),
    Unavailable(String),
}

/// What a settlement command led to, with what it takes to show it: from the decision itself, since a read after the
/// commit may fail, and what has been done must not be answered with an error.
#[derive(Clone, Debug)]
pub struct SettlementOutcome {
    pub answer: SettlementAnswer,
    /// The windows of the command, in the order of their ids.
    pub windows: Vec<Window>,
    /// As it was when the command was decided.
    pub directory: Directory,
}

type Reply<T> = oneshot::Sender<T>;

/// What waits for a unit.
enum Job {
    Decide {
        command: Command,
        origin: Option<Box<Origin>>,
        reply: Reply<Result<(), Unavailable>>,
    },
    Administer {
        command: Box<AdminCommand>,
        actor: String,
        reply: Reply<Result<(), AdminFailure>>,
    },
    Settle {
        command: Box<SettlementCommand>,
        actor: String,
        reply: Reply<Result<SettlementOutcome, SettlementFailure>>,
    },
    Parties {
        change: PartyChange,
        reply: Reply<Result<(), Unavailable>>,
    },
    Relay {
        delivery: Box<Delivery>,
        reply: Reply<Result<(), Unavailable>>,
    },
}

/// Turns a decision's notices into messages. Pure: the same notice gives the same bytes.
pub trait Render: Send + Sync {
    /// `None` where there is nobody to tell: the recipient is not a participant.
    fn render(&self, origin: Option<&Origin>, notice: &hub_core::Notice, now: Timestamp) -> Option<Delivery>;
}

/// The way in for commands. Cloning is cheap.
#[derive(Clone)]
pub struct Sequencer {
    jobs: mpsc::Sender<Job>,
    marks: Arc<Mutex<Vec<Mark>>>,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    state: Arc<Lifecycle>,
}

/// What both ends of the queue know of each other.
#[derive(Default)]
struct Lifecycle {
    is_closing: AtomicBool,
    /// Writers that have panicked: they found state that contradicts itself, and the hub is not well.
    broken_writers: AtomicUsize,
    /// Wakes a writer that waits for jobs.
    hurry: Notify,
}

/// What the writer threads share.
struct Shared {
    state: Arc<Lifecycle>,
    jobs: AsyncMutex<Queue>,
    marks: Arc<Mutex<Vec<Mark>>>,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    rules: Rules,
    render: Arc<dyn Render>,
    callbacks: Arc<Callbacks>,
}

/// Jobs in their order: those put off from an earlier unit come first.
struct Queue {
    deferred: VecDeque<Job>,
    incoming: mpsc::Receiver<Job>,
}

/// What runs units; joined at the end.
pub enum Writers {
    Threads(Vec<std::thread::JoinHandle<()>>),
    /// In the `LocalSet` of the caller, for a simulation of which every step is to be repeatable.
    Tasks(tokio::task::JoinSet<()>),
}

/// Where units run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Threads,
    Tasks,
}

/// What the writers need beside the store.
pub struct Parts {
    pub rules: Rules,
    pub render: Arc<dyn Render>,
    pub callbacks: Arc<Callbacks>,
    pub metrics: Arc<Metrics>,
    pub marks: Arc<Mutex<Vec<Mark>>>,
    pub journal: Arc<Journal>,
}

impl Sequencer {
    /// Starts the writer threads. Each has its own way into the store; units of different writers are ordered by the
    /// database's locks alone.
    pub async fn start(store: &dyn Store, parts: Parts, place: Place) -> Result<(Self, Writers), StoreError> {
        let (jobs, incoming) = mpsc::channel(QUEUE_MAX);
        let state = Arc::new(Lifecycle::default());
        let (marks, journal, metrics) = (parts.marks.clone(), parts.journal.clone(), parts.metrics.clone());
        let sequencer = Self { jobs, marks, journal, metrics, state: state.clone() };
        let shared = Arc::new(Shared {
            state,
            jobs: AsyncMutex::new(Queue { deferred: VecDeque::new(), incoming }),
            marks: parts.marks,
            journal: parts.journal,
            metrics: parts.metrics,
            rules: parts.rules,
            render: parts.render,
            callbacks: parts.callbacks,
        });
        if place == Place::Tasks {
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn_local(unit::run(store.writer().await?, shared));
            return Ok((sequencer, Writers::Tasks(tasks)));
        }
        let runtime = tokio::runtime::Handle::current();
        let mut threads = Vec::new();
        for number in 0..store.writers_recommended() {
            let (writer, shared, runtime) = (store.writer().await?, shared.clone(), runtime.clone());
            let thread = std::thread::Builder::new()
                .name(format!("umoja-writer-{number}"))
                .spawn(move || {
                    let alarm = Alarm(shared.state.clone());
                    runtime.block_on(unit::run(writer, shared));
                    std::mem::forget(alarm);
                })
                .map_err(|error| StoreError::Unavailable(format!("no thread for a writer: {error}")))?;
            threads.push(thread);
        }
        Ok((sequencer, Writers::Threads(threads)))
    }

    /// Decides a command; returns when the decision is durable.
    pub async fn decide(&self, command: Command, origin: Option<Origin>) -> Result<(), Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Decide { command, origin: origin.map(Box::new), reply })?;
        answer.await.unwrap_or(Err(Unavailable::Stopping))
    }

    /// Changes the built-in party directory; returns when the change is durable.
    pub async fn change_party(&self, change: PartyChange) -> Result<(), Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Parties { change, reply })?;
        answer.await.unwrap_or(Err(Unavailable::Stopping))
    }

    /// Passes on a message about which there is nothing to decide; returns when it is durable. After a commit whose
    /// outcome was unknown it may leave twice.
    pub async fn relay(&self, delivery: Delivery) -> Result<(), Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Relay { delivery: Box::new(delivery), reply })?;
        answer.await.unwrap_or(Err(Unavailable::Stopping))
    }

    /// Decides an administrative command; returns when the decision is durable.
    pub async fn administer(&self, command: AdminCommand, actor: String) -> Result<(), AdminFailure> {
        let (reply, answer) = oneshot::channel();
        let unavailable = |reason: Unavailable| AdminFailure::Unavailable(reason.to_string());
        self.enqueue(Job::Administer { command: Box::new(command), actor, reply }).map_err(unavailable)?;
        answer.await.unwrap_or(Err(AdminFailure::Unavailable(Unavailable::Stopping.to_string())))
    }

    /// Decides a settlement command; returns when the decision is durable.
    pub async fn settle(
        &self,
        command: SettlementCommand,
        actor: String,
    ) -> Result<SettlementOutcome, SettlementFailure> {
        let (reply, answer) = oneshot::channel();
        let unavailable = |reason: Unavailable| SettlementFailure::Unavailable(reason.to_string());
        self.enqueue(Job::Settle { command: Box::new(command), actor, reply }).map_err(unavailable)?;
        answer.await.unwrap_or(Err(SettlementFailure::Unavailable(Unavailable::Stopping.to_string())))
    }

    fn enqueue(&self, job: Job) -> Result<(), Unavailable> {
        if self.state.is_closing.load(Ordering::Relaxed) {
            return Err(Unavailable::Stopping);
        }
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unavailable::Busy,
            mpsc::error::TrySendError::Closed(_) => Unavailable::Stopping,
        })?;
        self.metrics.queued.inc();
        Ok(())
    }

    /// Whether commands are taken and the writers that decide them are running.
    pub fn is_running(&self) -> bool {
        !self.jobs.is_closed() && self.state.broken_writers.load(Ordering::Relaxed) == 0
    }

    /// Takes no more commands; those that wait are still decided.
    pub fn close(&self) {
        self.state.is_closing.store(true, Ordering::Relaxed);
        self.hurry();
    }

    /// Has the delivery marks written now instead of with the next command.
    pub fn hurry(&self) {
        self.state.hurry.notify_one();
    }

    /// Whether every delivery mark and row of the journal has been handed to a unit.
    pub fn has_no_notes(&self) -> bool {
        self.journal.is_empty() && self.marks.lock().expect("marks are pushed without panicking").is_empty()
    }
}

impl Writers {
    /// Waits until every writer has finished its last unit; call after the last [`Sequencer`] is gone.
    pub fn join(self) {
        let threads = match self {
            Self::Threads(threads) => threads,
            // Whoever ends a simulation ends its tasks.
            Self::Tasks(_) => Vec::new(),
        };
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a writer thread ended by panic");
            }
        }
    }
}

/// Dropped by a writer that panics.
struct Alarm(Arc<Lifecycle>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.broken_writers.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Busy => formatter.write_str("too many requests are waiting; try again in a moment"),
            Self::Store(what) => write!(formatter, "the store does not work: {what}"),
            Self::Data(what) => write!(formatter, "the database refused the command: {what}"),
            Self::Stopping => formatter.write_str("the hub is stopping"),
        }
    }
}
