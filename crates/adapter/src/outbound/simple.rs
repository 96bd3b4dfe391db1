//! Calls of one request and one callback (§2.2): lookup, quote, transfer as the core writes them.
//!
//! Invariant: a transfer is recorded before it leaves, as those in steps are, so that its end is asked for until it is known.

use super::Outcome;
use super::phases::{party_channel, whole};
use super::status;
use super::transfers::{Payment, Step, lock_key};
use crate::Core;
use crate::failure::Failure;
use crate::hub::{Callback, Listening, Outgoing};
use crate::inbound::resume;
use crate::json::text;
use crate::records::{Kind, Openness};
use fspiop::{Operation, PartyPath, Resource};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const COMPLETED: &str = "COMPLETED";

/// `GET /parties/{Type}/{ID}[/{SubId}]`.
pub(super) async fn party(core: &Core, path: PartyPath) -> Outcome {
    let asked = async {
        let mut listening = core.hub.listen(party_channel(&path))?;
        core.hub.send(Outgoing::new(Method::GET, Resource::Parties, Operation::GetParty(path))).await?;
        next(core, &mut listening).await
    };
    match asked.await {
        Err(failure) => Outcome::Failed(failure.with_state("requestPartiesInformationState", json!({}))),
        Ok(callback) if callback.body.get("errorInformation").is_some() => {
            Outcome::NotFound(json!({"errorInformation": callback.body["errorInformation"], "currentState": COMPLETED}))
        }
        Ok(callback) => {
            let party = json!({"body": callback.body["party"], "headers": callback.headers});
            Outcome::Done(json!({"party": party, "currentState": COMPLETED}))
        }
    }
}

/// `POST /quotes`. An error callback is an answer.
pub(super) async fn quote(core: &Core, body: &Value) -> Outcome {
    let request = body["quotesPostRequest"].clone();
    let channel = format!("quotes-{}", text(&request, &["quoteId"]).unwrap_or_default());
    let outgoing = Outgoing::new(Method::POST, Resource::Quotes, Operation::PostQuote).body(request);
    match exchange(core, channel, outgoing.to(text(body, &["fspId"]))).await {
        Err(failure) => Outcome::Failed(failure.with_state("requestQuotesInformationState", json!({}))),
        Ok(callback) if callback.is_error => Outcome::Done(json!({"quotes": callback.body, "currentState": COMPLETED})),
        Ok(callback) => Outcome::Done(json!({"quotes": whole(&callback), "currentState": COMPLETED})),
    }
}

/// `POST /simpleTransfers`. An error callback is an answer; the fulfilment is the core's to check. One whose id is known is
/// sent again, and the hub decides; its record stays.
pub(super) async fn transfer(core: &Arc<Core>, body: &Value) -> Outcome {
    let request = body["transfersPostRequest"].clone();
    let id = text(&request, &["transferId"]).unwrap_or_default().to_owned();
    let _alone = core.locks.lock(&lock_key(&id)).await;
    let outgoing = Outgoing::new(Method::POST, Resource::Transfers, Operation::PostTransfer).body(request.clone());
    let asked = async {
        let is_new = record(core, &id, request).await?;
        let answer = exchange(core, format!("transfers-{id}"), outgoing.to(text(body, &["fspId"]))).await;
        if is_new {
            conclude(core, &id, &answer).await?;
        }
        answer
    };
    match asked.await {
        Err(failure) => Outcome::Failed(failure.with_state("requestSimpleTransfersInformationState", json!({}))),
        Ok(callback) => Outcome::Done(json!({"transfer": whole(&callback), "currentState": COMPLETED})),
    }
}

/// True if there was no record yet.
async fn record(core: &Core, id: &str, request: Value) -> Result<bool, Failure> {
    if id.is_empty() || core.records.load(Kind::Outgoing, id).await?.is_some() {
        return Ok(false);
    }
    let data = json!({"transferId": id, "direction": "OUTBOUND", "initiatedTimestamp": sdk::now().to_string(),
        "prepare": {"body": request}});
    Payment { id: id.to_owned(), data, step: Step::TransferSent }.save(core, Openness::Open).await?;
    Ok(true)
}

/// Records what came of it; the hub is asked on if that is not the end.
async fn conclude(core: &Arc<Core>, id: &str, answer: &Result<Callback, Failure>) -> Result<(), Failure> {
    match answer {
        Ok(callback) => status::settle_alone(core, id, callback).await?,
        Err(failure) => {
            if let Some(payment) = Payment::load(core, id).await? {
                drop(payment.fail(core, failure.clone()).await);
            }
            return Ok(());
        }
    }
    if let Some((_, Openness::Open)) = core.records.load_with_openness(Kind::Outgoing, id).await? {
        tokio::spawn(resume::watch_outgoing(core.clone(), id.to_owned(), core.settings.patch_grace));
    }
    Ok(())
}

async fn exchange(core: &Core, channel: String, outgoing: Outgoing<'_>) -> Result<Callback, Failure> {
    let mut listening = core.hub.listen(channel)?;
    core.hub.send(outgoing).await?;
    next(core, &mut listening).await
}

/// Simple calls answer 500 where payments answer 504 (§2.2).
async fn next(core: &Core, listening: &mut Listening) -> Result<Callback, Failure> {
    let late = || Failure::internal("Timeout waiting for the answer of the scheme");
    core.hub.next(listening).await.ok_or_else(late)
}
