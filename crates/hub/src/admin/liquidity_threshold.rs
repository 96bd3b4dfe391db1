//! `/umoja/v1/participants/{name}/liquidity-threshold`: the liquidity below which operators are told. An addition of
//! this hub.

use super::{
    form::{Form, Sign},
    positions::owner,
    reply::{Answer, number, ok},
    request::{Actor, JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::extract::State;
use hub_core::administration::{AdminCommand, SetLiquidityThreshold};
use ledger::AccountKind;
use serde::Serialize;
use std::sync::Arc;
use vocabulary::{Amount, Currency};

#[derive(Serialize)]
struct View<'a> {
    currency: &'a str,
    /// Null where there is none.
    amount: Option<serde_json::Number>,
}

/// The thresholds of a participant, one for each currency in which it holds liquidity.
pub(super) async fn get(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let name = participant_name(&segment)?;
    let directory = hub.fresh_directory().await?;
    let owner = owner(&directory, &name)?;
    let own = directory.accounts_of(owner.id).filter(|record| record.account.kind == AccountKind::Settlement);
    let views: Vec<_> = own.map(|record| view(&record.account.currency, record.liquidity_threshold)).collect();
    Ok(ok(&views))
}

/// Sets the threshold in a currency; with null there is none.
pub(super) async fn put(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let currency = form.currency("currency");
    let threshold = form.number_or_null("amount", Sign::NotNegative);
    let command =
        form.finish(|| Some(SetLiquidityThreshold { participant, currency: currency?, threshold: threshold? }))?;
    let (currency, threshold) = (command.currency, command.threshold);
    hub.administer(AdminCommand::SetLiquidityThreshold(command), &actor).await?;
    Ok(ok(&view(&currency, threshold)))
}

fn view(currency: &Currency, threshold: Option<Amount>) -> View<'_> {
    View { currency: currency.as_str(), amount: threshold.map(number) }
}
