//! Callbacks: answers to our own questions, and news of transfers.
//!
//! Invariant: news reaches the core before it wakes whoever waits for it, and both before the hub is told 200.

use super::{Inbound, Server};
use crate::connection::{Callback, Key};
use crate::fx::{FxNews, FxOffer, FxStatus, wire::FxQuotePut};
use crate::news::{News, TransferStatus};
use crate::payer::Quote;
use crate::{Backend, Exchange, Party, wire};
use fspiop::body::{
    ErrorInformation, FxProviders, FxQuoteResponse, FxTransferFulfil, ParticipantUpdate, PartyPut, QuoteResponse,
    TransferFulfil, TransferNotice,
};
use fspiop::{ErrorCode, FspiopError, PartyPath, Resource};
use vocabulary::{CorrelationId, Currency};

impl<B: Backend, X: Exchange> Server<B, X> {
    pub(super) fn party(&self, path: PartyPath, message: &Inbound) -> Result<(), FspiopError> {
        PartyPut::parse(&message.body)?;
        let body: wire::PartyPut = read(message)?;
        let party = Party::of_wire(body.party, &message.envelope.source);
        let party = party.ok_or_else(|| invalid("/requestBody/party/partyIdInfo does not fit its type"))?;
        self.answer(&Key::Party(path), Callback::Party(party));
        Ok(())
    }

    pub(super) fn party_error(&self, path: PartyPath, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::Parties, message)?;
        self.answer(&Key::Party(path), Callback::Error(error));
        Ok(())
    }

    pub(super) fn participant(&self, path: PartyPath, message: &Inbound) -> Result<(), FspiopError> {
        ParticipantUpdate::parse(&message.body)?;
        let body: wire::ParticipantPut = read(message)?;
        self.answer(&Key::Participant(path), Callback::Participant(body.fsp_id));
        Ok(())
    }

    pub(super) fn participant_error(&self, path: PartyPath, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::Participants, message)?;
        self.answer(&Key::Participant(path), Callback::Error(error));
        Ok(())
    }

    pub(super) fn quote(&self, id: CorrelationId, message: &Inbound) -> Result<(), FspiopError> {
        let checked = QuoteResponse::parse(&message.body)?;
        let body: wire::QuotePut = read(message)?;
        let quote = Quote {
            payee_fsp: message.envelope.source.clone(),
            transfer: body.transfer_amount.money(),
            received: body.payee_receive_amount.as_ref().map(wire::Cash::money),
            fee: body.payee_fsp_fee.as_ref().map(wire::Cash::money),
            expiration: checked.expiration,
            packet: body.ilp_packet,
            condition: checked.condition,
        };
        self.answer(&Key::Quote(id), Callback::Quote(quote));
        Ok(())
    }

    pub(super) fn quote_error(&self, id: CorrelationId, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::Quotes, message)?;
        self.answer(&Key::Quote(id), Callback::Error(error));
        Ok(())
    }

    pub(super) async fn transfer_status(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let status = TransferStatus::from(TransferFulfil::parse(&message.body)?);
        self.news(id, News::Status(status)).await
    }

    pub(super) async fn transfer_notice(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let status = TransferStatus::from(TransferNotice::parse(&message.body)?);
        self.news(id, News::Status(status)).await
    }

    pub(super) async fn transfer_error(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::Transfers, message)?;
        self.news(id, News::Error(error)).await
    }

    async fn news(&self, id: &str, news: News) -> Result<(), FspiopError> {
        let id: CorrelationId = id.parse().map_err(|_| invalid("/path/ID is no id of a transfer"))?;
        if let Some(backend) = &self.backend {
            backend.news(id, news.clone()).await?;
        }
        self.answer(&Key::Transfer(id), Callback::Transfer(news));
        Ok(())
    }

    pub(super) fn fx_providers(&self, pair: Option<[Currency; 2]>, message: &Inbound) -> Result<(), FspiopError> {
        let providers = FxProviders::parse(&message.body)?.providers;
        self.answer(&Key::FxProviders(pair), Callback::FxProviders(providers));
        Ok(())
    }

    pub(super) fn fx_quote(&self, id: CorrelationId, message: &Inbound) -> Result<(), FspiopError> {
        let checked = FxQuoteResponse::parse(&message.body)?;
        let body: FxQuotePut = read(message)?;
        let (source, condition) = (message.envelope.source.clone(), checked.condition);
        let offer = FxOffer { source, condition, terms: body.conversion_terms };
        self.answer(&Key::FxQuote(id), Callback::FxQuote(Box::new(offer)));
        Ok(())
    }

    pub(super) fn fx_quote_error(&self, id: CorrelationId, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::FxQuotes, message)?;
        self.answer(&Key::FxQuote(id), Callback::Error(error));
        Ok(())
    }

    pub(super) async fn fx_transfer_status(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let body = FxTransferFulfil::parse(&message.body)?;
        let status = FxStatus::new(&body, message.envelope.source.clone());
        self.fx_news(id, FxNews::Status(status)).await
    }

    pub(super) async fn fx_transfer_error(&self, id: &str, message: &Inbound) -> Result<(), FspiopError> {
        let error = error(Resource::FxTransfers, message)?;
        self.fx_news(id, FxNews::Error(error)).await
    }

    /// For both sides: only one of them knows the conversion.
    async fn fx_news(&self, id: &str, news: FxNews) -> Result<(), FspiopError> {
        let id: CorrelationId = id.parse().map_err(|_| invalid("/path/ID is no id of a conversion"))?;
        if let Some(exchange) = &self.exchange {
            exchange.news(id, news.clone()).await?;
        }
        if let Some(backend) = &self.backend {
            backend.fx_news(id, news.clone()).await?;
        }
        self.answer(&Key::FxTransfer(id), Callback::FxTransfer(news));
        Ok(())
    }

    pub(crate) fn answer(&self, key: &Key, callback: Callback) {
        let woken = self.connection.0.waiting.answer(key, &callback);
        if woken == 0 && !matches!(key, Key::Transfer(_) | Key::FxTransfer(_)) {
            tracing::debug!("a callback came that nobody waits for (any more)");
        }
    }
}

/// Reads the members that the checking parser leaves out.
fn read<T: serde::de::DeserializeOwned>(message: &Inbound) -> Result<T, FspiopError> {
    serde_json::from_slice(&message.body).map_err(|_| invalid("/requestBody does not have the form of the API"))
}

fn error(resource: Resource, message: &Inbound) -> Result<FspiopError, FspiopError> {
    Ok(ErrorInformation::parse(resource, &message.body)?.to_error())
}

fn invalid(detail: &str) -> FspiopError {
    FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
}
