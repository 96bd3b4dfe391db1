//! Funds in and out (contract, administration §1.13). The request is checked, then accepted with 202 once it is durable;
//! what became of it shows in the balance and in `GET /transfers/{id}` only.

use super::{
    form::{Form, Sign, TEXT_CHARS, malformed},
    rejections,
    reply::{Answer, Failure, empty},
    request::{Actor, JsonBody, Segments, account_id, participant_name},
};
use crate::{Hub, journal};
use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use fspiop::{ErrorCode, FspiopError, content_hash};
use hub_core::{
    Subject,
    administration::check_funds,
    transfers::{FinishFunds, NewFunds, RecordFunds, Stage, Transfer, TransferKind},
};
use ledger::AccountId;
use serde::Serialize;
use std::sync::Arc;
use store::{Direction, JournalRow};
use vocabulary::{CorrelationId, Currency, Digest, FspId, Money};

/// Entries of an `extensionList` that a request may have; the hub adds three to the sixteen of FSPIOP.
const EXTENSIONS_MAX: usize = 13;
/// Characters of an extension's value.
const EXTENSION_CHARS_MAX: usize = 128;

/// What a request on an account starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    In,
    OutReserve,
}

/// What a request on a withdrawal does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    Commit,
    Abort,
}

#[derive(Serialize)]
struct Extensions<'a> {
    extension: Vec<Extension<'a>>,
}

#[derive(Serialize)]
pub(super) struct Extension<'a> {
    key: &'a str,
    value: &'a str,
}

/// `recordFundsIn` and `recordFundsOutPrepareReserve`.
pub(super) async fn start(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((name, id)): Segments<(String, String)>,
    body: JsonBody,
) -> Answer {
    let (participant, account) = (participant_name(&name)?, account_id(&id)?);
    let mut form = Form::new(&body.value);
    let transfer_id = form.parsed("transferId", parse_id, "must be a valid GUID or ULID");
    let reference = form.text("externalReference", TEXT_CHARS);
    let action = form.parsed("action", parse_start, "must be one of [recordFundsIn, recordFundsOutPrepareReserve]");
    let reason = form.text("reason", TEXT_CHARS);
    let money = form.object("amount", |form| {
        let (amount, currency) = (form.number("amount", Sign::Positive), form.currency("currency"));
        Some(Money { amount: amount?, currency: currency? })
    });
    let mut extensions = if form.has("extensionList") { read_extensions(&mut form) } else { None }.unwrap_or_default();
    let (action, money, reference, reason) = form.finish(|| Some((action?, money?, reference?, reason?)))?;

    check(&hub, &participant, account, Some(money.currency)).await?;
    extensions.push(Extension { key: "externalReference", value: reference });
    add_reason(&mut extensions, reason, &actor);
    let id = transfer_id.expect("the form was finished");
    let (hash, extensions) = (content_hash(&body.bytes), text_of(extensions));
    let funds = NewFunds { id, participant: participant.clone(), money, hash, extensions };
    let command = match action {
        Start::In => RecordFunds::In(funds),
        Start::OutReserve => RecordFunds::OutReserve(funds),
    };
    hub.record_funds(command).await?;
    let swallowed = started_wrongly(hub.store().transfer(Subject::transfer(id)).await?.as_ref(), hash);
    note(&hub, &Method::POST, (participant, id), swallowed);
    Ok(empty(StatusCode::ACCEPTED))
}

/// `recordFundsOutCommit` and `recordFundsOutAbort`.
pub(super) async fn finish(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((name, id, transfer)): Segments<(String, String, String)>,
    body: JsonBody,
) -> Answer {
    let (participant, account) = (participant_name(&name)?, account_id(&id)?);
    let transfer = parse_id(&transfer).ok_or_else(|| malformed("\"transferId\" must be a valid GUID or ULID"))?;
    let mut form = Form::new(&body.value);
    let action =
        form.optionally_parsed("action", parse_finish, "must be one of [recordFundsOutCommit, recordFundsOutAbort]");
    let reason = form.text("reason", TEXT_CHARS);
    let reason = form.finish(|| reason)?;

    check(&hub, &participant, account, None).await?;
    let mut extensions = Vec::new();
    add_reason(&mut extensions, reason, &actor);
    let finish = FinishFunds { id: transfer, participant: participant.clone(), extensions: text_of(extensions) };
    let (command, wanted) = match action {
        Some(Finish::Commit) => (RecordFunds::OutCommit(finish), Stage::Committed),
        Some(Finish::Abort) => (RecordFunds::OutAbort(finish), Stage::Aborted),
        None => return Err(Failure(FspiopError::with_detail(ErrorCode::INTERNAL, "The action is not supported"))),
    };
    hub.record_funds(command).await?;
    let swallowed =
        ended_wrongly(hub.store().transfer(Subject::transfer(transfer)).await?.as_ref(), &participant, wanted);
    note(&hub, &Method::PUT, (participant, transfer), swallowed);
    Ok(empty(StatusCode::ACCEPTED))
}

