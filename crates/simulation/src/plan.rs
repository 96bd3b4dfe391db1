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
    pub strays: Vec<Stray>,
    /// Whether every message is printed.
    pub is_shown: bool,
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
    pub quirk: Quirk,
}

/// What a payer does beside paying.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quirk {
    None,
    /// Pays a number that nobody has.
    UnknownPayee,
    /// Sends the same payment again with another amount.
    OtherContent,
    /// Asks the payee itself what has become of the payment, instead of its hub.
    AsksPayee,
    /// Looks the payee up while its number still belongs to a DFSP of another scheme, and again after it has moved.
    PayeeMoves,
}

/// A look-up in the name of a DFSP of another scheme that comes through a proxy behind which it is not, for a number that
/// nobody has, so that nobody answers it.
#[derive(Clone, Debug)]
pub struct Stray {
    pub at_ms: u64,
    /// The scheme that it comes to.
    pub place: usize,
    pub source: String,
    pub edge: usize,
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

impl Payment {
    /// The DFSP that the payee's number belongs to before it moves.
    pub fn former_payee(&self, schemes: usize) -> Option<(usize, u64)> {
        let place = (self.payee.0 + 1) % schemes;
        // Never the payer.
        (self.quirk == Quirk::PayeeMoves).then_some((place, 1 - self.payer.1))
    }
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
        let mut payments: Vec<Payment> =
            (0..3 + random.below(6) as usize).filter_map(|number| payment(number, &schemes, &edges, random)).collect();
        let quirks = &mut Random::seeded(seed ^ 0x9e1c);
        for payment in &mut payments {
            payment.quirk = quirk(quirks);
            let may_move = payment.conversion.is_none() && payment.payer.0 != payment.payee.0;
            if payment.quirk == Quirk::PayeeMoves {
                // By then nobody repeats how the number was registered.
                payment.begins_ms += 15_000;
                payment.quirk = if may_move { Quirk::PayeeMoves } else { Quirk::None };
            }
        }
        let calm = random.below(4) == 0;
        let (lost, repeated) = if calm { (0, 0) } else { (random.below(150), random.below(150)) };
        let crashes = (0..if calm { 0 } else { random.below(4) }).map(|_| crash(count, &edges, random)).collect();
        let strays = strays(&edges, count, &mut Random::seeded(seed ^ 0x57a7));
        Self { seed, schemes, edges, payments, lost, repeated, crashes, strays, is_shown: false }
    }

    /// Prints every message while the history is played.
    pub fn shown(self) -> Self {
        Self { is_shown: true, ..self }
    }
}

/// In schemes that more than one proxy connects.
fn strays(edges: &[Edge], count: usize, random: &mut Random) -> Vec<Stray> {
    let mut strays = Vec::new();
    for _ in 0..random.below(3) * 6 {
        let (place, home) = (random.below(count as u64) as usize, random.below(count as u64) as usize);
        let right = tree::towards(edges, place, home);
        let wrong: Vec<usize> = (0..edges.len())
            .filter(|edge| (edges[*edge].0 == place || edges[*edge].1 == place) && Some(*edge) != right)
            .collect();
        let (source, at_ms) = (format!("dfsp-{home}-{}", random.below(DFSPS)), random.below(60_000));
        if let Some(edge) = wrong.get(random.below(wrong.len().max(1) as u64) as usize).filter(|_| place != home) {
            strays.push(Stray { at_ms, place, source, edge: *edge });
        }
    }
    strays
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
        quirk: Quirk::None,
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

fn quirk(random: &mut Random) -> Quirk {
    match random.below(16) {
        0 => Quirk::UnknownPayee,
        1 | 2 => Quirk::OtherContent,
        3..7 => Quirk::AsksPayee,
        7..9 => Quirk::PayeeMoves,
        _ => Quirk::None,
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
