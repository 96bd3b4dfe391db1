//! What moved, as SQLite reads it: see [`crate::movements`].

use super::{
    SqliteStore,
    connection::{all, failure, first},
    of_one_moment,
    settlement::{self, LIST, json},
};
use crate::{
    SEARCH_MAX, SettlementQuery, StatementLine, StoreError, WindowQuery, codec,
    movements::{Candidate, Interval, Pair, Source},
    trace::Range,
};
use hub_core::{
    WindowId,
    settlement::{Settlement, SettlementId, SettlementState, Window, WindowState},
};
use ledger::{AccountId, EntryKind};
use rusqlite::{Connection, Row, params};
use std::{collections::HashMap, sync::LazyLock};
use vocabulary::{Amount, Currency};

/// Entries of a window, and what was settled gross: that belongs to no window, but is written with its payment.
static PAIRS: LazyLock<String> = LazyLock::new(|| {
    let gross = EntryKind::GrossSettlement.as_str();
    format!(
        "SELECT debit, credit, kind = '{gross}', amount FROM entries WHERE id > ?1 AND id <= ?2 \
         AND (window_id = ?3 OR kind = '{gross}')"
    )
});
static MOVES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT EXISTS (SELECT 1 FROM entries WHERE id > ?2 AND id <= ?3 AND window_id = ?4 \
         AND (debit IN {LIST} OR credit IN {LIST}))"
    )
});
static CANDIDATES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT id, EXISTS (SELECT 1 FROM window_contents AS c JOIN window_totals AS t ON t.content = c.id \
         WHERE c.window_id = windows.id AND t.account IN {LIST}), \
         EXISTS (SELECT 1 FROM window_contents AS c WHERE c.window_id = windows.id) FROM windows \
         WHERE (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))) \
         AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3))) \
         AND (?4 IS NULL OR opened_at >= ?4) AND (?5 IS NULL OR opened_at <= ?5) \
         ORDER BY changed_at DESC, id DESC LIMIT ?6"
    )
});
const SETTLEMENTS: &str = "SELECT id FROM settlements AS s WHERE (?1 IS NULL OR id = ?1) \
     AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR created_at >= ?3) AND (?4 IS NULL OR created_at <= ?4) \
     AND (?5 IS NULL OR EXISTS (SELECT 1 FROM settlement_windows WHERE settlement = s.id AND window_id = ?5)) \
     AND ((?6 IS NULL AND ?7 IS NULL) OR EXISTS (SELECT 1 FROM settlement_windows AS l \
         JOIN windows AS w ON w.id = l.window_id WHERE l.settlement = s.id \
         AND (?6 IS NULL OR w.opened_at >= ?6) AND (?7 IS NULL OR w.opened_at <= ?7))) \
     AND ((?8 IS NULL AND ?9 IS NULL AND ?10 IS NULL) OR EXISTS (SELECT 1 FROM settlement_accounts AS l \
         JOIN accounts AS a ON a.id = l.account WHERE l.settlement = s.id AND (?8 IS NULL OR a.currency = ?8) \
         AND (?9 IS NULL OR a.owner = ?9) AND (?10 IS NULL OR a.id = ?10))) ORDER BY id DESC LIMIT ?11";
const LINES: &str = "SELECT e.id, t.id, t.is_ulid, e.at, e.kind, e.settlement, e.debit, e.credit, e.amount \
     FROM entries AS e LEFT JOIN transfers AS t ON t.key = e.transfer WHERE e.id > ?1 AND e.id <= ?2 \
     AND (e.debit = ?3 OR e.credit = ?3) AND e.at >= ?4 AND e.at < ?5 ORDER BY e.id LIMIT ?6";

impl Source for SqliteStore {
    async fn bounds(&self, window: WindowId) -> Result<Option<Range>, StoreError> {
        let sql = "SELECT entries_after, coalesce(last_entry, (SELECT max(id) FROM entries), entries_after) \
                   FROM windows WHERE id = ?1";
        let read = |row: &Row<'_>| Ok((number(row, 0)?, number(row, 1)?));
        self.read(move |connection| first(connection, sql, [window.0], read)).await
    }

    async fn pairs(&self, range: Range, window: WindowId) -> Result<Vec<Pair>, StoreError> {
        self.read(move |connection| pairs(connection, range, window)).await
    }

    async fn moves(&self, range: Range, window: WindowId, accounts: Vec<i64>) -> Result<bool, StoreError> {
        let read = move |connection: &Connection| {
            let place = params![json(accounts), range.0, range.1, window.0];
            first(connection, &MOVES, place, |row| row.get(0).map_err(failure))
        };
        Ok(self.read(read).await?.unwrap_or(false))
    }

    async fn sum(&self, range: Range, of: Interval) -> Result<i128, StoreError> {
        self.read(move |connection| sum(connection, range, of)).await
    }

