//! How the domain's values lie in columns: one definition for both backends.
//!
//! Reading goes through [`Columns`], which each backend implements for its row type, and the `*_COLUMNS` lists, which say
//! what a query selects and in which order. Writing uses the leaf codes here. Invariant: what one function wrote, its
//! counterpart reads back; codes and names never change their meaning, because rows outlive the binary.

mod account_types;
mod audited;
pub(crate) mod certificates;
mod changes;
mod clients;
mod fees;
mod journal;
mod notices;
mod settlement;

pub(crate) use account_types::{ACCOUNT_TYPE_COLUMNS, account_type};
pub(crate) use audited::{AUDITED_ENTRY_COLUMNS, LINK_COLUMNS, LINKS, audited_entry, link};
pub(crate) use changes::change_columns;
pub(crate) use clients::{CLIENT_COLUMNS, ClientRow, client};
pub(crate) use fees::{FEE_RULE_COLUMNS, fee_rule, fees_column, formula_columns};
pub(crate) use journal::{
    ENTRY_COLUMNS, JOURNAL_COLUMNS, OUTBOX_COLUMNS, journal_row, outbox_row, traced_entry, traced_quote,
    traced_transfer,
};
pub(crate) use notices::{
    ALARM_COLUMNS, DELIVERY_COLUMNS, DUE_DELIVERY_COLUMNS, NOTICE_COLUMNS, alarm, delivery, due_delivery, notice,
    notice_details, with_deliveries,
};
pub(crate) use settlement::{
    CONTENT_COLUMNS, SETTLEMENT_ACCOUNT_COLUMNS, SETTLEMENT_COLUMNS, SETTLEMENT_WINDOW_COLUMNS, TOTAL_COLUMNS,
    WINDOW_COLUMNS, WindowRow, content, settlement, settlement_account, settlement_window, statement_line, total,
    window, with_accounts, with_contents,
};

use crate::{Due, MessageId, NewMessage, PartyEntry, Question, Retry, StoreError, StoredMessage, Unanswered};
use hub_core::{
    Dialect, Flow, Participant, Rejection, Subject, SubjectKind, WindowId,
    administration::{
        AccountRecord, Delay, Endpoint, Granularity, Interchange, Oracle, ParticipantRecord, SettlementModel,
    },
    discovery::Discovery,
    quotes::{Quote, QuoteKind},
    transfers::{Hashes, Side, Terms, Transfer, TransferKind, TransferState},
};
use ledger::{Account, AccountId, Cap, ParticipantId};
use std::{fmt::Display, str::FromStr};
use vocabulary::{Amount, Condition, CorrelationId, Currency, Digest, FspId, Fulfilment, Money, PartyId, Timestamp};

/// One row, by column number. SQL's null is `None`; a value of another type than was asked for is an error.
pub(crate) trait Columns {
    /// Whole numbers of any width.
    fn number(&self, column: usize) -> Result<Option<i64>, StoreError>;
    fn flag(&self, column: usize) -> Result<bool, StoreError>;
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;
}

pub(crate) const TRANSFER_COLUMNS: &str = "key, id, is_ulid, kind, payer, payee, amount, currency, debit, credit, \
     condition, expiration, state, fulfilment, rejection, changed_at, window_id, prepare_hash, fulfil_hash, error_hash, \
     payer_dialect, payee_dialect, prepare_extensions, fulfil_extensions, fees, payer_proxy, payee_proxy, side, determining, \
     is_determining_ulid, other_amount, other_currency";
