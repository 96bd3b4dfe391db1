//! `POST /requestToPayTransfer`: this DFSP's customer pays what somebody has asked for (§2.4).
//!
//! Invariant: the money moves as a payment like any other, with a record of its own, so that its end is learned also after a
//! restart.

use super::Outcome;
use super::phases;
use super::request_to_pay::{load, reject, save};
use super::transfers::{Payment, Step, lock_key};
use crate::Core;
use crate::failure::Failure;
use crate::hub::Outgoing;
use crate::json::{Object, at, copy, in_future, put, text};
use crate::records::{Kind, Openness};
use crate::{ids, parties};
use fspiop::{AuthorizationQuery, Operation, Resource, percent_encode};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const STATE_NAME: &str = "requestToPayTransferState";
const WAITING_FOR_QUOTE: &str = "WAITING_FOR_QUOTE_ACCEPTANCE";
const WAITING_FOR_AUTHORIZATION: &str = "WAITING_FOR_AUTH_ACCEPTANCE";

pub(super) async fn start(core: &Arc<Core>, body: Value) -> Outcome {
    let id = text(&body, &["transactionRequestId"]).unwrap_or_default().to_owned();
    let _alone = core.locks.lock(&format!("r2pt-{id}")).await;
    match core.records.load(Kind::RequestToPayTransfer, &id).await {
        // Paid once, or on the way to it.
        Ok(Some(known)) if at(&known, &["prepare"]).is_some() => return told(core, known).await,
        Ok(_) => {}
        Err(error) => return Outcome::Failed(Failure::from(error).with_state(STATE_NAME, body)),
    }
    let mut data = body;
    data["transferId"] = ids::new(core.settings.ulids).into();
    data["direction"] = "OUTBOUND".into();
    data["initiatedTimestamp"] = sdk::now().to_string().into();
    let reached = request_quote(core, &mut data).await;
    let is_business = text(&data, &["initiatorType"]) == Some("BUSINESS");
    let reached = match reached {
        Ok(()) if is_business && core.settings.auto_accept_r2p_business_quotes => {
            after_quote(core, &mut data, is_business).await
        }
        Ok(()) => Ok(WAITING_FOR_QUOTE),
        Err(failure) => Err(failure),
    };
    finish(core, data, reached, STATE_NAME).await
}

/// `PUT /requestToPayTransfer/{ID}`.
pub(super) async fn go_on(core: &Arc<Core>, id: &str, word: &Value) -> Outcome {
    let _alone = core.locks.lock(&format!("r2pt-{id}")).await;
    let mut data = match load(core, Kind::RequestToPayTransfer, id).await {
        Ok(data) => data,
        Err(failure) => return Outcome::Failed(failure.with_state("transferState", json!({}))),
    };
    let accepts = |name: &str| word.get(name) == Some(&Value::Bool(true));
    let reached = match text(&data, &["currentState"]) {
        Some(WAITING_FOR_QUOTE) if accepts("acceptQuote") => after_quote(core, &mut data, false).await,
        Some(WAITING_FOR_AUTHORIZATION) if accepts("acceptOTP") => execute(core, &mut data).await,
        Some(WAITING_FOR_QUOTE | WAITING_FOR_AUTHORIZATION) => {
            let destination = text(&data, &["to", "fspId"]).map(str::to_owned);
            return match reject(core, id, destination.as_deref()).await {
                Ok(said) => {
                    data["currentState"] = "ABORTED".into();
                    save(core, Kind::RequestToPayTransfer, &data).await;
                    Outcome::Done(said)
                }
                Err(failure) => Outcome::Failed(failure.with_state("transferState", data)),
            };
        }
        Some(_) | None => return told(core, data).await,
    };
    finish(core, data, reached, "transferState").await
}

/// A request whose transfer may have been sent: what the transfer has come to since counts.
async fn told(core: &Arc<Core>, mut data: Value) -> Outcome {
    let id = text(&data, &["transferId"]).unwrap_or_default();
    match Payment::load(core, id).await {
        Ok(Some(payment)) if payment.step == Step::Succeeded => {
            data["currentState"] = "COMPLETED".into();
            data["fulfil"] = payment.data["fulfil"].clone();
            if let Some(data) = data.as_object_mut() {
                data.remove("lastError");
            }
            Outcome::Done(data)
        }
        Ok(_) => Outcome::Done(data),
        Err(failure) => Outcome::Failed(failure.with_state(STATE_NAME, data)),
    }
}

