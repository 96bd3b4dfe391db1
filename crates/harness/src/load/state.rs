//! The payments under way, and who is looked up by what.
//!
//! Invariant: a payment under way is found by its quote, by its transfer and by the party it pays, and no two payments
//! under way pay the same party: that is how an answer to a lookup, which has no id, finds its payment.

use super::{
    payment::{Beginning, Payment, Stage},
    recorder::Recorder,
};
use crate::{
    clock::Texts,
    random::{Id, Random},
    scheme::{Party, Reach, Scheme},
    zipf::Zipf,
};
use std::collections::HashMap;

/// Draws of a payee that is not the payer before the next in the list is taken.
const PAYEE_DRAWS_MAX: u32 = 16;

pub struct State {
    pub scheme: Scheme,
    pub reach: Reach,
    random: Random,
    dfsps: Zipf,
    parties: Zipf,
    agreements: u32,
    payments: Vec<Payment>,
    free: Vec<u32>,
    by_party: Vec<Option<u32>>,
    by_id: HashMap<Id, u32>,
    pub recorder: Recorder,
    pub time: Texts,
}

/// Who pays whom on which terms, before it begins.
#[derive(Clone, Copy)]
pub struct Draft {
    pub payer: Party,
    pub payee: Party,
    pub agreement: u32,
    pub quote: Id,
    pub transfer: Id,
}

impl State {
    pub fn new(scheme: Scheme, agreements: u32, random: Random, time: Texts) -> Self {
        Self {
            scheme,
            reach: Reach::Anyone,
            random,
            dfsps: Zipf::new(usize::from(scheme.dfsps)),
            parties: Zipf::new(scheme.parties as usize),
            agreements,
            payments: Vec::new(),
            free: Vec::new(),
            by_party: vec![None; scheme.parties_in_all()],
            by_id: HashMap::new(),
            recorder: Recorder::new(scheme),
            time,
        }
    }

    /// Draws a payment to somebody who is not paid yet. `None` if as many are under way as parties can be paid at a time.
    pub fn draw(&mut self) -> Option<Draft> {
        let payer = self.dfsps.draw(&mut self.random) as u8;
        let payee = self.free_payee(payer)?;
        Some(Draft {
            payer: Party { dfsp: payer, number: self.parties.draw(&mut self.random) as u32 },
            payee,
            agreement: self.random.below(u64::from(self.agreements)) as u32,
            quote: self.random.uuid(),
            transfer: self.random.uuid(),
        })
    }

    pub fn is_free(&self, payee: Party) -> bool {
        self.scheme.index_of(payee).is_some_and(|at| self.by_party[at].is_none())
    }

    /// Begins a payment whose payee is free: its place and turn.
    pub fn begin(&mut self, draft: Draft, (scheduled, time): (u64, Texts)) -> (u32, u32) {
        let beginning = Beginning { draft, scheduled, time };
        let Draft { payee, quote, transfer, .. } = draft;
        let place = match self.free.pop() {
            Some(place) => {
                let payment = &mut self.payments[place as usize];
                *payment = Payment::new(payment.turn.wrapping_add(1), beginning);
                place
            }
            None => {
                self.payments.push(Payment::new(0, beginning));
                self.payments.len() as u32 - 1
            }
        };
        let party = self.scheme.index_of(payee).expect("the payee was drawn from the scheme");
        self.by_party[party] = Some(place);
        self.by_id.insert(quote, place);
        self.by_id.insert(transfer, place);
        (place, self.payments[place as usize].turn)
    }

    /// Ends the payment at this place.
    pub fn release(&mut self, place: u32) {
        let payment = &mut self.payments[place as usize];
        payment.stage = Stage::Free;
        self.by_id.remove(&payment.quote);
        self.by_id.remove(&payment.transfer);
        let party = self.scheme.index_of(payment.payee).expect("the payee was drawn from the scheme");
        self.by_party[party] = None;
        self.free.push(place);
    }

    /// The payment at a place, if it still has the turn.
    pub fn current(&mut self, place: u32, turn: u32) -> Option<&mut Payment> {
        self.payments.get_mut(place as usize).filter(|payment| payment.turn == turn && payment.stage != Stage::Free)
    }

    pub fn payment(&mut self, place: u32) -> &mut Payment {
        &mut self.payments[place as usize]
    }

    /// The payment of a quote or a transfer.
    pub fn place_of_id(&self, id: &[u8]) -> Option<u32> {
        self.by_id.get(&Id::parse(id)?).copied()
    }