async fn check(hub: &Hub, participant: &FspId, account: AccountId, currency: Option<Currency>) -> Result<(), Failure> {
    let directory = hub.fresh_directory().await?;
    check_funds(&directory, participant, account, currency)
        .map_err(|rejection| Failure(rejections::error_of(rejection)))
}

/// Who asked, and why, stay with the movement.
pub(super) fn add_reason<'a>(extensions: &mut Vec<Extension<'a>>, reason: &'a str, actor: &'a str) {
    let end = reason.char_indices().nth(EXTENSION_CHARS_MAX).map_or(reason.len(), |(at, _)| at);
    extensions.push(Extension { key: "reason", value: &reason[..end] });
    if extensions.iter().all(|extension| extension.key != "user") {
        extensions.push(Extension { key: "user", value: actor });
    }
}

pub(super) fn text_of(extension: Vec<Extension<'_>>) -> Option<Box<str>> {
    let text = serde_json::to_string(&Extensions { extension }).expect("texts always serialise");
    Some(text.into_boxed_str())
}

/// What the caller is not told after its 202: the movement's trace shows it.
fn started_wrongly(known: Option<&Transfer>, hash: Digest) -> Option<ErrorCode> {
    let Some(known) = known else { return Some(ErrorCode::INTERNAL) };
    if known.hashes.prepare != hash {
        return Some(ErrorCode::MODIFIED_REQUEST);
    }
    (known.stage() == Stage::Refused).then_some(ErrorCode::PAYER_LIQUIDITY)
}

/// Likewise for one that should have ended in a stage.
fn ended_wrongly(known: Option<&Transfer>, participant: &FspId, wanted: Stage) -> Option<ErrorCode> {
    let Some(known) = known else { return Some(ErrorCode::TRANSFER_ID_NOT_FOUND) };
    if known.kind != TransferKind::FundsOut || !known.payer.same_as(participant.as_str()) {
        return Some(ErrorCode::CLIENT_ERROR);
    }
    (known.stage() != wanted).then_some(ErrorCode::INTERNAL)
}

fn note(hub: &Hub, method: &Method, (participant, id): (FspId, CorrelationId), swallowed: Option<ErrorCode>) {
    hub.journal().note(JournalRow {
        at: journal::now(),
        direction: Direction::In,
        participant: Some(participant),
        method: journal::method_code(method.as_str()),
        resource: journal::resource_code("/transfers"),
        subject: Some(id),
        related: None,
        status: Some(StatusCode::ACCEPTED.as_u16()),
        error: swallowed.and_then(|code| code.to_string().parse().ok()),
        attempt: 0,
        trace: None,
        party: None,
    });
}

fn read_extensions<'a>(form: &mut Form<'a>) -> Option<Vec<Extension<'a>>> {
    form.object("extensionList", |form| {
        form.objects("extension", EXTENSIONS_MAX, |form| {
            let (key, value) = (form.text("key", 1..=32), form.text("value", 1..=EXTENSION_CHARS_MAX));
            Some(Extension { key: key?, value: value? })
        })
    })
}

/// A UUID in either case, or a ULID.
fn parse_id(text: &str) -> Option<CorrelationId> {
    text.parse().or_else(|_| text.to_ascii_lowercase().parse()).ok()
}

fn parse_start(text: &str) -> Option<Start> {
    match text {
        "recordFundsIn" => Some(Start::In),
        "recordFundsOutPrepareReserve" => Some(Start::OutReserve),
        _ => None,
    }
}

fn parse_finish(text: &str) -> Option<Finish> {
    match text {
        "recordFundsOutCommit" => Some(Finish::Commit),
        "recordFundsOutAbort" => Some(Finish::Abort),
        _ => None,
    }
}
