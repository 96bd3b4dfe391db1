//! Administrative commands, and the one function that decides them.

use super::{
    AdminRejection, Change, CreateClient, CreateHubAccount, CreateParticipant, Directory, NewAccountType, NewFeeRule,
    NewOracle, NewSettlementModel, OpenAccounts, ReplaceOracle, RotateClient, SetAccountActivity, SetCapShare,
    SetEndpoint, SetFeeRuleActivity, SetLimit, SetLiquidityThreshold, SetParticipantActivity, SetParticipantFlow,
    SetSettlementModelActivity, account_types, accounts, clients, endpoints, fee_rules, limits, liquidity_threshold,
    opening, oracles, participants, settlement_models,
};
use crate::notices;
use alloc::{boxed::Box, vec::Vec};
use vocabulary::{FspId, Timestamp};

/// Everything that an operator can change by a single decision. Funds movements are transfers, not commands of this list.
#[derive(Clone, Debug)]
pub enum AdminCommand {
    CreateParticipant(CreateParticipant),
    SetParticipantActivity(SetParticipantActivity),
    SetParticipantFlow(SetParticipantFlow),
    CreateAccountType(NewAccountType),
    CreateHubAccount(CreateHubAccount),
    SetAccountActivity(SetAccountActivity),
    OpenAccounts(OpenAccounts),
    SetLimit(SetLimit),
    SetCapShare(SetCapShare),
    SetLiquidityThreshold(SetLiquidityThreshold),
    SetEndpoint(SetEndpoint),
    CreateSettlementModel(NewSettlementModel),
    SetSettlementModelActivity(SetSettlementModelActivity),
    CreateFeeRule(Box<NewFeeRule>),
    SetFeeRuleActivity(SetFeeRuleActivity),
    CreateOracle(NewOracle),
    ReplaceOracle(ReplaceOracle),
    /// By the oracle's id.
    RemoveOracle(i64),
    CreateClient(CreateClient),
    RotateClient(RotateClient),
    /// By the participant's name.
    RevokeClient(FspId),
}

/// Decides a command against the directory as it is under lock. The changes are to be written in their order, all of
/// them or none; a command that asks for what already is may return no change. Notices of what is adjusted are among them.
pub fn administer(
    directory: &Directory,
    command: &AdminCommand,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    let mut changes = decide(directory, command, now, hub_name)?;
    changes.extend(notices::following(directory, &changes, now, hub_name));
    Ok(changes)
}

fn decide(
    directory: &Directory,
    command: &AdminCommand,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    match command {
        AdminCommand::CreateParticipant(command) => participants::create(directory, command, now, hub_name),
        AdminCommand::SetParticipantActivity(command) => participants::set_activity(directory, command),
        AdminCommand::SetParticipantFlow(command) => participants::set_flow(directory, command),
        AdminCommand::CreateAccountType(command) => account_types::create(directory, command, now),
        AdminCommand::CreateHubAccount(command) => accounts::create_for_hub(directory, command, now, hub_name),
        AdminCommand::SetAccountActivity(command) => accounts::set_activity(directory, command),
        AdminCommand::OpenAccounts(command) => opening::open(directory, command, now, hub_name),
        AdminCommand::SetLimit(command) => limits::set(directory, command),
        AdminCommand::SetCapShare(command) => limits::set_share(directory, command),
        AdminCommand::SetLiquidityThreshold(command) => liquidity_threshold::set(directory, command),
        AdminCommand::SetEndpoint(command) => endpoints::set(directory, command),
        AdminCommand::CreateSettlementModel(command) => settlement_models::create(directory, command),
        AdminCommand::SetSettlementModelActivity(command) => settlement_models::set_activity(directory, command),
        AdminCommand::CreateFeeRule(command) => fee_rules::create(directory, command),
        AdminCommand::SetFeeRuleActivity(command) => fee_rules::set_activity(directory, *command),
        AdminCommand::CreateOracle(command) => oracles::create(directory, command),
        AdminCommand::ReplaceOracle(command) => oracles::replace(directory, command),
        AdminCommand::RemoveOracle(id) => Ok(oracles::remove(directory, *id)),
        AdminCommand::CreateClient(command) => clients::create(directory, command, now, hub_name),
        AdminCommand::RotateClient(command) => clients::rotate(directory, command, now),
        AdminCommand::RevokeClient(name) => clients::revoke(directory, name),
    }
}
