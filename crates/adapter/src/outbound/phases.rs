//! The phases that calls share: find a party, ask for terms, send the money and wait for its fulfilment.
//!
//! Invariant: each phase listens before it asks, and hands on only an answer that it has checked.

use crate::Core;
use crate::failure::Failure;
use crate::hub::{Callback, Listening, Outgoing};
use crate::json::{at, text};
use crate::{parties, seals};
use fspiop::{Operation, PartyPath, Resource};
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Answers to one look-up that the core may choose from.
const PAYEES_MAX: usize = 100;

/// What was asked and what came back, both `{headers, body}`.
pub(super) struct Exchanged {
    pub request: Value,
    pub response: Value,
    /// `FSPIOP-Source` of the response.
    pub source: String,
}

/// The channel of everything about a party.
pub(crate) fn party_channel(path: &PartyPath) -> String {
    format!("parties-{}-{}-{}", path.id_type, path.identifier, path.sub_id.as_deref().unwrap_or_default())
}

/// Looks a party up: returns the scheme's `Party` and what was exchanged.
///
/// Errors: nobody answers, the answer is an error, or it is about somebody else.
pub(super) async fn find(core: &Core, party: &Value, about: &str) -> Result<(Value, Exchanged), Failure> {
    let path = parties::path(party).ok_or_else(|| Failure::internal("The party's identifier is not usable."))?;
    let mut listening = core.hub.listen(party_channel(&path))?;
    let outgoing = Outgoing::new(Method::GET, Resource::Parties, Operation::GetParty(path));
    let request = core.hub.send(outgoing).await?;
    let callback = core.hub.next_or(&mut listening, late_lookup(about)).await?;
    Ok((found(party, &callback)?, exchanged(request, callback)))
}

/// Looks a party up and collects what is answered within `wait`: the scheme's parties, and the last exchange.
///
/// Errors: nobody has answered that is paid at this identifier; of several reasons the last one.
pub(super) async fn find_all(
    core: &Core,
    (party, about): (&Value, &str),
    wait: Duration,
) -> Result<(Vec<Value>, Exchanged), Failure> {
    let path = parties::path(party).ok_or_else(|| Failure::internal("The party's identifier is not usable."))?;
    let mut listening = core.hub.listen(party_channel(&path))?;
    let request = core.hub.send(Outgoing::new(Method::GET, Resource::Parties, Operation::GetParty(path))).await?;
    let end = Instant::now() + wait;
    let (mut all, mut last) = (Vec::new(), Err(Failure::timeout(late_lookup(about))));
    while let Some(callback) = listening.next(end.saturating_duration_since(Instant::now())).await {
        match found(party, &callback) {
            Ok(found) if all.len() < PAYEES_MAX => {
                all.push(found);
                last = Ok(callback);
            }
            Ok(_) => tracing::warn!("more DFSPs answer a look-up than can be offered"),
            Err(failure) if all.is_empty() => last = Err(failure),
            Err(_) => {}
        }
    }
    last.map(|callback| (all, exchanged(request, callback)))
}

fn late_lookup(about: &str) -> String {
    format!("Timeout resolving payee for transfer {about}")
}

/// The party of an answer to a look-up.
fn found(asked: &Value, callback: &Callback) -> Result<Value, Failure> {
    if callback.body.get("errorInformation").is_some() {
        return Err(Failure::callback("resolving party", &callback.body));
    }
    let found = at(&callback.body, &["party"]).cloned();
    let found = found.ok_or_else(|| Failure::internal("Resolved payee has no party object."))?;
    check_is(asked, &found)?;
    Ok(found)
}

fn check_is(asked: &Value, found: &Value) -> Result<(), Failure> {
    let info = &found["partyIdInfo"];
    for (ours, theirs) in
        [("idType", "partyIdType"), ("idValue", "partyIdentifier"), ("idSubValue", "partySubIdOrType")]
    {
        if text(asked, &[ours]) != text(info, &[theirs]) {
            return Err(Failure::internal(format!(
                "Expecting resolved payee party's {theirs} to be the one asked for."
            )));
        }
    }
    if text(info, &["fspId"]).is_none() {
        return Err(Failure::internal("Resolved payee has no fspId; it cannot be paid."));
    }
    Ok(())
}

