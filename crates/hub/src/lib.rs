//! The running hub: HTTP edge, sequencer, callbacks, clock, administration.
//!
//! [`start`] opens the store, takes over what an earlier process left in the outbox, and serves the five listeners.
//! The way of a request: [`http`] checks it, [`sequencer`] decides it within a unit, the store makes it durable, the
//! request is acknowledged, [`callbacks`] deliver what follows.
#![forbid(unsafe_code)]

pub mod admin;
mod callbacks;
mod certificates;
pub mod clock;
pub mod config;
mod directory;
#[doc(hidden)]
pub mod foreign;
mod http;
mod journal;
mod keys;
mod listener;
mod lookup;
mod metrics;
pub mod net;
mod notices;
mod outbound;
mod polls;
mod rejections;
mod render;
mod reports;
mod schedule;
mod sequencer;
mod server;
mod settlement;
mod signing;
mod tokens;
mod verification;
mod ways;

pub use config::{AccessTokens, Config, Listeners, Notices, Provider, Smtp, SmtpTls, Tls, TokenPolicy};
pub use directory::View;
pub use http::error_response;
pub use journal::Retention;
pub use sequencer::{AdminFailure, SettlementFailure, SettlementOutcome, Unavailable};
pub use server::{Running, Simulated, StartError, start};
pub use signing::Signing;
pub use verification::{PartyAnswers, SignatureFailure, Verification};

use bytes::Bytes;
use callbacks::{Callbacks, now};
use certificates::Revoked;
use directory::DirectoryCache;
use fspiop::FspiopError;
use hub_core::{
    Command, Notice,
    administration::{AdminCommand, Directory},
    transfers::RecordFunds,
};
use journal::Journal;
use keys::HubKeys;
use lookup::Lookup;
use metrics::Metrics;
use notices::Notifier;
use outbound::{Delivery, Head, Persistence};
use render::{Address, Renderer};
use sequencer::{Render, Sequencer};
use signing::Signer;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use store::{MessageId, OutboxQuery, OutboxRow, Store, StoreError, Trace};
use tokens::Tokens;
use verification::Verifier;
use vocabulary::{CorrelationId, FspId, Timestamp};

/// The services of a hub, shared by its listeners.
pub struct Hub {
    config: Config,
    store: Arc<dyn Store>,
    directory: Arc<DirectoryCache>,
    sequencer: Sequencer,
    callbacks: Arc<Callbacks>,
    lookup: Lookup,
    renderer: Arc<Renderer>,
    signer: Arc<Signer>,
    verifier: Verifier,
    tokens: Tokens,
    journal: Arc<Journal>,
    notifier: Notifier,
    keys: HubKeys,
    revoked: Revoked,
    metrics: Arc<Metrics>,
    started: (Instant, Timestamp),
    is_stopping: AtomicBool,
    verifying: tokio::sync::Mutex<()>,
}

/// Whether the hub works, and for how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    pub is_up: bool,
    pub uptime_seconds: u64,
    pub started_at: Timestamp,
    pub version: &'static str,
    /// Names that clients look for, with whether each works.
    pub services: Vec<(&'static str, bool)>,
}

impl Hub {
    pub fn name(&self) -> &FspId {
        &self.config.name
    }

    /// The operator's directory, at most a second old.
    pub fn directory(&self) -> Arc<Directory> {
        self.view().directory.clone()
    }

    /// The operator's directory with balances as of now.
    pub async fn fresh_directory(&self) -> Result<Directory, StoreError> {
        self.store.directory().await
    }

    /// Carries out an administrative command; it is durable, and in [`Hub::directory`], when this returns.
    pub async fn administer(&self, command: AdminCommand, actor: &str) -> Result<(), AdminFailure> {
        self.sequencer.administer(command, actor.to_owned()).await?;
        self.directory.reload().await.map_err(|error| AdminFailure::Unavailable(error.to_string()))
    }

    /// Records a funds movement; its outcome is the state of the transfer.
    pub async fn record_funds(&self, command: RecordFunds) -> Result<(), Unavailable> {
        self.sequencer.decide(Command::RecordFunds(Box::new(command)), None).await
    }

    /// The public key of the hub's signatures in PEM; none if it does not sign.
    pub fn public_key(&self) -> Option<String> {
        self.signer.public_pem()
    }

