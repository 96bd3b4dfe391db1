//! The payer's side: find the payee, agree on terms, send the money (FSPIOP 1.1 §6.3, §6.5, §6.7).
//!
//! Invariant: a quote is handed on only if it fits what was asked; a transfer ends with a decision of the scheme or with
//! an error that says whether it may still happen.

use crate::call_error::CallError;
use crate::config::now;
use crate::connection::{Callback, Connection, Key};
use crate::message::Message;
use crate::news::{Decision, News, Role, TransferStatus};
use crate::{Party, wire};
use fspiop::body::AmountType;
use fspiop::{ErrorCode, Operation, PartyPath, Resource, Version};
use http::Method;
use std::time::Duration;
use vocabulary::{Condition, CorrelationId, Currency, FspId, Money, PartyId, Timestamp};

/// What the payer's DFSP asks for in a quote.
#[derive(Clone, Debug)]
pub struct QuoteOrder {
    pub quote_id: CorrelationId,
    pub transaction_id: CorrelationId,
    pub payer: Party,
    pub payee: Party,
    /// Whether `amount` is what the payer sends or what the payee receives.
    pub amount_type: AmountType,
    pub amount: Money,
    pub note: Option<String>,
    /// The transaction of which this payment gives something back.
    pub refund_of: Option<CorrelationId>,
    /// The request to pay that this payment answers.
    pub request: Option<CorrelationId>,
}

/// The payee DFSP's terms.
#[derive(Clone, Debug)]
pub struct Quote {
    /// Who answered; the transfer goes there.
    pub payee_fsp: FspId,
    pub transfer: Money,
    /// In another currency than the transfer if the payee's DFSP converts.
    pub received: Option<Money>,
    /// Of the transfer, what the payee's DFSP keeps.
    pub fee: Option<Money>,
    pub expiration: Timestamp,
    pub packet: String,
    pub condition: Condition,
}

/// A transfer to send. The same order makes the same bytes, so that sending it again is safe.
#[derive(Clone, Debug)]
pub struct TransferOrder {
    pub id: CorrelationId,
    pub payee_fsp: FspId,
    pub amount: Money,
    /// Of the quote, unchanged.
    pub packet: String,
    /// Of the quote, unchanged.
    pub condition: Condition,
    pub expiration: Timestamp,
}

impl Connection {
    /// Asks who has an identifier, and where.
    ///
    /// Errors: `Answered` with 3204 if nobody has, `NoAnswer` if the payee's DFSP stays silent.
    pub async fn find(&self, party: &PartyId) -> Result<Party, CallError> {
        let path = path(party);
        let message = Message::new(Method::GET, Resource::Parties, &Operation::GetParty(path.clone()));
        let answer = self.ask(Key::Party(path), message).await?;
        let unusable = || CallError::Unusable("the lookup found somebody else".into());
        answer.party().filter(|found| found.id == *party).ok_or_else(unusable)
    }

    /// Asks the payee's DFSP for its terms.
    ///
    /// Errors: `Unusable` if the terms are not for this amount and currency.
    pub async fn quote(&self, order: &QuoteOrder) -> Result<Quote, CallError> {
        let body = wire::QuotePost {
            quote_id: order.quote_id,
            transaction_id: order.transaction_id,
            payer: order.payer.to_wire_in(self.0.config.version),
            payee: order.payee.to_wire_in(self.0.config.version),
            amount_type: amount_type_text(order.amount_type).to_owned(),
            amount: order.amount.into(),
            transaction_request_id: order.request,
            transaction_type: match order.request {
                Some(_) => wire::TransactionType::requested(),
                None => wire::TransactionType::person_to_person(order.refund_of),
            },
            note: order.note.clone(),
            expiration: None,
        };
        let message = Message::new(Method::POST, Resource::Quotes, &Operation::PostQuote)
            .to(&order.payee.fsp)
            .body(wire::bytes(&body));
        let answer = self.ask(Key::Quote(order.quote_id), message).await?;
        let checked = answer.quote().ok_or("not a quote").and_then(|quote| quote.check(order));
        checked.map_err(|reason| CallError::Unusable(reason.into()))
    }