pub(crate) const DUE_COLUMNS: &str = "id, is_ulid, kind, determining, is_determining_ulid, expiration";
/// What [`TRANSFER_COLUMNS`] and [`DUE_COLUMNS`] are selected from.
pub(crate) const TRANSFERS: &str = "transfers LEFT JOIN transfer_terms ON transfer_terms.transfer = transfers.key";
pub(crate) const QUOTE_COLUMNS: &str = "key, id, is_ulid, kind, request_hash, response_hash, error_hash";
pub(crate) const PARTICIPANT_COLUMNS: &str = "id, name, is_active, is_proxy, created_at, flow";
/// The first ten suffice for [`account`].
pub(crate) const ACCOUNT_COLUMNS: &str = "id, owner, kind, currency, is_active, posted, held, cap_limit, cap_alarm, \
     cap_share, is_open, created_at, changed_at, liquidity_threshold";
pub(crate) const ENDPOINT_COLUMNS: &str = "participant, endpoint_type, value";
pub(crate) const SETTLEMENT_MODEL_COLUMNS: &str = "id, name, is_active, granularity, interchange, delay, currency, \
     requires_liquidity_check, ledger_account, settlement_account, resets_positions";
pub(crate) const ORACLE_COLUMNS: &str = "id, id_type, currency, url, is_default, is_active";
/// `sub_id` and `currency` are empty where there is none, so that they can be part of a key.
pub(crate) const PARTY_COLUMNS: &str = "id_type, identifier, sub_id, currency, fsp";
pub(crate) const MESSAGE_COLUMNS: &str = "id, recipient, payment_key, retry_until, head, body, attempts";

/// The stage of a transfer in the column `state`; only a reserved transfer can become due, and besides it a forwarded or
/// agreed one holds money.
pub(crate) const STATE_RESERVED: i16 = 1;
pub(crate) const STATE_COMMITTED: i16 = 2;
const STATE_ABORTED: i16 = 3;
const STATE_REFUSED: i16 = 4;
pub(crate) const STATE_FORWARDED: i16 = 5;
pub(crate) const STATE_AGREED: i16 = 6;

/// `kind` of a transfer between two positions; it and a conversion are the kinds that expire.
pub(crate) const KIND_PAYMENT: i16 = 1;
const KIND_FUNDS_IN: i16 = 2;
const KIND_FUNDS_OUT: i16 = 3;
pub(crate) const KIND_CONVERSION: i16 = 4;

pub(crate) const fn subject_kind_code(kind: SubjectKind) -> i16 {
    match kind {
        SubjectKind::Transfer => 1,
        SubjectKind::Quote => 2,
        SubjectKind::Conversion => 3,
        SubjectKind::ConversionQuote => 4,
    }
}

pub(crate) fn subject_kind(code: i64) -> Result<SubjectKind, StoreError> {
    let all = [SubjectKind::Transfer, SubjectKind::Quote, SubjectKind::Conversion, SubjectKind::ConversionQuote];
    let found = all.into_iter().find(|kind| i64::from(subject_kind_code(*kind)) == code);
    found.ok_or_else(|| unreadable("kind of an id", code))
}

pub(crate) const fn transfer_kind_code(kind: TransferKind) -> i16 {
    match kind {
        TransferKind::Payment => KIND_PAYMENT,
        TransferKind::FundsIn => KIND_FUNDS_IN,
        TransferKind::FundsOut => KIND_FUNDS_OUT,
        TransferKind::Conversion(_) => KIND_CONVERSION,
    }
}

/// Reads the columns `kind`, `side`, `determining`, `is_determining_ulid`, `other_amount` and `other_currency`.
fn transfer_kind(row: &impl Columns) -> Result<TransferKind, StoreError> {
    let code = required(row.number(3)?, "kind")?;
    Ok(match i16::try_from(code).unwrap_or_default() {
        KIND_PAYMENT => TransferKind::Payment,
        KIND_FUNDS_IN => TransferKind::FundsIn,
        KIND_FUNDS_OUT => TransferKind::FundsOut,
        KIND_CONVERSION => TransferKind::Conversion(Terms {
            determining: row.bytes(28)?.map(|_| correlation_id(row, 28)).transpose()?,
            side: side(required(row.number(27)?, "side")?)?,
            other: Money { amount: amount(row, 30)?, currency: parsed(row, 31, "other_currency")? },
        }),
        _ => return Err(unreadable("kind of a transfer", code)),
    })
}

