//! Net debit caps (contract, administration §1.10).

use super::{AccountRecord, AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use ledger::{Account, AccountKind, Cap};
use vocabulary::{Amount, Currency, FspId};

/// Replaces the net debit cap of a participant in a currency. The cap may be of any sign and above the liquidity: a
/// transfer must pass both checks.
#[derive(Clone, Debug)]
pub struct SetLimit {
    pub participant: FspId,
    pub currency: Currency,
    pub cap: Cap,
}

/// Replaces the net debit cap of a participant in a currency by a share of its liquidity, which it follows from then on.
#[derive(Clone, Debug)]
pub struct SetCapShare {
    pub participant: FspId,
    pub currency: Currency,
    /// Per cent.
    pub share: Amount,
    pub alarm_percentage: Amount,
}

pub(super) fn set_share(directory: &Directory, command: &SetCapShare) -> Result<Vec<Change>, AdminRejection> {
    let (share, alarm_percentage) = (Some(command.share), command.alarm_percentage);
    let cap = Cap { limit: Amount::ZERO, alarm_percentage, share };
    set(directory, &SetLimit { participant: command.participant.clone(), currency: command.currency, cap })
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
        let cap = Cap { limit: amount(limit), alarm_percentage: amount("5.5"), share: None };
        AdminCommand::SetLimit(SetLimit { participant: fsp(name), currency: currency(code), cap })
    }

    #[test]
    fn a_cap_may_be_anything_and_leaves_the_balances_alone() {
        for limit in ["0", "-1", "99999999999999.9999"] {
            let mut scheme = Scheme::with_dfsp();
            let before = scheme.account("dfsp", "USD", AccountKind::Position).unwrap().clone();
            scheme.does(set_limit("dfsp", "USD", limit));
            let after = scheme.account("dfsp", "USD", AccountKind::Position).unwrap();
            let cap = Cap { limit: amount(limit), alarm_percentage: amount("5.5"), share: None };
            assert_eq!(after.account, Account { cap: Some(cap), ..before.account });
            assert_eq!(after.changed_at, before.changed_at);
        }
    }

    #[test]
    fn a_cap_that_is_a_share_becomes_fixed_by_the_next_fixed_one() {
        let mut scheme = Scheme::with_dfsp();
        let (share, alarm_percentage) = (amount("80"), amount("20"));
        let command = SetCapShare { participant: fsp("dfsp"), currency: currency("USD"), share, alarm_percentage };
        scheme.does(AdminCommand::SetCapShare(command));
        let cap = |scheme: &Scheme| scheme.account("dfsp", "USD", AccountKind::Position).unwrap().account.cap.unwrap();
        assert_eq!(cap(&scheme).limit_with(amount("100")), amount("80"));
        assert_eq!(cap(&scheme).alarm_percentage, alarm_percentage);
        scheme.does(set_limit("dfsp", "USD", "7"));
        assert_eq!(cap(&scheme).limit_with(amount("100")), amount("7"));
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
