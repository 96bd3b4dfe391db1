//! Routes to other schemes, and questions to them. Each change is a transaction of its own.

use super::{
    administration::record_change,
    connection::{all, failure, first, run},
    reads,
};
use crate::{Question, StoreError, Unanswered, codec};
use hub_core::{
    Dialect,
    discovery::{Answered, Discovery},
};
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

const IS_OF: &str = "source = ?1 AND id_type = ?2 AND identifier = ?3 AND sub_id = ?4";

pub(super) fn routes(connection: &Connection) -> Result<Vec<(FspId, FspId)>, StoreError> {
    all(connection, "SELECT fsp, proxy FROM routes ORDER BY fsp", [], |row| {
        Ok((codec::name(row, 0, "fsp")?, codec::name(row, 1, "proxy")?))
    })
}

pub(super) fn learn(connection: &Connection, fsp: &FspId, proxy: &FspId, now: Timestamp) -> Result<bool, StoreError> {
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
    record_change(&transaction, proxy.as_str(), now, ("learn_route", &format!("{fsp} is behind {proxy}")))?;
    transaction.commit().map_err(failure)?;
    Ok(true)
}

pub(super) fn ask(
    connection: &Connection,
    question: &Question,
    dialect: Dialect,
    (proxies, until): (Vec<FspId>, Timestamp),
) -> Result<bool, StoreError> {
    let ask = "INSERT INTO discoveries (source, id_type, identifier, sub_id, dialect, pending, has_success, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7) ON CONFLICT DO NOTHING";
    let Question { source, party } = question;
    let pending = codec::pending_column(&Discovery::of(proxies));
    let columns = params![
        source.as_str(),
        party.id_type.as_str(),
        party.identifier,
        codec::party_sub_id(party),
        dialect.0,
        pending,
        until.millis()
    ];
    Ok(run(connection, ask, columns)? == 1)
}

pub(super) fn answer(
    connection: &Connection,
    Question { source, party }: &Question,
    proxy: &FspId,
    is_success: bool,
) -> Result<Answered, StoreError> {
    let of = params![source.as_str(), party.id_type.as_str(), party.identifier, codec::party_sub_id(party)];
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let find = format!("SELECT pending, has_success FROM discoveries WHERE {IS_OF}");
    let Some(mut discovery) = first(&transaction, &find, of, |row| codec::discovery(row))? else {
        return Ok(Answered::NotPending);
    };
    let answered = discovery.answer(proxy, is_success);
    if discovery.is_over() {
        run(&transaction, &format!("DELETE FROM discoveries WHERE {IS_OF}"), of)?;
    } else {
        let columns = params![
            source.as_str(),
            party.id_type.as_str(),
            party.identifier,
            codec::party_sub_id(party),
            codec::pending_column(&discovery),
            discovery.has_success
        ];
        run(&transaction, &format!("UPDATE discoveries SET pending = ?5, has_success = ?6 WHERE {IS_OF}"), columns)?;
    }
    transaction.commit().map_err(failure)?;
    Ok(answered)
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