    /// Sends a transfer and waits until it is decided, a moment past its expiration at the longest. The core hears of the
    /// decision first, by [`crate::Backend::news`].
    ///
    /// Errors: after one that is not [`CallError::is_certain`] the transfer may still happen; ask [`Connection::status`].
    pub async fn send(&self, order: &TransferOrder) -> Result<Decision, CallError> {
        let mut waiter = self.register(Key::Transfer(order.id))?;
        self.prepare(order).await?;
        let role = Role::Payer { condition: order.condition };
        loop {
            let left = order.expiration.millis().saturating_sub(now().millis());
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            let left = left + self.0.config.word_after_expiration;
            let Some(callback) = waiter.next(left).await else { return Err(CallError::NoAnswer(left)) };
            if let Callback::Transfer(news) = callback
                && let Some(decision) = news.decision(role)
            {
                return Ok(decision);
            }
        }
    }

    /// Sends the `POST /transfers` of an order, also again; returns when the hub has taken it.
    pub async fn prepare(&self, order: &TransferOrder) -> Result<(), CallError> {
        let body = wire::TransferPost {
            transfer_id: order.id,
            payee_fsp: &order.payee_fsp,
            payer_fsp: self.name(),
            amount: order.amount.into(),
            ilp_packet: &order.packet,
            condition: order.condition,
            expiration: order.expiration,
        };
        let message = Message::new(Method::POST, Resource::Transfers, &Operation::PostTransfer)
            .version(self.0.config.version)
            .to(&order.payee_fsp)
            .body(wire::bytes(&body));
        self.deliver(&message).await
    }

    /// Asks the hub what became of a transfer.
    ///
    /// Errors: `Answered` with 3208 if the hub does not know it.
    pub async fn status(&self, id: CorrelationId) -> Result<TransferStatus, CallError> {
        let operation = Operation::GetTransfer(id.to_string());
        let message = Message::new(Method::GET, Resource::Transfers, &operation);
        let mut waiter = self.register(Key::Transfer(id))?;
        self.deliver(&message.version(self.0.config.version)).await?;
        let timeout = self.0.config.callback_timeout;
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let callback = waiter.next(left).await.ok_or(CallError::NoAnswer(timeout))?;
            match callback.transfer() {
                Some(News::Status(status)) => return Ok(status),
                Some(News::Error(error)) if answers_a_question(error.code) => return Err(CallError::Answered(error)),
                // News of the transfer itself that came in between.
                Some(News::Error(_)) | None => {}
            }
        }
    }

    /// Tells the scheme's directory that this DFSP serves an identifier.
    pub async fn serve_party(&self, party: &PartyId, currency: Currency) -> Result<(), CallError> {
        let path = path(party);
        let operation = Operation::PostParticipant(path.clone());
        let body = wire::ParticipantPost { fsp_id: self.name().clone(), currency };
        let message = Message::new(Method::POST, Resource::Participants, &operation).body(wire::bytes(&body));
        self.ask(Key::Participant(path), message).await.map(drop)
    }

    /// Asks the scheme's directory which DFSP serves an identifier; `None` if none does.
    pub async fn server_of(&self, party: &PartyId) -> Result<Option<FspId>, CallError> {
        let path = path(party);
        let message = Message::new(Method::GET, Resource::Participants, &Operation::GetParticipant(path.clone()));
        match self.ask(Key::Participant(path), message).await {
            Ok(answer) => answer.participant().ok_or_else(|| CallError::Unusable("not a participant".into())),
            Err(CallError::Answered(error)) if error.code == ErrorCode::PARTY_NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a question and waits for the callback that answers it.
    async fn ask(&self, key: Key, message: Message) -> Result<Callback, CallError> {
        self.ask_in(self.0.config.version, key, message).await
    }

    pub(crate) async fn ask_in(&self, version: Version, key: Key, message: Message) -> Result<Callback, CallError> {
        let mut waiter = self.register(key)?;
        self.deliver(&message.version(version)).await?;
        let timeout = self.0.config.callback_timeout;
        match waiter.next(timeout).await {
            Some(Callback::Error(error)) => Err(CallError::Answered(error)),
            Some(callback) => Ok(callback),
            None => Err(CallError::NoAnswer(timeout)),
        }
    }
}

impl Quote {
    /// The terms must be in the currency of the question and must not take more, nor give less, than it says. What is
    /// converted on the payee's side arrives in another currency; how much that is worth is for the payer to judge.
    fn check(self, order: &QuoteOrder) -> Result<Self, &'static str> {
        let asked = order.amount;
        let received = self.received.unwrap_or(self.transfer);
        // Where the payer says what leaves, the payee's DFSP may convert it.
        let is_converted = received.currency != asked.currency && order.amount_type == AmountType::Send;
        if self.transfer.currency != asked.currency || (received.currency != asked.currency && !is_converted) {
            return Err("the quote is in another currency");
        }
        if (received.amount > self.transfer.amount && !is_converted) || received.amount.is_negative() {
            return Err("the quote pays out more than it takes");
        }
        match order.amount_type {
            AmountType::Send if self.transfer.amount != asked.amount => Err("the quote is for another amount"),
            AmountType::Receive if received.amount != asked.amount => Err("the payee would receive another amount"),
            AmountType::Send | AmountType::Receive => Ok(self),
        }
    }
}

