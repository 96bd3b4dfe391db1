//! Units of work on one connection: `open`, `lock` and `commit` are one round trip each.
//!
//! Invariant: locks are taken in the order of [`super::locks`], rows within a table in the order of their keys, and
//! whatever a decision reads is read by a statement that began after the locks before it were granted.

use super::{
    Shared, administration,
    columns::number,
    connection::{Connection, Purpose, Request, Value},
    fault, journal, locks,
    migrations::now_ms,
    parties, rows, settlement,
};
use crate::{
    BoxFuture, MessageId, Opened, StoreError, UnitWork, Wanted, Writer,
    codec::{
        self, ACCOUNT_COLUMNS, FEE_RULE_COLUMNS, PARTICIPANT_COLUMNS, QUOTE_COLUMNS, SETTLEMENT_MODEL_COLUMNS,
        TRANSFER_COLUMNS, TRANSFERS,
    },
};
use hub_core::{
    Access, Changes, Loaded, Standing, Subject, SubjectKind, WindowId,
    administration::Directory,
    quotes::Quote,
    settlement::{Books, Scope},
    transfers::Transfer,
};
use ledger::AccountId;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, LazyLock},
};
use tokio_postgres::Row;
use vocabulary::Timestamp;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// Waits for another unit that has claimed one of the ids; finds it taken if that unit commits.
const CLAIM: &str = "INSERT INTO ids (kind, id, is_ulid) \
     SELECT kind, id, is_ulid FROM unnest($1::SMALLINT[], $2::UUID[], $3::BOOLEAN[]) AS wanted (kind, id, is_ulid) \
     ORDER BY id, kind, is_ulid ON CONFLICT DO NOTHING RETURNING kind, id, is_ulid, key";

/// The keys behind the caller's ids, as an array, so that the rows are locked in the order of their keys.
macro_rules! keys_of_ids {
    () => {
        "ARRAY (SELECT ids.key FROM unnest($1::SMALLINT[], $2::UUID[], $3::BOOLEAN[]) AS wanted (kind, id, is_ulid) \
         JOIN ids ON ids.id = wanted.id AND ids.kind = wanted.kind AND ids.is_ulid = wanted.is_ulid)"
    };
}

/// An external DFSP stands in its proxy's accounts.
macro_rules! accounts_of_standings {
    () => {
        "ARRAY (SELECT accounts.id FROM unnest($1::TEXT[], $2::TEXT[]) AS wanted (name, currency) \
         LEFT JOIN participants AS own ON own.name = wanted.name \
         LEFT JOIN routes ON routes.fsp = wanted.name AND own.id IS NULL \
         JOIN participants ON participants.name = coalesce(routes.proxy, wanted.name) \
         JOIN accounts ON accounts.owner = participants.id AND accounts.currency = wanted.currency)"
    };
}

static FIND_TRANSFERS: LazyLock<String> = LazyLock::new(|| {
    let keys = keys_of_ids!();
    format!("SELECT {TRANSFER_COLUMNS} FROM {TRANSFERS} WHERE key = ANY ({keys}) ORDER BY key FOR UPDATE OF transfers")
});

/// Those that are asked for by their own ids, and those that the transfers of other ids determine; after the transfers,
/// whose locks keep new ones away.
static FIND_CONVERSIONS: LazyLock<String> = LazyLock::new(|| {
    let keys = keys_of_ids!();
    format!(
        "SELECT {TRANSFER_COLUMNS} FROM {TRANSFERS} WHERE key = ANY ({keys} || \
         ARRAY (SELECT transfer FROM unnest($4::UUID[], $5::BOOLEAN[]) AS payment (id, is_ulid) \
         JOIN transfer_terms ON determining = payment.id AND is_determining_ulid = payment.is_ulid)) \
         ORDER BY key FOR UPDATE OF transfers"
    )
});

static FIND_QUOTES: LazyLock<String> = LazyLock::new(|| {
    let keys = keys_of_ids!();
    format!("SELECT {QUOTE_COLUMNS} FROM quotes WHERE key = ANY ({keys}) ORDER BY key FOR UPDATE")
});

