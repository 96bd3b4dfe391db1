//! What moved: totals of windows, statements and balances of accounts. The part that is the same for every backend.
//!
//! Entries have no index but their own growing key, since each payment would pay for another one. A window remembers
//! between which keys its entries lie; a time finds its place by halving. Reads are chunks of [`CHUNK`] keys, each a short
//! transaction of its own.
//!
//! Invariant: a payment that was settled gross is in no total, because nothing of it is left to settle
//! (contract, administration §2.7).

use crate::{
    PairTotal, SEARCH_MAX, StatementLine, StatementQuery, StoreError, WindowQuery,
    trace::{self, DISORDER_MS, Range, Timeline, first_since},
};
use hub_core::{
    WindowId,
    settlement::{AccountTotal, Window},
};
use ledger::AccountId;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Amount, Timestamp};

/// Keys of one read: some milliseconds.
const CHUNK: i64 = 50_000;

/// What the payments of a window moved between two accounts, in a part of its entries.
pub(crate) struct Pair {
    pub debit: AccountId,
    pub credit: AccountId,
    /// Whether these are the entries by which payments were settled at once.
    pub is_gross: bool,
    pub amount: i128,
    pub count: i64,
}

/// A window that may fit a search.
pub(crate) struct Candidate {
    pub id: WindowId,
    /// One of its contents moved one of the accounts.
    pub moved: bool,
    pub has_contents: bool,
}

