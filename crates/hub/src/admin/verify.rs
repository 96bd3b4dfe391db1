//! `/umoja/v1/verify`: the ledger's own check, on the running hub. An addition of this hub.

use super::reply::{Answer, Failure, ok};
use crate::Hub;
use axum::extract::State;
use fspiop::{ErrorCode, FspiopError};
use serde::Serialize;
use std::{sync::Arc, time::Instant};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    is_right: bool,
    /// A sentence for each.
    differences: Vec<String>,
    milliseconds: u64,
}

/// One at a time: it reads every entry.
pub(super) async fn now(State(hub): State<Arc<Hub>>) -> Answer {
    let Ok(_guard) = hub.verifying().try_lock() else {
        let detail = "The ledger is being verified already; ask again when that is over";
        return Err(Failure(FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, detail)));
    };
    let begun = Instant::now();
    let differences = hub.verify().await?;
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(ok(&View { is_right: differences.is_empty(), differences, milliseconds }))
}
