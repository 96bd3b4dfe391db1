//! Being paid: lookup, terms, reservation, and credit when the hub says COMMITTED.
//!
//! Invariant: a customer is credited only for a transfer that was reserved here, at the terms that were quoted, after the
//! hub's word. A reservation is in the journal before it is answered. Quotes need not be remembered: their terms come back
//! sealed in the ILP packet.

use crate::bank::{Bank, BankError};
use crate::config::{Customer, Temper};
use crate::fees::PayeeTerms;
use crate::limits::Limit;
use crate::payment::{Direction, Other, Payment, Reason, Refund, State};
use sdk::{
    AmountType, Answer, Backend, ErrorCode, FspiopError, FxNews, IncomingTransfer, News, NotRecorded, Party,
    PaymentRequest, QuoteQuestion, RequestNews, Terms, now,
};
use std::sync::Arc;
use vocabulary::{CorrelationId, PartyId};

/// The bank as the scheme's messages reach it.
pub(crate) struct Desk(pub Arc<Bank>);

impl Backend for Desk {
    async fn lookup(&self, party: PartyId) -> Result<Party, FspiopError> {
        self.0.customer_of(&party).map(|customer| self.0.party(&customer)).ok_or_else(unknown)
    }

    async fn quote(&self, question: QuoteQuestion) -> Result<Terms, FspiopError> {
        let customer = self.0.customer_of(&question.payee).ok_or_else(unknown)?;
        let currency = question.amount.currency;
        let terms = if currency == self.0.config.currency {
            self.0.terms(&question, &customer)?
        } else if customer.takes.contains(&currency) {
            self.0.converted_terms(question, &customer).await?
        } else {
            return Err(FspiopError::new(ErrorCode::PAYEE_UNSUPPORTED_CURRENCY));
        };
        self.0.check_receiving(&customer.id, terms.received).map_err(|error| refusal(&error))?;
        Ok(terms)
    }

    async fn prepare(&self, transfer: IncomingTransfer) -> Answer {
        let id = transfer.id;
        let (answer, is_new) = self.0.receive(transfer);
        if is_new {
            tokio::spawn(resume(self.0.clone(), id));
        } else if answer == Answer::Later {
            self.0.say_accepted(id).await;
        }
        answer
    }

    async fn news(&self, id: CorrelationId, news: News) -> Result<(), NotRecorded> {
        self.0.hear(id, &news).map_err(|error| NotRecorded(error.to_string()))
    }

    async fn requested(&self, request: PaymentRequest) -> Result<CorrelationId, FspiopError> {
        self.0.requested(request)
    }

    async fn request_news(&self, id: CorrelationId, news: RequestNews) -> Result<(), NotRecorded> {
        self.0.hear_request(id, &news).map_err(|error| NotRecorded(error.to_string()))
    }

    async fn fx_news(&self, id: CorrelationId, news: FxNews) -> Result<(), NotRecorded> {
        let in_doubt = self.0.hear_conversion(id, &news).map_err(|error| NotRecorded(error.to_string()))?;
        if let Some(payment) = in_doubt {
            let connection = self.0.connection.clone();
            // `news` settles the payment by the answer; without one it is asked about when it has expired.
            tokio::spawn(async move { connection.status(payment).await });
        }
        Ok(())
    }
}

