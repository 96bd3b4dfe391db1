//! The DFSP's core: books, payments and the journal behind one lock.
//!
//! Invariant: the books are what the journal's events make of them, in order. A command checks, appends one event, and
//! applies it; nothing is answered, sent or shown that is not in the journal. A payment is opened once and settled once,
//! however often the scheme says so.

use crate::books::{Account, Books, Refusal};
use crate::config::{Config, Customer};
use crate::journal::{Event, Journal, JournalError};
use crate::payment::{Direction, Payment, Reason, State};
use sdk::{Connection, Decision, FspiopError, now};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;
use vocabulary::{Amount, CorrelationId, PartyId, Timestamp};

/// Payments that the books remember; more are refused. This is an example, and it keeps everything in memory.
const PAYMENTS_MAX: usize = 1_000_000;

/// Why a command was not carried out.
#[derive(Debug)]
pub enum BankError {
    NotEnoughMoney,
    ImpossibleAmount,
    /// As many payments as the books can remember.
    Full,
    Journal(JournalError),
}

pub struct Bank {
    pub(crate) config: Config,
    pub(crate) connection: Connection,
    pub(crate) offers: crate::payer::Offers,
    pub(crate) quotes: crate::intake::Quotes,
    core: Mutex<Core>,
    /// Counts changes of payments, for those who wait for one.
    changes: watch::Sender<u64>,
}

struct Core {
    journal: Journal,
    books: Books,
    payments: HashMap<CorrelationId, Payment>,
    /// Ids of payments by the ids of their conversions.
    conversions: HashMap<CorrelationId, CorrelationId>,
    /// Ids in the order in which they were opened.
    order: Vec<CorrelationId>,
    /// Customers whose account is open.
    open_accounts: Vec<String>,
}

impl Bank {
    /// Opens the books: replays the journal and opens the accounts of customers that it does not know.
    pub fn open(config: Config, connection: Connection) -> Result<Self, JournalError> {
        let (journal, events) = match &config.data {
            Some(directory) => Journal::open(directory)?,
            None => (Journal::Memory, Vec::new()),
        };
        let mut core = Core::new(journal);
        let whose = Event::BooksOpened { fsp: config.connection.name.clone(), currency: config.currency };
        match events.first() {
            Some(first) if *first != whose => return Err(JournalError::of_other_books(&config)),
            Some(_) => {}
            None => core.journal.append(&whose)?,
        }
        events.iter().for_each(|event| core.apply(event));
        for Customer { id, deposit, .. } in &config.customers {
            if !core.open_accounts.contains(id) {
                core.record(Event::AccountOpened { customer: id.clone(), deposit: *deposit })?;
            }
        }
        let offers = crate::payer::Offers::default();
        let quotes = crate::intake::Quotes::default();
        Ok(Self { config, connection, offers, quotes, core: Mutex::new(core), changes: watch::Sender::new(0) })
    }

