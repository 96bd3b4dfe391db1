//! Requests to pay: our customers ask others for money, and approve or refuse what others ask of them.
//!
//! Invariant: a request is in the journal before it leaves, and before another DFSP's is answered; it moves nothing. An
//! approved one becomes an ordinary offer and payment whose id is the transaction that was named in the answer, so that it is
//! paid once.

use crate::bank::Bank;
use crate::payer::{Offer, PayError, Wish};
use crate::payment::{Direction, Other, Payment, Reason, State};
use sdk::{AmountType, ErrorCode, FspiopError, PaymentRequest, RequestNews, RequestOrder, new_id, now, text};
use serde::{Deserialize, Serialize};
use vocabulary::{Amount, CorrelationId, Money, PartyId, PartyIdType, Timestamp};

/// One request, seen from this DFSP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    #[serde(with = "text")]
    pub id: CorrelationId,
    /// Which way the money would go: it comes in if our customer has asked.
    pub direction: Direction,
    /// Our side, by the customer's id.
    pub customer: String,
    pub other: Other,
    /// What the payee is to get, in the currency of our accounts.
    #[serde(with = "text")]
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The payment that would be made; the payer's DFSP names it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub transaction: Option<CorrelationId>,
    #[serde(with = "text")]
    pub opened: Timestamp,
    pub state: RequestState,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Until it is paid.
    Waiting,
    Rejected,
    /// It did not reach the payer.
    Failed(Reason),
}

/// What a customer asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Of the form, so that sending it twice asks once.
    pub id: CorrelationId,
    pub customer: String,
    pub from: PartyId,
    pub amount: Amount,
    pub note: Option<String>,
}

impl Bank {
    /// Asks somebody at another DFSP to pay one of our customers; returns when the other DFSP has the request.
    pub async fn ask(&self, ask: Ask) -> Result<CorrelationId, PayError> {
        if self.request(ask.id).is_some_and(|known| known.customer == ask.customer) {
            return Ok(ask.id);
        }
        let customer = self.customer(&ask.customer).ok_or(PayError::UnknownCustomer)?;
        if ask.amount <= Amount::ZERO || !self.config.fees.is_payable(ask.amount) {
            return Err(PayError::ImpossibleAmount);
        }
        if self.customer_of(&ask.from).is_some() {
            return Err(PayError::SameDfsp);
        }
        self.check_receiving(&customer.id, ask.amount).map_err(PayError::Bank)?;
        let payer = self.connection.find(&ask.from).await?;
        let number = ask.from.identifier.to_string();
        let name = payer.name.clone().unwrap_or_else(|| number.clone());
        let request = Request {
            id: ask.id,
            direction: Direction::Incoming,
            customer: customer.id.clone(),
            other: Other { name, number, fsp: payer.fsp.clone() },
            amount: ask.amount,
            note: ask.note.clone(),
            transaction: None,
            opened: now(),
            state: RequestState::Waiting,
        };
        if !self.open_request(request).map_err(PayError::Bank)? {
            return Ok(ask.id);
        }
        let amount = Money { amount: ask.amount, currency: self.config.currency };
        let order = RequestOrder { id: ask.id, payee: self.party(&customer), payer, amount, note: ask.note };
        let news = match self.connection.request_payment(&order).await {
            Ok(news) => news,
            // It may have arrived; the payment, if it comes, says so.
            Err(error) if error.scheme_error().is_none() && !error.is_certain() => return Ok(ask.id),
            Err(error) => {
                let reason = error.scheme_error().cloned();
                RequestNews::Failed(
                    reason.unwrap_or_else(|| FspiopError::with_detail(ErrorCode::COMMUNICATION, &error)),
                )
            }
        };
        self.hear_request(ask.id, &news).map_err(PayError::Bank)?;
        Ok(ask.id)
    }

