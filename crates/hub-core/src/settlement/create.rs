//! Creating a settlement (contract, administration §2.4).

use super::{
    Books, Content, CreateSettlement, Settled, Settlement, SettlementAccount, SettlementAnswer, SettlementId,
    SettlementRejection, SettlementState, Window, WindowState, models,
};
use crate::administration::{Change, Delay, Granularity, SettlementModel};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use ledger::AccountId;
use vocabulary::{Amount, Timestamp};

/// Binds everything in the windows that the model settles now. No balance moves.
pub(super) fn create(
    books: &Books,
    command: &CreateSettlement,
    now: Timestamp,
) -> Result<Settled, SettlementRejection> {
    let model = books.directory.settlement_model(&command.model).filter(|model| model.is_active);
    let model = model.ok_or_else(|| SettlementRejection::ModelNotFound(command.model.clone()))?;
    if model.granularity == Granularity::Gross || model.delay == Delay::Immediate {
        return Err(SettlementRejection::ModelIsGross);
    }
    let (windows, contents) = applicable(books, command, model)?;
    let id = SettlementId(books.last_settlement.0 + 1);
    let settlement = Settlement {
        id,
        model: model.id,
        state: SettlementState::PendingSettlement,
        reason: command.reason.clone(),
        created_at: now,
        changed_at: now,
        windows: windows.iter().map(|window| window.id).collect(),
        accounts: accounts(&contents, command, now)?,
    };
    let mut changes = vec![Change::AddSettlement(settlement.clone())];
    changes.extend(contents.into_iter().map(|content| {
        let state = WindowState::PendingSettlement;
        Change::SetContent(Content { state, settlement: Some(id), changed_at: now, ..content.clone() })
    }));
    changes.extend(windows.into_iter().map(|window| {
        let (state, reason) = (WindowState::PendingSettlement, command.reason.clone());
        Change::SetWindow(Window { state, reason, changed_at: now, ..window.clone() })
    }));
    Ok(Settled { changes, answer: SettlementAnswer::Created(settlement) })
}

/// The windows in the order of their ids, and what of them is to be settled. Every window must have something.
fn applicable<'a>(
    books: &'a Books,
    command: &CreateSettlement,
    model: &SettlementModel,
) -> Result<(Vec<&'a Window>, Vec<&'a Content>), SettlementRejection> {
    let models = &books.directory.settlement_models;
    let is_free = |content: &&Content| {
        let is_free = matches!(content.state, WindowState::Closed | WindowState::Aborted);
        is_free && models::applies(models, model, (content.ledger_account, content.currency))
    };
    let (mut windows, mut contents, mut inapplicable) = (Vec::new(), Vec::new(), Vec::new());
    for id in &command.windows {
        let window = books.windows.iter().find(|window| window.id == *id && may_be_settled(window.state));
        let found: Vec<&Content> = window.iter().flat_map(|window| &window.contents).filter(is_free).collect();
        match window {
            Some(window) if !found.is_empty() => {
                windows.push(window);
                contents.extend(found);
            }
            Some(_) | None => inapplicable.push(*id),
        }
    }
    if inapplicable.is_empty() && !windows.is_empty() {
        windows.sort_by_key(|window| window.id);
        Ok((windows, contents))
    } else {
        Err(SettlementRejection::InapplicableWindows(inapplicable))
    }
}

fn may_be_settled(state: WindowState) -> bool {
    match state {
        WindowState::Closed | WindowState::Aborted | WindowState::PendingSettlement => true,
        WindowState::Open | WindowState::Processing | WindowState::Settled | WindowState::Failed => false,
    }
}

fn accounts(
    contents: &[&Content],
    command: &CreateSettlement,
    now: Timestamp,
) -> Result<Vec<SettlementAccount>, SettlementRejection> {
    let mut nets: BTreeMap<AccountId, Amount> = BTreeMap::new();
    for total in contents.iter().flat_map(|content| &content.totals) {
        let net = nets.entry(total.account).or_insert(Amount::ZERO);
        *net = net.checked_add(total.net()).ok_or(SettlementRejection::Overflow)?;
        // What is owed will be posted as its size.
        net.checked_neg().ok_or(SettlementRejection::Overflow)?;
    }
    let account = |(account, net)| SettlementAccount {
        account,
        net,
        state: SettlementState::PendingSettlement,
        reason: command.reason.clone(),
        external_reference: None,
        created_at: now,
        changed_at: now,
    };
    Ok(nets.into_iter().map(account).collect())
}
