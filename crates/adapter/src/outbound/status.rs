//! What became of a transfer: asked by the core, by a restart, or told late by the hub (§2.1, GET /transfers).
//!
//! Invariant: a payment that is open is settled only by a word of the hub that decides it.

use super::Outcome;
use super::phases::{self, whole};
use super::transfers::{Payment, Step, lock_key};
use crate::Core;
use crate::failure::Failure;
use crate::hub::{Callback, Outgoing};
use crate::json::{at, is_past, text};
use crate::records::{Kind, Openness};
use fspiop::{ErrorCode, Operation, Resource};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the hub says of a transfer.
enum Word {
    Committed,
    Aborted,
    /// It has ended with this error.
    Failed(Failure),
    Undecided,
}

/// `GET /transfers/{ID}`: what the adapter knows, with the hub's answer. `COMPLETED` says that the hub has answered; its answer
/// says what became of the transfer.
pub(super) async fn ask(core: &Core, id: &str) -> Outcome {
    let asked = ask_hub(core, id).await;
    let known = match Payment::load(core, id).await {
        Ok(known) => known.map(|payment| payment.state()),
        Err(failure) => return Outcome::Failed(failure.with_state("transferState", json!({"transferId": id}))),
    };
    let mut state = known.unwrap_or_else(|| json!({"transferId": id}));
    match asked {
        Ok(callback) => {
            state["currentState"] = "COMPLETED".into();
            state["fulfil"] = whole(&callback);
            Outcome::Done(state)
        }
        Err(failure) => {
            state["currentState"] = "ERROR_OCCURRED".into();
            state["lastError"] = failure.last_error();
            Outcome::Failed(failure.with_state("transferState", state))
        }
    }
}

/// For a payment whose answer was lost with the process that awaited it. The caller is alone with the payment.
pub(super) async fn ask_of(core: &Arc<Core>, payment: Payment) -> Outcome {
    if payment.step == Step::FxTransferSent {
        let reason = "The adapter was stopped while the conversion was under way. Nothing was sent to the payee; the \
                      conversion expires at the hub.";
        return payment.fail(core, Failure::internal(reason)).await;
    }
    let id = payment.id.clone();
    let failure = match ask_hub_of(core, &id).await {
        Ok(callback) => match settle_alone(core, &id, &callback).await {
            Ok(()) => Failure::internal(format!("The hub has not decided transfer {id} yet; ask again.")),
            Err(failure) => failure,
        },
        Err(failure) => failure,
    };
    match Payment::load(core, &id).await {
        Ok(Some(settled)) if matches!(settled.step, Step::Succeeded | Step::Aborted) => Outcome::Done(settled.state()),
        Ok(known) => {
            let state = known.map_or_else(|| json!({"transferId": id}), |payment| payment.state());
            Outcome::Failed(failure.with_state("transferState", state))
        }
        Err(failure) => Outcome::Failed(failure.with_state("transferState", json!({"transferId": id}))),
    }
}

/// Asks the hub and settles the payment with the answer, if nobody else is at it.
pub(crate) async fn ask_hub(core: &Core, id: &str) -> Result<Callback, Failure> {
    let answer = ask_hub_raw(core, id).await?;
    if let Some(_alone) = core.locks.try_lock(&lock_key(id)) {
        settle_alone(core, id, &answer).await?;
    }
    if answer.is_error { Err(Failure::callback("retrieving transfer", &answer.body)) } else { Ok(answer) }
}

async fn ask_hub_of(core: &Core, id: &str) -> Result<Callback, Failure> {
    let answer = ask_hub_raw(core, id).await?;
    if answer.is_error {
        settle_alone(core, id, &answer).await?;
        return Err(Failure::callback("retrieving transfer", &answer.body));
    }
    Ok(answer)
}

async fn ask_hub_raw(core: &Core, id: &str) -> Result<Callback, Failure> {
    let mut listening = core.hub.listen(format!("transfers-{id}"))?;
    let operation = Operation::GetTransfer(id.to_owned());
    core.hub.send(Outgoing::new(Method::GET, Resource::Transfers, operation)).await?;
    core.hub.next_or(&mut listening, format!("Timeout retrieving transfer {id}")).await
}

/// A callback about a transfer for which perhaps nobody waits any more.
pub(crate) async fn settle(core: &Core, id: &str, callback: &Callback) {
    let _alone = core.locks.lock(&lock_key(id)).await;
    if let Err(failure) = settle_alone(core, id, callback).await {
        tracing::error!(transfer = id, reason = failure.message, "the end of a transfer was not recorded");
    }
}

pub(super) async fn settle_alone(core: &Core, id: &str, callback: &Callback) -> Result<(), Failure> {
    let Some((_, Openness::Open)) = core.records.load_with_openness(Kind::Outgoing, id).await? else { return Ok(()) };
    let Some(mut payment) = Payment::load(core, id).await? else { return Ok(()) };
    let prepare = payment.data["prepare"]["body"].clone();
    match word(core, callback, &prepare) {
        Word::Undecided => return Ok(()),
        Word::Committed => {
            payment.step = Step::Succeeded;
            payment.data["fulfil"] = whole(callback);
            if let Some(data) = payment.data.as_object_mut() {
                data.remove("lastError");
            }
        }
        Word::Aborted => {
            payment.step = Step::Aborted;
            payment.data["fulfil"] = whole(callback);
            payment.data["abortedReason"] = "The scheme aborted the transfer".into();
        }
        Word::Failed(failure) => {
            payment.step = Step::Errored;
            payment.data["lastError"] = failure.last_error();
        }
    }
    payment.save(core, Openness::Settled).await
}

fn word(core: &Core, callback: &Callback, prepare: &Value) -> Word {
    if callback.is_error {
        let failure = Failure::callback("preparing transfer", &callback.body);
        let code = text(&callback.body, &["errorInformation", "errorCode"]).and_then(ErrorCode::parse);
        // What the hub has not heard of by then it will never accept.
        let is_too_late = text(prepare, &["expiration"]).is_some_and(is_past);
        let never_came = code == Some(ErrorCode::TRANSFER_ID_NOT_FOUND) && is_too_late;
        return if failure.is_final || never_came { Word::Failed(failure) } else { Word::Undecided };
    }
    match text(&callback.body, &["transferState"]) {
        Some("ABORTED") => Word::Aborted,
        Some("COMMITTED") if at(&callback.body, &["fulfilment"]).is_none() => Word::Committed,
        Some("COMMITTED") if phases::check_fulfilment(core, &callback.body, prepare).is_ok() => Word::Committed,
        Some(_) | None => Word::Undecided,
    }
}
