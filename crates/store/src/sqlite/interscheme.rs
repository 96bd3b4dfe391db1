//! Routes to other schemes, and questions to them. Each change is a transaction of its own.

use super::{
    administration::record_change,
    connection::{all, failure, first, run},
    reads,
};
use crate::{Asked, Question, StoreError, Unanswered, Verdict, codec};
use hub_core::discovery::{Answered, Discovery};
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

const IS_OF: &str = "source = ?1 AND id_type = ?2 AND identifier = ?3 AND sub_id = ?4";

pub(super) fn routes(connection: &Connection) -> Result<Vec<(FspId, FspId)>, StoreError> {
    all(connection, "SELECT fsp, proxy FROM routes ORDER BY fsp", [], |row| {
        Ok((codec::name(row, 0, "fsp")?, codec::name(row, 1, "proxy")?))
    })
}

pub(super) fn learn(
    connection: &Connection,
    (fsp, proxy): (&FspId, &FspId),
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // PostgreSQL cannot store it, and a scheme may move there.
    if fsp.as_str().contains('\0') {
        return Ok(false);
    }
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let is_participant = "SELECT 1 FROM participants WHERE name = ?1";
    if first(&transaction, is_participant, [fsp.as_str()], |_| Ok(()))?.is_some() {
        return Ok(false);
    }
    if reads::route(&transaction, fsp)?.as_ref() == Some(proxy) {
        return Ok(false);
    }
    let learn = "INSERT INTO routes (fsp, proxy, learned_at) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (fsp) DO UPDATE SET proxy = excluded.proxy, learned_at = excluded.learned_at";
    run(&transaction, learn, params![fsp.as_str(), proxy.as_str(), now.millis()])?;
    record_change(&transaction, actor, now, ("learn_route", &format!("{fsp} is behind {proxy}")))?;
    transaction.commit().map_err(failure)?;
    Ok(true)
}

/// What nobody waits for any more gives way.
pub(super) fn ask(connection: &Connection, asked: &Asked, now: Timestamp) -> Result<bool, StoreError> {
    let Asked { question: Question { source, party }, via, dialect, proxies, until } = asked;
    let (id_type, sub_id) = (party.id_type.as_str(), codec::party_sub_id(party));
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let clear = format!("DELETE FROM discoveries WHERE {IS_OF} AND (pending = '' OR expires_at < ?5)");
    run(&transaction, &clear, params![source.as_str(), id_type, party.identifier, sub_id, now.millis()])?;
    let ask = "INSERT INTO discoveries (source, id_type, identifier, sub_id, via, dialect, pending, has_success, \
               expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8) ON CONFLICT DO NOTHING";
    let pending = codec::pending_column(&Discovery::of(proxies.iter().cloned()));
    let via = via.as_ref().map(FspId::as_str);
    let columns = params![source.as_str(), id_type, party.identifier, sub_id, via, dialect.0, pending, until.millis()];
    let is_asked = run(&transaction, ask, columns)? == 1;
    transaction.commit().map_err(failure)?;
    Ok(is_asked)
}

pub(super) fn asked_via(connection: &Connection, question: &Question) -> Result<Option<FspId>, StoreError> {
    Ok(find(connection, question)?.and_then(|(_, via)| via))
}

fn find(
    connection: &Connection,
    Question { source, party }: &Question,
) -> Result<Option<(Discovery, Option<FspId>)>, StoreError> {
    let of = params![source.as_str(), party.id_type.as_str(), party.identifier, codec::party_sub_id(party)];
    let sql = format!("SELECT {} FROM discoveries WHERE {IS_OF}", codec::DISCOVERY_COLUMNS);
    first(connection, &sql, of, |row| codec::discovery(row))
}

pub(super) fn answer(
    connection: &Connection,
    question: &Question,
    proxy: Option<&FspId>,
    is_success: bool,
) -> Result<Verdict, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let Some((mut discovery, via)) = find(&transaction, question)? else {
        return Ok(Verdict { answered: Answered::NotPending, via: None });
    };
    let answered = match proxy {
        Some(proxy) => discovery.answer(proxy, is_success),
        None => discovery.fail_one(),
    };
    let Question { source, party } = question;
    let (id_type, sub_id) = (party.id_type.as_str(), codec::party_sub_id(party));
    if answered != Answered::NotPending && discovery.is_over() {
        let end = format!("DELETE FROM discoveries WHERE {IS_OF}");
        run(&transaction, &end, params![source.as_str(), id_type, party.identifier, sub_id])?;
    } else {
        let note = format!("UPDATE discoveries SET pending = ?5, has_success = ?6 WHERE {IS_OF}");
        let pending = codec::pending_column(&discovery);
        let columns = params![source.as_str(), id_type, party.identifier, sub_id, pending, discovery.has_success];
        run(&transaction, &note, columns)?;
    }
    transaction.commit().map_err(failure)?;
    Ok(Verdict { answered, via })
}

pub(super) fn expire(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Unanswered>, StoreError> {
    let sql = format!(
        "DELETE FROM discoveries WHERE id IN (SELECT id FROM discoveries WHERE expires_at < ?1 LIMIT ?2) RETURNING {}",
        codec::QUESTION_COLUMNS
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let over = all(connection, &sql, params![now.millis(), limit], |row| codec::unanswered(row))?;
    Ok(over.into_iter().flatten().collect())
}
