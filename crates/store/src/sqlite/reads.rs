//! What is read, by whichever connection.

use super::connection::{all, failure, first};
use crate::{Due, MessageId, PartyEntry, StoreError, StoredMessage, codec};
use hub_core::{
    Subject, WindowId,
    administration::{Directory, SettlementModel},
    fees::FeeRule,
    quotes::Quote,
    transfers::Transfer,
};
use rusqlite::{Connection, params};
use std::sync::LazyLock;
use vocabulary::{CorrelationId, FspId, PartyId, Timestamp};

static TRANSFER: LazyLock<String> = LazyLock::new(|| by_id(codec::TRANSFER_COLUMNS, codec::TRANSFERS));
static QUOTE: LazyLock<String> = LazyLock::new(|| by_id(codec::QUOTE_COLUMNS, "quotes"));
static CONVERSIONS: LazyLock<String> = LazyLock::new(|| {
    let (columns, transfers) = (codec::TRANSFER_COLUMNS, codec::TRANSFERS);
    format!("SELECT {columns} FROM {transfers} WHERE determining = ?1 AND is_determining_ulid = ?2 ORDER BY key")
});
/// Funds movements are never due: they are reserved until the end of time.
static DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM {} WHERE state = {} AND expiration < ?1 AND kind IN ({}, {}) ORDER BY expiration LIMIT ?2",
        codec::DUE_COLUMNS,
        codec::TRANSFERS,
        codec::STATE_RESERVED,
        codec::KIND_PAYMENT,
        codec::KIND_CONVERSION
    )
});
/// What was forwarded or agreed to and is over its time; the partial index serves it.
static UNDECIDED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM {} WHERE state > 4 AND expiration < ?1 ORDER BY expiration LIMIT ?2",
        codec::TRANSFER_COLUMNS,
        codec::TRANSFERS
    )
});

fn by_id(columns: &str, table: &str) -> String {
    format!(
        "SELECT {columns} FROM {table} WHERE key = \
         (SELECT key FROM ids WHERE kind = ?3 AND id = ?1 AND is_ulid = ?2)"
    )
}

pub(super) fn transfer(connection: &Connection, subject: Subject) -> Result<Option<Transfer>, StoreError> {
    let (bytes, is_ulid) = subject.id.to_parts();
    let kind = codec::subject_kind_code(subject.kind);
    first(connection, &TRANSFER, params![bytes, is_ulid, kind], |row| codec::transfer(row))
}

/// The conversions that a transfer determines, oldest first.
pub(super) fn conversions(connection: &Connection, payment: CorrelationId) -> Result<Vec<Transfer>, StoreError> {
    let (bytes, is_ulid) = payment.to_parts();
    all(connection, &CONVERSIONS, params![bytes, is_ulid], |row| codec::transfer(row))
}

pub(super) fn quote(connection: &Connection, subject: Subject) -> Result<Option<Quote>, StoreError> {
    let (bytes, is_ulid) = subject.id.to_parts();
    let kind = codec::subject_kind_code(subject.kind);
    first(connection, &QUOTE, params![bytes, is_ulid, kind], |row| codec::quote(row))
}

/// The proxy behind which an external DFSP is.
pub(super) fn route(connection: &Connection, fsp: &FspId) -> Result<Option<FspId>, StoreError> {
    let sql = "SELECT proxy FROM routes WHERE fsp = ?1";
    first(connection, sql, [fsp.as_str()], |row| codec::name(row, 0, "proxy"))
}

/// The window that is open. There always is one.
pub(super) fn open_window(connection: &Connection) -> Result<WindowId, StoreError> {
    let sql = "SELECT id FROM windows WHERE state = 'OPEN'";
    let found = first(connection, sql, [], |row| row.get(0).map_err(failure))?;
    found.map(WindowId).ok_or_else(|| StoreError::Data("no settlement window is open".into()))
}

/// The whole directory. The caller sees to it that nothing changes in between.
pub(super) fn directory(connection: &Connection) -> Result<Directory, StoreError> {
    let select = |columns: &str, table: &str| format!("SELECT {columns} FROM {table} ORDER BY id");
    Ok(Directory {
        version: directory_version(connection)?,
        participants: all(connection, &select(codec::PARTICIPANT_COLUMNS, "participants"), [], |row| {
            codec::participant(row)
        })?,
        accounts: all(connection, &select(codec::ACCOUNT_COLUMNS, "accounts"), [], |row| codec::account_record(row))?,
        account_types: all(connection, &select(codec::ACCOUNT_TYPE_COLUMNS, "account_types"), [], |row| {
            codec::account_type(row)
        })?,
        endpoints: all(connection, &select(codec::ENDPOINT_COLUMNS, "endpoints"), [], |row| codec::endpoint(row))?,
        settlement_models: all(connection, &select(codec::SETTLEMENT_MODEL_COLUMNS, "settlement_models"), [], |row| {
            codec::settlement_model(row)
        })?,
        fee_rules: all(connection, &select(codec::FEE_RULE_COLUMNS, "fee_rules"), [], |row| codec::fee_rule(row))?,
        oracles: all(connection, &select(codec::ORACLE_COLUMNS, "oracles"), [], |row| codec::oracle(row))?,
        clients: all(connection, &select(codec::CLIENT_COLUMNS, "clients"), [], |row| codec::client(row))?,
    })
}

