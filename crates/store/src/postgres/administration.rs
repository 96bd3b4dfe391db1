//! The operator's directory: loaded whole, changed one change at a time. Changes are rare, so that round trips do not
//! matter.

use super::{
    clients,
    columns::{number, without_nul},
    connection::{Connection, Request, Value},
    fault, locks, notices, settlement,
};
use crate::{
    StoreError,
    codec::{
        self, ACCOUNT_COLUMNS, ACCOUNT_TYPE_COLUMNS, ENDPOINT_COLUMNS, FEE_RULE_COLUMNS, ORACLE_COLUMNS,
        PARTICIPANT_COLUMNS, SETTLEMENT_MODEL_COLUMNS, change_columns,
    },
};
use hub_core::{
    Participant,
    administration::{
        AccountRecord, AccountType, Change, Directory, Endpoint, Oracle, ParticipantRecord, SettlementModel,
    },
    fees::{Extension, FeeRule},
    settlement::SettlementId,
};
use ledger::Entry;
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::{Amount, Currency, FspId, Timestamp};

pub(super) const VERSION: &str = "SELECT directory_version FROM meta";
static ACCOUNTS: LazyLock<String> = LazyLock::new(|| format!("SELECT {ACCOUNT_COLUMNS} FROM accounts ORDER BY id"));
static ACCOUNTS_LOCKED: LazyLock<String> = LazyLock::new(|| format!("{} FOR UPDATE", *ACCOUNTS));
pub(super) static ACCOUNT_TYPES: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {ACCOUNT_TYPE_COLUMNS} FROM account_types ORDER BY id"));
static PARTICIPANTS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {PARTICIPANT_COLUMNS} FROM participants ORDER BY id"));
static ENDPOINTS: LazyLock<String> = LazyLock::new(|| format!("SELECT {ENDPOINT_COLUMNS} FROM endpoints ORDER BY id"));
static MODELS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {SETTLEMENT_MODEL_COLUMNS} FROM settlement_models ORDER BY id"));
static FEE_RULES: LazyLock<String> = LazyLock::new(|| format!("SELECT {FEE_RULE_COLUMNS} FROM fee_rules ORDER BY id"));
static ADD_FEE_RULE: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=22).map(|place| format!("${place}")).collect();
    format!("INSERT INTO fee_rules ({FEE_RULE_COLUMNS}) VALUES ({})", places.join(", "))
});
const SET_FEE_RULE: &str = "UPDATE fee_rules SET is_active = $2 WHERE id = $1";
static ORACLES: LazyLock<String> = LazyLock::new(|| format!("SELECT {ORACLE_COLUMNS} FROM oracles ORDER BY id"));

const ADD_PARTICIPANT: &str =
    "INSERT INTO participants (id, name, is_active, is_proxy, created_at, flow) VALUES ($1, $2, $3, $4, $5, $6)";
const SET_PARTICIPANT: &str = "UPDATE participants SET is_active = $2, is_proxy = $3, flow = $4 WHERE id = $1";
const ADD_ACCOUNT_TYPE: &str = "INSERT INTO account_types (id, name, description, is_active, is_settleable, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const ADD_ACCOUNT: &str = "INSERT INTO accounts (id, owner, kind, currency, is_active, posted, held, cap_limit, \
     cap_alarm, is_open, created_at, changed_at, cap_share, liquidity_threshold) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const SET_ACCOUNT: &str = "UPDATE accounts SET is_active = $2, cap_limit = $3, cap_alarm = $4, is_open = $5, \
     changed_at = $6, cap_share = $7, liquidity_threshold = $8 WHERE id = $1";
const ADD_ENTRY: &str =
    "INSERT INTO entries (kind, debit, credit, amount, settlement, at) VALUES ($1, $2, $3, $4, $5, $6)";
const MOVE_BALANCE: &str = "UPDATE accounts SET posted = posted + $2, changed_at = $3 WHERE id = $1";
const SET_ENDPOINT: &str = "INSERT INTO endpoints (participant, endpoint_type, value) VALUES ($1, $2, $3) \
     ON CONFLICT (participant, endpoint_type) DO UPDATE SET value = EXCLUDED.value";
