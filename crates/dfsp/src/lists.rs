//! Lists of payments: many people are paid from one text of lines, one after the other.
//!
//! Invariant: a list is in the journal with an id for each line before anything is sent, and that id is the one of the line's
//! payment; whatever crashes or is repeated, a line is paid once. A line that could not be offered is not tried again.

use crate::bank::{Bank, BankError};
use crate::payer::{PayError, Wish};
use crate::payment::{Payment, State};
use sdk::{AmountType, new_id, now, text};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use vocabulary::{Amount, CorrelationId, Money, PartyId, PartyIdType, Timestamp};

/// Lines of one list.
pub const LINES_MAX: usize = 200;
/// For the look-ups of one list; who is not found until then is not paid.
const LOOKUP_TIME: Duration = Duration::from_secs(20);

/// Between the tries of an offer that nobody has answered, times three after each.
const TRY_DELAY: Duration = Duration::from_secs(1);

/// A line as it was read.
#[derive(Clone, Debug)]
pub struct Draft {
    pub number: PartyId,
    pub amount: Amount,
    pub note: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct List {
    #[serde(with = "text")]
    pub id: CorrelationId,
    /// Who pays, by the customer's id.
    pub customer: String,
    #[serde(with = "text")]
    pub opened: Timestamp,
    pub is_started: bool,
    pub lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Of its payment.
    #[serde(with = "text")]
    pub id: CorrelationId,
    pub number: String,
    /// What the payee gets.
    #[serde(with = "text")]
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// As the look-up has found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it is not paid, in words for the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What has become of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// Of its own payment.
    Payment(Box<Payment>),
    Fault(String),
}

/// Turns an error into words for the customer.
pub(crate) type Words = fn(&PayError, &Bank) -> String;

impl Bank {
    /// Looks up who is on a list and keeps it; nothing is paid before [`Bank::start_list`].
    pub(crate) async fn review(&self, customer: &str, drafts: Vec<Draft>, words: Words) -> Result<List, BankError> {
        let deadline = tokio::time::Instant::now() + LOOKUP_TIME;
        let mut lines = Vec::with_capacity(drafts.len());
        for Draft { number, amount, note } in drafts {
            let found = match tokio::time::timeout_at(deadline, self.payee_of(&number)).await {
                Ok(found) => found.map_err(|error| words(&error, self)),
                Err(_) => Err("There was no time left to look this number up. It is not paid.".to_owned()),
            };
            let (name, fault) = match found {
                Ok(name) => (Some(name), None),
                Err(fault) => (None, Some(fault)),
            };
            lines.push(Line { id: new_id(), number: number.identifier.to_string(), amount, note, name, fault });
        }
        let list = List { id: new_id(), customer: customer.to_owned(), opened: now(), is_started: false, lines };
        self.open_list(list.clone())?;
        Ok(list)
    }

    async fn payee_of(&self, number: &PartyId) -> Result<String, PayError> {
        if self.customer_of(number).is_some() {
            return Err(PayError::SameDfsp);
        }
        let payee = self.connection.find(number).await?;
        Ok(payee.name.unwrap_or_else(|| "Name not given".to_owned()))
    }

    /// Begins to pay a list; again, it changes nothing.
    pub(crate) fn start_list(self: &Arc<Self>, id: CorrelationId, words: Words) -> Result<(), BankError> {
        if self.mark_started(id)? {
            tokio::spawn(self.clone().pay_list(id, words));
        }
        Ok(())
    }

    /// Pays what is left of a list, one line after the other; also where a restart has interrupted it.
    pub(crate) async fn pay_list(self: Arc<Self>, id: CorrelationId, words: Words) {
        let Some(list) = self.list(id) else { return };
        for (index, line) in list.lines.iter().enumerate() {
            if line.fault.is_some() {
                continue;
            }
            if let Err(error) = self.pay_line(&list.customer, line).await {
                tracing::info!(list = %id, line = index, %error, "a line of a list was not paid");
                if let Err(error) = self.fault_line((id, index), words(&error, &self)) {
                    tracing::error!(list = %id, %error, "a list could not be recorded; it goes on after a restart");
                    return;
                }
            }
        }
    }

    async fn pay_line(self: &Arc<Self>, customer: &str, line: &Line) -> Result<(), PayError> {
        if self.payment(line.id).is_none() {
            let to = PartyId::try_new(PartyIdType::Msisdn, &line.number, None).map_err(|_| PayError::NoOffer)?;
            let wish = Wish {
                customer: customer.to_owned(),
                to,
                amount: Money { amount: line.amount, currency: self.config.currency },
                amount_type: AmountType::Receive,
                note: line.note.clone(),
                refund_of: None,
                request: None,
            };
            self.offer_patiently(line.id, wish).await?;
            self.confirm(line.id)?;
        }
        self.settled(line.id).await;
        Ok(())
    }

    /// Asks again where nobody has answered: after a restart the network may need a moment.
    async fn offer_patiently(&self, id: CorrelationId, wish: Wish) -> Result<(), PayError> {
        let mut delay = TRY_DELAY;
        for _ in 1..self.config.connection.attempts_max {
            match self.offer_as(id, wish.clone()).await {
                Err(PayError::Scheme(error)) if error.scheme_error().is_none() => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
            tokio::time::sleep(delay).await;
            delay *= 3;
        }
        self.offer_as(id, wish).await.map(drop)
    }

    pub(crate) fn outcome(&self, line: &Line) -> Outcome {
        match (&line.fault, self.payment(line.id)) {
            (Some(fault), None) => Outcome::Fault(fault.clone()),
            (Some(_) | None, Some(payment)) => Outcome::Payment(Box::new(payment)),
            (None, None) => Outcome::Waiting,
        }
    }
}

impl List {
    /// What the payees would get in all, and how many there are.
    pub fn payable(&self) -> (usize, Amount) {
        let lines = self.lines.iter().filter(|line| line.fault.is_none());
        lines.fold((0, Amount::ZERO), |(count, sum), line| {
            (count + 1, sum.checked_add(line.amount).unwrap_or(Amount::MAX))
        })
    }
}

impl Outcome {
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Waiting => false,
            Self::Fault(_) => true,
            Self::Payment(payment) => payment.state != State::Pending,
        }
    }
}

impl std::fmt::Debug for Line {
    /// Names and numbers are personal data.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Line({})", self.id)
    }
}
