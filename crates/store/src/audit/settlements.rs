//! Settlements: nets are what their contents add up to, states follow from those of the accounts, and positions have moved
//! as the states ask (contract, administration §2.5, §3.6).

use super::{
    Decimal, Report, Snapshot, Totals,
    entries::{Entries, Step},
};
use hub_core::{
    administration::SettlementModel,
    settlement::{Settlement, SettlementAccount, SettlementId, SettlementState},
};
use ledger::{Account, AccountId, AccountKind, EntryKind, ParticipantId};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Currency;

type Accounts<'a> = BTreeMap<AccountId, &'a Account>;

pub(super) fn check(
    entries: &Entries,
    snapshot: &Snapshot,
    totals: &Totals,
    accounts: &Accounts<'_>,
    report: &mut Report,
) {
    let models: BTreeMap<i64, &SettlementModel> = snapshot.models.iter().map(|model| (model.id, model)).collect();
    let is_hub = |account: &&Account| {
        account.owner == ParticipantId::HUB && account.kind == AccountKind::HubMultilateralSettlement
    };
    let hub: BTreeMap<Currency, AccountId> =
        snapshot.accounts.iter().filter(is_hub).map(|account| (account.currency, account.id)).collect();
    let mut nets = nets_of_contents(snapshot, totals);
    for settlement in &snapshot.settlements {
        check_nets(settlement, nets.remove(&settlement.id).unwrap_or_default(), accounts, report);
        check_states(settlement, report);
        let steps = entries.steps().get(&settlement.id.0).map_or(&[][..], Vec::as_slice);
        match models.get(&settlement.model) {
            Some(model) => check_steps(settlement, model, (steps, accounts, &hub), report),
            None => {
                let (id, model) = (settlement.id.0, settlement.model);
                report.say(format!("Settlement {id} is of model {model}, which does not exist."));
            }
        }
    }
    let known: BTreeSet<i64> = snapshot.settlements.iter().map(|settlement| settlement.id.0).collect();
    for (settlement, steps) in entries.steps().iter().filter(|(id, _)| !known.contains(id)) {
        for step in steps {
            report.say(format!("Entry {} names settlement {settlement}, which does not exist.", step.id));
        }
    }
}

/// What the contents that are bound to each settlement add up to.
fn nets_of_contents(snapshot: &Snapshot, totals: &Totals) -> BTreeMap<SettlementId, BTreeMap<AccountId, i128>> {
    let mut nets: BTreeMap<SettlementId, BTreeMap<AccountId, i128>> = BTreeMap::new();
    for content in &snapshot.contents {
        let Some(settlement) = content.settlement else { continue };
        for total in totals.get(&content.id).into_iter().flatten() {
            let net = nets.entry(settlement).or_default().entry(total.account).or_default();
            *net += i128::from(total.debits.units()) - i128::from(total.credits.units());
        }
    }
    nets
}

fn check_nets(
    settlement: &Settlement,
    mut expected: BTreeMap<AccountId, i128>,
    accounts: &Accounts<'_>,
    report: &mut Report,
) {
    let id = settlement.id.0;
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for SettlementAccount { account, net, .. } in &settlement.accounts {
        let (number, net) = (account.0, i128::from(net.units()));
        match accounts.get(account) {
            Some(known) => *sums.entry(known.currency).or_default() += net,
            None => report.say(format!("Settlement {id} lists account {number}, which does not exist.")),
        }
        let contents = expected.remove(account).unwrap_or_default();
        // An aborted settlement has let go of its contents.
        if settlement.state != SettlementState::Aborted && net != contents {
            let (net, contents) = (Decimal(net), Decimal(contents));
            report.say(format!(
                "Settlement {id} has the net amount {net} for account {number}, but its contents add up to {contents}."
            ));
        }
    }
    for (account, net) in expected.into_iter().filter(|(_, net)| *net != 0) {
        let (number, net) = (account.0, Decimal(net));
        report.say(format!("Settlement {id} does not list account {number}, for which its contents add up to {net}."));
    }
    for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        let sum = Decimal(sum);
        report.say(format!("The net amounts of settlement {id} in {currency} add up to {sum} instead of zero."));
    }
}

