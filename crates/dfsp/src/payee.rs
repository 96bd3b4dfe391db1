//! Being paid: lookup, terms, reservation, and credit when the hub says COMMITTED.
//!
//! Invariant: a customer is credited only for a transfer that was reserved here, at the terms that were quoted, after the
//! hub's word. A reservation is in the journal before it is answered. Quotes need not be remembered: their terms come back
//! sealed in the ILP packet.

use crate::bank::Bank;
use crate::config::{Customer, Temper};
use crate::fees::PayeeTerms;
use crate::payment::{Direction, Other, Payment, Reason, State};
use sdk::{
    AmountType, Answer, Backend, ErrorCode, FspiopError, FxNews, IncomingTransfer, News, NotRecorded, Party,
    QuoteQuestion, Terms, now,
};
use std::sync::Arc;
use vocabulary::{Amount, CorrelationId, PartyId};

/// The bank as the scheme's messages reach it.
pub(crate) struct Desk(pub Arc<Bank>);

impl Backend for Desk {
    async fn lookup(&self, party: PartyId) -> Result<Party, FspiopError> {
        self.0.customer_of(&party).map(|customer| self.0.party(customer)).ok_or_else(unknown)
    }

    async fn quote(&self, question: QuoteQuestion) -> Result<Terms, FspiopError> {
        self.0.terms(&question)
    }

    async fn prepare(&self, transfer: IncomingTransfer) -> Answer {
        let id = transfer.id;
        let is_new = self.0.payment(id).is_none();
        let answer = self.0.receive(transfer);
        if is_new && self.0.payment(id).is_some_and(|payment| payment.is_pending()) {
            tokio::spawn(watch(self.0.clone(), id));
        }
        answer
    }

    async fn news(&self, id: CorrelationId, news: News) -> Result<(), NotRecorded> {
        self.0.hear(id, &news).map_err(|error| NotRecorded(error.to_string()))
    }

    async fn fx_news(&self, id: CorrelationId, news: FxNews) -> Result<(), NotRecorded> {
        self.0.hear_conversion(id, &news).map_err(|error| NotRecorded(error.to_string()))
    }
}

impl Bank {
    fn terms(&self, question: &QuoteQuestion) -> Result<Terms, FspiopError> {
        let customer = self.customer_of(&question.payee).ok_or_else(unknown)?;
        if question.amount.currency != self.config.currency {
            return Err(FspiopError::new(ErrorCode::PAYEE_UNSUPPORTED_CURRENCY));
        }
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
        Ok(Terms { transfer, received, fee, payee: self.party(customer), expiration })
    }

    /// Decides about an incoming transfer; a repeated one gets the first answer again.
    fn receive(&self, transfer: IncomingTransfer) -> Answer {
        if let Some(payment) = self.payment(transfer.id) {
            return self.answer_again(&payment);
        }
        let Some(customer) = self.customer_of(&transfer.payee.id) else { return Answer::Reject(unknown()) };
        let Some(fee) = transfer.amount.amount.checked_sub(transfer.received).filter(|fee| !fee.is_negative()) else {
            return Answer::Reject(FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION));
        };
        let (answer, state) = match customer.temper {
            Temper::Welcoming => (Answer::Reserve, State::Pending),
            Temper::Silent => (Answer::Silence, State::Pending),
            Temper::Refusing => {
                let error = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
                let state = State::Failed { at: now(), reason: Reason::from(&error) };
                (Answer::Reject(error), state)
            }
        };
        match self.open_payment(incoming(transfer, customer, fee, state)) {
            Ok(()) => answer,
            Err(error) => {
                tracing::error!(%error, "an incoming transfer could not be recorded and is rejected");
                Answer::Reject(FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION))
            }
        }
    }

    fn answer_again(&self, payment: &Payment) -> Answer {
        let is_silent = self.customer(&payment.customer).is_some_and(|customer| customer.temper == Temper::Silent);
        match &payment.state {
            State::Pending if is_silent => Answer::Silence,
            State::Pending | State::Completed { .. } => Answer::Reserve,
            State::Failed { reason, .. } => {
                let code = ErrorCode::parse(&reason.code).unwrap_or(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
                Answer::Reject(FspiopError::relayed(code, &reason.description))
            }
        }
    }
}

fn incoming(transfer: IncomingTransfer, customer: &Customer, fee: Amount, state: State) -> Payment {
    let number = transfer.payer.id.identifier.to_string();
    let name = transfer.payer.name.unwrap_or_else(|| number.clone());
    Payment {
        id: transfer.id,
        direction: Direction::Incoming,
        customer: customer.id.clone(),
        other: Other { name, number, fsp: transfer.payer_fsp },
        transfer: transfer.amount.amount,
        received: transfer.received,
        fee,
        note: transfer.note,
        opened: now(),
        expiration: transfer.expiration,
        seal: None,
        conversion: None,
        state,
    }
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

fn unknown() -> FspiopError {
    FspiopError::new(ErrorCode::PARTY_NOT_FOUND)
}