async fn request_quote(core: &Arc<Core>, data: &mut Value) -> Result<(), Failure> {
    let settings = &core.settings;
    let mut kind = Object::new();
    let same = |name| (name, name);
    copy(&mut kind, data, &["scenario", "subScenario", "initiator", "initiatorType"].map(same));
    let mut body = Object::new();
    body.insert("quoteId".into(), ids::new(settings.ulids).into());
    body.insert("transactionId".into(), data["transferId"].clone());
    body.insert("transactionRequestId".into(), data["transactionRequestId"].clone());
    body.insert("amountType".into(), data["amountType"].clone());
    body.insert("amount".into(), json!({"currency": data["currency"], "amount": data["amount"]}));
    body.insert("expiration".into(), in_future(settings.expiry).into());
    body.insert("payer".into(), parties::to_scheme(&data["from"], Some(settings.dfsp.as_str()), &[]));
    body.insert("payee".into(), parties::to_scheme(&data["to"], None, &[]));
    body.insert("transactionType".into(), kind.into());
    put(&mut body, "note", at(data, &["note"]).cloned());
    let destination = text(data, &["to", "fspId"]).map(str::to_owned);
    data["quoteId"] = body["quoteId"].clone();
    let exchanged = phases::quote(core, body.into(), destination.as_deref()).await?;
    data["quoteRequest"] = exchanged.request;
    data["quoteResponse"] = exchanged.response;
    data["quoteResponseSource"] = exchanged.source.into();
    Ok(())
}

/// Proves that the payer agrees, if the request wants that, and pays.
async fn after_quote(core: &Arc<Core>, data: &mut Value, is_business: bool) -> Result<&'static str, Failure> {
    match text(data, &["authenticationType"]) {
        None => execute(core, data).await,
        Some(_) if is_business => execute(core, data).await,
        Some("OTP") => {
            request_otp(core, data).await?;
            if core.settings.auto_accept_r2p_device_otp {
                return execute(core, data).await;
            }
            Ok(WAITING_FOR_AUTHORIZATION)
        }
        Some(other) => Err(Failure::internal(format!("The authentication type {other} is not supported; OTP is."))),
    }
}

async fn request_otp(core: &Arc<Core>, data: &mut Value) -> Result<(), Failure> {
    let id = text(data, &["transactionRequestId"]).unwrap_or_default().to_owned();
    let member = |name: &str| text(data, &[name]).unwrap_or_default().to_owned();
    let query = AuthorizationQuery {
        authentication_type: "OTP".into(),
        retries_left: "1".into(),
        amount: member("amount"),
        currency: member("currency"),
    };
    let encoded = [
        ("authenticationType", &query.authentication_type),
        ("retriesLeft", &query.retries_left),
        ("amount", &query.amount),
        ("currency", &query.currency),
    ];
    let encoded: Vec<String> =
        encoded.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
    let destination = text(data, &["to", "fspId"]).map(str::to_owned);
    let mut listening = core.hub.listen(format!("authorizations-{id}"))?;
    let operation = Operation::GetAuthorization(id.clone(), query);
    let mut outgoing = Outgoing::new(Method::GET, Resource::Authorizations, operation).to(destination.as_deref());
    outgoing.query = Some(encoded.join("&"));
    core.hub.send(outgoing).await?;
    let late = format!("Timeout requesting an authorization for transaction request {id}");
    let callback = core.hub.next_or(&mut listening, late).await?;
    if callback.is_error {
        return Err(Failure::callback("requesting authorization", &callback.body));
    }
    data["authorizationResponse"] = phases::whole(&callback);
    Ok(())
}

async fn execute(core: &Arc<Core>, data: &mut Value) -> Result<&'static str, Failure> {
    let id = text(data, &["transferId"]).unwrap_or_default().to_owned();
    let _alone = core.locks.lock(&lock_key(&id)).await;
    let mut payment = Payment { id, data: data.clone(), step: Step::QuoteReceived };
    // Before the transfer leaves: a repeated call must not begin another one.
    data["prepare"] = json!({});
    data["currentState"] = "ERROR_OCCURRED".into();
    let request = text(data, &["transactionRequestId"]).unwrap_or_default();
    core.records.save(Kind::RequestToPayTransfer, request, data, Openness::Settled).await?;
    let result = payment.execute(core).await;
    data["prepare"] = payment.data["prepare"].clone();
    match result {
        Ok(_) => {
            data["fulfil"] = payment.data["fulfil"].clone();
            Ok("COMPLETED")
        }
        Err(failure) => {
            // Records it as open or settled.
            drop(payment.fail(core, failure.clone()).await);
            Err(failure)
        }
    }
}

async fn finish(
    core: &Arc<Core>,
    mut data: Value,
    reached: Result<&'static str, Failure>,
    state_name: &'static str,
) -> Outcome {
    data["currentState"] = reached.as_ref().map_or("ERROR_OCCURRED", |state| *state).into();
    if let Err(failure) = &reached {
        data["lastError"] = failure.last_error();
    }
    let id = text(&data, &["transactionRequestId"]).unwrap_or_default();
    let saved = core.records.save(Kind::RequestToPayTransfer, id, &data, Openness::Settled).await;
    match (reached, saved) {
        (Err(failure), _) => Outcome::Failed(failure.with_state(state_name, data)),
        (Ok(_), Err(error)) => Outcome::Failed(Failure::from(error).with_state(state_name, data)),
        (Ok(_), Ok(())) => Outcome::Done(data),
    }
}
