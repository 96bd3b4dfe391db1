//! Participants: creating one, adding a currency to one, switching one off (contract, administration §1.5, §1.7).

use super::{AccountRecord, AdminRejection, Change, Directory, ParticipantRecord, accounts};
use crate::{Flow, Participant};
use alloc::{vec, vec::Vec};
use ledger::{AccountId, AccountKind, ParticipantId};
use vocabulary::{Currency, FspId, Timestamp};

/// Creates a participant with its accounts in a currency, or gives a participant that exists accounts in one more.
#[derive(Clone, Debug)]
pub struct CreateParticipant {
    pub name: FspId,
    pub currency: Currency,
    /// Recorded for a new participant, ignored for one that exists.
    pub is_proxy: bool,
}

/// Switches a participant on or off. Balances and open transfers are untouched.
#[derive(Clone, Debug)]
pub struct SetParticipantActivity {
    pub name: FspId,
    pub is_active: bool,
}

/// Lets a participant take part in new transfers on both sides, on one, or on none. What is reserved still ends.
#[derive(Clone, Debug)]
pub struct SetParticipantFlow {
    pub name: FspId,
    pub flow: Flow,
}

/// The accounts are those of the currency's settlement models, inactive until they are opened; the participant is active
/// at once.
pub(super) fn create(
    directory: &Directory,
    command: &CreateParticipant,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    let currency = command.currency;
    let hub = directory.participant(hub_name).map(|hub| hub.participant.id);
    let hub_owns = |kind| hub.is_some_and(|hub| directory.account(hub, currency, kind).is_some());
    if !hub_owns(AccountKind::HubReconciliation) {
        return Err(AdminRejection::NoHubReconciliationAccount);
    }
    if !hub_owns(AccountKind::HubMultilateralSettlement) {
        return Err(AdminRejection::NoHubSettlementAccount);
    }
    let known = known_by(directory, &command.name)?;
    if known.is_some_and(|id| directory.accounts_of(id).any(|record| record.account.currency == currency)) {
        return Err(AdminRejection::CurrencyAlreadyRegistered);
    }
    let kinds = account_kinds(directory, currency)?;

    let owner = known.unwrap_or_else(|| next_id(directory));
    let mut changes = Vec::new();
    if known.is_none() {
        let participant = Participant {
            id: owner,
            name: command.name.clone(),
            is_active: true,
            is_proxy: command.is_proxy,
            flow: Flow::Both,
        };
        changes.push(Change::AddParticipant(ParticipantRecord { participant, created_at: now }));
    }
    let first = accounts::next_id(directory).0;
    let ids = (first..).map(AccountId);
    changes.extend(kinds.into_iter().zip(ids).map(|(kind, id)| {
        let account = accounts::empty(id, owner, kind, currency);
        Change::AddAccount(AccountRecord {
            account,
            is_open: false,
            created_at: now,
            changed_at: now,
            liquidity_threshold: None,
        })
    }));
    Ok(changes)
}

pub(super) fn set_flow(directory: &Directory, command: &SetParticipantFlow) -> Result<Vec<Change>, AdminRejection> {
    let record = directory.participant(&command.name).ok_or(AdminRejection::ParticipantNotFound)?;
    Ok(vec![Change::SetParticipant(Participant { flow: command.flow, ..record.participant.clone() })])
}

pub(super) fn set_activity(
    directory: &Directory,
    command: &SetParticipantActivity,
) -> Result<Vec<Change>, AdminRejection> {
    let record = directory.participant(&command.name).ok_or(AdminRejection::ParticipantNotFound)?;
    Ok(vec![Change::SetParticipant(Participant { is_active: command.is_active, ..record.participant.clone() })])
}

fn known_by(directory: &Directory, name: &FspId) -> Result<Option<ParticipantId>, AdminRejection> {
    if let Some(record) = directory.participant(name) {
        return Ok(Some(record.participant.id));
    }
    let is_taken = directory.participants.iter().any(|record| record.participant.name.same_as(name.as_str()));
    if is_taken { Err(AdminRejection::NameDiffersInCaseOnly) } else { Ok(None) }
}

