//! `/v2/settlementWindows` (contract, administration §2.2).

use super::{
    form::{Form, TEXT_CHARS},
    reply::{Answer, Failure, ok},
    request::{Actor, Filters, JsonBody, Segments, positive},
    settlement_rejections::failure_of,
};
use crate::Hub;
use axum::extract::State;
use fspiop::{ErrorCode, FspiopError};
use hub_core::{
    WindowId,
    settlement::{Content, Window, WindowState},
};
use ledger::ParticipantId;
use serde::Serialize;
use std::sync::Arc;
use store::WindowQuery;

/// Filters in the order in which they are named.
const FILTERS: [&str; 5] = ["participantId", "state", "fromDateTime", "toDateTime", "currency"];
/// An error's description is cut at 128 characters; so many are left for what was searched for.
const SHOWN_FILTERS_CHARS: usize = 62;
/// States that may be searched for.
const STATES: [WindowState; 5] = [
    WindowState::Open,
    WindowState::Closed,
    WindowState::PendingSettlement,
    WindowState::Settled,
    WindowState::Aborted,
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    settlement_window_id: i64,
    state: &'static str,
    reason: &'a str,
    created_date: String,
    changed_date: String,
    /// Absent where only the window itself is told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Vec<ContentView<'a>>>,
}

/// What a window holds, with the settlement that it is bound to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContentView<'a> {
    id: i64,
    state: &'static str,
    ledger_account_type: String,
    currency_id: &'a str,
    created_date: String,
    changed_date: String,
    settlement_id: Option<i64>,
}

/// At least one filter; nothing found is an error.
pub(super) async fn list(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    if !filters.has_any(&FILTERS) {
        return Err(invalid(format_args!("Use at least one parameter: {}", FILTERS.join(", "))));
    }
    let state = filters.get("state").map(state).transpose()?;
    let query = WindowQuery {
        ids: None,
        states: state.map(|state| vec![state]),
        from: filters.moment("fromDateTime")?,
        to: filters.moment("toDateTime")?,
        participant: filters.id("participantId")?.map(ParticipantId),
        currency: filters.currency()?,
    };
    let windows = hub.windows(query).await?;
    if windows.is_empty() {
        let shown: String = filters.shown(&FILTERS).chars().take(SHOWN_FILTERS_CHARS).collect();
        return Err(invalid(format_args!("settlementWindow by filters: {shown} not found")));
    }
    Ok(ok(&windows.iter().map(|window| view(window, true)).collect::<Vec<_>>()))
}

pub(super) async fn one(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let id = positive(&segment, "id")?;
    let query = WindowQuery { ids: Some(vec![WindowId(id)]), ..WindowQuery::default() };
    match hub.windows(query).await?.first() {
        Some(window) => Ok(ok(&view(window, true))),
        None => Err(Failure(FspiopError::with_detail(
            ErrorCode::INTERNAL,
            format_args!("No record for settlementWindowId: {id} found"),
        ))),
    }
}

/// Closes the window; the answer is the one that is open instead.
pub(super) async fn close(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let id = positive(&segment, "id")?;
    let mut form = Form::new(&body.value);
    let state = form.parsed("state", |text| (text == WindowState::Closed.as_str()).then_some(()), "must be CLOSED");
    let reason = form.text("reason", TEXT_CHARS);
    let reason = form.finish(|| state.and(reason))?;
    let opened = hub.close_window(WindowId(id), reason, &actor).await.map_err(failure_of)?;
    Ok(ok(&view(&opened, false)))
}

fn view(window: &Window, with_content: bool) -> View<'_> {
    View {
        settlement_window_id: window.id.0,
        state: window.state.as_str(),
        reason: &window.reason,
        created_date: window.created_at.to_string(),
        changed_date: window.changed_at.to_string(),
        content: with_content.then(|| window.contents.iter().map(content_view).collect()),
    }
}

fn content_view(content: &Content) -> ContentView<'_> {
    ContentView {
        id: content.id.0,
        state: content.state.as_str(),
        ledger_account_type: content.ledger_account.to_string(),
        currency_id: content.currency.as_str(),
        created_date: content.created_at.to_string(),
        changed_date: content.changed_at.to_string(),
        settlement_id: content.settlement.map(|settlement| settlement.0),
    }
}

fn state(text: &str) -> Result<WindowState, Failure> {
    let found = STATES.into_iter().find(|state| state.as_str() == text);
    let names = STATES.map(WindowState::as_str).join(", ");
    found.ok_or_else(|| super::form::malformed(format_args!("\"state\" must be one of [{names}]")))
}

/// 400/3100.
fn invalid(detail: impl std::fmt::Display) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail))
}
