//! Questions to a foreign exchange provider: terms and reservation (FSPIOP 2.0; contract, interscheme §3.2 to §3.4).
//!
//! Invariant: the condition of a quote follows from the secret and from what `POST /fxTransfers` repeats, so a conversion of
//! other amounts, parties or ids than the quoted ones is refused before the provider is asked.

use super::{Inbound, Server};
use crate::backend::{Answer, Backend, IncomingTransfer, QuoteQuestion, Terms};
use crate::config::now;
use crate::fx::wire::{ConversionTerms, FxCharge, FxMoney, FxQuotePost, FxQuotePut, FxTransferPut};
use crate::fx::{Exchange, FxAnswer, FxNews, FxQuestion, FxReservation, FxTerms, IncomingConversion};
use crate::message::Message;
use crate::payer::amount_type_text;
use crate::{News, NotRecorded, Party, wire};
use fspiop::body::{AmountType, FxAmount, FxQuoteRequest, FxTransferPrepare, TransferState};
use fspiop::ilp::{self, PaymentPacket};
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, Resource, canonical_json};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use vocabulary::{CorrelationId, Fulfilment, Money, PartyId};

/// Stands where a server has no DFSP or no provider behind it; there is none of it.
pub(super) enum Nobody {}

/// Reads `POST /fxQuotes`. Errors: 3100 and its kind, answered at once.
pub(super) fn question(message: &Inbound) -> Result<FxQuestion, FspiopError> {
    let checked = FxQuoteRequest::parse(&message.body)?;
    let invalid = |detail: &str| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    let body: FxQuotePost = serde_json::from_slice(&message.body)
        .map_err(|_| invalid("/requestBody has an amount beyond what can be held"))?;
    let terms = body.conversion_terms;
    let (fixed, other) = match checked.terms.amount_type {
        AmountType::Send => (&terms.source_amount, &terms.target_amount),
        AmountType::Receive => (&terms.target_amount, &terms.source_amount),
    };
    let amount = fixed.money().ok_or_else(|| invalid("/requestBody/conversionTerms lacks the amount that is fixed"))?;
    Ok(FxQuestion {
        request_id: body.conversion_request_id,
        conversion_id: terms.conversion_id,
        transfer_id: terms.determining_transfer_id,
        initiator: terms.initiating_fsp,
        amount_type: checked.terms.amount_type,
        amount,
        other: other.currency,
        expiration: terms.expiration,
    })
}

