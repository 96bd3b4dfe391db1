//! Asking other schemes what has become of payments that they decide (contract, interscheme §1.8): from its expiration on, less
//! and less often, and without an end. Each node asks; the question changes nothing.

use crate::{
    Hub,
    callbacks::{key_of, now},
    outbound::{Delivery, Head, Persistence, Purpose},
    render,
};
use bytes::Bytes;
use fspiop::{
    Resource,
    callback::{self, HubMessage},
    endpoint::EndpointType,
};
use http::Method;
use hub_core::{
    Subject, SubjectKind,
    transfers::{Stage, Transfer},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Payments that are asked about in one round.
const ROUND_MAX: usize = 10_000;
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// When to ask next, and how long to wait after that.
struct Next {
    at: Instant,
    pause: Duration,
}

/// Asks until the hub stops.
pub async fn run(hub: Arc<Hub>) {
    let mut waiting: HashMap<Subject, Next> = HashMap::new();
    loop {
        tokio::time::sleep(hub.config.expiry_sweep).await;
        let overdue = match hub.store().undecided(ROUND_MAX).await {
            Ok(undecided) => undecided.into_iter().filter(|known| known.stage() == Stage::Forwarded),
            Err(error) => {
                tracing::error!(%error, "payments that other schemes decide could not be read");
                continue;
            }
        };
        let mut still = HashMap::with_capacity(waiting.len());
        for transfer in overdue {
            let subject = transfer.subject();
            let now = Instant::now();
            let known = waiting.remove(&subject).unwrap_or(Next { at: now, pause: PAUSE_FIRST });
            let next = if known.at <= now {
                ask(&hub, &transfer);
                Next { at: now + known.pause, pause: (known.pause * 2).min(PAUSE_MAX) }
            } else {
                known
            };
            still.insert(subject, next);
        }
        waiting = still;
    }
}

/// Asks in the name of the payer, as it would itself; the answer is its message.
fn ask(hub: &Hub, transfer: &Transfer) {
    let Some(proxy) = &transfer.payee_proxy else { return };
    let subject = transfer.subject();
    let (resource, endpoint) = match subject.kind {
        SubjectKind::Conversion => (Resource::FxTransfers, EndpointType::FxTransferPut),
        SubjectKind::Transfer | SubjectKind::Quote | SubjectKind::ConversionQuote => {
            (Resource::Transfers, EndpointType::TransferPut)
        }
    };
    let path = format!("/{resource}/{}", transfer.id);
    let message = HubMessage {
        hub: &transfer.payer,
        destination: &transfer.payee,
        resource,
        version: render::version_of(transfer.payer_dialect),
        method: &Method::GET,
        uri: &path,
        date: now(),
    };
    let Ok(headers) = callback::hub_headers(&message, None) else { return };
    let head = Head {
        method: "GET".into(),
        endpoint: endpoint.as_str().into(),
        path: path.as_str().into(),
        variables: render::variables(subject),
        headers: render::pairs_of(&headers),
        on_failure: None,
        purpose: Purpose::Other,
    };
    hub.callbacks.deliver(Delivery {
        to: proxy.clone(),
        payment_key: key_of(&path),
        head: Arc::new(head),
        body: Bytes::new(),
        until: now().plus_millis(render::SHORT_MS),
        persistence: Persistence::InMemory,
        attempts: 0,
    });
}
