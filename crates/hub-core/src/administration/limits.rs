//! Net debit caps (contract, administration §1.10).

use super::{AccountRecord, AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use ledger::{Account, AccountKind, Cap};
use vocabulary::{Currency, FspId};

/// Replaces the net debit cap of a participant in a currency. The cap may be of any sign and above the liquidity: a
/// transfer must pass both checks.
#[derive(Clone, Debug)]
pub struct SetLimit {
    pub participant: FspId,
    pub currency: Currency,
    pub cap: Cap,
}

pub(super) fn set(directory: &Directory, command: &SetLimit) -> Result<Vec<Change>, AdminRejection> {
    let position = directory
        .participant(&command.participant)
        .and_then(|owner| directory.account(owner.participant.id, command.currency, AccountKind::Position))
        .ok_or(AdminRejection::ParticipantNotFound)?;
    if position.account.cap.is_none() {
        return Err(AdminRejection::LimitNotFound);
    }
    let account = Account { cap: Some(command.cap), ..position.account };
    Ok(vec![Change::SetAccount(AccountRecord { account, ..position.clone() })])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scheme, amount, create, currency, fsp};
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    fn set_limit(name: &str, code: &str, limit: &str) -> AdminCommand {
        let cap = Cap { limit: amount(limit), alarm_percentage: amount("5.5") };
        AdminCommand::SetLimit(SetLimit { participant: fsp(name), currency: currency(code), cap })
    }

    #[test]
    fn a_cap_may_be_anything_and_leaves_the_balances_alone() {
        for limit in ["0", "-1", "99999999999999.9999"] {
            let mut scheme = Scheme::with_dfsp();
            let before = scheme.account("dfsp", "USD", AccountKind::Position).unwrap().clone();
            scheme.does(set_limit("dfsp", "USD", limit));
            let after = scheme.account("dfsp", "USD", AccountKind::Position).unwrap();
            let cap = Cap { limit: amount(limit), alarm_percentage: amount("5.5") };
            assert_eq!(after.account, Account { cap: Some(cap), ..before.account });
            assert_eq!(after.changed_at, before.changed_at);
        }
    }

    #[test]
    fn there_must_be_a_position_and_it_must_have_been_opened() {
        let mut scheme = Scheme::with_dfsp();
        assert_eq!(scheme.tries(set_limit("nobody", "USD", "1")), Err(AdminRejection::ParticipantNotFound));
        assert_eq!(scheme.tries(set_limit("dfsp", "EUR", "1")), Err(AdminRejection::ParticipantNotFound));
        scheme.does(create("closed", "USD"));
        assert_eq!(scheme.tries(set_limit("closed", "USD", "1")), Err(AdminRejection::LimitNotFound));
    }
}
