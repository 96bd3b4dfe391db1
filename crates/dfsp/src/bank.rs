//! The DFSP's core: books, payments and the journal behind one lock.
//!
//! Invariant: the books are what the journal's events make of them, in order. A command checks, appends one event, and
//! applies it; nothing is answered, sent or shown that is not in the journal. A payment is opened once and settled once,
//! however often the scheme says so.

mod counter;
mod lists;
mod requests;

pub use counter::Opening;

use crate::books::{Account, Books, Refusal};
use crate::config::{Config, Customer};
use crate::journal::{Event, Journal, JournalError};
use crate::limits::{Limit, Sent, Tier};
use crate::lists::List;
use crate::payment::{Direction, Payment, Reason, State};
use crate::requests::Request;
use crate::statement::{Lines, Statement, What};
use sdk::{Connection, Decision, FspiopError, now};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use vocabulary::{Amount, CorrelationId, PartyId, Timestamp};

/// Payments that the books remember; more are refused. This is an example, and it keeps everything in memory.
const PAYMENTS_MAX: usize = 1_000_000;

/// Why a command was not carried out.
#[derive(Debug)]
pub enum BankError {
    NotEnoughMoney,
    ImpossibleAmount,
    /// A limit of the customer's tier.
    Limit(Limit),
    /// The teller has blocked the customer.
    Blocked,
    /// More would be given back than was received; what is left of it.
    RefundTooLarge(Amount),
    /// There is less cash than is asked for.
    EmptyVault,
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
    /// Ids of payments by the ids of their transactions, where these are others.
    transactions: HashMap<CorrelationId, CorrelationId>,
    /// Ids in the order in which they were opened.
    order: Vec<CorrelationId>,
    /// Customers whose account is open.
    open_accounts: Vec<String>,
    /// Of the configuration, then those who came to the counter.
    customers: Vec<Arc<Customer>>,
    standings: HashMap<String, Standing>,
    sent: HashMap<String, Sent>,
    /// What pending payments will bring to customers.
    awaited: HashMap<String, Amount>,
    lines: HashMap<String, Lines>,
    /// What was given back, or is on its way back, of payments, by their transactions.
    refunded: HashMap<CorrelationId, Amount>,
    requests: HashMap<CorrelationId, Request>,
    /// Ids in the order in which they were opened.
    request_order: Vec<CorrelationId>,
    lists: Vec<List>,
    /// Slips of cash that moved.
    slips: HashMap<CorrelationId, Amount>,
}

/// What the teller has decided about a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    pub tier: String,
    pub is_blocked: bool,
}

