//! `/umoja/v1/outbox`: messages that wait or were given up, for an operator to see, send again or remove. Our own
//! addition. Bodies are not shown. Whoever changes something is recorded.

use super::{
    form::malformed,
    reply::{Answer, Failure, empty, json, ok},
    request::{Actor, Filters, Segments},
};
use crate::{Hub, outbound::Head};
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError};
use serde::Serialize;
use std::{fmt::Display, sync::Arc};
use store::{MessageId, OutboxQuery, OutboxRow, OutboxState};

/// One page, oldest first.
#[derive(Serialize)]
struct Page {
    messages: Vec<View>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// A message as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    id: i64,
    state: &'static str,
    to: String,
    /// Method and path; null if the message was written by a program that this one does not understand.
    method: Option<Box<str>>,
    path: Option<Box<str>>,
    attempts: u32,
    /// No attempt begins after this time.
    until: String,
    last_error: Option<Box<str>>,
}

impl View {
    pub fn of(row: OutboxRow) -> Self {
        let (method, path) = Head::decode(&row.head).map(|head| (head.method, head.path)).unzip();
        Self {
            id: row.id.0,
            state: if row.is_dead { "dead" } else { "waiting" },
            to: row.to.to_string(),
            method,
            path: path.map(|path| without_party(&path)),
            attempts: row.attempts,
            until: row.until.to_string(),
            last_error: row.last_error,
        }
    }
}

/// `?state=waiting|dead&to=FSP&limit=…&after=…`; without a state, what is dead.
pub(super) async fn list(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let state = match filters.get("state") {
        None | Some("dead") => OutboxState::Dead,
        Some("waiting") => OutboxState::Waiting,
        Some(_) => return Err(malformed("\"state\" must be one of [waiting, dead]")),
    };
    let to = filters.get("to").map(super::request::participant_name).transpose()?;
    let limit = filters.limit()?;
    let after = filters.get("after").map(message_id).transpose()?.unwrap_or(MessageId(0));
    let rows = hub.outbox(OutboxQuery { state, to, after, limit }).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id.0);
    Ok(ok(&Page { messages: rows.into_iter().map(View::of).collect(), next }))
}

/// 202 with the message as it now waits.
pub(super) async fn replay(State(hub): State<Arc<Hub>>, Segments(id): Segments<String>, actor: Actor) -> Answer {
    let id = message_id(&id)?;
    let Some(message) = hub.outbox_message(id).await? else { return Err(not_found(id)) };
    if !message.is_dead || !hub.replay(id, &actor.0).await? {
        return Err(malformed(format!("message {} is waiting already; only a dead message can be replayed", id.0)));
    }
    let message = OutboxRow { is_dead: false, attempts: 0, ..message };
    Ok(json(StatusCode::ACCEPTED, &View::of(message)))
}

/// 204 when it is gone.
pub(super) async fn discard(State(hub): State<Arc<Hub>>, Segments(id): Segments<String>, actor: Actor) -> Answer {
    let id = message_id(&id)?;
    if hub.discard(id, &actor.0).await? { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(not_found(id)) }
}

fn message_id(text: &str) -> Result<MessageId, Failure> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| is_number);
    id.map(MessageId).ok_or_else(|| malformed("the id of a message is a whole number"))
}

fn not_found(id: MessageId) -> Failure {
    unknown(format_args!("the outbox has no message {}; it was delivered, dropped or never there", id.0))
}

/// 404 with a sentence.
pub(super) fn unknown(sentence: impl Display) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::UNKNOWN_URI, sentence))
}

/// Identifiers of parties are nobody's business here.
fn without_party(path: &str) -> Box<str> {
    let mut segments = path.split('/').skip(1);
    match (segments.next(), segments.next(), segments.next()) {
        (Some(resource @ ("parties" | "participants")), Some(id_type), Some(_)) => {
            format!("/{resource}/{id_type}/…").into()
        }
        _ => path.into(),
    }
}
