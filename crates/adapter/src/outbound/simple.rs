//! Calls of one request and one callback (§2.2): lookup, quote, transfer as the core writes them.

use super::Outcome;
use super::phases::{party_channel, whole};
use crate::Core;
use crate::failure::Failure;
use crate::hub::{Callback, Listening, Outgoing};
use crate::json::text;
use fspiop::{Operation, PartyPath, Resource};
use http::Method;
use serde_json::{Value, json};

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

/// `POST /simpleTransfers`. An error callback is an answer; the fulfilment is the core's to check.
pub(super) async fn transfer(core: &Core, body: &Value) -> Outcome {
    let request = body["transfersPostRequest"].clone();
    let channel = format!("transfers-{}", text(&request, &["transferId"]).unwrap_or_default());
    let outgoing = Outgoing::new(Method::POST, Resource::Transfers, Operation::PostTransfer).body(request);
    match exchange(core, channel, outgoing.to(text(body, &["fspId"]))).await {
        Err(failure) => Outcome::Failed(failure.with_state("requestSimpleTransfersInformationState", json!({}))),
        Ok(callback) => Outcome::Done(json!({"transfer": whole(&callback), "currentState": COMPLETED})),
    }
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
