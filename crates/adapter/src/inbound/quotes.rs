//! `POST /quotes`: the core's terms, sealed (§3, quote handling; §6).
//!
//! Invariant: the fulfilment is durable before the condition leaves.

use super::Inbound;
use crate::Core;
use crate::backend::{Answer, Refusal};
use crate::json::{Object, at, copy, in_future, money, put, text, wrapped};
use crate::records::{Kind, Openness};
use crate::{parties, seals};
use fspiop::{ErrorCode, FspiopError, Operation, Resource, ilp::Secret};
use serde_json::{Value, json};
use vocabulary::CorrelationId;

pub(super) async fn answer(core: &Core, message: Inbound) {
    let request = &message.body;
    let Some(id) = text(request, &["quoteId"]).and_then(|id| id.parse::<CorrelationId>().ok()) else { return };
    let transaction = text(request, &["transactionId"]).unwrap_or_default().to_owned();
    let _alone = core.locks.lock(&super::transfers::lock_key(&transaction)).await;
    if let Some(body) = answered_before(core, &transaction, request).await {
        drop(core.hub.answer(message.reply(Resource::Quotes, Operation::PutQuote(id), body)).await);
        return;
    }
    let internal = to_core(request);
    let answered = core.backend.post("/quoterequests", &internal).await;
    let terms = match answered {
        Answer::Nothing => return,
        Answer::Data(terms) => sealed(core, request, terms),
        Answer::Refusal(refusal) => Err(refusal),
    };
    let mut state = json!({
        "direction": "INBOUND",
        "transferId": transaction,
        "initiatedTimestamp": sdk::now().to_string(),
        "quoteRequest": {"headers": message.headers, "body": request},
    });
    let (operation, body) = match terms {
        Ok(sealed) => {
            state["quote"] = json!({
                "request": request,
                "internalRequest": internal,
                "response": sealed.terms,
                "mojaloopResponse": sealed.response,
                "fulfilment": sealed.fulfilment,
            });
            (Operation::PutQuote(id), sealed.response)
        }
        Err(refusal) => {
            state["currentState"] = "ERROR_OCCURRED".into();
            state["lastError"] = refusal.last_error();
            (Operation::PutQuoteError(id), refusal.body)
        }
    };
    let reply = message.reply(Resource::Quotes, operation, body);
    state["quoteResponse"] = json!({"body": reply.body});
    if let Err(error) = core.records.save(Kind::Incoming, &transaction, &state, Openness::Settled).await {
        tracing::error!(%error, "a quote was not recorded, and is refused");
        let refusal = Refusal::internal(error.to_string());
        let reply = message.reply(Resource::Quotes, Operation::PutQuoteError(id), refusal.body);
        drop(core.hub.answer(reply).await);
        return;
    }
    drop(core.hub.answer(reply).await);
}

/// The answer to a quote whose transfer has arrived: it stands, whatever the core would say now.
async fn answered_before(core: &Core, transaction: &str, request: &Value) -> Option<Value> {
    let known = core.records.load(Kind::Incoming, transaction).await.ok()??;
    at(&known, &["prepare"])?;
    let is_same = known["quote"]["request"] == *request;
    if !is_same {
        tracing::warn!(transaction, "another quote came for a transaction whose transfer has arrived");
    }
    at(&known, &["quote", "mojaloopResponse"]).cloned()
}

/// `GET /quotes/{ID}`: participants of today never find the quote and answer 2001 (§3).
pub(super) async fn repeat(core: &Core, id: CorrelationId, message: &Inbound) {
    let refusal = Refusal::error(&FspiopError::new(ErrorCode::INTERNAL));
    drop(core.hub.answer(message.reply(Resource::Quotes, Operation::PutQuoteError(id), refusal.body)).await);
}

/// What the core is asked (§4, POST quoterequests).
fn to_core(request: &Value) -> Value {
    let mut internal = Object::new();
    let same = |name| (name, name);
    copy(&mut internal, request, &["quoteId", "transactionId", "transactionRequestId"].map(same));
    internal.insert("to".into(), parties::to_core(&request["payee"]));
    internal.insert("from".into(), parties::to_core(&request["payer"]));
    copy(&mut internal, request, &[same("amountType")]);
    copy(&mut internal, &request["amount"], &["amount", "currency"].map(same));
    copy(&mut internal, &request["fees"], &[("amount", "feesAmount"), ("currency", "feesCurrency")]);
    let kind = &request["transactionType"];
    copy(&mut internal, kind, &[("scenario", "transactionType")]);
    copy(&mut internal, kind, &["subScenario", "initiator", "initiatorType"].map(same));
    copy(&mut internal, request, &["geoCode", "note", "expiration"].map(same));
    put(&mut internal, "extensionList", at(request, &["extensionList", "extension"]).cloned());
    internal.into()
}

struct Sealed {
    /// The core's terms, with the expiration that was sent.
    terms: Value,
    /// The body of `PUT /quotes/{ID}`.
    response: Value,
    fulfilment: String,
}

fn sealed(core: &Core, request: &Value, mut terms: Value) -> Result<Sealed, Refusal> {
    if at(&terms, &["expiration"]).is_none() {
        terms["expiration"] = in_future(core.settings.expiry).into();
    }
    let mut response = Object::new();
    let amount = |name: &str| money(&terms, name, &format!("{name}Currency"));
    let transfer = amount("transferAmount")
        .ok_or_else(|| Refusal::internal("the core's quote has no transferAmount with its transferAmountCurrency"))?;
    response.insert("transferAmount".into(), transfer);
    put(&mut response, "payeeReceiveAmount", amount("payeeReceiveAmount"));
    put(&mut response, "payeeFspFee", amount("payeeFspFeeAmount"));
    put(&mut response, "payeeFspCommission", amount("payeeFspCommissionAmount"));
    response.insert("expiration".into(), terms["expiration"].clone());
    put(&mut response, "geoCode", at(&terms, &["geoCode"]).cloned());
    put(&mut response, "extensionList", wrapped(at(&terms, &["extensionList"])));
    let mut response = Value::from(response);
    let secret = Secret::new(core.settings.ilp_secret.clone());
    let seal = seals::of_quote(core.settings.ilp_version, &secret, request, &response);
    let seal = seal.map_err(|reason| Refusal::internal(format!("the core's quote cannot be sealed: {reason}")))?;
    response["ilpPacket"] = seal.packet.into();
    response["condition"] = seal.condition.to_string().into();
    Ok(Sealed { terms, response, fulfilment: seal.fulfilment.to_string() })
}