static LOCK_ACCOUNTS: LazyLock<String> = LazyLock::new(|| format!("{} ORDER BY id FOR UPDATE", *LOOK_AT_ACCOUNTS));

static LOOK_AT_ACCOUNTS: LazyLock<String> = LazyLock::new(|| {
    let ids = accounts_of_standings!();
    format!("SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id = ANY ({ids})")
});

static FIND_PARTICIPANTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {PARTICIPANT_COLUMNS} FROM participants WHERE name = ANY ($1::TEXT[]) \
         OR name IN (SELECT proxy FROM routes WHERE fsp = ANY ($1::TEXT[]))"
    )
});

/// With the transaction that learned each.
const FIND_ROUTES: &str = "SELECT fsp, proxy, xmin::TEXT FROM routes WHERE fsp = ANY ($1::TEXT[]) ORDER BY fsp";

static ACTIVE_FEE_RULES: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {FEE_RULE_COLUMNS} FROM fee_rules WHERE is_active ORDER BY id"));

/// The open window, and the time after everything was locked.
const WINDOW_AND_TIME: &str = concat!("SELECT id, ", now_ms!(), " FROM open_window");

static ACTIVE_MODELS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SETTLEMENT_MODEL_COLUMNS} FROM settlement_models WHERE is_active ORDER BY id"));

/// A unit between `open` and its end.
#[derive(Default)]
struct Unit {
    /// Which rows of the outbox came from this unit, in case the reply to its commit is lost.
    batch: i64,
    /// Ids that this unit owns because nobody had used them, with their new keys.
    claims: BTreeMap<Subject, i64>,
    transfers: rows::Keys,
    quotes: HashSet<i64>,
    accounts: HashSet<AccountId>,
    now: Option<Timestamp>,
}

pub(super) struct PostgresWriter {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    /// Present while the connection may be in a transaction.
    unit: Option<Unit>,
}

impl Writer for PostgresWriter {
    fn open<'a>(&'a mut self, subjects: &'a [Wanted]) -> BoxFuture<'a, Opened> {
        Box::pin(self.begin(subjects))
    }

    fn lock<'a>(&'a mut self, standings: &'a [(Standing, Access)]) -> BoxFuture<'a, Loaded> {
        Box::pin(self.lock_standings(standings))
    }

    fn lock_directory(&mut self) -> BoxFuture<'_, (Directory, Timestamp)> {
        Box::pin(self.lock_whole_directory())
    }

    fn lock_books<'a>(&'a mut self, scope: &'a Scope) -> BoxFuture<'a, (Books, Timestamp)> {
        Box::pin(self.lock_settlement(scope))
    }

    fn commit(&mut self, work: UnitWork) -> BoxFuture<'_, Vec<MessageId>> {
        Box::pin(async move { self.write(&work).await })
    }

    fn rollback(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.leave())
    }
}

