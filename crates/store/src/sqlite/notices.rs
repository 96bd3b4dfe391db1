//! Notices to operators: what was told, what is to be sent, and what alarms have said.

use super::connection::{all, failure, run};
use crate::{
    Claim, DeliveryEnd, DeliveryId, DeliveryState, DueDelivery, NoticeQuery, NoticeRow, StoreError, StoredNotice, codec,
};
use hub_core::notices::{Alarm, AlarmStep, OperatorNotice};
use rusqlite::{Connection, params};
use vocabulary::{FspId, Timestamp};

/// Adds a notice with its deliveries; part of a transaction.
pub(super) fn add(connection: &Connection, notice: &OperatorNotice) -> Result<(), StoreError> {
    let sql = "INSERT INTO notices (kind, participant, currency, details, made_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (content, made_at) = (&notice.content, notice.made_at.millis());
    let (kind, details) = (content.kind().as_str(), codec::notice_details(content));
    run(connection, sql, params![kind, notice.participant.as_str(), notice.currency.as_str(), details, made_at])?;
    let id = connection.last_insert_rowid();
    for (place, to) in (1..).zip(&notice.recipients) {
        let sql = "INSERT INTO notice_deliveries (notice, place, recipient, channel, address, state, due, attempts, \
                   changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?7)";
        let place: i64 = place;
        let state = DeliveryState::Pending.as_str();
        run(connection, sql, params![id, place, to.name.as_str(), to.channel.as_str(), to.address, state, made_at])?;
    }
    Ok(())
}

pub(super) fn alarms(connection: &Connection) -> Result<Vec<Alarm>, StoreError> {
    let sql = format!("SELECT {} FROM alarms ORDER BY account", codec::ALARM_COLUMNS);
    all(connection, &sql, [], |row| codec::alarm(row))
}

/// In a transaction of its own; false if what was said is not what the step found.
pub(super) fn take_step(connection: &Connection, step: &AlarmStep) -> Result<bool, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let found = all(
        &transaction,
        "SELECT account, since, last, count FROM alarms WHERE account = ?1",
        [step.account.0],
        |row| codec::alarm(row),
    )?;
    if found.first().map(|alarm| alarm.said) != step.before {
        return Ok(false);
    }
    match &step.after {
        Some(said) => {
            let sql = "INSERT OR REPLACE INTO alarms (account, since, last, count) VALUES (?1, ?2, ?3, ?4)";
            run(&transaction, sql, params![step.account.0, said.since.millis(), said.last.millis(), said.count])?
        }
        None => run(&transaction, "DELETE FROM alarms WHERE account = ?1", [step.account.0])?,
    };
    if let Some(notice) = &step.notice {
        add(&transaction, notice)?;
    }
    transaction.commit().map_err(failure)?;
    Ok(true)
}

pub(super) fn list(connection: &Connection, query: &NoticeQuery) -> Result<Vec<NoticeRow>, StoreError> {
    let sql = format!(
        "SELECT {} FROM notices WHERE id < ?1 AND participant = coalesce(?2, participant) \
         AND kind = coalesce(?3, kind) ORDER BY id DESC LIMIT ?4",
        codec::NOTICE_COLUMNS
    );
    let before = query.before.map_or(i64::MAX, |id| id.0);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let (participant, kind) = (query.participant.as_ref().map(FspId::as_str), query.kind.map(|kind| kind.as_str()));
    let notices: Vec<StoredNotice> =
        all(connection, &sql, params![before, participant, kind, limit], |row| codec::notice(row))?;
    let sql = format!("SELECT {} FROM notice_deliveries WHERE notice = ?1 ORDER BY place", codec::DELIVERY_COLUMNS);
    let mut deliveries = Vec::new();
    for notice in &notices {
        deliveries.extend(all(connection, &sql, [notice.id.0], |row| codec::delivery(row))?);
    }
    Ok(codec::with_deliveries(notices, deliveries))
}

/// In a transaction of its own.
pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<DueDelivery>, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let sql = format!(
        "SELECT {}, {} FROM notice_deliveries JOIN notices ON id = notice WHERE state = 'pending' AND due <= ?1 \
         ORDER BY due, notice, place LIMIT ?2",
        codec::NOTICE_COLUMNS,
        codec::DUE_DELIVERY_COLUMNS
    );
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let mut found = all(&transaction, &sql, params![claim.now.millis(), limit], |row| codec::due_delivery(row))?;
    for delivery in &mut found {
        delivery.id.attempt += 1;
        let DeliveryId { notice, place, attempt } = delivery.id;
        let sql = "UPDATE notice_deliveries SET due = ?3, attempts = ?4 WHERE notice = ?1 AND place = ?2";
        run(&transaction, sql, params![notice.0, place, claim.until.millis(), attempt])?;
    }
    transaction.commit().map_err(failure)?;
    Ok(found)
}

/// What was sent is sent, whoever has claimed it meanwhile; else only the last claim counts.
pub(super) fn end(
    connection: &Connection,
    (id, end): (DeliveryId, &DeliveryEnd),
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE notice_deliveries SET state = ?4, due = coalesce(?5, due), changed_at = ?6, \
               last_error = coalesce(?7, last_error) \
               WHERE notice = ?1 AND place = ?2 AND state = 'pending' AND (attempts = ?3 OR ?4 = 'sent')";
    let due = end.due().map(Timestamp::millis);
    let state = end.state().as_str();
    let columns = params![id.notice.0, id.place, id.attempt, state, due, now.millis(), end.error()];
    run(connection, sql, columns).map(drop)
}

/// In a transaction of its own. Ids grow with time.
pub(super) fn trim(connection: &Connection, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "DELETE FROM notices WHERE id <= (SELECT max(id) FROM \
               (SELECT id, made_at FROM notices ORDER BY id LIMIT ?2) WHERE made_at < ?1)";
    let trimmed = run(&transaction, sql, params![before.millis(), limit])?;
    if trimmed > 0 {
        let sql = "DELETE FROM notice_deliveries WHERE notice < (SELECT coalesce(min(id), ?1) FROM notices)";
        run(&transaction, sql, [i64::MAX])?;
    }
    transaction.commit().map_err(failure)?;
    Ok(trimmed)
}
