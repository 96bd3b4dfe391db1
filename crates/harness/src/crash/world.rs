//! What the DFSPs remember, each of its own.
//!
//! Invariant: a payer's knowledge comes from what the payer sent and heard, a payee's from what the payee heard and
//! sent. The two are compared at the end and never before.

use crate::{
    agreement::{Agreement, agreements},
    messages::Messages,
    random::{Id, Random},
    scheme::{Party, Scheme},
    wire::pool::exchange_once,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use vocabulary::Amount;

const AGREEMENTS: u32 = 64;
const RETRY_PAUSE: Duration = Duration::from_millis(40);
const BREACHES_MAX: usize = 50;

pub struct World {
    pub scheme: Scheme,
    pub hub: SocketAddr,
    pub messages: Messages,
    pub agreements: Vec<Agreement>,
    pub payers: RefCell<HashMap<Id, PayerView>>,
    pub payees: RefCell<HashMap<Id, PayeeView>>,
    /// Answers that payers wait for: what was asked, and whether it has come.
    pub expected: RefCell<HashMap<Expected, bool>>,
    /// What the hub says at the end, by transfer.
    pub hub_states: RefCell<HashMap<Id, Outcome>>,
    pub registered: Cell<usize>,
    /// Payments that have not come to the acknowledgement of their transfer, or to the end of their patience.
    pub paying: Cell<usize>,
    pub repeated: Cell<u64>,
    pub breaches: RefCell<Vec<String>>,
    /// After the payments, states are asked for; what then comes to a payer is an answer.
    pub is_asking: Cell<bool>,
    changed: Notify,
    random: RefCell<Random>,
    begun: Cell<u32>,
}

/// What an answer is recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expected {
    Party { payer: u8, msisdn: [u8; 12] },
    Agreement(Id),
}

/// The end of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Committed,
    Aborted,
    /// The hub does not know the transfer.
    Unknown,
    /// The hub has not decided yet.
    Pending,
}

/// What a payer knows of a transfer.
#[derive(Clone, Debug)]
pub struct PayerView {
    pub payer: u8,
    pub payee: u8,
    pub amount: Amount,
    pub acknowledged: bool,
    pub outcome: Option<Outcome>,
}

/// What a payee knows of a transfer. Whether it heard of it at all is whether it has one.
#[derive(Clone, Debug, Default)]
pub struct PayeeView {
    /// The hub has acknowledged the fulfilment well before the expiry.
    pub fulfilled_in_time: bool,
    pub outcome: Option<Outcome>,
}

/// A payment that begins.
#[derive(Clone, Copy)]
pub struct NewPayment {
    pub payer: Party,
    pub payee: Party,
    pub quote: Id,
    pub transfer: Id,
    pub agreement: usize,
}

impl World {
    pub fn new(scheme: Scheme, hub: SocketAddr, mut random: Random) -> Self {
        Self {
            scheme,
            hub,
            messages: Messages::new(&hub.to_string()),
            agreements: agreements(AGREEMENTS as usize, &mut random),
            payers: RefCell::default(),
            payees: RefCell::default(),
            expected: RefCell::default(),
            hub_states: RefCell::default(),
            registered: Cell::new(0),
            paying: Cell::new(0),
            repeated: Cell::new(0),
            breaches: RefCell::default(),
            is_asking: Cell::new(false),
            changed: Notify::new(),
            random: RefCell::new(random),
            begun: Cell::new(0),
        }
    }

    /// The parties take turns, so that lookups of one party are far apart.
    pub fn new_payment(&self) -> NewPayment {
        let number = self.begun.replace(self.begun.get() + 1);
        let mut random = self.random.borrow_mut();
        let dfsps = u32::from(self.scheme.dfsps);
        let payee = (number % dfsps) as u8;
        let step = 1 + random.below(u64::from(dfsps - 1)) as u8;
        let customer = number / dfsps % self.scheme.parties;
        NewPayment {
            payer: Party { dfsp: (payee + step) % self.scheme.dfsps, number: customer },
            payee: Party { dfsp: payee, number: customer },
            quote: random.uuid(),
            transfer: random.uuid(),
            agreement: random.below(u64::from(AGREEMENTS)) as usize,
        }
    }

    /// Sends the same bytes until the hub acknowledges them; `false` if it did not by then, or refused them.
    pub async fn send_until_acknowledged(&self, request: &[u8], deadline: Instant) -> bool {
        while Instant::now() < deadline {
            match exchange_once(self.hub, request).await {
                Ok((200..=299, _)) => return true,
                // The hub is about to stop, or cannot reach its store.
                Ok((500..=599, _)) | Err(_) => sleep(RETRY_PAUSE).await,
                Ok((status, body)) => {
                    let request = String::from_utf8_lossy(request);
                    let line = request.lines().next().unwrap_or_default();
                    self.breach(format!("{line} was refused with {status} {}", String::from_utf8_lossy(&body)));
                    return false;
                }
            }
        }
        false
    }

    pub fn expect(&self, answer: Expected) {
        self.expected.borrow_mut().insert(answer, false);
    }

    pub fn arrived(&self, answer: Expected) {
        if let Some(has_come) = self.expected.borrow_mut().get_mut(&answer) {
            *has_come = true;
        }
        self.change();
    }

    pub fn has_arrived(&self, answer: Expected) -> bool {
        self.expected.borrow().get(&answer).copied().unwrap_or(false)
    }

    pub fn breach(&self, sentence: String) {
        let mut breaches = self.breaches.borrow_mut();
        if breaches.len() < BREACHES_MAX {
            breaches.push(sentence);
        }
    }

    pub fn count_repeated(&self) {
        self.repeated.set(self.repeated.get() + 1);
    }

    /// Somebody may wait for what has just been noted.
    pub fn change(&self) {
        self.changed.notify_waiters();
    }

    pub async fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }
}

/// Notes the end of a transfer; a second, different end is a breach, a second equal one a repetition.
pub fn note(known: &mut Option<Outcome>, heard: Outcome) -> Result<IsNew, Outcome> {
    match *known {
        None => {
            *known = Some(heard);
            Ok(IsNew::Yes)
        }
        Some(before) if before == heard => Ok(IsNew::No),
        Some(before) => Err(before),
    }
}

/// Whether an end was heard for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsNew {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_transfer_is_heard_once_or_repeated_but_never_changed() {
        let mut known = None;
        assert_eq!(note(&mut known, Outcome::Committed), Ok(IsNew::Yes));
        assert_eq!(note(&mut known, Outcome::Committed), Ok(IsNew::No));
        assert_eq!(note(&mut known, Outcome::Aborted), Err(Outcome::Committed));
        assert_eq!(known, Some(Outcome::Committed));
    }

    #[test]
    fn payments_go_to_everybody_in_turn_and_never_to_the_payer_itself() {
        let scheme = Scheme::try_new(3, 5).unwrap();
        let world = World::new(scheme, SocketAddr::from(([127, 0, 0, 1], 1)), Random::seeded(1));
        let payments: Vec<NewPayment> = (0..15).map(|_| world.new_payment()).collect();
        let mut paid: Vec<usize> = payments.iter().map(|payment| scheme.index_of(payment.payee).unwrap()).collect();
        paid.sort_unstable();
        assert_eq!(paid, (0..15).collect::<Vec<_>>());
        assert!(payments.iter().all(|payment| payment.payer.dfsp != payment.payee.dfsp));
    }
}
