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
    Asked, Question, StoreError, Unanswered, Verdict,
    codec::{self, DISCOVERY_COLUMNS, QUESTION_COLUMNS},
};
use hub_core::discovery::{Answered, Discovery};
use std::sync::LazyLock;
use tokio_postgres::Row;
use vocabulary::FspId;

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
/// What nobody waits for any more gives way.
const CLEAR: &str = concat!(
    "DELETE FROM discoveries WHERE source = $1 AND id_type = $2 AND identifier = $3 AND sub_id = $4 \
     AND (pending = '' OR expires_at < ",
    now_ms!(),
    ")"
);
const ASK: &str = "INSERT INTO discoveries (source, id_type, identifier, sub_id, via, dialect, pending, has_success, \
     expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8) ON CONFLICT DO NOTHING";
static FIND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {DISCOVERY_COLUMNS} FROM discoveries WHERE source = $1 AND id_type = $2 \
         AND identifier = $3 AND sub_id = $4 FOR UPDATE"
    )
});
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

    pub(super) async fn learn(&self, fsp: &FspId, proxy: &FspId, actor: &str) -> Result<bool, StoreError> {
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
                    vec![Box::new(now), Box::new(actor), Box::new("learn_route"), Box::new(change)];
                connection.execute(RECORD, values).await?;
            }
            connection.script("COMMIT").await?;
            Ok(changed_at.is_some())
        };
        self.pool.with(learn).await
    }

    pub(super) async fn begin_question(&self, asked: &Asked) -> Result<bool, StoreError> {
        let Asked { question, via, dialect, proxies, until } = asked;
        let pending = codec::pending_column(&Discovery::of(proxies.iter().cloned()));
        let ask = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            connection.execute(CLEAR, of(question)).await?;
            let mut values = of(question);
            values.push(Box::new(via.as_ref().map(FspId::as_str)));
            values.push(Box::new(i16::from(dialect.0)));
            values.push(Box::new(pending.as_str()));
            values.push(Box::new(until.millis()));
            let is_asked = connection.execute(ASK, values).await? == 1;
            connection.script("COMMIT").await?;
            Ok(is_asked)
        };
        self.pool.with(ask).await
    }

    pub(super) async fn find_asker(&self, question: &Question) -> Result<Option<FspId>, StoreError> {
        let find = async |connection: &mut Connection| connection.query(&FIND, of(question)).await;
        let rows = self.pool.with(find).await?;
        Ok(rows.first().map(codec::discovery).transpose()?.and_then(|(_, via)| via))
    }

    pub(super) async fn answer(
        &self,
        question: &Question,
        proxy: Option<&FspId>,
        is_success: bool,
    ) -> Result<Verdict, StoreError> {
        let answer = async |connection: &mut Connection| {
            connection.script("BEGIN").await?;
            let rows = connection.query(&FIND, of(question)).await?;
            let verdict = match rows.first() {
                None => Verdict { answered: Answered::NotPending, via: None },
                Some(row) => {
                    let (mut discovery, via) = codec::discovery(row)?;
                    let answered = match proxy {
                        Some(proxy) => discovery.answer(proxy, is_success),
                        None => discovery.fail_one(),
                    };
                    note(connection, number(row, 3)?, (&discovery, answered)).await?;
                    Verdict { answered, via }
                }
            };
            connection.script("COMMIT").await?;
            Ok(verdict)
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

async fn note(
    connection: &mut Connection,
    id: i64,
    (discovery, answered): (&Discovery, Answered),
) -> Result<(), StoreError> {
    let values: Vec<Value<'_>> = if answered != Answered::NotPending && discovery.is_over() {
        return connection.execute(END, vec![Box::new(id)]).await.map(drop);
    } else {
        vec![Box::new(id), Box::new(codec::pending_column(discovery)), Box::new(discovery.has_success)]
    };
    connection.execute(NOTE, values).await.map(drop)
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