    /// The payment to a party.
    pub fn place_of_party(&self, msisdn: &[u8]) -> Option<u32> {
        self.by_party[self.scheme.index_of(Party::parse(msisdn)?)?]
    }

    pub fn under_way(&self) -> usize {
        self.payments.len() - self.free.len()
    }

    /// Places of payments that were scheduled before this time.
    pub fn scheduled_before(&self, time: u64) -> Vec<u32> {
        let late = |payment: &Payment| payment.stage != Stage::Free && payment.scheduled < time;
        (0u32..).zip(&self.payments).filter(|(_, payment)| late(payment)).map(|(place, _)| place).collect()
    }

    /// A party of another DFSP within reach that nobody is paying: the one that was drawn, or the next that is free.
    fn free_payee(&mut self, payer: u8) -> Option<Party> {
        let (scheme, reach) = (self.scheme, self.reach);
        let is_reached = |dfsp: u8| dfsp != payer && scheme.is_within(reach, payer, dfsp);
        let mut dfsp = payer;
        for _ in 0..PAYEE_DRAWS_MAX {
            if is_reached(dfsp) {
                break;
            }
            dfsp = self.dfsps.draw(&mut self.random) as u8;
        }
        let first = self.parties.draw(&mut self.random) as u32;
        let (dfsps, parties) = (self.scheme.dfsps, self.scheme.parties);
        for dfsp in (0..dfsps).map(|step| (dfsp + step) % dfsps).filter(|dfsp| is_reached(*dfsp)) {
            let numbers = (0..parties).map(|step| (first + step) % parties);
            let mut candidates = numbers.map(|number| Party { dfsp, number });
            if let Some(party) = candidates.find(|party| self.is_free(*party)) {
                return Some(party);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::texts;
    use std::time::Duration;

    fn state(dfsps: u8, parties: u32) -> State {
        let scheme = Scheme::try_new(dfsps, parties).unwrap();
        State::new(scheme, 4, Random::seeded(9), texts(Duration::from_secs(60)))
    }

    fn begin(state: &mut State, scheduled: u64) -> Option<(u32, u32)> {
        let draft = state.draw()?;
        Some(state.begin(draft, (scheduled, state.time)))
    }

    #[test]
    fn no_two_payments_under_way_pay_the_same_party() {
        let mut state = state(3, 4);
        let mut paid = Vec::new();
        while let Some((place, _)) = begin(&mut state, 0) {
            let payment = state.payment(place);
            assert_ne!(payment.payer, payment.payee.dfsp);
            assert!(!paid.contains(&payment.payee), "{:?} is paid twice", payment.payee);
            paid.push(payment.payee);
        }
        assert!(paid.len() >= 8, "only {} of 12 parties could be paid", paid.len());
        assert_eq!(state.under_way(), paid.len());
    }

    #[test]
    fn payees_are_within_reach() {
        for reach in [Reach::OwnHub, Reach::OtherHubs] {
            let mut state = state(6, 4);
            (state.scheme, state.reach) = (state.scheme.over_hubs(2).unwrap(), reach);
            while let Some((place, _)) = begin(&mut state, 0) {
                let (payer, payee) = (state.payment(place).payer, state.payment(place).payee.dfsp);
                assert!(payer != payee && state.scheme.is_within(reach, payer, payee), "{payer} pays {payee}");
            }
            assert!(state.under_way() > 4);
        }
    }

    #[test]
    fn a_payment_is_found_by_its_ids_and_party_until_it_ends() {
        let mut state = state(12, 100);
        let (place, turn) = begin(&mut state, 7).unwrap();
        let (quote, transfer, payee) = {
            let payment = state.payment(place);
            (payment.quote.text(), payment.transfer.text(), payment.payee.msisdn())
        };
        assert_eq!(state.place_of_id(&quote), Some(place));
        assert_eq!(state.place_of_id(&transfer), Some(place));
        assert_eq!(state.place_of_party(&payee), Some(place));
        assert_eq!(state.scheduled_before(8), [place]);
        state.release(place);
        assert_eq!((state.place_of_id(&quote), state.place_of_party(&payee)), (None, None));
        assert!(state.current(place, turn).is_none());
        let (again, next_turn) = begin(&mut state, 8).unwrap();
        assert_eq!(again, place);
        assert!(state.current(place, turn).is_none() && state.current(place, next_turn).is_some());
    }
}