/// The errors with which a hub answers `GET /transfers/{ID}`; any other one ends the transfer.
pub(crate) fn answers_a_question(code: ErrorCode) -> bool {
    code == ErrorCode::TRANSFER_ID_NOT_FOUND || code == ErrorCode::CLIENT_ERROR
}

fn path(party: &PartyId) -> PartyPath {
    let sub_id = party.sub_id.as_deref().map(str::to_owned);
    PartyPath { id_type: party.id_type, identifier: party.identifier.to_string(), sub_id }
}

pub(crate) fn amount_type_text(amount_type: AmountType) -> &'static str {
    match amount_type {
        AmountType::Send => "SEND",
        AmountType::Receive => "RECEIVE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Amount, PartyIdType};

    fn money(text: &str) -> Money {
        Money { amount: Amount::parse(text).unwrap(), currency: "KES".parse().unwrap() }
    }

    fn order(amount_type: AmountType) -> QuoteOrder {
        let party = |fsp: &str| Party {
            id: PartyId::try_new(PartyIdType::Msisdn, "123", None).unwrap(),
            fsp: fsp.parse().unwrap(),
            name: None,
            currencies: Vec::new(),
        };
        let id: CorrelationId = "b51ec534-ee48-4575-b6a9-ead2955b8069".parse().unwrap();
        let (payer, payee) = (party("green"), party("blue"));
        let (amount, note, refund_of, request) = (money("100"), None, None, None);
        QuoteOrder { quote_id: id, transaction_id: id, payer, payee, amount_type, amount, note, refund_of, request }
    }

    fn quote(transfer: &str, received: Option<&str>) -> Quote {
        Quote {
            payee_fsp: "blue".parse().unwrap(),
            transfer: money(transfer),
            received: received.map(money),
            fee: None,
            expiration: Timestamp::from_millis(0),
            packet: String::new(),
            condition: Condition::new([0; 32]),
        }
    }

    #[test]
    fn a_quote_for_another_amount_is_not_handed_on() {
        assert!(quote("100", Some("99")).check(&order(AmountType::Send)).is_ok());
        assert!(quote("100", None).check(&order(AmountType::Send)).is_ok());
        assert!(quote("101", Some("100")).check(&order(AmountType::Send)).is_err());
        assert!(quote("101", Some("100")).check(&order(AmountType::Receive)).is_ok());
        assert!(quote("100", Some("99")).check(&order(AmountType::Receive)).is_err());
        assert!(quote("100", Some("101")).check(&order(AmountType::Send)).is_err());
    }

    #[test]
    fn a_quote_in_another_currency_is_not_handed_on() {
        let mut foreign = quote("100", None);
        foreign.transfer.currency = "USD".parse().unwrap();
        assert!(foreign.check(&order(AmountType::Send)).is_err());
    }

    #[test]
    fn only_what_is_sent_may_arrive_in_another_currency() {
        let mut converted = quote("100", Some("2000"));
        converted.received.as_mut().unwrap().currency = "TZS".parse().unwrap();
        assert!(converted.clone().check(&order(AmountType::Send)).is_ok());
        assert!(converted.check(&order(AmountType::Receive)).is_err());
    }
}