const ADD_MODEL: &str = "INSERT INTO settlement_models (id, name, is_active, granularity, interchange, delay, \
     currency, requires_liquidity_check, ledger_account, settlement_account, resets_positions) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const SET_MODEL: &str = "UPDATE settlement_models SET name = $2, is_active = $3, granularity = $4, \
     interchange = $5, delay = $6, currency = $7, requires_liquidity_check = $8, ledger_account = $9, \
     settlement_account = $10, resets_positions = $11 WHERE id = $1";
const ADD_ORACLE: &str = "INSERT INTO oracles (id, id_type, currency, url, is_default, is_active) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const SET_ORACLE: &str =
    "UPDATE oracles SET id_type = $2, currency = $3, url = $4, is_default = $5, is_active = $6 WHERE id = $1";
pub(super) const RECORD: &str = "INSERT INTO changes (at, actor, kind, change) VALUES ($1, $2, $3, $4)";
const NEXT_VERSION: &str = "UPDATE meta SET directory_version = directory_version + 1";

/// Loads everything as it is at one moment.
pub(super) async fn load(connection: &mut Connection) -> Result<Directory, StoreError> {
    connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let directory = read(connection, &ACCOUNTS).await?;
    connection.script("COMMIT").await?;
    Ok(directory)
}

/// Waits for other administrative changes only, then loads everything; balances may move on meanwhile.
pub(super) async fn lock_and_look(connection: &mut Connection) -> Result<Directory, StoreError> {
    connection.query(locks::TAKE, vec![Box::new(locks::DIRECTORY)]).await?;
    read(connection, &ACCOUNTS).await
}

/// Waits for other administrative changes and for the payments that hold an account, then loads everything.
pub(super) async fn lock_and_load(connection: &mut Connection) -> Result<Directory, StoreError> {
    connection.query(locks::TAKE, vec![Box::new(locks::DIRECTORY)]).await?;
    read(connection, &ACCOUNTS_LOCKED).await
}

/// Writes the changes in their order, each with its audit row.
pub(super) async fn apply(
    connection: &mut Connection,
    changes: &[Change],
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for change in changes {
        write(connection, change, now).await?;
        let (kind, text) = change_columns(change);
        let record: Vec<Value<'_>> =
            vec![Box::new(now.millis()), Box::new(actor), Box::new(kind), Box::new(without_nul(&text).into_owned())];
        one(connection, RECORD, record).await?;
    }
    one(connection, NEXT_VERSION, Vec::new()).await
}