    /// Recomputes the ledger; returns a sentence for each difference.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.store.verify().await
    }

    pub async fn health(&self) -> Health {
        let asked_at = clock::now_micros();
        let answer = self.store.ping().await;
        let is_in_time = !matches!(answer, Ok(Some(there)) if clock::is_off((asked_at, clock::now_micros()), there));
        let datastore = answer.is_ok();
        let is_running = !self.is_stopping.load(Ordering::Relaxed) && self.sequencer.is_running();
        Health {
            is_up: datastore && is_running && is_in_time,
            uptime_seconds: self.started.0.elapsed().as_secs(),
            started_at: self.started.1,
            version: env!("CARGO_PKG_VERSION"),
            // There is no broker; clients of the reference look for one, and what it stands for here is the sequencer.
            services: [("broker", is_running), ("datastore", datastore)]
                .into_iter()
                .chain((!is_in_time).then_some(("clock", false)))
                .chain(self.keys.has_problem().then_some(("keys", false)))
                .chain(self.tokens.has_problem().then_some(("tokens", false)))
                .collect(),
        }
    }

    /// The metrics in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        self.keys.tell(&self.metrics);
        self.metrics.text(self.store.durability())
    }

    /// Everything that is known of a payment; none if no transfer and no quote has this id.
    pub async fn trace(&self, id: CorrelationId) -> Result<Option<Trace>, StoreError> {
        self.store.trace(id).await
    }

    /// A page of the outbox.
    pub async fn outbox(&self, query: OutboxQuery) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.outbox(query).await
    }

    /// One message of the outbox.
    pub async fn outbox_message(&self, id: MessageId) -> Result<Option<OutboxRow>, StoreError> {
        self.store.outbox_message(id).await
    }

    /// Sends a dead message again, for as long as an outcome is tried; false if there is no dead message of this id.
    pub async fn replay(&self, id: MessageId, actor: &str) -> Result<bool, StoreError> {
        let until = now().plus_millis(render::OUTCOME_MS);
        let revived = self.store.replay_message(id, until, actor).await?;
        let is_revived = revived.is_some();
        if let Some(message) = revived {
            self.callbacks.deliver_stored(message);
        }
        Ok(is_revived)
    }

    /// Removes a message from the outbox for good; an attempt that is under way is not called back. False if there is
    /// none of this id.
    pub async fn discard(&self, id: MessageId, actor: &str) -> Result<bool, StoreError> {
        self.store.drop_message(id, actor).await
    }

    fn view(&self) -> Arc<View> {
        self.directory.view()
    }

    /// Held by who has the ledger verified.
    fn verifying(&self) -> &tokio::sync::Mutex<()> {
        &self.verifying
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn sequencer(&self) -> &Sequencer {
        &self.sequencer
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// The directory of the keys that verify signatures, if they are verified.
    fn verification_keys(&self) -> Option<&Path> {
        match &self.config.verification {
            Verification::Off => None,
            Verification::On { keys, .. } => Some(keys),
        }
    }

    fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sends a message that lives in memory to a participant, which may be a proxy.
    fn send_in_memory(&self, hop: &FspId, head: Head, body: Bytes) {
        self.callbacks.deliver(Delivery {
            to: hop.clone(),
            payment_key: callbacks::key_of(&head.path),
            head: Arc::new(head),
            body,
            until: now().plus_millis(render::SHORT_MS),
            persistence: Persistence::InMemory,
            attempts: 0,
        });
    }

    /// Sends what a notice says, in memory.
    fn tell_in_memory(&self, notice: &Notice) {
        if let Some(delivery) = self.renderer.render(None, notice, now()) {
            let until = now().plus_millis(render::SHORT_MS);
            self.callbacks.deliver(Delivery { until, ..delivery });
        }
    }

    /// Sends an error about a request, in memory. The address is that of the resource; `/error` is added here.
    fn tell_error(&self, inbound: &http::Inbound, to: &FspId, address: Address, error: &FspiopError) {
        let address = Address { path: format!("{}/error", address.path).into(), ..address };
        self.tell_made(inbound, to, address, error.to_json().into());
    }

    /// Sends a message that nobody has asked for just now, in memory.
    fn tell_unasked(
        &self,
        resource: fspiop::Resource,
        recipient: (&FspId, hub_core::Dialect, &ways::Ways),
        address: Address,
        body: Bytes,
    ) {
        if let Some(delivery) = self.renderer.unasked(resource, recipient, (address, body), now()) {
            self.callbacks.deliver(delivery);
        }
    }

    /// Sends an answer that the hub makes, in memory.
    fn tell_made(&self, inbound: &http::Inbound, to: &FspId, address: Address, body: Bytes) {
        match self.renderer.answer(inbound, to, (address, body), now()) {
            Some(delivery) => self.callbacks.deliver(delivery),
            None => tracing::debug!("an answer has nobody to go to"),
        }
    }
}
