//! What operators change: the directory, the built-in party directory, the settings. Each change leaves a row that says
//! who did it and when.

use super::{
    clients,
    commit::one_row,
    connection::{failure, run},
    notices, reads, settlement,
};
use crate::{PartyChange, StoreError, codec};
use hub_core::{
    Participant,
    administration::{AccountRecord, AccountType, Change, Endpoint, Oracle, ParticipantRecord, SettlementModel},
    fees::{Extension, FeeRule},
    settlement::SettlementId,
};
use ledger::Entry;
use rusqlite::{Connection, params};
use vocabulary::{Amount, Currency, FspId, Timestamp};

/// Writes administrative changes in their order.
pub(super) fn write(
    connection: &Connection,
    changes: &[Change],
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for change in changes {
        match change {
            Change::AddParticipant(record) => add_participant(connection, record)?,
            Change::SetParticipant(participant) => set_participant(connection, participant)?,
            Change::AddAccountType(added) => add_account_type(connection, added)?,
            Change::AddAccount(record) => add_account(connection, record)?,
            Change::SetAccount(record) => set_account(connection, record)?,
            Change::Post { entry, settlement } => post(connection, entry, *settlement, now)?,
            Change::SetEndpoint(endpoint) => set_endpoint(connection, endpoint)?,
            Change::AddSettlementModel(model) => put_settlement_model(connection, INSERT_MODEL, model)?,
            Change::SetSettlementModel(model) => put_settlement_model(connection, UPDATE_MODEL, model)?,
            Change::AddFeeRule(rule) => add_fee_rule(connection, rule)?,
            Change::SetFeeRule(rule) => set_fee_rule(connection, rule)?,
            Change::AddOracle(oracle) => put_oracle(connection, INSERT_ORACLE, oracle)?,
            Change::SetOracle(oracle) => put_oracle(connection, UPDATE_ORACLE, oracle)?,
            Change::SetClient(client) => clients::set(connection, client)?,
            Change::OpenWindow(window) => settlement::open_window(connection, window)?,
            Change::SetWindow(window) => settlement::set_window(connection, window)?,
            Change::AddContent(content) => settlement::add_content(connection, content)?,
            Change::SetContent(content) => settlement::set_content(connection, content)?,
            Change::AddSettlement(added) => settlement::add_settlement(connection, added)?,
            Change::SetSettlement(changed) => settlement::set_settlement(connection, changed)?,
            Change::SetSettlementAccount(id, account) => settlement::set_account(connection, *id, account)?,
            Change::AddNotice(notice) => notices::add(connection, notice)?,
        }
        let (kind, change) = codec::change_columns(change);
        record_change(connection, actor, now, (kind, &change))?;
    }
    Ok(())
}

/// The settings. `seed` fills an empty table, in a transaction of its own.
pub(super) fn settings(
    connection: &Connection,
    seed: &[(String, String)],
    actor: &str,
    now: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let stored = reads::settings(connection)?;
    if !stored.is_empty() || seed.is_empty() {
        return Ok(stored);
    }
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    for (name, value) in seed {
        run(&transaction, "INSERT INTO settings (name, value) VALUES (?1, ?2)", params![name, value])?;
        record_change(&transaction, actor, now, ("seed_setting", &format!("{name}={value}")))?;
    }
    transaction.commit().map_err(failure)?;
    reads::settings(connection)
}

/// Sets one setting, in a transaction of its own.
pub(super) fn set_setting(
    connection: &Connection,
    (name, value): (&str, &str),
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failure)?;
    let sql =
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    run(&transaction, sql, params![name, value])?;
    record_change(&transaction, actor, now, ("set_setting", &format!("{name}={value}")))?;
    transaction.commit().map_err(failure)
}

/// Writes changes of the built-in party directory in their order.
pub(super) fn write_parties(connection: &Connection, changes: &[PartyChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            PartyChange::Register(entry) => {
                let (party, currency) = (&entry.party, codec::party_currency(entry.currency.as_ref()));
                let id_type = party.id_type.as_str();
                run(
                    connection,
                    "INSERT OR REPLACE INTO parties (id_type, identifier, sub_id, currency, fsp) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![id_type, party.identifier, codec::party_sub_id(party), currency, entry.fsp.as_str()],
                )?;
            }
            PartyChange::Remove { party, currency } => {
                let currency = currency.as_ref().map(Currency::as_str);
                run(
                    connection,
                    "DELETE FROM parties WHERE id_type = ?1 AND identifier = ?2 AND sub_id = ?3 \
                     AND currency = coalesce(?4, currency)",
                    params![party.id_type.as_str(), party.identifier, codec::party_sub_id(party), currency],
                )?;
            }
        }
    }
    Ok(())
}

