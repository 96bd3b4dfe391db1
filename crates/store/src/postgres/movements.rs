//! What moved, as PostgreSQL reads it: see [`crate::movements`].

use super::{
    PostgresStore,
    columns::number,
    connection::{Connection, Request, Value},
    locks,
    outbox::as_limit,
    settlement,
};
use crate::{
    SEARCH_MAX, SettlementQuery, StatementLine, StoreError, WindowQuery,
    codec::{self, Columns},
    movements::{Candidate, Interval, Pair, Source},
    trace::Range,
};
use hub_core::{
    WindowId,
    settlement::{Settlement, SettlementId, SettlementState, Window},
};
use ledger::{AccountId, EntryKind};
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::{Amount, Currency, Timestamp};

const BOUNDS: &str = "SELECT entries_after, coalesce(last_entry, (SELECT max(id) FROM entries), entries_after) \
     FROM windows WHERE id = $1";
/// Entries of a window, and what was settled gross: that belongs to no window, but is written with its payment.
static PAIRS: LazyLock<String> = LazyLock::new(|| {
    let gross = EntryKind::GrossSettlement.as_str();
    format!(
        "SELECT debit, credit, kind = '{gross}', sum(amount)::TEXT, count(*) FROM entries WHERE id > $1 AND id <= $2 \
         AND (window_id = $3 OR kind = '{gross}') GROUP BY 1, 2, 3"
    )
});
const MOVES: &str = "SELECT EXISTS (SELECT FROM entries WHERE id > $2 AND id <= $3 AND window_id = $4 \
     AND (debit = ANY ($1::BIGINT[]) OR credit = ANY ($1::BIGINT[])))";
const SUM: &str = "SELECT coalesce(sum(CASE WHEN debit = $3 THEN amount ELSE -amount END), 0)::TEXT FROM entries \
     WHERE id > $1 AND id <= $2 AND (debit = $3 OR credit = $3) AND at >= $4 AND at < $5";
const LINES: &str = "SELECT e.id, t.id, t.is_ulid, e.at, e.kind, e.settlement, e.debit, e.credit, e.amount \
     FROM entries AS e LEFT JOIN transfers AS t ON t.key = e.transfer WHERE e.id > $1 AND e.id <= $2 \
     AND (e.debit = $3 OR e.credit = $3) AND e.at >= $4 AND e.at < $5 ORDER BY e.id LIMIT $6";
const BALANCE: &str = "SELECT posted, coalesce((SELECT max(id) FROM entries), 0) FROM accounts WHERE id = $1";
const ACCOUNTS: &str = "SELECT id FROM accounts WHERE ($1::BIGINT IS NULL OR owner = $1) \
     AND ($2::TEXT IS NULL OR currency = $2)";
const CANDIDATES: &str = "SELECT id, EXISTS (SELECT FROM window_contents AS c JOIN window_totals AS t \
     ON t.content = c.id WHERE c.window_id = windows.id AND t.account = ANY ($1::BIGINT[])), \
     EXISTS (SELECT FROM window_contents AS c WHERE c.window_id = windows.id) FROM windows \
     WHERE ($2::BIGINT[] IS NULL OR id = ANY ($2)) AND ($3::TEXT[] IS NULL OR state = ANY ($3)) \
     AND ($4::BIGINT IS NULL OR opened_at >= $4) AND ($5::BIGINT IS NULL OR opened_at <= $5) \
     ORDER BY changed_at DESC, id DESC LIMIT $6";
const SETTLEMENTS: &str = "SELECT id FROM settlements AS s WHERE ($1::BIGINT IS NULL OR id = $1) \
     AND ($2::TEXT IS NULL OR state = $2) AND ($3::BIGINT IS NULL OR created_at >= $3) \
     AND ($4::BIGINT IS NULL OR created_at <= $4) \
     AND ($5::BIGINT IS NULL OR EXISTS (SELECT FROM settlement_windows WHERE settlement = s.id AND window_id = $5)) \
     AND (($6::BIGINT IS NULL AND $7::BIGINT IS NULL) OR EXISTS (SELECT FROM settlement_windows AS l \
         JOIN windows AS w ON w.id = l.window_id WHERE l.settlement = s.id \
         AND ($6 IS NULL OR w.opened_at >= $6) AND ($7 IS NULL OR w.opened_at <= $7))) \
     AND (($8::TEXT IS NULL AND $9::BIGINT IS NULL AND $10::BIGINT IS NULL) \
         OR EXISTS (SELECT FROM settlement_accounts AS l JOIN accounts AS a ON a.id = l.account \
         WHERE l.settlement = s.id AND ($8 IS NULL OR a.currency = $8) AND ($9 IS NULL OR a.owner = $9) \
         AND ($10 IS NULL OR a.id = $10))) ORDER BY id DESC LIMIT $11";

impl Source for PostgresStore {
    async fn bounds(&self, window: WindowId) -> Result<Option<Range>, StoreError> {
        let rows = self.pool.read(Request::new(BOUNDS, vec![Box::new(window.0)])).await?;
        rows.first().map(|row| Ok((number(row, 0)?, number(row, 1)?))).transpose()
    }

    async fn pairs(&self, range: Range, window: WindowId) -> Result<Vec<Pair>, StoreError> {
        let place: Vec<Value<'_>> = vec![Box::new(range.0), Box::new(range.1), Box::new(window.0)];
        let pair = |row: &Row| {
            Ok(Pair {
                debit: AccountId(number(row, 0)?),
                credit: AccountId(number(row, 1)?),
                is_gross: row.flag(2)?,
                amount: large(row, 3)?,
                count: number(row, 4)?,
            })
        };
        self.pool.read(Request::new(&PAIRS, place)).await?.iter().map(pair).collect()
    }

