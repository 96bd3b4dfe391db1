//! How the journal, and what a trace reads beside it, lie in columns.

use super::{Columns, amount, correlation_id, parsed, required, time, transfer, unreadable};
use crate::{
    Direction, JournalRow, MessageId, Micros, OutboxRow, StoreError, TracedEntry, TracedQuote, TracedTransfer,
};
use ledger::{AccountId, EntryKind};

/// The codes are as narrow as PostgreSQL's SMALLINT.
pub(crate) const JOURNAL_COLUMNS: &str = "at, is_out, participant, method, resource, status, error, attempt, \
     subject, is_ulid, related, is_related_ulid, trace, party";
pub(crate) const ENTRY_COLUMNS: &str = "id, kind, debit, credit, amount, window_id, at, transfer";
pub(crate) const OUTBOX_COLUMNS: &str = "id, recipient, payment_key, retry_until, head, attempts, is_dead, last_error";

pub(super) const ENTRY_KINDS: [EntryKind; 8] = [
    EntryKind::Principal,
    EntryKind::InitialPosition,
    EntryKind::FundsIn,
    EntryKind::FundsOut,
    EntryKind::InterchangeFee,
    EntryKind::GrossSettlement,
    EntryKind::SettlementNetRecipient,
    EntryKind::SettlementNetSender,
];

/// Reads [`JOURNAL_COLUMNS`].
pub(crate) fn journal_row(row: &impl Columns) -> Result<JournalRow, StoreError> {
    let id = |column| row.bytes(column)?.map(|_| correlation_id(row, column)).transpose();
    let small = |column| row.number(column)?.map(narrow::<u16>).transpose();
    Ok(JournalRow {
        at: Micros(required(row.number(0)?, "at")?),
        direction: if row.flag(1)? { Direction::Out } else { Direction::In },
        participant: row.text(2)?.map(|_| parsed(row, 2, "participant")).transpose()?,
        method: narrow(required(row.number(3)?, "method")?)?,
        resource: narrow(required(row.number(4)?, "resource")?)?,
        status: small(5)?,
        error: small(6)?,
        attempt: narrow(required(row.number(7)?, "attempt")?)?,
        subject: id(8)?,
        related: id(10)?,
        trace: row
            .bytes(12)?
            .map(|bytes| bytes.try_into().map_err(|_| unreadable("trace", bytes.len())))
            .transpose()?,
        party: row.number(13)?.map(i64::to_be_bytes),
    })
}

/// Reads [`super::TRANSFER_COLUMNS`] and `created_at` behind them.
pub(crate) fn traced_transfer(row: &impl Columns) -> Result<TracedTransfer, StoreError> {
    const CREATED_AT: usize = 32;
    let created_at = row.number(CREATED_AT)?.map(|_| time(row, CREATED_AT)).transpose()?;
    Ok(TracedTransfer { transfer: transfer(row)?, created_at })
}

/// Reads [`super::QUOTE_COLUMNS`] and `created_at` behind them.
pub(crate) fn traced_quote(row: &impl Columns) -> Result<TracedQuote, StoreError> {
    const CREATED_AT: usize = 7;
    let created_at = row.number(CREATED_AT)?.map(|_| time(row, CREATED_AT)).transpose()?;
    Ok(TracedQuote { quote: super::quote(row)?, created_at })
}

/// Reads [`ENTRY_COLUMNS`].
pub(crate) fn traced_entry(row: &impl Columns) -> Result<TracedEntry, StoreError> {
    let kind = required(row.text(1)?, "kind of an entry")?;
    let known = ENTRY_KINDS.into_iter().find(|known| known.as_str() == kind);
    Ok(TracedEntry {
        id: required(row.number(0)?, "id")?,
        transfer: required(row.number(7)?, "transfer")?,
        kind: known.ok_or_else(|| unreadable("kind of an entry", kind))?,
        debit: AccountId(required(row.number(2)?, "debit")?),
        credit: AccountId(required(row.number(3)?, "credit")?),
        amount: amount(row, 4)?,
        window: row.number(5)?,
        at: time(row, 6)?,
    })
}

/// Reads [`OUTBOX_COLUMNS`].
pub(crate) fn outbox_row(row: &impl Columns) -> Result<OutboxRow, StoreError> {
    let key = required(row.bytes(2)?, "payment_key")?;
    Ok(OutboxRow {
        id: MessageId(required(row.number(0)?, "id")?),
        to: parsed(row, 1, "recipient")?,
        payment_key: key.try_into().map_err(|_| unreadable("payment_key", key.len()))?,
        until: time(row, 3)?,
        head: bytes::Bytes::copy_from_slice(required(row.bytes(4)?, "head")?),
        attempts: narrow(required(row.number(5)?, "attempts")?)?,
        is_dead: row.flag(6)?,
        last_error: row.text(7)?.map(Into::into),
    })
}

fn narrow<T: TryFrom<i64>>(code: i64) -> Result<T, StoreError> {
    T::try_from(code).map_err(|_| unreadable("a small number", code))
}