impl Bank {
    fn terms(&self, question: &QuoteQuestion, customer: &Customer) -> Result<Terms, FspiopError> {
        let amount = question.amount.amount;
        let terms = match question.amount_type {
            AmountType::Send => self.config.fees.terms_of_sent(amount),
            AmountType::Receive => self.config.fees.terms_of_received(amount),
        };
        let terms = terms.filter(|_| self.config.fees.is_payable(amount)).ok_or_else(|| {
            FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_QUOTE, "the amount cannot be paid out")
        })?;
        let lifetime = i64::try_from(self.config.quote_lifetime.as_millis()).unwrap_or(i64::MAX);
        let expiration = now().plus_millis(lifetime);
        let PayeeTerms { transfer, received, fee } = terms;
        Ok(Terms { transfer, received, fee, conversion: None, payee: self.party(customer), expiration })
    }

    /// Decides about an incoming transfer, and whether it was new; a repeated one gets the first answer again.
    fn receive(&self, transfer: IncomingTransfer) -> (Answer, bool) {
        if let Some(payment) = self.payment(transfer.id) {
            return (self.answer_again(&payment), false);
        }
        let Some(customer) = self.customer_of(&transfer.payee.id) else { return (Answer::Reject(unknown()), false) };
        let (answer, state) = match customer.temper {
            Temper::Welcoming if transfer.conversion.is_some() => (Answer::Later, State::Pending),
            Temper::Welcoming => (Answer::Reserve, State::Pending),
            Temper::Silent => (Answer::Silence, State::Pending),
            Temper::Refusing => {
                let error = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
                let state = State::Failed { at: now(), reason: Reason::from(&error) };
                (Answer::Reject(error), state)
            }
        };
        let payment = match self.incoming(transfer, &customer, state) {
            Ok(payment) => payment,
            Err(error) => return (Answer::Reject(error), false),
        };
        self.open_incoming(payment, answer)
    }

    /// Opens an incoming payment and says the answer to it. What a limit forbids is opened as failed, so that the customer
    /// sees it and a repeated transfer gets the same answer.
    fn open_incoming(&self, payment: Payment, answer: Answer) -> (Answer, bool) {
        let (id, is_pending) = (payment.id, payment.is_pending());
        match self.open_payment(payment.clone()) {
            Err(error @ (BankError::Limit(_) | BankError::Blocked)) => {
                let error = refusal(&error);
                let state = State::Failed { at: now(), reason: Reason::from(&error) };
                self.open_incoming(Payment { state, ..payment }, Answer::Reject(error))
            }
            Ok(true) => (answer, is_pending),
            // Another message with it came at the same moment.
            Ok(false) => (self.payment(id).map_or(answer, |payment| self.answer_again(&payment)), false),
            Err(error) => {
                tracing::error!(%error, "an incoming transfer could not be recorded and is rejected");
                (Answer::Reject(FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION)), false)
            }
        }
    }

    fn answer_again(&self, payment: &Payment) -> Answer {
        match &payment.state {
            State::Pending if self.is_silent_about(payment) => Answer::Silence,
            State::Pending | State::Completed { .. } if payment.intake.is_some() => Answer::Later,
            State::Pending | State::Completed { .. } => Answer::Reserve,
            State::Failed { reason, .. } => {
                let code = ErrorCode::parse(&reason.code).unwrap_or(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
                Answer::Reject(FspiopError::relayed(code, &reason.description))
            }
        }
    }

    fn is_silent_about(&self, payment: &Payment) -> bool {
        self.customer(&payment.customer).is_some_and(|customer| customer.temper == Temper::Silent)
    }

    fn incoming(&self, transfer: IncomingTransfer, customer: &Customer, state: State) -> Result<Payment, FspiopError> {
        let converted = self.intake_of(&transfer)?;
        let arrives = converted.as_ref().map_or(transfer.amount.amount, |(conversion, _)| conversion.amount);
        let fee = arrives.checked_sub(transfer.received).filter(|fee| !fee.is_negative());
        let fee = fee.ok_or_else(|| FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION))?;
        let (conversion, intake) = converted.unzip();
        let number = transfer.payer.id.identifier.to_string();
        let name = transfer.payer.name.unwrap_or_else(|| number.clone());
        Ok(Payment {
            id: transfer.id,
            direction: Direction::Incoming,
            customer: customer.id.clone(),
            other: Other { name, number, fsp: transfer.payer_fsp },
            transfer: transfer.amount.amount,
            received: transfer.received,
            fee,
            refund: transfer.refund_of.map(|of| Refund { of, amount: transfer.received }),
            transaction: (transfer.transaction_id != transfer.id).then_some(transfer.transaction_id),
            note: transfer.note,
            opened: now(),
            expiration: transfer.expiration,
            seal: None,
            conversion,
            intake,
            arrival: None,
            state,
        })
    }
}

/// Sees an incoming payment to its end, from wherever it is.
pub(crate) async fn resume(bank: Arc<Bank>, id: CorrelationId) {
    let Some(payment) = bank.payment(id) else { return };
    if payment.direction == Direction::Outgoing {
        return bank.follow(id).await;
    }
    if payment.intake.is_some() && !bank.is_silent_about(&payment) {
        bank.take_in(&payment).await;
    }
    watch(bank, id).await;
}

/// Waits for the hub's notice of a reservation and asks if it does not come.
async fn watch(bank: Arc<Bank>, id: CorrelationId) {
    let Some(payment) = bank.payment(id) else { return };
    let left = payment.expiration.millis().saturating_sub(now().millis());
    let left = std::time::Duration::from_millis(u64::try_from(left).unwrap_or(0));
    let patience = left + bank.config.connection.word_after_expiration;
    if tokio::time::timeout(patience, bank.settled(id)).await.is_err() {
        bank.follow(id).await;
    }
}

/// What the payer's DFSP is told of our books' refusal: not how much the customer has.
fn refusal(error: &BankError) -> FspiopError {
    match error {
        BankError::Limit(Limit::Payment(_) | Limit::Day(_)) => {
            FspiopError::with_detail(ErrorCode::PAYEE_LIMIT, "the payee takes smaller payments only")
        }
        BankError::Limit(Limit::Balance(_)) => {
            FspiopError::with_detail(ErrorCode::PAYEE_LIMIT, "the payee's account can hold no more")
        }
        BankError::Blocked => FspiopError::with_detail(ErrorCode::PAYEE_PERMISSION, "the payee's account is blocked"),
        BankError::NotEnoughMoney
        | BankError::ImpossibleAmount
        | BankError::RefundTooLarge(_)
        | BankError::EmptyVault
        | BankError::Full
        | BankError::Journal(_) => FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION),
    }
}

fn unknown() -> FspiopError {
    FspiopError::new(ErrorCode::PARTY_NOT_FOUND)
}

#[cfg(test)]
mod tests;
