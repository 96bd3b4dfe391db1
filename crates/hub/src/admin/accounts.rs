//! `/participants/{name}/accounts` and switching an account (contract, administration §1.12).

use super::{
    form::{Form, TEXT_CHARS},
    participants, positions,
    reply::{Answer, empty, number, ok},
    request::{Actor, Filters, JsonBody, Origin, Segments, account_id, participant_name},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use hub_core::administration::{AccountRecord, AdminCommand, CreateHubAccount, SetAccountActivity};
use serde::Serialize;
use std::sync::Arc;

/// An account with its balance. Nothing is ever in `reservedValue`: what is held is part of the value.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: i64,
    ledger_account_type: &'a str,
    currency: &'a str,
    is_active: u8,
    value: serde_json::Number,
    reserved_value: u8,
    changed_date: String,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>, filters: Filters) -> Answer {
    let name = participant_name(&segment)?;
    let currency = filters.currency()?;
    let directory = hub.fresh_directory().await?;
    let owner = positions::owner(&directory, &name)?;
    let views: Vec<_> = directory
        .accounts_of(owner.id)
        .filter(|record| record.is_open && currency.is_none_or(|currency| record.account.currency == currency))
        .map(view)
        .collect();
    Ok(ok(&views))
}

pub(super) async fn create(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Origin(origin): Origin,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let owner = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let (currency, kind) = (form.currency("currency"), form.text("type", TEXT_CHARS));
    let (currency, kind) = form.finish(|| Some((currency?, kind?.parse().ok())))?;
    let command = CreateHubAccount { owner: owner.clone(), currency, kind };
    hub.administer(AdminCommand::CreateHubAccount(command), &actor).await?;
    participants::answer_with(&hub, &owner, &origin, StatusCode::CREATED).await
}

pub(super) async fn set_activity(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((name, id)): Segments<(String, String)>,
    body: JsonBody,
) -> Answer {
    let (participant, account) = (participant_name(&name)?, account_id(&id)?);
    let mut form = Form::new(&body.value);
    let is_active = form.flag("isActive");
    let is_active = form.finish(|| is_active)?;
    let command = SetAccountActivity { participant, account, is_active };
    hub.administer(AdminCommand::SetAccountActivity(command), &actor).await?;
    Ok(empty(StatusCode::OK))
}

fn view(record: &AccountRecord) -> View<'_> {
    View {
        id: record.account.id.0,
        ledger_account_type: record.account.kind.as_str(),
        currency: record.account.currency.as_str(),
        is_active: u8::from(record.account.is_active),
        value: number(record.account.value()),
        reserved_value: 0,
        changed_date: record.changed_at.to_string(),
    }
}