/// Accounts go from one state to the next together: a settlement is in the state of those that are furthest behind.
fn check_states(settlement: &Settlement, report: &mut Report) {
    use SettlementState::{Aborted, Committed, PendingSettlement, Recorded, Reserved, Settled, Settling};
    let (behind, ahead) = match settlement.state {
        PendingSettlement => (PendingSettlement, Recorded),
        Recorded => (Recorded, Reserved),
        Reserved => (Reserved, Committed),
        Committed => (Committed, Committed),
        Settling => (Committed, Settled),
        Settled => (Settled, Settled),
        Aborted => (Aborted, Aborted),
    };
    let (id, state) = (settlement.id.0, settlement.state.as_str());
    for account in settlement.accounts.iter().filter(|account| ![behind, ahead].contains(&account.state)) {
        let (number, of_account) = (account.account.0, account.state.as_str());
        report.say(format!("Account {number} of settlement {id} is {of_account}, while the settlement is {state}."));
    }
    let has = |state| settlement.accounts.iter().any(|account| account.state == state);
    let lags = !settlement.accounts.is_empty() && !has(behind) || settlement.state == Settling && !has(Settled);
    if lags {
        report.say(format!("Settlement {id} is {state}, which the states of its accounts contradict."));
    }
}

fn check_steps(
    settlement: &Settlement,
    model: &SettlementModel,
    (steps, accounts, hub): (&[Step], &Accounts<'_>, &BTreeMap<Currency, AccountId>),
    report: &mut Report,
) {
    let id = settlement.id.0;
    let own: BTreeSet<AccountId> = settlement.accounts.iter().map(|account| account.account).collect();
    let mut of_account: BTreeMap<AccountId, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        match [step.debit, step.credit].into_iter().find(|account| own.contains(account)) {
            Some(account) => of_account.entry(account).or_default().push(step),
            None => {
                report.say(format!("Entry {} names settlement {id}, but moves none of its accounts.", step.id));
            }
        }
    }
    for account in &settlement.accounts {
        let Some(known) = accounts.get(&account.account) else { continue };
        let found = of_account.get(&account.account).map_or(&[][..], Vec::as_slice);
        let agrees = match hub.get(&known.currency) {
            Some(hub) if model.resets_positions => is_as_asked(account, *hub, found),
            Some(_) | None => found.is_empty() && (!model.resets_positions || account.net.is_zero()),
        };
        if !agrees {
            let (number, state, net) = (account.account.0, account.state.as_str(), account.net.units().into());
            let entries = found.iter().map(|step| step.id.to_string()).collect::<Vec<_>>().join(", ");
            let entries = if entries.is_empty() { "none".into() } else { entries };
            report.say(format!(
                "Account {number} of settlement {id} is {state} with the net amount {}, which its entries contradict: \
                 {entries}.",
                Decimal(net),
            ));
        }
    }
}

/// A net recipient moves when it is reserved, and back when that is aborted; a net sender when it is committed.
fn is_as_asked(account: &SettlementAccount, hub: AccountId, found: &[&Step]) -> bool {
    let (is_recipient, size) = (account.net.is_negative(), account.net.units().unsigned_abs());
    let (kind, forth) = match is_recipient {
        true => (EntryKind::SettlementNetRecipient, [account.account, hub]),
        false => (EntryKind::SettlementNetSender, [hub, account.account]),
    };
    let is = |step: &Step, legs: [AccountId; 2]| {
        step.kind == kind && [step.debit, step.credit] == legs && step.amount.unsigned_abs() == size && step.amount > 0
    };
    let has_moved = match account.state {
        SettlementState::PendingSettlement | SettlementState::Recorded => false,
        SettlementState::Reserved => is_recipient,
        SettlementState::Committed | SettlementState::Settling | SettlementState::Settled => true,
        SettlementState::Aborted => {
            return match found {
                [] => true,
                [first, second] => is_recipient && is(first, forth) && is(second, [forth[1], forth[0]]),
                [_] | [_, _, _, ..] => false,
            };
        }
    };
    match found {
        [] => !has_moved || size == 0,
        [only] => has_moved && size != 0 && is(only, forth),
        [_, _, ..] => false,
    }
}
