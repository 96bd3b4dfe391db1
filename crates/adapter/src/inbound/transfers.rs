//! `POST`, `GET` and `PATCH /transfers`: the core takes the money, and learns what became of it (§3).
//!
//! Invariant: a fulfilment leaves after it has been recorded, and the same one each time it is asked for; from then on the record
//! is open until the core has learned the end.

use super::{Inbound, resume};
use crate::Core;
use crate::backend::{Answer, Refusal};
use crate::json::{Object, at, copy, is_past, put, text, wrapped};
use crate::records::{Kind, Openness, RecordError};
use crate::seals;
use fspiop::{ErrorCode, FspiopError, Operation, Resource, Version, ilp::Secret, percent_encode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn lock_key(id: &str) -> String {
    format!("incoming-{id}")
}

pub(super) async fn prepare(core: &Arc<Core>, message: Inbound) {
    let id = text(&message.body, &["transferId"]).unwrap_or_default().to_owned();
    let key = record_of(core, &message.body, &id);
    let alone = core.locks.lock(&lock_key(&key)).await;
    let (operation, body) = match fulfilled(core, &message, &key).await {
        Ok(Some(body)) => (Operation::PutTransfer(id), body),
        Ok(None) => return,
        Err(refusal) => {
            refuse(core, &message, &key, &refusal).await;
            (Operation::PutTransferError(id), refusal.body)
        }
    };
    drop(alone);
    let is_fulfilled = matches!(operation, Operation::PutTransfer(_));
    let is_reserved = text(&body, &["transferState"]) == Some("RESERVED");
    let mut reply = message.reply(Resource::Transfers, operation, body);
    if is_reserved {
        // Version 1.0 knows no last word of the hub, and a hub takes no reservation in it.
        reply.version = reply.version.max(Version::V1_1);
    }
    drop(core.hub.answer(reply).await);
    if is_fulfilled {
        tokio::spawn(resume::watch_incoming(core.clone(), key, core.settings.patch_grace));
    }
}

/// Under which id the quote is recorded: its transaction's, which is the transfer's unless the settings allow another.
fn record_of(core: &Core, body: &Value, id: &str) -> String {
    if !core.settings.allow_different_transaction_id {
        return id.to_owned();
    }
    let transaction = text(body, &["ilpPacket"]).and_then(seals::transaction_of);
    let named = transaction.as_ref().and_then(|transaction| text(transaction, &["transactionId"]));
    named.unwrap_or(id).to_owned()
}

/// The body of the fulfilment; `None` if the core has nothing to say.
async fn fulfilled(core: &Core, message: &Inbound, key: &str) -> Result<Option<Value>, Refusal> {
    let unreadable = |error: RecordError| Refusal::internal(error.to_string());
    let state = core.records.load(Kind::Incoming, key).await.map_err(unreadable)?;
    let known = state.filter(|state| at(state, &["quote"]).is_some());
    let prepare = &message.body;
    if let Some(state) = &known
        && let Some(body) = at(state, &["fulfil", "body"])
        && state["prepare"]["body"] == *prepare
    {
        return Ok(Some(body.clone()));
    }
    if known.is_none() && !core.settings.allow_transfer_without_quote {
        return Err(Refusal::internal("a transfer came without a quote"));
    }
    let mut state = known.unwrap_or_else(|| json!({"direction": "INBOUND", "transferId": key}));
    check(core, &state, prepare)?;
    state["prepare"] = json!({"headers": message.headers, "body": prepare});
    let answer = match core.backend.post("/transfers", &to_core(&state, prepare)).await {
        Answer::Nothing => return Ok(None),
        Answer::Data(answer) => answer,
        Answer::Refusal(refusal) => return Err(refusal),
    };
    let body = fulfilment_body(core, &state, prepare, &answer)?;
    state["fulfil"] = json!({"body": body});
    state["currentState"] = body["transferState"].clone();
    if let Some(home) = at(&answer, &["homeTransactionId"]) {
        state["homeTransactionId"] = home.clone();
    }
    core.records.save(Kind::Incoming, key, &state, Openness::Open).await.map_err(unreadable)?;
    if let Some(id) = text(prepare, &["transferId"]).filter(|id| *id != key) {
        let alias = json!({"record": key});
        core.records.save(Kind::Alias, id, &alias, Openness::Settled).await.map_err(unreadable)?;
    }
    Ok(Some(body))
}

fn check(core: &Core, state: &Value, prepare: &Value) -> Result<(), Refusal> {
    let quoted = text(state, &["quote", "mojaloopResponse", "condition"]);
    if core.settings.check_ilp && quoted.is_some_and(|quoted| text(prepare, &["condition"]) != Some(quoted)) {
        return Err(Refusal::internal("the condition of a transfer is not that of its quote"));
    }
    let expired = text(state, &["quote", "response", "expiration"]).is_some_and(is_past);
    if core.settings.reject_transfers_on_expired_quotes && expired {
        return Err(Refusal::error(&FspiopError::new(ErrorCode::QUOTE_EXPIRED)));
    }
    Ok(())
}

/// What the core is asked (§4, POST transfers). Without a quote it learns little.
fn to_core(state: &Value, prepare: &Value) -> Value {
    let mut internal = Object::new();
    let same = |name| (name, name);
    copy(&mut internal, prepare, &[same("transferId")]);
    let Some(asked) = at(state, &["quote", "internalRequest"]) else {
        copy(&mut internal, &prepare["amount"], &["currency", "amount"].map(same));
        return internal.into();
    };
    copy(&mut internal, asked, &["transactionRequestId", "homeR2PTransactionId"].map(same));
    internal.insert("quote".into(), state["quote"]["response"].clone());
    let members = ["from", "to", "amountType", "currency", "amount", "transactionType", "subScenario", "note"];
    copy(&mut internal, asked, &members.map(same));
    copy(&mut internal, asked, &[("extensionList", "quoteRequestExtensions")]);
    let transaction = text(prepare, &["ilpPacket"]).and_then(seals::transaction_of);
    put(&mut internal, "ilpPacket", transaction.map(|data| json!({"data": data})));
    put(&mut internal, "extensionList", at(prepare, &["extensionList", "extension"]).cloned());
    internal.into()
}

fn fulfilment_body(core: &Core, state: &Value, prepare: &Value, answer: &Value) -> Result<Value, Refusal> {
    let settings = &core.settings;
    let computed = || {
        let packet = text(prepare, &["ilpPacket"])?;
        Some(seals::fulfilment_of(&Secret::new(settings.ilp_secret.clone()), packet)?.to_string())
    };
    let stored = || text(state, &["quote", "fulfilment"]).map(str::to_owned);
    let fulfilment = text(answer, &["fulfilment"]).map(str::to_owned).or_else(stored).or_else(computed);
    let fulfilment = fulfilment.ok_or_else(|| Refusal::internal("a transfer's packet gives no fulfilment"))?;
    let condition = text(prepare, &["condition"]).unwrap_or_default();
    if settings.check_ilp && !seals::fulfils(&fulfilment, condition) {
        return Err(Refusal::internal("the fulfilment of a transfer does not fulfil its condition"));
    }
    let usual = if settings.reserve_notification { "RESERVED" } else { "COMMITTED" };
    let completed = text(answer, &["completedTimestamp"]).map_or_else(|| sdk::now().to_string(), str::to_owned);
    let mut body = Object::new();
    body.insert("completedTimestamp".into(), completed.into());
    body.insert("transferState".into(), text(answer, &["transferState"]).unwrap_or(usual).into());
    body.insert("fulfilment".into(), fulfilment.into());
    put(&mut body, "extensionList", wrapped(at(answer, &["extensionList"])));
    Ok(body.into())
}

/// The core (or a check) refuses the transfer. What had been fulfilled before stays as it is.
async fn refuse(core: &Core, message: &Inbound, key: &str, refusal: &Refusal) {
    let Ok(Some(mut state)) = core.records.load(Kind::Incoming, key).await else { return };
    if at(&state, &["fulfil"]).is_some() {
        return;
    }
    state["prepare"] = json!({"headers": message.headers, "body": message.body});
    state["currentState"] = "ERROR_OCCURRED".into();
    state["lastError"] = refusal.last_error();
    if let Err(error) = core.records.save(Kind::Incoming, key, &state, Openness::Settled).await {
        tracing::error!(%error, "the refusal of a transfer was not recorded");
    }
}

/// `GET /transfers/{ID}`.
pub(super) async fn status(core: &Core, id: &str, message: &Inbound) {
    let asked = core.backend.get(&format!("/transfers/{}", percent_encode(id))).await;
    let (operation, body) = match asked {
        Answer::Nothing => return,
        Answer::Refusal(refusal) => (Operation::PutTransferError(id.to_owned()), refusal.body),
        Answer::Data(answer) => {
            let mut body = Object::new();
            let names = [("timestamp", "completedTimestamp"), ("transferState", "transferState")];
            copy(&mut body, &answer, &names);
            let known = core.records.load(Kind::Incoming, &key_of(core, id).await).await;
            let known = known.ok().flatten().unwrap_or_default();
            put(&mut body, "fulfilment", text(&known, &["fulfil", "body", "fulfilment"]));
            put(&mut body, "extensionList", wrapped(at(&answer, &["extensions"])));
            (Operation::PutTransfer(id.to_owned()), body.into())
        }
    };
    drop(core.hub.answer(message.reply(Resource::Transfers, operation, body)).await);
}

/// `PATCH /transfers/{ID}`: the hub's last word.
pub(super) async fn notice(core: &Arc<Core>, id: &str, body: Value) {
    let key = key_of(core, id).await;
    if !tell(core, &key, &body).await {
        tokio::spawn(resume::watch_incoming(core.clone(), key, core.settings.patch_grace));
    }
}

/// The record of a transfer.
async fn key_of(core: &Core, id: &str) -> String {
    let alias = core.records.load(Kind::Alias, id).await.ok().flatten().unwrap_or_default();
    text(&alias, &["record"]).unwrap_or(id).to_owned()
}

/// Tells the core the end of a transfer. False if the core did not learn it and must be told again.
pub(super) async fn tell(core: &Core, id: &str, word: &Value) -> bool {
    let _alone = core.locks.lock(&lock_key(id)).await;
    let mut state = match core.records.load_with_openness(Kind::Incoming, id).await {
        Ok(Some((state, openness))) => {
            if openness == Openness::Settled && at(&state, &["finalNotification"]).is_some() {
                return true;
            }
            state
        }
        Ok(None) => {
            tracing::warn!(transfer = id, "the hub tells the end of a transfer that is not known here");
            return true;
        }
        Err(error) => {
            tracing::error!(transfer = id, %error, "a transfer cannot be read");
            return false;
        }
    };
    let mut last = Object::new();
    copy(&mut last, word, &[("completedTimestamp", "completedTimestamp"), ("transferState", "transferState")]);
    put(&mut last, "extensionList", at(word, &["extensionList", "extension"]).cloned());
    state["finalNotification"] = last.into();
    state["currentState"] = match text(word, &["transferState"]) {
        Some("COMMITTED") => "COMPLETED",
        Some("ABORTED") => "ABORTED",
        Some(_) | None => "ERROR_OCCURRED",
    }
    .into();
    let transfer = text(&state, &["prepare", "body", "transferId"]).unwrap_or(id);
    let is_told = core.backend.notify(&format!("/transfers/{}", percent_encode(transfer)), &state).await;
    let openness = if is_told { Openness::Settled } else { Openness::Open };
    let saved = core.records.save(Kind::Incoming, id, &state, openness).await;
    if let Err(error) = &saved {
        tracing::error!(transfer = id, %error, "the end of a transfer was not recorded");
    }
    is_told && saved.is_ok()
}