pub(super) fn active_fee_rules(connection: &Connection) -> Result<Vec<FeeRule>, StoreError> {
    let sql = format!("SELECT {} FROM fee_rules WHERE is_active = 1 ORDER BY id", codec::FEE_RULE_COLUMNS);
    all(connection, &sql, [], |row| codec::fee_rule(row))
}

/// The transaction of a transfer, while it is kept.
pub(super) fn transaction(connection: &Connection, id: CorrelationId) -> Result<Option<Vec<u8>>, StoreError> {
    let (bytes, is_ulid) = id.to_parts();
    let sql = "SELECT body FROM transactions WHERE transfer = \
               (SELECT key FROM ids WHERE kind = 1 AND id = ?1 AND is_ulid = ?2)";
    first(connection, sql, params![bytes, is_ulid], |row| row.get(0).map_err(failure))
}

pub(super) fn active_models(connection: &Connection) -> Result<Vec<SettlementModel>, StoreError> {
    let columns = codec::SETTLEMENT_MODEL_COLUMNS;
    let sql = format!("SELECT {columns} FROM settlement_models WHERE is_active = 1 ORDER BY id");
    all(connection, &sql, [], |row| codec::settlement_model(row))
}

pub(super) fn directory_version(connection: &Connection) -> Result<i64, StoreError> {
    connection.query_row("SELECT directory_version FROM meta", [], |row| row.get(0)).map_err(failure)
}

pub(super) fn parties(connection: &Connection, party: &PartyId) -> Result<Vec<PartyEntry>, StoreError> {
    let columns = codec::PARTY_COLUMNS;
    let sql = format!("SELECT {columns} FROM parties WHERE id_type = ?1 AND identifier = ?2 ORDER BY sub_id, currency");
    all(connection, &sql, params![party.id_type.as_str(), party.identifier], |row| codec::party_entry(row))
}

pub(super) fn due(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
    all(connection, &DUE, params![now.millis(), rows(limit)], |row| codec::due(row))
}

pub(super) fn undecided(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Transfer>, StoreError> {
    all(connection, &UNDECIDED, params![now.millis(), rows(limit)], |row| codec::transfer(row))
}

/// Messages that are not dead, of whomever, from one place in the outbox to another.
pub(super) fn messages_between(
    connection: &Connection,
    after: MessageId,
    last: MessageId,
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let columns = codec::MESSAGE_COLUMNS;
    let sql = format!("SELECT {columns} FROM outbox WHERE id > ?1 AND id <= ?2 AND is_dead = 0 ORDER BY id LIMIT ?3");
    all(connection, &sql, params![after.0, last.0, rows(limit)], |row| codec::message(row))
}

/// Messages to one participant after a place, without those between two others, that are still to be claimed.
pub(super) fn messages_to(
    connection: &Connection,
    to: &FspId,
    (after, (claimed, last)): (MessageId, (MessageId, MessageId)),
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let columns = codec::MESSAGE_COLUMNS;
    let sql = format!(
        "SELECT {columns} FROM outbox WHERE recipient = ?1 AND is_dead = 0 AND id > ?2 \
         AND NOT (id > ?3 AND id <= ?4) ORDER BY id LIMIT ?5"
    );
    let place = params![to.as_str(), after.0, claimed.0, last.0, rows(limit)];
    all(connection, &sql, place, |row| codec::message(row))
}

pub(super) fn settings(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    all(connection, "SELECT name, value FROM settings ORDER BY name", [], |row| {
        Ok((row.get(0).map_err(failure)?, row.get(1).map_err(failure)?))
    })
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{connection::open_memory, schema, verify},
        *,
    };
    use rusqlite::StatementStatus;

    fn store() -> Connection {
        let connection = open_memory().unwrap();
        schema::migrate(&connection, &"Hub".parse().unwrap(), Timestamp::from_millis(0)).unwrap();
        connection
    }

    #[test]
    fn a_statement_is_parsed_once_whatever_is_bound() {
        let connection = store();
        for sql in [TRANSFER.as_str(), QUOTE.as_str(), "SELECT id FROM accounts WHERE owner = ?1 AND currency = ?2"] {
            let mut statement = connection.prepare(sql).unwrap();
            for value in 0..3 {
                let values = vec![value; statement.parameter_count()];
                let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
                assert!(rows.next().unwrap().is_none(), "{sql}");
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }

    /// What SQLite says that it will do.
    fn plan(sql: &str) -> String {
        let connection = store();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(step) = rows.next().unwrap() {
            plan += &(step.get::<_, String>(3).unwrap() + "; ");
        }
        plan
    }

    #[test]
    fn what_waits_and_what_is_converted_is_found_by_its_small_index() {
        let is_found_by = |sql: &str, indexes: &[&str]| {
            let plan = plan(sql);
            let indexes_are_used = indexes.iter().all(|index| plan.contains(&format!("USING INDEX {index}")));
            let scans_without = plan.split("; ").any(|step| step.starts_with("SCAN") && !step.contains("INDEX"));
            let sorts = plan.contains("TEMP B-TREE");
            assert!(indexes_are_used && !scans_without && !sorts, "{sql}: {plan}");
        };
        is_found_by(&DUE, &["transfers_reserved (expiration<?)"]);
        is_found_by(&UNDECIDED, &["transfers_elsewhere (expiration<?)"]);
        is_found_by(verify::HOLDS, &["transfers_reserved", "transfers_elsewhere"]);
        let conversions = plan(&CONVERSIONS);
        assert!(conversions.contains("SEARCH transfer_terms USING INDEX transfer_terms_determining"), "{conversions}");
        assert!(!conversions.contains("SCAN"), "{conversions}");
    }
}
