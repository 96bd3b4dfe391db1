//! Being paid in a currency that the customer's account is not held in: this DFSP asks the providers when it is asked for a
//! quote, and has the transfer converted before it accepts it.
//!
//! Invariant: a transfer is accepted only after its provider has agreed, and that is in the journal before it is said; what has
//! not been accepted may be refused at any time, what has been is the scheme's to decide. The customer gets the converted
//! amount when the hub says COMMITTED, and nothing before. A question that is repeated gets the same terms while they hold.

use crate::bank::Bank;
use crate::config::Customer;
use crate::payment::{Conversion, Intake, Payment};
use sdk::{
    AmountType, CallError, ErrorCode, FspiopError, FxDecision, FxQuote, FxTransferOrder, FxWish, HeldTransfer,
    IncomingTransfer, QuoteQuestion, Terms, now,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;
use vocabulary::{CorrelationId, Currency, Timestamp};

/// Questions whose terms are remembered at one time.
const QUOTES_MAX: usize = 10_000;
/// Between the tries of a message that the hub has not taken.
const TRY_DELAY: Duration = Duration::from_millis(500);

/// The terms that were given to questions, so that a repeated one gets them again.
#[derive(Default)]
pub(crate) struct Quotes(Mutex<HashMap<CorrelationId, Known>>);

struct Known {
    question: QuoteQuestion,
    until: Timestamp,
    /// Empty while the providers are being asked; who repeats the question meanwhile waits for the same answer.
    terms: Arc<OnceCell<Terms>>,
}

impl Quotes {
    /// The place of the answer to a question, and until when its terms may hold.
    fn of(&self, question: &QuoteQuestion, until: Timestamp) -> Result<(Arc<OnceCell<Terms>>, Timestamp), FspiopError> {
        let mut quotes = self.0.lock().expect("no thread panics while it holds the quotes");
        let now = now();
        quotes.retain(|_, known| known.until > now);
        if let Some(known) = quotes.get(&question.quote_id) {
            let is_same = known.question == *question;
            let place = (known.terms.clone(), known.until);
            return if is_same { Ok(place) } else { Err(FspiopError::new(ErrorCode::MODIFIED_REQUEST)) };
        }
        if quotes.len() >= QUOTES_MAX {
            return Err(FspiopError::new(ErrorCode::SERVER_BUSY));
        }
        let terms = Arc::new(OnceCell::new());
        let known = Known { question: question.clone(), until, terms: terms.clone() };
        quotes.insert(question.quote_id, known);
        Ok((terms, until))
    }
}

impl Bank {
    /// The terms for a payment in another currency, which the customer takes.
    pub(crate) async fn converted_terms(
        &self,
        question: QuoteQuestion,
        customer: &Customer,
    ) -> Result<Terms, FspiopError> {
        let lifetime = i64::try_from(self.config.quote_lifetime.as_millis()).unwrap_or(i64::MAX);
        let (terms, until) = self.quotes.of(&question, now().plus_millis(lifetime))?;
        terms.get_or_try_init(|| self.ask_for_terms(&question, customer, until)).await.cloned()
    }

    async fn ask_for_terms(
        &self,
        question: &QuoteQuestion,
        customer: &Customer,
        until: Timestamp,
    ) -> Result<Terms, FspiopError> {
        let own = self.config.currency;
        let (amount_type, amount) = (question.amount_type, question.amount);
        if amount_type == AmountType::Receive {
            let detail = format_args!("the payee receives {own}; say what is sent");
            return Err(FspiopError::with_detail(ErrorCode::PAYEE_UNSUPPORTED_CURRENCY, detail));
        }
        let transfer_id = question.transaction_id;
        let wish = FxWish { transfer_id, amount_type, amount, other: own, expiration: until };
        // The payer's DFSP does not wait longer for us than we would for the providers.
        let patience = self.config.connection.callback_timeout / 2;
        let quote = tokio::time::timeout(patience, self.best_provider(&wish)).await;
        let quote = quote.unwrap_or(Err(CallError::NoAnswer(patience)));
        let quote = quote.map_err(|error| no_terms(&error, [amount.currency, own]))?;
        let arrives = quote.target.amount;
        let terms = self.config.fees.terms_of_sent(arrives).filter(|_| self.config.fees.is_payable(arrives));
        let terms = terms.ok_or_else(|| {
            FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_QUOTE, "the amount cannot be paid out")
        })?;
        Ok(Terms {
            transfer: amount.amount,
            received: terms.received,
            fee: terms.fee,
            payee: self.party(customer),
            expiration: until.min(quote.expiration),
            conversion: Some(quote),
        })
    }

    async fn best_provider(&self, wish: &FxWish) -> Result<FxQuote, CallError> {
        let providers = self.connection.fx_providers(wish.source(), wish.target()).await?;
        self.connection.best_fx_quote(wish, &providers).await
    }

    /// What a transfer needs that is not in our currency. Errors: it was not quoted so.
    pub(crate) fn intake_of(&self, transfer: &IncomingTransfer) -> Result<Option<(Conversion, Intake)>, FspiopError> {
        let refused = |detail: &str| FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION, detail);
        let own = self.config.currency;
        let Some(quote) = &transfer.conversion else {
            let is_ours = transfer.amount.currency == own;
            return if is_ours { Ok(None) } else { Err(refused("the transfer is in another currency")) };
        };
        if quote.target.currency != own {
            return Err(refused("it would be converted into another currency"));
        }
        if transfer.id != transfer.transaction_id {
            return Err(refused("its conversion was offered for the transactionId as transferId"));
        }
        let now = now();
        let left = transfer.expiration.millis().saturating_sub(now.millis());
        let intake = Intake {
            currency: transfer.amount.currency,
            agreement_expiration: now.plus_millis(left / 4 * 3),
            accepted: None,
            transfer: transfer.held.clone(),
        };
        Ok(Some((Conversion::of(quote), intake)))
    }

    /// Has a payment converted and accepts it, or refuses it. After a restart it goes on where it was: the messages are the
    /// same, and the hub answers what it knows.
    pub(crate) async fn take_in(&self, payment: &Payment) {
        let (Some(intake), Some(order)) = (&payment.intake, self.fx_order(payment)) else { return };
        if intake.accepted.is_none()
            && let Err(error) = self.agreement(&order, payment.expiration).await
        {
            return self.refuse(&intake.transfer, &error).await;
        }
        match self.accept(payment.id) {
            Ok(_) => self.say_accepted(payment.id).await,
            Err(error) => {
                tracing::error!(id = %payment.id, %error, "a transfer could not be recorded as accepted and is refused");
                let error = FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
                self.refuse(&intake.transfer, &error).await;
            }
        }
    }

    /// Waits for the provider's word, until the transfer expires at the latest.
    async fn agreement(&self, order: &FxTransferOrder, expiration: Timestamp) -> Result<(), FspiopError> {
        let asking = async {
            loop {
                let error = match self.connection.fx_send(order).await {
                    Ok(FxDecision::Agreed) => return Ok(()),
                    Ok(FxDecision::Aborted(error)) | Err(CallError::Refused(error)) => return Err(error),
                    Err(error) => error,
                };
                tracing::debug!(id = %order.id, %error, "a conversion is sent again");
                tokio::time::sleep(TRY_DELAY).await;
            }
        };
        let expired = || FspiopError::new(ErrorCode::TRANSFER_EXPIRED);
        tokio::time::timeout(until(expiration), asking).await.unwrap_or_else(|_| Err(expired()))
    }

    /// Tells the payer's side that an accepted payment is; says nothing of another one.
    pub(crate) async fn say_accepted(&self, id: CorrelationId) {
        let Some((payment, intake)) = self.payment(id).and_then(|payment| {
            let intake = payment.intake.clone()?;
            Some((payment, intake))
        }) else {
            return;
        };
        let Some(accepted) = intake.accepted else { return };
        while let Err(error) = self.connection.fulfil(&intake.transfer, accepted).await {
            tracing::warn!(%id, %error, "an accepted transfer could not be answered");
            if error.scheme_error().is_some() || payment.expiration <= now() {
                return;
            }
            tokio::time::sleep(TRY_DELAY).await;
        }
    }

    /// Ends a payment that was not accepted. If the refusal gets lost the transfer expires.
    async fn refuse(&self, transfer: &HeldTransfer, error: &FspiopError) {
        match self.give_up(transfer.id, error) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::error!(id = %transfer.id, %error, "a refused payment could not be recorded"),
        }
        let detail = format!("not converted, {}", error.code);
        let refusal = FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION, detail);
        if let Err(error) = self.connection.reject(transfer, &refusal).await {
            tracing::warn!(id = %transfer.id, %error, "a transfer could not be refused and will expire");
        }
    }
}

fn until(time: Timestamp) -> Duration {
    let left = time.millis().saturating_sub(now().millis());
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

fn no_terms(error: &CallError, [source, target]: [Currency; 2]) -> FspiopError {
    let code = match error {
        CallError::NoProvider => ErrorCode::PAYEE_UNSUPPORTED_CURRENCY,
        CallError::Unreachable(_)
        | CallError::Uncertain(_)
        | CallError::Refused(_)
        | CallError::Answered(_)
        | CallError::NoAnswer(_)
        | CallError::Unusable(_)
        | CallError::Busy => ErrorCode::PAYEE_FSP_REJECTED_QUOTE,
    };
    tracing::info!(%error, "a payment in another currency could not be quoted");
    FspiopError::with_detail(code, format_args!("nobody converts {source} into {target} now"))
}

#[cfg(test)]
mod tests;
