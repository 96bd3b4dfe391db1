//! The operator's directory as the edge sees it: a copy that is at most a second old.
//!
//! Endpoints, participants' existence and oracles come from here. Limits, balances and activity never do: decisions read
//! those in the transaction that uses them.

use hub_core::administration::{AccountRecord, Client, Directory, Oracle, ParticipantRecord};
use ledger::{AccountKind, ParticipantId};
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};
use store::{Store, StoreError};
use vocabulary::{FspId, PartyIdType};

/// The directory with the look-ups that the message path needs.
#[derive(Debug, Default)]
pub struct View {
    pub directory: Arc<Directory>,
    participants: HashMap<FspId, usize>,
    endpoints: HashMap<(FspId, Box<str>), Box<str>>,
    clients: HashMap<ParticipantId, usize>,
    has_fees: bool,
}

/// The present view, replaced whole.
pub struct DirectoryCache {
    store: Arc<dyn Store>,
    view: RwLock<Arc<View>>,
}

impl View {
    fn new(directory: Directory) -> Self {
        let names: HashMap<_, _> =
            directory.participants.iter().map(|known| (known.participant.id, &known.participant.name)).collect();
        let endpoints = directory.endpoints.iter().filter_map(|endpoint| {
            let name = names.get(&endpoint.participant)?;
            Some((((*name).clone(), endpoint.endpoint_type.clone()), endpoint.value.clone()))
        });
        let participants =
            directory.participants.iter().enumerate().map(|(at, known)| (known.participant.name.clone(), at));
        let is_of_fees = |record: &AccountRecord| record.account.kind == AccountKind::InterchangeFee;
        let has_fees =
            directory.fee_rules.iter().any(|rule| rule.is_active) && directory.accounts.iter().any(is_of_fees);
        let clients = directory.clients.iter().enumerate().map(|(at, client)| (client.participant, at)).collect();
        let (endpoints, participants) = (endpoints.collect(), participants.collect());
        Self { endpoints, participants, clients, has_fees, directory: Arc::new(directory) }
    }

    pub fn participant(&self, name: &FspId) -> Option<&ParticipantRecord> {
        self.participants.get(name).map(|at| &self.directory.participants[*at])
    }

    /// The client of the token endpoint that a participant is.
    pub fn client(&self, participant: ParticipantId) -> Option<&Client> {
        self.clients.get(&participant).map(|at| &self.directory.clients[*at])
    }

    /// The URL or template that a participant registered for an endpoint type.
    pub fn endpoint(&self, name: &FspId, endpoint_type: &str) -> Option<&str> {
        self.endpoints.get(&(name.clone(), endpoint_type.into())).map(AsRef::as_ref)
    }

    /// Whether any payment can have a fee: there are rules, and accounts for what they say.
    pub fn has_fees(&self) -> bool {
        self.has_fees
    }

    /// The active oracles of an id type, oldest first.
    pub fn oracles(&self, id_type: PartyIdType) -> impl Iterator<Item = &Oracle> {
        self.directory.oracles.iter().filter(move |oracle| oracle.is_active && oracle.id_type == id_type)
    }
}

impl DirectoryCache {
    pub async fn open(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let view = View::new(store.directory().await?);
        Ok(Self { store, view: RwLock::new(Arc::new(view)) })
    }

    pub fn view(&self) -> Arc<View> {
        self.view.read().expect("a view is replaced without panicking").clone()
    }

    /// Loads the directory again.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let view = Arc::new(View::new(self.store.directory().await?));
        *self.view.write().expect("a view is replaced without panicking") = view;
        Ok(())
    }

    /// Loads the directory again if another node has changed it.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let known = self.view().directory.version;
        if self.store.directory_version().await? == known { Ok(()) } else { self.reload().await }
    }
}
