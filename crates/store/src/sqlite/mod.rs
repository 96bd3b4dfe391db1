//! SQLite: the embedded default, one process and one writer per file. Without a file it is the memory store.
//!
//! A unit is one transaction on the writer's connection, which a lock hands to whoever writes: a [`Writer`] from `open` to
//! `commit`. Reads of a file have connections of their own and see what is committed; the memory store has only the
//! one connection, so its reads wait for the unit that runs (docs/decisions 0001). Whoever holds an open unit on the
//! memory store must not read through the store meanwhile.

mod administration;
mod certificates;
mod checkpoint;
mod clients;
mod clock;
mod commit;
mod connection;
mod exclusive;
mod funds;
mod interscheme;
mod journal;
mod movements;
mod notices;
mod outbox;
mod outbox_administration;
mod readers;
mod reads;
mod schema;
mod settlement;
mod sync_count;
mod verify;
mod writer;

use crate::{
    Asked, BoxFuture, CertificateQuery, CertificateRow, Claim, DeliveryEnd, DeliveryId, Due, DueDelivery, Durability,
    FundsQuery, MessageId, Micros, NewCertificate, NoticeQuery, NoticeRow, OutboxQuery, OutboxRow, PairTotal,
    PartyEntry, Question, SettlementQuery, StatementLine, StatementQuery, Store, StoreError, StoredMessage, Trace,
    TracedTransfer, Unanswered, Verdict, WindowQuery, Writer,
};
use checkpoint::{Bell, Checkpointer};
use clock::Clock;
pub use clock::TimeSource;
use exclusive::Exclusive;
use hub_core::notices::{Alarm, AlarmStep};
use hub_core::settlement::{AccountTotal, Settlement, Window};
use hub_core::{
    Subject, WindowId,
    administration::{Directory, SettlementModel},
    fees::FeeRule,
    transfers::Transfer,
};
use ledger::AccountId;
use outbox::Inheritance;
use readers::Readers;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use vocabulary::{Amount, CorrelationId, FspId, PartyId, Timestamp};

/// How a store is opened; the default is what a hub uses.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The name of a registered SQLite VFS: for tests and special file systems.
    pub vfs: Option<String>,
    pub time: TimeSource,
    /// Pages of 4 KiB in the write-ahead log after which a checkpoint is made.
    pub checkpoint_pages: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { vfs: None, time: Arc::new(clock::system_time), checkpoint_pages: 4096 }
    }
}

/// A hub's durable state in one file, or in memory.
pub struct SqliteStore {
    // In the order in which they end: the last connection to close is the writer's.
    _checkpointer: Option<Checkpointer>,
    readers: Option<Readers>,
    shared: Arc<Shared>,
}

/// What the store and its writer have in common.
struct Shared {
    core: Arc<tokio::sync::Mutex<Core>>,
    clock: Clock,
    inheritance: Inheritance,
    /// SQLite has one writer at a time.
    writer_is_out: AtomicBool,
    units: AtomicU64,
    units_synced: AtomicU64,
    bell: Option<Bell>,
}

/// The connection that writes, and what only its holder may change.
struct Core {
    connection: Connection,
    last_message: i64,
    /// The active settlement models and fee rules, once they were read; forgotten when an operator has changed anything.
    rules: Option<(Vec<SettlementModel>, Vec<FeeRule>)>,
    _exclusive: Option<Arc<Exclusive>>,
}

impl SqliteStore {
    /// Opens a database file, or makes it. `hub_name` becomes the hub's own participant in a new one.
    pub fn open(path: &Path, hub_name: &FspId) -> Result<Arc<Self>, StoreError> {
        Self::open_with(path, hub_name, &SqliteOptions::default())
    }

