//! What the adapter counts (Prometheus text format).

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::time::Duration;
use vocabulary::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The hub answered with this status.
    Answered(u16),
    /// The hub did not answer.
    Unanswered,
    /// The adapter was not ready, or the message could not be read.
    Refused,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct MessageLabels {
    side: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct SideLabels {
    side: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CertificateLabels {
    side: &'static str,
    certificate: &'static str,
}

/// All metrics of an adapter.
pub struct Metrics {
    registry: Registry,
    certificate_days: Family<CertificateLabels, Gauge>,
    ready: Family<SideLabels, Gauge>,
    messages: Family<MessageLabels, Counter>,
    retries: Family<SideLabels, Counter>,
    seconds: Family<SideLabels, Histogram>,
}

/// The series of one side, looked up once.
pub struct SideMetrics {
    /// 1xx and what is no class of HTTP, 2xx, 3xx, 4xx, 5xx.
    answered: [Counter; 5],
    unanswered: Counter,
    refused: Counter,
    pub retries: Counter,
    seconds: Histogram,
}

impl Metrics {
    pub fn new() -> Self {
        let buckets = || Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0]);
        let metrics = Self {
            registry: Registry::with_prefix("umoja_proxy"),
            certificate_days: Family::default(),
            ready: Family::default(),
            messages: Family::default(),
            retries: Family::default(),
            seconds: Family::new_with_constructor(buckets),
        };
        let mut registry = Registry::with_prefix("umoja_proxy");
        let m = &metrics;
        registry.register("messages", "Messages to a side's hub, by what became of them", m.messages.clone());
        registry.register("retries", "Attempts after the first to pass on a message", m.retries.clone());
        registry.register("message_seconds", "Time from a message's head to its answer", m.seconds.clone());
        registry.register("ready", "Whether a side has the token and the keys that it needs", m.ready.clone());
        registry.register("certificate_days", "Whole days until a certificate expires", m.certificate_days.clone());
        Self { registry, ..metrics }
    }

    pub fn of_side(&self, side: &'static str) -> SideMetrics {
        let counter = |outcome| self.messages.get_or_create(&MessageLabels { side, outcome }).clone();
        SideMetrics {
            answered: ["other", "2xx", "3xx", "4xx", "5xx"].map(counter),
            unanswered: counter("unanswered"),
            refused: counter("refused"),
            retries: self.retries.get_or_create(&SideLabels { side }).clone(),
            seconds: self.seconds.get_or_create(&SideLabels { side }).clone(),
        }
    }

    pub fn set_ready(&self, side: &'static str, is_ready: bool) {
        self.ready.get_or_create(&SideLabels { side }).set(i64::from(is_ready));
    }

    pub fn set_certificate(&self, side: &'static str, certificate: &'static str, not_after: Timestamp, now: Timestamp) {
        let days = (not_after.millis() - now.millis()).div_euclid(DAY_MS);
        self.certificate_days.get_or_create(&CertificateLabels { side, certificate }).set(days);
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

impl SideMetrics {
    pub fn count(&self, outcome: Outcome, took: Duration) {
        let counter = match outcome {
            Outcome::Answered(status) => match usize::from(status / 100) {
                class @ 2..=5 => &self.answered[class - 1],
                _ => &self.answered[0],
            },
            Outcome::Unanswered => &self.unanswered,
            Outcome::Refused => &self.refused,
        };
        counter.inc();
        self.seconds.observe(took.as_secs_f64());
    }
}
