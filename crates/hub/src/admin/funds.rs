//! Funds in and out (contract, administration §1.13). The request is checked, then accepted with 202 once it is durable;
//! what became of it shows in the balance and in `GET /transfers/{id}` only.

use super::{
    form::{Form, Sign, TEXT_CHARS, malformed},
    rejections,
    reply::{Answer, Failure, empty},
    request::{JsonBody, Segments, account_id, participant_name},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::{ErrorCode, FspiopError, content_hash};
use hub_core::{
    administration::check_funds,
    transfers::{NewFunds, RecordFunds},
};
use ledger::AccountId;
use serde::Serialize;
use std::sync::Arc;
use vocabulary::{CorrelationId, Currency, FspId, Money};

/// Entries of an `extensionList`.
const EXTENSIONS_MAX: usize = 16;

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
struct Extension<'a> {
    key: &'a str,
    value: &'a str,
}

/// `recordFundsIn` and `recordFundsOutPrepareReserve`.
pub(super) async fn start(
    State(hub): State<Arc<Hub>>,
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
    let (action, money, reference, _) = form.finish(|| Some((action?, money?, reference?, reason?)))?;

    check(&hub, &participant, account, Some(money.currency)).await?;
    extensions.push(Extension { key: "externalReference", value: reference });
    let extensions = serde_json::to_string(&Extensions { extension: extensions }).expect("texts always serialise");
    let id = transfer_id.expect("the form was finished");
    let (hash, extensions) = (content_hash(&body.bytes), Some(extensions.into_boxed_str()));
    let funds = NewFunds { id, participant, money, hash, extensions };
    record(
        &hub,
        match action {
            Start::In => RecordFunds::In(funds),
            Start::OutReserve => RecordFunds::OutReserve(funds),
        },
    )
    .await
}

/// `recordFundsOutCommit` and `recordFundsOutAbort`.
pub(super) async fn finish(
    State(hub): State<Arc<Hub>>,
    Segments((name, id, transfer)): Segments<(String, String, String)>,
    body: JsonBody,
) -> Answer {
    let (participant, account) = (participant_name(&name)?, account_id(&id)?);
    let transfer = parse_id(&transfer).ok_or_else(|| malformed("\"transferId\" must be a valid GUID or ULID"))?;
    let mut form = Form::new(&body.value);
    let action =
        form.optionally_parsed("action", parse_finish, "must be one of [recordFundsOutCommit, recordFundsOutAbort]");
    let reason = form.text("reason", TEXT_CHARS);
    form.finish(|| reason)?;

    check(&hub, &participant, account, None).await?;
    match action {
        Some(Finish::Commit) => record(&hub, RecordFunds::OutCommit(transfer)).await,
        Some(Finish::Abort) => record(&hub, RecordFunds::OutAbort(transfer)).await,
        None => Err(Failure(FspiopError::with_detail(ErrorCode::INTERNAL, "The action is not supported"))),
    }
}

async fn check(hub: &Hub, participant: &FspId, account: AccountId, currency: Option<Currency>) -> Result<(), Failure> {
    let directory = hub.fresh_directory().await?;
    check_funds(&directory, participant, account, currency)
        .map_err(|rejection| Failure(rejections::error_of(rejection)))
}

async fn record(hub: &Hub, command: RecordFunds) -> Answer {
    hub.record_funds(command).await?;
    Ok(empty(StatusCode::ACCEPTED))
}

fn read_extensions<'a>(form: &mut Form<'a>) -> Option<Vec<Extension<'a>>> {
    form.object("extensionList", |form| {
        form.objects("extension", EXTENSIONS_MAX, |form| {
            let (key, value) = (form.text("key", 1..=32), form.text("value", 1..=128));
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
