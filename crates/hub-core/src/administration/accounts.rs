//! Accounts: those of the hub, and switching a participant's position off (contract, administration §1.12).

use super::{AccountRecord, AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use ledger::{Account, AccountId, AccountKind, ParticipantId};
use vocabulary::{Amount, Currency, FspId, Timestamp};

/// Creates an account of the hub, active and open, with balance zero.
#[derive(Clone, Debug)]
pub struct CreateHubAccount {
    /// Who the account is asked for; only the hub may have it.
    pub owner: FspId,
    pub currency: Currency,
    /// None where the name that was given is of no ledger account type.
    pub kind: Option<AccountKind>,
}

/// Lets a POSITION account take new transfers, or not.
#[derive(Clone, Debug)]
pub struct SetAccountActivity {
    pub participant: FspId,
    pub account: AccountId,
    pub is_active: bool,
}

/// The order of the checks is public: each has a text of its own that operators' tools show.
pub(super) fn create_for_hub(
    directory: &Directory,
    command: &CreateHubAccount,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    let owner = directory.participant(&command.owner).ok_or(AdminRejection::HubAccountOwnerNotFound)?.participant.id;
    let kind = command.kind.filter(|kind| directory.offers(*kind)).ok_or(AdminRejection::HubAccountTypeNotFound)?;
    if directory.account(owner, command.currency, kind).is_some_and(|known| known.account.is_active) {
        return Err(AdminRejection::HubAccountAlreadyRegistered);
    }
    if command.owner != *hub_name {
        return Err(AdminRejection::NotTheHub);
    }
    if !is_hub_kind(kind) {
        return Err(AdminRejection::HubAccountTypeNotAllowed);
    }
    let account = Account { is_active: true, ..empty(next_id(directory), owner, kind, command.currency) };
    Ok(vec![Change::AddAccount(AccountRecord {
        account,
        is_open: true,
        created_at: now,
        changed_at: now,
        liquidity_threshold: None,
    })])
}

pub(super) fn set_activity(directory: &Directory, command: &SetAccountActivity) -> Result<Vec<Change>, AdminRejection> {
    let owner = directory.participant(&command.participant).ok_or(AdminRejection::ParticipantNotFound)?;
    let record = directory.account_by_id(command.account).ok_or(AdminRejection::AccountNotFound)?;
    if record.account.owner != owner.participant.id {
        return Err(AdminRejection::AccountOfAnotherParticipant);
    }
    if record.account.kind != AccountKind::Position {
        return Err(AdminRejection::NotAPositionAccount);
    }
    if command.is_active && !record.is_open {
        return Err(AdminRejection::AccountNotOpen);
    }
    let account = Account { is_active: command.is_active, ..record.account };
    Ok(vec![Change::SetAccount(AccountRecord { account, ..record.clone() })])
}

/// A new account: inactive, without balance or cap.
pub(super) fn empty(id: AccountId, owner: ParticipantId, kind: AccountKind, currency: Currency) -> Account {
    Account { id, owner, kind, currency, is_active: false, posted: Amount::ZERO, held: Amount::ZERO, cap: None }
}

pub(super) fn next_id(directory: &Directory) -> AccountId {
    let last = directory.accounts.iter().map(|record| record.account.id.0).max().unwrap_or(0);
    AccountId(last + 1)
}

/// The kind for the hub's own fees: of the contract's list, but no built-in type has it, so that an operator adds it first.
const HUB_FEE: &str = "HUB_FEE";

/// The kinds that only the hub has.
fn is_hub_kind(kind: AccountKind) -> bool {
    match kind {
        AccountKind::HubReconciliation | AccountKind::HubMultilateralSettlement => true,
        AccountKind::Position
        | AccountKind::Settlement
        | AccountKind::InterchangeFee
        | AccountKind::InterchangeFeeSettlement => false,
        AccountKind::Custom(name) => name.as_str() == HUB_FEE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{HUB, Scheme, account_type, create, currency, fsp, hub_account};
    use super::super::{AdminCommand, AdminRejection, NewAccountType};
    use super::*;
    use core::str::FromStr;

    #[test]
    fn each_reason_against_a_hub_account_is_found_in_its_order() {
        let (position, fees) = (Some(AccountKind::Position), Some(AccountKind::InterchangeFee));
        let reconciliation = Some(AccountKind::HubReconciliation);
        for (owner, kind, expected) in [
            ("nobody", None, Err(AdminRejection::HubAccountOwnerNotFound)),
            ("dfsp", None, Err(AdminRejection::HubAccountTypeNotFound)),
            ("dfsp", position, Err(AdminRejection::HubAccountAlreadyRegistered)),
            (HUB, reconciliation, Err(AdminRejection::HubAccountAlreadyRegistered)),
            ("dfsp", reconciliation, Err(AdminRejection::NotTheHub)),
            (HUB, fees, Err(AdminRejection::HubAccountTypeNotAllowed)),
        ] {
            let command = CreateHubAccount { owner: fsp(owner), currency: currency("USD"), kind };
            let outcome = Scheme::with_dfsp().tries(AdminCommand::CreateHubAccount(command));
            assert_eq!(outcome, expected, "{owner} {kind:?}");
        }
    }

    #[test]
    fn of_custom_types_the_hub_has_an_account_for_its_fees_only() {
        let mut scheme = Scheme::ready();
        scheme.does(account_type("TAX", true));
        let none = Err(AdminRejection::HubAccountTypeNotFound);
        for (name, expected) in [("TAX", Err(AdminRejection::HubAccountTypeNotAllowed)), (HUB_FEE, none)] {
            assert_eq!(scheme.tries(hub_account("USD", name.parse().unwrap())), expected, "{name}");
        }
        let fee = AccountKind::from_str(HUB_FEE).unwrap();
        let inactive = NewAccountType { kind: fee, description: "d".into(), is_active: false, is_settleable: false };
        scheme.does(AdminCommand::CreateAccountType(inactive));
        assert_eq!(scheme.tries(hub_account("USD", fee)), none);

        let mut scheme = Scheme::ready();
        scheme.does(account_type(HUB_FEE, false));
        scheme.does(hub_account("USD", fee));
        assert!(scheme.account(HUB, "USD", fee).unwrap().is_open);
    }

    #[test]
    fn a_hub_account_is_active_and_open_from_the_start() {
        let scheme = Scheme::ready();
        let record = scheme.account(HUB, "USD", AccountKind::HubReconciliation).unwrap();
        assert!(record.account.is_active && record.is_open);
        assert_eq!(record.account.value(), Amount::ZERO);
    }

    #[test]
    fn only_a_participants_own_position_can_be_switched() {
        let scheme = Scheme::with_dfsp();
        let id = |owner, kind| scheme.account(owner, "USD", kind).unwrap().account.id;
        let position = id("dfsp", AccountKind::Position);
        for (participant, account, expected) in [
            ("nobody", position, Err(AdminRejection::ParticipantNotFound)),
            ("dfsp", AccountId(99), Err(AdminRejection::AccountNotFound)),
            (HUB, position, Err(AdminRejection::AccountOfAnotherParticipant)),
            ("dfsp", id("dfsp", AccountKind::Settlement), Err(AdminRejection::NotAPositionAccount)),
            (HUB, id(HUB, AccountKind::HubReconciliation), Err(AdminRejection::NotAPositionAccount)),
            ("dfsp", position, Ok(())),
        ] {
            let mut scheme = Scheme::with_dfsp();
            let command = SetAccountActivity { participant: fsp(participant), account, is_active: false };
            assert_eq!(scheme.tries(AdminCommand::SetAccountActivity(command)), expected, "{participant}");
            let is_active = scheme.directory.account_by_id(position).unwrap().account.is_active;
            assert_eq!(is_active, expected.is_err());
        }
    }

    #[test]
    fn an_account_is_opened_before_it_can_be_activated() {
        let mut scheme = Scheme::ready();
        scheme.does(create("closed", "USD"));
        let account = scheme.account("closed", "USD", AccountKind::Position).unwrap().account.id;
        for (is_active, expected) in [(true, Err(AdminRejection::AccountNotOpen)), (false, Ok(()))] {
            let command = SetAccountActivity { participant: fsp("closed"), account, is_active };
            assert_eq!(scheme.tries(AdminCommand::SetAccountActivity(command)), expected);
        }
    }
}