    /// The line to the hub.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn customers(&self) -> &[Customer] {
        &self.config.customers
    }

    /// The customer with an id.
    pub fn customer(&self, id: &str) -> Option<&Customer> {
        self.config.customers.iter().find(|customer| customer.id == id)
    }

    /// The customer with a phone number or other identifier.
    pub fn customer_of(&self, party: &PartyId) -> Option<&Customer> {
        self.config.customers.iter().find(|customer| customer.number == *party)
    }

    /// What a customer owns, and what of it can be spent.
    pub fn balance(&self, customer: &str) -> (Amount, Amount) {
        let core = self.core();
        (core.books.balance(&Account::Customer(customer.to_owned())), core.books.available(customer))
    }

    pub fn balance_of(&self, account: &Account) -> Amount {
        self.core().books.balance(account)
    }

    /// Whether all balances sum to zero.
    pub fn is_balanced(&self) -> bool {
        self.core().books.is_balanced()
    }

    pub fn payment(&self, id: CorrelationId) -> Option<Payment> {
        self.core().payments.get(&id).cloned()
    }

    /// The payment that a conversion is for.
    pub(crate) fn payment_of_conversion(&self, id: CorrelationId) -> Option<Payment> {
        let core = self.core();
        core.payments.get(core.conversions.get(&id)?).cloned()
    }

    /// A customer's payments, newest first, at most `count_max`.
    pub fn history(&self, customer: &str, count_max: usize) -> Vec<Payment> {
        let core = self.core();
        let newest_first = core.order.iter().rev().map(|id| &core.payments[id]);
        newest_first.filter(|payment| payment.customer == customer).take(count_max).cloned().collect()
    }

    pub fn pending(&self) -> Vec<CorrelationId> {
        self.core().payments.values().filter(|payment| payment.is_pending()).map(|payment| payment.id).collect()
    }

    /// Opens a payment and, if it is an outgoing one, sets its money aside. Opening it again changes nothing; true if it was
    /// not open before.
    pub fn open_payment(&self, payment: Payment) -> Result<bool, BankError> {
        let mut core = self.core();
        if core.payments.contains_key(&payment.id) {
            return Ok(false);
        }
        if core.order.len() >= PAYMENTS_MAX {
            return Err(BankError::Full);
        }
        if payment.direction == Direction::Outgoing {
            core.books.check_hold(&payment.customer, payment.customer_amount())?;
        }
        core.record(Event::PaymentOpened(Box::new(payment)))?;
        drop(core);
        self.changes.send_modify(|count| *count += 1);
        Ok(true)
    }

    /// Promises the scheme to take an incoming payment that was converted, and returns since when; `None` if it has ended.
    /// From then on [`Bank::give_up`] does nothing.
    pub(crate) fn accept(&self, id: CorrelationId) -> Result<Option<Timestamp>, BankError> {
        let mut core = self.core();
        let Some(payment) = core.payments.get(&id).filter(|payment| payment.is_pending()) else { return Ok(None) };
        let Some(intake) = &payment.intake else { return Ok(None) };
        if intake.accepted.is_some() {
            return Ok(intake.accepted);
        }
        let at = now();
        core.record(Event::PaymentAccepted { id, at })?;
        Ok(Some(at))
    }

    /// Ends an incoming payment that was not accepted. True if it has failed, now or before.
    pub(crate) fn give_up(&self, id: CorrelationId, error: &FspiopError) -> Result<bool, BankError> {
        let mut core = self.core();
        let Some(payment) = core.payments.get(&id) else { return Ok(false) };
        match (&payment.state, payment.intake.as_ref().and_then(|intake| intake.accepted)) {
            (State::Failed { .. }, _) => return Ok(true),
            (State::Completed { .. }, _) | (State::Pending, Some(_)) => return Ok(false),
            (State::Pending, None) => {}
        }
        core.record(Event::PaymentFailed { id, at: now(), reason: Reason::from(error) })?;
        drop(core);
        self.changes.send_modify(|count| *count += 1);
        Ok(true)
    }

    /// Settles a pending payment by the scheme's decision. Settling it again changes nothing; an unknown one is ignored.
    pub fn settle(&self, id: CorrelationId, decision: &Decision) -> Result<(), BankError> {
        let mut core = self.core();
        let Some(payment) = core.payments.get(&id) else {
            tracing::warn!(%id, "the scheme decided about a transfer that is not in the books");
            return Ok(());
        };
        let agrees = match (&payment.state, decision) {
            (State::Pending, _) => {
                core.record(settlement(id, decision))?;
                true
            }
            (State::Completed { .. }, Decision::Committed) | (State::Failed { .. }, Decision::Aborted(_)) => true,
            (State::Completed { .. }, Decision::Aborted(_)) | (State::Failed { .. }, Decision::Committed) => false,
        };
        drop(core);
        self.changes.send_modify(|count| *count += 1);
        if !agrees {
            tracing::error!(%id, ?decision, "the scheme decided against what is settled; the books stay, look into it");
        }
        Ok(())
    }

    /// Waits until a payment is settled; the caller sets the limit.
    pub async fn settled(&self, id: CorrelationId) -> Option<Payment> {
        let mut changes = self.changes.subscribe();
        loop {
            let payment = self.payment(id)?;
            if !payment.is_pending() || changes.changed().await.is_err() {
                return Some(payment);
            }
        }
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().expect("after a panic in the books nothing may be trusted")
    }
}

