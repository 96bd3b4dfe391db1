//! The payer's part: finds the payee, converts where it must, pays, and does not give up before it knows the outcome.

use crate::{
    dfsp::{Belief, Dfsp},
    message::{id, in_millis, message, secret},
    plan::Payment,
};
use http::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const LOOKUPS: u32 = 8;
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
}

pub async fn pay(payer: &Arc<Dfsp>, payment: &Payment, parties: &Parties) -> Outcome {
    tokio::time::sleep(Duration::from_millis(payment.begins_ms)).await;
    if !finds(payer, &parties.payee_number).await {
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
        let question = Question { resource: "fxTransfers", id: &conversion, to: provider, body: &body };
        if ask(payer, &question, is_decided).await == Belief::Aborted {
            return Outcome::Aborted;
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
    let question = Question { resource: "transfers", id: &transfer, to: &parties.payee, body: &body };
    match ask(payer, &question, is_final).await {
        Belief::Committed => Outcome::Committed,
        Belief::Open | Belief::Reserved | Belief::Aborted => Outcome::Aborted,
    }
}

async fn finds(payer: &Arc<Dfsp>, number: &str) -> bool {
    let path = format!("/parties/MSISDN/{number}");
    for _ in 0..LOOKUPS {
        let question = message(&Method::GET, &path, &payer.name, None, None);
        payer.web.insist(&payer.hub, question, 3).await;
        let answer = payer.next(&path, Duration::from_secs(25)).await;
        if answer.is_some_and(|news| !news.is_error) {
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
}

/// Asks until there is an answer: sends the same again, and from the sixth time on asks what has become of it.
async fn ask(payer: &Arc<Dfsp>, question: &Question<'_>, decides: fn(&Value) -> Option<Belief>) -> Belief {
    let path = format!("/{}/{}", question.resource, question.id);
    for attempt in 0.. {
        let (method, path_of, body) = if attempt % 6 == 5 {
            (Method::GET, path.clone(), None)
        } else {
            (Method::POST, format!("/{}", question.resource), Some(question.body))
        };
        let to = body.map(|_| question.to);
        let request = message(&method, &path_of, &payer.name, to, body);
        let refused = payer.web.insist(&payer.hub, request, 3).await.filter(|(status, _)| status.is_client_error());
        assert!(refused.is_none(), "a payer's message was refused: {refused:?}");
        while let Some(news) = payer.next(&path, RESEND).await {
            // What is not known yet was asked for too early.
            let is_unknown = news.body["errorInformation"]["errorCode"] == "3208";
            if news.is_error && !is_unknown {
                return Belief::Aborted;
            }
            if let Some(belief) = decides(&news.body) {
                return belief;
            }
        }
    }
    Belief::Open
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
