//! What is known of a payment: the part of `Store::trace` that is the same for every backend.
//!
//! The journal has no index but its own growing key, so a search begins at a time: that of the transfer or the quote, found
//! by halving. It looks at [`NEAR`] around it, and with what that taught it (trace ids, the quote of the transfer's
//! transaction, the payee) again; then onwards for what was retried later. Reads are chunks of [`CHUNK`] rows, each a
//! short transaction of its own, and end after [`ROWS_MAX`] rows.

use crate::{Direction, JournalRow, Micros, OutboxRow, StoreError, Trace, TracedEntry, TracedQuote, TracedTransfer};
use hub_core::{Subject, SubjectKind};
use std::collections::BTreeSet;
use vocabulary::{CorrelationId, FspId, Timestamp};

/// A payment's quote and look-up are not older, in milliseconds; nor does the answer to the last retry come later.
const NEAR: i64 = 10 * 60 * 1000;
/// Rows wait for their unit, and attempts are written when they are over: how far times and keys may disagree.
pub(crate) const DISORDER_MS: i64 = 30_000;
/// Entries have the time of their unit; units of different nodes may differ by so much.
const ENTRY_DISORDER_MS: i64 = 2_000;
/// An outcome is not retried for longer.
const RETRIES_MS: i64 = 7 * 24 * 3_600_000;
/// Rows of one read.
const CHUNK: i64 = 50_000;
/// Rows that are looked at before the payment's own time.
const ROWS_BEFORE_MAX: i64 = 500_000;
/// Rows that one search looks at.
const ROWS_MAX: i64 = 2_000_000;
/// Messages of one payment; a client that gives all of its payments one trace id has more.
pub(crate) const MESSAGES_MAX: usize = 1000;
/// Ids, trace ids and parties that are searched for, each.
pub(crate) const KEYS_MAX: usize = 8;
/// Searches until nothing new is learned.
const SEARCHES_MAX: usize = 3;

/// A table whose key grows with time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timeline {
    /// In microseconds.
    Journal,
    /// In milliseconds.
    Entries,
}

/// Rows after the first key up to the second.
pub(crate) type Range = (i64, i64);

/// What is searched for in the journal: a row fits that has any of it. At most [`KEYS_MAX`] of each.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Keys {
    pub subjects: BTreeSet<[u8; 16]>,
    pub traces: BTreeSet<[u8; 16]>,
    pub parties: BTreeSet<i64>,
}

/// What a backend reads, each in one short transaction.
pub(crate) trait Source: Sync {
    fn transfer(&self, subject: Subject) -> impl Future<Output = Result<Option<TracedTransfer>, StoreError>> + Send;
    /// What a transfer determines, oldest first.
    fn conversions(
        &self,
        payment: CorrelationId,
    ) -> impl Future<Output = Result<Vec<TracedTransfer>, StoreError>> + Send;
    fn quote(&self, subject: Subject) -> impl Future<Output = Result<Option<TracedQuote>, StoreError>> + Send;
    /// The first and the last key of a table; none if it is empty.
    fn ends(&self, of: Timeline) -> impl Future<Output = Result<Option<(i64, i64)>, StoreError>> + Send;
    /// Key and time of the first row whose key is not smaller.
    fn time_at(&self, of: Timeline, key: i64) -> impl Future<Output = Result<Option<(i64, i64)>, StoreError>> + Send;
    fn entries(&self, range: Range, transfer: i64)
    -> impl Future<Output = Result<Vec<TracedEntry>, StoreError>> + Send;
    /// At most [`MESSAGES_MAX`], in the order of their keys.
    fn messages(&self, range: Range, keys: Keys) -> impl Future<Output = Result<Vec<JournalRow>, StoreError>> + Send;
    /// What the outbox holds of a payment for a participant, oldest first, at most [`MESSAGES_MAX`].
    fn outbox_of(
        &self,
        to: FspId,
        payment_key: [u8; 16],
    ) -> impl Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send;
}

/// A payment as far as it is known.
struct Search {
    transfer: Option<TracedTransfer>,
    conversions: Vec<TracedTransfer>,
    quotes: Vec<TracedQuote>,
    keys: Keys,
    /// Ids that have been asked for.
    asked: BTreeSet<CorrelationId>,
    messages: Vec<JournalRow>,
    is_whole: bool,
}