pub(crate) const fn side_code(side: Side) -> i16 {
    match side {
        Side::Payer => 1,
        Side::Payee => 2,
    }
}

fn side(code: i64) -> Result<Side, StoreError> {
    let found = [Side::Payer, Side::Payee].into_iter().find(|side| i64::from(side_code(*side)) == code);
    found.ok_or_else(|| unreadable("side of a conversion", code))
}

/// Whether a transfer has a row in `transfer_terms`.
pub(crate) fn has_terms(transfer: &Transfer) -> bool {
    transfer.terms().is_some() || transfer.payer_proxy.is_some() || transfer.payee_proxy.is_some()
}

/// A transfer's state, taken apart into the columns `state`, `fulfilment` and `rejection`.
pub(crate) struct StateColumns<'a> {
    pub code: i16,
    pub fulfilment: Option<&'a [u8; 32]>,
    pub rejection: Option<Box<str>>,
}

pub(crate) fn state_columns(state: &TransferState) -> StateColumns<'_> {
    let plain = |code| StateColumns { code, fulfilment: None, rejection: None };
    match state {
        TransferState::Reserved => plain(STATE_RESERVED),
        TransferState::Forwarded => plain(STATE_FORWARDED),
        TransferState::Agreed { fulfilment } => {
            StateColumns { fulfilment: fulfilment.as_ref().map(Fulfilment::bytes), ..plain(STATE_AGREED) }
        }
        TransferState::Committed { fulfilment } => {
            StateColumns { fulfilment: fulfilment.as_ref().map(Fulfilment::bytes), ..plain(STATE_COMMITTED) }
        }
        TransferState::Aborted(cause) => StateColumns { rejection: Some(cause.to_stored()), ..plain(STATE_ABORTED) },
        TransferState::Refused(cause) => StateColumns { rejection: Some(cause.to_stored()), ..plain(STATE_REFUSED) },
    }
}

fn transfer_state(row: &impl Columns, at: usize) -> Result<TransferState, StoreError> {
    let cause = || {
        let stored = required(row.text(at + 2)?, "rejection")?;
        Rejection::from_stored(stored).ok_or_else(|| unreadable("rejection", stored))
    };
    let code = required(row.number(at)?, "state")?;
    match i16::try_from(code).unwrap_or_default() {
        STATE_RESERVED => Ok(TransferState::Reserved),
        STATE_FORWARDED => Ok(TransferState::Forwarded),
        STATE_AGREED => Ok(TransferState::Agreed { fulfilment: hash(row, at + 1)?.map(Fulfilment::new) }),
        STATE_COMMITTED => Ok(TransferState::Committed { fulfilment: hash(row, at + 1)?.map(Fulfilment::new) }),
        STATE_ABORTED => Ok(TransferState::Aborted(cause()?)),
        STATE_REFUSED => Ok(TransferState::Refused(cause()?)),
        _ => Err(unreadable("state of a transfer", code)),
    }
}

