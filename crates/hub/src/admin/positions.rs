//! `/participants/{name}/positions` (contract, administration §1.11).

use super::{
    rejections,
    reply::{Answer, Failure, number, ok},
    request::{Filters, Segments, participant_name},
};
use crate::Hub;
use axum::extract::State;
use hub_core::{
    Participant,
    administration::{AccountRecord, AdminRejection, Directory},
};
use ledger::AccountKind;
use serde::Serialize;
use std::sync::Arc;
use vocabulary::FspId;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    currency: &'a str,
    value: serde_json::Number,
    changed_date: String,
}

/// The object of a position that is inactive or not open.
#[derive(Serialize)]
struct Nothing {}

/// All active positions in order of creation, or with `currency` one object.
pub(super) async fn of_participant(
    State(hub): State<Arc<Hub>>,
    Segments(segment): Segments<String>,
    filters: Filters,
) -> Answer {
    let name = participant_name(&segment)?;
    let currency = filters.currency()?;
    let directory = hub.fresh_directory().await?;
    let owner = owner(&directory, &name)?;
    let is_shown = |record: &AccountRecord| record.account.is_active && record.is_open;
    let Some(currency) = currency else {
        let positions = directory.accounts_of(owner.id).filter(|record| record.account.kind == AccountKind::Position);
        let views: Vec<_> = positions.filter(|record| is_shown(record)).map(view).collect();
        return Ok(ok(&views));
    };
    let position = directory.account(owner.id, currency, AccountKind::Position).ok_or_else(not_found)?;
    Ok(if is_shown(position) { ok(&view(position)) } else { ok(&Nothing {}) })
}

/// The participant of a name; 400/3200 for none.
pub(super) fn owner<'a>(directory: &'a Directory, name: &FspId) -> Result<&'a Participant, Failure> {
    directory.participant(name).map(|record| &record.participant).ok_or_else(not_found)
}

/// 400/3200.
pub(super) fn not_found() -> Failure {
    Failure(rejections::error_of(AdminRejection::ParticipantNotFound))
}

fn view(record: &AccountRecord) -> View<'_> {
    View {
        currency: record.account.currency.as_str(),
        value: number(record.account.value()),
        changed_date: record.changed_at.to_string(),
    }
}
