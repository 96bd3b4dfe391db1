//! One connection: its settings, its prepared statements, and requests that share a round trip.
//!
//! Invariant: the requests of a pipeline are sent, and so executed, in their order; all their replies are taken before
//! the pipeline returns, so that the connection is never left in the middle of one.

use super::{address::Address, fault};
use crate::StoreError;
use std::{collections::HashMap, future::poll_fn, pin::Pin, task::Poll};
use tokio_postgres::{Client, Error, NoTls, Row, Statement, types::ToSql};

/// A parameter of a statement.
pub(super) type Value<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// One statement with its parameters.
pub(super) struct Request<'a> {
    pub sql: &'static str,
    pub values: Vec<Value<'a>>,
}

/// The first request of a pipeline that failed; those after it failed with it, unless each is a transaction of its own.
pub(super) struct Failed {
    /// Its place in the pipeline.
    pub at: usize,
    pub error: Error,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Units,
    Reads,
}

pub(super) struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

/// A unit's work would be lost with a server that does not wait for its disk, whatever the server's own default is.
/// A plan made while a table was small must not stay when it is large; everything that is asked here has an index.
const SETTINGS: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') IN ('off', 'local'); \
     SET jit = off; SET enable_seqscan = off; SET idle_in_transaction_session_timeout = '30s'";

/// A unit finds rows by key only, with statements whose planning costs more than their running.
const UNIT_SETTINGS: &str =
    "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off";

impl<'a> Request<'a> {
    pub fn new(sql: &'static str, values: Vec<Value<'a>>) -> Self {
        Self { sql, values }
    }

    pub fn plain(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }
}

impl Connection {
    pub async fn open(address: &Address, purpose: Purpose) -> Result<Self, StoreError> {
        let (client, driver) = address.config.connect(NoTls).await.map_err(|error| address.unreachable(&error))?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        let set = async |settings| client.batch_execute(settings).await.map_err(|error| address.unreachable(&error));
        set(SETTINGS).await?;
        match purpose {
            Purpose::Units => set(UNIT_SETTINGS).await?,
            Purpose::Reads => {}
        }
        Ok(Self { client, statements: HashMap::new() })
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without parameters that are not worth preparing.
    pub async fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(|error| fault::of(&error))
    }

    /// Runs one request.
    pub async fn query(&mut self, sql: &'static str, values: Vec<Value<'_>>) -> Result<Vec<Row>, StoreError> {
        let mut replies =
            self.pipeline(&[Request::new(sql, values)]).await.map_err(|failed| fault::of(&failed.error))?;
        Ok(replies.pop().expect("one request has one reply"))
    }

    /// Runs one request; returns the number of rows that it changed.
    pub async fn execute(&mut self, sql: &'static str, values: Vec<Value<'_>>) -> Result<u64, StoreError> {
        self.prepare(sql).await.map_err(|error| fault::of(&error))?;
        let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
        self.client.execute(&self.statements[sql], &parameters).await.map_err(|error| fault::of(&error))
    }

    /// Runs requests in their order, in one round trip once they are prepared; returns the rows of each.
    pub async fn pipeline(&mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<Row>>, Failed> {
        for (at, request) in requests.iter().enumerate() {
            self.prepare(request.sql).await.map_err(|error| Failed { at, error })?;
        }
        let sent = requests.iter().map(|request| {
            let (client, statement) = (&self.client, &self.statements[request.sql]);
            Box::pin(async move {
                let parameters: Vec<&(dyn ToSql + Sync)> = request.values.iter().map(|value| &**value as _).collect();
                client.query(statement, &parameters).await
            }) as Sent<'_>
        });
        let mut rows = Vec::with_capacity(requests.len());
        for (at, reply) in all(sent.collect()).await.into_iter().enumerate() {
            rows.push(reply.map_err(|error| Failed { at, error })?);
        }
        Ok(rows)
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<(), Error> {
        if !self.statements.contains_key(sql) {
            let statement = self.client.prepare(sql).await?;
            self.statements.insert(sql, statement);
        }
        Ok(())
    }
}

type Reply = Result<Vec<Row>, Error>;
type Sent<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Waits for all. A request is sent when it is first polled, so the first round sends them in their order.
async fn all(mut sent: Vec<Sent<'_>>) -> Vec<Reply> {
    let mut replies: Vec<Option<Reply>> = sent.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_complete = true;
        for (future, reply) in sent.iter_mut().zip(&mut replies) {
            if reply.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(ready) => *reply = Some(ready),
                    Poll::Pending => is_complete = false,
                }
            }
        }
        if is_complete { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    replies.into_iter().map(|reply| reply.expect("every request was answered")).collect()
}
