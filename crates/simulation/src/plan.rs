//! What a history is made of, from its seed.

use crate::tree::{self, Edge};
use harness::random::Random;

/// Currencies of the schemes; few, so that neighbours often share one.
const CURRENCIES: [&str; 3] = ["XTS", "KES", "ZMW"];
const DFSPS: u64 = 2;

/// One history.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub schemes: Vec<Scheme>,
    pub edges: Vec<Edge>,
    pub payments: Vec<Payment>,
    /// Messages of a thousand that are lost, and the same for those that arrive twice.
    pub lost: u64,
    pub repeated: u64,
    pub crashes: Vec<Crash>,
}

#[derive(Clone, Debug)]
pub struct Scheme {
    pub currency: &'static str,
    /// Whether it has a foreign exchange provider, for every pair of currencies.
    pub has_provider: bool,
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub number: usize,
    /// Scheme and number of the DFSP.
    pub payer: (usize, u64),
    pub payee: (usize, u64),
    /// In whole units of the payee's currency.
    pub amount: u64,
    /// The scheme whose provider converts, and what the payer gives in whole units of its currency.
    pub conversion: Option<(usize, u64)>,
    pub begins_ms: u64,
    pub payee_does: Answer,
    pub provider_does: Answer,
    pub expires_after_ms: u64,
}

/// What an FSP does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Agrees,
    /// The payee waits for the hub's word before it pays out.
    Reserves,
    Refuses,
    Silent,
    /// Agrees after a while, perhaps too late.
    Late(u64),
}

/// A hub, or a proxy, that is down for a while.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub what: Crashed,
    pub at_ms: u64,
    pub for_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crashed {
    Hub(usize),
    Proxy(usize),
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let random = &mut Random::seeded(seed);
        let count = 2 + random.below(4) as usize;
        let edges = tree::random(count, random);
        let schemes: Vec<Scheme> = (0..count)
            .map(|_| Scheme {
                currency: CURRENCIES[random.below(CURRENCIES.len() as u64) as usize],
                has_provider: random.below(2) == 0,
            })
            .collect();
        let payments =
            (0..3 + random.below(6) as usize).filter_map(|number| payment(number, &schemes, &edges, random)).collect();
        let calm = random.below(4) == 0;
        let (lost, repeated) = if calm { (0, 0) } else { (random.below(150), random.below(150)) };
        let crashes = (0..if calm { 0 } else { random.below(4) }).map(|_| crash(count, &edges, random)).collect();
        Self { seed, schemes, edges, payments, lost, repeated, crashes }
    }
}

fn payment(number: usize, schemes: &[Scheme], edges: &[Edge], random: &mut Random) -> Option<Payment> {
    let count = schemes.len() as u64;
    let payer = (random.below(count) as usize, random.below(DFSPS));
    let payee = (random.below(count) as usize, random.below(DFSPS));
    if payer == payee {
        return None;
    }
    let conversion = if schemes[payer.0].currency == schemes[payee.0].currency {
        None
    } else {
        // The provider is on the way, as in the contract's placements.
        let way = tree::path(edges, payer.0, payee.0);
        let places: Vec<usize> = way.into_iter().filter(|scheme| schemes[*scheme].has_provider).collect();
        let place = *places.get(random.below(places.len().max(1) as u64) as usize)?;
        Some((place, 1 + random.below(50)))
    };
    Some(Payment {
        number,
        payer,
        payee,
        amount: 1 + random.below(50),
        conversion,
        begins_ms: random.below(20_000),
        payee_does: answer(random),
        provider_does: answer(random),
        expires_after_ms: 3_000 + random.below(30_000),
    })
}

fn answer(random: &mut Random) -> Answer {
    match random.below(12) {
        0 => Answer::Refuses,
        1 => Answer::Silent,
        2 => Answer::Late(random.below(40_000)),
        3 | 4 => Answer::Reserves,
        _ => Answer::Agrees,
    }
}

fn crash(count: usize, edges: &[Edge], random: &mut Random) -> Crash {
    let what = if random.below(2) == 0 {
        Crashed::Hub(random.below(count as u64) as usize)
    } else {
        Crashed::Proxy(random.below(edges.len() as u64) as usize)
    };
    Crash { what, at_ms: random.below(60_000), for_ms: 100 + random.below(20_000) }
}
