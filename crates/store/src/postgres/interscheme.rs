//! Routes to other schemes, and questions to them. Each change is a transaction of its own.

use super::{
    PostgresStore,
    administration::RECORD,
    columns::number,
    connection::{Connection, Request, Value},
    migrations::now_ms,
    outbox::as_limit,
};
use crate::{
    Question, StoreError, Unanswered,
    codec::{self, QUESTION_COLUMNS},
};
use hub_core::{
    Dialect,
    discovery::{Answered, Discovery},
};
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::{FspId, Timestamp};

const ROUTE: &str = "SELECT proxy FROM routes WHERE fsp = $1";
const ROUTES: &str = "SELECT fsp, proxy FROM routes ORDER BY fsp";
/// Returns the time of the change, or nothing where nothing changes.
const LEARN: &str = concat!(
    "INSERT INTO routes (fsp, proxy, learned_at) SELECT $1, $2, ",
    now_ms!(),
    " WHERE NOT EXISTS (SELECT FROM participants WHERE name = $1) ON CONFLICT (fsp) DO UPDATE \
     SET proxy = EXCLUDED.proxy, learned_at = EXCLUDED.learned_at WHERE routes.proxy <> EXCLUDED.proxy \
     RETURNING learned_at"
);
const ASK: &str = "INSERT INTO discoveries (source, id_type, identifier, sub_id, dialect, pending, has_success, \
     expires_at) VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7) ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT pending, has_success, id FROM discoveries WHERE source = $1 AND id_type = $2 \
     AND identifier = $3 AND sub_id = $4 FOR UPDATE";
const END: &str = "DELETE FROM discoveries WHERE id = $1";
const NOTE: &str = "UPDATE discoveries SET pending = $2, has_success = $3 WHERE id = $1";
static EXPIRE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "DELETE FROM discoveries WHERE id IN (SELECT id FROM discoveries \
         WHERE expires_at < {} LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING {QUESTION_COLUMNS}",
        now_ms!()
    )
});

impl PostgresStore {
    pub(super) async fn find_route(&self, fsp: &FspId) -> Result<Option<FspId>, StoreError> {
        // A name with a NUL cannot be stored and so is behind nothing.
        if fsp.as_str().contains('\0') {
            return Ok(None);
        }
        let rows = self.pool.read(Request::new(ROUTE, vec![Box::new(fsp.as_str())])).await?;
        rows.first().map(|row| codec::name(row, 0, "proxy")).transpose()
    }

    pub(super) async fn all_routes(&self) -> Result<Vec<(FspId, FspId)>, StoreError> {
        let route = |row: &Row| Ok((codec::name(row, 0, "fsp")?, codec::name(row, 1, "proxy")?));
        self.pool.read(Request::plain(ROUTES)).await?.iter().map(route).collect()
    }

    pub(super) async fn learn(&self, fsp: &FspId, proxy: &FspId) -> Result<bool, StoreError> {
        if fsp.as_str().contains('\0') {
            return Ok(false);
        }
        let learn = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            let rows = connection.query(LEARN, vec![Box::new(fsp.as_str()), Box::new(proxy.as_str())]).await?;
            let changed_at = rows.first().map(|row| number(row, 0)).transpose()?;
            if let Some(now) = changed_at {
                let change = format!("{fsp} is behind {proxy}");
                let values: Vec<Value<'_>> =
                    vec![Box::new(now), Box::new(proxy.as_str()), Box::new("learn_route"), Box::new(change)];
                connection.execute(RECORD, values).await?;
            }
            connection.script("COMMIT").await?;
            Ok(changed_at.is_some())
        };
        self.pool.with(learn).await
    }

    pub(super) async fn ask(
        &self,
        question: &Question,
        dialect: Dialect,
        (proxies, until): (Vec<FspId>, Timestamp),
    ) -> Result<bool, StoreError> {
        let mut values = of(question);
        values.push(Box::new(i16::from(dialect.0)));
        values.push(Box::new(codec::pending_column(&Discovery::of(proxies))));
        values.push(Box::new(until.millis()));
        self.pool.with(async move |connection| Ok(connection.execute(ASK, values).await? == 1)).await
    }

    pub(super) async fn answer(
        &self,
        question: &Question,
        proxy: &FspId,
        is_success: bool,
    ) -> Result<Answered, StoreError> {
        let answer = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            let rows = connection.query(FIND, of(question)).await?;
            let answered = match rows.first() {
                None => Answered::NotPending,
                Some(row) => {
                    let mut discovery = codec::discovery(row)?;
                    let answered = discovery.answer(proxy, is_success);
                    let id = number(row, 2)?;
                    if discovery.is_over() {
                        connection.execute(END, vec![Box::new(id)]).await?;
                    } else {
                        let pending = codec::pending_column(&discovery);
                        let values: Vec<Value<'_>> =
                            vec![Box::new(id), Box::new(pending), Box::new(discovery.has_success)];
                        connection.execute(NOTE, values).await?;
                    }
                    answered
                }
            };
            connection.script("COMMIT").await?;
            Ok(answered)
        };
        self.pool.with(answer).await
    }

    pub(super) async fn expire(&self, limit: usize) -> Result<Vec<Unanswered>, StoreError> {
        let limit = as_limit(limit);
        let expire = async |connection: &mut Connection| connection.query(&EXPIRE, vec![Box::new(limit)]).await;
        let over = self.pool.with(expire).await?;
        Ok(over.iter().map(codec::unanswered).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

fn of(question: &Question) -> Vec<Value<'_>> {
    let Question { source, party } = question;
    vec![
        Box::new(source.as_str()),
        Box::new(party.id_type.as_str()),
        Box::new(&*party.identifier),
        Box::new(codec::party_sub_id(party)),
    ]
}