/// Reads [`TRANSFER_COLUMNS`].
pub(crate) fn transfer(row: &impl Columns) -> Result<Transfer, StoreError> {
    let legs = match (row.number(8)?, row.number(9)?) {
        (Some(debit), Some(credit)) => Some([AccountId(debit), AccountId(credit)]),
        (None, _) | (_, None) => None,
    };
    Ok(Transfer {
        key: required(row.number(0)?, "key")?,
        id: correlation_id(row, 1)?,
        kind: transfer_kind(row)?,
        payer: parsed(row, 4, "payer")?,
        payee: parsed(row, 5, "payee")?,
        payer_proxy: parsed_option(row, 25, "payer_proxy")?,
        payee_proxy: parsed_option(row, 26, "payee_proxy")?,
        money: Money { amount: amount(row, 6)?, currency: parsed(row, 7, "currency")? },
        legs,
        condition: hash(row, 10)?.map(Condition::new),
        expiration: time(row, 11)?,
        state: transfer_state(row, 12)?,
        changed_at: time(row, 15)?,
        window: row.number(16)?.map(WindowId),
        hashes: Hashes {
            prepare: required(digest(row, 17)?, "prepare_hash")?,
            fulfil: digest(row, 18)?,
            error: digest(row, 19)?,
        },
        payer_dialect: dialect(row, 20)?,
        payee_dialect: dialect(row, 21)?,
        prepare_extensions: row.text(22)?.map(Into::into),
        fulfil_extensions: row.text(23)?.map(Into::into),
        fees: fees::fees(row.text(24)?)?,
    })
}

/// Reads [`QUOTE_COLUMNS`].
pub(crate) fn quote(row: &impl Columns) -> Result<Quote, StoreError> {
    Ok(Quote {
        key: required(row.number(0)?, "key")?,
        id: correlation_id(row, 1)?,
        kind: quote_kind(required(row.number(3)?, "kind")?)?,
        request: digest(row, 4)?,
        response: digest(row, 5)?,
        error: digest(row, 6)?,
    })
}

/// Reads [`DUE_COLUMNS`].
pub(crate) fn due(row: &impl Columns) -> Result<Due, StoreError> {
    let id = correlation_id(row, 0)?;
    let is_conversion = row.number(2)? == Some(KIND_CONVERSION.into());
    let kind = if is_conversion { SubjectKind::Conversion } else { SubjectKind::Transfer };
    let payment = row.bytes(3)?.map(|_| correlation_id(row, 3)).transpose()?.unwrap_or(id);
    Ok(Due { subject: Subject { kind, id }, payment, expiration: time(row, 5)? })
}

/// A name in a column that is never null.
pub(crate) fn name(row: &impl Columns, column: usize, what: &str) -> Result<FspId, StoreError> {
    parsed(row, column, what)
}

pub(crate) const QUESTION_COLUMNS: &str = "source, id_type, identifier, sub_id, dialect, has_success, via, pending";

/// Reads [`QUESTION_COLUMNS`]: a question that is over, if nobody has answered it.
pub(crate) fn unanswered(row: &impl Columns) -> Result<Option<Unanswered>, StoreError> {
    let party = PartyId {
        id_type: parsed(row, 1, "id_type")?,
        identifier: required(row.text(2)?, "identifier")?.into(),
        sub_id: row.text(3)?.filter(|text| !text.is_empty()).map(Into::into),
    };
    let question = Question { source: parsed(row, 0, "source")?, party };
    let waits = !row.flag(5)? && row.text(7)?.is_some_and(|pending| !pending.is_empty());
    let unanswered = Unanswered { question, via: parsed_option(row, 6, "via")?, dialect: dialect(row, 4)? };
    Ok(waits.then_some(unanswered))
}

/// Proxies whose answers are awaited, in a column: a name holds no line break.
pub(crate) fn pending_column(discovery: &Discovery) -> String {
    discovery.pending.iter().map(FspId::as_str).collect::<Vec<_>>().join("\n")
}

pub(crate) const DISCOVERY_COLUMNS: &str = "pending, has_success, via, id";

/// Reads the first three of [`DISCOVERY_COLUMNS`].
pub(crate) fn discovery(row: &impl Columns) -> Result<(Discovery, Option<FspId>), StoreError> {
    let pending = required(row.text(0)?, "pending")?;
    let pending = pending.lines().map(|name| parse(name, "proxy")).collect::<Result<_, _>>()?;
    Ok((Discovery { pending, has_success: row.flag(1)? }, parsed_option(row, 2, "via")?))
}

