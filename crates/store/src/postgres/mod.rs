//! PostgreSQL: any number of nodes and writers on one database.
//!
//! Correctness rests on the database's locks, taken in one order ([`locks`]), in READ COMMITTED transactions; nothing
//! is remembered between units but the time. A unit is three round trips: `open`, `lock`, `commit`.

mod address;
mod administration;
mod certificates;
mod clients;
mod columns;
mod connection;
mod fault;
mod funds;
mod interscheme;
mod journal;
mod locks;
mod migrations;
mod movements;
mod notices;
mod outbox;
mod outbox_administration;
mod parties;
mod pool;
mod rows;
#[cfg(feature = "scratch-postgres")]
pub mod scratch;
mod settings;
mod settlement;
mod verify;
mod writer;

use crate::{
    Asked, BoxFuture, CertificateQuery, CertificateRow, Claim, DeliveryEnd, DeliveryId, Due, DueDelivery, Durability,
    FundsQuery, MessageId, Micros, NewCertificate, NodeId, NoticeQuery, NoticeRow, OutboxQuery, OutboxRow, PairTotal,
    PartyEntry, Question, SettlementQuery, StatementLine, StatementQuery, Store, StoreError, StoredMessage, Trace,
    TracedTransfer, Unanswered, Verdict, WindowQuery, Writer,
    codec::{
        self, DUE_COLUMNS, KIND_CONVERSION, KIND_PAYMENT, STATE_AGREED, STATE_FORWARDED, STATE_RESERVED,
        TRANSFER_COLUMNS, TRANSFERS,
    },
};
use address::Address;
use columns::{Sixteen, number};
use connection::{Connection, Purpose, Request};
use hub_core::notices::{Alarm, AlarmStep};
use hub_core::settlement::{AccountTotal, Settlement, Window};
use hub_core::{Subject, WindowId, administration::Directory, transfers::Transfer};
use ledger::AccountId;
use pool::Pool;
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use vocabulary::{Amount, CorrelationId, FspId, PartyId, Timestamp};

/// Units that a node runs at the same time: enough to share a sync of the log, few enough not to queue at hot accounts.
const WRITERS_RECOMMENDED: usize = 4;

const SYNCS: &str = "SELECT current_setting('fsync') = 'on'";

static FIND_TRANSFER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {TRANSFER_COLUMNS} FROM {TRANSFERS} WHERE key = \
         (SELECT key FROM ids WHERE id = $1 AND kind = $2 AND is_ulid = $3)"
    )
});

const CLOCK: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT";

/// `now()` stands still within the statement, so that the index can be asked for it.
static DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {DUE_COLUMNS} FROM {TRANSFERS} WHERE state = 1 AND kind IN ($1, $2) \
         AND expiration < floor(extract(epoch FROM now()) * 1000)::BIGINT ORDER BY expiration LIMIT $3"
    )
});

/// What was forwarded or agreed to and is over its time; the partial index serves it.
static UNDECIDED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {TRANSFER_COLUMNS} FROM {TRANSFERS} WHERE state > 4 \
         AND expiration < floor(extract(epoch FROM now()) * 1000)::BIGINT ORDER BY expiration LIMIT $1"
    )
});

/// A database that the hub's nodes share.
pub struct PostgresStore {
    shared: Arc<Shared>,
    pool: Pool,
}

/// What the writers of one process share.
struct Shared {
    address: Arc<Address>,
    node: NodeId,
    /// Milliseconds; the latest time that a unit of this process was given.
    clock: AtomicI64,
    batch: AtomicI64,
    unheard: outbox::Unheard,
    units: AtomicU64,
    /// Whether the server waits for its disk before it answers a commit.
    syncs: bool,
}

impl PostgresStore {
    /// Connects to `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, creates or updates its tables, and registers this
    /// process as a node. An empty database gets `hub_name` as its first participant.
    pub async fn connect(address: &str, hub_name: &FspId) -> Result<Arc<Self>, StoreError> {
        let address = Arc::new(Address::parse(address)?);
        let mut connection = Connection::open(&address, Purpose::Reads).await?;
        migrations::run(&mut connection, &address, hub_name).await?;
        let enlisted = connection.query(outbox::ENLIST, Vec::new()).await?;
        connection.query(outbox::FORGET, Vec::new()).await?;
        let syncs = connection.query(SYNCS, Vec::new()).await?[0].get(0);
        let shared = Shared {
            address: Arc::clone(&address),
            node: NodeId(number(&enlisted[0], 0)?),
            clock: AtomicI64::new(0),
            batch: AtomicI64::new(1),
            unheard: outbox::Unheard::default(),
            units: AtomicU64::new(0),
            syncs,
        };
        Ok(Arc::new(Self { shared: Arc::new(shared), pool: Pool::new(address) }))
    }