/// The kinds that the settlement models of a currency ask for, each once: several default models may name the same.
fn account_kinds(directory: &Directory, currency: Currency) -> Result<Vec<AccountKind>, AdminRejection> {
    let models = directory.settlement_models_for(currency);
    if models.is_empty() {
        return Err(AdminRejection::NoSettlementModel);
    }
    let mut kinds = Vec::new();
    for kind in models.iter().flat_map(|model| [model.ledger_account, model.settlement_account]) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

fn next_id(directory: &Directory) -> ParticipantId {
    let last = directory.participants.iter().map(|record| record.participant.id).max().unwrap_or(ParticipantId::HUB);
    ParticipantId(last.0 + 1)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scheme, create, fsp, hub_account, model};
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    fn kinds(scheme: &Scheme, name: &str) -> Vec<AccountKind> {
        let owner = scheme.directory.participant(&fsp(name)).unwrap().participant.id;
        scheme.directory.accounts_of(owner).map(|record| record.account.kind).collect()
    }

    fn model_of(name: &str, code: Option<&str>, kind: AccountKind) -> AdminCommand {
        AdminCommand::CreateSettlementModel(model(name, code, kind))
    }

    #[test]
    fn the_hub_needs_both_of_its_accounts_before_a_participant_joins_a_currency() {
        let mut scheme = Scheme::empty();
        scheme.does(model_of("M", None, AccountKind::Position));
        assert_eq!(scheme.tries(create("dfsp", "USD")), Err(AdminRejection::NoHubReconciliationAccount));
        scheme.does(hub_account("USD", AccountKind::HubReconciliation));
        assert_eq!(scheme.tries(create("dfsp", "USD")), Err(AdminRejection::NoHubSettlementAccount));
        scheme.does(hub_account("USD", AccountKind::HubMultilateralSettlement));
        assert_eq!(scheme.tries(create("dfsp", "USD")), Ok(()));
        assert_eq!(scheme.tries(create("dfsp", "EUR")), Err(AdminRejection::NoHubReconciliationAccount));
    }

    #[test]
    fn a_refused_creation_leaves_no_participant_behind() {
        let mut scheme = Scheme::empty();
        scheme.does(hub_account("USD", AccountKind::HubReconciliation));
        scheme.does(hub_account("USD", AccountKind::HubMultilateralSettlement));
        assert_eq!(scheme.tries(create("dfsp", "USD")), Err(AdminRejection::NoSettlementModel));
        assert_eq!(scheme.directory.participant(&fsp("dfsp")), None);
    }

    #[test]
    fn a_new_participant_is_active_and_its_accounts_are_neither_active_nor_open() {
        let mut scheme = Scheme::ready();
        scheme.does(create("dfsp", "USD"));
        let record = scheme.directory.participant(&fsp("dfsp")).unwrap();
        assert!(record.participant.is_active && !record.participant.is_proxy);
        assert_eq!(record.participant.id, ParticipantId(2));
        assert_eq!(kinds(&scheme, "dfsp"), [AccountKind::Position, AccountKind::Settlement]);
        for account in scheme.directory.accounts_of(record.participant.id) {
            assert!(!account.account.is_active && !account.is_open);
        }
    }

    #[test]
    fn a_currency_is_registered_once_and_others_are_added() {
        let mut scheme = Scheme::ready();
        scheme.does(create("dfsp", "USD"));
        assert_eq!(scheme.tries(create("dfsp", "USD")), Err(AdminRejection::CurrencyAlreadyRegistered));
        scheme.does(hub_account("EUR", AccountKind::HubReconciliation));
        scheme.does(hub_account("EUR", AccountKind::HubMultilateralSettlement));
        let as_proxy = CreateParticipant { name: fsp("dfsp"), currency: "EUR".parse().unwrap(), is_proxy: true };
        scheme.does(AdminCommand::CreateParticipant(as_proxy));
        assert_eq!(scheme.directory.participants.len(), 2);
        assert_eq!(kinds(&scheme, "dfsp").len(), 4);
        assert!(!scheme.directory.participant(&fsp("dfsp")).unwrap().participant.is_proxy);
    }

    #[test]
    fn names_that_differ_in_case_only_are_refused() {
        let mut scheme = Scheme::ready();
        scheme.does(create("dfsp", "USD"));
        assert_eq!(scheme.tries(create("DFSP", "USD")), Err(AdminRejection::NameDiffersInCaseOnly));
        assert_eq!(scheme.tries(create("hub", "USD")), Err(AdminRejection::NameDiffersInCaseOnly));
    }

    #[test]
    fn the_currencys_own_models_replace_the_default_ones() {
        let mut scheme = Scheme::ready();
        scheme.does(model_of("FEE", Some("USD"), AccountKind::InterchangeFee));
        scheme.does(create("fees", "USD"));
        assert_eq!(kinds(&scheme, "fees"), [AccountKind::InterchangeFee, AccountKind::InterchangeFeeSettlement]);
        scheme.does(model_of("NET", Some("USD"), AccountKind::Position));
        scheme.does(create("both", "USD"));
        assert_eq!(kinds(&scheme, "both").len(), 4);
    }

    #[test]
    fn several_default_models_for_one_account_type_make_one_account() {
        let mut scheme = Scheme::ready();
        scheme.does(model_of("DEFAULT2", None, AccountKind::Position));
        scheme.does(create("dfsp", "USD"));
        assert_eq!(kinds(&scheme, "dfsp"), [AccountKind::Position, AccountKind::Settlement]);
    }

    #[test]
    fn a_participant_is_switched_off_and_on() {
        let mut scheme = Scheme::with_dfsp();
        for is_active in [false, true] {
            let command = SetParticipantActivity { name: fsp("dfsp"), is_active };
            scheme.does(AdminCommand::SetParticipantActivity(command));
            assert_eq!(scheme.directory.participant(&fsp("dfsp")).unwrap().participant.is_active, is_active);
        }
        let unknown = SetParticipantActivity { name: fsp("nobody"), is_active: true };
        let refused = scheme.tries(AdminCommand::SetParticipantActivity(unknown));
        assert_eq!(refused, Err(AdminRejection::ParticipantNotFound));
    }
}
