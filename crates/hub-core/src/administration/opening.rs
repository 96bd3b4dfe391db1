//! `initialPositionAndLimits`: opens a participant's accounts in a currency (contract, administration §1.9).

use super::{AccountRecord, AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use ledger::{Account, AccountKind, Book, Cap, EntryKind};
use vocabulary::{Amount, Currency, FspId, Timestamp};

/// Per cent of headroom below which the operator is warned, unless somebody says otherwise: ten.
pub const ALARM_PERCENTAGE_DEFAULT: Amount = Amount::from_units(100_000);

/// Gives the accounts of a participant in a currency their balances, the position its cap, and activates them.
#[derive(Clone, Debug)]
pub struct OpenAccounts {
    pub participant: FspId,
    pub currency: Currency,
    /// The net debit cap.
    pub limit: Amount,
    /// What the participant owes from before; below zero is what it is owed.
    pub initial_position: Amount,
}

/// Happens once for a participant and currency: a second time is refused.
pub(super) fn open(
    directory: &Directory,
    command: &OpenAccounts,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    let currency = command.currency;
    let owner = directory.participant(&command.participant).ok_or(AdminRejection::ParticipantNotFound)?.participant.id;
    let account = |kind| directory.account(owner, currency, kind);
    let position = account(AccountKind::Position).ok_or(AdminRejection::ParticipantNotFound)?;
    let is_settlement_open = account(AccountKind::Settlement).is_some_and(|record| record.is_open);
    if position.account.cap.is_some() || position.is_open || is_settlement_open {
        return Err(AdminRejection::AlreadyOpen);
    }
    let initial = initial_position(directory, command, &position.account, hub_name)?;

    let cap = Cap { limit: command.limit, alarm_percentage: ALARM_PERCENTAGE_DEFAULT, share: None };
    let kinds = kinds_to_open(directory, currency);
    let mut changes: Vec<_> = directory
        .accounts_of(owner)
        .filter(|record| record.account.currency == currency && kinds.contains(&record.account.kind))
        .map(|record| {
            let cap = if record.account.kind == AccountKind::Position { Some(cap) } else { record.account.cap };
            let account = Account { is_active: true, cap, ..record.account };
            Change::SetAccount(AccountRecord { account, is_open: true, changed_at: now, ..record.clone() })
        })
        .collect();
    changes.extend(initial);
    Ok(changes)
}

/// The currency's own models name the accounts to open; under default models only POSITION and SETTLEMENT are opened.
fn kinds_to_open(directory: &Directory, currency: Currency) -> Vec<AccountKind> {
    let mut kinds = vec![AccountKind::Position, AccountKind::Settlement];
    let own = directory.settlement_models_for(currency).into_iter().filter(|model| model.currency.is_some());
    kinds.extend(own.flat_map(|model| [model.ledger_account, model.settlement_account]));
    kinds
}

/// Double entry wants another side: an initial position is an obligation that settlement will clear, so it stands against
/// the hub's multilateral settlement account, as settled positions do. The reconciliation account mirrors money at the
/// bank and stays out of it.
fn initial_position(
    directory: &Directory,
    command: &OpenAccounts,
    position: &Account,
    hub_name: &FspId,
) -> Result<Option<Change>, AdminRejection> {
    let initial = command.initial_position;
    if initial.is_zero() {
        return Ok(None);
    }
    let hub = directory
        .participant(hub_name)
        .and_then(|hub| directory.account(hub.participant.id, command.currency, AccountKind::HubMultilateralSettlement))
        .ok_or(AdminRejection::NoHubSettlementAccount)?;
    let (between, amount) = if initial.is_negative() {
        ([hub.account.id, position.id], initial.checked_neg().ok_or(AdminRejection::Overflow)?)
    } else {
        ([position.id, hub.account.id], initial)
    };
    let mut book = Book::new([*position, hub.account]);
    let entry = book.post(EntryKind::InitialPosition, between, amount).map_err(|_| AdminRejection::Overflow)?;
    Ok(Some(Change::Post { entry, settlement: None }))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{HUB, Scheme, amount, create, model, open};
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    #[test]
    fn opening_activates_the_accounts_and_sets_the_cap_with_an_alarm_at_ten_per_cent() {
        let scheme = Scheme::with_dfsp();
        let position = scheme.account("dfsp", "USD", AccountKind::Position).unwrap();
        let settlement = scheme.account("dfsp", "USD", AccountKind::Settlement).unwrap();
        for record in [position, settlement] {
            assert!(record.is_open && record.account.is_active);
            assert_eq!(record.changed_at, scheme.now);
        }
        let cap = Cap { limit: amount("1000"), alarm_percentage: amount("10"), share: None };
        assert_eq!((position.account.cap, settlement.account.cap), (Some(cap), None));
    }

    #[test]
    fn accounts_are_opened_once() {
        let mut scheme = Scheme::with_dfsp();
        assert_eq!(scheme.tries(open("dfsp", "USD", "1000", "0")), Err(AdminRejection::AlreadyOpen));
    }

    #[test]
    fn only_a_participant_with_a_position_in_the_currency_can_be_opened() {
        let mut scheme = Scheme::with_dfsp();
        for (name, currency) in [("nobody", "USD"), ("dfsp", "EUR"), (HUB, "USD")] {
            let refused = scheme.tries(open(name, currency, "1000", "0"));
            assert_eq!(refused, Err(AdminRejection::ParticipantNotFound), "{name} {currency}");
        }
    }

    #[test]
    fn an_initial_position_stands_against_the_hub_so_that_entries_sum_to_zero() {
        for (initial, of_hub) in [("12.5", "-12.5"), ("-3", "3"), ("0", "0")] {
            let mut scheme = Scheme::ready();
            scheme.does(create("dfsp", "USD"));
            scheme.does(open("dfsp", "USD", "1000", initial));
            let posted = |owner, kind| scheme.account(owner, "USD", kind).unwrap().account.posted;
            assert_eq!(posted("dfsp", AccountKind::Position), amount(initial));
            assert_eq!(posted(HUB, AccountKind::HubMultilateralSettlement), amount(of_hub));
            let sum: i64 = scheme.directory.accounts.iter().map(|record| record.account.posted.units()).sum();
            assert_eq!(sum, 0);
        }
    }

    #[test]
    fn an_initial_position_that_the_hubs_account_cannot_hold_is_refused() {
        let mut scheme = Scheme::ready();
        for (name, units, expected) in [
            ("one", i64::MAX, Ok(())),
            ("two", 2, Err(AdminRejection::Overflow)),
            ("three", i64::MIN, Err(AdminRejection::Overflow)),
        ] {
            scheme.does(create(name, "USD"));
            let (participant, currency) = (name.parse().unwrap(), "USD".parse().unwrap());
            let initial_position = Amount::from_units(units);
            let command = OpenAccounts { participant, currency, limit: Amount::ZERO, initial_position };
            assert_eq!(scheme.tries(AdminCommand::OpenAccounts(command)), expected, "{name}");
        }
    }

    #[test]
    fn the_currencys_own_models_say_which_accounts_open() {
        for (own, opened) in [(Some("USD"), true), (None, false)] {
            let mut scheme = Scheme::ready();
            scheme.does(AdminCommand::CreateSettlementModel(model("NET", own, AccountKind::Position)));
            scheme.does(AdminCommand::CreateSettlementModel(model("FEE", own, AccountKind::InterchangeFee)));
            scheme.does(create("dfsp", "USD"));
            scheme.does(open("dfsp", "USD", "1000", "5"));
            assert!(scheme.account("dfsp", "USD", AccountKind::Position).unwrap().is_open);
            for kind in [AccountKind::InterchangeFee, AccountKind::InterchangeFeeSettlement] {
                let record = scheme.account("dfsp", "USD", kind).unwrap();
                assert_eq!((record.is_open, record.account.is_active), (opened, opened), "{kind} {own:?}");
                assert_eq!(record.account.posted, Amount::ZERO);
            }
        }
    }
}