async fn read(connection: &mut Connection, accounts: &'static str) -> Result<Directory, StoreError> {
    // Accounts first: where they are locked, the rest is read after the lock was granted.
    let requests =
        [accounts, &PARTICIPANTS, &ENDPOINTS, &MODELS, &ORACLES, VERSION, &FEE_RULES, &ACCOUNT_TYPES, &clients::ALL];
    let requests = requests.map(Request::plain);
    let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
    Ok(Directory {
        version: number(&replies[5][0], 0)?,
        accounts: read_all(&replies[0], codec::account_record)?,
        participants: read_all(&replies[1], codec::participant)?,
        endpoints: read_all(&replies[2], codec::endpoint)?,
        settlement_models: read_all(&replies[3], codec::settlement_model)?,
        oracles: read_all(&replies[4], codec::oracle)?,
        fee_rules: read_all(&replies[6], codec::fee_rule)?,
        account_types: read_all(&replies[7], codec::account_type)?,
        clients: read_all(&replies[8], codec::client)?,
    })
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

async fn write(connection: &mut Connection, change: &Change, now: Timestamp) -> Result<(), StoreError> {
    match change {
        Change::AddParticipant(record) => one(connection, ADD_PARTICIPANT, participant_values(record)).await,
        Change::SetParticipant(participant) => {
            let Participant { id, is_active, is_proxy, flow, .. } = participant;
            let values: Vec<Value<'_>> =
                vec![Box::new(id.0), Box::new(*is_active), Box::new(*is_proxy), Box::new(flow.as_str())];
            one(connection, SET_PARTICIPANT, values).await
        }
        Change::AddAccountType(added) => one(connection, ADD_ACCOUNT_TYPE, account_type_values(added)).await,
        Change::AddAccount(record) => one(connection, ADD_ACCOUNT, account_values(record)).await,
        Change::SetAccount(record) => one(connection, SET_ACCOUNT, limit_values(record)).await,
        Change::Post { entry, settlement } => post(connection, entry, *settlement, now).await,
        Change::SetEndpoint(endpoint) => one(connection, SET_ENDPOINT, endpoint_values(endpoint)).await,
        Change::AddSettlementModel(model) => one(connection, ADD_MODEL, model_values(model)).await,
        Change::SetSettlementModel(model) => one(connection, SET_MODEL, model_values(model)).await,
        Change::AddFeeRule(rule) => one(connection, &ADD_FEE_RULE, fee_rule_values(rule)).await,
        Change::SetFeeRule(rule) => {
            one(connection, SET_FEE_RULE, vec![Box::new(rule.id), Box::new(rule.is_active)]).await
        }
        Change::AddOracle(oracle) => one(connection, ADD_ORACLE, oracle_values(oracle)).await,
        Change::SetOracle(oracle) => one(connection, SET_ORACLE, oracle_values(oracle)).await,
        Change::SetClient(client) => clients::set(connection, client).await,
        Change::OpenWindow(window) => settlement::open_window(connection, window).await,
        Change::SetWindow(window) => settlement::set_window(connection, window).await,
        Change::AddContent(content) => settlement::add_content(connection, content).await,
        Change::SetContent(content) => settlement::set_content(connection, content).await,
        Change::AddSettlement(added) => settlement::add_settlement(connection, added).await,
        Change::SetSettlement(changed) => settlement::set_settlement(connection, changed).await,
        Change::SetSettlementAccount(id, account) => settlement::set_account(connection, *id, account).await,
        Change::AddNotice(notice) => notices::add(connection, notice).await,
    }
}

/// Runs a statement that changes exactly one row.
pub(super) async fn one(
    connection: &mut Connection,
    sql: &'static str,
    values: Vec<Value<'_>>,
) -> Result<(), StoreError> {
    match connection.execute(sql, values).await? {
        1 => Ok(()),
        count => Err(StoreError::Data(format!("an administrative change met {count} rows instead of one: {sql}"))),
    }
}

async fn post(
    connection: &mut Connection,
    entry: &Entry,
    settlement: Option<SettlementId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (debit, credit, amount, at) = (entry.debit.0, entry.credit.0, entry.amount.units(), now.millis());
    let lowered = entry.amount.checked_neg().expect("an amount that was posted can be negated").units();
    let row: Vec<Value<'_>> = vec![
        Box::new(entry.kind.as_str()),
        Box::new(debit),
        Box::new(credit),
        Box::new(amount),
        Box::new(settlement.map(|known| known.0)),
        Box::new(at),
    ];
    one(connection, ADD_ENTRY, row).await?;
    one(connection, MOVE_BALANCE, vec![Box::new(debit), Box::new(amount), Box::new(at)]).await?;
    one(connection, MOVE_BALANCE, vec![Box::new(credit), Box::new(lowered), Box::new(at)]).await
}

fn participant_values(record: &ParticipantRecord) -> Vec<Value<'_>> {
    let participant = &record.participant;
    vec![
        Box::new(participant.id.0),
        Box::new(participant.name.as_str()),
        Box::new(participant.is_active),
        Box::new(participant.is_proxy),
        Box::new(record.created_at.millis()),
        Box::new(participant.flow.as_str()),
    ]
}

fn account_type_values(added: &AccountType) -> Vec<Value<'_>> {
    vec![
        Box::new(added.id),
        Box::new(added.name.as_str()),
        Box::new(&*added.description),
        Box::new(added.is_active),
        Box::new(added.is_settleable),
        Box::new(added.created_at.millis()),
    ]
}

