//! A settlement as the settlement API shows it (contract, administration §2.4 and §2.5).

use super::{reply::number, settlement_rejections::refusal};
use fspiop::FspiopError;
use hub_core::{
    administration::Directory,
    settlement::{AdvancedAccount, Content, Settlement, SettlementAccount, Window},
};
use ledger::{AccountId, ParticipantId};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettlementView<'a> {
    pub id: i64,
    /// Only in the answer to the creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_model: Option<&'a str>,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_date: Option<String>,
    pub settlement_windows: Vec<WindowView<'a>>,
    pub participants: Vec<ParticipantView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WindowView<'a> {
    id: i64,
    state: &'static str,
    reason: &'a str,
    created_date: String,
    changed_date: String,
    content: Vec<ContentView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContentView<'a> {
    id: i64,
    state: &'static str,
    ledger_account_type: String,
    currency_id: &'a str,
    created_date: String,
    changed_date: String,
}

#[derive(Serialize)]
pub(super) struct ParticipantView {
    pub id: i64,
    pub accounts: Vec<AccountView>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountView {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    net_settlement_amount: Option<MoneyView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_information: Option<Value>,
}

#[derive(Serialize)]
struct MoneyView {
    amount: serde_json::Number,
    currency: String,
}

/// A settlement with those of its accounts that are wanted, its windows, and what each holds for it.
pub(super) fn whole<'a>(
    settlement: &'a Settlement,
    windows: &'a [Window],
    directory: &Directory,
    is_wanted: impl Fn(AccountId) -> bool,
) -> SettlementView<'a> {
    let own = windows.iter().filter(|window| settlement.windows.contains(&window.id));
    let accounts = settlement.accounts.iter().filter(|account| is_wanted(account.account));
    SettlementView {
        id: settlement.id.0,
        settlement_model: None,
        state: settlement.state.as_str(),
        reason: Some(&settlement.reason),
        created_date: Some(settlement.created_at.to_string()),
        changed_date: Some(settlement.changed_at.to_string()),
        settlement_windows: own.map(|window| window_view(window, settlement)).collect(),
        participants: participants(
            accounts.map(|account| (owner_of(directory, account.account), plain(directory, account))),
        ),
    }
}

/// A settlement after its accounts were asked to move: the windows of those that did, and all that were asked about.
pub(super) fn advanced<'a>(
    settlement: &'a Settlement,
    windows: &'a [Window],
    directory: &Directory,
    asked: &[AdvancedAccount],
) -> SettlementView<'a> {
    let moved: Vec<AccountId> = asked.iter().filter(|one| one.outcome.is_ok()).map(|one| one.account).collect();
    let is_touched = |content: &Content| {
        content.settlement == Some(settlement.id) && content.totals.iter().any(|total| moved.contains(&total.account))
    };
    let touched = windows.iter().filter(|window| window.contents.iter().any(is_touched));
    let views = asked.iter().map(|one| {
        let known = settlement.accounts.iter().find(|account| account.account == one.account);
        let error_information = one.outcome.err().map(|reason| error_information(&refusal(reason)));
        let view = known.map_or_else(
            || AccountView { id: one.account.0, ..AccountView::default() },
            |known| AccountView { created_date: Some(known.changed_at.to_string()), ..plain(directory, known) },
        );
        let reference = known.and_then(|known| known.external_reference.as_deref()).map(str::to_owned);
        (one.participant, AccountView { external_reference: reference, error_information, ..view })
    });
    SettlementView {
        id: settlement.id.0,
        settlement_model: None,
        state: settlement.state.as_str(),
        reason: None,
        created_date: Some(settlement.created_at.to_string()),
        changed_date: None,
        settlement_windows: touched.map(|window| window_view(window, settlement)).collect(),
        participants: participants(views),
    }
}

/// Who owns an account; the hub's number for one that does not exist, which no participant has.
pub(super) fn owner_of(directory: &Directory, account: AccountId) -> ParticipantId {
    directory.account_by_id(account).map_or(ParticipantId::HUB, |record| record.account.owner)
}

fn participants(accounts: impl Iterator<Item = (ParticipantId, AccountView)>) -> Vec<ParticipantView> {
    let mut by_owner: BTreeMap<ParticipantId, Vec<AccountView>> = BTreeMap::new();
    for (owner, account) in accounts {
        by_owner.entry(owner).or_default().push(account);
    }
    by_owner.into_iter().map(|(owner, accounts)| ParticipantView { id: owner.0, accounts }).collect()
}

fn plain(directory: &Directory, account: &SettlementAccount) -> AccountView {
    let currency = directory.account_by_id(account.account).map(|record| record.account.currency.to_string());
    AccountView {
        id: account.account.0,
        state: Some(account.state.as_str()),
        reason: Some(account.reason.to_string()),
        net_settlement_amount: currency.map(|currency| MoneyView { amount: number(account.net), currency }),
        ..AccountView::default()
    }
}

fn window_view<'a>(window: &'a Window, settlement: &Settlement) -> WindowView<'a> {
    let bound = window.contents.iter().filter(|content| content.settlement == Some(settlement.id));
    WindowView {
        id: window.id.0,
        state: window.state.as_str(),
        reason: &window.reason,
        created_date: window.created_at.to_string(),
        changed_date: window.changed_at.to_string(),
        content: bound.map(content_view).collect(),
    }
}

fn content_view(content: &Content) -> ContentView<'_> {
    ContentView {
        id: content.id.0,
        state: content.state.as_str(),
        ledger_account_type: content.ledger_account.to_string(),
        currency_id: content.currency.as_str(),
        created_date: content.created_at.to_string(),
        changed_date: content.changed_at.to_string(),
    }
}

fn error_information(error: &FspiopError) -> Value {
    let whole: Value = serde_json::from_slice(&error.to_json()).expect("our own error is JSON");
    whole.get("errorInformation").cloned().unwrap_or_default()
}
