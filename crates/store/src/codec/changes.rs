//! What is recorded of each administrative change.

use hub_core::{
    administration::Change,
    settlement::{Content, Settlement, Window},
};

/// What the audit row of a change says: the kind of the change, and the change itself in readable form.
pub(crate) fn change_columns(change: &Change) -> (&'static str, String) {
    let kind = match change {
        Change::AddParticipant(_) => "add_participant",
        Change::SetParticipant(_) => "set_participant",
        Change::AddAccountType(_) => "add_account_type",
        Change::AddAccount(_) => "add_account",
        Change::SetAccount(_) => "set_account",
        Change::Post { .. } => "post",
        Change::SetEndpoint(_) => "set_endpoint",
        Change::AddSettlementModel(_) => "add_settlement_model",
        Change::SetSettlementModel(_) => "set_settlement_model",
        Change::AddFeeRule(_) => "add_fee_rule",
        Change::SetFeeRule(_) => "set_fee_rule",
        Change::AddOracle(_) => "add_oracle",
        Change::SetOracle(_) => "set_oracle",
        Change::SetClient(_) => "set_client",
        Change::OpenWindow(_) => "open_window",
        Change::SetWindow(_) => "set_window",
        Change::AddContent(_) => "add_content",
        Change::SetContent(_) => "set_content",
        Change::AddSettlement(_) => "add_settlement",
        Change::SetSettlement(_) => "set_settlement",
        Change::SetSettlementAccount(..) => "set_settlement_account",
        Change::AddNotice(_) => "add_notice",
    };
    (kind, change_text(change))
}

/// The change in readable form. Lists that can have thousands of lines have their own tables and are only counted.
fn change_text(change: &Change) -> String {
    match change {
        Change::OpenWindow(window) | Change::SetWindow(window) => {
            let contents = window.contents.len();
            format!("{:?} with {contents} contents", Window { contents: Vec::new(), ..window.clone() })
        }
        Change::AddContent(content) | Change::SetContent(content) => {
            let totals = content.totals.len();
            format!("{:?} with {totals} totals", Content { totals: Vec::new(), ..content.clone() })
        }
        Change::AddSettlement(settlement) | Change::SetSettlement(settlement) => {
            let accounts = settlement.accounts.len();
            format!("{:?} with {accounts} accounts", Settlement { accounts: Vec::new(), ..settlement.clone() })
        }
        Change::AddNotice(notice) => {
            let (content, recipients) = (&notice.content, notice.recipients.len());
            format!("{content:?} of {} in {} to {recipients} recipients", notice.participant, notice.currency)
        }
        Change::AddParticipant(_)
        | Change::SetParticipant(_)
        | Change::AddAccountType(_)
        | Change::AddAccount(_)
        | Change::SetAccount(_)
        | Change::Post { .. }
        | Change::SetEndpoint(_)
        | Change::AddSettlementModel(_)
        | Change::SetSettlementModel(_)
        | Change::AddFeeRule(_)
        | Change::SetFeeRule(_)
        | Change::AddOracle(_)
        | Change::SetOracle(_)
        | Change::SetClient(_)
        | Change::SetSettlementAccount(..) => format!("{change:?}"),
    }
}