pub(crate) async fn trace(source: &impl Source, id: CorrelationId) -> Result<Option<Trace>, StoreError> {
    let mut search = Search {
        transfer: None,
        conversions: Vec::new(),
        quotes: Vec::new(),
        keys: Keys::default(),
        asked: BTreeSet::new(),
        messages: Vec::new(),
        is_whole: true,
    };
    search.learn_id(source, id).await?;
    if search.parts().next().is_none() && search.quotes.is_empty() {
        return Ok(None);
    }
    search.run(source).await?;
    search.messages.sort_by_key(|message| (message.at, message.direction, message.attempt));
    search.quotes.sort_by_key(|quote| quote.quote.key);
    let mut entries = Vec::new();
    for part in search.parts() {
        entries.extend(entries_of(source, part).await?);
    }
    let outbox = search.outbox(source).await?;
    let Search { transfer, conversions, quotes, messages, is_whole, .. } = search;
    Ok(Some(Trace { transfer, conversions, quotes, entries, messages, outbox, is_whole }))
}

impl Search {
    /// The transfer and its conversions, as far as they are known.
    fn parts(&self) -> impl Iterator<Item = &TracedTransfer> + Clone {
        self.transfer.iter().chain(&self.conversions)
    }

    /// The times between which the payment is known to have happened; none if all of it is older than the journal.
    fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let transfer = self.parts().filter(|known| known.created_at.is_some());
        let changed = transfer.clone().map(|known| known.transfer.changed_at);
        let created = transfer.filter_map(|known| known.created_at);
        let quoted = self.quotes.iter().filter_map(|known| known.created_at);
        let all: Vec<Timestamp> = changed.chain(created).chain(quoted).collect();
        Some((all.iter().min().copied()?, all.iter().max().copied()?))
    }

    async fn run(&mut self, source: &impl Source) -> Result<(), StoreError> {
        let Some((first, last)) = self.times() else { return Ok(()) };
        let Some(ends) = source.ends(Timeline::Journal).await? else { return Ok(()) };
        let place = async |time: Timestamp| first_since(source, Timeline::Journal, ends, Micros::from(time).0).await;
        let present = place(first.plus_millis(-DISORDER_MS)).await?;
        let begin = place(first.plus_millis(-NEAR)).await?.max(present - ROWS_BEFORE_MAX) - 1;
        let near = place(last.plus_millis(NEAR)).await?.min(begin + ROWS_MAX);
        for _ in 0..SEARCHES_MAX {
            let before = self.keys.clone();
            let found = self.scan(source, (begin, near)).await?;
            self.learn(source, &found).await?;
            self.messages = self.fitting(found);
            if self.keys == before {
                break;
            }
        }
        // Look-ups have been found; what comes later is about the payment itself.
        self.keys.parties.clear();
        let end = place(last.plus_millis(RETRIES_MS)).await?;
        let far = end.min(near + ROWS_MAX);
        self.is_whole = far == end;
        let later = self.scan(source, (near, far)).await?;
        self.messages.extend(later);
        Ok(())
    }

    async fn scan(&self, source: &impl Source, (begin, end): Range) -> Result<Vec<JournalRow>, StoreError> {
        let mut found = Vec::new();
        let mut after = begin;
        while after < end && found.len() < MESSAGES_MAX {
            let until = end.min(after + CHUNK);
            found.extend(source.messages((after, until), self.keys.clone()).await?);
            after = until;
        }
        found.truncate(MESSAGES_MAX);
        Ok(found)
    }

    /// Takes up what messages say of the payment's other ids.
    async fn learn(&mut self, source: &impl Source, found: &[JournalRow]) -> Result<(), StoreError> {
        for row in found.iter().filter(|row| !self.is_only_of_party(row)).cloned().collect::<Vec<_>>() {
            for id in row.subject.into_iter().chain(row.related) {
                self.learn_id(source, id).await?;
            }
            if let Some(trace) = row.trace {
                insert(&mut self.keys.traces, trace);
            }
            if let (Some(_), Some(party)) = (row.subject, row.party) {
                insert(&mut self.keys.parties, i64::from_be_bytes(party));
            }
        }
        Ok(())
    }

    async fn learn_id(&mut self, source: &impl Source, id: CorrelationId) -> Result<(), StoreError> {
        if self.asked.len() >= KEYS_MAX || !self.asked.insert(id) {
            return Ok(());
        }
        insert(&mut self.keys.subjects, id.to_parts().0);
        let of = |kind| Subject { kind, id };
        if self.transfer.is_none() {
            self.transfer = source.transfer(of(SubjectKind::Transfer)).await?;
        }
        self.conversions.extend(source.conversions(id).await?);
        for kind in [SubjectKind::Quote, SubjectKind::ConversionQuote] {
            self.quotes.extend(source.quote(of(kind)).await?);
        }
        let conversion = source.transfer(of(SubjectKind::Conversion)).await?;
        let others: Vec<CorrelationId> = match &conversion {
            // All conversions of the payment come with its transfer's id.
            Some(known) if known.transfer.payment() != id => vec![known.transfer.payment()],
            Some(_) | None => self.conversions.iter().map(|known| known.transfer.id).collect(),
        };
        for other in others {
            Box::pin(self.learn_id(source, other)).await?;
        }
        if let Some(refused) =
            conversion.filter(|known| known.transfer.terms().is_some_and(|terms| terms.determining.is_none()))
        {
            self.conversions.push(refused);
        }
        Ok(())
    }

    /// Whether only the party says that a row may belong to the payment.
    fn is_only_of_party(&self, row: &JournalRow) -> bool {
        let is_known = |id: &CorrelationId| self.keys.subjects.contains(&id.to_parts().0);
        let has_id = row.subject.iter().chain(&row.related).any(is_known);
        !has_id && !row.trace.is_some_and(|trace| self.keys.traces.contains(&trace))
    }

    /// Without the messages about the same party that belong to other payments. Where a trace id joins look-ups to the
    /// payment, the party is not needed; else it is the payer's last look-up before its quote.
    fn fitting(&self, found: Vec<JournalRow>) -> Vec<JournalRow> {
        let (others, own): (Vec<_>, Vec<_>) = found.into_iter().partition(|row| self.is_only_of_party(row));
        let quote = own.iter().find(|row| row.direction == Direction::In && row.related.is_some()).cloned();
        let (Some(quote), false) = (quote, own.iter().any(|row| row.subject.is_none())) else { return own };
        let before = |row: &&JournalRow| row.subject.is_none() && row.party == quote.party && row.at <= quote.at;
        let asked = |row: &&JournalRow| row.direction == Direction::In && row.participant == quote.participant;
        let Some(asked_at) = others.iter().filter(before).filter(asked).map(|row| row.at).max() else { return own };
        let lookup = others.iter().filter(before).filter(|row| row.at >= asked_at).cloned();
        lookup.chain(own.iter().cloned()).collect()
    }

    async fn outbox(&self, source: &impl Source) -> Result<Vec<OutboxRow>, StoreError> {
        let parties = self.parts().flat_map(|known| [known.transfer.payer_holder(), known.transfer.payee_holder()]);
        let spoken = self.messages.iter().filter_map(|message| message.participant.as_ref());
        let participants: BTreeSet<FspId> = parties.chain(spoken).take(MESSAGES_MAX).cloned().collect();
        let mut rows = Vec::new();
        for to in participants.into_iter().take(KEYS_MAX) {
            for key in &self.keys.subjects {
                rows.extend(source.outbox_of(to.clone(), *key).await?);
            }
        }
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }
}