fn quote_kind(code: i64) -> Result<QuoteKind, StoreError> {
    let all = [QuoteKind::Transfer, QuoteKind::Conversion];
    let found = all.into_iter().find(|kind| i64::from(subject_kind_code(kind.subject_kind())) == code);
    found.ok_or_else(|| unreadable("kind of a quote", code))
}

/// Reads [`PARTICIPANT_COLUMNS`].
pub(crate) fn participant(row: &impl Columns) -> Result<ParticipantRecord, StoreError> {
    let participant = Participant {
        id: ParticipantId(required(row.number(0)?, "id")?),
        name: parsed(row, 1, "name")?,
        is_active: row.flag(2)?,
        is_proxy: row.flag(3)?,
        flow: required(row.text(5)?, "flow")
            .and_then(|text| Flow::parse(text).ok_or_else(|| unreadable("flow", text)))?,
    };
    Ok(ParticipantRecord { participant, created_at: time(row, 4)? })
}

/// Reads the first ten of [`ACCOUNT_COLUMNS`].
pub(crate) fn account(row: &impl Columns) -> Result<Account, StoreError> {
    let cap = match (row.number(7)?, row.number(8)?) {
        (Some(limit), Some(alarm)) => Some(Cap {
            limit: Amount::from_units(limit),
            alarm_percentage: Amount::from_units(alarm),
            share: row.number(9)?.map(Amount::from_units),
        }),
        (None, _) | (_, None) => None,
    };
    Ok(Account {
        id: AccountId(required(row.number(0)?, "id")?),
        owner: ParticipantId(required(row.number(1)?, "owner")?),
        kind: parsed_or(row, 2, "kind of an account")?,
        currency: parsed(row, 3, "currency")?,
        is_active: row.flag(4)?,
        posted: amount(row, 5)?,
        held: amount(row, 6)?,
        cap,
    })
}

/// Reads [`ACCOUNT_COLUMNS`].
pub(crate) fn account_record(row: &impl Columns) -> Result<AccountRecord, StoreError> {
    Ok(AccountRecord {
        account: account(row)?,
        is_open: row.flag(10)?,
        created_at: time(row, 11)?,
        changed_at: time(row, 12)?,
        liquidity_threshold: row.number(13)?.map(Amount::from_units),
    })
}

/// Reads [`ENDPOINT_COLUMNS`].
pub(crate) fn endpoint(row: &impl Columns) -> Result<Endpoint, StoreError> {
    Ok(Endpoint {
        participant: ParticipantId(required(row.number(0)?, "participant")?),
        endpoint_type: required(row.text(1)?, "endpoint_type")?.into(),
        value: required(row.text(2)?, "value")?.into(),
    })
}

/// Reads [`SETTLEMENT_MODEL_COLUMNS`].
pub(crate) fn settlement_model(row: &impl Columns) -> Result<SettlementModel, StoreError> {
    let name = |column| required(row.text(column)?, "settlement model");
    let named = |text: &str| unreadable("settlement model", text);
    Ok(SettlementModel {
        id: required(row.number(0)?, "id")?,
        name: name(1)?.into(),
        is_active: row.flag(2)?,
        granularity: Granularity::parse(name(3)?).ok_or_else(|| named("granularity"))?,
        interchange: Interchange::parse(name(4)?).ok_or_else(|| named("interchange"))?,
        delay: Delay::parse(name(5)?).ok_or_else(|| named("delay"))?,
        currency: row.text(6)?.map(|text| parse(text, "currency")).transpose()?,
        requires_liquidity_check: row.flag(7)?,
        ledger_account: parsed_or(row, 8, "ledger_account")?,
        settlement_account: parsed_or(row, 9, "settlement_account")?,
        resets_positions: row.flag(10)?,
    })
}

