//! Connections for reads and short transactions of the node itself.
//!
//! Invariant: a connection is kept only after everything that ran on it succeeded, so that none is handed out in the
//! middle of a transaction. Limits: `READS_MAX` connections; further readers wait for one.

use super::{
    address::Address,
    connection::{Connection, Purpose, Request},
    fault,
};
use crate::StoreError;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::Row;

const READS_MAX: usize = 4;

pub(super) struct Pool {
    address: Arc<Address>,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub fn new(address: Arc<Address>) -> Self {
        Self { address, permits: Semaphore::new(READS_MAX), idle: Mutex::default() }
    }

    /// Runs `work` on a connection, which is closed if the work fails.
    pub async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _permit = self.permit().await;
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => Connection::open(&self.address, Purpose::Reads).await?,
        };
        let result = work(&mut connection).await?;
        self.keep(connection);
        Ok(result)
    }

    /// Runs one query that may run twice: where an idle connection turns out to be gone, as all are after a restart of
    /// the server, it runs again on the next one or on a new one.
    pub async fn read(&self, request: Request<'_>) -> Result<Vec<Row>, StoreError> {
        let _permit = self.permit().await;
        let requests = [request];
        while let Some(mut connection) = self.take_idle() {
            match connection.pipeline(&requests).await {
                Ok(replies) => {
                    self.keep(connection);
                    return Ok(only(replies));
                }
                Err(failed) if fault::is_loss(&failed.error) => {}
                Err(failed) => return Err(fault::of(&failed.error)),
            }
        }
        let mut connection = Connection::open(&self.address, Purpose::Reads).await?;
        let replies = connection.pipeline(&requests).await.map_err(|failed| fault::of(&failed.error))?;
        self.keep(connection);
        Ok(only(replies))
    }

    async fn permit(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn only(mut replies: Vec<Vec<Row>>) -> Vec<Row> {
    replies.pop().expect("one request has one reply")
}
