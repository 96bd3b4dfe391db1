//! PostgreSQL: any number of nodes and writers.

use crate::{BoxFuture, Due, MessageId, PartyEntry, Store, StoreError, StoredMessage, Writer};
use hub_core::{administration::Directory, transfers::Transfer};
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId, PartyId};

pub struct PostgresStore {}

fn absent<'a, T>() -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(Err(StoreError::Refused("PostgreSQL: not yet".into()))))
}

impl PostgresStore {
    pub async fn connect(_address: &str, _hub_name: &FspId) -> Result<Arc<Self>, StoreError> {
        Err(StoreError::Refused("PostgreSQL: not yet".into()))
    }
}

impl Store for PostgresStore {
    fn writer(&self) -> BoxFuture<'_, Box<dyn Writer>> {
        absent()
    }
    fn writers_recommended(&self) -> usize {
        4
    }
    fn directory(&self) -> BoxFuture<'_, Directory> {
        absent()
    }
    fn directory_version(&self) -> BoxFuture<'_, i64> {
        absent()
    }
    fn transfer(&self, _id: CorrelationId) -> BoxFuture<'_, Option<Transfer>> {
        absent()
    }
    fn parties(&self, _party: PartyId) -> BoxFuture<'_, Vec<PartyEntry>> {
        absent()
    }
    fn due_transfers(&self, _limit: usize) -> BoxFuture<'_, Vec<Due>> {
        absent()
    }
    fn renew_and_claim(&self, _limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        absent()
    }
    fn waiting_messages(&self, _to: FspId, _after: MessageId, _limit: usize) -> BoxFuture<'_, Vec<StoredMessage>> {
        absent()
    }
    fn verify(&self) -> BoxFuture<'_, Vec<String>> {
        absent()
    }
    fn settings<'a>(&'a self, _seed: &'a [(String, String)], _actor: &'a str) -> BoxFuture<'a, Vec<(String, String)>> {
        absent()
    }
    fn ping(&self) -> BoxFuture<'_, ()> {
        absent()
    }
}
