//! The store's trait and the shapes that cross it.

use crate::{
    CertificateQuery, CertificateRow, Claim, DeliveryEnd, DeliveryId, DueDelivery, JournalRow, Mark, MessageId, Micros,
    NewCertificate, NewMessage, NoticeQuery, NoticeRow, OutboxQuery, OutboxRow, StoreError, StoredMessage, Trace,
    TracedTransfer,
};
use hub_core::{
    Access, Changes, Dialect, Loaded, Standing, Subject, Wanted, WindowId,
    administration::{Change, Directory},
    discovery::Answered,
    notices::{Alarm, AlarmStep},
    quotes::Quote,
    settlement::{AccountTotal, Books, Scope, Settlement, SettlementId, SettlementState, Window, WindowState},
    transfers::Transfer,
};
use ledger::{AccountId, ParticipantId};
use std::{future::Future, pin::Pin, sync::Arc};
use vocabulary::{Amount, CorrelationId, Currency, FspId, PartyId, Timestamp};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// One incarnation of a hub process: a new one at every start, so that a restarted node does not mistake the rows of its
/// former self for its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NodeId(pub i64);

/// What `open` found under the subjects of a unit.
#[derive(Clone, Default, Debug)]
pub struct Opened {
    pub transfers: Vec<Transfer>,
    pub quotes: Vec<Quote>,
}

/// What a unit makes durable.
#[derive(Clone, Default, Debug)]
pub struct UnitWork {
    pub changes: Changes,
    pub administration: Vec<Change>,
    pub parties: Vec<PartyChange>,
    pub messages: Vec<NewMessage>,
    pub marks: Vec<Mark>,
    /// Messages since the unit before; written with whatever unit comes next.
    pub journal: Vec<JournalRow>,
    /// Who asked for the administrative changes; stored with them.
    pub actor: String,
}

impl UnitWork {
    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        let changes = &self.changes;
        let lengths = [
            changes.new_transfers.len(),
            changes.changed_transfers.len(),
            changes.new_quotes.len(),
            changes.changed_quotes.len(),
            changes.accounts.len(),
            self.administration.len(),
            self.parties.len(),
            self.messages.len(),
            self.marks.len(),
            self.journal.len(),
        ];
        lengths.iter().all(|length| *length == 0)
    }
}

/// A change of the built-in party directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartyChange {
    /// Adds, or replaces what the same DFSP or another registered for this party and currency.
    Register(PartyEntry),
    /// Removes what was registered for a party, in one currency or in all.
    Remove { party: PartyId, currency: Option<Currency> },
}

/// A party that the built-in directory knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartyEntry {
    pub party: PartyId,
    pub fsp: FspId,
    pub currency: Option<Currency>,
}

/// A transfer whose expiration has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    pub subject: Subject,
    /// The payment that it is part of: its own id, or that of its determining transfer.
    pub payment: CorrelationId,
    pub expiration: Timestamp,
}

/// A look-up that waits for its answer: who asks, and about whom. A source asks other schemes for a party once at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    pub source: FspId,
    pub party: PartyId,
}

/// A look-up that is begun.
#[derive(Clone, Debug)]
pub struct Asked {
    pub question: Question,
    /// The proxy through which an external source asks.
    pub via: Option<FspId>,
    /// The version in which it asks.
    pub dialect: Dialect,
    /// Who is asked in turn; none where a participant of this scheme is.
    pub proxies: Vec<FspId>,
    pub until: Timestamp,
}

/// What an answer is to the look-up that it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub answered: Answered,
    /// The proxy through which the answer goes back, where an external source asks.
    pub via: Option<FspId>,
}

/// A look-up that no scheme answered in time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unanswered {
    pub question: Question,
    pub via: Option<FspId>,
    pub dialect: Dialect,
}

/// One way into the database for units. A unit is `open`, `lock`, `commit`, in this order; `rollback` leaves it at any
/// point, and so does dropping the writer. A new `open` begins a new unit.
pub trait Writer: Send {
    /// Begins a unit; finds its subjects and claims the unknown ones. `subjects` has each subject once. With a transfer
    /// come the conversions that it determines, whether it exists or not.
    fn open<'a>(&'a mut self, subjects: &'a [Wanted]) -> BoxFuture<'a, Opened>;

    /// Locks the standings that may change, reads those that are looked at, takes the window gate, then the time.
    /// The result holds only participants, routes and accounts; transfers and quotes are those that `open` returned. Where
    /// a name belongs to no participant but is behind a proxy, its standing is that of the proxy.
    fn lock<'a>(&'a mut self, standings: &'a [(Standing, Access)]) -> BoxFuture<'a, Loaded>;

