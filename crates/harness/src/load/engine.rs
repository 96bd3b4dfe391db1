//! Sends the messages of payments and moves payments on when messages arrive.
//!
//! Invariant: everything happens on one thread, one step at a time; a step never waits. The departure of a message is
//! noted right before its bytes are written, its arrival right after they were read.

use super::{
    check::Check,
    payment::{Payment, Stage},
    recorder::Committed,
    signed::SignedPayments,
    state::State,
};
use crate::{
    agreement::{Agreement, agreements},
    clock::texts,
    messages::Messages,
    random::Random,
    scheme::{Scheme, dfsp_name},
    template::{Field, Values},
    wire::pool::{Queue, Response, Sender},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

pub const AGREEMENTS: u32 = 4096;
/// Longer than any run, so that nothing expires because the run is long.
const TRANSFER_LIFETIME: Duration = Duration::from_secs(120);
/// A payment that takes longer is an error.
pub const PAYMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A message to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// The message of this stage of a payment.
    Payment { place: u32, turn: u32, stage: Stage },
    /// `GET /transfers` for the committed transfer of this number.
    Check { number: u32 },
}

/// Who shares connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lines {
    /// All DFSPs of a hub.
    OfHubs,
    /// Nobody: each DFSP has its own, which show its certificate.
    OfDfsps,
}

/// What begins when a payment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refill {
    Nothing,
    NextPayment,
}

pub struct Engine {
    origin: Instant,
    lines: Lines,
    /// One for each hub, or for each DFSP.
    pub queues: Vec<Rc<Queue<Job>>>,
    pub state: RefCell<State>,
    pub check: RefCell<Check>,
    pub refill: Cell<Refill>,
    agreements: Vec<Agreement>,
    messages: Messages,
    signed: Option<Signed>,
}

/// Payments that were signed beforehand, and the numbers of those that have not begun.
struct Signed {
    payments: Arc<SignedPayments>,
    waiting: RefCell<VecDeque<u32>>,
}

/// Signed payments that are looked through for one whose payee is free.
const SIGNED_LOOKED_THROUGH: usize = 64;

impl Engine {
    /// With signed payments, these are made in their order; with `lines` for each DFSP, none uses another's connections.
    pub fn new(
        scheme: Scheme,
        hub: &str,
        mut random: Random,
        (lines, signed): (Lines, Option<Arc<SignedPayments>>),
    ) -> Self {
        let queues = match lines {
            Lines::OfHubs => scheme.hubs,
            Lines::OfDfsps => scheme.dfsps,
        };
        let (agreements, messages) = match &signed {
            Some(signed) => (signed.agreements.clone(), Messages::signed(hub)),
            None => (agreements(AGREEMENTS as usize, &mut random), Messages::new(hub)),
        };
        let signed = signed
            .map(|payments| Signed { waiting: RefCell::new((0..payments.payments.len() as u32).collect()), payments });
        Self {
            origin: Instant::now(),
            lines,
            queues: (0..queues).map(|_| Rc::new(Queue::default())).collect(),
            state: RefCell::new(State::new(scheme, AGREEMENTS, random, texts(TRANSFER_LIFETIME))),
            check: RefCell::default(),
            refill: Cell::new(Refill::Nothing),
            agreements,
            messages,
            signed,
        }
    }

