//! Taking the accounts of a settlement through their states (contract, administration §2.5 and §3.6).

use super::{
    AccountRefusal, AdvanceAccount, AdvanceSettlement, AdvancedAccount, Books, Content, Settled, Settlement,
    SettlementAnswer, SettlementRejection, SettlementState, Window, WindowState, postings::Postings,
};
use crate::administration::Change;
use alloc::{collections::BTreeSet, format, vec::Vec};
use ledger::AccountId;
use vocabulary::{FspId, Timestamp};

/// Moves each account that may move; the others are refused one by one.
pub(super) fn advance(
    books: &Books,
    command: &AdvanceSettlement,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Settled, SettlementRejection> {
    let unknown = SettlementRejection::SettlementNotFound(command.settlement);
    let mut settlement = books.settlement.clone().ok_or(unknown)?;
    let begun_in = settlement.state;
    let mut postings = Postings::new(books, &settlement, hub_name)?;
    let (mut changes, mut accounts, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for asked in &command.accounts {
        let outcome = match allowed(books, &settlement, asked, &mut seen) {
            Ok(Step::Same) => Ok(()),
            Ok(Step::Next) => postings.enter(&settlement, asked, now),
            Err(refusal) => Err(refusal),
        };
        if outcome.is_ok() {
            let account = account_mut(&mut settlement, asked.account).expect("what is allowed is in the settlement");
            account.state = asked.state;
            account.reason = asked.reason.clone();
            if asked.external_reference.is_some() {
                account.external_reference = asked.external_reference.clone();
            }
            account.changed_at = now;
            changes.push(Change::SetSettlementAccount(command.settlement, account.clone()));
        }
        accounts.push(AdvancedAccount { participant: asked.participant, account: asked.account, outcome });
    }
    changes.extend(postings.into_changes());
    settlement.state = state_after(begun_in, &settlement);
    if settlement.state != begun_in {
        settlement.reason = format!("Accounts have advanced to {}", settlement.state.as_str()).into();
        settlement.changed_at = now;
        changes.push(Change::SetSettlement(settlement.clone()));
    }
    changes.extend(settled_windows(books, &settlement, now));
    Ok(Settled { changes, answer: SettlementAnswer::Advanced { settlement, accounts } })
}

enum Step {
    /// The account is there already; only the reason is new.
    Same,
    Next,
}

/// Judged by the state of the settlement when the request came, so that all accounts go in step.
fn allowed(
    books: &Books,
    settlement: &Settlement,
    asked: &AdvanceAccount,
    seen: &mut BTreeSet<AccountId>,
) -> Result<Step, AccountRefusal> {
    let account = settlement.accounts.iter().find(|account| account.account == asked.account);
    let account = account.ok_or(AccountRefusal::NotFound)?;
    let owner = books.directory.account_by_id(asked.account).map(|record| record.account.owner);
    if owner != Some(asked.participant) {
        return Err(AccountRefusal::OfAnotherParticipant);
    }
    if !seen.insert(asked.account) {
        return Err(AccountRefusal::ListedTwice);
    }
    if account.state == asked.state {
        return Ok(Step::Same);
    }
    let next = next_of_accounts(settlement.state);
    if next == Some(asked.state) { Ok(Step::Next) } else { Err(AccountRefusal::StateChangeNotAllowed) }
}

/// The state that accounts of a settlement enter next.
pub(super) fn next_of_accounts(settlement: SettlementState) -> Option<SettlementState> {
    match settlement {
        SettlementState::PendingSettlement => Some(SettlementState::Recorded),
        SettlementState::Recorded => Some(SettlementState::Reserved),
        SettlementState::Reserved => Some(SettlementState::Committed),
        SettlementState::Committed | SettlementState::Settling => Some(SettlementState::Settled),
        SettlementState::Settled | SettlementState::Aborted => None,
    }
}

/// The state of a settlement that was in another, by where its accounts are now.
fn state_after(before: SettlementState, settlement: &Settlement) -> SettlementState {
    let left_in = |state| settlement.accounts.iter().any(|account| account.state == state);
    match before {
        SettlementState::PendingSettlement | SettlementState::Recorded | SettlementState::Reserved => {
            if left_in(before) { before } else { next_of_accounts(before).expect("these states have a next one") }
        }
        SettlementState::Committed | SettlementState::Settling => {
            match (left_in(SettlementState::Committed), left_in(SettlementState::Settled)) {
                (true, false) => before,
                (true, true) => SettlementState::Settling,
                (false, _) => SettlementState::Settled,
            }
        }
        SettlementState::Settled | SettlementState::Aborted => before,
    }
}

/// Contents all of whose accounts are settled, and the windows all of whose contents are.
fn settled_windows(books: &Books, settlement: &Settlement, now: Timestamp) -> Vec<Change> {
    let is_settled = |account: AccountId| {
        let known = settlement.accounts.iter().find(|known| known.account == account);
        known.is_some_and(|known| known.state == SettlementState::Settled)
    };
    let mut changes = Vec::new();
    for window in &books.windows {
        let is_due = |content: &&Content| {
            content.settlement == Some(settlement.id)
                && content.state == WindowState::PendingSettlement
                && content.totals.iter().all(|total| is_settled(total.account))
        };
        let due: Vec<&Content> = window.contents.iter().filter(is_due).collect();
        let settled = due.iter().map(|content| Content {
            state: WindowState::Settled,
            changed_at: now,
            ..Content::clone(content)
        });
        changes.extend(settled.map(Change::SetContent));
        let is_over = |content: &Content| content.state == WindowState::Settled || is_due(&content);
        if !due.is_empty() && window.contents.iter().all(is_over) {
            let reason = "All of the window is settled".into();
            changes.push(Change::SetWindow(Window {
                state: WindowState::Settled,
                reason,
                changed_at: now,
                ..window.clone()
            }));
        }
    }
    changes
}

fn account_mut(settlement: &mut Settlement, id: AccountId) -> Option<&mut super::SettlementAccount> {
    settlement.accounts.iter_mut().find(|account| account.account == id)
}