    async fn lines(&self, range: Range, of: Interval, limit: usize) -> Result<Vec<StatementLine>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = move |connection: &Connection| {
            let place = params![range.0, range.1, of.account.0, of.from.millis(), of.to.millis(), limit];
            all(connection, LINES, place, |row| codec::statement_line(row, of.account))
        };
        self.read(read).await
    }

    async fn balance(&self, account: AccountId) -> Result<Option<(Amount, i64)>, StoreError> {
        let sql = "SELECT posted, coalesce((SELECT max(id) FROM entries), 0) FROM accounts WHERE id = ?1";
        let read = |row: &Row<'_>| Ok((codec::amount(row, 0)?, number(row, 1)?));
        self.read(move |connection| first(connection, sql, [account.0], read)).await
    }

    async fn accounts_of(&self, query: &WindowQuery) -> Result<Vec<i64>, StoreError> {
        let (owner, currency) = (query.participant.map(|owner| owner.0), query.currency);
        let sql = "SELECT id FROM accounts WHERE (?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR currency = ?2)";
        let read = move |connection: &Connection| {
            all(connection, sql, params![owner, currency.as_ref().map(Currency::as_str)], |row| number(row, 0))
        };
        self.read(read).await
    }

    async fn candidates(&self, query: &WindowQuery, accounts: Option<Vec<i64>>) -> Result<Vec<Candidate>, StoreError> {
        let query = query.clone();
        let read = move |connection: &Connection| {
            let limit = if accounts.is_none() { SEARCH_MAX as i64 } else { i64::MAX };
            let place = params![
                json(accounts.unwrap_or_default()),
                query.ids.map(|ids| json(ids.into_iter().map(|id| id.0))),
                query.states.as_deref().map(names),
                query.from.map(|time| time.millis()),
                query.to.map(|time| time.millis()),
                limit,
            ];
            let flag = |row: &Row<'_>, column| row.get(column).map_err(failure);
            all(connection, &CANDIDATES, place, |row| {
                Ok(Candidate { id: WindowId(number(row, 0)?), moved: flag(row, 1)?, has_contents: flag(row, 2)? })
            })
        };
        self.read(read).await
    }

    async fn windows_of(&self, ids: Vec<WindowId>) -> Result<Vec<Window>, StoreError> {
        let read = move |connection: &Connection| {
            of_one_moment(connection, |connection| settlement::windows_by_id(connection, &ids))
        };
        Ok(self.read(read).await?.into_iter().map(|row| row.window).collect())
    }
}

/// The settlements that fit, the newest first.
pub(super) fn settlements(connection: &Connection, query: &SettlementQuery) -> Result<Vec<Settlement>, StoreError> {
    let millis = |time: Option<vocabulary::Timestamp>| time.map(|time| time.millis());
    let place = params![
        query.id.map(|id| id.0),
        query.state.map(SettlementState::as_str),
        millis(query.from),
        millis(query.to),
        query.window.map(|window| window.0),
        millis(query.from_window),
        millis(query.to_window),
        query.currency.as_ref().map(Currency::as_str),
        query.participant.map(|owner| owner.0),
        query.account.map(|account| account.0),
        SEARCH_MAX as i64,
    ];
    let ids = all(connection, SETTLEMENTS, place, |row| number(row, 0).map(SettlementId))?;
    let mut found = settlement::settlements_by_id(connection, &ids)?;
    found.reverse();
    Ok(found)
}

fn pairs(connection: &Connection, range: Range, window: WindowId) -> Result<Vec<Pair>, StoreError> {
    let mut sums: HashMap<(i64, i64, bool), (i128, i64)> = HashMap::new();
    let mut statement = connection.prepare_cached(&PAIRS).map_err(failure)?;
    let mut rows = statement.query(params![range.0, range.1, window.0]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let key = (number(row, 0)?, number(row, 1)?, row.get(2).map_err(failure)?);
        let sum = sums.entry(key).or_default();
        sum.0 += i128::from(number(row, 3)?);
        sum.1 += 1;
    }
    let pair = |((debit, credit, is_gross), (amount, count))| Pair {
        debit: AccountId(debit),
        credit: AccountId(credit),
        is_gross,
        amount,
        count,
    };
    Ok(sums.into_iter().map(pair).collect())
}

fn sum(connection: &Connection, range: Range, of: Interval) -> Result<i128, StoreError> {
    let sql = "SELECT debit = ?3, amount FROM entries WHERE id > ?1 AND id <= ?2 AND (debit = ?3 OR credit = ?3) \
               AND at >= ?4 AND at < ?5";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let place = params![range.0, range.1, of.account.0, of.from.millis(), of.to.millis()];
    let mut rows = statement.query(place).map_err(failure)?;
    let mut sum = 0;
    while let Some(row) = rows.next().map_err(failure)? {
        let amount = i128::from(number(row, 1)?);
        sum += if row.get(0).map_err(failure)? { amount } else { -amount };
    }
    Ok(sum)
}

fn names(states: &[WindowState]) -> String {
    format!("[{}]", states.iter().map(|state| format!("\"{}\"", state.as_str())).collect::<Vec<_>>().join(","))
}

fn number(row: &Row<'_>, column: usize) -> Result<i64, StoreError> {
    row.get(column).map_err(failure)
}
