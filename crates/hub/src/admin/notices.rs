//! `/umoja/v1/notices`: what operators were told, and what became of it. An addition of this hub.

use super::{
    form::malformed,
    reply::{Answer, ok},
    request::{Filters, participant_name, positive},
};
use crate::{Hub, notices::values_of};
use axum::extract::State;
use hub_core::notices::NoticeKind;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use store::{DeliveryRow, DeliveryState, NoticeId, NoticeQuery, NoticeRow};

/// One page, the newest first.
#[derive(Serialize)]
struct Page {
    notices: Vec<View>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: i64,
    kind: &'static str,
    participant: String,
    currency: String,
    values: Map<String, Value>,
    made_at: String,
    text: String,
    deliveries: Vec<DeliveryView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    to: String,
    channel: &'static str,
    address: Box<str>,
    state: &'static str,
    attempts: u32,
    last_error: Option<Box<str>>,
    changed_at: String,
    /// While it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

/// `?participant=FSP&kind=…&limit=…&after=…`.
pub(super) async fn list(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let participant = filters.get("participant").map(participant_name).transpose()?;
    let kind = filters.get("kind").map(|text| NoticeKind::parse(text).ok_or_else(unknown_kind)).transpose()?;
    let limit = filters.limit()?;
    let before = filters.get("after").map(|text| positive(text, "after").map(NoticeId)).transpose()?;
    let rows = hub.notices(NoticeQuery { participant, kind, before, limit }).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.notice.id.0);
    Ok(ok(&Page { notices: rows.into_iter().map(view).collect(), next }))
}

fn unknown_kind() -> super::reply::Failure {
    let known = NoticeKind::ALL.map(NoticeKind::as_str).join(", ");
    malformed(format_args!("\"kind\" must be one of [{known}]"))
}

fn view(row: NoticeRow) -> View {
    let notice = &row.notice;
    View {
        id: notice.id.0,
        kind: notice.content.kind().as_str(),
        participant: notice.participant.to_string(),
        currency: notice.currency.to_string(),
        values: values_of(notice),
        made_at: notice.made_at.to_string(),
        text: notice.content.sentence(&notice.participant, notice.currency),
        deliveries: row.deliveries.into_iter().map(delivery).collect(),
    }
}

fn delivery(row: DeliveryRow) -> DeliveryView {
    DeliveryView {
        to: row.recipient.name.to_string(),
        channel: row.recipient.channel.as_str(),
        address: row.recipient.address,
        state: row.state.as_str(),
        attempts: row.attempts,
        last_error: row.last_error,
        changed_at: row.changed_at.to_string(),
        next_attempt_at: (row.state == DeliveryState::Pending).then(|| row.due.to_string()),
    }
}
