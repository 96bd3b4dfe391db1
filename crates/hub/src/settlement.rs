//! Settlement as a service of the running hub: windows are closed in two units with their totals read in between
//! (decision 0006), everything else is one unit.
//!
//! Invariant: a window that has been closed gets its totals whatever happens: from whoever closed it, or from the task
//! that looks for windows that were left behind by a crash or an error.

use crate::{Hub, SettlementFailure, SettlementOutcome};
use hub_core::{
    WindowId,
    settlement::{
        CloseWindow, Settlement, SettlementAnswer, SettlementCommand, SettlementRejection, TakeTotals, Window,
        WindowState,
    },
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::{SettlementQuery, StoreError, WindowQuery};
use tokio::time::Instant;

/// Who takes the totals of a window, in the record of changes.
const HUB_ACTOR: &str = "hub";
/// How often windows that were left behind are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);
/// Tries before a window is called failed, and how long it then rests between tries.
const TRIES_MAX: u32 = 3;
const FAILED_PAUSE: Duration = Duration::from_secs(60);

impl Hub {
    /// Closes the open window and takes its totals; returns the window that is open now. Once this has returned, the
    /// closed window is `CLOSED`, unless its totals could not be taken yet.
    pub async fn close_window(&self, window: WindowId, reason: &str, actor: &str) -> Result<Window, SettlementFailure> {
        let command = SettlementCommand::CloseWindow(CloseWindow { window, reason: reason.into() });
        let SettlementAnswer::Opened(opened) = self.settle(command, actor).await?.answer else {
            unreachable!("closing a window is answered by the one that it opens");
        };
        if let Err(error) = self.take_totals(window).await {
            tracing::error!(window = window.0, %error, "the totals of a closed window were not taken; it is tried again");
        }
        Ok(opened)
    }

    /// Carries out a settlement command; it is durable when this returns.
    pub async fn settle(
        &self,
        command: SettlementCommand,
        actor: &str,
    ) -> Result<SettlementOutcome, SettlementFailure> {
        self.sequencer().settle(command, actor.to_owned()).await
    }

    /// The windows that fit a query, last change first.
    pub async fn windows(&self, query: WindowQuery) -> Result<Vec<Window>, StoreError> {
        self.store().windows(query).await
    }

    /// The settlements that fit a query, the newest first.
    pub async fn settlements(&self, query: SettlementQuery) -> Result<Vec<Settlement>, StoreError> {
        self.store().settlements(query).await
    }

    async fn take_totals(&self, window: WindowId) -> Result<(), SettlementFailure> {
        let unavailable = |error: StoreError| SettlementFailure::Unavailable(error.to_string());
        let totals = self.store().window_totals(window).await.map_err(unavailable)?;
        let command = SettlementCommand::TakeTotals(TakeTotals { window, totals });
        self.settle(command, HUB_ACTOR).await.map(drop)
    }
}

/// Takes the totals of windows that were closed and left without.
pub async fn finish_windows(hub: Arc<Hub>) {
    let mut tries: HashMap<WindowId, (u32, Instant)> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let states = Some(vec![WindowState::Processing, WindowState::Failed]);
        let left = match hub.windows(WindowQuery { states, ..WindowQuery::default() }).await {
            Ok(windows) => windows,
            Err(error) => {
                tracing::error!(%error, "settlement windows could not be read");
                continue;
            }
        };
        tries.retain(|id, _| left.iter().any(|window| window.id == *id));
        for window in left {
            let (count, next) = tries.entry(window.id).or_insert((0, Instant::now()));
            if *next > Instant::now() {
                continue;
            }
            *count += 1;
            *next = Instant::now() + if *count < TRIES_MAX { LOOK_INTERVAL } else { FAILED_PAUSE };
            let Err(error) = hub.take_totals(window.id).await else { continue };
            tracing::error!(window = window.id.0, %error, tries = *count, "the totals of a window cannot be taken");
            if *count >= TRIES_MAX && window.state == WindowState::Processing {
                let reason = format!("Its totals cannot be taken: {error}").into();
                let command = SettlementCommand::FailWindow { window: window.id, reason };
                if let Err(error) = hub.settle(command, HUB_ACTOR).await {
                    tracing::error!(window = window.id.0, %error, "a window could not be marked as failed");
                }
            }
        }
    }
}

impl std::fmt::Display for SettlementFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(SettlementRejection::TotalsDoNotBalance(window)) => {
                write!(formatter, "the totals of window {} do not add up; run umoja verify", window.0)
            }
            Self::Rejected(rejection) => write!(formatter, "{rejection:?}"),
            Self::Unavailable(what) => formatter.write_str(what),
        }
    }
}