impl Bank {
    /// Opens the books: replays the journal and opens the accounts of customers that it does not know.
    pub fn open(config: Config, connection: Connection) -> Result<Self, JournalError> {
        let (journal, events) = match &config.data {
            Some(directory) => Journal::open(directory)?,
            None => (Journal::Memory, Vec::new()),
        };
        let mut core = Core::new(journal, config.customers.iter().cloned().map(Arc::new).collect());
        let whose = Event::BooksOpened { fsp: config.connection.name.clone(), currency: config.currency };
        match events.first() {
            Some(first) if *first != whose => return Err(JournalError::of_other_books(&config)),
            Some(_) => {}
            None => core.journal.append(&whose)?,
        }
        events.iter().for_each(|event| core.apply(event));
        for Customer { id, deposit, .. } in &config.customers {
            if !core.open_accounts.contains(id) {
                core.record(Event::AccountOpened { customer: id.clone(), deposit: *deposit, at: Some(now()) })?;
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

    pub fn customers(&self) -> Vec<Arc<Customer>> {
        self.core().customers.clone()
    }

    /// The customer with an id.
    pub fn customer(&self, id: &str) -> Option<Arc<Customer>> {
        self.core().customers.iter().find(|customer| customer.id == id).cloned()
    }

    /// The customer with a phone number or other identifier.
    pub fn customer_of(&self, party: &PartyId) -> Option<Arc<Customer>> {
        self.core().customers.iter().find(|customer| customer.number == *party).cloned()
    }

    /// What has moved on a customer's account from one time on and before another.
    pub fn statement(&self, customer: &str, from: Timestamp, until: Timestamp) -> Statement {
        let core = self.core();
        core.lines
            .get(customer)
            .map_or_else(|| Lines::default().between(from, until), |lines| lines.between(from, until))
    }

    /// What of a received payment can still be given back.
    pub fn refundable(&self, payment: &Payment) -> Amount {
        self.core().refundable(payment)
    }

    /// Whether a payment could be sent now, as far as limits go.
    pub(crate) fn check_sending(&self, customer: &str, amount: Amount) -> Result<(), BankError> {
        let tier = self.tier_of(customer);
        self.core().check_sending(&tier, (customer, amount), now())
    }

    /// Whether a payment could be received now, as far as limits go.
    pub(crate) fn check_receiving(&self, customer: &str, amount: Amount) -> Result<(), BankError> {
        let tier = self.tier_of(customer);
        self.core().check_receiving(&tier, (customer, amount))
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

    /// The payment that is a transaction.
    pub(crate) fn payment_of_transaction(&self, id: CorrelationId) -> Option<Payment> {
        self.core().of_transaction(id).cloned()
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
        let tier = self.tier_of(&payment.customer);
        let mut core = self.core();
        if core.payments.contains_key(&payment.id) {
            return Ok(false);
        }
        if core.order.len() >= PAYMENTS_MAX {
            return Err(BankError::Full);
        }
        core.check_opening(&payment, &tier)?;
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

    /// What a customer may do.
    pub(crate) fn tier_of(&self, customer: &str) -> Tier {
        let name = self.standing(customer).tier;
        let tiers = &self.config.tiers;
        tiers.iter().find(|tier| tier.name == name).or(tiers.first()).cloned().unwrap_or_else(Tier::unlimited)
    }

    pub(crate) fn standing(&self, customer: &str) -> Standing {
        let core = self.core();
        if let Some(standing) = core.standings.get(customer) {
            return standing.clone();
        }
        let known = core.customers.iter().find(|known| known.id == customer);
        Standing { tier: known.map(|known| known.tier.clone()).unwrap_or_default(), is_blocked: false }
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
    fn new(journal: Journal, customers: Vec<Arc<Customer>>) -> Self {
        Self {
            journal,
            books: Books::default(),
            payments: HashMap::new(),
            conversions: HashMap::new(),
            transactions: HashMap::new(),
            order: Vec::new(),
            open_accounts: Vec::new(),
            customers,
            standings: HashMap::new(),
            sent: HashMap::new(),
            awaited: HashMap::new(),
            lines: HashMap::new(),
            refunded: HashMap::new(),
            requests: HashMap::new(),
            request_order: Vec::new(),
            lists: Vec::new(),
            slips: HashMap::new(),
        }
    }

    /// Whether a payment may be opened. One that has ended already changes nothing.
    fn check_opening(&self, payment: &Payment, tier: &Tier) -> Result<(), BankError> {
        if !payment.is_pending() {
            return Ok(());
        }
        let customer = payment.customer.as_str();
        match payment.direction {
            Direction::Incoming => self.check_receiving(tier, (customer, payment.received)),
            Direction::Outgoing => {
                self.check_sending(tier, (customer, payment.transfer), payment.opened)?;
                self.check_refund(payment)?;
                Ok(self.books.check_hold(customer, payment.customer_amount())?)
            }
        }
    }

    fn check_sending(&self, tier: &Tier, (customer, amount): (&str, Amount), time: Timestamp) -> Result<(), BankError> {
        if self.is_blocked(customer) {
            return Err(BankError::Blocked);
        }
        let sent = self.sent.get(customer).copied().unwrap_or_default();
        tier.check_sending(amount, sent, time).map_err(BankError::Limit)
    }

    fn check_receiving(&self, tier: &Tier, (customer, amount): (&str, Amount)) -> Result<(), BankError> {
        if self.is_blocked(customer) {
            return Err(BankError::Blocked);
        }
        tier.check_receiving(amount, self.expected_balance(customer)).map_err(BankError::Limit)
    }

    /// The balance when all that is on its way has come.
    fn expected_balance(&self, customer: &str) -> Amount {
        let awaited = self.awaited.get(customer).copied().unwrap_or_default();
        let balance = self.books.balance(&Account::Customer(customer.to_owned()));
        balance.checked_add(awaited).unwrap_or(Amount::MAX)
    }

    fn is_blocked(&self, customer: &str) -> bool {
        self.standings.get(customer).is_some_and(|standing| standing.is_blocked)
    }

    fn check_refund(&self, payment: &Payment) -> Result<(), BankError> {
        let Some(refund) = &payment.refund else { return Ok(()) };
        let is_original = |known: &&Payment| {
            known.transaction_id() == refund.of
                && known.customer == payment.customer
                && known.direction == Direction::Incoming
                && known.other.number == payment.other.number
        };
        let left =
            self.of_transaction(refund.of).filter(is_original).map_or(Amount::ZERO, |known| self.refundable(known));
        if refund.amount > left { Err(BankError::RefundTooLarge(left)) } else { Ok(()) }
    }

    fn of_transaction(&self, id: CorrelationId) -> Option<&Payment> {
        self.payments.get(&id).or_else(|| self.payments.get(self.transactions.get(&id)?))
    }

    fn refundable(&self, payment: &Payment) -> Amount {
        let is_received = matches!(payment.state, State::Completed { .. }) && payment.direction == Direction::Incoming;
        if !is_received || payment.refund.is_some() {
            return Amount::ZERO;
        }
        let given_back = self.refunded.get(&payment.transaction_id()).copied().unwrap_or_default();
        payment.received.checked_sub(given_back).unwrap_or_default()
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
            Event::AccountOpened { customer, deposit, at } => {
                self.books.post(&Account::Cash, &Account::Customer(customer.clone()), *deposit);
                self.open_accounts.push(customer.clone());
                self.line(customer, at.unwrap_or(Timestamp::from_millis(0)), What::Deposit, *deposit);
            }
            Event::CustomerOpened { .. } | Event::StandingChanged { .. } | Event::CashMoved { .. } => {
                self.apply_counter(event);
            }
            Event::ListOpened(list) => self.lists.push(List::clone(list)),
            Event::ListStarted { id } => self.change_list(*id, |list| list.is_started = true),
            Event::ListLineFaulted { id, line, fault } => {
                self.change_list(*id, |list| list.lines[*line].fault = Some(fault.clone()));
            }
            Event::RequestOpened(request) => self.apply_request(request),
            Event::RequestNamed { id, transaction } => {
                self.change_request(*id, |request| request.transaction = Some(*transaction));
            }
            Event::RequestEnded { id, state } => self.change_request(*id, |request| request.state = state.clone()),
            Event::PaymentOpened(payment) => {
                if payment.is_pending() {
                    self.set_aside(payment);
                }
                if let Some(conversion) = &payment.conversion {
                    self.conversions.insert(conversion.id, payment.id);
                }
                if let Some(transaction) = payment.transaction {
                    self.transactions.insert(transaction, payment.id);
                }
                self.order.push(payment.id);
                self.payments.insert(payment.id, Payment::clone(payment));
            }
            Event::PaymentAccepted { id, at } => {
                let intake = self.payments.get_mut(id).and_then(|payment| payment.intake.as_mut());
                intake.expect("only what is converted on its way in is accepted").accepted = Some(*at);
            }
            Event::PaymentCompleted { id, at } => self.complete(*id, *at),
            Event::PaymentFailed { id, at, reason } => {
                self.end(*id, State::Failed { at: *at, reason: reason.clone() });
            }
        }
    }

    /// What a pending payment changes.
    fn set_aside(&mut self, payment: &Payment) {
        let customer = payment.customer.as_str();
        match payment.direction {
            Direction::Outgoing => {
                self.books.hold(customer, payment.customer_amount());
                self.sent.entry(customer.to_owned()).or_default().add(payment.transfer, payment.opened);
                if let Some(refund) = &payment.refund {
                    let given_back = self.refunded.entry(refund.of).or_default();
                    *given_back = given_back.checked_add(refund.amount).expect("at most what was received");
                }
            }
            Direction::Incoming => {
                let awaited = self.awaited.entry(customer.to_owned()).or_default();
                *awaited = awaited.checked_add(payment.received).unwrap_or(Amount::MAX);
            }
        }
    }

    fn line(&mut self, customer: &str, at: Timestamp, what: What, amount: Amount) {
        self.lines.entry(customer.to_owned()).or_default().add(at, what, amount);
    }

    fn complete(&mut self, id: CorrelationId, at: Timestamp) {
        let payment = self.end(id, State::Completed { at });
        let signed = match payment.direction {
            Direction::Outgoing => payment.customer_amount().checked_neg().expect("amounts of payments are positive"),
            Direction::Incoming => payment.received,
        };
        self.line(&payment.customer, at, What::Payment(id), signed);
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
        match payment.direction {
            Direction::Outgoing => {
                self.books.release(&payment.customer, payment.customer_amount());
                if matches!(payment.state, State::Failed { .. }) {
                    self.take_back(&payment);
                }
            }
            Direction::Incoming => {
                let awaited = self.awaited.entry(payment.customer.clone()).or_default();
                *awaited = awaited.checked_sub(payment.received).unwrap_or_default().max(Amount::ZERO);
            }
        }
        payment
    }

    /// What an outgoing payment that failed does not count for.
    fn take_back(&mut self, payment: &Payment) {
        self.sent.entry(payment.customer.clone()).or_default().take_back(payment.transfer, payment.opened);
        if let Some(refund) = &payment.refund {
            let given_back = self.refunded.entry(refund.of).or_default();
            *given_back = given_back.checked_sub(refund.amount).expect("it was counted when the payment was opened");
        }
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
            Self::Limit(Limit::Payment(most)) => write!(formatter, "one payment is at most {most}"),
            Self::Limit(Limit::Day(left)) => write!(formatter, "at most {left} can still be sent today"),
            Self::Limit(Limit::Balance(most)) => write!(formatter, "the account holds at most {most}"),
            Self::Blocked => formatter.write_str("the customer is blocked"),
            Self::RefundTooLarge(left) => write!(formatter, "at most {left} of the payment can be given back"),
            Self::EmptyVault => formatter.write_str("there is not enough cash in the vault"),
            Self::Full => formatter.write_str("the books are full"),
            Self::Journal(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for BankError {}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod tests_of_customers;
#[cfg(test)]
mod tests_of_lists;
#[cfg(test)]
mod tests_of_requests;
