//! `/v2/settlements` (contract, administration §2.4 and §2.5).

use super::{
    form::{Form, TEXT_CHARS, malformed},
    reply::{Answer, Failure, ok},
    request::{Actor, Filters, JsonBody, Segments, positive},
    settlement_rejections::failure_of,
    settlement_views::{self as views, SettlementView},
};
use crate::{Hub, SettlementOutcome};
use axum::extract::State;
use fspiop::{ErrorCode, FspiopError};
use hub_core::{
    WindowId,
    administration::Directory,
    settlement::{
        AbortSettlement, AdvanceAccount, AdvanceSettlement, CreateSettlement, Settlement, SettlementAnswer,
        SettlementCommand, SettlementId, SettlementState, Window,
    },
};
use ledger::{AccountId, ParticipantId};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use store::{SEARCH_MAX, SettlementQuery, WindowQuery};

/// Filters in the order in which they are named.
const FILTERS: [&str; 9] = [
    "state",
    "fromDateTime",
    "toDateTime",
    "currency",
    "settlementWindowId",
    "fromSettlementWindowDateTime",
    "toSettlementWindowDateTime",
    "participantId",
    "accountId",
];
/// Windows, participants and accounts that one request may name, each.
const ENTRIES_MAX: usize = 10_000;
/// An error's description is cut at 128 characters; so many are left for what was searched for.
const SHOWN_FILTERS_CHARS: usize = 36;
/// The states that accounts may be asked to enter.
const ACCOUNT_STATES: [SettlementState; 5] = [
    SettlementState::PendingSettlement,
    SettlementState::Recorded,
    SettlementState::Reserved,
    SettlementState::Committed,
    SettlementState::Settled,
];

#[derive(Serialize)]
struct AbortedView<'a> {
    id: i64,
    state: &'static str,
    reason: &'a str,
}

/// A settlement with what it takes to show it.
struct Found {
    settlement: Settlement,
    windows: Vec<Window>,
    directory: Directory,
}

pub(super) async fn create(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let mut form = Form::new(&body.value);
    let model = form.text("settlementModel", TEXT_CHARS);
    let reason = form.text("reason", TEXT_CHARS);
    let windows = form.objects("settlementWindows", ENTRIES_MAX, |form| form.id("id").map(WindowId));
    if windows.as_ref().is_some_and(|windows| windows.iter().collect::<BTreeSet<_>>().len() < windows.len()) {
        let _: Option<()> = form.reject("settlementWindows", "must not contain duplicates");
    }
    let command =
        form.finish(|| Some(CreateSettlement { model: model?.into(), reason: reason?.into(), windows: windows? }))?;
    let name = command.model.clone();
    let settled = hub.settle(SettlementCommand::CreateSettlement(command), &actor).await.map_err(failure_of)?;
    let SettlementOutcome { answer: SettlementAnswer::Created(settlement), windows, directory } = settled else {
        unreachable!("creating a settlement is answered by it");
    };
    let found = Found { settlement, windows, directory };
    let model = found.directory.settlement_model(&name).map_or(&*name, |model| &*model.name);
    Ok(ok(&SettlementView { settlement_model: Some(model), ..found.view(|_| true) }))
}

/// At least one filter; nothing found is an error. Filters about accounts also restrict the accounts that are listed.
pub(super) async fn list(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    if !filters.has_any(&FILTERS) {
        return Err(invalid(format_args!("Use at least one parameter: {}", FILTERS.join(", "))));
    }
    let query = SettlementQuery {
        id: None,
        state: filters.get("state").map(state_of_settlement).transpose()?,
        from: filters.moment("fromDateTime")?,
        to: filters.moment("toDateTime")?,
        window: filters.id("settlementWindowId")?.map(WindowId),
        from_window: filters.moment("fromSettlementWindowDateTime")?,
        to_window: filters.moment("toSettlementWindowDateTime")?,
        currency: filters.currency()?,
        participant: filters.id("participantId")?.map(ParticipantId),
        account: filters.id("accountId")?.map(AccountId),
    };
    let (currency, participant, account) = (query.currency, query.participant, query.account);
    let settlements = hub.settlements(query).await?;
    if settlements.is_empty() {
        let shown: String = filters.shown(&FILTERS).chars().take(SHOWN_FILTERS_CHARS).collect();
        let detail = format!("No settlements found matching the provided parameters: {shown} not found");
        return Err(invalid(detail));
    }
    let ids: BTreeSet<WindowId> = settlements.iter().flat_map(|settlement| settlement.windows.clone()).collect();
    let windows = windows_of(&hub, ids.into_iter().collect()).await?;
    let directory = hub.fresh_directory().await?;
    let is_wanted = |id: AccountId| {
        let known = directory.account_by_id(id).map(|record| &record.account);
        account.is_none_or(|wanted| wanted == id)
            && currency.is_none_or(|wanted| known.is_some_and(|known| known.currency == wanted))
            && participant.is_none_or(|wanted| known.is_some_and(|known| known.owner == wanted))
    };
    let shown = settlements.iter().map(|settlement| views::whole(settlement, &windows, &directory, is_wanted));
    Ok(ok(&shown.collect::<Vec<_>>()))
}