    /// Takes a request to one of our customers, and names the payment that it would become.
    pub(crate) fn requested(&self, asked: PaymentRequest) -> Result<CorrelationId, FspiopError> {
        let refused = || FspiopError::new(ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST);
        let customer = self.customer_of(&asked.payer);
        let customer = customer.ok_or_else(|| FspiopError::new(ErrorCode::PARTY_NOT_FOUND))?;
        let is_ours = asked.amount.currency == self.config.currency;
        let amount = asked.amount.amount;
        let is_payable = amount > Amount::ZERO && self.config.fees.is_payable(amount);
        if !is_ours || !is_payable || asked.payee.id.id_type != PartyIdType::Msisdn {
            return Err(refused());
        }
        let number = asked.payee.id.identifier.to_string();
        let name = asked.payee.name.unwrap_or_else(|| number.clone());
        let request = Request {
            id: asked.id,
            direction: Direction::Outgoing,
            customer: customer.id.clone(),
            other: Other { name, number, fsp: asked.payee.fsp },
            amount,
            note: asked.note,
            transaction: Some(new_id()),
            opened: now(),
            state: RequestState::Waiting,
        };
        self.open_request(request.clone()).map_err(|error| {
            tracing::warn!(%error, "a request to pay could not be recorded and is refused");
            refused()
        })?;
        let known = self.request(request.id).ok_or_else(refused)?;
        let is_same = (&known.customer, &known.other.number, known.amount, known.direction)
            == (&request.customer, &request.other.number, request.amount, request.direction);
        if !is_same {
            return Err(FspiopError::new(ErrorCode::MODIFIED_REQUEST));
        }
        known.transaction.ok_or_else(refused)
    }

    /// The offer to pay what was asked; confirming it approves the request.
    pub async fn approve(&self, id: CorrelationId) -> Result<Offer, PayError> {
        let request = self.request(id).filter(|request| self.can_be_paid(request)).ok_or(PayError::NoOffer)?;
        let to = PartyId::try_new(PartyIdType::Msisdn, &request.other.number, None).map_err(|_| PayError::NoOffer)?;
        let wish = Wish {
            customer: request.customer,
            to,
            amount: Money { amount: request.amount, currency: self.config.currency },
            amount_type: AmountType::Receive,
            note: request.note,
            refund_of: None,
            request: Some(id),
        };
        self.offer(wish).await
    }

    /// The transaction that a wish has to become, if it answers a request.
    pub(crate) fn transaction_of(&self, wish: &Wish) -> Result<CorrelationId, PayError> {
        let Some(id) = wish.request else { return Ok(new_id()) };
        let request = self.request(id).filter(|request| {
            self.can_be_paid(request)
                && request.customer == wish.customer
                && request.other.number == *wish.to.identifier
        });
        request.and_then(|request| request.transaction).ok_or(PayError::NoOffer)
    }

    /// Refuses a request; it stays open if the other DFSP cannot be told.
    pub async fn refuse_request(&self, id: CorrelationId) -> Result<(), PayError> {
        let request = self.request(id).filter(|request| self.can_be_paid(request)).ok_or(PayError::NoOffer)?;
        if let Some(transaction) = request.transaction {
            self.decline(transaction);
        }
        self.connection.reject_request(id, &request.other.fsp).await?;
        self.hear_request(id, &RequestNews::Rejected).map_err(PayError::Bank)
    }

    /// Whether our customer is asked and has not answered.
    pub(crate) fn can_be_paid(&self, request: &Request) -> bool {
        let is_waiting = request.direction == Direction::Outgoing && request.state == RequestState::Waiting;
        is_waiting && self.payment_of_request(request).is_none()
    }

    /// The payment that a request has become. That the other DFSP names one is not enough: it could be an earlier or a smaller one.
    pub(crate) fn payment_of_request(&self, request: &Request) -> Option<Payment> {
        let payment = self.payment_of_transaction(request.transaction?)?;
        let is_of_both = payment.customer == request.customer && payment.other.number == request.other.number;
        let is_answer = payment.direction == request.direction && payment.opened >= request.opened;
        (is_of_both && is_answer && payment.received >= request.amount).then_some(payment)
    }
}

impl Request {
    /// In the words of a list.
    pub(crate) fn word(&self, payment: Option<&Payment>) -> &'static str {
        match (payment.map(|payment| &payment.state), &self.state) {
            (Some(State::Completed { .. }), _) => "Paid",
            (Some(State::Pending), _) => "On its way",
            (Some(State::Failed { .. }), _) => "Not paid",
            (None, RequestState::Waiting) => "Waiting",
            (None, RequestState::Rejected) => "Refused",
            (None, RequestState::Failed(_)) => "Not delivered",
        }
    }
}
