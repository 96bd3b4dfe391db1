//! Paying somebody whose account is in another currency: the terms of a provider and of the payee's DFSP, in the order that
//! the fixed amount demands, and the reservation of the conversion before the transfer is sent.
//!
//! Invariant: a payment is one thing. Its money is set aside before the conversion leaves, the transfer leaves only after
//! the provider has agreed, and both ends are asked about until the scheme has decided.

use crate::bank::{Bank, BankError};
use crate::payer::{PayError, Wish};
use crate::payment::{Conversion, Payment};
use sdk::{
    AmountType, CallError, Decision, ErrorCode, FxDecision, FxNews, FxQuote, FxTransferOrder, FxWish, Party, Quote,
    QuoteOrder, now,
};
use vocabulary::{Condition, CorrelationId, Currency, Money};

/// How the payment reaches the payee.
pub(crate) struct Route {
    pub quote: Quote,
    pub fx_quote: Option<FxQuote>,
}

impl Bank {
    /// The payee's currency for a wish; `None` if it is ours, so that nothing needs converting.
    pub(crate) fn target(&self, wish: &Wish, payee: &Party) -> Result<Option<Currency>, PayError> {
        let own = self.config.currency;
        let takes = |currency| payee.currencies.is_empty() || payee.currencies.contains(&currency);
        let other = || PayError::OtherCurrency(payee.currencies.clone());
        if wish.amount.currency != own {
            let is_payable = wish.amount_type == AmountType::Receive && takes(wish.amount.currency);
            return if is_payable { Ok(Some(wish.amount.currency)) } else { Err(other()) };
        }
        if takes(own) {
            return Ok(None);
        }
        // An amount in our currency can only be what leaves.
        match (wish.amount_type, payee.currencies.first()) {
            (AmountType::Send, Some(currency)) => Ok(Some(*currency)),
            (AmountType::Send | AmountType::Receive, _) => Err(other()),
        }
    }

    /// Asks provider and payee's DFSP for their terms: first the one whose amount is fixed by the wish.
    pub(crate) async fn route(&self, order: QuoteOrder, target: Option<Currency>) -> Result<Route, PayError> {
        let Some(target) = target else {
            return Ok(Route { quote: self.connection.quote(&order).await?, fx_quote: None });
        };
        let (own, transfer_id) = (self.config.currency, order.transaction_id);
        let lifetime = i64::try_from(self.config.quote_lifetime.as_millis()).unwrap_or(i64::MAX);
        let expiration = now().plus_millis(lifetime);
        let providers = self.connection.fx_providers(own, target).await?;
        match order.amount_type {
            AmountType::Send => {
                let (amount_type, amount) = (order.amount_type, order.amount);
                let wish = FxWish { transfer_id, amount_type, amount, other: target, expiration };
                let fx_quote = self.connection.best_fx_quote(&wish, &providers).await?;
                let order = QuoteOrder { amount: fx_quote.target, ..order };
                Ok(Route { quote: self.connection.quote(&order).await?, fx_quote: Some(fx_quote) })
            }
            AmountType::Receive => {
                let quote = self.connection.quote(&order).await?;
                let (amount_type, amount) = (order.amount_type, quote.transfer);
                let wish = FxWish { transfer_id, amount_type, amount, other: own, expiration };
                let fx_quote = self.connection.best_fx_quote(&wish, &providers).await?;
                Ok(Route { quote, fx_quote: Some(fx_quote) })
            }
        }
    }

    /// Sends the conversion of a payment and waits for the provider. True if the transfer may be sent now; otherwise the
    /// payment has ended or is in doubt.
    pub(crate) async fn convert(&self, payment: &Payment) -> Result<bool, CallError> {
        let Some(order) = self.fx_order(payment) else { return Ok(true) };
        match self.connection.fx_send(&order).await? {
            FxDecision::Agreed => Ok(true),
            // Settled by `hear_conversion` before it came here.
            FxDecision::Aborted(_) => Ok(false),
        }
    }

    /// The hub does not know the transfer of a payment. True if it may be sent (again): the provider has agreed, or there is
    /// nothing to convert. A conversion that has not arrived is sent again, byte for byte.
    pub(crate) async fn may_send(&self, payment: &Payment) -> bool {
        let Some(order) = self.fx_order(payment) else { return true };
        match self.connection.fx_status(order.id).await {
            Ok(status) => {
                let decision = FxNews::Status(status).for_initiator(&order.provider, order.condition);
                decision == Some(FxDecision::Agreed)
            }
            Err(CallError::Answered(error)) if error.code == ErrorCode::TRANSFER_ID_NOT_FOUND => {
                match self.connection.fx_prepare(&order).await {
                    Err(CallError::Refused(error)) => self.settle_or_report(payment.id, &Decision::Aborted(error)),
                    Ok(()) => {}
                    Err(error) => tracing::debug!(id = %payment.id, %error, "a conversion was sent again in vain"),
                }
                false
            }
            Err(error) => {
                tracing::debug!(id = %payment.id, %error, "the hub was asked about a conversion in vain");
                false
            }
        }
    }

    /// News of a conversion. Its end is the end of the payment; an agreement decides nothing about the money. Of an incoming
    /// payment that was accepted the scheme decides by its word about the transfer: then its id comes back, to ask.
    pub(crate) fn hear_conversion(&self, id: CorrelationId, news: &FxNews) -> Result<Option<CorrelationId>, BankError> {
        let Some(payment) = self.payment_of_conversion(id) else { return Ok(None) };
        let Some(order) = self.fx_order(&payment) else { return Ok(None) };
        match news.for_initiator(&order.provider, order.condition) {
            Some(FxDecision::Aborted(error)) if payment.intake.is_some() => {
                let is_over = self.give_up(payment.id, &error)?;
                Ok((!is_over && payment.is_pending()).then_some(payment.id))
            }
            Some(FxDecision::Aborted(error)) => self.settle(payment.id, &Decision::Aborted(error)).map(|()| None),
            Some(FxDecision::Agreed) | None => Ok(None),
        }
    }

    pub(crate) fn fx_order(&self, payment: &Payment) -> Option<FxTransferOrder> {
        let conversion = payment.conversion.as_ref()?;
        let agreement_expiration = payment.intake.as_ref().map(|intake| intake.agreement_expiration);
        Some(FxTransferOrder {
            id: conversion.id,
            transfer_id: payment.id,
            provider: conversion.provider.clone(),
            source: Money { amount: payment.transfer, currency: payment.sent_in(self.config.currency) },
            target: conversion.money(),
            condition: Condition::parse(&conversion.condition)?,
            expiration: agreement_expiration.unwrap_or(payment.expiration),
        })
    }
}

impl Conversion {
    /// What the customer is shown and the books keep of a provider's terms.
    pub(crate) fn of(quote: &FxQuote) -> Self {
        Self {
            id: quote.conversion_id,
            provider: quote.provider.clone(),
            currency: quote.target.currency,
            amount: quote.target.amount,
            charge: quote.charge(),
            condition: quote.condition.to_string(),
        }
    }
}
