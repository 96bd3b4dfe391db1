//! One at a time for each payment: two calls about one payment follow each other.
//!
//! Invariant: the table holds only locks that somebody has or waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::OwnedMutexGuard;

type Table = Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>;

#[derive(Default)]
pub(crate) struct Locks(Table);

/// Whoever has it is alone with its payment.
pub(crate) struct Guard {
    table: Table,
    key: String,
    held: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    pub async fn lock(&self, key: &str) -> Guard {
        let lock = {
            let mut table = self.0.lock().expect("no thread panics while it holds the table");
            table.entry(key.to_owned()).or_default().clone()
        };
        let held = lock.lock_owned().await;
        Guard { table: self.0.clone(), key: key.to_owned(), held: Some(held) }
    }
}

impl Locks {
    /// None if somebody has the payment.
    pub fn try_lock(&self, key: &str) -> Option<Guard> {
        let mut table = self.0.lock().expect("no thread panics while it holds the table");
        let held = table.entry(key.to_owned()).or_default().clone().try_lock_owned().ok()?;
        Some(Guard { table: self.0.clone(), key: key.to_owned(), held: Some(held) })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut table = self.table.lock().expect("no thread panics while it holds the table");
        self.held = None;
        if table.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            table.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_the_table_empties() {
        let locks = Locks::default();
        let first = locks.lock("a").await;
        let other = locks.lock("b").await;
        let mut second = Box::pin(locks.lock("a"));
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut second).await.is_err());
        assert!(locks.try_lock("a").is_none());
        drop((first, other));
        drop(second.await);
        assert!(locks.0.lock().unwrap().is_empty());
    }
}