/// Reads [`ORACLE_COLUMNS`].
pub(crate) fn oracle(row: &impl Columns) -> Result<Oracle, StoreError> {
    Ok(Oracle {
        id: required(row.number(0)?, "id")?,
        id_type: parsed(row, 1, "id_type")?,
        currency: row.text(2)?.map(|text| parse(text, "currency")).transpose()?,
        url: required(row.text(3)?, "url")?.into(),
        is_default: row.flag(4)?,
        is_active: row.flag(5)?,
    })
}

/// Reads [`PARTY_COLUMNS`].
pub(crate) fn party_entry(row: &impl Columns) -> Result<PartyEntry, StoreError> {
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let party = PartyId {
        id_type: parsed(row, 0, "id_type")?,
        identifier: required(row.text(1)?, "identifier")?.into(),
        sub_id: filled(row.text(2)?).map(Into::into),
    };
    let currency = filled(row.text(3)?).map(|text| parse(&text, "currency")).transpose()?;
    Ok(PartyEntry { party, fsp: parsed(row, 4, "fsp")?, currency })
}

/// Reads [`MESSAGE_COLUMNS`].
pub(crate) fn message(row: &impl Columns) -> Result<StoredMessage, StoreError> {
    let key = required(row.bytes(2)?, "payment_key")?;
    let bytes = |column, name| Ok::<_, StoreError>(bytes::Bytes::copy_from_slice(required(row.bytes(column)?, name)?));
    let message = NewMessage {
        to: parsed(row, 1, "recipient")?,
        payment_key: key.try_into().map_err(|_| unreadable("payment_key", key.len()))?,
        retry: Retry { until: time(row, 3)? },
        head: bytes(4, "head")?,
        body: bytes(5, "body")?,
    };
    let attempts = required(row.number(6)?, "attempts")?;
    let attempts = u32::try_from(attempts).map_err(|_| unreadable("attempts", attempts))?;
    Ok(StoredMessage { id: MessageId(required(row.number(0)?, "id")?), message, attempts })
}

/// The columns `sub_id` and `currency` of a party: empty for none.
pub(crate) fn party_sub_id(party: &PartyId) -> &str {
    party.sub_id.as_deref().unwrap_or("")
}

pub(crate) fn party_currency(currency: Option<&Currency>) -> &str {
    currency.map_or("", Currency::as_str)
}

/// As [`change_columns`], for what was done with a message of the outbox.
pub(crate) fn message_change(id: MessageId, to: Option<&FspId>) -> String {
    format!("message {} to {}", id.0, to.map_or("nobody", FspId::as_str))
}

/// The columns `id` (16 bytes) and `is_ulid`.
pub(crate) fn correlation_id(row: &impl Columns, at: usize) -> Result<CorrelationId, StoreError> {
    let bytes = required(row.bytes(at)?, "id")?;
    let bytes = bytes.try_into().map_err(|_| unreadable("id", bytes.len()))?;
    Ok(CorrelationId::from_parts(bytes, row.flag(at + 1)?))
}

pub(crate) fn time(row: &impl Columns, column: usize) -> Result<Timestamp, StoreError> {
    required(row.number(column)?, "time").map(Timestamp::from_millis)
}

pub(crate) fn amount(row: &impl Columns, column: usize) -> Result<Amount, StoreError> {
    required(row.number(column)?, "amount").map(Amount::from_units)
}

fn dialect(row: &impl Columns, column: usize) -> Result<Dialect, StoreError> {
    let code = required(row.number(column)?, "dialect")?;
    u8::try_from(code).map(Dialect).map_err(|_| unreadable("dialect", code))
}

fn digest(row: &impl Columns, column: usize) -> Result<Option<Digest>, StoreError> {
    Ok(hash(row, column)?.map(Digest))
}

fn hash(row: &impl Columns, column: usize) -> Result<Option<[u8; 32]>, StoreError> {
    let Some(bytes) = row.bytes(column)? else { return Ok(None) };
    bytes.try_into().map(Some).map_err(|_| unreadable("32 bytes", bytes.len()))
}

