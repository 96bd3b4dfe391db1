//! What a unit writes, as arrays: one statement for each table, however many rows.

use super::{
    columns::{Sixteen, without_nul},
    connection::{Request, Value},
};
use crate::{
    Mark, NewMessage, NodeId,
    codec::{fees_column, has_terms, side_code, state_columns, subject_kind_code, transfer_kind_code},
};
use hub_core::{Posting, Subject, SubjectKind, quotes::Quote, transfers::Transfer};
use ledger::Account;
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::types::ToSql;
use vocabulary::{CorrelationId, FspId, Timestamp};

const DROP_CLAIMS: &str = "DELETE FROM ids \
     USING unnest($1::SMALLINT[], $2::UUID[], $3::BOOLEAN[]) AS drop (kind, id, is_ulid) \
     WHERE ids.id = drop.id AND ids.kind = drop.kind AND ids.is_ulid = drop.is_ulid";

const ADD_TRANSFERS: &str = "INSERT INTO transfers (key, id, is_ulid, kind, payer, payee, amount, currency, debit, \
     credit, condition, expiration, state, fulfilment, rejection, changed_at, window_id, prepare_hash, fulfil_hash, \
     error_hash, payer_dialect, payee_dialect, prepare_extensions, fulfil_extensions, fees, created_at) \
     SELECT *, $26::BIGINT FROM unnest($1::BIGINT[], $2::UUID[], $3::BOOLEAN[], $4::SMALLINT[], $5::TEXT[], $6::TEXT[], \
     $7::BIGINT[], $8::TEXT[], $9::BIGINT[], $10::BIGINT[], $11::BYTEA[], $12::BIGINT[], $13::SMALLINT[], \
     $14::BYTEA[], $15::TEXT[], $16::BIGINT[], $17::BIGINT[], $18::BYTEA[], $19::BYTEA[], $20::BYTEA[], \
     $21::SMALLINT[], $22::SMALLINT[], $23::TEXT[], $24::TEXT[], $25::TEXT[])";

const ADD_TRANSACTIONS: &str = "INSERT INTO transactions (transfer, body, at) \
     SELECT *, $3::BIGINT FROM unnest($1::BIGINT[], $2::BYTEA[])";

const CHANGE_TRANSFERS: &str = "UPDATE transfers SET state = new.state, fulfilment = new.fulfilment, \
     rejection = new.rejection, changed_at = new.changed_at, window_id = new.window_id, fulfil_hash = new.fulfil_hash, \
     error_hash = new.error_hash, payer_dialect = new.payer_dialect, payee_dialect = new.payee_dialect, \
     fulfil_extensions = new.fulfil_extensions, credit = new.credit \
     FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::BYTEA[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[], $7::BYTEA[], \
     $8::BYTEA[], $9::SMALLINT[], $10::SMALLINT[], $11::TEXT[], $12::BIGINT[]) AS new (key, state, fulfilment, rejection, \
     changed_at, window_id, fulfil_hash, error_hash, payer_dialect, payee_dialect, fulfil_extensions, credit) \
     WHERE transfers.key = new.key";

const ADD_TERMS: &str = "INSERT INTO transfer_terms (transfer, payer_proxy, payee_proxy, side, determining, \
     is_determining_ulid, other_amount, other_currency) \
     SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::SMALLINT[], $5::UUID[], $6::BOOLEAN[], \
     $7::BIGINT[], $8::TEXT[])";

const ADD_QUOTES: &str = "INSERT INTO quotes (key, id, is_ulid, kind, request_hash, response_hash, error_hash, \
     created_at) SELECT *, $8::BIGINT FROM unnest($1::BIGINT[], $2::UUID[], $3::BOOLEAN[], $4::SMALLINT[], $5::BYTEA[], \
     $6::BYTEA[], $7::BYTEA[])";

const CHANGE_QUOTES: &str = "UPDATE quotes SET request_hash = new.request_hash, response_hash = new.response_hash, \
     error_hash = new.error_hash FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[], $4::BYTEA[]) \
     AS new (key, request_hash, response_hash, error_hash) WHERE quotes.key = new.key";

