//! Notices to operators: what was told, what is to be sent, and what alarms have said.

use super::{
    columns::{number, without_nul},
    connection::{Connection, Request, Value},
    outbox::as_limit,
    pool::Pool,
    rows::array,
};
use crate::{
    Claim, DeliveryEnd, DeliveryId, DeliveryState, DueDelivery, NoticeQuery, NoticeRow, StoreError, StoredNotice, codec,
};
use hub_core::notices::{Alarm, AlarmStep, OperatorNotice, Said};
use std::sync::LazyLock;
use vocabulary::{FspId, Timestamp};

const ADD: &str = "INSERT INTO notices (kind, participant, currency, details, made_at) VALUES ($1, $2, $3, $4, $5) \
     RETURNING id";
const ADD_DELIVERIES: &str = "INSERT INTO notice_deliveries (notice, place, recipient, channel, address, state, due, \
     attempts, changed_at) SELECT $1, place, recipient, channel, address, $5, $6, 0, $6 \
     FROM unnest($2::TEXT[], $3::TEXT[], $4::TEXT[]) WITH ORDINALITY AS added (recipient, channel, address, place)";

static ALARMS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM alarms ORDER BY account", codec::ALARM_COLUMNS));
const FIRST_ALARM: &str =
    "INSERT INTO alarms (account, since, last, count) VALUES ($1, $2, $3, $4) ON CONFLICT (account) DO NOTHING";
const NEXT_ALARM: &str = "UPDATE alarms SET since = $2, last = $3, count = $4 \
     WHERE account = $1 AND since = $5 AND last = $6 AND count = $7";
const FORGET_ALARM: &str = "DELETE FROM alarms WHERE account = $1 AND since = $2 AND last = $3 AND count = $4";

static LIST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM notices WHERE id < $1 AND participant = coalesce($2, participant) AND kind = coalesce($3, kind) \
         ORDER BY id DESC LIMIT $4",
        codec::NOTICE_COLUMNS
    )
});
static DELIVERIES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM notice_deliveries WHERE notice = ANY ($1::BIGINT[]) ORDER BY notice, place",
        codec::DELIVERY_COLUMNS
    )
});

/// The rows are locked first and by themselves, so that no plan can lock more of them than it takes.
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH due AS MATERIALIZED (SELECT notice, place FROM notice_deliveries WHERE state = 'pending' AND due <= $1 \
         ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED), claimed AS (UPDATE notice_deliveries AS taken \
         SET due = $2, attempts = attempts + 1 FROM due WHERE taken.notice = due.notice AND taken.place = due.place \
         RETURNING taken.notice, taken.place, recipient, channel, address, attempts) \
         SELECT {}, {} FROM claimed JOIN notices ON id = notice ORDER BY notice, place",
        codec::NOTICE_COLUMNS,
        codec::DUE_DELIVERY_COLUMNS
    )
});
const END: &str = "UPDATE notice_deliveries SET state = $4, due = coalesce($5, due), changed_at = $6, \
     last_error = coalesce($7, last_error) \
     WHERE notice = $1 AND place = $2 AND state = 'pending' AND (attempts = $3 OR $4 = 'sent')";
const TRIM: &str = "WITH gone AS (DELETE FROM notices WHERE id <= (SELECT max(id) FROM \
     (SELECT id, made_at FROM notices ORDER BY id LIMIT $2) AS oldest WHERE made_at < $1) RETURNING id), \
     unsent AS (DELETE FROM notice_deliveries WHERE notice = ANY (ARRAY (SELECT id FROM gone))) \
     SELECT count(*) FROM gone";

/// Adds a notice with its deliveries; part of a transaction.
pub(super) async fn add(connection: &mut Connection, notice: &OperatorNotice) -> Result<(), StoreError> {
    let made_at = notice.made_at.millis();
    let values: Vec<Value<'_>> = vec![
        Box::new(notice.content.kind().as_str()),
        Box::new(notice.participant.as_str()),
        Box::new(notice.currency.as_str()),
        Box::new(codec::notice_details(&notice.content)),
        Box::new(made_at),
    ];
    let id = number(&connection.query(ADD, values).await?[0], 0)?;
    let to = &notice.recipients;
    let deliveries: Vec<Value<'_>> = vec![
        Box::new(id),
        array(to, |recipient| recipient.name.as_str()),
        array(to, |recipient| recipient.channel.as_str()),
        array(to, |recipient| &*recipient.address),
        Box::new(DeliveryState::Pending.as_str()),
        Box::new(made_at),
    ];
    connection.execute(ADD_DELIVERIES, deliveries).await.map(drop)
}