impl PostgresWriter {
    pub fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        Self { shared, connection: Some(connection), unit: None }
    }

    async fn begin(&mut self, subjects: &[Wanted]) -> Result<Opened, StoreError> {
        self.leave().await?;
        self.unit = Some(Unit { batch: self.shared.next_batch(), ..Unit::default() });
        let requests = opening(subjects);
        let was_connected = self.connection.is_some();
        let connection = match &mut self.connection {
            Some(connection) if !connection.is_closed() => connection,
            lost => lost.insert(Connection::open(&self.shared.address, Purpose::Units).await?),
        };
        let replies = match connection.pipeline(&requests).await {
            // The server was restarted since the last unit; nothing of this one has happened yet.
            Err(failed) if fault::is_loss(&failed.error) && was_connected => {
                *connection = Connection::open(&self.shared.address, Purpose::Units).await?;
                connection.pipeline(&requests).await
            }
            replies => replies,
        };
        let mut replies = replies.map_err(|failed| fault::of(&failed.error))?.into_iter().skip(1);
        let mut next = || replies.next().unwrap_or_default();
        let (claims, mut transfers, conversions, quotes) = (next(), next(), next(), next());
        transfers.extend(conversions);
        let opened =
            Opened { transfers: read_all(&transfers, codec::transfer)?, quotes: read_all(&quotes, codec::quote)? };
        let unit = self.unit.as_mut().expect("the unit was just begun");
        unit.transfers = opened.transfers.iter().map(|transfer| (transfer.subject(), transfer.key)).collect();
        unit.quotes = opened.quotes.iter().map(|quote| quote.key).collect();
        unit.claims = claims.iter().map(claim).collect::<Result<_, _>>()?;
        unit.transfers.extend(unit.claims.iter().map(|(subject, key)| (*subject, *key)));
        Ok(opened)
    }

    async fn lock_standings(&mut self, standings: &[(Standing, Access)]) -> Result<Loaded, StoreError> {
        let named = |access| {
            // A name with a NUL cannot be stored and so belongs to nobody.
            let of_access = standings
                .iter()
                .filter(move |(standing, wanted)| *wanted == access && !standing.participant.as_str().contains('\0'));
            of_access.map(|(standing, _)| standing).collect::<BTreeSet<_>>()
        };
        let change = named(Access::Change);
        let look: BTreeSet<&Standing> = named(Access::Look).difference(&change).copied().collect();
        let names: BTreeSet<&str> = change.union(&look).map(|standing| standing.participant.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let requests = [
            Request::new(FIND_ROUTES, vec![Box::new(names.clone())]),
            Request::new(&LOCK_ACCOUNTS, standing_arrays(&change)),
            Request::new(&LOOK_AT_ACCOUNTS, standing_arrays(&look)),
            Request::new(&FIND_PARTICIPANTS, vec![Box::new(names.clone())]),
            Request::new(FIND_ROUTES, vec![Box::new(names)]),
            Request::new(locks::TAKE_SHARED, vec![Box::new(locks::WINDOW_GATE)]),
            Request::plain(WINDOW_AND_TIME),
            Request::plain(&ACTIVE_MODELS),
            Request::plain(&ACTIVE_FEE_RULES),
        ];
        let (shared, connection, unit) = self.parts()?;
        let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
        let mut accounts = read_all(&replies[1], codec::account)?;
        unit.accounts = accounts.iter().map(|account| account.id).collect();
        // A proxy that is looked at may stand for somebody whose standing changes.
        let looked_at = read_all(&replies[2], codec::account)?;
        accounts.extend(looked_at.into_iter().filter(|account| !unit.accounts.contains(&account.id)));
        let participants = read_all(&replies[3], codec::participant)?.into_iter().map(|record| record.participant);
        // Routes are not locked: one that was learned meanwhile may belong to other accounts than those of this unit.
        let learned = |reply: &[Row]| reply.iter().map(|row| row.get(2)).collect::<Vec<String>>();
        if learned(&replies[0]) != learned(&replies[4]) {
            return Err(StoreError::Conflict("a route was learned while a unit looked for its accounts".to_owned()));
        }
        let (window, now) = window_and_time(&replies[6], shared)?;
        unit.now = Some(now);
        Ok(Loaded {
            now,
            window,
            models: read_all(&replies[7], codec::settlement_model)?,
            fee_rules: read_all(&replies[8], codec::fee_rule)?,
            participants: participants.collect(),
            routes: read_all(&replies[4], |row| Ok((codec::name(row, 0, "fsp")?, codec::name(row, 1, "proxy")?)))?,
            accounts,
            transfers: Vec::new(),
            quotes: Vec::new(),
        })
    }

    async fn lock_whole_directory(&mut self) -> Result<(Directory, Timestamp), StoreError> {
        let (shared, connection, unit) = self.parts()?;
        let directory = administration::lock_and_load(connection).await?;
        let gate =
            [Request::new(locks::TAKE_SHARED, vec![Box::new(locks::WINDOW_GATE)]), Request::plain(WINDOW_AND_TIME)];
        let replies = connection.pipeline(&gate).await.map_err(|failed| fault::of(&failed.error))?;
        let (_, now) = window_and_time(&replies[1], shared)?;
        unit.accounts = directory.accounts.iter().map(|record| record.account.id).collect();
        unit.now = Some(now);
        Ok((directory, now))
    }

    /// The directory, then what of the accounts and the gate the scope asks for, then what it is about, then the time.
    async fn lock_settlement(&mut self, scope: &Scope) -> Result<(Books, Timestamp), StoreError> {
        let (shared, connection, unit) = self.parts()?;
        let mut gate = Vec::new();
        let directory = match scope {
            Scope::Gate(_) => {
                gate.push(Request::new(locks::TAKE, vec![Box::new(locks::WINDOW_GATE)]));
                administration::lock_and_look(connection).await?
            }
            Scope::Windows(_) => administration::lock_and_look(connection).await?,
            Scope::Settlement(_) => {
                gate.push(Request::new(locks::TAKE_SHARED, vec![Box::new(locks::WINDOW_GATE)]));
                let directory = administration::lock_and_load(connection).await?;
                unit.accounts = directory.accounts.iter().map(|record| record.account.id).collect();
                directory
            }
        };
        gate.push(Request::plain(WINDOW_AND_TIME));
        let replies = connection.pipeline(&gate).await.map_err(|failed| fault::of(&failed.error))?;
        let (_, now) = window_and_time(replies.last().expect("every request has a reply"), shared)?;
        unit.now = Some(now);
        Ok((settlement::books(connection, scope, directory).await?, now))
    }

    async fn write(&mut self, work: &UnitWork) -> Result<Vec<MessageId>, StoreError> {
        let (shared, connection, unit) = self.parts()?;
        let now = unit.now.expect("a unit is locked before it is committed");
        check(work, unit);
        if !work.administration.is_empty() {
            administration::apply(connection, &work.administration, &work.actor, now).await?;
        }
        let replies = {
            let unused = unused_claims(work, unit);
            let net = parties::net(&work.parties);
            let mut requests = parties::requests(&net);
            requests.extend(rows::drop_claims(&unused));
            requests.extend(changing(&work.changes, unit, now));
            requests.extend(journal::add(&work.journal));
            requests.extend(rows::marks(&work.marks, shared.node));
            requests.extend(rows::add_messages(&work.messages, shared.node, unit.batch));
            requests.push(Request::plain(COMMIT));
            connection.pipeline(&requests).await.map_err(|failed| {
                let error = fault::of_commit(&failed.error, failed.at + 1 == requests.len());
                if matches!(error, StoreError::OutcomeUnknown(_)) {
                    shared.note_unheard(unit.batch);
                }
                error
            })?
        };
        self.unit = None;
        self.shared.count_unit();
        // The messages are written last, before COMMIT.
        let ids = if work.messages.is_empty() { &[][..] } else { &replies[replies.len() - 2] };
        ids.iter().map(|row| number(row, 0).map(MessageId)).collect()
    }

    async fn leave(&mut self) -> Result<(), StoreError> {
        let is_open = self.unit.take().is_some();
        let left = match &mut self.connection {
            Some(connection) if is_open && !connection.is_closed() => connection.script(ROLLBACK).await,
            Some(_) | None => Ok(()),
        };
        if left.is_err() {
            // Without its connection the server rolls the unit back by itself.
            self.connection = None;
        }
        Ok(())
    }

    fn parts(&mut self) -> Result<(&Shared, &mut Connection, &mut Unit), StoreError> {
        let unit = self.unit.as_mut().expect("a unit is opened first");
        let lost = || StoreError::Unavailable("the connection to PostgreSQL was lost".to_owned());
        Ok((&self.shared, self.connection.as_mut().ok_or_else(lost)?, unit))
    }
}

