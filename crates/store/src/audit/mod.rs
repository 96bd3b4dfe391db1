//! What the books must add up to: the part of `Store::verify` that is the same for every backend.
//!
//! A backend only reads rows; everything is added up here, by code that shares nothing with what writes them. All of it
//! runs beside a working hub, in reads that are short: committed transfers first, then entries in pages, then in one
//! moment the entries that have come meanwhile with balances, windows and settlements, and last the totals of contents,
//! which never change.
//!
//! Memory: two bits for each committed transfer, and a sum for each account in each window.

mod account_types;
mod balances;
mod contents;
mod entries;
mod keys;
mod links;
mod settlements;
mod windows;

use crate::{StoreError, codec::WindowRow};
use entries::Entries;
use hub_core::{
    WindowId,
    administration::{AccountType, SettlementModel},
    settlement::{AccountTotal, Content, ContentId, Settlement},
};
use keys::Keys;
use ledger::{Account, AccountId, EntryKind};
use std::collections::BTreeMap;
use vocabulary::CorrelationId;

/// Sentences of one run; what comes after them is only counted.
const SENTENCES_MAX: usize = 1000;

/// A row of the entries, with the transfer that it names.
#[derive(Clone, Debug)]
pub(crate) struct EntryRow {
    pub id: i64,
    pub kind: EntryKind,
    pub debit: AccountId,
    pub credit: AccountId,
    /// In 10⁻⁴.
    pub amount: i64,
    pub window: Option<WindowId>,
    pub settlement: Option<i64>,
    /// The key of the transfer.
    pub transfer: Option<i64>,
    /// None if there is no transfer of this key.
    pub of: Option<TransferRow>,
}

/// What an entry must agree with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferRow {
    pub id: CorrelationId,
    /// The kind of its main entry.
    pub kind: EntryKind,
    pub is_committed: bool,
    pub amount: i64,
    pub legs: Option<[AccountId; 2]>,
    pub window: Option<WindowId>,
}

/// A conversion, and the transfer that determines it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkRow {
    /// The key of the conversion.
    pub key: i64,
    pub conversion: CorrelationId,
    pub is_open: bool,
    pub is_committed: bool,
    pub transfer: CorrelationId,
    /// False also if the transfer does not exist.
    pub is_transfer_committed: bool,
    /// Whether it does not exist here and who asked for the conversion is behind a proxy, whose scheme decides it.
    pub is_transfer_elsewhere: bool,
}

/// What is read in one moment, after everything up to an entry has been read.
pub(crate) struct Snapshot {
    /// Those that have come since.
    pub entries: Vec<EntryRow>,
    pub accounts: Vec<Account>,
    /// The operator's own.
    pub account_types: Vec<AccountType>,
    /// Debited account and amount of every transfer that has not ended.
    pub holds: Vec<(AccountId, i64)>,
    pub windows: Vec<WindowRow>,
    /// The window that payments join.
    pub open_window: Option<WindowId>,
    /// Without totals.
    pub contents: Vec<Content>,
    pub models: Vec<SettlementModel>,
    pub settlements: Vec<Settlement>,
}

/// What a backend reads, each in one short transaction. A page is at most as long as the backend likes, and empty at the
/// end.
pub(crate) trait Source {
    /// The keys of committed transfers after one, in their order, without those that move nothing between accounts because
    /// they stay behind one proxy.
    fn committed(&self, after: i64) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send;
    /// The conversions after one whose determining transfer is named, in their order.
    fn links(&self, after: i64) -> impl Future<Output = Result<Vec<LinkRow>, StoreError>> + Send;
    /// The last entry below which none can appear any more.
    fn last_entry(&self) -> impl Future<Output = Result<i64, StoreError>> + Send;
    /// The entries after one and up to another, in their order.
    fn entries(&self, after: i64, until: i64) -> impl Future<Output = Result<Vec<EntryRow>, StoreError>> + Send;
    fn snapshot(&self, after: i64) -> impl Future<Output = Result<Snapshot, StoreError>> + Send;
    /// Totals after one, in the order of content and account.
    fn totals(
        &self,
        after: (ContentId, AccountId),
    ) -> impl Future<Output = Result<Vec<(ContentId, AccountTotal)>, StoreError>> + Send;
    /// The ids of transfers, by their keys.
    fn ids(&self, keys: Vec<i64>) -> impl Future<Output = Result<Vec<CorrelationId>, StoreError>> + Send;
}