/// Leaves a row that says who did what.
pub(super) fn record_change(
    connection: &Connection,
    actor: &str,
    now: Timestamp,
    (kind, change): (&str, &str),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO changes (at, actor, kind, change) VALUES (?1, ?2, ?3, ?4)";
    run(connection, sql, params![now.millis(), actor, kind, change]).map(drop)
}

fn add_participant(connection: &Connection, record: &ParticipantRecord) -> Result<(), StoreError> {
    let ParticipantRecord { participant, created_at } = record;
    let sql =
        "INSERT INTO participants (id, name, is_active, is_proxy, created_at, flow) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (name, flow) = (participant.name.as_str(), participant.flow.as_str());
    let columns =
        params![participant.id.0, name, participant.is_active, participant.is_proxy, created_at.millis(), flow];
    run(connection, sql, columns).map(drop)
}

fn set_participant(connection: &Connection, participant: &Participant) -> Result<(), StoreError> {
    let sql = "UPDATE participants SET is_active = ?2, flow = ?3 WHERE id = ?1";
    let changed = connection.execute(sql, params![participant.id.0, participant.is_active, participant.flow.as_str()]);
    one_row(changed, "participant", participant.id.0)
}

fn add_account_type(connection: &Connection, added: &AccountType) -> Result<(), StoreError> {
    let sql = "INSERT INTO account_types (id, name, description, is_active, is_settleable, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let AccountType { id, name, description, is_active, is_settleable, created_at } = added;
    run(connection, sql, params![id, name.as_str(), description, is_active, is_settleable, created_at.millis()])
        .map(drop)
}

fn add_account(connection: &Connection, record: &AccountRecord) -> Result<(), StoreError> {
    let account = &record.account;
    run(
        connection,
        "INSERT INTO accounts (id, owner, kind, currency, is_active, posted, held, cap_limit, cap_alarm, is_open, \
         created_at, changed_at, cap_share, liquidity_threshold) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            account.id.0,
            account.owner.0,
            account.kind.as_str(),
            account.currency.as_str(),
            account.is_active,
            account.posted.units(),
            account.held.units(),
            account.cap.map(|cap| cap.limit.units()),
            account.cap.map(|cap| cap.alarm_percentage.units()),
            record.is_open,
            record.created_at.millis(),
            record.changed_at.millis(),
            account.cap.and_then(|cap| cap.share).map(Amount::units),
            record.liquidity_threshold.map(Amount::units),
        ],
    )
    .map(drop)
}

fn set_account(connection: &Connection, record: &AccountRecord) -> Result<(), StoreError> {
    let account = &record.account;
    let changed = connection.execute(
        "UPDATE accounts SET is_active = ?2, cap_limit = ?3, cap_alarm = ?4, is_open = ?5, changed_at = ?6, \
         cap_share = ?7, liquidity_threshold = ?8 WHERE id = ?1",
        params![
            account.id.0,
            account.is_active,
            account.cap.map(|cap| cap.limit.units()),
            account.cap.map(|cap| cap.alarm_percentage.units()),
            record.is_open,
            record.changed_at.millis(),
            account.cap.and_then(|cap| cap.share).map(Amount::units),
            record.liquidity_threshold.map(Amount::units),
        ],
    );
    one_row(changed, "account", account.id.0)
}

fn add_fee_rule(connection: &Connection, rule: &FeeRule) -> Result<(), StoreError> {
    let places: Vec<String> = (1..=22).map(|place| format!("?{place}")).collect();
    let sql = format!("INSERT INTO fee_rules ({}) VALUES ({})", codec::FEE_RULE_COLUMNS, places.join(", "));
    let conditions = &rule.conditions;
    let extension = |of: &Option<Extension>| of.as_ref().map(|known| (known.key.clone(), known.value.clone())).unzip();
    let (payer_key, payer_value): (Option<Box<str>>, Option<Box<str>>) = extension(&conditions.payer_extension);
    let (payee_key, payee_value): (Option<Box<str>>, Option<Box<str>>) = extension(&conditions.payee_extension);
    let (fixed, percent, decimals) = codec::formula_columns(rule.formula);
    let columns = params![
        rule.id,
        rule.name,
        rule.is_active,
        rule.from.map(|from| from.millis()),
        rule.until.map(|until| until.millis()),
        conditions.currency.as_ref().map(Currency::as_str),
        conditions.payer.as_ref().map(FspId::as_str),
        conditions.payee.as_ref().map(FspId::as_str),
        conditions.amount_from.map(Amount::units),
        conditions.amount_to.map(Amount::units),
        conditions.scenario,
        conditions.sub_scenario,
        conditions.initiator,
        conditions.initiator_type,
        payer_key,
        payer_value,
        payee_key,
        payee_value,
        rule.debtor.as_str(),
        fixed,
        percent,
        decimals,
    ];
    run(connection, &sql, columns).map(drop)
}

