//! `/umoja/v1/trace/{id}`: everything that is known of a payment, by the id of its transfer or its quote: each message in
//! and out, each state, each ledger entry, and what still waits in the outbox. Our own addition. Neither bodies nor
//! identifiers of parties are in it, because neither is in the journal.

use super::{
    outbox,
    reply::{Answer, number, ok},
    request::Segments,
};
use crate::{Hub, journal::Line, rejections};
use axum::extract::State;
use hub_core::{
    administration::Directory,
    transfers::{Side, Stage, Transfer, TransferState},
};
use ledger::AccountId;
use serde::Serialize;
use std::sync::Arc;
use store::{Direction, JournalRow, Trace, TracedEntry, TracedTransfer};
use vocabulary::{CorrelationId, Money};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<TransferView>,
    /// The conversions that the transfer determines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conversions: Vec<ConversionView>,
    /// Ids of quotes, fxQuotes included.
    quotes: Vec<String>,
    messages: Vec<MessageView>,
    states: Vec<StateView>,
    entries: Vec<EntryView>,
    outbox: Vec<outbox::View>,
    /// False if there is more in the journal than one search looks at.
    is_whole: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferView {
    id: String,
    payer: String,
    payee: String,
    /// The proxy that stood for an external payer, and for an external payee.
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_proxy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_proxy: Option<String>,
    amount: serde_json::Number,
    currency: String,
    /// None for what never expires.
    expiration: Option<String>,
}

/// An fxTransfer: the amount is what is held here, and the states are its own.
#[derive(Serialize)]
struct ConversionView {
    #[serde(flatten)]
    transfer: TransferView,
    source: MoneyView,
    target: MoneyView,
    states: Vec<StateView>,
}

#[derive(Serialize)]
struct MoneyView {
    amount: serde_json::Number,
    currency: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    time: String,
    /// `in` or `out`, as the hub sees it.
    direction: &'static str,
    participant: Option<String>,
    method: Option<String>,
    resource: Option<&'static str>,
    is_error: bool,
    /// The payment's id that the message names.
    id: Option<String>,
    /// HTTP status of the answer; null if there was none.
    status: Option<u16>,
    /// FSPIOP code.
    error: Option<String>,
    /// From 1 for what is sent; null for what came.
    attempt: Option<u16>,
}

#[derive(Serialize)]
struct StateView {
    time: String,
    state: &'static str,
    /// Why, where a transfer did not come to its good end.
    reason: Option<String>,
}

#[derive(Serialize)]
struct EntryView {
    time: String,
    kind: &'static str,
    debit: AccountView,
    credit: AccountView,
    amount: serde_json::Number,
    currency: Option<String>,
    window: Option<i64>,
}

#[derive(Serialize)]
struct AccountView {
    id: i64,
    participant: Option<String>,
    kind: Option<String>,
}

pub(super) async fn one(State(hub): State<Arc<Hub>>, Segments(id): Segments<String>) -> Answer {
    let unknown = || outbox::unknown("no transfer and no quote has this id");
    let known: CorrelationId = id.parse().map_err(|_| unknown())?;
    let trace = hub.trace(known).await?.ok_or_else(unknown)?;
    Ok(ok(&view(trace, &hub.directory())))
}

fn view(trace: Trace, directory: &Directory) -> View {
    let Trace { transfer, conversions, quotes, entries, messages, outbox, is_whole } = trace;
    View {
        states: transfer.as_ref().map(states).unwrap_or_default(),
        transfer: transfer.map(|known| transfer_view(&known.transfer)),
        conversions: conversions.iter().filter_map(conversion_view).collect(),
        quotes: quotes.iter().map(|known| known.quote.id.to_string()).collect(),
        messages: messages.iter().map(message_view).collect(),
        entries: entries.iter().map(|entry| entry_view(entry, directory)).collect(),
        outbox: outbox.into_iter().map(outbox::View::of).collect(),
        is_whole,
    }
}

