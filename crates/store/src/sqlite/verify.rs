//! Recomputing balances and holds, beside the running hub.
//!
//! Entries are only ever added, so pages of them can be summed in one short read after the other. The last read takes the
//! entries that have come meanwhile, the balances and the reserved transfers, all of one moment.

use super::{
    SqliteStore,
    connection::{all, failure},
    of_one_moment,
};
use crate::{StoreError, audit, codec};
use ledger::AccountId;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;

/// Entries that are summed in one read: a few milliseconds.
const ENTRIES_PER_READ: i64 = 10_000;

/// Debits minus credits of each account, up to an entry.
#[derive(Default)]
struct Sums {
    up_to: i64,
    /// No entry came after `up_to` when it was read.
    are_complete: bool,
    entries: BTreeMap<AccountId, i128>,
}

pub(super) async fn verify(store: &SqliteStore) -> Result<Vec<String>, StoreError> {
    let mut sums = Sums::default();
    while !sums.are_complete {
        sums = store.read(move |connection| sums.and_next(connection)).await?;
    }
    let figures =
        store.read(move |connection| of_one_moment(connection, |connection| figures(connection, sums))).await?;
    Ok(audit::differences(&figures))
}

impl Sums {
    /// Adds the next page.
    fn and_next(mut self, connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT debit, credit, amount, id FROM entries WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = connection.prepare_cached(sql).map_err(failure)?;
        let mut rows = statement.query(params![self.up_to, ENTRIES_PER_READ]).map_err(failure)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(failure)? {
            let (debit, credit, amount) = entry(row)?;
            *self.entries.entry(debit).or_default() += amount;
            *self.entries.entry(credit).or_default() -= amount;
            self.up_to = row.get(3).map_err(failure)?;
            count += 1;
        }
        self.are_complete = count < ENTRIES_PER_READ;
        Ok(self)
    }
}

fn entry(row: &Row<'_>) -> Result<(AccountId, AccountId, i128), StoreError> {
    let number = |column| row.get::<_, i64>(column).map_err(failure);
    Ok((AccountId(number(0)?), AccountId(number(1)?), i128::from(number(2)?)))
}

fn figures(connection: &Connection, mut sums: Sums) -> Result<audit::Figures, StoreError> {
    sums.are_complete = false;
    while !sums.are_complete {
        sums = sums.and_next(connection)?;
    }
    let accounts = format!("SELECT {} FROM accounts ORDER BY id", codec::ACCOUNT_COLUMNS);
    let accounts = all(connection, &accounts, [], |row| codec::account(row))?;
    let reserved = format!("SELECT debit, debit, amount FROM transfers WHERE state = {}", codec::STATE_RESERVED);
    let mut holds: BTreeMap<AccountId, i128> = BTreeMap::new();
    for (debit, _, amount) in all(connection, &reserved, [], entry)? {
        *holds.entry(debit).or_default() += amount;
    }
    Ok(audit::Figures { accounts, entries: sums.entries, holds })
}
