//! `POST /requestToPay`: this DFSP's customer asks somebody of another DFSP to pay (§2.4).
//!
//! Invariant: the wire roles are those that participants of today use: the customer who asks is `from` and goes out as the
//! payer, who is asked is `to` and goes out as the payee.

use super::Outcome;
use super::phases::{self, whole};
use crate::Core;
use crate::failure::Failure;
use crate::hub::Outgoing;
use crate::json::{Object, at, copy, put, text};
use crate::records::{Kind, Openness};
use crate::{ids, parties};
use fspiop::{Operation, Resource};
use http::Method;
use serde_json::{Value, json};

const STATE_NAME: &str = "requestToPayState";

pub(super) async fn start(core: &Core, body: Value) -> Outcome {
    let mut data = body;
    let id = text(&data, &["transactionRequestId"]).map_or_else(|| ids::new(core.settings.ulids), str::to_owned);
    data["transactionRequestId"] = id.clone().into();
    data["direction"] = "OUTBOUND".into();
    data["initiatedTimestamp"] = sdk::now().to_string().into();
    let _alone = core.locks.lock(&format!("r2p-{id}")).await;
    let found = resolve(core, &mut data).await;
    let found = match found {
        Ok(()) if !core.settings.auto_accept_r2p_party => {
            return done(core, data, "WAITING_FOR_PARTY_ACCEPTANCE").await;
        }
        Ok(()) => request(core, &mut data).await,
        Err(failure) => Err(failure),
    };
    finish(core, data, found).await
}

/// `PUT /requestToPay/{ID}`.
pub(super) async fn go_on(core: &Core, id: &str, word: &Value) -> Outcome {
    let _alone = core.locks.lock(&format!("r2p-{id}")).await;
    let mut data = match load(core, Kind::RequestToPay, id).await {
        Ok(data) => data,
        Err(failure) => return Outcome::Failed(failure.with_state("transferState", json!({}))),
    };
    if text(&data, &["currentState"]) != Some("WAITING_FOR_PARTY_ACCEPTANCE") {
        return Outcome::Done(data);
    }
    if word.get("acceptParty") != Some(&Value::Bool(true)) {
        let destination = text(&data, &["to", "fspId"]).map(str::to_owned);
        return match reject(core, id, destination.as_deref()).await {
            Ok(said) => {
                data["currentState"] = "ABORTED".into();
                save(core, Kind::RequestToPay, &data).await;
                Outcome::Done(said)
            }
            Err(failure) => Outcome::Failed(failure.with_state("transferState", data)),
        };
    }
    let asked = request(core, &mut data).await;
    finish(core, data, asked).await
}

/// Tells the other side that a request is rejected; returns what the core is told.
pub(super) async fn reject(core: &Core, id: &str, destination: Option<&str>) -> Result<Value, Failure> {
    let operation = Operation::PutTransactionRequest(id.to_owned());
    let outgoing = Outgoing::new(Method::PUT, Resource::TransactionRequests, operation).to(destination);
    core.hub.send(outgoing.body(json!({"transactionRequestState": "REJECTED"}))).await?;
    Ok(json!({"status": format!("{id} has been REJECTED")}))
}

/// A record of one of the requests to pay.
pub(super) async fn load(core: &Core, kind: Kind, id: &str) -> Result<Value, Failure> {
    let unknown = || Failure::internal(format!("No cached data found for transactionRequestId: {id}"));
    core.records.load(kind, id).await?.ok_or_else(unknown)
}

/// What fails here is logged: the message it is about has left already.
pub(super) async fn save(core: &Core, kind: Kind, data: &Value) {
    let id = text(data, &["transactionRequestId"]).unwrap_or_default();
    if let Err(error) = core.records.save(kind, id, data, Openness::Settled).await {
        tracing::error!(request = id, %error, "a request to pay was not recorded");
    }
}

async fn resolve(core: &Core, data: &mut Value) -> Result<(), Failure> {
    let id = text(data, &["transactionRequestId"]).unwrap_or_default().to_owned();
    let (found, exchanged) = phases::find(core, &data["to"], &id).await?;
    if let Some(to) = data["to"].as_object_mut() {
        parties::resolve(to, &found);
    }
    data["getPartiesRequest"] = exchanged.request;
    data["getPartiesResponse"] = exchanged.response;
    Ok(())
}

async fn request(core: &Core, data: &mut Value) -> Result<(), Failure> {
    let id = text(data, &["transactionRequestId"]).unwrap_or_default().to_owned();
    let body = request_body(core, data, &id);
    let destination = text(data, &["to", "fspId"]).map(str::to_owned);
    let mut listening = core.hub.listen(format!("transactionRequests-{id}"))?;
    let outgoing = Outgoing::new(Method::POST, Resource::TransactionRequests, Operation::PostTransactionRequest);
    let sent = core.hub.send(outgoing.to(destination.as_deref()).body(body)).await?;
    data["transactionRequest"] = sent;
    let late = format!("Timeout requesting to pay for transaction request {id}");
    let callback = core.hub.next_or(&mut listening, late).await?;
    if callback.is_error {
        return Err(Failure::callback("requesting to pay", &callback.body));
    }
    data["transactionRequestResponse"] = whole(&callback);
    Ok(())
}

fn request_body(core: &Core, data: &Value, id: &str) -> Value {
    let payer = parties::to_scheme(&data["from"], Some(core.settings.dfsp.as_str()), &[]);
    let mut kind = Object::new();
    copy(&mut kind, data, &[("transactionType", "scenario"), ("subScenario", "subScenario")]);
    kind.insert("initiator".into(), "PAYEE".into());
    kind.insert("initiatorType".into(), text(data, &["from", "type"]).unwrap_or("CONSUMER").into());
    let mut body = Object::new();
    body.insert("transactionRequestId".into(), id.into());
    body.insert("payee".into(), parties::to_scheme(&data["to"], None, &[]));
    body.insert("payer".into(), payer["partyIdInfo"].clone());
    body.insert("amount".into(), json!({"currency": data["currency"], "amount": data["amount"]}));
    body.insert("transactionType".into(), kind.into());
    put(&mut body, "authenticationType", at(data, &["authenticationType"]).cloned());
    put(&mut body, "note", at(data, &["note"]).cloned());
    body.into()
}

async fn done(core: &Core, mut data: Value, state: &str) -> Outcome {
    data["currentState"] = state.into();
    let id = text(&data, &["transactionRequestId"]).unwrap_or_default();
    match core.records.save(Kind::RequestToPay, id, &data, Openness::Settled).await {
        Ok(()) => Outcome::Done(data),
        Err(error) => Outcome::Failed(Failure::from(error).with_state(STATE_NAME, data)),
    }
}

async fn finish(core: &Core, mut data: Value, result: Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => done(core, data, "COMPLETED").await,
        Err(failure) => {
            data["currentState"] = "ERROR_OCCURRED".into();
            data["lastError"] = failure.last_error();
            save(core, Kind::RequestToPay, &data).await;
            Outcome::Failed(failure.with_state(STATE_NAME, data))
        }
    }
}