/// A sentence for each difference; empty when the books are right.
pub(crate) async fn verify(source: &impl Source) -> Result<Vec<String>, StoreError> {
    let mut committed = Keys::default();
    let mut after = 0;
    while let Some(last) =
        { source.committed(after).await?.into_iter().inspect(|key| committed.insert_new(*key)).last() }
    {
        after = last;
    }
    let mut report = Report::default();
    let mut entries = Entries::default();
    let last_entry = source.last_entry().await?;
    let mut after = 0;
    loop {
        let page = source.entries(after, last_entry).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        page.iter().for_each(|entry| entries.add(entry, &mut report));
    }
    let snapshot = source.snapshot(last_entry).await?;
    snapshot.entries.iter().for_each(|entry| entries.add(entry, &mut report));
    let missing = committed.without(entries.transfers()).take(SENTENCES_MAX).collect::<Vec<_>>();
    for id in source.ids(missing).await? {
        report.say(format!("Transfer {id} is committed, but no entry of its amount has been posted."));
    }
    let mut after = 0;
    loop {
        let page = source.links(after).await?;
        let Some(last) = page.last() else { break };
        after = last.key;
        page.iter().for_each(|link| links::check(link, &mut report));
    }
    let totals = totals(source, &snapshot).await?;
    check(&entries, &snapshot, &totals, &mut report);
    Ok(report.finish())
}

/// The totals of those contents that the snapshot has.
async fn totals(source: &impl Source, snapshot: &Snapshot) -> Result<Totals, StoreError> {
    let mut totals: Totals = snapshot.contents.iter().map(|content| (content.id, Vec::new())).collect();
    let mut after = (ContentId(0), AccountId(i64::MIN));
    loop {
        let page = source.totals(after).await?;
        let Some((content, last)) = page.last() else { return Ok(totals) };
        after = (*content, last.account);
        let is_later = |content: &ContentId| snapshot.contents.last().is_none_or(|last| *content > last.id);
        for (content, total) in page {
            // A content that was made since belongs to the next run; one that never was is a difference.
            if !is_later(&content) {
                totals.entry(content).or_default().push(total);
            }
        }
    }
}

type Totals = BTreeMap<ContentId, Vec<AccountTotal>>;

fn check(entries: &Entries, snapshot: &Snapshot, totals: &Totals, report: &mut Report) {
    let mut holds: BTreeMap<AccountId, i128> = BTreeMap::new();
    for (account, amount) in &snapshot.holds {
        *holds.entry(*account).or_default() += i128::from(*amount);
    }
    let figures = balances::Figures { accounts: snapshot.accounts.clone(), entries: entries.balances(), holds };
    balances::check(&figures).into_iter().for_each(|sentence| report.say(sentence));
    account_types::check(snapshot, report);
    let accounts: BTreeMap<AccountId, &Account> =
        snapshot.accounts.iter().map(|account| (account.id, account)).collect();
    windows::check(entries, snapshot, report);
    contents::check(entries, snapshot, totals, &accounts, report);
    settlements::check(entries, snapshot, totals, &accounts, report);
}

/// Sentences, up to a limit.
#[derive(Default)]
pub(crate) struct Report {
    sentences: Vec<String>,
    omitted: usize,
}

impl Report {
    fn say(&mut self, sentence: String) {
        if self.sentences.len() < SENTENCES_MAX {
            self.sentences.push(sentence);
        } else {
            self.omitted += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.omitted > 0 {
            self.sentences.push(format!("There are {} more differences.", self.omitted));
        }
        self.sentences
    }
}

/// A sum of 10⁻⁴ as a decimal number.
struct Decimal(i128);

impl std::fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(formatter, "{sign}{}.{:04}", size / 10_000, size % 10_000)
    }
}
