//! Accounts and settlement models are of types that exist: the built-in ones, and those that operators have added.

use super::{Report, Snapshot};
use ledger::AccountKind;

pub(super) fn check(snapshot: &Snapshot, report: &mut Report) {
    let is_missing = |kind: AccountKind| {
        !AccountKind::BUILT_IN.contains(&kind)
            && !snapshot.account_types.iter().any(|known| AccountKind::Custom(known.name) == kind)
    };
    for account in snapshot.accounts.iter().filter(|account| is_missing(account.kind)) {
        let (id, kind, currency) = (account.id.0, account.kind, account.currency);
        report.say(format!("Account {id} ({kind} {currency}) is of a ledger account type that does not exist."));
    }
    for model in &snapshot.models {
        for kind in [model.ledger_account, model.settlement_account].into_iter().filter(|kind| is_missing(*kind)) {
            let name = &model.name;
            report.say(format!("Settlement model {name} names the ledger account type {kind}, which does not exist."));
        }
    }
}