    /// Locks and loads the whole directory instead of standings, for an administrative command.
    fn lock_directory(&mut self) -> BoxFuture<'_, (Directory, Timestamp)>;

    /// Locks and loads what a settlement command needs, instead of standings. The window gate is taken exclusive for
    /// [`Scope::Gate`], so that no payment joins the window after this; account rows are locked for
    /// [`Scope::Settlement`] only.
    fn lock_books<'a>(&'a mut self, scope: &'a Scope) -> BoxFuture<'a, (Books, Timestamp)>;

    /// Makes the unit durable; returns the ids of its messages, in their order. The messages belong to this node.
    fn commit(&mut self, work: UnitWork) -> BoxFuture<'_, Vec<MessageId>>;

    /// Leaves the unit without a trace.
    fn rollback(&mut self) -> BoxFuture<'_, ()>;
}

/// How many units this process has committed, and how many of these commits returned after the data had been synced to
/// disk. The two are equal unless the store was told, or the file system lets it, acknowledge without syncing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Durability {
    pub units: u64,
    pub units_synced: u64,
}

/// Results of one search for windows or settlements.
pub const SEARCH_MAX: usize = 1000;

/// Which windows are searched for; what is absent does not matter. Times are those of the window's creation, both
/// included.
#[derive(Clone, Default, Debug)]
pub struct WindowQuery {
    pub ids: Option<Vec<WindowId>>,
    pub states: Option<Vec<WindowState>>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Payments of the window moved an account of this participant.
    pub participant: Option<ParticipantId>,
    /// Payments of the window moved an account in this currency.
    pub currency: Option<Currency>,
}

/// Which settlements are searched for; what is absent does not matter. Times are included.
#[derive(Clone, Default, Debug)]
pub struct SettlementQuery {
    pub id: Option<SettlementId>,
    pub state: Option<SettlementState>,
    /// When the settlement was created.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub window: Option<WindowId>,
    /// When one of its windows was created.
    pub from_window: Option<Timestamp>,
    pub to_window: Option<Timestamp>,
    /// One of its accounts is in this currency, of this participant, or this one: one and the same account.
    pub currency: Option<Currency>,
    pub participant: Option<ParticipantId>,
    pub account: Option<AccountId>,
}

/// What payments moved from one account to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PairTotal {
    pub window: WindowId,
    /// Whose debt grew.
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Amount,
    pub count: u64,
}

/// A page of the entries of an account.
#[derive(Clone, Copy, Debug)]
pub struct StatementQuery {
    pub account: AccountId,
    /// Included.
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    /// The last entry of the page before; zero for the first page.
    pub after: i64,
    pub limit: usize,
}

/// A page of the funds movements of a participant, or of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FundsQuery {
    pub participant: Option<FspId>,
    /// Included; a movement is found by when it was recorded, and by when it ended.
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    /// The key of the last transfer of the page before; zero for the first page.
    pub after: i64,
    pub limit: usize,
}

/// One movement of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementLine {
    /// The id of the entry, larger than those before.
    pub entry: i64,
    pub at: Timestamp,
    /// The name of the entry's kind.
    pub kind: String,
    pub transfer: Option<CorrelationId>,
    /// The settlement that moved it.
    pub settlement: Option<SettlementId>,
    /// The account on the other side.
    pub other: AccountId,
    /// Above zero is a debit.
    pub amount: Amount,
}

/// The durable state of a hub.
pub trait Store: Send + Sync {
    /// A new writer. SQLite has one at a time; asking for a second is an error.
    fn writer(&self) -> BoxFuture<'_, Box<dyn Writer>>;

    /// How many writers a node should run.
    fn writers_recommended(&self) -> usize;

    /// The operator's directory with present balances.
    fn directory(&self) -> BoxFuture<'_, Directory>;

    /// The version of the directory, to know when a copy is stale.
    fn directory_version(&self) -> BoxFuture<'_, i64>;

    fn transfer(&self, subject: Subject) -> BoxFuture<'_, Option<Transfer>>;

    /// The proxy behind which an external DFSP is known to be.
    fn route<'a>(&'a self, fsp: &'a FspId) -> BoxFuture<'a, Option<FspId>>;

    /// Every known route, of external DFSPs in their order.
    fn routes(&self) -> BoxFuture<'_, Vec<(FspId, FspId)>>;

