//! `/fxQuotes` and `/fxTransfers`, for a DFSP that converts currencies (§3, FXP role).
//!
//! Invariant: the fulfilment is durable before the condition leaves, and leaves only for that condition.

use super::Inbound;
use crate::Core;
use crate::backend::{Answer, Refusal};
use crate::json::{Object, at, copy, put, text, wrapped};
use crate::records::{Kind, Openness};
use crate::seals;
use fspiop::{Operation, Resource, ilp::Secret, percent_encode};
use serde_json::{Value, json};
use vocabulary::CorrelationId;

/// `POST /fxQuotes`.
pub(super) async fn quote(core: &Core, message: &Inbound) {
    let request = &message.body;
    let Some(id) = text(request, &["conversionRequestId"]).and_then(|id| id.parse::<CorrelationId>().ok()) else {
        return;
    };
    let (operation, body) = match core.backend.post("/fxQuotes", request).await {
        Answer::Nothing => return,
        Answer::Refusal(refusal) => (Operation::PutFxQuoteError(id), refusal.body),
        Answer::Data(answer) => match sealed(core, request, &answer).await {
            Ok(body) => (Operation::PutFxQuote(id), body),
            Err(refusal) => (Operation::PutFxQuoteError(id), refusal.body),
        },
    };
    drop(core.hub.answer(message.reply(Resource::FxQuotes, operation, body)).await);
}

async fn sealed(core: &Core, request: &Value, answer: &Value) -> Result<Value, Refusal> {
    let terms = at(answer, &["conversionTerms"]);
    let terms = terms.ok_or_else(|| Refusal::internal("the core's answer to an fxQuote has no conversionTerms"))?;
    let secret = Secret::new(core.settings.ilp_secret.clone());
    let id = text(request, &["conversionRequestId"]).unwrap_or_default();
    let seal = seals::of_conversion(core.settings.ilp_version, &secret, id, terms);
    let seal = seal.map_err(|reason| Refusal::internal(format!("the core's terms cannot be sealed: {reason}")))?;
    let body = json!({"condition": seal.condition.to_string(), "conversionTerms": terms});
    let mut state = json!({"request": request, "response": body, "fulfilment": seal.fulfilment.to_string()});
    if let Some(home) = at(answer, &["homeTransactionId"]) {
        state["homeTransactionId"] = home.clone();
    }
    let conversion = text(terms, &["conversionId"]).unwrap_or_default();
    let saved = core.records.save(Kind::Conversion, conversion, &state, Openness::Settled).await;
    saved.map_err(|error| Refusal::internal(error.to_string()))?;
    Ok(body)
}

/// `POST /fxTransfers`.
pub(super) async fn prepare(core: &Core, message: &Inbound) {
    let id = text(&message.body, &["commitRequestId"]).unwrap_or_default().to_owned();
    let (operation, body) = match fulfilled(core, &message.body, &id).await {
        Ok(None) => return,
        Ok(Some(body)) => (Operation::PutFxTransfer(id), body),
        Err(refusal) => (Operation::PutFxTransferError(id), refusal.body),
    };
    drop(core.hub.answer(message.reply(Resource::FxTransfers, operation, body)).await);
}

async fn fulfilled(core: &Core, prepare: &Value, id: &str) -> Result<Option<Value>, Refusal> {
    let known = core.records.load(Kind::Conversion, id).await;
    let known = known.map_err(|error| Refusal::internal(error.to_string()))?;
    let known = known.ok_or_else(|| Refusal::internal("an fxTransfer came without an fxQuote"))?;
    let is_fitting = text(prepare, &["condition"]) == text(&known, &["response", "condition"]);
    if core.settings.check_ilp && !is_fitting {
        return Err(Refusal::internal("the condition of an fxTransfer is not that of its fxQuote"));
    }
    let mut question = prepare.clone();
    if let Some(home) = at(&known, &["homeTransactionId"]) {
        question["homeTransactionId"] = home.clone();
    }
    let answer = match core.backend.post("/fxTransfers", &question).await {
        Answer::Nothing => return Ok(None),
        Answer::Data(answer) => answer,
        Answer::Refusal(refusal) => return Err(refusal),
    };
    let mut body = Object::new();
    let same = |name| (name, name);
    copy(&mut body, &answer, &["conversionState", "completedTimestamp"].map(same));
    let stored = at(&known, &["fulfilment"]);
    put(&mut body, "fulfilment", at(&answer, &["fulfilment"]).or(stored).cloned());
    put(&mut body, "extensionList", wrapped(at(&answer, &["extensionList"])));
    Ok(Some(body.into()))
}

/// `PATCH /fxTransfers/{ID}`.
pub(super) async fn notice(core: &Core, id: &str, message: &Inbound) {
    let mut body = Object::new();
    let same = |name| (name, name);
    copy(&mut body, &message.body, &["conversionState", "completedTimestamp"].map(same));
    core.backend.notify(&format!("/fxTransfers/{}", percent_encode(id)), &body.into()).await;
}
