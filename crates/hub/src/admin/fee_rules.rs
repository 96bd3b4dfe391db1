//! `/umoja/v1/fee-rules`: the table of interchange fees, an addition of this hub (contract, administration §2.8).

use super::{
    form::{Form, Sign, TEXT_CHARS},
    reply::{Answer, Failure, json, number, ok},
    request::{Actor, JsonBody, Segments, moment, positive},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError};
use hub_core::{
    administration::{AdminCommand, NewFeeRule, SetFeeRuleActivity},
    fees::{Extension, FeeConditions, FeeDebtor, FeeDecimals, FeeFormula, FeeRule},
};
use serde::Serialize;
use std::sync::Arc;
use vocabulary::{Amount, FspId};

/// Rules of one scheme: each payment is compared with every one.
const RULES_MAX: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: i64,
    name: &'a str,
    is_active: bool,
    valid_from: Option<String>,
    valid_until: Option<String>,
    conditions: ConditionsView<'a>,
    debtor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConditionsView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_fsp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_fsp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_from: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_to: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_scenario: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initiator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initiator_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_extension: Option<ExtensionView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_extension: Option<ExtensionView<'a>>,
}

#[derive(Serialize)]
struct ExtensionView<'a> {
    key: &'a str,
    value: &'a str,
}

/// Every rule, in the order of creation.
pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let directory = hub.fresh_directory().await?;
    Ok(ok(&directory.fee_rules.iter().map(view).collect::<Vec<_>>()))
}

pub(super) async fn create(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let command = read(Form::new(&body.value))?;
    let name = command.name.clone();
    if hub.fresh_directory().await?.fee_rules.len() >= RULES_MAX {
        let detail = format!("There are {RULES_MAX} fee rules, which is the most");
        return Err(Failure(FspiopError::with_detail(ErrorCode::CLIENT_ERROR, detail)));
    }
    hub.administer(AdminCommand::CreateFeeRule(Box::new(command)), &actor).await?;
    let directory = hub.fresh_directory().await?;
    let made = directory.fee_rules.iter().rev().find(|rule| rule.name == name).map(view);
    Ok(json(StatusCode::CREATED, &made))
}

pub(super) async fn set_activity(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let id = positive(&segment, "id")?;
    let mut form = Form::new(&body.value);
    let is_active = form.flag("isActive");
    let is_active = form.finish(|| is_active)?;
    hub.administer(AdminCommand::SetFeeRuleActivity(SetFeeRuleActivity { id, is_active }), &actor).await?;
    let directory = hub.fresh_directory().await?;
    Ok(ok(&directory.fee_rules.iter().find(|rule| rule.id == id).map(view)))
}

fn read(mut form: Form<'_>) -> Result<NewFeeRule, Failure> {
    const TIME: &str = "must be an ISO 8601 date or time";
    let name = form.text("name", 1..=64);
    let from = form.optionally_parsed("validFrom", moment, TIME);
    let until = form.optionally_parsed("validUntil", moment, TIME);
    let conditions = if form.has("conditions") {
        form.object("conditions", |form| Some(read_conditions(form)))
    } else {
        Some(FeeConditions::default())
    };
    let debtor = form.parsed("debtor", FeeDebtor::parse, "must be one of [PAYER, PAYEE]");
    let formula = read_formula(&mut form);
    form.finish(|| {
        Some(NewFeeRule {
            name: name?.into(),
            from,
            until,
            conditions: conditions?,
            debtor: debtor?,
            formula: formula?,
        })
    })
}

fn read_conditions(form: &mut Form<'_>) -> FeeConditions {
    let fsp = |text: &str| text.parse::<FspId>().ok();
    FeeConditions {
        currency: form.optional_currency("currency"),
        payer: form.optionally_parsed("payerFsp", fsp, "must be the name of a participant"),
        payee: form.optionally_parsed("payeeFsp", fsp, "must be the name of a participant"),
        amount_from: form.optional_number("amountFrom", Sign::NotNegative),
        amount_to: form.optional_number("amountTo", Sign::NotNegative),
        scenario: form.optional_text("scenario", TEXT_CHARS).map(Into::into),
        sub_scenario: form.optional_text("subScenario", TEXT_CHARS).map(Into::into),
        initiator: form.optional_text("initiator", TEXT_CHARS).map(Into::into),
        initiator_type: form.optional_text("initiatorType", TEXT_CHARS).map(Into::into),
        payer_extension: read_extension(form, "payerExtension"),
        payee_extension: read_extension(form, "payeeExtension"),
    }
}

fn read_extension(form: &mut Form<'_>, name: &'static str) -> Option<Extension> {
    if !form.has(name) {
        return None;
    }
    form.object(name, |form| {
        let (key, value) = (form.text("key", TEXT_CHARS), form.text("value", TEXT_CHARS));
        Some(Extension { key: key?.into(), value: value?.into() })
    })
}

/// Either `fixed`, or `percentage` with the `decimals` that it is rounded to, two by default.
fn read_formula(form: &mut Form<'_>) -> Option<FeeFormula> {
    match (form.has("fixed"), form.has("percentage")) {
        (true, false) => form.number("fixed", Sign::Positive).map(FeeFormula::Fixed),
        (false, true) => {
            let percent = form.number("percentage", Sign::Positive);
            let decimals = form.optional_number("decimals", Sign::NotNegative);
            let places = decimals.map_or(Some(2), whole).and_then(FeeDecimals::try_new);
            let Some(decimals) = places else { return form.reject("decimals", "must be a whole number from 0 to 4") };
            Some(FeeFormula::Percentage { percent: percent?, decimals })
        }
        (true, true) | (false, false) => form.reject("fixed", "or \"percentage\" is required, and not both"),
    }
}

fn whole(number: Amount) -> Option<u8> {
    const UNIT: i64 = 10_000;
    let is_whole = number.units() % UNIT == 0;
    u8::try_from(number.units() / UNIT).ok().filter(|_| is_whole)
}

fn view(rule: &FeeRule) -> View<'_> {
    let (fixed, percentage, decimals) = match rule.formula {
        FeeFormula::Fixed(amount) => (Some(number(amount)), None, None),
        FeeFormula::Percentage { percent, decimals } => (None, Some(number(percent)), Some(decimals.places())),
    };
    let conditions = &rule.conditions;
    View {
        id: rule.id,
        name: &rule.name,
        is_active: rule.is_active,
        valid_from: rule.from.map(|from| from.to_string()),
        valid_until: rule.until.map(|until| until.to_string()),
        conditions: ConditionsView {
            currency: conditions.currency.as_ref().map(vocabulary::Currency::as_str),
            payer_fsp: conditions.payer.as_ref().map(FspId::as_str),
            payee_fsp: conditions.payee.as_ref().map(FspId::as_str),
            amount_from: conditions.amount_from.map(number),
            amount_to: conditions.amount_to.map(number),
            scenario: conditions.scenario.as_deref(),
            sub_scenario: conditions.sub_scenario.as_deref(),
            initiator: conditions.initiator.as_deref(),
            initiator_type: conditions.initiator_type.as_deref(),
            payer_extension: conditions.payer_extension.as_ref().map(extension_view),
            payee_extension: conditions.payee_extension.as_ref().map(extension_view),
        },
        debtor: rule.debtor.as_str(),
        fixed,
        percentage,
        decimals,
    }
}

fn extension_view(extension: &Extension) -> ExtensionView<'_> {
    ExtensionView { key: &extension.key, value: &extension.value }
}