/// Movements of one account in an interval: the first time is included, the second is not.
#[derive(Clone, Copy)]
pub(crate) struct Interval {
    pub account: AccountId,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// What a backend reads, each in one short transaction.
pub(crate) trait Source: trace::Source {
    /// Between which entries those of a window lie; up to the last one that is there while the window is open.
    fn bounds(&self, window: WindowId) -> impl Future<Output = Result<Option<Range>, StoreError>> + Send;
    /// The payments of a window, and what was settled gross, by pair of accounts.
    fn pairs(&self, range: Range, window: WindowId) -> impl Future<Output = Result<Vec<Pair>, StoreError>> + Send;
    /// Whether payments of a window moved one of the accounts.
    fn moves(
        &self,
        range: Range,
        window: WindowId,
        accounts: Vec<i64>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Debits minus credits.
    fn sum(&self, range: Range, of: Interval) -> impl Future<Output = Result<i128, StoreError>> + Send;
    fn lines(
        &self,
        range: Range,
        of: Interval,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StatementLine>, StoreError>> + Send;
    /// The balance of an account, and the last of the entries that it contains.
    fn balance(&self, account: AccountId) -> impl Future<Output = Result<Option<(Amount, i64)>, StoreError>> + Send;
    /// The accounts of a participant, in a currency, or both.
    fn accounts_of(&self, query: &WindowQuery) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send;
    /// Windows that fit what a query says of the windows themselves, last change first; with accounts all of them, else
    /// at most [`SEARCH_MAX`].
    fn candidates(
        &self,
        query: &WindowQuery,
        accounts: Option<Vec<i64>>,
    ) -> impl Future<Output = Result<Vec<Candidate>, StoreError>> + Send;
    /// Windows with their contents, all of one moment, in the order of their ids.
    fn windows_of(&self, ids: Vec<WindowId>) -> impl Future<Output = Result<Vec<Window>, StoreError>> + Send;
}

pub(crate) async fn window_totals(source: &impl Source, window: WindowId) -> Result<Vec<AccountTotal>, StoreError> {
    let mut sums: BTreeMap<AccountId, [i128; 2]> = BTreeMap::new();
    for ((debit, credit), (amount, _)) in pairs_of(source, window).await? {
        sums.entry(debit).or_default()[0] += amount;
        sums.entry(credit).or_default()[1] += amount;
    }
    let total = |(account, [debits, credits]): (AccountId, [i128; 2])| {
        let fitting = |sum| amount(sum, window, account);
        Ok(AccountTotal { account, debits: fitting(debits)?, credits: fitting(credits)? })
    };
    sums.into_iter().map(total).collect()
}

pub(crate) async fn pair_totals(source: &impl Source, windows: &[WindowId]) -> Result<Vec<PairTotal>, StoreError> {
    let mut totals = Vec::new();
    for window in windows {
        for ((debit, credit), (sum, count)) in pairs_of(source, *window).await? {
            let count = u64::try_from(count).unwrap_or_default();
            totals.push(PairTotal { window: *window, debit, credit, amount: amount(sum, *window, debit)?, count });
        }
    }
    Ok(totals)
}

/// Amount and count of what is not settled gross, by debit and credit.
async fn pairs_of(
    source: &impl Source,
    window: WindowId,
) -> Result<BTreeMap<(AccountId, AccountId), (i128, i64)>, StoreError> {
    let unknown = || StoreError::Data(format!("window {} does not exist", window.0));
    let range = source.bounds(window).await?.ok_or_else(unknown)?;
    let mut paid: BTreeMap<(AccountId, AccountId), (i128, i64)> = BTreeMap::new();
    let mut gross: HashMap<(AccountId, AccountId), (i128, i64)> = HashMap::new();
    for chunk in chunks(range) {
        for pair in source.pairs(chunk, window).await? {
            let sum = match pair.is_gross {
                false => paid.entry((pair.debit, pair.credit)).or_default(),
                // The reversal of a payment goes the other way; the movement of liquidity reverses nothing.
                true => gross.entry((pair.credit, pair.debit)).or_default(),
            };
            sum.0 += pair.amount;
            sum.1 += pair.count;
        }
    }
    for (accounts, (amount, count)) in &mut paid {
        let settled = gross.get(accounts).copied().unwrap_or_default();
        *amount -= settled.0;
        *count -= settled.1;
    }
    paid.retain(|_, sum| *sum != (0, 0));
    Ok(paid)
}

fn amount(sum: i128, window: WindowId, account: AccountId) -> Result<Amount, StoreError> {
    let too_large = || {
        let (window, account) = (window.0, account.0);
        StoreError::Data(format!("what window {window} moved on account {account} leaves the range of 64 bits"))
    };
    i64::try_from(sum).map(Amount::from_units).map_err(|_| too_large())
}

pub(crate) async fn windows(source: &impl Source, query: &WindowQuery) -> Result<Vec<Window>, StoreError> {
    let accounts = match (query.participant, query.currency) {
        (None, None) => None,
        (Some(_), _) | (_, Some(_)) => Some(source.accounts_of(query).await?),
    };
    if accounts.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    for candidate in source.candidates(query, accounts.clone()).await? {
        let fits = match &accounts {
            None => true,
            Some(_) if candidate.moved => true,
            // Without contents only the entries know.
            Some(accounts) => !candidate.has_contents && has_moved(source, candidate.id, accounts).await?,
        };
        if fits {
            ids.push(candidate.id);
        }
        if ids.len() == SEARCH_MAX {
            break;
        }
    }
    let mut found = source.windows_of(ids).await?;
    found.sort_by_key(|window| std::cmp::Reverse((window.changed_at, window.id)));
    Ok(found)
}

async fn has_moved(source: &impl Source, window: WindowId, accounts: &[i64]) -> Result<bool, StoreError> {
    let Some(range) = source.bounds(window).await? else { return Ok(false) };
    for chunk in chunks(range) {
        if source.moves(chunk, window, accounts.to_vec()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// From the beginning, or back from the present balance, whichever is nearer.
pub(crate) async fn balance_at(source: &impl Source, account: AccountId, at: Timestamp) -> Result<Amount, StoreError> {
    let unknown = || StoreError::Data(format!("account {} does not exist", account.0));
    let (balance, last) = source.balance(account).await?.ok_or_else(unknown)?;
    let Some((first, _)) = source.ends(Timeline::Entries).await? else { return Ok(balance) };
    let place = async |time| first_since(source, Timeline::Entries, (first, last), time).await;
    let begin = place(at.millis().saturating_sub(DISORDER_MS)).await? - 1;
    let end = place(at.millis().saturating_add(DISORDER_MS)).await?.min(last);
    let (mut sum, range, of) = if end - first <= last - begin {
        (0, (first - 1, end), Interval { account, from: Timestamp::from_millis(i64::MIN), to: at })
    } else {
        let later = Interval { account, from: at, to: Timestamp::from_millis(i64::MAX) };
        (i128::from(balance.units()), (begin, last), later)
    };
    let is_back = of.from == at;
    for chunk in chunks(range) {
        let moved = source.sum(chunk, of).await?;
        sum += if is_back { -moved } else { moved };
    }
    let too_large = || StoreError::Data(format!("the balance of account {} leaves the range of 64 bits", account.0));
    i64::try_from(sum).map(Amount::from_units).map_err(|_| too_large())
}

pub(crate) async fn statement(source: &impl Source, query: StatementQuery) -> Result<Vec<StatementLine>, StoreError> {
    let Some(ends) = source.ends(Timeline::Entries).await? else { return Ok(Vec::new()) };
    let place = async |time| first_since(source, Timeline::Entries, ends, time).await;
    let begin = place(query.from.millis().saturating_sub(DISORDER_MS)).await? - 1;
    let end = place(query.to.millis().saturating_add(DISORDER_MS)).await?;
    let of = Interval { account: query.account, from: query.from, to: query.to };
    let mut lines = Vec::new();
    for chunk in chunks((begin.max(query.after), end)) {
        if lines.len() >= query.limit {
            break;
        }
        lines.extend(source.lines(chunk, of, query.limit - lines.len()).await?);
    }
    Ok(lines)
}

fn chunks((begin, end): Range) -> impl Iterator<Item = Range> {
    let next = move |(_, after): &Range| (*after < end).then(|| (*after, end.min(after + CHUNK)));
    std::iter::successors(next(&(begin, begin)), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_range_once() {
        assert_eq!(chunks((5, 5)).count(), 0);
        assert_eq!(chunks((7, 5)).count(), 0);
        let last = 2 * CHUNK + 10;
        assert_eq!(
            chunks((3, last)).collect::<Vec<_>>(),
            [(3, 3 + CHUNK), (3 + CHUNK, 3 + 2 * CHUNK), (3 + 2 * CHUNK, last)]
        );
    }
}
