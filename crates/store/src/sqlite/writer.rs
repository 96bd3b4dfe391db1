//! The writer: units as transactions on the one connection that writes.

use super::{
    Core, Shared, commit,
    connection::{all, failure, first},
    reads, settlement, sync_count,
};
use crate::{BoxFuture, MessageId, Opened, StoreError, UnitWork, Wanted, Writer, codec};
use hub_core::{
    Access, Loaded, Participant, Standing, SubjectKind,
    administration::Directory,
    settlement::{Books, Scope},
};
use ledger::Account;
use rusqlite::{Connection, params};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::OwnedMutexGuard;
use vocabulary::{Currency, FspId, Timestamp};

pub(super) struct SqliteWriter {
    shared: Arc<Shared>,
    unit: Option<Unit>,
}

/// A transaction that is rolled back unless it was committed.
struct Unit {
    core: OwnedMutexGuard<Core>,
    /// The time that the decisions saw.
    now: Option<Timestamp>,
}

impl SqliteWriter {
    pub(super) fn take(shared: &Arc<Shared>) -> Result<Self, StoreError> {
        if shared.writer_is_out.swap(true, Ordering::SeqCst) {
            return Err(StoreError::Refused("SQLite has one writer at a time, and it is in use.".into()));
        }
        Ok(Self { shared: Arc::clone(shared), unit: None })
    }

    fn unit(&mut self) -> &mut Unit {
        self.unit.as_mut().expect("a unit begins with open")
    }

    async fn begin(&mut self, subjects: &[Wanted]) -> Result<Opened, StoreError> {
        self.unit = None;
        let core = Arc::clone(&self.shared.core).lock_owned().await;
        if let Some(bell) = &self.shared.bell {
            bell.copy_rest(&core.connection);
        }
        core.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).map_err(failure)?;
        let unit = Unit { core, now: None };
        let opened = find(&unit.core.connection, subjects)?;
        self.unit = Some(unit);
        Ok(opened)
    }

    /// Reads what was asked for, and the time, after which nothing that was read changes.
    fn load(&mut self, standings: &[(Standing, Access)]) -> Result<Loaded, StoreError> {
        let now = self.shared.clock.now();
        let unit = self.unit();
        unit.now = Some(now);
        let Core { connection, rules, .. } = &mut *unit.core;
        let (participants, routes, accounts) = standings_of(connection, standings)?;
        let window = reads::open_window(connection)?;
        let (models, fee_rules) = match rules {
            Some(rules) => rules.clone(),
            None => rules.insert((reads::active_models(connection)?, reads::active_fee_rules(connection)?)).clone(),
        };
        let (transfers, quotes) = (Vec::new(), Vec::new());
        Ok(Loaded { now, window, models, fee_rules, participants, routes, accounts, transfers, quotes })
    }

    fn finish(&mut self, work: &UnitWork) -> Result<Vec<MessageId>, StoreError> {
        let mut unit = self.unit.take().expect("a unit begins with open");
        let now = unit.now.unwrap_or_else(|| self.shared.clock.now());
        let core = &mut *unit.core;
        let messages = commit::write(&core.connection, work, now, core.last_message)?;
        let syncs = sync_count::of_this_thread();
        core.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(failure)?;
        core.last_message = messages.last().map_or(core.last_message, |last| last.0);
        if !work.administration.is_empty() {
            core.rules = None;
        }
        // A unit without content may leave every byte as it was, and then there is nothing to sync.
        if !work.is_empty() {
            self.shared.units.fetch_add(1, Ordering::SeqCst);
            if sync_count::of_this_thread() > syncs {
                self.shared.units_synced.fetch_add(1, Ordering::SeqCst);
            }
        }
        if let Some(bell) = &self.shared.bell {
            bell.ring();
        }
        Ok(messages)
    }
}

impl Writer for SqliteWriter {
    fn open<'a>(&'a mut self, subjects: &'a [Wanted]) -> BoxFuture<'a, Opened> {
        Box::pin(self.begin(subjects))
    }

    fn lock<'a>(&'a mut self, standings: &'a [(Standing, Access)]) -> BoxFuture<'a, Loaded> {
        Box::pin(async { self.load(standings) })
    }

