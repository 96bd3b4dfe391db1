//! The teller's counter: accounts that are opened there, cash, and what the teller decides about customers.
//!
//! Invariant: cash moves between the vault and an account in one entry, once per slip; a customer never takes what is set
//! aside for payments, nor the vault more than it has.

use super::{Bank, BankError, Core, Standing};
use crate::books::Account;
use crate::config::{Customer, Temper};
use crate::journal::Event;
use crate::payment::{Direction, Payment};
use crate::statement::What;
use sdk::now;
use std::sync::Arc;
use vocabulary::{Amount, CorrelationId, PartyId, PartyIdType, Timestamp};

/// Customers of the example, which keeps them in memory.
const CUSTOMERS_MAX: usize = 10_000;
/// Movements of cash that the books remember.
const SLIPS_MAX: usize = 1_000_000;

/// What came of opening an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opening {
    /// The new customer's id.
    Opened(String),
    /// Somebody here has the number: the customer's id.
    Known(String),
}

impl Bank {
    /// Opens an account without money for a number that has none here.
    pub fn open_customer(&self, name: &str, number: &PartyId, tier: &str) -> Result<Opening, BankError> {
        let mut core = self.core();
        if let Some(known) = core.customers.iter().find(|customer| customer.number == *number) {
            return Ok(Opening::Known(known.id.clone()));
        }
        if core.customers.len() >= CUSTOMERS_MAX {
            return Err(BankError::Full);
        }
        let number = number.identifier.to_string();
        let id = format!("c{number}");
        let (name, tier, at) = (name.to_owned(), tier.to_owned(), now());
        core.record(Event::CustomerOpened { id: id.clone(), name, number, tier, at })?;
        Ok(Opening::Opened(id))
    }

    /// Puts a customer into a tier, blocks or unblocks. What is on its way goes on.
    pub(crate) fn change_standing(&self, customer: &str, standing: Standing) -> Result<(), BankError> {
        if self.standing(customer) == standing {
            return Ok(());
        }
        let Standing { tier, is_blocked } = standing;
        let event = Event::StandingChanged { customer: customer.to_owned(), tier, is_blocked, at: now() };
        Ok(self.core().record(event)?)
    }

    /// Takes cash from a customer, or gives it if `amount` is negative. The same slip moves cash once; true if it has now.
    pub fn move_cash(&self, slip: CorrelationId, customer: &str, amount: Amount) -> Result<bool, BankError> {
        let tier = self.tier_of(customer);
        let mut core = self.core();
        if core.slips.contains_key(&slip) {
            return Ok(false);
        }
        if core.slips.len() >= SLIPS_MAX {
            return Err(BankError::Full);
        }
        let magnitude = if amount.is_negative() { amount.checked_neg() } else { Some(amount) };
        let magnitude = magnitude.filter(|magnitude| !magnitude.is_zero() && self.config.fees.is_payable(*magnitude));
        let magnitude = magnitude.ok_or(BankError::ImpossibleAmount)?;
        if core.is_blocked(customer) {
            return Err(BankError::Blocked);
        }
        if amount.is_negative() {
            core.books.check_hold(customer, magnitude)?;
            let in_vault = core.books.balance(&Account::Cash).checked_neg().unwrap_or_default();
            if magnitude > in_vault {
                return Err(BankError::EmptyVault);
            }
        } else {
            tier.check_balance(magnitude, core.expected_balance(customer)).map_err(BankError::Limit)?;
        }
        core.record(Event::CashMoved { id: slip, customer: customer.to_owned(), amount, at: now() })?;
        Ok(true)
    }

    /// Payments that have not ended, oldest first.
    pub fn open_payments(&self) -> Vec<Payment> {
        let core = self.core();
        core.order.iter().map(|id| &core.payments[id]).filter(|payment| payment.is_pending()).cloned().collect()
    }

    /// What is set aside for outgoing payments.
    pub fn held(&self) -> Amount {
        let sum = |sum: Amount, payment: &Payment| sum.checked_add(payment.customer_amount()).unwrap_or(Amount::MAX);
        let open = self.open_payments();
        open.iter().filter(|payment| payment.direction == Direction::Outgoing).fold(Amount::ZERO, sum)
    }
}

impl Core {
    /// The events of the counter.
    pub(super) fn apply_counter(&mut self, event: &Event) {
        match event {
            Event::CustomerOpened { id, name, number, tier, .. } => {
                let number =
                    PartyId::try_new(PartyIdType::Msisdn, number, None).expect("it was one when it was written");
                let customer = Customer {
                    id: id.clone(),
                    name: name.clone(),
                    number,
                    deposit: Amount::ZERO,
                    takes: Vec::new(),
                    tier: tier.clone(),
                    temper: Temper::Welcoming,
                };
                self.customers.push(Arc::new(customer));
            }
            Event::StandingChanged { customer, tier, is_blocked, .. } => {
                let standing = Standing { tier: tier.clone(), is_blocked: *is_blocked };
                self.standings.insert(customer.clone(), standing);
            }
            Event::CashMoved { id, customer, amount, at } => self.apply_cash((*id, *at), customer, *amount),
            Event::BooksOpened { .. }
            | Event::AccountOpened { .. }
            | Event::PaymentOpened(_)
            | Event::PaymentAccepted { .. }
            | Event::PaymentCompleted { .. }
            | Event::PaymentFailed { .. }
            | Event::RequestOpened(_)
            | Event::RequestNamed { .. }
            | Event::RequestEnded { .. }
            | Event::ListOpened(_)
            | Event::ListStarted { .. }
            | Event::ListLineFaulted { .. } => unreachable!("not an event of the counter"),
        }
    }

    fn apply_cash(&mut self, (slip, at): (CorrelationId, Timestamp), customer: &str, amount: Amount) {
        let account = Account::Customer(customer.to_owned());
        if amount.is_negative() {
            let magnitude = amount.checked_neg().expect("checked when it was moved");
            self.books.post(&account, &Account::Cash, magnitude);
        } else {
            self.books.post(&Account::Cash, &account, amount);
        }
        self.slips.insert(slip, amount);
        self.line(customer, at, What::Cash(slip), amount);
    }
}
