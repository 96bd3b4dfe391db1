//! How entries lie in columns beside their transfers, and conversions beside those that determine them, for `verify`.

use super::{
    Columns, KIND_CONVERSION, KIND_FUNDS_IN, KIND_FUNDS_OUT, KIND_PAYMENT, STATE_AGREED, STATE_COMMITTED,
    STATE_FORWARDED, STATE_RESERVED, correlation_id, journal::ENTRY_KINDS, required, unreadable,
};
use crate::{
    StoreError,
    audit::{EntryRow, LinkRow, TransferRow},
};
use hub_core::WindowId;
use ledger::{AccountId, EntryKind};

/// Of `entries AS e` and, where there is one, `transfers AS t`.
pub(crate) const AUDITED_ENTRY_COLUMNS: &str = "e.id, e.kind, e.debit, e.credit, e.amount, e.window_id, e.settlement, \
     e.transfer, t.id, t.is_ulid, t.kind, t.state, t.amount, t.debit, t.credit, t.window_id";

/// Of [`LINKS`].
pub(crate) const LINK_COLUMNS: &str = "terms.transfer, c.id, c.is_ulid, c.state, terms.determining, terms.is_determining_ulid, t.state, terms.payer_proxy";
/// Conversions, and the transfers that determine them.
pub(crate) const LINKS: &str = "transfer_terms AS terms JOIN transfers AS c ON c.key = terms.transfer \
     LEFT JOIN ids ON ids.kind = 1 AND ids.id = terms.determining AND ids.is_ulid = terms.is_determining_ulid \
     LEFT JOIN transfers AS t ON t.key = ids.key";

/// Reads [`LINK_COLUMNS`].
pub(crate) fn link(row: &impl Columns) -> Result<LinkRow, StoreError> {
    let state = required(row.number(3)?, "state")?;
    Ok(LinkRow {
        key: required(row.number(0)?, "transfer")?,
        conversion: correlation_id(row, 1)?,
        is_open: [STATE_RESERVED, STATE_FORWARDED, STATE_AGREED].map(i64::from).contains(&state),
        is_committed: state == i64::from(STATE_COMMITTED),
        transfer: correlation_id(row, 4)?,
        is_transfer_committed: row.number(6)? == Some(STATE_COMMITTED.into()),
        is_transfer_elsewhere: row.number(6)?.is_none() && row.text(7)?.is_some(),
    })
}

/// Reads [`AUDITED_ENTRY_COLUMNS`].
pub(crate) fn audited_entry(row: &impl Columns) -> Result<EntryRow, StoreError> {
    let kind = required(row.text(1)?, "kind of an entry")?;
    let known = ENTRY_KINDS.into_iter().find(|known| known.as_str() == kind);
    Ok(EntryRow {
        id: required(row.number(0)?, "id")?,
        kind: known.ok_or_else(|| unreadable("kind of an entry", kind))?,
        debit: AccountId(required(row.number(2)?, "debit")?),
        credit: AccountId(required(row.number(3)?, "credit")?),
        amount: required(row.number(4)?, "amount")?,
        window: row.number(5)?.map(WindowId),
        settlement: row.number(6)?,
        transfer: row.number(7)?,
        of: row.bytes(8)?.map(|_| transfer(row)).transpose()?,
    })
}

fn transfer(row: &impl Columns) -> Result<TransferRow, StoreError> {
    let code = required(row.number(10)?, "kind of a transfer")?;
    let kind = match i16::try_from(code).unwrap_or_default() {
        KIND_PAYMENT | KIND_CONVERSION => EntryKind::Principal,
        KIND_FUNDS_IN => EntryKind::FundsIn,
        KIND_FUNDS_OUT => EntryKind::FundsOut,
        _ => return Err(unreadable("kind of a transfer", code)),
    };
    Ok(TransferRow {
        id: correlation_id(row, 8)?,
        kind,
        is_committed: row.number(11)? == Some(STATE_COMMITTED.into()),
        amount: required(row.number(12)?, "amount")?,
        legs: row.number(13)?.zip(row.number(14)?).map(|(debit, credit)| [debit, credit].map(AccountId)),
        window: row.number(15)?.map(WindowId),
    })
}