impl<B: Backend, X: Exchange> Server<B, X> {
    pub(super) async fn answer_fx_quote(self: Arc<Self>, exchange: Arc<X>, question: FxQuestion, envelope: Envelope) {
        let id = question.request_id;
        let terms = if question.initiator.same_as(envelope.source.as_str()) {
            exchange.quote(question.clone()).await.map(|terms| (question, terms))
        } else {
            Err(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "the initiatingFsp does not ask itself"))
        };
        self.tell_terms(id, terms, &envelope).await;
    }

    pub(super) async fn repeat_fx_quote(self: Arc<Self>, exchange: Arc<X>, id: CorrelationId, envelope: Envelope) {
        let unknown = || FspiopError::new(ErrorCode::QUOTE_ID_NOT_FOUND);
        let quoted = exchange.quoted(id).await;
        let of_asker = quoted.and_then(|(question, terms)| {
            let is_theirs = question.initiator.same_as(envelope.source.as_str());
            if is_theirs { Ok((question, terms)) } else { Err(unknown()) }
        });
        self.tell_terms(id, of_asker, &envelope).await;
    }

    async fn tell_terms(
        &self,
        id: CorrelationId,
        terms: Result<(FxQuestion, FxTerms), FspiopError>,
        envelope: &Envelope,
    ) {
        let message_of = |operation| Message::new(Method::PUT, Resource::FxQuotes, &operation);
        let answer = match terms {
            Ok((question, terms)) => {
                message_of(Operation::PutFxQuote(id)).body(wire::bytes(&self.quote_body(&question, terms)))
            }
            Err(error) => message_of(Operation::PutFxQuoteError(id)).body(error.to_json().into()),
        };
        self.reply(answer, envelope).await;
    }

    fn quote_body(&self, question: &FxQuestion, terms: FxTerms) -> FxQuotePut {
        let own = self.connection.name();
        let conversion = IncomingConversion {
            id: question.conversion_id,
            transfer_id: question.transfer_id,
            initiator: question.initiator.clone(),
            source: terms.source,
            target: terms.target,
            expiration: terms.expiration,
        };
        let charge = |charge: crate::fx::FxCharge| FxCharge {
            charge_type: charge.kind,
            source_amount: charge.source.map(wire::Cash::from),
            target_amount: charge.target.map(wire::Cash::from),
        };
        FxQuotePut {
            condition: Some(ilp::condition_of(&self.fulfilment(&conversion)).to_string()),
            conversion_terms: ConversionTerms {
                conversion_id: question.conversion_id,
                determining_transfer_id: question.transfer_id,
                initiating_fsp: question.initiator.clone(),
                counter_party_fsp: own.clone(),
                amount_type: amount_type_text(question.amount_type).to_owned(),
                source_amount: FxMoney::from(terms.source),
                target_amount: FxMoney::from(terms.target),
                expiration: terms.expiration,
                charges: terms.charges.into_iter().map(charge).collect(),
            },
        }
    }

    /// Of what quote and conversion have in common; the expiration is not part of it.
    fn fulfilment(&self, conversion: &IncomingConversion) -> Fulfilment {
        let money = |money: Money| json!({"amount": money.amount.to_string(), "currency": money.currency.to_string()});
        let terms = json!({
            "conversionId": conversion.id.to_string(),
            "determiningTransferId": conversion.transfer_id.map(|id| id.to_string()),
            "initiatingFsp": conversion.initiator.as_str(),
            "sourceAmount": money(conversion.source),
            "targetAmount": money(conversion.target),
        });
        let currencies = (conversion.source.currency, conversion.target.currency);
        let packet = PaymentPacket {
            amount: 0,
            account: ilp::conversion_account(self.connection.name(), currencies.0, currencies.1),
            transaction: canonical_json(&terms).into_bytes(),
        };
        self.connection.0.secret.fulfilment_v1(&packet.encode())
    }

    pub(super) async fn answer_fx_transfer(
        self: Arc<Self>,
        exchange: Arc<X>,
        prepare: FxTransferPrepare,
        envelope: Envelope,
    ) {
        let id = prepare.commit_request_id;
        let (answer, fulfilment) = match self.open_conversion(&prepare) {
            Ok((conversion, fulfilment)) => (exchange.prepare(conversion).await, Some(fulfilment)),
            Err(error) => (FxAnswer::Reject(error), None),
        };
        match answer {
            FxAnswer::Silence => {}
            FxAnswer::Reserve => self.tell_state(id, (TransferState::Reserved, fulfilment), &envelope).await,
            FxAnswer::Reject(error) => self.tell_fx_error(id, &error, &envelope).await,
        }
    }

    /// Compares a conversion with the quote that its condition is of.
    fn open_conversion(&self, prepare: &FxTransferPrepare) -> Result<(IncomingConversion, Fulfilment), FspiopError> {
        let refused = |detail: &str| FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION, detail);
        let money = |side: &FxAmount| {
            let amount = side.amount.map_err(|_| refused("an amount is beyond what can be held"))?;
            Ok::<_, FspiopError>(Money { amount, currency: side.currency })
        };
        let conversion = IncomingConversion {
            id: prepare.commit_request_id,
            transfer_id: prepare.determining_transfer_id,
            initiator: prepare.initiating_fsp.clone(),
            source: money(&prepare.source)?,
            target: money(&prepare.target)?,
            expiration: prepare.expiration.ok_or_else(|| refused("the conversion has no expiration"))?,
        };
        let fulfilment = self.fulfilment(&conversion);
        if !self.connection.name().same_as(prepare.counter_party_fsp.as_str()) {
            return Err(refused("the conversion is for another FSP"));
        }
        if ilp::condition_of(&fulfilment) != prepare.condition {
            return Err(refused("the conversion and its condition are not of a quote from here"));
        }
        if conversion.expiration <= now() {
            return Err(FspiopError::new(ErrorCode::TRANSFER_EXPIRED));
        }
        Ok((conversion, fulfilment))
    }

    pub(super) async fn report_fx_transfer(self: Arc<Self>, exchange: Arc<X>, id: String, envelope: Envelope) {
        let Ok(parsed) = id.parse::<CorrelationId>() else {
            let error = FspiopError::new(ErrorCode::TRANSFER_ID_NOT_FOUND);
            let operation = Operation::PutFxTransferError(id);
            let answer = Message::new(Method::PUT, Resource::FxTransfers, &operation).body(error.to_json().into());
            return self.reply(answer, &envelope).await;
        };
        match exchange.reservation(parsed).await {
            Ok(FxReservation { conversion, state }) => {
                let is_given = state != TransferState::Aborted;
                let fulfilment = is_given.then(|| self.fulfilment(&conversion));
                self.tell_state(parsed, (state, fulfilment), &envelope).await;
            }
            Err(error) => self.tell_fx_error(parsed, &error, &envelope).await,
        }
    }

    async fn tell_state(
        &self,
        id: CorrelationId,
        (conversion_state, fulfilment): (TransferState, Option<Fulfilment>),
        envelope: &Envelope,
    ) {
        let body = FxTransferPut { completed_timestamp: now(), conversion_state, fulfilment };
        let operation = Operation::PutFxTransfer(id.to_string());
        let answer = Message::new(Method::PUT, Resource::FxTransfers, &operation).body(wire::bytes(&body));
        self.reply(answer, envelope).await;
    }

    async fn tell_fx_error(&self, id: CorrelationId, error: &FspiopError, envelope: &Envelope) {
        let operation = Operation::PutFxTransferError(id.to_string());
        let answer = Message::new(Method::PUT, Resource::FxTransfers, &operation).body(error.to_json().into());
        self.reply(answer, envelope).await;
    }
}

impl Backend for Nobody {
    async fn lookup(&self, _party: PartyId) -> Result<Party, FspiopError> {
        match *self {}
    }

    async fn quote(&self, _question: QuoteQuestion) -> Result<Terms, FspiopError> {
        match *self {}
    }

    async fn prepare(&self, _transfer: IncomingTransfer) -> Answer {
        match *self {}
    }

    async fn news(&self, _id: CorrelationId, _news: News) -> Result<(), NotRecorded> {
        match *self {}
    }
}

impl Exchange for Nobody {
    async fn quote(&self, _question: FxQuestion) -> Result<FxTerms, FspiopError> {
        match *self {}
    }

    async fn quoted(&self, _request_id: CorrelationId) -> Result<(FxQuestion, FxTerms), FspiopError> {
        match *self {}
    }

    async fn prepare(&self, _conversion: IncomingConversion) -> FxAnswer {
        match *self {}
    }

    async fn reservation(&self, _id: CorrelationId) -> Result<FxReservation, FspiopError> {
        match *self {}
    }

    async fn news(&self, _id: CorrelationId, _news: FxNews) -> Result<(), NotRecorded> {
        match *self {}
    }
}
