//! What is open is followed until the hub has said how it ended: after a restart, after a timeout, and where the hub sends no
//! last word (§3, PATCH grace).
//!
//! Invariant: questions about one transfer follow each other at growing distances and end with its end, or after
//! [`QUESTIONS_MAX`]; what is open then is taken up by the next start.

use super::transfers;
use crate::Core;
use crate::hub::Outgoing;
use crate::json::text;
use crate::outbound::status;
use crate::records::{Kind, Openness};
use fspiop::{Operation, Resource};
use http::Method;
use std::sync::Arc;
use std::time::Duration;

const QUESTIONS_MAX: u32 = 20;
/// Between two questions about one transfer, at most.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Takes up what was open when the adapter was stopped.
pub(crate) async fn take_up(core: Arc<Core>) {
    for kind in [Kind::Outgoing, Kind::Incoming] {
        let open = match core.records.open_ids(kind).await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(%error, "the open transfers cannot be read");
                continue;
            }
        };
        if !open.is_empty() {
            tracing::info!(count = open.len(), ?kind, "transfers are open; the hub is asked what became of them");
        }
        for id in open {
            match kind {
                Kind::Incoming => drop(tokio::spawn(watch_incoming(core.clone(), id, Duration::ZERO))),
                Kind::Outgoing => drop(tokio::spawn(watch_outgoing(core.clone(), id, Duration::ZERO))),
                Kind::RequestToPay | Kind::RequestToPayTransfer | Kind::Conversion | Kind::Alias => {}
            }
        }
    }
}

/// Follows a transfer that was sent, and whose end is not known, from `pause` on.
pub(crate) async fn watch_outgoing(core: Arc<Core>, id: String, mut pause: Duration) {
    for _ in 0..QUESTIONS_MAX {
        tokio::time::sleep(pause).await;
        if !is_open(&core, Kind::Outgoing, &id).await {
            return;
        }
        if let Err(failure) = status::ask_hub(&core, &id).await {
            tracing::info!(transfer = id, reason = failure.message, "the end of a transfer is not known yet");
        }
        pause = longer(&core, pause);
    }
}

/// Follows a transfer that was fulfilled until the core has learned its end.
pub(crate) async fn watch_incoming(core: Arc<Core>, id: String, mut pause: Duration) {
    for _ in 0..QUESTIONS_MAX {
        tokio::time::sleep(pause).await;
        if !is_open(&core, Kind::Incoming, &id).await || ask_and_tell(&core, &id).await {
            return;
        }
        pause = longer(&core, pause);
    }
}

async fn ask_and_tell(core: &Core, id: &str) -> bool {
    let Ok(Some(state)) = core.records.load(Kind::Incoming, id).await else { return false };
    let Some(transfer) = text(&state, &["prepare", "body", "transferId"]) else { return true };
    let Ok(mut listening) = core.hub.listen(format!("transfers-{transfer}")) else { return false };
    let operation = Operation::GetTransfer(transfer.to_owned());
    let source = text(&state, &["prepare", "headers", "fspiop-source"]);
    let question = Outgoing::new(Method::GET, Resource::Transfers, operation).to(source);
    if let Err(failure) = core.hub.send(question).await {
        tracing::info!(transfer = id, reason = failure.message, "the hub could not be asked about a transfer");
        return false;
    }
    match core.hub.next(&mut listening).await {
        Some(callback) if callback.is_error => false,
        Some(callback) if matches!(text(&callback.body, &["transferState"]), Some("COMMITTED" | "ABORTED")) => {
            transfers::tell(core, id, &callback.body).await
        }
        Some(_) | None => false,
    }
}

async fn is_open(core: &Core, kind: Kind, id: &str) -> bool {
    let known = core.records.load_with_openness(kind, id).await;
    known.is_ok_and(|known| known.is_some_and(|(_, openness)| openness == Openness::Open))
}

fn longer(core: &Core, pause: Duration) -> Duration {
    (pause * 2).clamp(core.settings.patch_grace, PAUSE_MAX.max(core.settings.patch_grace))
}