pub(super) fn transfer_view(transfer: &Transfer) -> TransferView {
    TransferView {
        id: transfer.id.to_string(),
        payer: transfer.payer.to_string(),
        payee: transfer.payee.to_string(),
        payer_proxy: transfer.payer_proxy.as_ref().map(ToString::to_string),
        payee_proxy: transfer.payee_proxy.as_ref().map(ToString::to_string),
        amount: number(transfer.money.amount),
        currency: transfer.money.currency.to_string(),
        expiration: transfer.condition.is_some().then(|| transfer.expiration.to_string()),
    }
}

fn conversion_view(known: &TracedTransfer) -> Option<ConversionView> {
    let terms = known.transfer.terms()?;
    let money = |money: Money| MoneyView { amount: number(money.amount), currency: money.currency.to_string() };
    let [source, target] = match terms.side {
        Side::Payer => [known.transfer.money, terms.other],
        Side::Payee => [terms.other, known.transfer.money],
    };
    Some(ConversionView {
        transfer: transfer_view(&known.transfer),
        source: money(source),
        target: money(target),
        states: states(known),
    })
}

/// A transfer is reserved when it is made, unless it is refused then; what follows is its present state.
fn states(known: &TracedTransfer) -> Vec<StateView> {
    let transfer = &known.transfer;
    let stage = transfer.stage();
    let changed_at = transfer.changed_at.to_string();
    let reserved_at = match stage {
        Stage::Reserved | Stage::Forwarded | Stage::Refused => None,
        Stage::Agreed | Stage::Committed | Stage::Aborted => known.created_at,
    };
    let reason = match &transfer.state {
        TransferState::Reserved
        | TransferState::Forwarded
        | TransferState::Agreed { .. }
        | TransferState::Committed { .. } => None,
        TransferState::Aborted(cause) | TransferState::Refused(cause) => Some(rejections::error_of(cause)),
    };
    let reason = reason.map(|error| format!("{} {}", error.code, error.description()));
    let first = if transfer.payee_proxy.is_some() { Stage::Forwarded } else { Stage::Reserved };
    let reserved = reserved_at.map(|time| StateView { time: time.to_string(), state: name_of(first), reason: None });
    reserved.into_iter().chain([StateView { time: changed_at, state: name_of(stage), reason }]).collect()
}

/// As operators know it from the reference.
pub(super) const fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Reserved => "RESERVED",
        Stage::Forwarded => "RESERVED_FORWARDED",
        Stage::Agreed => "RECEIVED_FULFIL_DEPENDENT",
        Stage::Committed => "COMMITTED",
        Stage::Aborted => "ABORTED",
        Stage::Refused => "REFUSED",
    }
}

fn message_view(row: &JournalRow) -> MessageView {
    let line = Line::of(row);
    MessageView {
        time: row.at.to_timestamp().to_string(),
        direction: match row.direction {
            Direction::In => "in",
            Direction::Out => "out",
        },
        participant: row.participant.as_ref().map(ToString::to_string),
        method: line.method.map(|method| method.to_string()),
        resource: line.resource.map(fspiop::Resource::as_str),
        is_error: line.is_error,
        id: row.subject.map(|id| id.to_string()),
        status: row.status,
        error: row.error.map(|code| code.to_string()),
        attempt: Some(row.attempt).filter(|attempt| *attempt > 0),
    }
}

fn entry_view(entry: &TracedEntry, directory: &Directory) -> EntryView {
    let find = |id: AccountId| directory.accounts.iter().find(|known| known.account.id == id);
    let account_view = |id: AccountId| {
        let account = find(id).map(|record| &record.account);
        let is_owner = |known: &&hub_core::administration::ParticipantRecord| {
            account.is_some_and(|account| known.participant.id == account.owner)
        };
        let owner = directory.participants.iter().find(is_owner);
        AccountView {
            id: id.0,
            participant: owner.map(|known| known.participant.name.to_string()),
            kind: account.map(|account| account.kind.to_string()),
        }
    };
    EntryView {
        time: entry.at.to_string(),
        kind: entry.kind.as_str(),
        debit: account_view(entry.debit),
        credit: account_view(entry.credit),
        amount: number(entry.amount),
        currency: find(entry.debit).map(|record| record.account.currency.to_string()),
        window: entry.window,
    }
}