    async fn new_writer(&self) -> Result<Box<dyn Writer>, StoreError> {
        let connection = Connection::open(&self.shared.address, Purpose::Units).await?;
        Ok(Box::new(writer::PostgresWriter::new(Arc::clone(&self.shared), connection)))
    }

    async fn find_transfer(&self, subject: Subject) -> Result<Option<Transfer>, StoreError> {
        let (bytes, is_ulid) = subject.id.to_parts();
        let kind = codec::subject_kind_code(subject.kind);
        let request = Request::new(&FIND_TRANSFER, vec![Box::new(Sixteen(bytes)), Box::new(kind), Box::new(is_ulid)]);
        self.pool.read(request).await?.first().map(codec::transfer).transpose()
    }

    async fn find_undecided(&self, limit: usize) -> Result<Vec<Transfer>, StoreError> {
        let values: Vec<connection::Value<'_>> = vec![Box::new(outbox::as_limit(limit))];
        self.pool.read(Request::new(&UNDECIDED, values)).await?.iter().map(codec::transfer).collect()
    }

    async fn find_parties(&self, party: PartyId) -> Result<Vec<PartyEntry>, StoreError> {
        let values: Vec<connection::Value<'_>> = vec![Box::new(&*party.identifier), Box::new(party.id_type.as_str())];
        self.pool.read(Request::new(&parties::FIND, values)).await?.iter().map(codec::party_entry).collect()
    }

    async fn find_due(&self, limit: usize) -> Result<Vec<Due>, StoreError> {
        let values: Vec<connection::Value<'_>> =
            vec![Box::new(KIND_PAYMENT), Box::new(KIND_CONVERSION), Box::new(outbox::as_limit(limit))];
        self.pool.read(Request::new(&DUE, values)).await?.iter().map(codec::due).collect()
    }
}

impl Shared {
    /// The database's time, unless a unit of this process has seen a later one.
    fn not_before(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.clock.fetch_max(millis, Ordering::AcqRel).max(millis))
    }

    fn next_batch(&self) -> i64 {
        self.batch.fetch_add(1, Ordering::Relaxed)
    }

    fn note_unheard(&self, batch: i64) {
        self.unheard.add(batch);
    }

    fn count_unit(&self) {
        self.units.fetch_add(1, Ordering::Relaxed);
    }
}

