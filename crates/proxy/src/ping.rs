//! `POST /ping`: a hub asks whether the adapter reaches it (contract, interscheme §2.6).
//!
//! The question comes on the listener that the hub knows, which is that of the other side; the answer goes to the hub
//! that asked, with that hub's token and keys. So one ping proves both directions.

use crate::{
    adapter::{Adapter, Side, Which, now},
    relay::{self, Refusal},
    upstream::Outgoing,
};
use bytes::Bytes;
use fspiop::headers::{DESTINATION, SOURCE, TRACEPARENT, TRACESTATE};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, DATE, HOST},
};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::{str::FromStr as _, sync::Arc};
use vocabulary::CorrelationId;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.interoperability.ping+json;version=2.0");
const ACCEPTED_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.interoperability.ping+json;version=2");

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ping {
    request_id: String,
}

/// Checks a ping and sends the answer later. `which` is the side on whose listener it came.
pub async fn accept(
    adapter: &Arc<Adapter>,
    which: Which,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let content = relay::read(adapter, body).await?;
    let caller = headers.get(SOURCE).filter(|value| !value.is_empty());
    let caller = caller.ok_or_else(|| Refusal::invalid("the header fspiop-source is missing"))?;
    let ping: Ping = serde_json::from_slice(&content.bytes)
        .map_err(|_| Refusal::invalid("the body is not an object with a requestId"))?;
    CorrelationId::from_str(&ping.request_id)
        .map_err(|_| Refusal::invalid("requestId is neither a UUID nor a ULID"))?;
    let permit = adapter.pings.clone().try_acquire_owned();
    let permit = permit.map_err(|_| relay::unavailable("too many pings are being answered"))?;
    let mut reply = HeaderMap::new();
    for name in [TRACEPARENT, TRACESTATE].map(HeaderName::from_static) {
        if let Some(value) = headers.get(&name) {
            reply.insert(name, value.clone());
        }
    }
    reply.insert(HeaderName::from_static(DESTINATION), caller.clone());
    let adapter = adapter.clone();
    tokio::spawn(async move {
        answer(&adapter, adapter.side(which.other()), reply, &ping).await;
        drop(permit);
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

async fn answer(adapter: &Adapter, side: &Side, mut headers: HeaderMap, ping: &Ping) {
    let date = now().http().to_string();
    headers.insert(HOST, side.upstream.connector().target.authority().clone());
    headers.insert(HeaderName::from_static(SOURCE), adapter.id.clone());
    headers.insert(DATE, HeaderValue::from_str(&date).expect("a date is ASCII"));
    headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    headers.insert(ACCEPT, ACCEPTED_TYPE);
    if side.authorize(&mut headers).is_err() {
        tracing::warn!(side = side.name, "a ping stays unanswered: this side has no token or keys");
        return;
    }
    let uri = format!("/ping/{}", ping.request_id).parse().expect("a UUID or ULID fits into a path");
    let body = serde_json::to_vec(ping).expect("an object with one text always serialises");
    let message = Outgoing { method: Method::PUT, uri, headers, body: body.into() };
    match side.upstream.deliver(&message).await.0 {
        Ok(answer) if answer.status().is_success() => {}
        Ok(answer) => {
            tracing::warn!(side = side.name, status = %answer.status(), "the hub refused the answer to its ping")
        }
        Err(error) => tracing::warn!(side = side.name, %error, "the answer to a ping did not arrive"),
    }
}