fn set_fee_rule(connection: &Connection, rule: &FeeRule) -> Result<(), StoreError> {
    let sql = "UPDATE fee_rules SET is_active = ?2 WHERE id = ?1";
    one_row(connection.execute(sql, params![rule.id, rule.is_active]), "fee rule", rule.id)
}

/// Moves both balances; SQLite refuses a sum that leaves 64 bits, because a strict column takes no other type.
fn post(
    connection: &Connection,
    entry: &Entry,
    settlement: Option<SettlementId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let back = entry.amount.checked_neg().ok_or_else(|| StoreError::Data("an entry's amount is positive".into()))?;
    for (account, amount) in [(entry.debit, entry.amount), (entry.credit, back)] {
        let sql = "UPDATE accounts SET posted = posted + ?2, changed_at = ?3 WHERE id = ?1";
        let changed = connection.execute(sql, params![account.0, amount.units(), now.millis()]);
        one_row(changed, "account", account.0)?;
    }
    let (kind, amount, settlement) = (entry.kind.as_str(), entry.amount.units(), settlement.map(|known| known.0));
    let sql = "INSERT INTO entries (kind, debit, credit, amount, settlement, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    run(connection, sql, params![kind, entry.debit.0, entry.credit.0, amount, settlement, now.millis()]).map(drop)
}

/// A replaced endpoint keeps its place in the list.
fn set_endpoint(connection: &Connection, endpoint: &Endpoint) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO endpoints (participant, endpoint_type, value) VALUES (?1, ?2, ?3) \
         ON CONFLICT (participant, endpoint_type) DO UPDATE SET value = excluded.value",
        params![endpoint.participant.0, endpoint.endpoint_type, endpoint.value],
    )
    .map(drop)
}

const INSERT_MODEL: &str = "INSERT INTO settlement_models (id, name, is_active, granularity, interchange, delay, \
     currency, requires_liquidity_check, ledger_account, settlement_account, resets_positions) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const UPDATE_MODEL: &str = "UPDATE settlement_models SET name = ?2, is_active = ?3, granularity = ?4, \
     interchange = ?5, delay = ?6, currency = ?7, requires_liquidity_check = ?8, ledger_account = ?9, \
     settlement_account = ?10, resets_positions = ?11 WHERE id = ?1";

fn put_settlement_model(connection: &Connection, sql: &str, model: &SettlementModel) -> Result<(), StoreError> {
    let changed = connection.execute(
        sql,
        params![
            model.id,
            model.name,
            model.is_active,
            model.granularity.as_str(),
            model.interchange.as_str(),
            model.delay.as_str(),
            model.currency.as_ref().map(Currency::as_str),
            model.requires_liquidity_check,
            model.ledger_account.as_str(),
            model.settlement_account.as_str(),
            model.resets_positions,
        ],
    );
    one_row(changed, "settlement model", model.id)
}

const INSERT_ORACLE: &str = "INSERT INTO oracles (id, id_type, currency, url, is_default, is_active) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const UPDATE_ORACLE: &str = "UPDATE oracles SET id_type = ?2, currency = ?3, url = ?4, is_default = ?5, \
     is_active = ?6 WHERE id = ?1";

fn put_oracle(connection: &Connection, sql: &str, oracle: &Oracle) -> Result<(), StoreError> {
    let currency = oracle.currency.as_ref().map(Currency::as_str);
    let id_type = oracle.id_type.as_str();
    let changed =
        connection.execute(sql, params![oracle.id, id_type, currency, oracle.url, oracle.is_default, oracle.is_active]);
    one_row(changed, "oracle", oracle.id)
}
