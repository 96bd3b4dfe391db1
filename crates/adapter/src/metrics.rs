//! What the adapter counts (Prometheus text format), and the listener that tells it.
//!
//! Invariant: labels have few values, and none of them says who pays whom.

use crate::Core;
use crate::records::Kind;
use axum::{Router, extract::State, response::IntoResponse as _, response::Response, routing::get};
use http::{StatusCode, header};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{sync::Arc, time::Duration};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct MessageLabels {
    method: &'static str,
    resource: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    call_seconds: Histogram,
    messages: Family<MessageLabels, Counter>,
    working: Gauge,
    open: Family<KindLabels, Gauge>,
}

impl Metrics {
    pub fn new() -> Self {
        let seconds = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];
        let mut registry = Registry::with_prefix("umoja_adapter");
        let (calls, call_seconds, messages) = (Family::default(), Histogram::new(seconds), Family::default());
        let (working, open) = (Gauge::default(), Family::default());
        registry.register("calls", "Calls of the core, by the status of their answer", calls.clone());
        registry.register("call_seconds", "Time from a call of the core to its answer", call_seconds.clone());
        registry.register("messages", "Messages of the hub, by the status of their answer", messages.clone());
        registry.register("working", "Requests of the hub that are in work", working.clone());
        registry.register("open_payments", "Payments whose end is still to be learned", open.clone());
        Self { registry, calls, call_seconds, messages, working, open }
    }

    pub fn call(&self, call: &'static str, status: StatusCode, took: Duration) {
        self.calls.get_or_create(&CallLabels { call, status: status.as_u16() }).inc();
        self.call_seconds.observe(took.as_secs_f64());
    }

    /// `path` is unchecked: what is not of the API counts as `other`.
    pub fn message(&self, method: &http::Method, path: &str, status: StatusCode) {
        let segment = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let resource = segment.parse::<fspiop::Resource>().map_or("other", fspiop::Resource::as_str);
        let method = match method.as_str() {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => "other",
        };
        self.messages.get_or_create(&MessageLabels { method, resource, status: status.as_u16() }).inc();
    }

    fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing into a string does not fail");
        text
    }
}

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new().route("/metrics", get(tell)).with_state(core)
}

async fn tell(State(core): State<Arc<Core>>) -> Response {
    let metrics = &core.metrics;
    let in_work = core.settings.working_max.saturating_sub(core.working.available_permits());
    metrics.working.set(i64::try_from(in_work).unwrap_or(i64::MAX));
    for (kind, label) in [(Kind::Outgoing, "outgoing"), (Kind::Incoming, "incoming")] {
        match core.records.count_open(kind).await {
            Ok(count) => {
                metrics.open.get_or_create(&KindLabels { kind: label }).set(count);
            }
            Err(error) => {
                tracing::error!(%error, "the open payments cannot be counted");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.text()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_api_is_one_series() {
        let metrics = Metrics::new();
        for path in ["/nowhere", "/25570001", "", "/transfers/b51ec534"] {
            metrics.message(&http::Method::GET, path, StatusCode::NOT_FOUND);
        }
        metrics.call("POST /transfers", StatusCode::OK, Duration::from_millis(3));
        let text = metrics.text();
        for line in [
            r#"umoja_adapter_messages_total{method="GET",resource="other",status="404"} 3"#,
            r#"umoja_adapter_messages_total{method="GET",resource="transfers",status="404"} 1"#,
            r#"umoja_adapter_calls_total{call="POST /transfers",status="200"} 1"#,
            r#"umoja_adapter_call_seconds_bucket{le="0.005"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
