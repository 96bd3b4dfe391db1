//! Matches callbacks with the requests that wait for them.
//!
//! Invariant: whoever waits is registered before the request leaves, so no answer can be too early; a waiter that goes
//! away is forgotten, so the table holds only what somebody waits for, and never more than its limit.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// Answers that one waiter can have pending; a transfer may be answered RESERVED before it is answered COMMITTED.
const ANSWERS_PENDING_MAX: usize = 8;

/// The table of waiters. All who wait for one key get every answer to it.
pub struct Waiting<K, V>(Arc<Table<K, V>>);

struct Table<K, V> {
    waiters_max: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    waiters: HashMap<K, Vec<(u64, mpsc::Sender<V>)>>,
    count: usize,
    next_ticket: u64,
}

/// One who waits; dropping it ends the wait.
pub struct Waiter<K: Hash + Eq, V> {
    table: Arc<Table<K, V>>,
    key: K,
    ticket: u64,
    answers: mpsc::Receiver<V>,
}

/// As many wait as may.
#[derive(Debug)]
pub struct TooManyWaiters;

impl<K: Hash + Eq + Clone, V: Clone> Waiting<K, V> {
    /// At most `waiters_max` wait at one time; more are refused.
    pub fn new(waiters_max: usize) -> Self {
        let state = State { waiters: HashMap::new(), count: 0, next_ticket: 0 };
        Self(Arc::new(Table { waiters_max, state: Mutex::new(state) }))
    }

    /// Begins to wait. What is answered from now on is not missed.
    pub fn register(&self, key: K) -> Result<Waiter<K, V>, TooManyWaiters> {
        let mut state = self.0.state.lock().expect("no thread panics while it holds the table");
        if state.count >= self.0.waiters_max {
            return Err(TooManyWaiters);
        }
        let (sender, answers) = mpsc::channel(ANSWERS_PENDING_MAX);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.count += 1;
        state.waiters.entry(key.clone()).or_default().push((ticket, sender));
        Ok(Waiter { table: self.0.clone(), key, ticket, answers })
    }

    /// Gives an answer to all who wait for it and says how many they were. A waiter that does not read is passed over.
    pub fn answer(&self, key: &K, answer: &V) -> usize {
        let state = self.0.state.lock().expect("no thread panics while it holds the table");
        let waiters = state.waiters.get(key).map(Vec::as_slice).unwrap_or_default();
        waiters.iter().filter(|(_, sender)| sender.try_send(answer.clone()).is_ok()).count()
    }
}

impl<K: Hash + Eq, V> Waiter<K, V> {
    /// The next answer; `None` when `timeout` has passed without one.
    pub async fn next(&mut self, timeout: Duration) -> Option<V> {
        tokio::time::timeout(timeout, self.answers.recv()).await.ok().flatten()
    }
}

impl<K: Hash + Eq, V> Drop for Waiter<K, V> {
    fn drop(&mut self) {
        let mut state = self.table.state.lock().expect("no thread panics while it holds the table");
        state.count -= 1;
        let Some(waiters) = state.waiters.get_mut(&self.key) else { return };
        waiters.retain(|(ticket, _)| *ticket != self.ticket);
        if waiters.is_empty() {
            state.waiters.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);
    const LATER: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_answer_reaches_everyone_who_waits_for_its_key_and_nobody_else() {
        let waiting = Waiting::new(3);
        let mut first = waiting.register("a").unwrap();
        let mut second = waiting.register("a").unwrap();
        let mut other = waiting.register("b").unwrap();
        assert_eq!(waiting.answer(&"a", &1), 2);
        assert_eq!(first.next(LATER).await, Some(1));
        assert_eq!(second.next(LATER).await, Some(1));
        assert_eq!(other.next(SOON).await, None);
    }

    #[tokio::test]
    async fn answers_keep_their_order_and_an_early_one_is_not_lost() {
        let waiting = Waiting::new(1);
        let mut waiter = waiting.register(7).unwrap();
        waiting.answer(&7, &"RESERVED");
        waiting.answer(&7, &"COMMITTED");
        assert_eq!(waiter.next(LATER).await, Some("RESERVED"));
        assert_eq!(waiter.next(LATER).await, Some("COMMITTED"));
    }

    #[tokio::test]
    async fn who_goes_away_is_forgotten_and_makes_room() {
        let waiting = Waiting::<_, ()>::new(1);
        let waiter = waiting.register("a").unwrap();
        assert!(waiting.register("b").is_err());
        drop(waiter);
        assert_eq!(waiting.answer(&"a", &()), 0);
        assert!(waiting.register("b").is_ok());
    }

    #[test]
    fn a_waiter_that_does_not_read_does_not_fill_memory() {
        let waiting = Waiting::new(1);
        let _waiter = waiting.register("a").unwrap();
        let taken: usize = (0..100).map(|answer| waiting.answer(&"a", &answer)).sum();
        assert_eq!(taken, ANSWERS_PENDING_MAX);
    }
}