    fn lock_directory(&mut self) -> BoxFuture<'_, (Directory, Timestamp)> {
        Box::pin(async {
            let now = self.shared.clock.now();
            let unit = self.unit();
            unit.now = Some(now);
            Ok((reads::directory(&unit.core.connection)?, now))
        })
    }

    fn lock_books<'a>(&'a mut self, scope: &'a Scope) -> BoxFuture<'a, (Books, Timestamp)> {
        Box::pin(async {
            let now = self.shared.clock.now();
            let unit = self.unit();
            unit.now = Some(now);
            Ok((settlement::books(&unit.core.connection, scope)?, now))
        })
    }

    fn commit(&mut self, work: UnitWork) -> BoxFuture<'_, Vec<MessageId>> {
        Box::pin(async move { self.finish(&work) })
    }

    fn rollback(&mut self) -> BoxFuture<'_, ()> {
        self.unit = None;
        Box::pin(async { Ok(()) })
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.unit = None;
        self.shared.writer_is_out.store(false, Ordering::SeqCst);
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SQLite itself ends a transaction that met a full disk or a failing one.
        if !self.core.connection.is_autocommit()
            && let Err(error) = self.core.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a unit could not be rolled back");
        }
    }
}

/// What is stored under the subjects, each once. Nobody else writes, so an unknown id needs no claim before the commit.
fn find(connection: &Connection, subjects: &[Wanted]) -> Result<Opened, StoreError> {
    let mut opened = Opened::default();
    let mut conversions = BTreeMap::new();
    for wanted in subjects {
        let (Wanted::Claim(subject) | Wanted::Find(subject)) = *wanted;
        match subject.kind {
            SubjectKind::Transfer => {
                opened.transfers.extend(reads::transfer(connection, subject)?);
                let determined = reads::conversions(connection, subject.id)?;
                conversions.extend(determined.into_iter().map(|known| (known.key, known)));
            }
            SubjectKind::Conversion => {
                conversions.extend(reads::transfer(connection, subject)?.map(|known| (known.key, known)));
            }
            SubjectKind::Quote | SubjectKind::ConversionQuote => {
                opened.quotes.extend(reads::quote(connection, subject)?);
            }
        }
    }
    opened.transfers.extend(conversions.into_values());
    Ok(opened)
}

type Standings = (Vec<Participant>, Vec<(FspId, FspId)>, Vec<Account>);

/// The participants, or the proxies that stand for them, with all their accounts in the currencies asked for, each once.
fn standings_of(connection: &Connection, standings: &[(Standing, Access)]) -> Result<Standings, StoreError> {
    let mut wanted: BTreeMap<&FspId, Vec<Currency>> = BTreeMap::new();
    for (Standing { participant, currency }, _) in standings {
        let currencies = wanted.entry(participant).or_default();
        if !currencies.contains(currency) {
            currencies.push(*currency);
        }
    }
    let (mut participants, mut routes) = (BTreeMap::new(), Vec::new());
    let by_name = format!("SELECT {} FROM participants WHERE name = ?1", codec::PARTICIPANT_COLUMNS);
    for (name, currencies) in wanted {
        let find = |name: &FspId| first(connection, &by_name, [name.as_str()], |row| codec::participant(row));
        let found = match find(name)? {
            Some(found) => Some(found),
            None => match reads::route(connection, name)? {
                Some(proxy) => {
                    let found = find(&proxy)?;
                    routes.push((name.clone(), proxy));
                    found
                }
                None => None,
            },
        };
        let Some(participant) = found.map(|record| record.participant) else { continue };
        let (_, known) = participants.entry(participant.id).or_insert((participant, Vec::new()));
        known.extend(currencies);
    }
    let by_owner =
        format!("SELECT {} FROM accounts WHERE owner = ?1 AND currency = ?2 ORDER BY id", codec::ACCOUNT_COLUMNS);
    let mut accounts = Vec::new();
    for (owner, (_, currencies)) in &mut participants {
        currencies.sort_unstable();
        currencies.dedup();
        for currency in currencies {
            let of = params![owner.0, currency.as_str()];
            accounts.extend(all(connection, &by_owner, of, |row| codec::account(row))?);
        }
    }
    Ok((participants.into_values().map(|(participant, _)| participant).collect(), routes, accounts))
}
