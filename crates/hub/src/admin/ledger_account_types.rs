//! `/ledgerAccountTypes` (contract, administration §1.14). The types are those that the ledger knows; types of an
//! operator's own are not supported.

use super::{
    form::{Form, NAME_CHARS, TEXT_CHARS},
    reply::{Answer, Failure, ok},
    request::JsonBody,
};
use crate::Hub;
use axum::extract::State;
use fspiop::{ErrorCode, FspiopError};
use hub_core::administration::is_settleable;
use ledger::AccountKind;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    ledger_account_type_id: usize,
    name: &'static str,
    description: &'static str,
    is_active: u8,
    created_date: String,
    is_settleable: u8,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let directory = hub.directory();
    let created_at = directory.participant(hub.name()).map(|record| record.created_at.to_string()).unwrap_or_default();
    let views: Vec<_> = (1..)
        .zip(AccountKind::ALL)
        .map(|(id, kind)| View {
            ledger_account_type_id: id,
            name: kind.as_str(),
            description: description(kind),
            is_active: 1,
            created_date: created_at.clone(),
            is_settleable: u8::from(is_settleable(kind)),
        })
        .collect();
    Ok(ok(&views))
}

pub(super) async fn create(body: JsonBody) -> Answer {
    let mut form = Form::new(&body.value);
    let name = form.text("name", NAME_CHARS);
    if name.is_some_and(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')) {
        let _: Option<()> = form.reject("name", "must consist of word characters");
    }
    form.text("description", TEXT_CHARS);
    form.flag("isActive");
    form.flag("isSettleable");
    let name = form.finish(|| name)?;
    Err(Failure(if name.parse::<AccountKind>().is_ok() {
        FspiopError::with_detail(ErrorCode::CLIENT_ERROR, "This Ledger Account Type already exists")
    } else {
        FspiopError::with_detail(ErrorCode::NOT_IMPLEMENTED, "Ledger account types of an operator's own")
    }))
}

fn description(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Position => "What a participant owes the scheme since its last settlement",
        AccountKind::Settlement => "The liquidity of a participant, below zero",
        AccountKind::HubReconciliation => "All liquidity that participants have paid in",
        AccountKind::HubMultilateralSettlement => "Positions that are being settled",
        AccountKind::InterchangeFee => "What a participant owes in interchange fees",
        AccountKind::InterchangeFeeSettlement => "The account through which interchange fees are settled",
    }
}