pub(super) async fn one(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let found = find(&hub, positive(&segment, "id")?).await?;
    Ok(ok(&found.view(|_| true)))
}

pub(super) async fn of_participant(
    State(hub): State<Arc<Hub>>,
    Segments((settlement, participant)): Segments<(String, String)>,
) -> Answer {
    let found = find(&hub, positive(&settlement, "sid")?).await?;
    let participant = found.participant(positive(&participant, "pid")?)?;
    Ok(ok(&without_dates(found.view(|account| views::owner_of(&found.directory, account) == participant))))
}

pub(super) async fn of_account(
    State(hub): State<Arc<Hub>>,
    Segments((settlement, participant, account)): Segments<(String, String, String)>,
) -> Answer {
    let found = find(&hub, positive(&settlement, "sid")?).await?;
    let participant = found.participant(positive(&participant, "pid")?)?;
    let (settlement, account) = (found.settlement.id.0, AccountId(positive(&account, "aid")?));
    if views::owner_of(&found.directory, account) != participant {
        return Err(invalid(format_args!(
            "Provided account ID '{}' does not match any position account for participant '{}' in settlement '{settlement}'",
            account.0, participant.0
        )));
    }
    if found.settlement.accounts.iter().all(|known| known.account != account) {
        return Err(invalid(format_args!("Account ID '{}' is not part of settlement '{settlement}'", account.0)));
    }
    Ok(ok(&without_dates(found.view(|known| known == account))))
}

/// Moves accounts, or aborts.
pub(super) async fn update(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let settlement = SettlementId(positive(&segment, "id")?);
    let has = |name: &str| body.value.get(name).is_some();
    if !has("participants") {
        return abort(&hub, settlement, &body.value, &actor).await;
    }
    if body.value.as_object().is_some_and(|members| members.len() > 1) {
        return Err(invalid("No other properties are allowed when participants is provided"));
    }
    let mut form = Form::new(&body.value);
    let is_empty = body.value["participants"].as_array().is_some_and(Vec::is_empty);
    let accounts = if is_empty {
        form.skip("participants");
        Some(Vec::new())
    } else {
        let entry = |form: &mut Form<'_>| {
            let id = form.id("id").map(ParticipantId);
            let accounts = form.objects("accounts", ENTRIES_MAX, |form| {
                let account = form.id("id").map(AccountId);
                read_step(form).map(|step| (account, step))
            });
            Some((id?, accounts?))
        };
        form.objects("participants", ENTRIES_MAX, entry).map(|participants| {
            let of_one = |(participant, accounts): (ParticipantId, Vec<(Option<AccountId>, Step)>)| {
                accounts.into_iter().filter_map(move |(account, step)| Some(step.of(participant, account?)))
            };
            participants.into_iter().flat_map(of_one).collect()
        })
    };
    let accounts = form.finish(|| accounts)?;
    advance(&hub, AdvanceSettlement { settlement, accounts }, &actor).await
}

pub(super) async fn update_participant(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((settlement, participant)): Segments<(String, String)>,
    body: JsonBody,
) -> Answer {
    let (settlement, participant) = (positive(&settlement, "sid")?, ParticipantId(positive(&participant, "pid")?));
    let mut form = Form::new(&body.value);
    let accounts = form.objects("accounts", ENTRIES_MAX, |form| {
        let account = form.id("id").map(AccountId);
        read_step(form).and_then(|step| Some(step.of(participant, account?)))
    });
    let accounts = form.finish(|| accounts)?;
    advance(&hub, AdvanceSettlement { settlement: SettlementId(settlement), accounts }, &actor).await
}

pub(super) async fn update_account(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((settlement, participant, account)): Segments<(String, String, String)>,
    body: JsonBody,
) -> Answer {
    let settlement = SettlementId(positive(&settlement, "sid")?);
    let (participant, account) = (positive(&participant, "pid")?, positive(&account, "aid")?);
    let mut form = Form::new(&body.value);
    let step = read_step(&mut form);
    let step = form.finish(|| step)?;
    let accounts = vec![step.of(ParticipantId(participant), AccountId(account))];
    advance(&hub, AdvanceSettlement { settlement, accounts }, &actor).await
}

/// What an account is asked for.
struct Step {
    state: SettlementState,
    reason: Box<str>,
    external_reference: Option<Box<str>>,
}