fn account_values(record: &AccountRecord) -> Vec<Value<'_>> {
    let account = &record.account;
    vec![
        Box::new(account.id.0),
        Box::new(account.owner.0),
        Box::new(account.kind.as_str()),
        Box::new(account.currency.as_str()),
        Box::new(account.is_active),
        Box::new(account.posted.units()),
        Box::new(account.held.units()),
        Box::new(account.cap.map(|cap| cap.limit.units())),
        Box::new(account.cap.map(|cap| cap.alarm_percentage.units())),
        Box::new(record.is_open),
        Box::new(record.created_at.millis()),
        Box::new(record.changed_at.millis()),
        Box::new(account.cap.and_then(|cap| cap.share).map(Amount::units)),
        Box::new(record.liquidity_threshold.map(Amount::units)),
    ]
}

fn limit_values(record: &AccountRecord) -> Vec<Value<'_>> {
    let account = &record.account;
    vec![
        Box::new(account.id.0),
        Box::new(account.is_active),
        Box::new(account.cap.map(|cap| cap.limit.units())),
        Box::new(account.cap.map(|cap| cap.alarm_percentage.units())),
        Box::new(record.is_open),
        Box::new(record.changed_at.millis()),
        Box::new(account.cap.and_then(|cap| cap.share).map(Amount::units)),
        Box::new(record.liquidity_threshold.map(Amount::units)),
    ]
}

fn endpoint_values(endpoint: &Endpoint) -> Vec<Value<'_>> {
    vec![Box::new(endpoint.participant.0), Box::new(&*endpoint.endpoint_type), Box::new(&*endpoint.value)]
}

fn model_values(model: &SettlementModel) -> Vec<Value<'_>> {
    vec![
        Box::new(model.id),
        Box::new(&*model.name),
        Box::new(model.is_active),
        Box::new(model.granularity.as_str()),
        Box::new(model.interchange.as_str()),
        Box::new(model.delay.as_str()),
        Box::new(model.currency.as_ref().map(Currency::as_str)),
        Box::new(model.requires_liquidity_check),
        Box::new(model.ledger_account.as_str()),
        Box::new(model.settlement_account.as_str()),
        Box::new(model.resets_positions),
    ]
}

fn fee_rule_values<'a>(rule: &'a FeeRule) -> Vec<Value<'a>> {
    let conditions = &rule.conditions;
    let key = |of: &'a Option<Extension>| of.as_ref().map(|known| &*known.key);
    let value = |of: &'a Option<Extension>| of.as_ref().map(|known| &*known.value);
    let (fixed, percent, decimals) = codec::formula_columns(rule.formula);
    vec![
        Box::new(rule.id),
        Box::new(&*rule.name),
        Box::new(rule.is_active),
        Box::new(rule.from.map(|from| from.millis())),
        Box::new(rule.until.map(|until| until.millis())),
        Box::new(conditions.currency.as_ref().map(Currency::as_str)),
        Box::new(conditions.payer.as_ref().map(FspId::as_str)),
        Box::new(conditions.payee.as_ref().map(FspId::as_str)),
        Box::new(conditions.amount_from.map(Amount::units)),
        Box::new(conditions.amount_to.map(Amount::units)),
        Box::new(conditions.scenario.as_deref()),
        Box::new(conditions.sub_scenario.as_deref()),
        Box::new(conditions.initiator.as_deref()),
        Box::new(conditions.initiator_type.as_deref()),
        Box::new(key(&conditions.payer_extension)),
        Box::new(value(&conditions.payer_extension)),
        Box::new(key(&conditions.payee_extension)),
        Box::new(value(&conditions.payee_extension)),
        Box::new(rule.debtor.as_str()),
        Box::new(fixed),
        Box::new(percent),
        Box::new(decimals),
    ]
}

fn oracle_values(oracle: &Oracle) -> Vec<Value<'_>> {
    vec![
        Box::new(oracle.id),
        Box::new(oracle.id_type.as_str()),
        Box::new(oracle.currency.as_ref().map(Currency::as_str)),
        Box::new(&*oracle.url),
        Box::new(oracle.is_default),
        Box::new(oracle.is_active),
    ]
}
