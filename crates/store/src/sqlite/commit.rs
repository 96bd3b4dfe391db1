//! Writing what a unit has decided. All of it happens in the unit's transaction; the caller commits.

use super::{
    administration,
    connection::{failure, run},
    journal, outbox,
};
use crate::{MessageId, StoreError, UnitWork, codec};
use hub_core::{Changes, Posting, Subject, SubjectKind, quotes::Quote, transfers::Transfer};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use vocabulary::{CorrelationId, FspId, Timestamp};

/// An id that the unit has taken, and the key that it stands for.
type NewId = (i16, [u8; 16], bool, i64);

/// Writes a unit whose time is `now`; its messages come after `last_message`. Returns their ids.
pub(super) fn write(
    connection: &Connection,
    work: &UnitWork,
    now: Timestamp,
    last_message: i64,
) -> Result<Vec<MessageId>, StoreError> {
    administration::write(connection, &work.administration, &work.actor, now)?;
    administration::write_parties(connection, &work.parties)?;
    write_changes(connection, &work.changes, now)?;
    journal::add(connection, &work.journal)?;
    outbox::mark(connection, &work.marks)?;
    let messages = outbox::add(connection, &work.messages, last_message)?;
    let last_message = messages.last().map_or(last_message, |last| last.0);
    let meta = "UPDATE meta SET clock = ?1, last_message = ?2, directory_version = directory_version + ?3";
    run(connection, meta, params![now.millis(), last_message, !work.administration.is_empty()])?;
    Ok(messages)
}

fn write_changes(connection: &Connection, changes: &Changes, now: Timestamp) -> Result<(), StoreError> {
    let mut ids: Vec<NewId> = Vec::with_capacity(changes.new_transfers.len() + changes.new_quotes.len());
    let mut keys = HashMap::with_capacity(changes.new_transfers.len() + changes.changed_transfers.len());
    add_transfers(connection, &changes.new_transfers, now, |transfer, key| {
        keys.insert(transfer.subject(), key);
        ids.push(new_id(transfer.subject(), key));
    })?;
    add_quotes(connection, &changes.new_quotes, now, |quote, key| {
        ids.push(new_id(quote.subject(), key));
    })?;
    // Neighbours in the index are written one after the other.
    ids.sort_unstable();
    add_ids(connection, &ids)?;
    change_transfers(connection, &changes.changed_transfers)?;
    keys.extend(changes.changed_transfers.iter().map(|transfer| (transfer.subject(), transfer.key)));
    add_terms(connection, &changes.new_transfers, &keys)?;
    change_quotes(connection, &changes.changed_quotes)?;
    add_transactions(connection, &changes.transactions, &keys, now)?;
    add_entries(connection, &changes.postings, &keys, now)?;
    let mut balance = connection
        .prepare_cached("UPDATE accounts SET posted = ?2, held = ?3, changed_at = ?4 WHERE id = ?1")
        .map_err(failure)?;
    for account in &changes.accounts {
        let (posted, held) = (account.posted.units(), account.held.units());
        one_row(balance.execute(params![account.id.0, posted, held, now.millis()]), "account", account.id.0)?;
    }
    Ok(())
}

fn add_transactions(
    connection: &Connection,
    transactions: &[(CorrelationId, Box<[u8]>)],
    keys: &HashMap<Subject, i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO transactions (transfer, body, at) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql).map_err(failure)?;
    for (id, body) in transactions {
        let of = Subject { kind: SubjectKind::Transfer, id: *id };
        insert.execute(params![keys[&of], body, now.millis()]).map_err(failure)?;
    }
    Ok(())
}

/// What only conversions and payments through proxies have.
fn add_terms(connection: &Connection, transfers: &[Transfer], keys: &HashMap<Subject, i64>) -> Result<(), StoreError> {
    let sql = "INSERT INTO transfer_terms (transfer, payer_proxy, payee_proxy, side, determining, is_determining_ulid, \
               other_amount, other_currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    for transfer in transfers.iter().filter(|transfer| codec::has_terms(transfer)) {
        let terms = transfer.terms();
        let determining = terms.and_then(|terms| terms.determining).map(CorrelationId::to_parts);
        let columns = params![
            keys[&transfer.subject()],
            transfer.payer_proxy.as_ref().map(FspId::as_str),
            transfer.payee_proxy.as_ref().map(FspId::as_str),
            terms.map(|terms| codec::side_code(terms.side)),
            determining.map(|parts| parts.0),
            determining.map(|parts| parts.1),
            terms.map(|terms| terms.other.amount.units()),
            terms.map(|terms| terms.other.currency.as_str()),
        ];
        run(connection, sql, columns)?;
    }
    Ok(())
}

fn new_id(subject: Subject, key: i64) -> NewId {
    let (bytes, is_ulid) = subject.id.to_parts();
    (codec::subject_kind_code(subject.kind), bytes, is_ulid, key)
}

fn add_ids(connection: &Connection, ids: &[NewId]) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT INTO ids (kind, id, is_ulid, key) VALUES (?1, ?2, ?3, ?4)")
        .map_err(failure)?;
    for (kind, id, is_ulid, key) in ids {
        insert.execute(params![kind, id, is_ulid, key]).map_err(failure)?;
    }
    Ok(())
}

