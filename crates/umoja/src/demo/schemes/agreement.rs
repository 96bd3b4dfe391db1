//! Whether all sides agree: what each hub, each DFSP and each proxy's accounts say after a payment.
//!
//! Invariant: a payment ends the same everywhere; the positions of a hub sum to zero in each currency; what a proxy owes in
//! one scheme, it is owed in the other; and every DFSP's own books name the position that its hub names.

use super::world::World;
use crate::demo::cast::{PROVIDER, currencies};
use crate::demo::script::Seen;
use dfsp::{Account, Bank};
use hub_core::transfers::Stage;
use std::collections::BTreeMap;
use vocabulary::{Amount, CorrelationId, Currency};

/// What a hub knows of a payment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HubSees {
    pub transfer: Seen,
    /// What has become of its conversions, all of them; none if there are none.
    pub conversions: Option<Seen>,
}

/// Positions by name and currency.
type Positions = BTreeMap<(&'static str, String), Amount>;

/// What the hub of a scheme has recorded.
pub async fn hub_sees(world: &World, at: usize, id: CorrelationId) -> Result<HubSees, String> {
    let trace = world.schemes[at].hub.hub().trace(id).await.map_err(|error| error.to_string())?;
    let Some(trace) = trace else { return Ok(HubSees { transfer: Seen::Nothing, conversions: None }) };
    let transfer = trace.transfer.map_or(Seen::Nothing, |known| seen(known.transfer.stage()));
    let stages: Vec<Seen> = trace.conversions.iter().map(|known| seen(known.transfer.stage())).collect();
    let conversions =
        stages.first().map(|first| if stages.iter().all(|one| one == first) { *first } else { Seen::Open });
    Ok(HubSees { transfer, conversions })
}

fn seen(stage: Stage) -> Seen {
    match stage {
        Stage::Reserved | Stage::Forwarded | Stage::Agreed => Seen::Open,
        Stage::Committed => Seen::Committed,
        Stage::Aborted | Stage::Refused => Seen::Aborted,
    }
}

/// A sentence for each thing in which accounts differ from what they must be.
pub async fn money_problems(world: &World) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for at in 0..world.schemes.len() {
        let positions = positions(world, at).await?;
        problems.extend(sums(world, at, &positions));
        problems.extend(books(world, at, &positions));
        let differences = world.schemes[at].hub.hub().verify().await.map_err(|error| error.to_string())?;
        problems.extend(differences.into_iter().map(|what| format!("{}: {what}", world.schemes[at].play.hub)));
        all.push(positions);
    }
    for (number, link) in world.links.iter().enumerate() {
        for code in link.bridge.currencies {
            let key = (link.bridge.name, (*code).to_owned());
            let [left, right] = [number, number + 1].map(|at| all[at].get(&key).copied().unwrap_or_default());
            if left.checked_add(right) != Some(Amount::ZERO) {
                let (name, hubs) = (link.bridge.name, [number, number + 1].map(|at| world.schemes[at].play.hub));
                problems.push(format!("{name} owes {left} {code} in {} and {right} in {}", hubs[0], hubs[1]));
            }
        }
    }
    Ok(problems)
}

async fn positions(world: &World, at: usize) -> Result<Positions, String> {
    let mut positions = Positions::new();
    for (name, currency) in world.positions(at) {
        let position = world.schemes[at].admin.position(name, currency).await?;
        positions.insert((name, currency.to_string()), position);
    }
    Ok(positions)
}

fn sums(world: &World, at: usize, positions: &Positions) -> Vec<String> {
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    for ((_, currency), position) in positions {
        *sums.entry(currency).or_default() += i128::from(position.units());
    }
    let uneven = sums.into_iter().filter(|(_, sum)| *sum != 0);
    let hub = world.schemes[at].play.hub;
    uneven.map(|(currency, _)| format!("the positions of {hub} in {currency} do not sum to zero")).collect()
}

/// Each participant that keeps books of its own names the position that the hub names.
fn books(world: &World, at: usize, positions: &Positions) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |name: &'static str, currency: Currency, own: Amount| {
        let position = positions.get(&(name, currency.to_string())).copied().unwrap_or_default();
        if own != position {
            problems.push(format!("the hub's position of {name} is {position} {currency}, its own is {own}"));
        }
    };
    let scheme = &world.schemes[at];
    for banker in &scheme.banks {
        let bank: &Bank = banker.running.bank();
        compare(banker.part.name, banker.part.currency(), bank.balance_of(&Account::Position));
    }
    if let Some(provider) = &scheme.provider {
        for currency in currencies() {
            compare(PROVIDER, currency, provider.treasury().position(currency));
        }
    }
    let uneven = scheme.banks.iter().filter(|banker| !banker.running.bank().is_balanced());
    problems.extend(uneven.map(|banker| format!("the books of {} do not sum to zero", banker.part.title)));
    problems
}