const ADD_ENTRIES: &str = "INSERT INTO entries (transfer, kind, debit, credit, amount, window_id, at) \
     SELECT transfer, kind, debit, credit, amount, window_id, $7::BIGINT \
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[]) \
     AS new (transfer, kind, debit, credit, amount, window_id)";

const CHANGE_BALANCES: &str = "UPDATE accounts SET posted = new.posted, held = new.held, changed_at = $4::BIGINT \
     FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS new (id, posted, held) WHERE accounts.id = new.id";

const ADD_MESSAGES: &str = "INSERT INTO outbox (node, batch, recipient, payment_key, retry_until, head, body) \
     SELECT $1::BIGINT, $2::BIGINT, recipient, payment_key, retry_until, head, body \
     FROM unnest($3::TEXT[], $4::UUID[], $5::BIGINT[], $6::BYTEA[], $7::BYTEA[]) \
     WITH ORDINALITY AS new (recipient, payment_key, retry_until, head, body, place) ORDER BY place RETURNING id";

const DROP_MESSAGES: &str = "DELETE FROM outbox WHERE id = ANY ($1::BIGINT[])";

/// Another node that has taken a message over counts its own attempts.
const MARK_MESSAGES: &str = "UPDATE outbox \
     SET attempts = new.attempts, last_error = new.last_error, is_dead = new.is_dead \
     FROM unnest($2::BIGINT[], $3::INTEGER[], $4::TEXT[], $5::BOOLEAN[]) AS new (id, attempts, last_error, is_dead) \
     WHERE outbox.id = new.id AND outbox.node = $1";

/// The keys of a unit's transfers, of those that it found and those that it makes.
pub(super) type Keys = HashMap<Subject, i64>;

/// One array.
pub(super) fn array<'a, T, V: ToSql + Sync + Send + 'a>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Value<'a> {
    Box::new(rows.iter().map(value).collect::<Vec<V>>())
}

/// A statement for rows, if there are any.
pub(super) fn request<'a, T>(sql: &'static str, rows: &[T], values: Vec<Value<'a>>) -> Option<Request<'a>> {
    (!rows.is_empty()).then(|| Request::new(sql, values))
}

/// The arrays `kind`, `id` and `is_ulid`.
pub(super) fn subject_arrays(subjects: &[Subject]) -> Vec<Value<'static>> {
    vec![
        Box::new(subjects.iter().map(|subject| subject_kind_code(subject.kind)).collect::<Vec<_>>()),
        Box::new(subjects.iter().map(|subject| Sixteen(subject.id.to_parts().0)).collect::<Vec<_>>()),
        Box::new(subjects.iter().map(|subject| subject.id.to_parts().1).collect::<Vec<_>>()),
    ]
}

pub(super) fn drop_claims(subjects: &[Subject]) -> Option<Request<'_>> {
    request(DROP_CLAIMS, subjects, subject_arrays(subjects))
}

pub(super) fn add_transfers<'a>(new: &'a [Transfer], keys: &'a Keys, at: Timestamp) -> Option<Request<'a>> {
    let values = vec![
        array(new, |transfer| keys[&transfer.subject()]),
        array(new, |transfer| Sixteen(transfer.id.to_parts().0)),
        array(new, |transfer| transfer.id.to_parts().1),
        array(new, |transfer| transfer_kind_code(transfer.kind)),
        array(new, |transfer| transfer.payer.as_str()),
        array(new, |transfer| transfer.payee.as_str()),
        array(new, |transfer| transfer.money.amount.units()),
        array(new, |transfer| transfer.money.currency.as_str()),
        array(new, |transfer| transfer.legs.map(|legs| legs[0].0)),
        array(new, |transfer| transfer.legs.map(|legs| legs[1].0)),
        array(new, |transfer| transfer.condition.as_ref().map(|condition| &condition.bytes()[..])),
        array(new, |transfer| transfer.expiration.millis()),
        array(new, |transfer| state_columns(&transfer.state).code),
        array(new, |transfer| state_columns(&transfer.state).fulfilment.map(|bytes| &bytes[..])),
        array(new, rejection),
        array(new, |transfer| transfer.changed_at.millis()),
        array(new, |transfer| transfer.window.map(|window| window.0)),
        array(new, |transfer| &transfer.hashes.prepare.0[..]),
        array(new, |transfer| transfer.hashes.fulfil.as_ref().map(|hash| &hash.0[..])),
        array(new, |transfer| transfer.hashes.error.as_ref().map(|hash| &hash.0[..])),
        array(new, |transfer| i16::from(transfer.payer_dialect.0)),
        array(new, |transfer| i16::from(transfer.payee_dialect.0)),
        array(new, |transfer| transfer.prepare_extensions.as_deref()),
        array(new, |transfer| transfer.fulfil_extensions.as_deref()),
        array(new, |transfer| fees_column(&transfer.fees)),
        Box::new(at.millis()),
    ];
    request(ADD_TRANSFERS, new, values)
}

