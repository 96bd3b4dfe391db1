//! Telling operators: alarms of caps and liquidity are looked for, and what is to be told is sent by webhook and e-mail
//! (contract, administration §4.8).
//!
//! Every node looks and sends; the store lets one of them tell an alarm and one take a delivery. Payments never wait for
//! it: alarms are evaluated by a task on balances that it reads. Invariant: what has been made is sent, or tried
//! [`ATTEMPTS_MAX`] times and kept as failed.

mod mail;
mod message;
mod notifier;

use crate::{
    Hub,
    callbacks::now,
    metrics::{DeliveryLabels, Metrics},
};
use hub_core::notices;
use notifier::Sending;
use std::{sync::Arc, time::Duration};
use store::{Claim, DeliveryEnd, DueDelivery, NoticeQuery, NoticeRow, StoreError};
use tokio::task::JoinSet;

pub(crate) use message::values_of;
pub use notifier::Notifier;

/// How often deliveries that are due are looked for.
const DUE_INTERVAL: Duration = Duration::from_millis(500);
/// Deliveries that are under way at a time.
const UNDER_WAY_MAX: usize = 32;
/// Longer than the longest attempt takes; what is not ended by then was left by a node that is gone.
const CLAIM_MS: i64 = 120_000;
/// Attempts of one delivery. Each pause is three times as long as the one before: with 15 s first, about ten minutes.
const ATTEMPTS_MAX: u32 = 5;
const PAUSE_GROWTH: u32 = 3;
/// Characters that are kept of what went wrong.
const ERROR_CHARS_MAX: usize = 500;
/// Notices that are forgotten at a time, and the pause between two looks for old ones.
const TRIM_MAX: usize = 2000;
const TRIM_INTERVAL: Duration = Duration::from_secs(60);

impl Hub {
    /// A page of the notices to operators, the newest first.
    pub async fn notices(&self, query: NoticeQuery) -> Result<Vec<NoticeRow>, StoreError> {
        self.store().notices(query).await
    }
}

/// Looks for alarms, sends what is due, and forgets what is old.
pub async fn run(hub: Arc<Hub>) {
    tokio::join!(watch(&hub), deliver(&hub), trim(&hub));
}

async fn watch(hub: &Hub) {
    loop {
        tokio::time::sleep(hub.config.notices.look_interval).await;
        if let Err(error) = look(hub).await {
            tracing::error!(%error, "alarms of caps and liquidity could not be evaluated; it is tried again");
        }
    }
}

/// What was said is read before the balances: if another node has told something meanwhile, the step is not taken.
async fn look(hub: &Hub) -> Result<(), StoreError> {
    let alarms = hub.store().alarms().await?;
    let directory = hub.fresh_directory().await?;
    for step in notices::watch(&directory, &alarms, now(), &hub.config.notices.policy, hub.name()) {
        let told = step.notice.as_ref();
        let sentence = told.map(|notice| notice.content.sentence(&notice.participant, notice.currency));
        if hub.store().take_alarm_step(step).await?
            && let Some(sentence) = sentence
        {
            tracing::warn!("{sentence}");
        }
    }
    Ok(())
}

/// Takes what is due as places become free, so that who answers slowly holds up nobody else. Each attempt is a task: a
/// future that is not polled while this one waits for the store could hold what this one waits for.
async fn deliver(hub: &Arc<Hub>) {
    let mut under_way = JoinSet::new();
    loop {
        let mut pause = DUE_INTERVAL;
        match claim(hub, UNDER_WAY_MAX - under_way.len()).await {
            Ok(due) => due.into_iter().for_each(|delivery| {
                under_way.spawn(attempt(Arc::clone(hub), delivery));
            }),
            Err(error) => {
                tracing::error!(%error, "notices that are due could not be read; it is tried again");
                pause = hub.config.notices.look_interval;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Some(_) = under_way.join_next() => {}
        }
        while under_way.try_join_next().is_some() {}
    }
}

async fn claim(hub: &Hub, limit: usize) -> Result<Vec<DueDelivery>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let now = now();
    hub.store().claim_deliveries(Claim { now, until: now.plus_millis(CLAIM_MS), limit }).await
}