fn add_transfers(
    connection: &Connection,
    transfers: &[Transfer],
    now: Timestamp,
    mut added: impl FnMut(&Transfer, i64),
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO transfers (id, is_ulid, kind, payer, payee, amount, currency, debit, credit, condition, \
             expiration, state, fulfilment, rejection, changed_at, window_id, prepare_hash, fulfil_hash, error_hash, \
             payer_dialect, payee_dialect, prepare_extensions, fulfil_extensions, created_at, fees) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
             ?22, ?23, ?24, ?25)",
        )
        .map_err(failure)?;
    for transfer in transfers {
        let (id, is_ulid) = transfer.id.to_parts();
        let state = codec::state_columns(&transfer.state);
        let [debit, credit] = transfer.legs.map_or([None, None], |legs| legs.map(|leg| Some(leg.0)));
        let columns = params![
            id,
            is_ulid,
            codec::transfer_kind_code(transfer.kind),
            transfer.payer.as_str(),
            transfer.payee.as_str(),
            transfer.money.amount.units(),
            transfer.money.currency.as_str(),
            debit,
            credit,
            transfer.condition.as_ref().map(|condition| condition.bytes()),
            transfer.expiration.millis(),
            state.code,
            state.fulfilment,
            state.rejection,
            transfer.changed_at.millis(),
            transfer.window.map(|window| window.0),
            transfer.hashes.prepare.0,
            transfer.hashes.fulfil.map(|hash| hash.0),
            transfer.hashes.error.map(|hash| hash.0),
            transfer.payer_dialect.0,
            transfer.payee_dialect.0,
            transfer.prepare_extensions,
            transfer.fulfil_extensions,
            now.millis(),
            codec::fees_column(&transfer.fees),
        ];
        added(transfer, insert.insert(columns).map_err(failure)?);
    }
    Ok(())
}

fn change_transfers(connection: &Connection, transfers: &[Transfer]) -> Result<(), StoreError> {
    let mut update = connection
        .prepare_cached(
            "UPDATE transfers SET state = ?2, fulfilment = ?3, rejection = ?4, changed_at = ?5, window_id = ?6, \
             fulfil_hash = ?7, error_hash = ?8, payer_dialect = ?9, payee_dialect = ?10, fulfil_extensions = ?11, \
             credit = ?12 WHERE key = ?1",
        )
        .map_err(failure)?;
    for transfer in transfers {
        let state = codec::state_columns(&transfer.state);
        let columns = params![
            transfer.key,
            state.code,
            state.fulfilment,
            state.rejection,
            transfer.changed_at.millis(),
            transfer.window.map(|window| window.0),
            transfer.hashes.fulfil.map(|hash| hash.0),
            transfer.hashes.error.map(|hash| hash.0),
            transfer.payer_dialect.0,
            transfer.payee_dialect.0,
            transfer.fulfil_extensions,
            transfer.legs.map(|legs| legs[1].0),
        ];
        one_row(update.execute(columns), "transfer", transfer.key)?;
    }
    Ok(())
}

fn add_quotes(
    connection: &Connection,
    quotes: &[Quote],
    now: Timestamp,
    mut added: impl FnMut(&Quote, i64),
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO quotes (id, is_ulid, kind, request_hash, response_hash, error_hash, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .map_err(failure)?;
    for quote in quotes {
        let (id, is_ulid) = quote.id.to_parts();
        let [request, response, error] = hashes(quote);
        let kind = codec::subject_kind_code(quote.subject().kind);
        let key = insert.insert(params![id, is_ulid, kind, request, response, error, now.millis()]).map_err(failure)?;
        added(quote, key);
    }
    Ok(())
}

fn change_quotes(connection: &Connection, quotes: &[Quote]) -> Result<(), StoreError> {
    let mut update = connection
        .prepare_cached("UPDATE quotes SET request_hash = ?2, response_hash = ?3, error_hash = ?4 WHERE key = ?1")
        .map_err(failure)?;
    for quote in quotes {
        let [request, response, error] = hashes(quote);
        one_row(update.execute(params![quote.key, request, response, error]), "quote", quote.key)?;
    }
    Ok(())
}

fn hashes(quote: &Quote) -> [Option<[u8; 32]>; 3] {
    [quote.request, quote.response, quote.error].map(|hash| hash.map(|digest| digest.0))
}

fn add_entries(
    connection: &Connection,
    postings: &[Posting],
    keys: &HashMap<Subject, i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(INSERT_ENTRY).map_err(failure)?;
    for Posting { entry, transfer, window } in postings {
        let key = keys.get(transfer).ok_or_else(|| {
            StoreError::Data(format!("an entry belongs to transfer {}, which its unit does not write", transfer.id))
        })?;
        let columns = params![
            key,
            entry.kind.as_str(),
            entry.debit.0,
            entry.credit.0,
            entry.amount.units(),
            window.map(|window| window.0),
            now.millis()
        ];
        insert.execute(columns).map_err(failure)?;
    }
    Ok(())
}

/// Transfer, kind, debit, credit, amount, window, time.
const INSERT_ENTRY: &str = "INSERT INTO entries (transfer, kind, debit, credit, amount, window_id, at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// A row that a unit changes exists.
pub(super) fn one_row(changed: rusqlite::Result<usize>, what: &str, key: i64) -> Result<(), StoreError> {
    match changed.map_err(failure)? {
        1 => Ok(()),
        rows => Err(StoreError::Data(format!("{what} {key} is to be changed, and {rows} rows have this key"))),
    }
}
