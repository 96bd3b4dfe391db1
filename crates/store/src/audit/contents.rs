//! Contents: their totals are what the payments of their window moved, nothing of a closed window is without one, and each
//! is bound to the settlement that settles it (contract, administration §2.3, §2.4).

use super::{
    Decimal, Report, Snapshot, Totals,
    entries::{Entries, Moved},
};
use hub_core::{
    WindowId,
    administration::is_settleable,
    settlement::{Content, ContentId, Settlement, SettlementId, SettlementState, WindowState},
};
use ledger::{Account, AccountId};
use std::collections::BTreeMap;

type Accounts<'a> = BTreeMap<AccountId, &'a Account>;

pub(super) fn check(
    entries: &Entries,
    snapshot: &Snapshot,
    totals: &Totals,
    accounts: &Accounts<'_>,
    report: &mut Report,
) {
    let mut moved = entries.moved();
    let contents: BTreeMap<ContentId, &Content> =
        snapshot.contents.iter().map(|content| (content.id, content)).collect();
    let settlements: BTreeMap<SettlementId, &Settlement> =
        snapshot.settlements.iter().map(|settlement| (settlement.id, settlement)).collect();
    for id in totals.keys().filter(|id| !contents.contains_key(id)) {
        report.say(format!("There are totals of content {}, which does not exist.", id.0));
    }
    for content in &snapshot.contents {
        check_totals(content, totals, (accounts, &mut moved), report);
        check_binding(content, totals, &settlements, report);
    }
    check_rest(snapshot, accounts, &moved, report);
}

/// Takes what a content has out of what was moved.
fn check_totals(
    content: &Content,
    totals: &Totals,
    (accounts, moved): (&Accounts<'_>, &mut BTreeMap<(WindowId, AccountId), Moved>),
    report: &mut Report,
) {
    let name = name(content);
    let mut sum = 0;
    for total in totals.get(&content.id).into_iter().flatten() {
        let account = total.account.0;
        let found = Moved { debits: total.debits.units().into(), credits: total.credits.units().into() };
        let expected = moved.remove(&(content.window, total.account)).unwrap_or_default();
        sum += found.debits - found.credits;
        if found != expected {
            report.say(format!(
                "{name} says that account {account} was debited {} and credited {}, but the entries of the window add up \
                 to {} and {}.",
                Decimal(found.debits),
                Decimal(found.credits),
                Decimal(expected.debits),
                Decimal(expected.credits),
            ));
        }
        let fits = |known: &&Account| known.kind == content.ledger_account && known.currency == content.currency;
        if !accounts.get(&total.account).is_some_and(fits) {
            report.say(format!("{name} has a total of account {account}, which is not of its type and currency."));
        }
    }
    if sum != 0 {
        report.say(format!("The totals of {} add up to {} instead of zero.", lower(&name), Decimal(sum)));
    }
}

fn check_binding(
    content: &Content,
    totals: &Totals,
    settlements: &BTreeMap<SettlementId, &Settlement>,
    report: &mut Report,
) {
    let (name, state) = (name(content), content.state.as_str());
    let needs_settlement = match content.state {
        WindowState::PendingSettlement | WindowState::Settled => true,
        WindowState::Closed | WindowState::Aborted => false,
        WindowState::Open | WindowState::Processing | WindowState::Failed => {
            return report.say(format!("{name} is {state}, which a content never is."));
        }
    };
    let Some(id) = content.settlement else {
        if needs_settlement {
            report.say(format!("{name} is {state}, but is bound to no settlement."));
        }
        return;
    };
    let number = id.0;
    if !needs_settlement {
        report.say(format!("{name} is {state}, but is bound to settlement {number}."));
    }
    let Some(settlement) = settlements.get(&id) else {
        return report.say(format!("{name} is bound to settlement {number}, which does not exist."));
    };
    if settlement.state == SettlementState::Aborted {
        report.say(format!("{name} is bound to settlement {number}, which was aborted."));
    }
    if !settlement.windows.contains(&content.window) {
        report.say(format!("{name} is bound to settlement {number}, which does not list its window."));
    }
    let own = |account: AccountId| totals.get(&content.id).into_iter().flatten().any(|total| total.account == account);
    let mut of_content = settlement.accounts.iter().filter(|account| own(account.account));
    let all_settled = of_content.all(|account| account.state == SettlementState::Settled);
    if all_settled != (content.state == WindowState::Settled) {
        report.say(format!("{name} is {state}, which its accounts in settlement {number} contradict."));
    }
}

/// What payments moved and no content has: it would never be settled.
fn check_rest(
    snapshot: &Snapshot,
    accounts: &Accounts<'_>,
    moved: &BTreeMap<(WindowId, AccountId), Moved>,
    report: &mut Report,
) {
    let has_contents = |state| match state {
        WindowState::Open | WindowState::Processing | WindowState::Failed => false,
        WindowState::Closed | WindowState::PendingSettlement | WindowState::Settled | WindowState::Aborted => true,
    };
    let complete: Vec<WindowId> =
        snapshot.windows.iter().filter(|row| has_contents(row.window.state)).map(|row| row.window.id).collect();
    for ((window, account), moved) in moved {
        let Some(known) = accounts.get(account) else { continue };
        if complete.contains(window) && is_settleable(&snapshot.account_types, known.kind) {
            report.say(format!(
                "Account {} ({} {}) was debited {} and credited {} in window {}, which has no content with it.",
                account.0,
                known.kind,
                known.currency,
                Decimal(moved.debits),
                Decimal(moved.credits),
                window.0,
            ));
        }
    }
}

fn name(content: &Content) -> String {
    let Content { id, window, ledger_account, currency, .. } = content;
    format!("Content {} ({ledger_account} {currency} of window {})", id.0, window.0)
}

fn lower(name: &str) -> String {
    name.replacen("Content", "content", 1)
}