async fn attempt(hub: Arc<Hub>, delivery: DueDelivery) {
    let end = end_of(hub.notifier().send(&delivery).await, delivery.id.attempt, hub.config.notices.retry_pause);
    count(hub.metrics(), &end);
    if let DeliveryEnd::Failed(error) = &end {
        let (notice, to) = (delivery.notice.id.0, &delivery.recipient.name);
        tracing::warn!(notice, %to, error, "a notice could not be delivered");
    }
    if let Err(error) = hub.store().end_delivery(delivery.id, end, now()).await {
        let notice = delivery.notice.id.0;
        tracing::error!(notice, %error, "it could not be noted how a notice was delivered; it may be sent twice");
    }
}

/// What follows from the outcome of an attempt.
fn end_of(outcome: Sending, attempt: u32, first_pause: Duration) -> DeliveryEnd {
    let shortened = |text: String| text.chars().take(ERROR_CHARS_MAX).collect::<String>();
    match outcome {
        Sending::Sent => DeliveryEnd::Sent,
        Sending::Failed(error) if attempt < ATTEMPTS_MAX => {
            let pause = first_pause.saturating_mul(PAUSE_GROWTH.saturating_pow(attempt.saturating_sub(1)));
            let due = now().plus_millis(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            DeliveryEnd::Retry { due, error: shortened(error) }
        }
        Sending::Failed(error) | Sending::Impossible(error) => DeliveryEnd::Failed(shortened(error)),
        Sending::NotConfigured(reason) => DeliveryEnd::Skipped(reason),
    }
}

fn count(metrics: &Metrics, end: &DeliveryEnd) {
    let outcome = match end {
        DeliveryEnd::Sent => "delivered",
        DeliveryEnd::Retry { .. } => "failed",
        DeliveryEnd::Failed(_) => "given_up",
        DeliveryEnd::Skipped(_) => "skipped",
    };
    metrics.notice_deliveries.get_or_create(&DeliveryLabels { outcome }).inc();
}

async fn trim(hub: &Hub) {
    loop {
        let before = now().plus_millis(-i64::from(hub.config.notices.days) * 24 * 3_600_000);
        match hub.store().trim_notices(before, TRIM_MAX).await {
            Ok(TRIM_MAX) => {}
            Ok(_) => tokio::time::sleep(TRIM_INTERVAL).await,
            Err(error) => {
                tracing::error!(%error, "old notices could not be deleted");
                tokio::time::sleep(TRIM_INTERVAL).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_fifth_attempt_is_the_last() {
        let pause_s = |attempt| {
            let before = now();
            match end_of(Sending::Failed("connection refused".into()), attempt, Duration::from_secs(15)) {
                DeliveryEnd::Retry { due, error } => {
                    assert_eq!(error, "connection refused");
                    Some((due.millis() - before.millis()) / 1000)
                }
                DeliveryEnd::Failed(error) => {
                    assert_eq!(error, "connection refused");
                    None
                }
                end @ (DeliveryEnd::Sent | DeliveryEnd::Skipped(_)) => panic!("{end:?}"),
            }
        };
        assert_eq!([1, 2, 3, 4, 5, 6].map(pause_s), [Some(15), Some(45), Some(135), Some(405), None, None]);
    }

    #[test]
    fn what_cannot_be_sent_at_all_is_not_tried_again() {
        let end = |outcome| end_of(outcome, 1, Duration::from_secs(15));
        assert_eq!(end(Sending::Sent), DeliveryEnd::Sent);
        assert_eq!(end(Sending::Impossible("no URL".into())), DeliveryEnd::Failed("no URL".into()));
        assert_eq!(end(Sending::NotConfigured("no SMTP".into())), DeliveryEnd::Skipped("no SMTP".into()));
        let DeliveryEnd::Failed(text) = end(Sending::Impossible("x".repeat(9_999))) else { panic!() };
        assert_eq!(text.len(), ERROR_CHARS_MAX);
    }
}