    /// Notes that an external DFSP is behind a proxy. Recorded with its change; nothing happens where it is known so, and
    /// the name of a participant has no route, nor has one with a NUL. Returns whether anything changed.
    fn learn_route<'a>(&'a self, fsp: &'a FspId, proxy: &'a FspId) -> BoxFuture<'a, bool> {
        self.set_route(fsp, proxy, proxy.as_str())
    }

    /// As [`Store::learn_route`], by an actor of its own.
    fn set_route<'a>(&'a self, fsp: &'a FspId, proxy: &'a FspId, actor: &'a str) -> BoxFuture<'a, bool>;

    /// Begins a look-up; false if the same one waits for answers of proxies already.
    fn ask(&self, asked: Asked) -> BoxFuture<'_, bool>;

    /// Takes an answer: of a proxy, or of one that did not say which proxy it came through and counts as a failure of any.
    fn take_answer(&self, question: Question, proxy: Option<FspId>, is_success: bool) -> BoxFuture<'_, Verdict>;

    /// The proxy through which an external source asked for a party.
    fn asked_via(&self, question: Question) -> BoxFuture<'_, Option<FspId>>;

    /// Ends the look-ups whose time is up, at most `limit`; returns those of which a proxy is still to answer and none has
    /// found the party. Each is returned to one caller, of whichever node.
    fn expire_questions(&self, limit: usize) -> BoxFuture<'_, Vec<Unanswered>>;

    /// Transfers and conversions that nobody in this scheme decides and whose expiration has passed, oldest first: what was
    /// forwarded, and conversions that were agreed to.
    fn undecided(&self, limit: usize) -> BoxFuture<'_, Vec<Transfer>>;

    /// The transaction in the packet of a transfer, as JSON text; none where there was none, or it is not kept any more.
    fn transaction(&self, id: CorrelationId) -> BoxFuture<'_, Option<Vec<u8>>>;

    /// Forgets the oldest transactions that are older than a time, at most `limit`; returns how many.
    fn trim_transactions(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize>;

    /// What the built-in directory holds for a party's type and identifier: every sub-id and currency.
    fn parties(&self, party: PartyId) -> BoxFuture<'_, Vec<PartyEntry>>;

    /// Reserved payments and conversions whose expiration lies before the database's present time, oldest first.
    fn due_transfers(&self, limit: usize) -> BoxFuture<'_, Vec<Due>>;

    /// Renews this node's lease, and takes over up to `limit` outbox messages of nodes whose lease ended 10 s ago. Also
    /// returns messages of this node whose commit was durable but unknown to be: nobody else would deliver them.
    fn renew_and_claim(&self, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>>;

    /// This node's waiting messages to one participant after a place in the outbox, oldest first.
    fn waiting_messages(&self, to: FspId, after: MessageId, limit: usize) -> BoxFuture<'_, Vec<StoredMessage>>;

    /// Everything that is known of a payment, by the id of its transfer or of its quote; none if there is neither.
    fn trace(&self, id: CorrelationId) -> BoxFuture<'_, Option<Trace>>;

    /// Forgets the oldest rows of the journal that are older than a time, at most `limit`; returns how many.
    fn trim_journal(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize>;

    /// The key of the hashes in the journal: random, made with the store.
    fn journal_key(&self) -> BoxFuture<'_, [u8; 32]>;

    /// A page of the outbox for operators, of whichever node, without bodies.
    fn outbox(&self, query: OutboxQuery) -> BoxFuture<'_, Vec<OutboxRow>>;

    /// One message of the outbox; none once it is delivered or dropped.
    fn outbox_message(&self, id: MessageId) -> BoxFuture<'_, Option<OutboxRow>>;

    /// Makes a dead message one of this node that waits, with no attempts, to be tried until a time. None if there is
    /// no dead message of this id. Recorded as the doing of `actor`.
    fn replay_message<'a>(
        &'a self,
        id: MessageId,
        until: Timestamp,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<StoredMessage>>;

    /// Removes a message from the outbox; false if there is none of this id. Recorded as the doing of `actor`.
    fn drop_message<'a>(&'a self, id: MessageId, actor: &'a str) -> BoxFuture<'a, bool>;

    /// Recomputes what can be recomputed, beside a working hub and without the arithmetic of what writes: balances and
    /// holds, that each committed transfer has been posted once and its conversions with it, what windows, contents and
    /// settlements add up to, and whether positions have moved as the states of settlements ask. Returns a sentence for
    /// each difference, up to 1000.
    fn verify(&self) -> BoxFuture<'_, Vec<String>>;

    /// What the payments of a window moved, by account, in order of the accounts, without payments that were settled
    /// gross. Complete once the window is no longer open. Refused as data if there is no such window, or if an amount would
    /// leave 64 bits.
    fn window_totals(&self, window: WindowId) -> BoxFuture<'_, Vec<AccountTotal>>;

    /// The windows that fit a query, last change first, at most [`SEARCH_MAX`].
    /// Participants and currencies are looked up in contents; where there are none yet, in the entries.
    fn windows(&self, query: WindowQuery) -> BoxFuture<'_, Vec<Window>>;

    /// The settlements that fit a query, the newest first, at most [`SEARCH_MAX`].
    fn settlements(&self, query: SettlementQuery) -> BoxFuture<'_, Vec<Settlement>>;

    /// What was moved between each two accounts by the payments of windows, without those that were settled gross.
    fn pair_totals(&self, windows: Vec<WindowId>) -> BoxFuture<'_, Vec<PairTotal>>;

    /// The posted balance of an account after everything before a time.
    fn balance_at(&self, account: AccountId, at: Timestamp) -> BoxFuture<'_, Amount>;

    /// The entries of an account in an interval, oldest first, at most `limit`.
    fn statement(&self, query: StatementQuery) -> BoxFuture<'_, Vec<StatementLine>>;

    /// Transfers that moved participants' liquidity or were to, in the order of their keys, at most `limit`.
    fn funds(&self, query: FundsQuery) -> BoxFuture<'_, Vec<TracedTransfer>>;

    /// What alarms have said and not forgotten.
    fn alarms(&self) -> BoxFuture<'_, Vec<Alarm>>;

    /// Takes a step of an alarm, with its notice. False, and nothing is changed, if what was said is no longer what the
    /// step found.
    fn take_alarm_step(&self, step: AlarmStep) -> BoxFuture<'_, bool>;

    /// A page of the notices to operators, the newest first.
    fn notices(&self, query: NoticeQuery) -> BoxFuture<'_, Vec<NoticeRow>>;

    /// Takes deliveries of notices that are due, each for one caller.
    fn claim_deliveries(&self, claim: Claim) -> BoxFuture<'_, Vec<DueDelivery>>;

    /// Says how an attempt to deliver ended.
    fn end_delivery(&self, id: DeliveryId, end: DeliveryEnd, now: Timestamp) -> BoxFuture<'_, ()>;

    /// Forgets the oldest notices that are older than a time, at most `limit`; returns how many.
    fn trim_notices(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, usize>;

    /// Notes a certificate that was issued, as the doing of `actor`; false, and nothing is changed, if its fingerprint is known.
    fn record_certificate<'a>(&'a self, certificate: NewCertificate, actor: &'a str) -> BoxFuture<'a, bool>;

    /// A page of the certificates that were issued, the newest first.
    fn certificates(&self, query: CertificateQuery) -> BoxFuture<'_, Vec<CertificateRow>>;

    /// Revokes a certificate for good, as the doing of `actor`; one that is revoked stays as it is. None if none of this
    /// fingerprint is known.
    fn revoke_certificate<'a>(
        &'a self,
        fingerprint: &'a str,
        reason: &'a str,
        actor: &'a str,
    ) -> BoxFuture<'a, Option<CertificateRow>>;

    /// The fingerprints of the revoked certificates that have not ended by themselves.
    fn revoked_certificates(&self) -> BoxFuture<'_, Vec<String>>;

    /// The scheme settings. `seed` fills an empty store, recorded as the doing of `actor`; what is stored is returned.
    fn settings<'a>(&'a self, seed: &'a [(String, String)], actor: &'a str) -> BoxFuture<'a, Vec<(String, String)>>;

    /// Sets one scheme setting, recorded as the doing of `actor`.
    fn set_setting<'a>(&'a self, name: &'a str, value: &'a str, actor: &'a str) -> BoxFuture<'a, ()>;

    /// A secret of the scheme that all nodes share: what is kept under a name, which is `candidate` if nothing was.
    fn secret<'a>(&'a self, name: &'a str, candidate: &'a [u8]) -> BoxFuture<'a, Vec<u8>>;

    /// What has been observed of syncs; the memory store syncs nothing.
    fn durability(&self) -> Durability;

    /// Whether the database answers, and what time it is there; none where its clock is the system's.
    fn ping(&self) -> BoxFuture<'_, Option<Micros>>;
}

/// Opens a store by its address: `memory`, `sqlite:PATH` or `postgres://…`. Creates what is missing and migrates.
/// `hub_name` becomes the hub's own participant in an empty store.
pub async fn open(address: &str, hub_name: &FspId) -> Result<Arc<dyn Store>, StoreError> {
    if address == "memory" {
        return Ok(crate::sqlite::SqliteStore::in_memory(hub_name)?);
    }
    if let Some(path) = address.strip_prefix("sqlite:") {
        return Ok(crate::sqlite::SqliteStore::open(path.as_ref(), hub_name)?);
    }
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok(crate::postgres::PostgresStore::connect(address, hub_name).await?);
    }
    Err(StoreError::Refused(format!(
        "The store address '{address}' is not understood. Write memory, sqlite:PATH or postgres://USER@HOST/DATABASE."
    )))
}