    async fn moves(&self, range: Range, window: WindowId, accounts: Vec<i64>) -> Result<bool, StoreError> {
        let place: Vec<Value<'_>> = vec![Box::new(accounts), Box::new(range.0), Box::new(range.1), Box::new(window.0)];
        self.pool.read(Request::new(MOVES, place)).await?[0].flag(0)
    }

    async fn sum(&self, range: Range, of: Interval) -> Result<i128, StoreError> {
        let rows = self.pool.read(Request::new(SUM, interval(range, of))).await?;
        large(&rows[0], 0)
    }

    async fn lines(&self, range: Range, of: Interval, limit: usize) -> Result<Vec<StatementLine>, StoreError> {
        let mut place = interval(range, of);
        place.push(Box::new(as_limit(limit)));
        let rows = self.pool.read(Request::new(LINES, place)).await?;
        rows.iter().map(|row| codec::statement_line(row, of.account)).collect()
    }

    /// Entries get their ids before the commit that shows them, but only in the gate: with the gate closed, every one up
    /// to the last is in the balance.
    async fn balance(&self, account: AccountId) -> Result<Option<(Amount, i64)>, StoreError> {
        let read = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            connection.query(locks::TAKE, vec![Box::new(locks::WINDOW_GATE)]).await?;
            let rows = connection.query(BALANCE, vec![Box::new(account.0)]).await?;
            connection.script("COMMIT").await?;
            rows.first().map(|row| Ok((codec::amount(row, 0)?, number(row, 1)?))).transpose()
        };
        self.pool.with(read).await
    }

    async fn accounts_of(&self, query: &WindowQuery) -> Result<Vec<i64>, StoreError> {
        let currency = query.currency.as_ref().map(|currency| currency.as_str().to_owned());
        let place: Vec<Value<'_>> = vec![Box::new(query.participant.map(|owner| owner.0)), Box::new(currency)];
        self.pool.read(Request::new(ACCOUNTS, place)).await?.iter().map(|row| number(row, 0)).collect()
    }

    async fn candidates(&self, query: &WindowQuery, accounts: Option<Vec<i64>>) -> Result<Vec<Candidate>, StoreError> {
        let limit = if accounts.is_none() { as_limit(SEARCH_MAX) } else { i64::MAX };
        let ids = query.ids.as_ref().map(|ids| ids.iter().map(|id| id.0).collect::<Vec<_>>());
        let states = query.states.as_ref().map(|states| states.iter().map(|state| state.as_str()).collect::<Vec<_>>());
        let place: Vec<Value<'_>> = vec![
            Box::new(accounts.unwrap_or_default()),
            Box::new(ids),
            Box::new(states),
            Box::new(query.from.map(Timestamp::millis)),
            Box::new(query.to.map(Timestamp::millis)),
            Box::new(limit),
        ];
        let candidate = |row: &Row| {
            Ok(Candidate { id: WindowId(number(row, 0)?), moved: row.flag(1)?, has_contents: row.flag(2)? })
        };
        self.pool.read(Request::new(CANDIDATES, place)).await?.iter().map(candidate).collect()
    }

    async fn windows_of(&self, ids: Vec<WindowId>) -> Result<Vec<Window>, StoreError> {
        let read = async |connection: &mut Connection| {
            connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            let rows = settlement::windows_by_id(connection, &ids).await?;
            connection.script("COMMIT").await?;
            Ok(rows)
        };
        Ok(self.pool.with(read).await?.into_iter().map(|row| row.window).collect())
    }
}

/// The settlements that fit, the newest first.
pub(super) async fn settlements(store: &PostgresStore, query: &SettlementQuery) -> Result<Vec<Settlement>, StoreError> {
    let millis = |time: Option<Timestamp>| Box::new(time.map(Timestamp::millis));
    let place = || -> Vec<Value<'_>> {
        vec![
            Box::new(query.id.map(|id| id.0)),
            Box::new(query.state.map(SettlementState::as_str)),
            millis(query.from),
            millis(query.to),
            Box::new(query.window.map(|window| window.0)),
            millis(query.from_window),
            millis(query.to_window),
            Box::new(query.currency.as_ref().map(Currency::as_str)),
            Box::new(query.participant.map(|owner| owner.0)),
            Box::new(query.account.map(|account| account.0)),
            Box::new(as_limit(SEARCH_MAX)),
        ]
    };
    let read = async |connection: &mut Connection| {
        connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let rows = connection.query(SETTLEMENTS, place()).await?;
        let ids = rows.iter().map(|row| number(row, 0).map(SettlementId)).collect::<Result<Vec<_>, _>>()?;
        let found = settlement::settlements_by_id(connection, &ids).await?;
        connection.script("COMMIT").await?;
        Ok(found)
    };
    let mut found = store.pool.with(read).await?;
    found.reverse();
    Ok(found)
}

fn interval(range: Range, of: Interval) -> Vec<Value<'static>> {
    vec![
        Box::new(range.0),
        Box::new(range.1),
        Box::new(of.account.0),
        Box::new(of.from.millis()),
        Box::new(of.to.millis()),
    ]
}

/// A sum, which comes as text because it may leave 64 bits.
fn large(row: &Row, column: usize) -> Result<i128, StoreError> {
    let text = row.text(column)?.unwrap_or_default();
    text.parse().map_err(|_| StoreError::Data(format!("the sum '{text}' is no whole number")))
}
