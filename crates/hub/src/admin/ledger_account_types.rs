//! `/ledgerAccountTypes` (contract, administration §1.14): the types that are built in, and those that operators add.

use super::{
    form::{Form, NAME_CHARS, TEXT_CHARS},
    reply::{Answer, empty, ok},
    request::{Actor, JsonBody},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use hub_core::administration::{AccountType, AdminCommand, NewAccountType, is_settleable};
use ledger::AccountKind;
use serde::Serialize;
use std::sync::Arc;

/// Of the built-in types, in their order.
const DESCRIPTIONS: [&str; AccountKind::BUILT_IN.len()] = [
    "What a participant owes the scheme since its last settlement",
    "The liquidity of a participant, below zero",
    "All liquidity that participants have paid in",
    "Positions that are being settled",
    "What a participant owes in interchange fees",
    "The account through which interchange fees are settled",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    ledger_account_type_id: i64,
    name: &'a str,
    description: &'a str,
    is_active: u8,
    created_date: String,
    is_settleable: u8,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let directory = hub.fresh_directory().await?;
    let created_at = directory.participant(hub.name()).map(|record| record.created_at.to_string()).unwrap_or_default();
    let built_in = (1..).zip(AccountKind::BUILT_IN.iter().zip(DESCRIPTIONS)).map(|(id, (kind, description))| View {
        ledger_account_type_id: id,
        name: kind.as_str(),
        description,
        is_active: 1,
        created_date: created_at.clone(),
        is_settleable: u8::from(is_settleable(&directory.account_types, *kind)),
    });
    let views: Vec<_> = built_in.chain(directory.account_types.iter().map(view)).collect();
    Ok(ok(&views))
}

pub(super) async fn create(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let mut form = Form::new(&body.value);
    let kind = form.text("name", NAME_CHARS).map(str::parse::<AccountKind>);
    if matches!(kind, Some(Err(_))) {
        let _: Option<()> = form.reject("name", "must consist of word characters");
    }
    let description = form.text("description", TEXT_CHARS);
    let (is_active, is_settleable) = (form.flag("isActive"), form.flag("isSettleable"));
    let command = form.finish(|| {
        Some(NewAccountType {
            kind: kind?.ok()?,
            description: description?.into(),
            is_active: is_active?,
            is_settleable: is_settleable?,
        })
    })?;
    hub.administer(AdminCommand::CreateAccountType(command), &actor).await?;
    Ok(empty(StatusCode::CREATED))
}

fn view(own: &AccountType) -> View<'_> {
    View {
        ledger_account_type_id: own.id,
        name: own.name.as_str(),
        description: &own.description,
        is_active: u8::from(own.is_active),
        created_date: own.created_at.to_string(),
        is_settleable: u8::from(own.is_settleable),
    }
}
