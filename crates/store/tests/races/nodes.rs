//! Two nodes on one database, and tasks on all of their writers.

use crate::scheme::{self, HUB, decided, found, found_schemes, fsp, units};
use hub_core::{Command, Message, Outcome, transfers::Prepare};
use std::sync::Arc;
use store::{Store, StoreError, Writer, postgres::PostgresStore, postgres::scratch};
use tokio::task::JoinSet;
use vocabulary::Timestamp;

pub const WRITERS_PER_NODE: usize = 4;
pub const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);

/// Two nodes on a database with a scheme, and its address.
pub async fn two_nodes() -> ([Arc<PostgresStore>; 2], String) {
    let (nodes, address) = two_empty_nodes().await;
    found(&*nodes[0]).await;
    (nodes, address)
}

/// As [`two_nodes`], with a provider, and other schemes behind proxies.
pub async fn two_nodes_among_schemes() -> [Arc<PostgresStore>; 2] {
    let (nodes, _) = two_empty_nodes().await;
    found_schemes(&*nodes[0]).await;
    nodes
}

async fn two_empty_nodes() -> ([Arc<PostgresStore>; 2], String) {
    let address = scratch::database().await.unwrap();
    let connect = async || PostgresStore::connect(&address, &fsp(HUB)).await.unwrap();
    ([connect().await, connect().await], address)
}

/// Runs units as a sequencer does: a unit that the database did not prefer runs again.
pub struct Runner {
    pub writer: Box<dyn Writer>,
    conflicts: u32,
}

impl Runner {
    pub async fn new(node: &PostgresStore) -> Self {
        Self { writer: node.writer().await.unwrap(), conflicts: 0 }
    }

    pub async fn run(&mut self, commands: &[Command]) -> Vec<Outcome> {
        loop {
            let attempt = async {
                let (outcomes, work) = decided(&mut *self.writer, commands).await?;
                self.writer.commit(work).await.map(|_| outcomes)
            };
            match attempt.await {
                Ok(outcomes) => return outcomes,
                Err(StoreError::Conflict(_)) => self.conflicts += 1,
                Err(error) => panic!("{error}"),
            }
            self.writer.rollback().await.unwrap();
        }
    }
}

pub fn prepare(number: u64, between: [&str; 2], amount: i64) -> Command {
    let [payer, payee] = between.map(fsp);
    let amount = Ok(units(amount));
    Command::Prepare(Box::new(Prepare { source: payer.clone(), payer, payee, amount, ..scheme::prepare(number, FAR) }))
}

pub fn fulfil(number: u64, between: [&str; 2]) -> Command {
    let [payer, payee] = between.map(fsp);
    Command::Fulfil(Box::new(hub_core::transfers::Fulfil {
        source: payee,
        destination: Some(payer),
        ..scheme::fulfil(number)
    }))
}

/// Runs a task for each writer of both nodes; the task's number and a runner are its arguments. No unit of theirs may
/// have met a conflict.
pub async fn on_all_writers<F, T>(nodes: &[Arc<PostgresStore>; 2], task: impl Fn(usize, Runner) -> F) -> Vec<T>
where
    F: Future<Output = (T, Runner)> + Send + 'static,
    T: Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..2 * WRITERS_PER_NODE {
        let runner = Runner::new(&nodes[number % 2]).await;
        tasks.spawn(task(number, runner));
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().map(|(_, runner)| runner.conflicts).sum::<u32>(), 0, "the order of locks has no circle");
    results.into_iter().map(|(result, _)| result).collect()
}

pub async fn client(address: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub async fn number(client: &tokio_postgres::Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub fn is_relayed(outcome: &Outcome) -> bool {
    outcome.notices.iter().any(|notice| notice.message == Message::Relay)
}

/// The numbers from 0, in an order that differs between tasks.
pub fn shuffled(count: u64, seed: usize) -> Vec<u64> {
    let mut numbers: Vec<u64> = (0..count).collect();
    numbers.sort_by_key(|number| (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7 * seed as u32 + 1));
    numbers
}