    /// As [`SqliteStore::open`], with options.
    pub fn open_with(path: &Path, hub_name: &FspId, options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let exclusive = Arc::new(Exclusive::acquire(path)?);
        let connection = connection::open_file(path, options, connection::Role::Writer)?;
        if !connection::syncs_commits(&connection)? {
            return Err(StoreError::Refused(format!(
                "The database {} cannot use a write-ahead log. Put it on a local file system.",
                path.display()
            )));
        }
        let clock = Clock::new(Arc::clone(&options.time));
        schema::migrate(&connection, hub_name, clock.now())?;
        let readers = Readers::open(path, options, Arc::clone(&exclusive))?;
        let checkpointer = Checkpointer::start(path, options, Arc::clone(&exclusive))?;
        let bell = checkpointer.bell();
        let shared = Shared::new(connection, clock, Some((exclusive, bell)))?;
        Ok(Arc::new(Self { _checkpointer: Some(checkpointer), readers: Some(readers), shared: Arc::new(shared) }))
    }

    /// A store without a file, which forgets everything when it is dropped.
    pub fn in_memory(hub_name: &FspId) -> Result<Arc<Self>, StoreError> {
        Self::in_memory_with(hub_name, &SqliteOptions::default())
    }

    /// As [`SqliteStore::in_memory`], with options.
    pub fn in_memory_with(hub_name: &FspId, options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let connection = connection::open_memory()?;
        let clock = Clock::new(Arc::clone(&options.time));
        schema::migrate(&connection, hub_name, clock.now())?;
        let shared = Shared::new(connection, clock, None)?;
        Ok(Arc::new(Self { _checkpointer: None, readers: None, shared: Arc::new(shared) }))
    }

    /// The store of a process that has just begun on what another one left behind in memory: for simulations of crashes.
    /// The other one's writer must be gone.
    pub async fn restarted(&self, options: &SqliteOptions) -> Result<Arc<Self>, StoreError> {
        let place = outbox::place(&self.shared.core.lock().await.connection)?;
        let clock = Clock::new(Arc::clone(&options.time));
        clock.hold_at(place.clock);
        let shared = Shared {
            core: Arc::clone(&self.shared.core),
            clock,
            inheritance: Inheritance::up_to(place.last_message),
            writer_is_out: AtomicBool::new(false),
            units: AtomicU64::new(0),
            units_synced: AtomicU64::new(0),
            bell: None,
        };
        Ok(Arc::new(Self { _checkpointer: None, readers: None, shared: Arc::new(shared) }))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.readers {
            Some(readers) => readers.read(read).await,
            None => read(&self.shared.core.lock().await.connection),
        }
    }

    /// Writes something between two units.
    async fn change<T>(
        &self,
        change: impl FnOnce(&Connection, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let core = self.shared.core.lock().await;
        change(&core.connection, self.shared.clock.now())
    }
}

impl Shared {
    fn new(connection: Connection, clock: Clock, file: Option<(Arc<Exclusive>, Bell)>) -> Result<Self, StoreError> {
        let place = outbox::place(&connection)?;
        clock.hold_at(place.clock);
        let (exclusive, bell) = file.unzip();
        Ok(Self {
            core: Arc::new(tokio::sync::Mutex::new(Core {
                connection,
                last_message: place.last_message.0,
                rules: None,
                _exclusive: exclusive,
            })),
            clock,
            inheritance: Inheritance::up_to(place.last_message),
            writer_is_out: AtomicBool::new(false),
            units: AtomicU64::new(0),
            units_synced: AtomicU64::new(0),
            bell,
        })
    }
}

/// Reads several things of one moment.
fn of_one_moment<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(connection::failure)?;
    let found = read(&transaction)?;
    transaction.commit().map_err(connection::failure)?;
    Ok(found)
}

