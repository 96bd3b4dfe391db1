//! The payer's part: finds the payee, converts where it must, pays, and does not give up before it knows the outcome.

use crate::{
    dfsp::{Belief, Dfsp},
    message::{id, in_millis, message, secret},
    plan::{Payment, Quirk},
};
use http::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const LOOKUPS: u32 = 8;
/// What has moved is found in the end.
const LOOKUPS_MOVED: u32 = 1_000;
const RESEND: Duration = Duration::from_secs(5);

/// What became of a payment, as its payer knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The payee was not found, so that nothing was sent.
    NotSent,
    Committed,
    Aborted,
}

/// Who pays whom through whom, by name.
pub struct Parties {
    pub payee: String,
    pub payee_number: String,
    pub provider: Option<String>,
    pub payer_currency: &'static str,
    pub payee_currency: &'static str,
    /// The DFSPs that the payee's number leaves and goes to.
    pub moves: Option<[Arc<Dfsp>; 2]>,
}

pub async fn pay(payer: &Arc<Dfsp>, payment: &Payment, parties: &Parties) -> Outcome {
    tokio::time::sleep(Duration::from_millis(payment.begins_ms)).await;
    let mut attempts = LOOKUPS;
    if let Some([from, to]) = &parties.moves {
        finds(payer, &parties.payee_number, &from.name, LOOKUPS).await;
        moves(from, to, &parties.payee_number).await;
        attempts = LOOKUPS_MOVED;
    }
    if !finds(payer, &parties.payee_number, &parties.payee, attempts).await {
        return Outcome::NotSent;
    }
    let seed = payer.plan.seed;
    let transfer = id(seed, payment.number, 0);
    let expiration = in_millis(payment.expires_after_ms).to_string();
    if let (Some((_, source)), Some(provider)) = (payment.conversion, &parties.provider) {
        let (_, condition) = secret(seed, payment.number + 1_000);
        let conversion = id(seed, payment.number, 1);
        let body = json!({
            "commitRequestId": conversion,
            "determiningTransferId": transfer,
            "initiatingFsp": payer.name,
            "counterPartyFsp": provider,
            "sourceAmount": {"currency": parties.payer_currency, "amount": source.to_string()},
            "targetAmount": {"currency": parties.payee_currency, "amount": payment.amount.to_string()},
            "condition": condition,
            "expiration": expiration,
        });
        let question =
            Question { resource: "fxTransfers", id: &conversion, to: provider, body: &body, quirk: Quirk::None };
        match ask(payer, &question, is_decided).await {
            Belief::Reserved | Belief::Committed => {}
            Belief::Open | Belief::Aborted => return Outcome::Aborted,
        }
    }
    let (_, condition) = secret(seed, payment.number);
    let body = json!({
        "transferId": transfer,
        "payerFsp": payer.name,
        "payeeFsp": parties.payee,
        "amount": {"currency": parties.payee_currency, "amount": payment.amount.to_string()},
        "ilpPacket": "AYIBgQ",
        "condition": condition,
        "expiration": expiration,
    });
    let question =
        Question { resource: "transfers", id: &transfer, to: &parties.payee, body: &body, quirk: payment.quirk };
    loop {
        match ask(payer, &question, is_final).await {
            Belief::Committed => return Outcome::Committed,
            Belief::Aborted => return Outcome::Aborted,
            // The hub has lost the way to the payee, and kept nothing: it finds it again.
            Belief::Open | Belief::Reserved => {
                finds(payer, &parties.payee_number, &parties.payee, LOOKUPS).await;
            }
        }
    }
}

/// The number belongs to another DFSP from now on.
async fn moves(from: &Dfsp, to: &Dfsp, number: &str) {
    let path = format!("/participants/MSISDN/{number}");
    let removal = message(&Method::DELETE, &path, &from.name, None, None);
    let entry = json!({"fspId": to.name});
    let registration = message(&Method::POST, &path, &to.name, None, Some(&entry));
    for (dfsp, request) in [(from, removal), (to, registration)] {
        let answer = dfsp.web.insist(&dfsp.hub, request, 200).await;
        assert!(answer.is_some_and(|(status, _)| status.is_success()), "a number was not moved");
    }
}

/// Looks for a number until it is with the DFSP that it is expected to be with.
async fn finds(payer: &Arc<Dfsp>, number: &str, fsp: &str, attempts: u32) -> bool {
    let path = format!("/parties/MSISDN/{number}");
    let is_it = |news: &crate::dfsp::News| !news.is_error && news.body["party"]["partyIdInfo"]["fspId"] == fsp;
    for _ in 0..attempts {
        let question = message(&Method::GET, &path, &payer.name, None, None);
        payer.web.insist(&payer.hub, question, 3).await;
        let answer = payer.next(&path, Duration::from_secs(25)).await;
        if answer.as_ref().is_some_and(is_it) {
            return true;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    false
}

struct Question<'a> {
    resource: &'a str,
    id: &'a str,
    to: &'a str,
    body: &'a Value,
    quirk: Quirk,
}

/// Asks until there is an answer: sends the same again, and each sixth time asks what has become of it. Open if the hub knows
/// no way.
async fn ask(payer: &Arc<Dfsp>, question: &Question<'_>, decides: fn(&Value) -> Option<Belief>) -> Belief {
    let path = format!("/{}/{}", question.resource, question.id);
    for attempt in 0.. {
        let (method, path_of, body) = if attempt % 6 == 5 {
            (Method::GET, path.clone(), None)
        } else {
            (Method::POST, format!("/{}", question.resource), Some(question.body))
        };
        let to = (body.is_some() || question.quirk == Quirk::AsksPayee).then_some(question.to);
        if attempt == 0 && question.quirk == Quirk::OtherContent {
            let other = message(&method, &path_of, &payer.name, to, Some(&with_other_amount(question.body)));
            let web = (payer.web.clone(), payer.hub.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                web.0.insist(&web.1, other, 1).await;
            });
        }
        let request = message(&method, &path_of, &payer.name, to, body);
        let refused = payer.web.insist(&payer.hub, request, 3).await.filter(|(status, _)| status.is_client_error());
        assert!(refused.is_none(), "a payer's message was refused: {refused:?}");
        while let Some(news) = payer.next(&path, RESEND).await {
            match news.body["errorInformation"]["errorCode"].as_str().filter(|_| news.is_error) {
                // What is not known yet was asked for too early; what has other content was not taken.
                Some("3208" | "3106") => continue,
                Some("3200") => return Belief::Open,
                Some(_) => return Belief::Aborted,
                None => {}
            }
            if let Some(belief) = decides(&news.body) {
                return belief;
            }
        }
    }
    Belief::Open
}

fn with_other_amount(body: &Value) -> Value {
    let mut body = body.clone();
    body["amount"]["amount"] = "51".into();
    body
}

fn is_decided(body: &Value) -> Option<Belief> {
    match body["conversionState"].as_str() {
        // The hub's own word on a repetition has no fulfilment until the provider has agreed.
        Some("RESERVED") if body["fulfilment"].is_string() => Some(Belief::Reserved),
        Some("COMMITTED") => Some(Belief::Committed),
        Some("ABORTED") => Some(Belief::Aborted),
        _ => None,
    }
}

fn is_final(body: &Value) -> Option<Belief> {
    match body["transferState"].as_str() {
        Some("COMMITTED") => Some(Belief::Committed),
        Some("ABORTED") => Some(Belief::Aborted),
        _ => None,
    }
}
