//! `/health` and `/metrics`, on both listeners.

use crate::{
    adapter::{Adapter, Side, Which, now},
    relay::respond,
};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    uptime: u64,
    start_time: String,
    version_number: &'static str,
    /// Of the side that was asked.
    details: Details,
    other_side: Details,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    side: &'static str,
    hub: String,
    is_ready: bool,
    access_token: bool,
    certs: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// 200 while the listener runs, ready or not (contract, interscheme §2.2): an adapter that waits for a token is not
/// helped by being restarted.
pub fn report(adapter: &Adapter, which: Which) -> Response<Full<Bytes>> {
    let report = Report {
        status: "OK",
        uptime: adapter.started.0.elapsed().as_secs(),
        start_time: adapter.started.1.to_string(),
        version_number: env!("CARGO_PKG_VERSION"),
        details: details(adapter.side(which)),
        other_side: details(adapter.side(which.other())),
    };
    let json = serde_json::to_vec(&report).expect("a report has text keys and no other failures");
    respond(StatusCode::OK, "application/json", json)
}

pub fn metrics(adapter: &Adapter) -> Response<Full<Bytes>> {
    let now = now();
    for side in adapter.sides() {
        adapter.metrics.set_ready(side.name, side.has_token() && side.has_keys());
        let hub = side.hub_keys.as_ref().and_then(|keys| keys.state().not_after);
        let listener = side.listener_keys.as_ref().and_then(|keys| keys.state().not_after);
        for (certificate, not_after) in [("client", hub), ("listener", listener)] {
            if let Some(not_after) = not_after {
                adapter.metrics.set_certificate(side.name, certificate, not_after, now);
            }
        }
    }
    respond(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", adapter.metrics.text())
}

fn details(side: &Side) -> Details {
    let (access_token, certs) = (side.has_token(), side.has_keys());
    Details {
        side: side.name,
        hub: side.upstream.connector().target.to_string(),
        is_ready: access_token && certs,
        access_token,
        certs,
        problems: side.problems(),
    }
}