/// `BEGIN`, claims, transfers, conversions, quotes; without subjects only the first.
fn opening(subjects: &[Wanted]) -> Vec<Request<'static>> {
    let claims = subjects.iter().filter_map(|wanted| match wanted {
        Wanted::Claim(subject) => Some(*subject),
        Wanted::Find(_) => None,
    });
    let all = subjects.iter().map(|wanted| match wanted {
        Wanted::Claim(subject) | Wanted::Find(subject) => *subject,
    });
    let of_kind = |kind| all.clone().filter(|subject| subject.kind == kind).collect::<Vec<_>>();
    let mut requests = vec![Request::plain(BEGIN)];
    if !subjects.is_empty() {
        requests.push(Request::new(CLAIM, rows::subject_arrays(&claims.collect::<Vec<_>>())));
        let (transfers, mut quotes) = (of_kind(SubjectKind::Transfer), of_kind(SubjectKind::Quote));
        quotes.extend(of_kind(SubjectKind::ConversionQuote));
        let mut payments = rows::subject_arrays(&transfers).into_iter().skip(1);
        let mut conversions = rows::subject_arrays(&of_kind(SubjectKind::Conversion));
        conversions.extend(payments.by_ref());
        requests.push(Request::new(&FIND_TRANSFERS, rows::subject_arrays(&transfers)));
        requests.push(Request::new(&FIND_CONVERSIONS, conversions));
        requests.push(Request::new(&FIND_QUOTES, rows::subject_arrays(&quotes)));
    }
    requests
}