async fn entries_of(source: &impl Source, of: &TracedTransfer) -> Result<Vec<TracedEntry>, StoreError> {
    let Some(ends) = source.ends(Timeline::Entries).await? else { return Ok(Vec::new()) };
    let changed_at = of.transfer.changed_at;
    let created_at = of.created_at.unwrap_or(changed_at);
    let place = async |time: Timestamp| first_since(source, Timeline::Entries, ends, time.millis()).await;
    let mut after = place(created_at.plus_millis(-ENTRY_DISORDER_MS)).await? - 1;
    let end = place(changed_at.plus_millis(ENTRY_DISORDER_MS)).await?.min(after + ROWS_MAX);
    let mut entries = Vec::new();
    while after < end {
        let until = end.min(after + CHUNK);
        entries.extend(source.entries((after, until), of.transfer.key).await?);
        after = until;
    }
    Ok(entries)
}

/// The key of the first row that is not older than a time; behind the last one if all are.
pub(crate) async fn first_since(
    source: &impl Source,
    of: Timeline,
    (first, last): (i64, i64),
    time: i64,
) -> Result<i64, StoreError> {
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match source.time_at(of, middle).await? {
            Some((key, at)) if at < time => low = key + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

fn insert<T: Ord>(keys: &mut BTreeSet<T>, key: T) {
    if keys.len() < KEYS_MAX {
        keys.insert(key);
    }
}