fn parsed<T: FromStr<Err: Display>>(row: &impl Columns, column: usize, what: &str) -> Result<T, StoreError> {
    parse(required(row.text(column)?, what)?, what)
}

fn parsed_option<T: FromStr<Err: Display>>(
    row: &impl Columns,
    column: usize,
    what: &str,
) -> Result<Option<T>, StoreError> {
    row.text(column)?.map(|text| parse(text, what)).transpose()
}

fn parse<T: FromStr<Err: Display>>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| StoreError::Data(format!("{what} '{text}' in the database: {error}")))
}

/// As [`parsed`], for types whose error has no words.
fn parsed_or<T: FromStr>(row: &impl Columns, column: usize, what: &str) -> Result<T, StoreError> {
    let text = required(row.text(column)?, what)?;
    text.parse().map_err(|_| unreadable(what, text))
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Data(format!("{what} is missing in a row of the database")))
}

fn unreadable(what: &str, value: impl Display) -> StoreError {
    StoreError::Data(format!("{what} in the database cannot be read: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a quote, whose kind is its key, and where each column can be spoilt.
    struct Row {
        key: Option<i64>,
        id: Vec<u8>,
        hash: Option<Vec<u8>>,
    }

    impl Columns for Row {
        fn number(&self, _column: usize) -> Result<Option<i64>, StoreError> {
            Ok(self.key)
        }

        fn flag(&self, _column: usize) -> Result<bool, StoreError> {
            Ok(false)
        }

        fn text(&self, _column: usize) -> Result<Option<&str>, StoreError> {
            Ok(Some("nonsense"))
        }

        fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
            Ok(if column == 1 { Some(&self.id) } else { self.hash.as_deref() })
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error_and_never_another_value() {
        let row =
            |key, id: usize, hash: Option<usize>| Row { key, id: vec![1; id], hash: hash.map(|size| vec![2; size]) };
        assert_eq!(quote(&row(Some(2), 16, Some(32))).unwrap().response, Some(Digest([2; 32])));
        assert_eq!(quote(&row(Some(2), 16, None)).unwrap().response, None);
        for spoilt in [row(None, 16, None), row(Some(2), 15, None), row(Some(2), 16, Some(31))] {
            assert!(matches!(quote(&spoilt), Err(StoreError::Data(_))));
        }
        let unknown = row(Some(77), 16, Some(32));
        assert!(matches!(transfer(&unknown), Err(StoreError::Data(_))));
        assert!(matches!(account(&unknown), Err(StoreError::Data(_))));
        assert!(matches!(party_entry(&unknown), Err(StoreError::Data(_))));
    }

    #[test]
    fn codes_of_kinds_and_states_stay_what_they_are() {
        let kinds = [TransferKind::Payment, TransferKind::FundsIn, TransferKind::FundsOut].map(transfer_kind_code);
        assert_eq!(kinds, [1, 2, 3]);
        let other = Money { amount: Amount::ZERO, currency: "EUR".parse().unwrap() };
        let conversion = TransferKind::Conversion(Terms { determining: None, side: Side::Payee, other });
        assert_eq!(transfer_kind_code(conversion), 4);
        assert_eq!([Side::Payer, Side::Payee].map(side_code), [1, 2]);
        let subjects =
            [SubjectKind::Transfer, SubjectKind::Quote, SubjectKind::Conversion, SubjectKind::ConversionQuote];
        assert_eq!(subjects.map(subject_kind_code), [1, 2, 3, 4]);
        let cause = Rejection::TransferExpired;
        let states = [
            TransferState::Reserved,
            TransferState::Committed { fulfilment: None },
            TransferState::Aborted(cause.clone()),
            TransferState::Refused(cause),
            TransferState::Forwarded,
            TransferState::Agreed { fulfilment: None },
        ];
        assert_eq!(states.each_ref().map(|state| state_columns(state).code), [1, 2, 3, 4, 5, 6]);
    }
}