impl Step {
    fn of(self, participant: ParticipantId, account: AccountId) -> AdvanceAccount {
        let Self { state, reason, external_reference } = self;
        AdvanceAccount { participant, account, state, reason, external_reference }
    }
}

fn read_step(form: &mut Form<'_>) -> Option<Step> {
    let parse = |text: &str| ACCOUNT_STATES.into_iter().find(|state| state.as_str() == text);
    let names = ACCOUNT_STATES.map(SettlementState::as_str).join(", ");
    let state = form.parsed("state", parse, &format!("must be one of [{names}]"));
    let reason = form.text("reason", TEXT_CHARS);
    let external_reference = form.optional_text("externalReference", TEXT_CHARS);
    Some(Step { state: state?, reason: reason?.into(), external_reference: external_reference.map(Into::into) })
}

async fn advance(hub: &Hub, command: AdvanceSettlement, actor: &str) -> Answer {
    let settled = hub.settle(SettlementCommand::AdvanceSettlement(command), actor).await.map_err(failure_of)?;
    let SettlementOutcome { answer: SettlementAnswer::Advanced { settlement, accounts }, windows, directory } = settled
    else {
        unreachable!("advancing a settlement is answered by its accounts");
    };
    Ok(ok(&views::advanced(&settlement, &windows, &directory, &accounts)))
}

async fn abort(hub: &Hub, settlement: SettlementId, body: &Value, actor: &str) -> Answer {
    let has = |name: &str| body.get(name).is_some();
    if has("state") != has("reason") {
        return Err(Failure(FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, "State and reason are mandatory")));
    }
    if body.get("state").and_then(Value::as_str) != Some(SettlementState::Aborted.as_str()) {
        return Err(invalid("Invalid request payload input"));
    }
    let mut form = Form::new(body);
    form.skip("state");
    let reason = form.text("reason", TEXT_CHARS);
    let reference = form.optional_text("externalReference", TEXT_CHARS);
    let reason = form.finish(|| reason)?;
    let command = AbortSettlement { settlement, reason: reason.into(), external_reference: reference.map(Into::into) };
    let settled = hub.settle(SettlementCommand::AbortSettlement(command), actor).await.map_err(failure_of)?;
    let SettlementAnswer::Aborted(settlement) = settled.answer else {
        unreachable!("aborting a settlement is answered by it");
    };
    let state = settlement.state.as_str();
    Ok(ok(&AbortedView { id: settlement.id.0, state, reason: &settlement.reason }))
}

impl Found {
    fn view(&self, is_wanted: impl Fn(AccountId) -> bool) -> SettlementView<'_> {
        views::whole(&self.settlement, &self.windows, &self.directory, is_wanted)
    }

    /// A participant of the settlement.
    fn participant(&self, id: i64) -> Result<ParticipantId, Failure> {
        let is_part = |account: AccountId| views::owner_of(&self.directory, account) == ParticipantId(id);
        if self.settlement.accounts.iter().any(|account| is_part(account.account)) {
            return Ok(ParticipantId(id));
        }
        let settlement = self.settlement.id.0;
        Err(invalid(format_args!("Participant with ID '{id}' is not part of settlement '{settlement}'")))
    }
}

async fn find(hub: &Hub, id: i64) -> Result<Found, Failure> {
    let query = SettlementQuery { id: Some(SettlementId(id)), ..SettlementQuery::default() };
    match hub.settlements(query).await?.into_iter().next() {
        Some(settlement) => with_windows(hub, settlement).await,
        None => Err(invalid(format_args!("Settlement with ID '{id}' not found"))),
    }
}

async fn with_windows(hub: &Hub, settlement: Settlement) -> Result<Found, Failure> {
    let windows = windows_of(hub, settlement.windows.clone()).await?;
    Ok(Found { settlement, windows, directory: hub.fresh_directory().await? })
}

/// In the order of their ids.
async fn windows_of(hub: &Hub, ids: Vec<WindowId>) -> Result<Vec<Window>, Failure> {
    let mut windows = Vec::with_capacity(ids.len());
    for some in ids.chunks(SEARCH_MAX) {
        windows.extend(hub.windows(WindowQuery { ids: Some(some.to_vec()), ..WindowQuery::default() }).await?);
    }
    windows.sort_by_key(|window| window.id);
    Ok(windows)
}

/// The settlement as seen from one participant.
fn without_dates(view: SettlementView<'_>) -> SettlementView<'_> {
    SettlementView { reason: None, created_date: None, changed_date: None, ..view }
}

fn state_of_settlement(text: &str) -> Result<SettlementState, Failure> {
    let names = SettlementState::ALL.map(SettlementState::as_str).join(", ");
    SettlementState::parse(text).ok_or_else(|| malformed(format_args!("\"state\" must be one of [{names}]")))
}

/// 400/3100.
fn invalid(detail: impl std::fmt::Display) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail))
}
