//! Connections for reads, beside the writer's. A read sees what was committed before it began, and stops nobody.

use super::{SqliteOptions, connection, exclusive::Exclusive};
use crate::StoreError;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Reads at the same time; more wait. Each has a page cache of its own.
const READERS: usize = 2;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    exclusive: Arc<Exclusive>,
}

/// A connection that goes back when the read is over, however it ends.
struct Lease {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
    _exclusive: Arc<Exclusive>,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &SqliteOptions, exclusive: Arc<Exclusive>) -> Result<Self, StoreError> {
        let open = |_| connection::open_file(path, options, connection::Role::Reader);
        let idle = (0..READERS).map(open).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(READERS)), exclusive })
    }

    /// Runs a read on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lease = self.lease().await;
        let done = tokio::task::spawn_blocking(move || read(lease.connection.as_ref().expect("a lease has its own")));
        done.await.map_err(|error| StoreError::Unavailable(format!("a read did not end: {error}")))?
    }

    async fn lease(&self) -> Lease {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        assert!(connection.is_some(), "there are as many connections as permits");
        Lease { connection, idle: Arc::clone(&self.idle), _permit: permit, _exclusive: Arc::clone(&self.exclusive) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
