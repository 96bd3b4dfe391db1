//! When it has become quiet: do hub, payers and payees agree?
//!
//! Invariant: every transfer that was sent is asked for at the hub and judged; a transfer that was not acknowledged may
//! be unknown to the hub, an acknowledged one may not.

use super::{
    CrashReport,
    world::{Outcome, PayeeView, PayerView, World},
};
use crate::{
    clock,
    provision::{self, Client},
    random::Id,
    scheme::{dfsp_name, dfsp_text},
    template::{Field, Values},
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, timeout};
use vocabulary::Amount;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Waits until every acknowledged transfer has ended on both sides, or long enough, and judges.
pub async fn reach(world: &World, client: &Client, administration: SocketAddr, quiet: Duration) -> CrashReport {
    let has_ended = timeout(quiet, world.wait_until(all_ended)).await;
    ask_for_states(world).await;
    let mut report = CrashReport { repeated: world.repeated.get(), ..CrashReport::default() };
    report.breaches = world.breaches.borrow().clone();
    if has_ended.is_err() {
        report.breaches.push(format!("not every transfer has ended within {} s", quiet.as_secs()));
    }
    let mut expected = vec![Amount::ZERO; usize::from(world.scheme.dfsps)];
    for (id, payer) in world.payers.borrow().iter() {
        let payee = world.payees.borrow().get(id).cloned();
        let hub = world.hub_states.borrow().get(id).copied();
        report.sent += 1;
        report.acknowledged += usize::from(payer.acknowledged);
        report.committed += usize::from(hub == Some(Outcome::Committed));
        report.aborted += usize::from(hub == Some(Outcome::Aborted));
        if hub == Some(Outcome::Committed) {
            add(&mut expected[usize::from(payer.payer)], Some(payer.amount));
            add(&mut expected[usize::from(payer.payee)], payer.amount.checked_neg());
        }
        if let Some(breach) = breach(payer, payee.as_ref(), hub) {
            report.breaches.push(format!("transfer {}: {breach}", String::from_utf8_lossy(&id.text())));
        }
    }
    report.breaches.extend(position_breaches(world, client, administration, &expected).await);
    report
}

fn all_ended(world: &World) -> bool {
    let payees = world.payees.borrow();
    let payee_has_ended = |id: &Id| payees.get(id).is_none_or(|view| view.outcome.is_some());
    let payers = world.payers.borrow();
    world.paying.get() == 0
        && payers.iter().all(|(id, view)| view.acknowledged && view.outcome.is_some() && payee_has_ended(id))
}

/// `GET /transfers/{ID}` from the payer of each.
async fn ask_for_states(world: &World) {
    world.is_asking.set(true);
    let transfers: Vec<(Id, u8)> = world.payers.borrow().iter().map(|(id, view)| (*id, view.payer)).collect();
    let time = clock::texts(Duration::ZERO);
    for (id, payer) in &transfers {
        let (payer, transfer) = (dfsp_name(*payer), id.text());
        let mut request = Vec::new();
        let values =
            Values::new().with(Field::Payer, &payer).with(Field::TransferId, &transfer).with(Field::Date, &time.date);
        world.messages.get_transfers.render(&values, &mut request);
        world.send_until_acknowledged(&request, Instant::now() + ANSWER_TIMEOUT).await;
    }
    let all_answered = world.wait_until(|world| world.hub_states.borrow().len() == transfers.len());
    // A missing answer is found when its transfer is judged.
    let _ = timeout(ANSWER_TIMEOUT, all_answered).await;
}

/// What is wrong with a transfer, if anything.
fn breach(payer: &PayerView, payee: Option<&PayeeView>, hub: Option<Outcome>) -> Option<String> {
    let Some(hub) = hub else { return Some("the hub did not say what has become of it".to_owned()) };
    let payee_outcome = payee.and_then(|view| view.outcome);
    match hub {
        Outcome::Unknown if payer.acknowledged => Some("it was acknowledged, and the hub does not know it".to_owned()),
        Outcome::Unknown => None,
        Outcome::Pending => Some("the hub has not ended it".to_owned()),
        Outcome::Committed | Outcome::Aborted if payer.outcome != Some(hub) => {
            Some(format!("the hub says {hub:?}, the payer knows {:?}", payer.outcome))
        }
        Outcome::Committed if payee_outcome != Some(hub) => {
            Some(format!("the hub says {hub:?}, the payee knows {payee_outcome:?}"))
        }
        Outcome::Aborted if payee.is_some() && payee_outcome != Some(hub) => {
            Some(format!("the hub says {hub:?}, the payee knows {payee_outcome:?}"))
        }
        Outcome::Aborted if payee.is_some_and(|view| view.fulfilled_in_time) => {
            Some("its fulfilment was acknowledged in time, and it is aborted".to_owned())
        }
        Outcome::Committed | Outcome::Aborted => None,
    }
}

async fn position_breaches(
    world: &World,
    client: &Client,
    administration: SocketAddr,
    expected: &[Amount],
) -> Vec<String> {
    let positions = match provision::positions(client, administration, world.scheme).await {
        Ok(positions) => positions,
        Err(error) => return vec![error.to_string()],
    };
    let differs = |(dfsp, (position, expected)): (u8, (&Amount, &Amount))| {
        let name = dfsp_text(dfsp);
        (position != expected)
            .then(|| format!("the position of {name} is {position}, its committed transfers add up to {expected}"))
    };
    (0u8..).zip(positions.iter().zip(expected)).filter_map(differs).collect()
}

fn add(sum: &mut Amount, amount: Option<Amount>) {
    *sum = amount.and_then(|amount| sum.checked_add(amount)).expect("amounts below ten do not add up to an overflow");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer(outcome: Option<Outcome>) -> PayerView {
        PayerView { payer: 0, payee: 1, amount: Amount::from_units(10_100), acknowledged: true, outcome }
    }

    #[test]
    fn agreement_on_all_three_sides_is_no_breach() {
        let payee = |outcome| Some(PayeeView { fulfilled_in_time: false, outcome: Some(outcome) });
        for end in [Outcome::Committed, Outcome::Aborted] {
            assert_eq!(breach(&payer(Some(end)), payee(end).as_ref(), Some(end)), None);
        }
        assert_eq!(breach(&payer(Some(Outcome::Aborted)), None, Some(Outcome::Aborted)), None);
        let unacknowledged = PayerView { acknowledged: false, ..payer(None) };
        assert_eq!(breach(&unacknowledged, None, Some(Outcome::Unknown)), None);
    }

    #[test]
    fn every_disagreement_is_a_breach() {
        let knows = |outcome| PayeeView { fulfilled_in_time: false, outcome };
        let in_time = PayeeView { fulfilled_in_time: true, outcome: Some(Outcome::Aborted) };
        let committed = Some(Outcome::Committed);
        let aborted = Some(Outcome::Aborted);
        for (payer_knows, payee, hub) in [
            (committed, Some(knows(committed)), None),
            (committed, Some(knows(committed)), Some(Outcome::Unknown)),
            (None, None, Some(Outcome::Pending)),
            (None, Some(knows(committed)), committed),
            (aborted, Some(knows(committed)), committed),
            (committed, None, committed),
            (committed, Some(knows(None)), committed),
            (aborted, Some(knows(None)), aborted),
            (aborted, Some(knows(committed)), aborted),
            (aborted, Some(in_time), aborted),
        ] {
            assert!(breach(&payer(payer_knows), payee.as_ref(), hub).is_some(), "{payer_knows:?} {payee:?} {hub:?}");
        }
    }
}
