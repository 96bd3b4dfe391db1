//! `/participants` and `/participants/{name}` (contract, administration §1.3 to §1.7).

use super::{
    form::{Form, NAME_CHARS, malformed, parse_lenient_flag},
    rejections,
    reply::{Answer, Failure, json, ok},
    request::{Actor, Filters, JsonBody, Origin, Segments, participant_name},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError};
use hub_core::{
    Flow,
    administration::{
        AdminCommand, AdminRejection, CreateParticipant, Directory, ParticipantRecord, SetParticipantActivity,
        SetParticipantFlow,
    },
};
use serde::Serialize;
use std::sync::Arc;
use vocabulary::FspId;

/// A participant as replies show it; its numeric id is not part of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    name: &'a str,
    /// A URL.
    id: String,
    /// A JSON text that contains quotation marks: clients of the reference get it so.
    created: String,
    is_active: u8,
    links: Links,
    accounts: Vec<AccountView<'a>>,
    is_proxy: u8,
}

#[derive(Serialize)]
struct FlowView {
    flow: &'static str,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountView<'a> {
    id: i64,
    ledger_account_type: &'a str,
    currency: &'a str,
    is_active: u8,
    created_date: String,
    created_by: &'static str,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>, Origin(origin): Origin, filters: Filters) -> Answer {
    let proxies_wanted = match filters.get("isProxy").map(parse_lenient_flag) {
        None => None,
        Some(Some(wanted)) => Some(wanted),
        Some(None) => return Err(malformed("\"isProxy\" must be a boolean")),
    };
    let directory = hub.fresh_directory().await?;
    let mut wanted: Vec<_> = directory
        .participants
        .iter()
        .filter(|record| proxies_wanted.is_none_or(|wanted| wanted == record.participant.is_proxy))
        .collect();
    wanted.sort_by(|one, other| one.participant.name.cmp(&other.participant.name));
    let views: Vec<_> = wanted.into_iter().map(|record| view(&directory, record, &origin)).collect();
    Ok(ok(&views))
}

pub(super) async fn create(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Origin(origin): Origin,
    body: JsonBody,
) -> Answer {
    let mut form = Form::new(&body.value);
    let name = form.text("name", NAME_CHARS);
    let currency = form.optional_currency("currency");
    let is_proxy = form.lenient_flag("isProxy");
    let (name, currency) = form.finish(|| Some((name?.parse::<FspId>().ok()?, currency)))?;
    // A request without a currency fails the first check that needs one.
    let currency = currency.ok_or(AdminRejection::NoHubReconciliationAccount);
    let currency = currency.map_err(|rejection| Failure(rejections::error_of(rejection)))?;
    let command = CreateParticipant { name: name.clone(), currency, is_proxy };
    hub.administer(AdminCommand::CreateParticipant(command), &actor).await?;
    answer_with(&hub, &name, &origin, StatusCode::CREATED).await
}

pub(super) async fn one(
    State(hub): State<Arc<Hub>>,
    Origin(origin): Origin,
    Segments(segment): Segments<String>,
) -> Answer {
    answer_with(&hub, &participant_name(&segment)?, &origin, StatusCode::OK).await
}

pub(super) async fn set_activity(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Origin(origin): Origin,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let name = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let is_active = form.flag("isActive");
    let is_active = form.finish(|| is_active)?;
    let command = SetParticipantActivity { name: name.clone(), is_active };
    hub.administer(AdminCommand::SetParticipantActivity(command), &actor).await?;
    answer_with(&hub, &name, &origin, StatusCode::OK).await
}

/// In which roles the participant takes new transfers: an addition of this hub.
pub(super) async fn flow(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let name = participant_name(&segment)?;
    let directory = hub.fresh_directory().await?;
    let record = directory.participant(&name).ok_or(AdminRejection::ParticipantNotFound);
    let record = record.map_err(|rejection| Failure(rejections::error_of(rejection)))?;
    Ok(ok(&FlowView { flow: record.participant.flow.as_str() }))
}

pub(super) async fn set_flow(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let name = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let flow = form.parsed("flow", Flow::parse, "must be one of [BOTH, SEND_ONLY, RECEIVE_ONLY, PAUSED]");
    let flow = form.finish(|| flow)?;
    let command = SetParticipantFlow { name, flow };
    hub.administer(AdminCommand::SetParticipantFlow(command), &actor).await?;
    Ok(ok(&FlowView { flow: flow.as_str() }))
}

/// The participant object, as it is now.
pub(super) async fn answer_with(hub: &Hub, name: &FspId, origin: &str, status: StatusCode) -> Answer {
    let directory = hub.fresh_directory().await?;
    let record = directory.participant(name).ok_or_else(|| {
        Failure(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "The requested resource could not be found"))
    })?;
    Ok(json(status, &view(&directory, record, origin)))
}

fn view<'a>(directory: &'a Directory, record: &'a ParticipantRecord, origin: &str) -> View<'a> {
    let participant = &record.participant;
    let name = participant.name.as_str();
    let url = format!("{origin}/participants/{name}");
    let accounts = directory.accounts_of(participant.id).map(|record| AccountView {
        id: record.account.id.0,
        ledger_account_type: record.account.kind.as_str(),
        currency: record.account.currency.as_str(),
        is_active: u8::from(record.account.is_active),
        created_date: record.created_at.to_string(),
        created_by: "unknown",
    });
    View {
        name,
        id: url.clone(),
        created: format!("\"{}\"", record.created_at),
        is_active: u8::from(participant.is_active),
        links: Links { this: url },
        accounts: accounts.collect(),
        is_proxy: u8::from(participant.is_proxy),
    }
}
