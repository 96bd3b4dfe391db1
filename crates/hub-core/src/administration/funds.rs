//! What is checked of a funds movement before it is accepted (contract, administration §1.13). Everything later, the
//! balance included, shows in the transfer only.

use super::{AdminRejection, Directory};
use ledger::{AccountId, AccountKind};
use vocabulary::{Currency, FspId};

/// Checks that money can be moved on an account: the participant's own, active, of type SETTLEMENT, and, where one is
/// named, in the currency.
pub fn check_funds(
    directory: &Directory,
    participant: &FspId,
    account: AccountId,
    currency: Option<Currency>,
) -> Result<(), AdminRejection> {
    let owner = &directory.participant(participant).ok_or(AdminRejection::ParticipantNotFound)?.participant;
    if !owner.is_active {
        return Err(AdminRejection::ParticipantInactive);
    }
    let account = directory
        .account_by_id(account)
        .map(|record| &record.account)
        .filter(|account| account.owner == owner.id)
        .filter(|account| currency.is_none_or(|currency| account.currency == currency))
        .ok_or(AdminRejection::AccountDoesNotMatch)?;
    if !account.is_active {
        return Err(AdminRejection::AccountInactive);
    }
    if account.kind == AccountKind::Settlement { Ok(()) } else { Err(AdminRejection::NotASettlementAccount) }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{HUB, Scheme, create, currency, fsp};
    use super::super::{AdminCommand, SetParticipantActivity};
    use super::*;

    #[test]
    fn money_moves_on_the_participants_own_active_settlement_account_only() {
        let mut scheme = Scheme::with_dfsp();
        scheme.does(create("closed", "USD"));
        let id = |owner, kind| scheme.account(owner, "USD", kind).unwrap().account.id;
        let settlement = id("dfsp", AccountKind::Settlement);
        for (name, account, code, expected) in [
            ("dfsp", settlement, Some("USD"), Ok(())),
            ("dfsp", settlement, None, Ok(())),
            ("nobody", settlement, None, Err(AdminRejection::ParticipantNotFound)),
            ("dfsp", settlement, Some("EUR"), Err(AdminRejection::AccountDoesNotMatch)),
            (HUB, settlement, None, Err(AdminRejection::AccountDoesNotMatch)),
            ("dfsp", AccountId(99), None, Err(AdminRejection::AccountDoesNotMatch)),
            ("closed", id("closed", AccountKind::Position), None, Err(AdminRejection::AccountInactive)),
            ("dfsp", id("dfsp", AccountKind::Position), None, Err(AdminRejection::NotASettlementAccount)),
        ] {
            let outcome = check_funds(&scheme.directory, &fsp(name), account, code.map(currency));
            assert_eq!(outcome, expected, "{name} {account:?} {code:?}");
        }
        scheme
            .does(AdminCommand::SetParticipantActivity(SetParticipantActivity { name: fsp("dfsp"), is_active: false }));
        let outcome = check_funds(&scheme.directory, &fsp("dfsp"), AccountId(99), None);
        assert_eq!(outcome, Err(AdminRejection::ParticipantInactive));
    }
}