impl Store for PostgresStore {
    fn writer(&self) -> BoxFuture<'_, Box<dyn Writer>> {
        Box::pin(self.new_writer())
    }

    fn writers_recommended(&self) -> usize {
        WRITERS_RECOMMENDED
    }

    fn directory(&self) -> BoxFuture<'_, Directory> {
        Box::pin(self.pool.with(administration::load))
    }

    fn directory_version(&self) -> BoxFuture<'_, i64> {
        Box::pin(async { number(&self.pool.read(Request::plain(administration::VERSION)).await?[0], 0) })
    }

    fn transfer(&self, subject: Subject) -> BoxFuture<'_, Option<Transfer>> {
        Box::pin(self.find_transfer(subject))
    }

    fn route<'a>(&'a self, fsp: &'a FspId) -> BoxFuture<'a, Option<FspId>> {
        Box::pin(self.find_route(fsp))
    }

    fn routes(&self) -> BoxFuture<'_, Vec<(FspId, FspId)>> {
        Box::pin(self.all_routes())
    }

    fn set_route<'a>(&'a self, fsp: &'a FspId, proxy: &'a FspId, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.learn(fsp, proxy, actor))
    }

    fn ask(&self, asked: Asked) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.begin_question(&asked).await })
    }

    fn take_answer(&self, question: Question, proxy: Option<FspId>, is_success: bool) -> BoxFuture<'_, Verdict> {
        Box::pin(async move { self.answer(&question, proxy.as_ref(), is_success).await })
    }

    fn asked_via(&self, question: Question) -> BoxFuture<'_, Option<FspId>> {
        Box::pin(async move { self.find_asker(&question).await })
    }

    fn expire_questions(&self, limit: usize) -> BoxFuture<'_, Vec<Unanswered>> {
        Box::pin(self.expire(limit))
    }

    fn undecided(&self, limit: usize) -> BoxFuture<'_, Vec<Transfer>> {
        Box::pin(self.find_undecided(limit))
    }

    fn transaction(&self, id: CorrelationId) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(self.find_transaction(id))
    }

    fn trim_transactions(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(self.trim_old_transactions(before, limit))
    }

    fn parties(&self, party: PartyId) -> BoxFuture<'_, Vec<PartyEntry>> {
        Box::pin(self.find_parties(party))
    }

    fn due_transfers(&self, limit: usize) -> BoxFuture<'_, Vec<Due>> {
        Box::pin(self.find_due(limit))
    }

    fn renew_and_claim(&self, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        Box::pin(outbox::renew_and_claim(&self.pool, &self.shared, limit))
    }

    fn waiting_messages(&self, to: FspId, after: MessageId, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        Box::pin(outbox::waiting(&self.pool, self.shared.node, (to, after), limit))
    }

    fn trace(&self, id: CorrelationId) -> BoxFuture<'_, Option<Trace>> {
        Box::pin(crate::trace::trace(self, id))
    }

    fn trim_journal(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(self.trim(before, limit))
    }

    fn journal_key(&self) -> BoxFuture<'_, [u8; 32]> {
        Box::pin(self.find_journal_key())
    }

    fn outbox(&self, query: OutboxQuery) -> BoxFuture<'_, Vec<OutboxRow>> {
        Box::pin(async move { outbox_administration::list(&self.pool, &query).await })
    }

    fn outbox_message(&self, id: MessageId) -> BoxFuture<'_, Option<OutboxRow>> {
        Box::pin(outbox_administration::message(&self.pool, id))
    }

    fn replay_message<'a>(
        &'a self,
        id: MessageId,
        until: Timestamp,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<StoredMessage>> {
        Box::pin(outbox_administration::replay(&self.pool, &self.shared, (id, until), actor))
    }

    fn drop_message<'a>(&'a self, id: MessageId, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(outbox_administration::drop_message(&self.pool, id, actor))
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
        Box::pin(async move { movements::settlements(self, &query).await })
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
        Box::pin(notices::alarms(&self.pool))
    }

    fn take_alarm_step(&self, step: AlarmStep) -> BoxFuture<'_, bool> {
        Box::pin(async move { notices::take_step(&self.pool, &step).await })
    }

    fn notices(&self, query: NoticeQuery) -> BoxFuture<'_, Vec<NoticeRow>> {
        Box::pin(async move { notices::list(&self.pool, &query).await })
    }

    fn claim_deliveries(&self, claim: Claim) -> BoxFuture<'_, Vec<DueDelivery>> {
        Box::pin(notices::claim(&self.pool, claim))
    }

    fn end_delivery(&self, id: DeliveryId, end: DeliveryEnd, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move { notices::end(&self.pool, (id, &end), now).await })
    }

    fn record_certificate<'a>(&'a self, certificate: NewCertificate, actor: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { certificates::record(&self.pool, &certificate, actor).await })
    }

    fn certificates(&self, query: CertificateQuery) -> BoxFuture<'_, Vec<CertificateRow>> {
        Box::pin(async move { certificates::list(&self.pool, &query).await })
    }

    fn revoke_certificate<'a>(
        &'a self,
        fingerprint: &'a str,
        reason: &'a str,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<CertificateRow>> {
        Box::pin(certificates::revoke(&self.pool, fingerprint, (reason, actor)))
    }

    fn revoked_certificates(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(certificates::revoked(&self.pool))
    }

    fn trim_notices(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize> {
        Box::pin(notices::trim(&self.pool, before, limit))
    }

    fn settings<'a>(&'a self, seed: &'a [(String, String)], actor: &'a str) -> BoxFuture<'a, Vec<(String, String)>> {
        Box::pin(self.pool.with(async move |connection| settings::seed(connection, seed, actor).await))
    }

    fn set_setting<'a>(&'a self, name: &'a str, value: &'a str, actor: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.pool.with(async move |connection| settings::set(connection, (name, value), actor).await))
    }

    fn secret<'a>(&'a self, name: &'a str, candidate: &'a [u8]) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(self.pool.with(async move |connection| clients::secret(connection, name, candidate).await))
    }

    fn durability(&self) -> Durability {
        let units = self.shared.units.load(Ordering::Relaxed);
        Durability { units, units_synced: if self.shared.syncs { units } else { 0 } }
    }

    fn ping(&self) -> BoxFuture<'_, Option<Micros>> {
        Box::pin(async {
            let rows = self.pool.read(Request::plain(CLOCK)).await?;
            rows.first().map(|row| number(row, 0).map(Micros)).transpose()
        })
    }
}

/// The partial index of reserved transfers says it in a number.
const _: () = assert!(STATE_RESERVED == 1 && STATE_FORWARDED > 4 && STATE_AGREED > 4);
