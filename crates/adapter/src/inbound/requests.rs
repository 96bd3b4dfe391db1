//! Requests to pay and one-time passwords: `/transactionRequests` and `/authorizations` (§3, §4).

use super::Inbound;
use crate::Core;
use crate::backend::Answer;
use crate::hub::Callback;
use crate::json::{Object, at, copy, put, text};
use crate::parties;
use crate::records::Kind;
use fspiop::{Operation, Resource, percent_encode};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /transactionRequests`.
pub(super) async fn take(core: &Core, message: &Inbound) {
    let id = text(&message.body, &["transactionRequestId"]).unwrap_or_default().to_owned();
    let (operation, body) = match core.backend.post("/transactionrequests", &to_core(&message.body)).await {
        Answer::Nothing => return,
        Answer::Refusal(refusal) => (Operation::PutTransactionRequestError(id), refusal.body),
        Answer::Data(answer) => {
            let mut body = Object::new();
            let same = |name| (name, name);
            copy(&mut body, &answer, &["transactionId", "transactionRequestState"].map(same));
            (Operation::PutTransactionRequest(id), body.into())
        }
    };
    drop(core.hub.answer(message.reply(Resource::TransactionRequests, operation, body)).await);
}

fn to_core(request: &Value) -> Value {
    let mut internal = Object::new();
    let same = |name| (name, name);
    copy(&mut internal, request, &[same("transactionRequestId")]);
    internal.insert("to".into(), parties::to_core(&request["payee"]));
    // The payer is an identifier without a person.
    internal.insert("from".into(), parties::to_core(&json!({"partyIdInfo": request["payer"]})));
    copy(&mut internal, &request["amount"], &["amount", "currency"].map(same));
    let kind = &request["transactionType"];
    copy(&mut internal, kind, &[("scenario", "transactionType")]);
    copy(&mut internal, kind, &["subScenario", "initiator", "initiatorType"].map(same));
    copy(&mut internal, request, &["authenticationType", "note"].map(same));
    internal.into()
}

/// `PUT /transactionRequests/{ID}`: an answer that a call waits for, or news for the core.
pub(super) fn state(core: &Arc<Core>, id: String, callback: Callback) {
    if core.hub.hand_on(&format!("transactionRequests-{id}"), &callback) > 0 || callback.is_error {
        return;
    }
    let core = core.clone();
    tokio::spawn(async move {
        let known = core.records.load(Kind::RequestToPay, &id).await.ok().flatten().unwrap_or_default();
        let mut body = Object::new();
        put(&mut body, "transactionRequestState", at(&callback.body, &["transactionRequestState"]).cloned());
        put(&mut body, "homeR2PTransactionId", at(&known, &["homeR2PTransactionId"]).cloned());
        core.backend.notify(&format!("/requestToPay/{}", percent_encode(&id)), &body.into()).await;
    });
}

/// `GET /authorizations/{ID}`: the one-time password that the core has given its customer.
pub(super) async fn otp(core: &Core, id: &str, message: &Inbound) {
    let asked = core.backend.get(&format!("/otp/{}", percent_encode(id))).await;
    let (operation, body) = match asked {
        Answer::Nothing => return,
        Answer::Refusal(refusal) => (Operation::PutAuthorizationError(id.to_owned()), refusal.body),
        Answer::Data(answer) => {
            let information = json!({"authentication": "OTP", "authenticationValue": answer["otpValue"]});
            let body = json!({"authenticationInfo": information, "responseType": "ENTERED"});
            (Operation::PutAuthorization(id.to_owned()), body)
        }
    };
    drop(core.hub.answer(message.reply(Resource::Authorizations, operation, body)).await);
}
