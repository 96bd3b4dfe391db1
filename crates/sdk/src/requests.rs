//! Requests to pay: a payee asks a payer's DFSP for a payment, which the payer approves or refuses (FSPIOP 1.1 §6.4).
//!
//! Invariant: a request moves no money. The payer's DFSP names the transaction in its answer; an approved request is an
//! ordinary quote and transfer of that transaction.

use crate::call_error::CallError;
use crate::connection::{Callback, Connection, Key};
use crate::inbound::{Inbound, Server};
use crate::message::Message;
use crate::{Backend, Exchange, Party, text, wire};
use fspiop::body::{TransactionRequest, TransactionRequestPut};
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, Resource, Version};
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vocabulary::{CorrelationId, FspId, Money, PartyId};

/// The resource has no later one.
const VERSION: Version = Version::V1_1;
const REJECTED: &str = "REJECTED";
const RECEIVED: &str = "RECEIVED";

/// What a payee's DFSP asks for.
#[derive(Clone, Debug)]
pub struct RequestOrder {
    pub id: CorrelationId,
    pub payee: Party,
    /// With the DFSP that the look-up has named.
    pub payer: Party,
    /// What the payee is to get.
    pub amount: Money,
    pub note: Option<String>,
}

/// `POST /transactionRequests`, as the payer's DFSP reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentRequest {
    pub id: CorrelationId,
    pub payee: Party,
    pub payer: PartyId,
    pub amount: Money,
    pub note: Option<String>,
}

/// What a payer's DFSP says of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestNews {
    /// It is with the payer. The payment, if there is one, is this transaction.
    Waiting(Option<CorrelationId>),
    Rejected,
    /// The payer's DFSP or a hub could do nothing with it.
    Failed(FspiopError),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestPost {
    #[serde(with = "text")]
    transaction_request_id: CorrelationId,
    payee: wire::Party,
    payer: wire::PartyIdInfo,
    amount: wire::Cash,
    transaction_type: wire::TransactionType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestPut {
    #[serde(skip_serializing_if = "Option::is_none", with = "text::option")]
    transaction_id: Option<CorrelationId>,
    transaction_request_state: &'static str,
}

impl Connection {
    /// Asks a payer for a payment and waits until the payer's DFSP has it. What the payer decides comes later, by
    /// [`Backend::request_news`] or as a payment of the transaction. The same order makes the same bytes.
    pub async fn request_payment(&self, order: &RequestOrder) -> Result<RequestNews, CallError> {
        let body = RequestPost {
            transaction_request_id: order.id,
            payee: order.payee.to_wire_in(VERSION),
            payer: order.payer.to_wire_in(VERSION).party_id_info,
            amount: order.amount.into(),
            transaction_type: wire::TransactionType::requested(),
            note: order.note.clone(),
        };
        let message = Message::new(Method::POST, Resource::TransactionRequests, &Operation::PostTransactionRequest)
            .to(&order.payer.fsp)
            .body(wire::bytes(&body));
        let answer = self.ask_in(VERSION, Key::Request(order.id), message).await?;
        answer.request().ok_or_else(|| CallError::Unusable("not an answer to a request".into()))
    }

    /// Tells the payee's DFSP that the payer does not want to pay.
    pub async fn reject_request(&self, id: CorrelationId, payee_fsp: &FspId) -> Result<(), CallError> {
        let operation = Operation::PutTransactionRequest(id.to_string());
        let message = Message::new(Method::PUT, Resource::TransactionRequests, &operation);
        let body = RequestPut { transaction_id: None, transaction_request_state: REJECTED };
        self.deliver(&message.version(VERSION).to(payee_fsp).body(wire::bytes(&body))).await
    }
}

/// Reads `POST /transactionRequests`. Errors: 3100 and its kind, answered at once.
pub(crate) fn request(message: &Inbound) -> Result<PaymentRequest, FspiopError> {
    TransactionRequest::parse(&message.body)?;
    let invalid = |detail: &str| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    let body: RequestPost = serde_json::from_slice(&message.body)
        .map_err(|_| invalid("/requestBody has an amount or a currency that cannot be held"))?;
    let payee = Party::of_wire(body.payee, &message.envelope.source);
    let info = &body.payer;
    let payer = PartyId::try_new(info.party_id_type, &info.party_identifier, info.party_sub_id_or_type.as_deref());
    Ok(PaymentRequest {
        id: body.transaction_request_id,
        payee: payee.ok_or_else(|| invalid("/requestBody/payee/partyIdInfo does not fit its type"))?,
        payer: payer.map_err(|_| invalid("/requestBody/payer does not fit its type"))?,
        amount: body.amount.money(),
        note: body.note,
    })
}

impl<B: Backend, X: Exchange> Server<B, X> {
    pub(crate) async fn answer_request(self: Arc<Self>, backend: Arc<B>, asked: PaymentRequest, envelope: Envelope) {
        let id = asked.id.to_string();
        let message_of = |operation| Message::new(Method::PUT, Resource::TransactionRequests, &operation);
        let answer = match backend.requested(asked).await {
            Ok(transaction) => {
                let body = RequestPut { transaction_id: Some(transaction), transaction_request_state: RECEIVED };
                message_of(Operation::PutTransactionRequest(id)).body(wire::bytes(&body))
            }
            Err(error) => message_of(Operation::PutTransactionRequestError(id)).body(error.to_json().into()),
        };
        self.reply(answer, &envelope).await;
    }

    pub(crate) async fn request_answer(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let put = TransactionRequestPut::parse(&message.body)?;
        let news = if put.state == REJECTED { RequestNews::Rejected } else { RequestNews::Waiting(put.transaction_id) };
        self.request_news(id, news).await
    }

    pub(crate) async fn request_error(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let error = fspiop::body::ErrorInformation::parse(Resource::TransactionRequests, &message.body)?.to_error();
        self.request_news(id, RequestNews::Failed(error)).await
    }

    /// News reaches the core before it wakes whoever waits for it.
    async fn request_news(&self, id: &str, news: RequestNews) -> Result<(), FspiopError> {
        let id: CorrelationId = id
            .parse()
            .map_err(|_| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "/path/ID is no id of a request"))?;
        if let Some(backend) = &self.backend {
            backend.request_news(id, news.clone()).await?;
        }
        self.answer(&Key::Request(id), Callback::Request(news));
        Ok(())
    }
}
