//! `GET /enums`: every enumeration of the ledger by name (contract, administration §0.4 and §1.2, bulk §4.5).
//! Clients rely on the names; ids are places in the lists.

use super::reply::{Answer, ok};
use crate::Hub;
use axum::extract::State;
use fspiop::endpoint::EndpointType;
use hub_core::administration::Directory;
use ledger::AccountKind;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const LEDGER_ENTRY_TYPES: [&str; 10] = [
    "PRINCIPLE_VALUE",
    "INTERCHANGE_FEE",
    "HUB_FEE",
    "POSITION_DEPOSIT",
    "POSITION_WITHDRAWAL",
    "SETTLEMENT_NET_RECIPIENT",
    "SETTLEMENT_NET_SENDER",
    "SETTLEMENT_NET_ZERO",
    "RECORD_FUNDS_IN",
    "RECORD_FUNDS_OUT",
];
const TRANSFER_ROLES: [&str; 7] =
    ["PAYER_DFSP", "PAYEE_DFSP", "HUB", "DFSP_SETTLEMENT", "DFSP_POSITION", "INITIATING_FSP", "COUNTER_PARTY_FSP"];
/// The states that operators see in reports, with the state that participants see.
const TRANSFER_STATES: [(&str, &str); 16] = [
    ("RECEIVED_PREPARE", "RECEIVED"),
    ("RESERVED", "RESERVED"),
    ("RESERVED_FORWARDED", "RESERVED"),
    ("RECEIVED_FULFIL", "RESERVED"),
    ("RECEIVED_FULFIL_DEPENDENT", "RESERVED"),
    ("COMMITTED", "COMMITTED"),
    ("RECEIVED_REJECT", "RESERVED"),
    ("ABORTED_REJECTED", "ABORTED"),
    ("RECEIVED_ERROR", "RESERVED"),
    ("ABORTED_ERROR", "ABORTED"),
    ("RESERVED_TIMEOUT", "RESERVED"),
    ("EXPIRED_PREPARED", "ABORTED"),
    ("EXPIRED_RESERVED", "ABORTED"),
    ("INVALID", "ABORTED"),
    ("FAILED", "ABORTED"),
    ("SETTLED", "SETTLED"),
];
const BULK_PROCESSING_STATES: [&str; 11] = [
    "RECEIVED",
    "RECEIVED_DUPLICATE",
    "RECEIVED_INVALID",
    "ACCEPTED",
    "PROCESSING",
    "FULFIL_DUPLICATE",
    "FULFIL_INVALID",
    "COMPLETED",
    "REJECTED",
    "EXPIRED",
    "ABORTING",
];
const BULK_STATES: [(&str, &str); 12] = [
    ("RECEIVED", "RECEIVED"),
    ("PENDING_PREPARE", "PENDING"),
    ("PENDING_INVALID", "PENDING"),
    ("ACCEPTED", "ACCEPTED"),
    ("PROCESSING", "PROCESSING"),
    ("PENDING_FULFIL", "PROCESSING"),
    ("EXPIRING", "PROCESSING"),
    ("ABORTING", "PROCESSING"),
    ("COMPLETED", "COMPLETED"),
    ("EXPIRED", "COMPLETED"),
    ("REJECTED", "REJECTED"),
    ("INVALID", "REJECTED"),
];

pub(super) async fn all(State(hub): State<Arc<Hub>>) -> Answer {
    let directory = hub.directory();
    let hub_participant = directory.participant(hub.name()).map(|record| {
        json!({
            "participantId": record.participant.id.0,
            "name": record.participant.name.as_str(),
            "isActive": u8::from(record.participant.is_active),
            "createdDate": record.created_at.to_string(),
            "createdBy": "unknown",
            "isProxy": u8::from(record.participant.is_proxy),
        })
    });
    Ok(ok(&json!({
        "endpointType": numbered(EndpointType::ALL.iter().map(|kind| kind.as_str())),
        "hubParticipant": hub_participant,
        "ledgerAccountType": ledger_account_types(&directory),
        "ledgerEntryType": numbered(LEDGER_ENTRY_TYPES),
        "participantLimitType": numbered(["NET_DEBIT_CAP"]),
        "transferParticipantRoleType": numbered(TRANSFER_ROLES),
        "transferState": mapped(TRANSFER_STATES.map(|(state, _)| (state, state))),
        "transferStateEnum": mapped(TRANSFER_STATES),
        "bulkProcessingState": numbered(BULK_PROCESSING_STATES),
        "bulkTransferState": mapped(BULK_STATES.map(|(state, _)| (state, state))),
        "bulkTransferStateEnum": mapped(BULK_STATES),
    })))
}

/// The built-in types, then those of the operator's own.
fn ledger_account_types(directory: &Directory) -> Map<String, Value> {
    let mut types = numbered(AccountKind::BUILT_IN.iter().map(AccountKind::as_str));
    types.extend(directory.account_types.iter().map(|own| (own.name.as_str().to_owned(), Value::from(own.id))));
    types
}

/// Name → place in the list, from 1.
fn numbered<'a>(names: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
    (1..).zip(names).map(|(id, name): (i64, _)| (name.to_owned(), Value::from(id))).collect()
}

fn mapped(pairs: impl IntoIterator<Item = (&'static str, &'static str)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}