pub(super) fn add_transactions<'a>(
    new: &'a [(CorrelationId, Box<[u8]>)],
    keys: &'a Keys,
    at: Timestamp,
) -> Option<Request<'a>> {
    let values =
        vec![array(new, |(id, _)| keys[&transfer(*id)]), array(new, |(_, body)| &body[..]), Box::new(at.millis())];
    request(ADD_TRANSACTIONS, new, values)
}

/// What only conversions and payments through proxies have.
pub(super) fn add_terms<'a>(new: &'a [Transfer], keys: &Keys) -> Option<Request<'a>> {
    let with_terms: Vec<&'a Transfer> = new.iter().filter(|transfer| has_terms(transfer)).collect();
    if with_terms.is_empty() {
        return None;
    }
    let determining = |transfer: &Transfer| transfer.terms()?.determining.map(CorrelationId::to_parts);
    let of =
        |value: &dyn Fn(&'a Transfer) -> Option<&'a str>| with_terms.iter().map(|new| value(new)).collect::<Vec<_>>();
    let values: Vec<Value<'a>> = vec![
        Box::new(with_terms.iter().map(|new| keys[&new.subject()]).collect::<Vec<_>>()),
        Box::new(of(&|new| new.payer_proxy.as_ref().map(FspId::as_str))),
        Box::new(of(&|new| new.payee_proxy.as_ref().map(FspId::as_str))),
        Box::new(with_terms.iter().map(|new| new.terms().map(|terms| side_code(terms.side))).collect::<Vec<_>>()),
        Box::new(with_terms.iter().map(|new| determining(new).map(|id| Sixteen(id.0))).collect::<Vec<_>>()),
        Box::new(with_terms.iter().map(|new| determining(new).map(|id| id.1)).collect::<Vec<_>>()),
        Box::new(with_terms.iter().map(|new| new.terms().map(|terms| terms.other.amount.units())).collect::<Vec<_>>()),
        Box::new(of(&|new| new.terms().map(|terms| terms.other.currency.as_str()))),
    ];
    Some(Request::new(ADD_TERMS, values))
}

fn transfer(id: CorrelationId) -> Subject {
    Subject { kind: SubjectKind::Transfer, id }
}

pub(super) fn change_transfers(changed: &[Transfer]) -> Option<Request<'_>> {
    let values = vec![
        array(changed, |transfer| transfer.key),
        array(changed, |transfer| state_columns(&transfer.state).code),
        array(changed, |transfer| state_columns(&transfer.state).fulfilment.map(|bytes| &bytes[..])),
        array(changed, rejection),
        array(changed, |transfer| transfer.changed_at.millis()),
        array(changed, |transfer| transfer.window.map(|window| window.0)),
        array(changed, |transfer| transfer.hashes.fulfil.as_ref().map(|hash| &hash.0[..])),
        array(changed, |transfer| transfer.hashes.error.as_ref().map(|hash| &hash.0[..])),
        array(changed, |transfer| i16::from(transfer.payer_dialect.0)),
        array(changed, |transfer| i16::from(transfer.payee_dialect.0)),
        array(changed, |transfer| transfer.fulfil_extensions.as_deref()),
        array(changed, |transfer| transfer.legs.map(|legs| legs[1].0)),
    ];
    request(CHANGE_TRANSFERS, changed, values)
}

fn rejection(transfer: &Transfer) -> Option<String> {
    state_columns(&transfer.state).rejection.map(|text| without_nul(&text).into_owned())
}

