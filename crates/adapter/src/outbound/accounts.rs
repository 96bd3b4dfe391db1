//! `POST /accounts` and `DELETE /accounts/{Type}/{ID}[/{SubId}]`: identifiers that this DFSP serves (§2.3).
//!
//! Invariant: batches of one currency each, one after another; an identifier that the directory refuses does not stop the rest.

use super::Outcome;
use super::phases::whole;
use crate::Core;
use crate::failure::Failure;
use crate::hub::{Callback, Outgoing};
use crate::ids;
use crate::json::{Object, at, copy, put, text};
use fspiop::{Operation, PartyPath, Resource};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const STATE_NAME: &str = "executionState";
/// Identifiers of one `POST /participants`.
const BATCH_MAX: usize = 10_000;

/// The channel of answers about an identifier.
pub(crate) fn account_channel(path: &PartyPath) -> String {
    format!("accounts-{}-{}-{}", path.id_type, path.identifier, path.sub_id.as_deref().unwrap_or_default())
}

pub(super) async fn register(core: &Core, accounts: Value) -> Outcome {
    let mut state = json!({"modelId": ids::new(core.settings.ulids), "accounts": accounts, "response": []});
    match register_all(core, &mut state).await {
        Ok(()) => {
            state["currentState"] = "COMPLETED".into();
            Outcome::Done(state)
        }
        Err(failure) => {
            state["currentState"] = "ERROR_OCCURRED".into();
            state["lastError"] = failure.last_error();
            Outcome::Failed(failure.with_state(STATE_NAME, state))
        }
    }
}

async fn register_all(core: &Core, state: &mut Value) -> Result<(), Failure> {
    let accounts = state["accounts"].as_array().cloned().unwrap_or_default();
    let mut by_currency: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
    for account in accounts {
        let currency = text(&account, &["currency"]).map(str::to_owned);
        by_currency.entry(currency).or_default().push(account);
    }
    for (currency, accounts) in by_currency {
        for batch in accounts.chunks(BATCH_MAX) {
            let callback = register_batch(core, currency.as_deref(), batch).await?;
            if let Some(response) = state["response"].as_array_mut() {
                response.extend(results(&callback.body));
            }
            state["postAccountsResponse"] = whole(&callback);
        }
    }
    Ok(())
}

async fn register_batch(core: &Core, currency: Option<&str>, accounts: &[Value]) -> Result<Callback, Failure> {
    let id = ids::new(core.settings.ulids);
    let party = |account: &Value| {
        let mut info = Object::new();
        let names = [("idType", "partyIdType"), ("idValue", "partyIdentifier"), ("idSubValue", "partySubIdOrType")];
        copy(&mut info, account, &names);
        info.insert("fspId".into(), core.settings.dfsp.as_str().into());
        Value::from(info)
    };
    let mut body = Object::new();
    body.insert("requestId".into(), id.clone().into());
    body.insert("partyList".into(), accounts.iter().map(party).collect());
    put(&mut body, "currency", currency);
    let outgoing = Outgoing::new(Method::POST, Resource::Participants, Operation::PostParticipants).body(body.into());
    exchange(core, format!("accounts-{id}"), outgoing, "creating accounts").await
}

/// One entry for each identifier of the directory's answer.
fn results(body: &Value) -> Vec<Value> {
    let result = |entry: &Value| {
        let mut result = Object::new();
        let names = [("partyIdType", "idType"), ("partyIdentifier", "idValue"), ("partySubIdOrType", "idSubValue")];
        copy(&mut result, &entry["partyId"], &names);
        let error = at(entry, &["errorInformation"]);
        put(
            &mut result,
            "error",
            error.map(|error| json!({"statusCode": error["errorCode"], "message": error["errorDescription"]})),
        );
        Value::from(result)
    };
    body["partyList"].as_array().into_iter().flatten().map(result).collect()
}

pub(super) async fn unregister(core: &Core, path: PartyPath) -> Outcome {
    let channel = account_channel(&path);
    let outgoing = Outgoing::new(Method::DELETE, Resource::Participants, Operation::DeleteParticipant(path));
    match exchange(core, channel, outgoing, "deleting account").await {
        Ok(callback) => Outcome::Done(json!({"currentState": "COMPLETED", "deleteAccountResponse": whole(&callback)})),
        Err(failure) => {
            let state = json!({"currentState": "ERROR_OCCURRED", "lastError": failure.last_error()});
            Outcome::Failed(failure.with_state(STATE_NAME, state))
        }
    }
}

async fn exchange(core: &Core, channel: String, outgoing: Outgoing<'_>, doing: &str) -> Result<Callback, Failure> {
    let mut listening = core.hub.listen(channel)?;
    core.hub.send(outgoing).await?;
    let callback = core.hub.next_or(&mut listening, format!("Timeout {doing}")).await?;
    if callback.is_error { Err(Failure::callback(doing, &callback.body)) } else { Ok(callback) }
}