pub(super) async fn alarms(pool: &Pool) -> Result<Vec<Alarm>, StoreError> {
    pool.read(Request::plain(&ALARMS)).await?.iter().map(codec::alarm).collect()
}

/// False if what was said is not what the step found: another node was quicker.
pub(super) async fn take_step(pool: &Pool, step: &AlarmStep) -> Result<bool, StoreError> {
    let said = |said: &Said| -> [Value<'static>; 3] {
        [Box::new(said.since.millis()), Box::new(said.last.millis()), Box::new(i64::from(said.count))]
    };
    let mut values: Vec<Value<'_>> = vec![Box::new(step.account.0)];
    let sql = match (&step.before, &step.after) {
        (None, None) => return Ok(true),
        (None, Some(_)) => FIRST_ALARM,
        (Some(_), Some(_)) => NEXT_ALARM,
        (Some(_), None) => FORGET_ALARM,
    };
    values.extend(step.after.iter().flat_map(said));
    values.extend(step.before.iter().flat_map(said));
    let take = async move |connection: &mut Connection| {
        connection.script("BEGIN").await?;
        let is_taken = connection.execute(sql, values).await? == 1;
        if is_taken && let Some(notice) = &step.notice {
            add(connection, notice).await?;
        }
        connection.script("COMMIT").await?;
        Ok(is_taken)
    };
    pool.with(take).await
}

pub(super) async fn list(pool: &Pool, query: &NoticeQuery) -> Result<Vec<NoticeRow>, StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(query.before.map_or(i64::MAX, |id| id.0)),
        Box::new(query.participant.as_ref().map(FspId::as_str)),
        Box::new(query.kind.map(|kind| kind.as_str())),
        Box::new(as_limit(query.limit)),
    ];
    let rows = pool.read(Request::new(&LIST, values)).await?;
    let notices: Vec<StoredNotice> = rows.iter().map(codec::notice).collect::<Result<_, _>>()?;
    let rows = pool.read(Request::new(&DELIVERIES, vec![array(&notices, |notice| notice.id.0)])).await?;
    Ok(codec::with_deliveries(notices, rows.iter().map(codec::delivery).collect::<Result<_, _>>()?))
}

pub(super) async fn claim(pool: &Pool, claim: Claim) -> Result<Vec<DueDelivery>, StoreError> {
    let values: Vec<Value<'_>> =
        vec![Box::new(claim.now.millis()), Box::new(claim.until.millis()), Box::new(as_limit(claim.limit))];
    let take = async move |connection: &mut Connection| connection.query(&CLAIM, values).await;
    pool.with(take).await?.iter().map(codec::due_delivery).collect()
}

/// What was sent is sent, whoever has claimed it meanwhile; else only the last claim counts.
pub(super) async fn end(pool: &Pool, (id, end): (DeliveryId, &DeliveryEnd), now: Timestamp) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = vec![
        Box::new(id.notice.0),
        Box::new(id.place),
        Box::new(i64::from(id.attempt)),
        Box::new(end.state().as_str()),
        Box::new(end.due().map(Timestamp::millis)),
        Box::new(now.millis()),
        Box::new(end.error().map(|error| without_nul(error).into_owned())),
    ];
    let write = async move |connection: &mut Connection| connection.execute(END, values).await;
    pool.with(write).await.map(drop)
}

pub(super) async fn trim(pool: &Pool, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let values: Vec<Value<'_>> = vec![Box::new(before.millis()), Box::new(as_limit(limit))];
    let trim = async move |connection: &mut Connection| connection.query(TRIM, values).await;
    Ok(usize::try_from(number(&pool.with(trim).await?[0], 0)?).unwrap_or(usize::MAX))
}
