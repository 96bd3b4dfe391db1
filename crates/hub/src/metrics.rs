//! What the hub counts (Prometheus text format).

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// Labels of an answered request.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct RequestLabels {
    pub resource: &'static str,
    /// One of the API, or `other`: whoever makes up methods must not make up time series.
    pub method: &'static str,
    pub status: u16,
}

/// Labels of an attempt to deliver a message.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct DeliveryLabels {
    pub outcome: &'static str,
}

/// Labels of a message whose signature does not verify.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct SignatureLabels {
    pub resource: &'static str,
    pub reason: &'static str,
    /// `refused` or `taken`.
    pub outcome: &'static str,
}

/// Labels of a token, or of a request for one, that was refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: &'static str,
}

/// Labels of a certificate of the hub's own: where it is shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct CertificateLabels {
    pub certificate: &'static str,
}

/// All metrics of a node.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<RequestLabels, Counter>,
    pub deliveries: Family<DeliveryLabels, Counter>,
    pub notice_deliveries: Family<DeliveryLabels, Counter>,
    pub signature_failures: Family<SignatureLabels, Counter>,
    pub tokens_issued: Counter,
    pub token_requests_refused: Family<ReasonLabels, Counter>,
    pub tokens_refused: Family<ReasonLabels, Counter>,
    pub units: Counter,
    pub unit_conflicts: Counter,
    pub commands: Counter,
    pub journal_rows_lost: Counter,
    /// Commands that wait for a unit.
    pub queued: Gauge,
    /// Messages that wait for delivery in memory.
    pub waiting_messages: Gauge,
    pub unit_seconds: Histogram,
    pub certificate_days: Family<CertificateLabels, Gauge>,
    store_units: Gauge<u64, AtomicU64>,
    store_units_synced: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("umoja");
        let metrics = Self {
            requests: Family::default(),
            deliveries: Family::default(),
            notice_deliveries: Family::default(),
            signature_failures: Family::default(),
            tokens_issued: Counter::default(),
            token_requests_refused: Family::default(),
            tokens_refused: Family::default(),
            units: Counter::default(),
            unit_conflicts: Counter::default(),
            commands: Counter::default(),
            journal_rows_lost: Counter::default(),
            queued: Gauge::default(),
            waiting_messages: Gauge::default(),
            unit_seconds: Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0]),
            certificate_days: Family::default(),
            store_units: Gauge::default(),
            store_units_synced: Gauge::default(),
            registry: Registry::default(),
        };
        let m = &metrics;
        registry.register("requests", "Requests answered, by resource, method and status", m.requests.clone());
        registry.register("deliveries", "Attempts to deliver a message, by outcome", m.deliveries.clone());
        registry.register(
            "notice_deliveries",
            "Attempts to send a notice to operators, by outcome",
            m.notice_deliveries.clone(),
        );
        registry.register(
            "signature_failures",
            "Messages whose signature does not verify, by resource, reason and outcome",
            m.signature_failures.clone(),
        );
        metrics.register_tokens(&mut registry);
        registry.register("units", "Units committed", m.units.clone());
        registry.register(
            "unit_conflicts",
            "Units run again because the database preferred another",
            m.unit_conflicts.clone(),
        );
        registry.register("commands", "Commands decided", m.commands.clone());
        registry.register(
            "journal_rows_lost",
            "Rows of the journal that found no room while units stood still",
            m.journal_rows_lost.clone(),
        );
        registry.register("queued_commands", "Commands that wait for a unit", m.queued.clone());
        registry.register("waiting_messages", "Messages that wait for delivery in memory", m.waiting_messages.clone());
        registry.register("unit_seconds", "Time from the first lock of a unit to its commit", m.unit_seconds.clone());
        registry.register("certificate_days", "Whole days until a certificate expires", m.certificate_days.clone());
        registry.register("store_units_total", "Units that the store has committed", m.store_units.clone());
        registry.register(
            "store_units_synced_total",
            "Units whose commit returned after a sync to disk",
            m.store_units_synced.clone(),
        );
        Self { registry, ..metrics }
    }

    fn register_tokens(&self, registry: &mut Registry) {
        registry.register("tokens_issued", "Access tokens that the hub has issued", self.tokens_issued.clone());
        registry.register(
            "token_requests_refused",
            "Requests for an access token that were refused, by reason",
            self.token_requests_refused.clone(),
        );
        registry.register(
            "tokens_refused",
            "Messages whose access token was refused or missing, by reason",
            self.tokens_refused.clone(),
        );
    }

    /// The text that Prometheus reads.
    pub fn text(&self, durability: store::Durability) -> String {
        self.store_units.set(durability.units);
        self.store_units_synced.set(durability.units_synced);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