    /// Nanoseconds of the engine's clock.
    pub fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).expect("a run is shorter than 500 years")
    }

    /// Called once a second.
    pub fn refresh_texts(&self) {
        self.state.borrow_mut().time = texts(TRANSFER_LIFETIME);
    }

    /// Begins a payment that was due at this time. `false` if there is no place for it.
    pub fn begin(&self, scheduled: u64) -> bool {
        let mut state = self.state.borrow_mut();
        let begun = match &self.signed {
            Some(signed) => signed.begin(&mut state, scheduled),
            None => state.draw().map(|draft| {
                let time = state.time;
                state.begin(draft, (scheduled, time))
            }),
        };
        drop(state);
        if let Some((place, turn)) = begun {
            self.push(Job::Payment { place, turn, stage: Stage::Lookup });
        }
        begun.is_some()
    }

    /// A message arrived that follows from the one that left in stage `from`: the payment goes on with stage `to`.
    pub fn advance(&self, place: u32, from: Stage, to: Stage) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let payment = state.payment(place);
        if payment.stage != from {
            state.recorder.repeated_messages += 1;
            return;
        }
        payment.added += now.saturating_sub(payment.departed);
        payment.stage = to;
        let turn = payment.turn;
        drop(state);
        self.push(Job::Payment { place, turn, stage: to });
    }

    /// Queues a message for the hub of the DFSP that sends it.
    pub fn push(&self, job: Job) {
        let mut state = self.state.borrow_mut();
        let sender = match job {
            Job::Payment { place, stage, .. } => state.payment(place).sender(stage),
            Job::Check { number } => state.recorder.committed[number as usize].payer,
        };
        let line = match self.lines {
            Lines::OfHubs => state.scheme.hub_of(sender),
            Lines::OfDfsps => usize::from(sender),
        };
        self.queues[line].push(job);
    }

    /// The payer has heard COMMITTED.
    pub fn committed(&self, place: u32) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let payment = state.payment(place);
        if payment.stage != Stage::Fulfil || payment.committed {
            state.recorder.repeated_messages += 1;
            return;
        }
        payment.added += now.saturating_sub(payment.departed);
        payment.committed = true;
        let (scheduled, added, ended) = (payment.scheduled, payment.added, payment.patched);
        let (payer, payee) = (payment.payer, payment.payee.dfsp);
        let amount = self.agreements[payment.agreement as usize].amount;
        let committed = Committed { transfer: payment.transfer, payer };
        let recorder = &mut state.recorder;
        recorder.committed.push(committed);
        recorder.move_positions(payer, payee, amount);
        if recorder.window.contains(now) {
            recorder.payments += 1;
        }
        if recorder.window.contains(scheduled) {
            recorder.end_to_end.record(Duration::from_nanos(now.saturating_sub(scheduled)));
            recorder.hub_added.record(Duration::from_nanos(added));
        }
        drop(state);
        if ended {
            self.end(place);
        }
    }

    /// The payee has heard COMMITTED.
    pub fn patched(&self, place: u32) {
        let mut state = self.state.borrow_mut();
        let payment = state.payment(place);
        if payment.stage != Stage::Fulfil || payment.patched {
            state.recorder.repeated_messages += 1;
            return;
        }
        payment.patched = true;
        let ended = payment.committed;
        drop(state);
        if ended {
            self.end(place);
        }
    }

    /// The payment ends with an error.
    pub fn fail(&self, place: u32, text: impl FnOnce(&Payment) -> String) {
        let mut state = self.state.borrow_mut();
        let text = text(state.payment(place));
        state.recorder.errors.add(|| text);
        drop(state);
        self.end(place);
    }

    /// Something went wrong that belongs to no payment.
    pub fn complain(&self, text: impl FnOnce() -> String) {
        self.state.borrow_mut().recorder.errors.add(text);
    }

    pub fn agreement(&self, place: u32) -> &Agreement {
        &self.agreements[self.state.borrow_mut().payment(place).agreement as usize]
    }

    /// Ends payments that wait too long.
    pub fn fail_late_payments(&self, timeout: Duration) {
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let late = self.state.borrow().scheduled_before(self.now().saturating_sub(timeout_ns));
        for place in late {
            self.fail(place, |payment| format!("no {} within {} s", payment.stage.waits_for(), timeout.as_secs()));
        }
    }

    fn end(&self, place: u32) {
        self.state.borrow_mut().release(place);
        if self.refill.get() == Refill::NextPayment && !self.state.borrow().recorder.is_full() {
            let begun = self.begin(self.now());
            if !begun && self.signed.as_ref().is_some_and(Signed::is_used_up) {
                self.refill.set(Refill::Nothing);
                self.complain(|| "the payments that were signed beforehand are used up".to_owned());
            }
        }
    }

    fn render_check(&self, number: u32, out: &mut Vec<u8>) -> bool {
        let state = self.state.borrow();
        let Some(committed) = state.recorder.committed.get(number as usize) else { return false };
        let (payer, transfer, date) = (dfsp_name(committed.payer), committed.transfer.text(), state.time.date);
        let values =
            Values::new().with(Field::Payer, &payer).with(Field::TransferId, &transfer).with(Field::Date, &date);
        self.messages.get_transfers.render(&values, out);
        true
    }
}

impl Signed {
    /// The next one whose payee is free.
    fn begin(&self, state: &mut State, scheduled: u64) -> Option<(u32, u32)> {
        let mut waiting = self.waiting.borrow_mut();
        let payments = &self.payments.payments;
        let is_free = |number: &u32| state.is_free(payments[*number as usize].draft.payee);
        let at = waiting.iter().take(SIGNED_LOOKED_THROUGH).position(is_free)?;
        let number = waiting.remove(at)?;
        let begun = state.begin(payments[number as usize].draft, (scheduled, self.payments.time));
        state.payment(begun.0).signed = Some(number);
        Some(begun)
    }

    fn is_used_up(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

impl Sender for Engine {
    type Job = Job;

    fn render(&self, job: Job, out: &mut Vec<u8>) -> bool {
        match job {
            Job::Check { number } => self.render_check(number, out),
            Job::Payment { place, turn, stage } => {
                let mut state = self.state.borrow_mut();
                let Some(payment) = state.current(place, turn).filter(|payment| payment.stage == stage) else {
                    return false;
                };
                let Some(template) = self.messages.of(stage) else { return false };
                let values = payment.values(&self.agreements[payment.agreement as usize]);
                let signed = self.signed.as_ref().zip(payment.signed);
                let signature =
                    signed.and_then(|(signed, number)| signed.payments.payments[number as usize].signature(stage));
                template.render(&values.with(Field::Signature, signature.unwrap_or_default()), out);
                payment.departed = self.now();
                true
            }
        }
    }

    fn answered(&self, job: Job, response: Result<Response, io::Error>) {
        let problem = match response {
            Ok(Response { status: 200..=299, .. }) => return,
            Ok(Response { status, body }) => format!("answered {status} {}", String::from_utf8_lossy(body)),
            Err(error) => format!("failed: {error}"),
        };
        match job {
            Job::Check { number } => {
                self.check.borrow_mut().refused(number, &problem);
                self.continue_check();
            }
            Job::Payment { place, turn, stage } => {
                let is_current = self.state.borrow_mut().current(place, turn).is_some();
                if is_current {
                    self.fail(place, |_| format!("{} {problem}", stage.request()));
                }
            }
        }
    }
}
