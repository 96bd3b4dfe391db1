//! Net debit caps: opening accounts with one, reading and adjusting them (contract, administration §1.9 and §1.10).

use super::{
    form::{Form, Sign, TEXT_CHARS},
    positions::{not_found, owner},
    reply::{Answer, empty, number, ok},
    request::{Actor, Filters, JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use hub_core::administration::{
    ALARM_PERCENTAGE_DEFAULT, AccountRecord, AdminCommand, Directory, OpenAccounts, SetCapShare, SetLimit,
};
use ledger::{AccountKind, Cap};
use serde::Serialize;
use std::sync::Arc;
use vocabulary::{Amount, Currency};

/// The only type of limit.
const NET_DEBIT_CAP: &str = "NET_DEBIT_CAP";

/// A limit in one currency; the name only where limits of several participants are listed.
#[derive(Serialize)]
struct View<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    currency: &'a str,
    limit: LimitView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LimitView {
    #[serde(rename = "type")]
    kind: &'static str,
    value: serde_json::Number,
    alarm_percentage: serde_json::Number,
}

pub(super) async fn open(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let currency = form.currency("currency");
    let limit = form.object("limit", |form| {
        check_type(form);
        form.number("value", Sign::NotNegative)
    });
    let initial = form.optional_number("initialPosition", Sign::Any).unwrap_or(Amount::ZERO);
    let command = form
        .finish(|| Some(OpenAccounts { participant, currency: currency?, limit: limit?, initial_position: initial }))?;
    hub.administer(AdminCommand::OpenAccounts(command), &actor).await?;
    Ok(empty(StatusCode::CREATED))
}

pub(super) async fn set(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let currency = form.currency("currency");
    let cap = form.object("limit", |form| {
        check_type(form);
        let (limit, alarm_percentage) = (form.number("value", Sign::Any), form.number("alarmPercentage", Sign::Any));
        Some(Cap { limit: limit?, alarm_percentage: alarm_percentage?, share: None })
    });
    let command = form.finish(|| Some(SetLimit { participant, currency: currency?, cap: cap? }))?;
    let (currency, cap) = (command.currency, command.cap);
    hub.administer(AdminCommand::SetLimit(command), &actor).await?;
    Ok(ok(&view(None, &currency, (cap.limit, cap.alarm_percentage))))
}

/// Makes the cap a share of the liquidity: an addition of this hub.
pub(super) async fn set_share(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let currency = form.currency("currency");
    let share = form.number("percentageOfLiquidity", Sign::NotNegative);
    let alarm = form.optional_number("alarmPercentage", Sign::NotNegative).unwrap_or(ALARM_PERCENTAGE_DEFAULT);
    let command =
        form.finish(|| Some(SetCapShare { participant, currency: currency?, share: share?, alarm_percentage: alarm }))?;
    let (name, currency) = (command.participant.clone(), command.currency);
    hub.administer(AdminCommand::SetCapShare(command), &actor).await?;
    let directory = hub.fresh_directory().await?;
    let owner = owner(&directory, &name)?.id;
    let record = directory.account(owner, currency, AccountKind::Position).ok_or_else(not_found)?;
    let cap = record.account.cap.ok_or_else(not_found)?;
    let limit = cap.limit_with(directory.liquidity(owner, currency));
    Ok(ok(&view(None, &currency, (limit, cap.alarm_percentage))))
}

/// With `currency`, the limit even of an inactive position; without, the limits of active positions.
pub(super) async fn of_participant(
    State(hub): State<Arc<Hub>>,
    Segments(segment): Segments<String>,
    filters: Filters,
) -> Answer {
    let name = participant_name(&segment)?;
    let currency = filters.currency()?;
    let directory = hub.fresh_directory().await?;
    let owner = owner(&directory, &name)?;
    let position = |currency| directory.account(owner.id, currency, AccountKind::Position);
    let records: Vec<&AccountRecord> = match currency {
        Some(currency) => vec![position(currency).ok_or_else(not_found)?],
        None => directory.accounts_of(owner.id).filter(|record| is_active_position(record)).collect(),
    };
    let views: Vec<_> = records.into_iter().filter_map(|record| shown(&directory, None, record, &filters)).collect();
    Ok(ok(&views))
}

/// The limits of active participants' active positions.
pub(super) async fn of_all(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let currency = filters.currency()?;
    let directory = hub.fresh_directory().await?;
    let active = directory.participants.iter().map(|record| &record.participant).filter(|known| known.is_active);
    let views: Vec<_> = active
        .flat_map(|owner| directory.accounts_of(owner.id).map(move |record| (owner, record)))
        .filter(|(_, record)| is_active_position(record))
        .filter(|(_, record)| currency.is_none_or(|currency| record.account.currency == currency))
        .filter_map(|(owner, record)| shown(&directory, Some(owner.name.as_str()), record, &filters))
        .collect();
    Ok(ok(&views))
}

fn check_type(form: &mut Form<'_>) {
    if let Some(kind) = form.text("type", TEXT_CHARS)
        && kind != NET_DEBIT_CAP
    {
        let _: Option<()> = form.reject("type", "must be NET_DEBIT_CAP");
    }
}

fn is_active_position(record: &AccountRecord) -> bool {
    record.account.kind == AccountKind::Position && record.account.is_active
}

/// A position's limit, if it has one of the type that the query wants.
fn shown<'a>(
    directory: &Directory,
    name: Option<&'a str>,
    record: &'a AccountRecord,
    filters: &Filters,
) -> Option<View<'a>> {
    let is_wanted = filters.get("type").is_none_or(|wanted| wanted == NET_DEBIT_CAP);
    let cap = record.account.cap.filter(|_| is_wanted)?;
    let currency = &record.account.currency;
    let limit = cap.limit_with(directory.liquidity(record.account.owner, *currency));
    Some(view(name, currency, (limit, cap.alarm_percentage)))
}

fn view<'a>(name: Option<&'a str>, currency: &'a Currency, (limit, alarm): (Amount, Amount)) -> View<'a> {
    let limit = LimitView { kind: NET_DEBIT_CAP, value: number(limit), alarm_percentage: number(alarm) };
    View { name, currency: currency.as_str(), limit }
}