impl Store for SqliteStore {
    fn writer(&self) -> BoxFuture<'_, Box<dyn Writer>> {
        Box::pin(async {
            let writer = writer::SqliteWriter::take(&self.shared)?;
            Ok(Box::new(writer) as Box<dyn Writer>)
        })
    }

    fn writers_recommended(&self) -> usize {
        1
    }

    fn directory(&self) -> BoxFuture<'_, Directory> {
        Box::pin(self.read(|connection| of_one_moment(connection, reads::directory)))
    }

    fn directory_version(&self) -> BoxFuture<'_, i64> {
        Box::pin(self.read(reads::directory_version))
    }

    fn transfer(&self, subject: Subject) -> BoxFuture<'_, Option<Transfer>> {
        Box::pin(self.read(move |connection| reads::transfer(connection, subject)))
    }

    fn route<'a>(&'a self, fsp: &'a FspId) -> BoxFuture<'a, Option<FspId>> {
        let fsp = fsp.clone();
        Box::pin(self.read(move |connection| reads::route(connection, &fsp)))
    }

    fn routes(&self) -> BoxFuture<'_, Vec<(FspId, FspId)>> {
        Box::pin(self.read(interscheme::routes))
    }

    fn set_route<'a>(&'a self, fsp: &'a FspId, proxy: &'a FspId, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.change(move |connection, now| interscheme::learn(connection, (fsp, proxy), actor, now)))
    }

    fn ask(&self, asked: Asked) -> BoxFuture<'_, bool> {
        Box::pin(self.change(move |connection, now| interscheme::ask(connection, &asked, now)))
    }

    fn take_answer(&self, question: Question, proxy: Option<FspId>, is_success: bool) -> BoxFuture<'_, Verdict> {
        let answer = move |connection: &_, _| interscheme::answer(connection, &question, proxy.as_ref(), is_success);
        Box::pin(self.change(answer))
    }

    fn asked_via(&self, question: Question) -> BoxFuture<'_, Option<FspId>> {
        Box::pin(self.read(move |connection| interscheme::asked_via(connection, &question)))
    }

    fn expire_questions(&self, limit: usize) -> BoxFuture<'_, Vec<Unanswered>> {
        Box::pin(self.change(move |connection, now| interscheme::expire(connection, now, limit)))
    }

    fn undecided(&self, limit: usize) -> BoxFuture<'_, Vec<Transfer>> {
        let now = self.shared.clock.now();
        Box::pin(self.read(move |connection| reads::undecided(connection, now, limit)))
    }

    fn transaction(&self, id: CorrelationId) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(self.read(move |connection| reads::transaction(connection, id)))
    }

    fn trim_transactions(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(self.change(move |connection, _| journal::trim_transactions(connection, before, limit)))
    }

    fn parties(&self, party: PartyId) -> BoxFuture<'_, Vec<PartyEntry>> {
        Box::pin(self.read(move |connection| reads::parties(connection, &party)))
    }

    fn due_transfers(&self, limit: usize) -> BoxFuture<'_, Vec<Due>> {
        let now = self.shared.clock.now();
        Box::pin(self.read(move |connection| reads::due(connection, now, limit)))
    }

    fn renew_and_claim(&self, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move {
            let read =
                |after, last| self.read(move |connection| reads::messages_between(connection, after, last, limit));
            self.shared.inheritance.claim(limit, read).await
        })
    }

    fn waiting_messages(&self, to: FspId, after: MessageId, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move {
            let unclaimed = self.shared.inheritance.unclaimed().await;
            self.read(move |connection| reads::messages_to(connection, &to, (after, unclaimed), limit)).await
        })
    }

    fn trace(&self, id: CorrelationId) -> BoxFuture<'_, Option<Trace>> {
        Box::pin(crate::trace::trace(self, id))
    }

    fn trim_journal(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(self.change(move |connection, _| journal::trim(connection, before, limit)))
    }

    fn journal_key(&self) -> BoxFuture<'_, [u8; 32]> {
        Box::pin(self.read(journal::key))
    }

    fn outbox(&self, query: OutboxQuery) -> BoxFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.read(move |connection| outbox_administration::list(connection, &query)))
    }

    fn outbox_message(&self, id: MessageId) -> BoxFuture<'_, Option<OutboxRow>> {
        Box::pin(self.read(move |connection| outbox_administration::message(connection, id)))
    }

    fn replay_message<'a>(
        &'a self,
        id: MessageId,
        until: Timestamp,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<StoredMessage>> {
        Box::pin(
            self.change(move |connection, now| outbox_administration::replay(connection, (id, until), (actor, now))),
        )
    }

    fn drop_message<'a>(&'a self, id: MessageId, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.change(move |connection, now| outbox_administration::drop_message(connection, id, (actor, now))))
    }

    fn verify(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(crate::audit::verify(self))
    }

    fn window_totals(&self, window: WindowId) -> BoxFuture<'_, Vec<AccountTotal>> {
        Box::pin(crate::movements::window_totals(self, window))
    }

    fn windows(&self, query: WindowQuery) -> BoxFuture<'_, Vec<Window>> {
        Box::pin(async move { crate::movements::windows(self, &query).await })
    }

    fn settlements(&self, query: SettlementQuery) -> BoxFuture<'_, Vec<Settlement>> {
        Box::pin(
            self.read(move |connection| {
                of_one_moment(connection, |connection| movements::settlements(connection, &query))
            }),
        )
    }

    fn pair_totals(&self, windows: Vec<WindowId>) -> BoxFuture<'_, Vec<PairTotal>> {
        Box::pin(async move { crate::movements::pair_totals(self, &windows).await })
    }

    fn balance_at(&self, account: AccountId, at: Timestamp) -> BoxFuture<'_, Amount> {
        Box::pin(crate::movements::balance_at(self, account, at))
    }

    fn statement(&self, query: StatementQuery) -> BoxFuture<'_, Vec<StatementLine>> {
        Box::pin(crate::movements::statement(self, query))
    }

    fn funds(&self, query: FundsQuery) -> BoxFuture<'_, Vec<TracedTransfer>> {
        Box::pin(self.funds_movements(query))
    }

    fn alarms(&self) -> BoxFuture<'_, Vec<Alarm>> {
        Box::pin(self.read(notices::alarms))
    }

    fn take_alarm_step(&self, step: AlarmStep) -> BoxFuture<'_, bool> {
        Box::pin(self.change(move |connection, _| notices::take_step(connection, &step)))
    }

    fn notices(&self, query: NoticeQuery) -> BoxFuture<'_, Vec<NoticeRow>> {
        Box::pin(self.read(move |connection| of_one_moment(connection, |connection| notices::list(connection, &query))))
    }

    fn claim_deliveries(&self, claim: Claim) -> BoxFuture<'_, Vec<DueDelivery>> {
        Box::pin(self.change(move |connection, _| notices::claim(connection, &claim)))
    }

    fn end_delivery(&self, id: DeliveryId, end: DeliveryEnd, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(self.change(move |connection, _| notices::end(connection, (id, &end), now)))
    }

    fn record_certificate<'a>(&'a self, certificate: NewCertificate, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.change(move |connection, now| certificates::record(connection, &certificate, actor, now)))
    }

    fn certificates(&self, query: CertificateQuery) -> BoxFuture<'_, Vec<CertificateRow>> {
        Box::pin(self.read(move |connection| certificates::list(connection, &query)))
    }

    fn revoke_certificate<'a>(
        &'a self,
        fingerprint: &'a str,
        reason: &'a str,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<CertificateRow>> {
        Box::pin(
            self.change(move |connection, now| certificates::revoke(connection, fingerprint, (reason, actor), now)),
        )
    }

    fn revoked_certificates(&self) -> BoxFuture<'_, Vec<String>> {
        let now = self.shared.clock.now();
        Box::pin(self.read(move |connection| certificates::revoked(connection, now)))
    }

    fn trim_notices(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(self.change(move |connection, _| notices::trim(connection, before, limit)))
    }

    fn settings<'a>(&'a self, seed: &'a [(String, String)], actor: &'a str) -> BoxFuture<'a, Vec<(String, String)>> {
        Box::pin(self.change(move |connection, now| administration::settings(connection, seed, actor, now)))
    }

    fn set_setting<'a>(&'a self, name: &'a str, value: &'a str, actor: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.change(move |connection, now| administration::set_setting(connection, (name, value), actor, now)))
    }

    fn secret<'a>(&'a self, name: &'a str, candidate: &'a [u8]) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(self.change(move |connection, _| clients::secret(connection, name, candidate)))
    }

    fn durability(&self) -> Durability {
        // The synced ones first: a unit that commits in between must not look as if it had synced twice.
        let units_synced = self.shared.units_synced.load(Ordering::SeqCst);
        Durability { units: self.shared.units.load(Ordering::SeqCst), units_synced }
    }

    fn ping(&self) -> BoxFuture<'_, Option<Micros>> {
        Box::pin(self.read(|connection| reads::open_window(connection).map(|_| None)))
    }
}
