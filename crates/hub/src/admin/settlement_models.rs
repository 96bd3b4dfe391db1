//! `/settlementModels` (contract, administration §1.15).

use super::{
    form::{Form, NAME_CHARS, TEXT_CHARS},
    reply::{Answer, Failure, empty, ok},
    request::{Actor, JsonBody, Segments},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError};
use hub_core::administration::{
    AdminCommand, Delay, Granularity, Interchange, NewSettlementModel, SetSettlementModelActivity, SettlementModel,
};
use ledger::AccountKind;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    settlement_model_id: i64,
    name: &'a str,
    is_active: bool,
    settlement_granularity: &'static str,
    settlement_interchange: &'static str,
    settlement_delay: &'static str,
    currency: Option<&'a str>,
    require_liquidity_check: bool,
    /// Holds the type's name, not an id; clients read it so.
    ledger_account_type_id: &'a str,
    auto_position_reset: bool,
}

/// Active models only.
pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let directory = hub.fresh_directory().await?;
    let views: Vec<_> = directory.settlement_models.iter().filter(|model| model.is_active).map(view).collect();
    Ok(ok(&views))
}

pub(super) async fn create(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let command = read(Form::new(&body.value))?;
    hub.administer(AdminCommand::CreateSettlementModel(command), &actor).await?;
    Ok(empty(StatusCode::CREATED))
}

pub(super) async fn one(State(hub): State<Arc<Hub>>, Segments(name): Segments<String>) -> Answer {
    answer_with(&hub, &name).await
}

pub(super) async fn set_activity(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(name): Segments<String>,
    body: JsonBody,
) -> Answer {
    let mut form = Form::new(&body.value);
    let is_active = form.flag("isActive");
    let is_active = form.finish(|| is_active)?;
    let command = SetSettlementModelActivity { name: name.as_str().into(), is_active };
    hub.administer(AdminCommand::SetSettlementModelActivity(command), &actor).await?;
    answer_with(&hub, &name).await
}

async fn answer_with(hub: &Hub, name: &str) -> Answer {
    let directory = hub.fresh_directory().await?;
    let model = directory.settlement_model(name).ok_or_else(|| {
        Failure(FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "The requested resource could not be found"))
    })?;
    Ok(ok(&view(model)))
}

fn read(mut form: Form<'_>) -> Result<NewSettlementModel, Failure> {
    let name = form.text("name", NAME_CHARS);
    if name.is_some_and(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        let _: Option<()> = form.reject("name", "must only contain alpha-numeric characters");
    }
    let granularity = form.parsed("settlementGranularity", Granularity::parse, "must be one of [GROSS, NET]");
    let interchange =
        form.parsed("settlementInterchange", Interchange::parse, "must be one of [BILATERAL, MULTILATERAL]");
    let delay = form.parsed("settlementDelay", Delay::parse, "must be one of [IMMEDIATE, DEFERRED]");
    let currency = form.optional_currency("currency");
    let requires_liquidity_check = form.flag("requireLiquidityCheck");
    let ledger_account = form.text("ledgerAccountType", TEXT_CHARS);
    let resets_positions = form.flag("autoPositionReset");
    let settlement_account = form.parsed(
        "settlementAccountType",
        parse_settlement_account,
        "must be one of [SETTLEMENT, INTERCHANGE_FEE_SETTLEMENT]",
    );
    form.finish(|| {
        Some(NewSettlementModel {
            name: name?.into(),
            granularity: granularity?,
            interchange: interchange?,
            delay: delay?,
            currency,
            requires_liquidity_check: requires_liquidity_check?,
            ledger_account: ledger_account?.parse().ok(),
            settlement_account: settlement_account?,
            resets_positions: resets_positions?,
        })
    })
}

/// Of the built-in types two settle others; whether one of the operator's own does is decided with the directory.
fn parse_settlement_account(text: &str) -> Option<AccountKind> {
    let kind = text.parse().ok()?;
    match kind {
        AccountKind::Settlement | AccountKind::InterchangeFeeSettlement | AccountKind::Custom(_) => Some(kind),
        AccountKind::Position
        | AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFee => None,
    }
}

fn view(model: &SettlementModel) -> View<'_> {
    View {
        settlement_model_id: model.id,
        name: &model.name,
        is_active: model.is_active,
        settlement_granularity: model.granularity.as_str(),
        settlement_interchange: model.interchange.as_str(),
        settlement_delay: model.delay.as_str(),
        currency: model.currency.as_ref().map(vocabulary::Currency::as_str),
        require_liquidity_check: model.requires_liquidity_check,
        ledger_account_type_id: model.ledger_account.as_str(),
        auto_position_reset: model.resets_positions,
    }
}