/// The key of a new quote is that of its claim, which `key_of` knows.
pub(super) fn add_quotes<'a>(new: &'a [Quote], key_of: impl Fn(&Quote) -> i64, at: Timestamp) -> Option<Request<'a>> {
    let values = vec![
        array(new, key_of),
        array(new, |quote| Sixteen(quote.id.to_parts().0)),
        array(new, |quote| quote.id.to_parts().1),
        array(new, |quote| subject_kind_code(quote.subject().kind)),
        array(new, |quote| quote.request.as_ref().map(|hash| &hash.0[..])),
        array(new, |quote| quote.response.as_ref().map(|hash| &hash.0[..])),
        array(new, |quote| quote.error.as_ref().map(|hash| &hash.0[..])),
        Box::new(at.millis()),
    ];
    request(ADD_QUOTES, new, values)
}

pub(super) fn change_quotes(changed: &[Quote]) -> Option<Request<'_>> {
    let values = vec![
        array(changed, |quote| quote.key),
        array(changed, |quote| quote.request.as_ref().map(|hash| &hash.0[..])),
        array(changed, |quote| quote.response.as_ref().map(|hash| &hash.0[..])),
        array(changed, |quote| quote.error.as_ref().map(|hash| &hash.0[..])),
    ];
    request(CHANGE_QUOTES, changed, values)
}

pub(super) fn add_entries<'a>(postings: &'a [Posting], keys: &'a Keys, at: Timestamp) -> Option<Request<'a>> {
    let values = vec![
        array(postings, |posting| keys[&posting.transfer]),
        array(postings, |posting| posting.entry.kind.as_str()),
        array(postings, |posting| posting.entry.debit.0),
        array(postings, |posting| posting.entry.credit.0),
        array(postings, |posting| posting.entry.amount.units()),
        array(postings, |posting| posting.window.map(|window| window.0)),
        Box::new(at.millis()),
    ];
    request(ADD_ENTRIES, postings, values)
}

pub(super) fn change_balances(accounts: &[Account], at: Timestamp) -> Option<Request<'_>> {
    let values = vec![
        array(accounts, |account| account.id.0),
        array(accounts, |account| account.posted.units()),
        array(accounts, |account| account.held.units()),
        Box::new(at.millis()),
    ];
    request(CHANGE_BALANCES, accounts, values)
}

pub(super) fn add_messages(messages: &[NewMessage], node: NodeId, batch: i64) -> Option<Request<'_>> {
    let values = vec![
        Box::new(node.0),
        Box::new(batch),
        array(messages, |message| message.to.as_str()),
        array(messages, |message| Sixteen(message.payment_key)),
        array(messages, |message| message.retry.until.millis()),
        array(messages, |message| &message.head[..]),
        array(messages, |message| &message.body[..]),
    ];
    request(ADD_MESSAGES, messages, values)
}

/// The last mark of a message counts, and one that is delivered or dropped is gone.
pub(super) fn marks(marks: &[Mark], node: NodeId) -> Vec<Request<'static>> {
    let mut gone = Vec::new();
    let mut tried = BTreeMap::new();
    for mark in marks {
        match mark {
            Mark::Delivered(id) | Mark::Dropped(id) => gone.push(id.0),
            Mark::Failed { id, attempts, error } => {
                tried.insert(id.0, (*attempts, error, false));
            }
            Mark::Dead { id, attempts, error } => {
                tried.insert(id.0, (*attempts, error, true));
            }
        }
    }
    let mut requests = Vec::new();
    if !tried.is_empty() {
        let attempts = |attempts| i32::try_from(attempts).unwrap_or(i32::MAX);
        requests.push(Request::new(
            MARK_MESSAGES,
            vec![
                Box::new(node.0),
                Box::new(tried.keys().copied().collect::<Vec<i64>>()),
                Box::new(tried.values().map(|tried| attempts(tried.0)).collect::<Vec<i32>>()),
                Box::new(tried.values().map(|tried| without_nul(tried.1).into_owned()).collect::<Vec<String>>()),
                Box::new(tried.values().map(|tried| tried.2).collect::<Vec<bool>>()),
            ],
        ));
    }
    if !gone.is_empty() {
        requests.push(Request::new(DROP_MESSAGES, vec![Box::new(gone)]));
    }
    requests
}