fn standing_arrays<'a>(standings: &BTreeSet<&'a Standing>) -> Vec<Value<'a>> {
    vec![
        Box::new(standings.iter().map(|standing| standing.participant.as_str()).collect::<Vec<&'a str>>()),
        Box::new(standings.iter().map(|standing| standing.currency.as_str()).collect::<Vec<&'a str>>()),
    ]
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

fn claim(row: &Row) -> Result<(Subject, i64), StoreError> {
    let kind = codec::subject_kind(number(row, 0)?)?;
    Ok((Subject { kind, id: codec::correlation_id(row, 1)? }, number(row, 3)?))
}

fn window_and_time(rows: &[Row], shared: &Shared) -> Result<(WindowId, Timestamp), StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::Data("the table open_window is empty".to_owned()))?;
    Ok((WindowId(number(row, 0)?), shared.not_before(number(row, 1)?)))
}

/// What the decisions changed.
fn changing<'a>(changes: &'a Changes, unit: &'a Unit, now: Timestamp) -> impl Iterator<Item = Request<'a>> {
    let claimed = |quote: &Quote| unit.claims[&quote.subject()];
    let requests = [
        rows::add_transfers(&changes.new_transfers, &unit.transfers, now),
        rows::add_terms(&changes.new_transfers, &unit.transfers),
        rows::add_transactions(&changes.transactions, &unit.transfers, now),
        rows::change_transfers(&changes.changed_transfers),
        rows::add_quotes(&changes.new_quotes, claimed, now),
        rows::change_quotes(&changes.changed_quotes),
        rows::add_entries(&changes.postings, &unit.transfers, now),
        rows::change_balances(&changes.accounts, now),
    ];
    requests.into_iter().flatten()
}

/// Ids that were claimed and then not used: they stay free for others.
fn unused_claims(work: &UnitWork, unit: &Unit) -> Vec<Subject> {
    let transfers = work.changes.new_transfers.iter().map(Transfer::subject);
    let quotes = work.changes.new_quotes.iter().map(Quote::subject);
    let used: BTreeSet<Subject> = transfers.chain(quotes).collect();
    unit.claims.keys().filter(|subject| !used.contains(subject)).copied().collect()
}

/// A unit writes only what it has locked; anything else is our own mistake and must not become durable.
fn check(work: &UnitWork, unit: &Unit) {
    let changes = &work.changes;
    for new in &changes.new_transfers {
        assert!(unit.claims.contains_key(&new.subject()), "a new transfer has claimed its id");
    }
    for new in &changes.new_quotes {
        assert!(unit.claims.contains_key(&new.subject()), "a new quote has claimed its id");
    }
    for changed in &changes.changed_transfers {
        assert_eq!(unit.transfers.get(&changed.subject()), Some(&changed.key), "a changed transfer is locked");
    }
    for changed in &changes.changed_quotes {
        assert!(unit.quotes.contains(&changed.key), "a changed quote is locked");
    }
    for account in &changes.accounts {
        assert!(unit.accounts.contains(&account.id), "a changed account is locked");
    }
}
