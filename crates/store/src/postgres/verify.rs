//! Recomputing the books while payments go on.
//!
//! Entries are summed in pages, in transactions shorter than a second, up to an entry below which nothing is missing;
//! the rest, the balances and the holds are then read in one snapshot. Entries never change, so pages need no lock.

use super::{
    columns::number,
    connection::{Connection, Request, Value},
    fault, locks,
    pool::Pool,
};
use crate::{
    StoreError,
    audit::{self, Figures},
    codec::{self, ACCOUNT_COLUMNS, Columns},
};
use ledger::AccountId;
use std::{collections::BTreeMap, sync::LazyLock};
use tokio_postgres::Row;

const PAGE: i64 = 100_000;

const LAST_ENTRY: &str = "SELECT coalesce(max(id), 0) FROM entries";

const SUM_PAGE: &str = "SELECT account, sum(amount)::TEXT FROM ( \
     SELECT debit AS account, amount FROM entries WHERE id > $1 AND id <= $2 \
     UNION ALL SELECT credit, -amount FROM entries WHERE id > $1 AND id <= $2) AS legs GROUP BY account";

const SUM_HOLDS: &str =
    "SELECT debit, sum(amount)::TEXT FROM transfers WHERE state = 1 AND debit IS NOT NULL GROUP BY debit";

static ACCOUNTS: LazyLock<String> = LazyLock::new(|| format!("SELECT {ACCOUNT_COLUMNS} FROM accounts ORDER BY id"));

type Sums = BTreeMap<AccountId, i128>;

pub(super) async fn run(pool: &Pool) -> Result<Vec<String>, StoreError> {
    let settled = pool.with(last_settled_entry).await?;
    let mut figures = Figures::default();
    let mut page = 0;
    while page < settled {
        let end = settled.min(page + PAGE);
        add(&mut figures.entries, &pool.read(Request::new(SUM_PAGE, bounds(page, end))).await?)?;
        page = end;
    }
    let [accounts, entries, holds] = pool.with(async |connection| snapshot(connection, settled).await).await?;
    figures.accounts = accounts.iter().map(codec::account).collect::<Result<_, _>>()?;
    add(&mut figures.entries, &entries)?;
    add(&mut figures.holds, &holds)?;
    Ok(audit::differences(&figures))
}

/// The last entry below which none can appear any more. Ids are given before the commit that shows them, but only to
/// units that are in the gate: with the gate closed, there are none.
async fn last_settled_entry(connection: &mut Connection) -> Result<i64, StoreError> {
    connection.script("BEGIN").await?;
    connection.query(locks::TAKE, vec![Box::new(locks::WINDOW_GATE)]).await?;
    let rows = connection.query(LAST_ENTRY, Vec::new()).await?;
    connection.script("COMMIT").await?;
    number(&rows[0], 0)
}

async fn snapshot(connection: &mut Connection, settled: i64) -> Result<[Vec<Row>; 3], StoreError> {
    connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let requests =
        [Request::plain(&ACCOUNTS), Request::new(SUM_PAGE, bounds(settled, i64::MAX)), Request::plain(SUM_HOLDS)];
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    connection.script("COMMIT").await?;
    Ok(replies.try_into().expect("three requests have three replies"))
}

fn bounds(after: i64, until: i64) -> Vec<Value<'static>> {
    vec![Box::new(after), Box::new(until)]
}

fn add(sums: &mut Sums, rows: &[Row]) -> Result<(), StoreError> {
    for row in rows {
        let text = row.text(1)?.unwrap_or_default();
        let sum: i128 = text.parse().map_err(|_| StoreError::Data(format!("the sum '{text}' is no whole number")))?;
        *sums.entry(AccountId(number(row, 0)?)).or_default() += sum;
    }
    Ok(())
}