/// Sends `POST /quotes` and waits for the terms.
pub(super) async fn quote(core: &Core, body: Value, destination: Option<&str>) -> Result<Exchanged, Failure> {
    let id = text(&body, &["quoteId"]).unwrap_or_default().to_owned();
    let transaction = text(&body, &["transactionId"]).unwrap_or_default().to_owned();
    let mut listening = core.hub.listen(format!("quotes-{id}"))?;
    let outgoing = Outgoing::new(Method::POST, Resource::Quotes, Operation::PostQuote).to(destination).body(body);
    let expiration = text(outgoing.body.as_ref().unwrap_or(&Value::Null), &["expiration"]).map(str::to_owned);
    let request = core.hub.send(outgoing).await?;
    let callback =
        core.hub.next_or(&mut listening, format!("Timeout requesting quote for transfer {transaction}")).await?;
    if callback.is_error {
        return Err(Failure::callback("requesting quote", &callback.body));
    }
    let is_late = expiration.is_some_and(|expiration| crate::json::is_past(&expiration));
    if core.settings.reject_expired_quote_responses && is_late {
        return Err(Failure::timeout("Quote response missed expiry deadline"));
    }
    Ok(exchanged(request, callback))
}

/// Sends a prepared `POST /transfers`. What it takes to do so must have been saved.
pub(super) async fn prepare(core: &Core, body: &Value, destination: Option<&str>) -> Result<Value, Failure> {
    let outgoing = Outgoing::new(Method::POST, Resource::Transfers, Operation::PostTransfer);
    core.hub.send(outgoing.to(destination).body(body.clone())).await
}

/// Waits for the end of a transfer that was sent.
pub(super) async fn fulfil(core: &Core, listening: &mut Listening, prepare: &Value) -> Result<Callback, Failure> {
    let id = text(prepare, &["transferId"]).unwrap_or_default();
    let late = format!("Timeout waiting for fulfil for transfer {id}");
    let mut callback = core.hub.next_or(listening, late.clone()).await?;
    // The hub's answer to a question about a transfer that is still under way.
    while is_undecided(&callback) {
        callback = core.hub.next_or(listening, late.clone()).await?;
    }
    if callback.is_error {
        return Err(Failure::callback("preparing transfer", &callback.body));
    }
    let expired = text(prepare, &["expiration"]).is_some_and(crate::json::is_past);
    if core.settings.reject_expired_fulfils && expired {
        return Err(Failure::timeout("Transfer fulfil missed expiry deadline"));
    }
    check_fulfilment(core, &callback.body, prepare)?;
    Ok(callback)
}

fn is_undecided(callback: &Callback) -> bool {
    let state = text(&callback.body, &["transferState"]);
    !callback.is_error
        && at(&callback.body, &["fulfilment"]).is_none()
        && matches!(state, Some("RECEIVED" | "RESERVED"))
}

/// Errors: the fulfilment does not fulfil the condition, and the settings want it to.
pub(super) fn check_fulfilment(core: &Core, fulfil: &Value, prepare: &Value) -> Result<(), Failure> {
    let fulfilment = text(fulfil, &["fulfilment"]).unwrap_or_default();
    let condition = text(prepare, &["condition"]).unwrap_or_default();
    if core.settings.check_ilp && !seals::fulfils(fulfilment, condition) {
        return Err(Failure::internal("Invalid fulfilment received from peer DFSP."));
    }
    Ok(())
}

pub(super) fn exchanged(request: Value, callback: Callback) -> Exchanged {
    Exchanged { request, response: whole(&callback), source: callback.source }
}

/// `{headers, body}` of a callback.
pub(crate) fn whole(callback: &Callback) -> Value {
    json!({"headers": callback.headers, "body": callback.body})
}
