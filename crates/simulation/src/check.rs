//! What must hold when everything has quieted down.

use crate::{
    dfsp::{Belief, Dfsp},
    message,
    payer::Outcome,
    plan::Plan,
    scheme::Scheme,
    tree,
};
use hub_core::{Subject, transfers::Stage};
use ledger::AccountKind;
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::{CorrelationId, Currency};

/// Everybody, by name where there are many.
pub struct World {
    pub plan: Arc<Plan>,
    pub schemes: Vec<Scheme>,
    pub dfsps: BTreeMap<String, Arc<Dfsp>>,
    /// Of each payment, in their order; none while its payer is still at it.
    pub outcomes: Vec<Option<Outcome>>,
}

/// A sentence for each thing that does not hold.
pub async fn check(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, scheme) in world.schemes.iter().enumerate() {
        problems.extend(scheme.verify().await.into_iter().map(|sentence| format!("hub {at}: {sentence}")));
        for record in scheme.directory().await.accounts {
            if !record.account.held.is_zero() {
                let account = record.account;
                problems.push(format!("hub {at}: {} {} still holds {}", account.kind, account.currency, account.held));
            }
        }
    }
    for (at, scheme) in world.schemes.iter().enumerate() {
        problems.extend(scheme.undelivered().await.into_iter().map(|message| format!("hub {at}: {message}")));
        for (fsp, proxy) in scheme.routes().await {
            let edge = place_of(&fsp).and_then(|place| tree::towards(&world.plan.edges, at, place));
            if edge.is_none_or(|edge| proxy != format!("proxy-{edge}")) {
                problems.push(format!("hub {at}: takes {fsp} to be behind {proxy}"));
            }
        }
    }
    for at in 0..world.plan.payments.len() {
        problems.extend(payment(world, at).await);
    }
    problems.extend(obligations(world).await);
    problems
}

/// The scheme of a name such as `dfsp-2-1` or `fxp-2`.
fn place_of(fsp: &str) -> Option<usize> {
    fsp.split('-').nth(1)?.parse().ok()
}

/// One outcome everywhere.
async fn payment(world: &World, at: usize) -> Vec<String> {
    let plan = &world.plan;
    let payment = &plan.payments[at];
    let number = payment.number;
    let transfer = message::id(plan.seed, number, 0);
    let conversion = message::id(plan.seed, number, 1);
    let id = |text: &str| text.parse::<CorrelationId>().expect("it was printed from one");
    let (mut stages, mut problems) = (Vec::new(), Vec::new());
    for (at, scheme) in world.schemes.iter().enumerate() {
        if let Some(known) = scheme.transfer(Subject::transfer(id(&transfer))).await {
            if known.legs.is_some_and(|[debtor, creditor]| debtor == creditor) {
                problems.push(format!("payment {number}: hub {at} makes an entry between a proxy and itself"));
            }
            stages.push((format!("hub {at}"), known.stage()));
        }
        if let Some(known) = scheme.transfer(Subject::conversion(id(&conversion))).await {
            stages.push((format!("hub {at}, conversion"), known.stage()));
        }
    }
    let is_committed = stages.iter().any(|(_, stage)| *stage == Stage::Committed);
    for (place, stage) in &stages {
        if stage.is_open() || (*stage == Stage::Committed) != is_committed {
            problems
                .push(format!("payment {number} is {stage:?} at {place}, but committed is {is_committed}: {stages:?}"));
        }
    }
    match world.outcomes[at] {
        Some(Outcome::Committed) if is_committed => {}
        Some(Outcome::NotSent | Outcome::Aborted) if !is_committed => {}
        outcome => problems.push(format!("payment {number}: its payer believes {outcome:?}: {stages:?}")),
    }
    let mut believers = vec![(format!("dfsp-{}-{}", payment.payee.0, payment.payee.1), &transfer)];
    believers.extend(payment.conversion.map(|(place, _)| (format!("fxp-{place}"), &conversion)));
    for (name, id) in believers {
        let belief = world.dfsps[&name].belief(id);
        let fits = match belief {
            Some(Belief::Committed) => is_committed,
            None | Some(Belief::Aborted) => !is_committed,
            Some(Belief::Open | Belief::Reserved) => false,
        };
        if !fits {
            problems.push(format!("payment {number}: {name} believes {belief:?}: {stages:?}"));
        }
    }
    problems
}

/// What a proxy owes in one scheme it is owed in the other.
async fn obligations(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    for (edge, (one, other)) in world.plan.edges.iter().enumerate() {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for scheme in [one, other] {
            let directory = world.schemes[*scheme].directory().await;
            let name = format!("proxy-{edge}");
            let proxy = directory.participants.iter().find(|known| known.participant.name.as_str() == name);
            let Some(owner) = proxy.map(|known| known.participant.id) else { continue };
            let positions = directory.accounts.iter().map(|record| &record.account);
            for account in positions.filter(|account| account.owner == owner && account.kind == AccountKind::Position) {
                *sums.entry(account.currency).or_default() += account.posted.units();
            }
        }
        let unequal = sums.into_iter().filter(|(_, sum)| *sum != 0);
        problems.extend(unequal.map(|(currency, sum)| {
            format!("between schemes {one} and {other} the obligations in {currency} add up to {sum} instead of zero")
        }));
    }
    problems
}