fn settlement(id: CorrelationId, decision: &Decision) -> Event {
    match decision {
        Decision::Committed => Event::PaymentCompleted { id, at: now() },
        Decision::Aborted(error) => Event::PaymentFailed { id, at: now(), reason: Reason::from(error) },
    }
}

impl Core {
    fn new(journal: Journal) -> Self {
        let (books, payments, conversions) = (Books::default(), HashMap::new(), HashMap::new());
        Self { journal, books, payments, conversions, order: Vec::new(), open_accounts: Vec::new() }
    }

    /// The caller has checked that the event can be applied.
    fn record(&mut self, event: Event) -> Result<(), JournalError> {
        self.journal.append(&event)?;
        self.apply(&event);
        Ok(())
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::BooksOpened { .. } => {}
            Event::AccountOpened { customer, deposit } => {
                self.books.post(&Account::Cash, &Account::Customer(customer.clone()), *deposit);
                self.open_accounts.push(customer.clone());
            }
            Event::PaymentOpened(payment) => {
                if payment.direction == Direction::Outgoing && payment.is_pending() {
                    self.books.hold(&payment.customer, payment.customer_amount());
                }
                if let Some(conversion) = &payment.conversion {
                    self.conversions.insert(conversion.id, payment.id);
                }
                self.order.push(payment.id);
                self.payments.insert(payment.id, Payment::clone(payment));
            }
            Event::PaymentAccepted { id, at } => {
                let intake = self.payments.get_mut(id).and_then(|payment| payment.intake.as_mut());
                intake.expect("only what is converted on its way in is accepted").accepted = Some(*at);
            }
            Event::PaymentCompleted { id, at } => self.complete(*id, State::Completed { at: *at }),
            Event::PaymentFailed { id, at, reason } => {
                self.end(*id, State::Failed { at: *at, reason: reason.clone() });
            }
        }
    }

    fn complete(&mut self, id: CorrelationId, state: State) {
        let payment = self.end(id, state);
        let customer = Account::Customer(payment.customer);
        match payment.direction {
            Direction::Outgoing => {
                self.books.post(&customer, &Account::Position, payment.transfer);
                self.books.post(&customer, &Account::FeeIncome, payment.fee);
            }
            Direction::Incoming => {
                self.books.post(&Account::Position, &customer, payment.received);
                self.books.post(&Account::Position, &Account::FeeIncome, payment.fee);
            }
        }
    }

    /// Ends a pending payment and gives back what was held for it.
    fn end(&mut self, id: CorrelationId, state: State) -> Payment {
        let payment = self.payments.get_mut(&id).expect("a payment is opened before it ends");
        assert!(payment.is_pending(), "a payment ends once");
        payment.state = state;
        let payment = payment.clone();
        if payment.direction == Direction::Outgoing {
            self.books.release(&payment.customer, payment.customer_amount());
        }
        payment
    }
}

impl From<JournalError> for BankError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<Refusal> for BankError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotEnoughMoney => Self::NotEnoughMoney,
            Refusal::ImpossibleAmount => Self::ImpossibleAmount,
        }
    }
}

impl std::fmt::Display for BankError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotEnoughMoney => formatter.write_str("there is not enough money in the account"),
            Self::ImpossibleAmount => formatter.write_str("the amount cannot be paid"),
            Self::Full => formatter.write_str("the books are full"),
            Self::Journal(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for BankError {}

#[cfg(test)]
pub(crate) mod tests;
