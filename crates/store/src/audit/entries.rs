//! What entries add up to, and whether each agrees with the transfer that it names.
//!
//! Every committed transfer has exactly one entry of its own kind, with its amount, accounts and window; fees and gross
//! settlement come beside it (contract, administration §2.7, §2.8). One between two DFSPs of one proxy has none
//! (contract, interscheme §1.7).

use super::{Decimal, EntryRow, Report, TransferRow, keys::Keys};
use hub_core::WindowId;
use ledger::{AccountId, EntryKind};
use std::collections::{BTreeMap, HashMap};

/// What the payments of a window moved on an account, without those that were settled gross.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Moved {
    pub debits: i128,
    pub credits: i128,
}

/// The first and the last entry of a window.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
}

/// An entry of a settlement.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub id: i64,
    pub kind: EntryKind,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: i64,
}

#[derive(Default)]
pub(super) struct Entries {
    balances: HashMap<AccountId, i128>,
    moved: HashMap<(WindowId, AccountId), Moved>,
    spans: BTreeMap<WindowId, Span>,
    steps: BTreeMap<i64, Vec<Step>>,
    /// Whose own entry has been found.
    transfers: Keys,
}

impl Entries {
    /// Adds the next entry.
    pub fn add(&mut self, entry: &EntryRow, report: &mut Report) {
        let amount = i128::from(entry.amount);
        *self.balances.entry(entry.debit).or_default() += amount;
        *self.balances.entry(entry.credit).or_default() -= amount;
        if entry.amount <= 0 {
            report.say(format!("Entry {} has the amount {}.", entry.id, Decimal(amount)));
        }
        if let Some(window) = entry.window {
            self.moved.entry((window, entry.debit)).or_default().debits += amount;
            self.moved.entry((window, entry.credit)).or_default().credits += amount;
            let span = self.spans.entry(window).or_insert(Span { first: entry.id, last: entry.id });
            span.first = span.first.min(entry.id);
            span.last = span.last.max(entry.id);
        }
        if let Some(settlement) = entry.settlement {
            let EntryRow { id, kind, debit, credit, amount, .. } = *entry;
            self.steps.entry(settlement).or_default().push(Step { id, kind, debit, credit, amount });
        }
        self.check_cause(entry, report);
        self.check_transfer(entry, report);
    }

    /// Debits minus credits of each account.
    pub fn balances(&self) -> BTreeMap<AccountId, i128> {
        self.balances.iter().map(|(account, sum)| (*account, *sum)).collect()
    }

    /// By window and account, in their order; without accounts on which nothing is left.
    pub fn moved(&self) -> BTreeMap<(WindowId, AccountId), Moved> {
        let left = self.moved.iter().filter(|(_, moved)| **moved != Moved::default());
        left.map(|(place, moved)| (*place, *moved)).collect()
    }

    pub fn spans(&self) -> &BTreeMap<WindowId, Span> {
        &self.spans
    }

    pub fn steps(&self) -> &BTreeMap<i64, Vec<Step>> {
        &self.steps
    }

    pub fn transfers(&self) -> &Keys {
        &self.transfers
    }

    /// An entry names what its kind asks for: a transfer, a settlement, or neither.
    fn check_cause(&self, entry: &EntryRow, report: &mut Report) {
        let (of_transfer, of_settlement) = (entry.transfer.is_some(), entry.settlement.is_some());
        let fits = match entry.kind {
            EntryKind::Principal | EntryKind::InterchangeFee => of_transfer && !of_settlement && entry.window.is_some(),
            EntryKind::GrossSettlement => of_transfer && !of_settlement && entry.window.is_none(),
            EntryKind::FundsIn | EntryKind::FundsOut => !of_settlement && entry.window.is_none(),
            EntryKind::InitialPosition => !of_transfer && !of_settlement && entry.window.is_none(),
            EntryKind::SettlementNetRecipient | EntryKind::SettlementNetSender => {
                !of_transfer && of_settlement && entry.window.is_none()
            }
        };
        if !fits {
            let yes = |is| if is { "a" } else { "no" };
            report.say(format!(
                "Entry {} is {} and names {} transfer, {} settlement and {} window, which does not fit.",
                entry.id,
                entry.kind.as_str(),
                yes(of_transfer),
                yes(of_settlement),
                yes(entry.window.is_some()),
            ));
        }
    }

    fn check_transfer(&mut self, entry: &EntryRow, report: &mut Report) {
        let Some(key) = entry.transfer else { return };
        let Some(transfer) = &entry.of else {
            let id = entry.id;
            return report.say(format!("Entry {id} names a transfer with the key {key}, which does not exist."));
        };
        if !transfer.is_committed {
            report.say(format!("Entry {} belongs to transfer {}, which is not committed.", entry.id, transfer.id));
        }
        match entry.kind {
            EntryKind::Principal | EntryKind::FundsIn | EntryKind::FundsOut => {
                self.check_own(entry, key, transfer, report);
            }
            EntryKind::InterchangeFee => check_window(entry, transfer, report),
            EntryKind::GrossSettlement => self.take_back(entry, transfer),
            // Their own check has said that they may not name a transfer.
            EntryKind::InitialPosition | EntryKind::SettlementNetRecipient | EntryKind::SettlementNetSender => {}
        }
    }

    fn check_own(&mut self, entry: &EntryRow, key: i64, transfer: &TransferRow, report: &mut Report) {
        let (entry_id, id) = (entry.id, transfer.id);
        if !self.transfers.insert(key) {
            report.say(format!("Entry {entry_id} posts transfer {id}, which another entry has posted already."));
        }
        if entry.kind != transfer.kind {
            let (kind, own) = (entry.kind.as_str(), transfer.kind.as_str());
            report.say(format!("Entry {entry_id} of transfer {id} is {kind} instead of {own}."));
        }
        if entry.amount != transfer.amount {
            let (found, expected) = (Decimal(entry.amount.into()), Decimal(transfer.amount.into()));
            report.say(format!("Entry {entry_id} of transfer {id} has the amount {found} instead of {expected}."));
        }
        let (debit, credit) = (entry.debit.0, entry.credit.0);
        match transfer.legs {
            Some(legs) if legs == [entry.debit, entry.credit] => {}
            Some(_) => report.say(format!(
                "Entry {entry_id} of transfer {id} is between accounts {debit} and {credit}, which are not those of the \
                 transfer."
            )),
            None => report.say(format!(
                "Entry {entry_id} of transfer {id} is between accounts {debit} and {credit}, but the transfer moves \
                 nothing between accounts."
            )),
        }
        check_window(entry, transfer, report);
    }

    /// A payment that was settled at once leaves nothing in its window.
    fn take_back(&mut self, entry: &EntryRow, transfer: &TransferRow) {
        let (Some(window), Some([payer, payee])) = (transfer.window, transfer.legs) else { return };
        if [entry.debit, entry.credit] == [payee, payer] {
            self.moved.entry((window, payer)).or_default().debits -= i128::from(entry.amount);
            self.moved.entry((window, payee)).or_default().credits -= i128::from(entry.amount);
        }
    }
}

fn check_window(entry: &EntryRow, transfer: &TransferRow, report: &mut Report) {
    if entry.window != transfer.window {
        let name = |window: Option<WindowId>| window.map_or("no window".into(), |id| format!("window {}", id.0));
        let (found, expected) = (name(entry.window), name(transfer.window));
        report.say(format!(
            "Entry {} of transfer {} lies in {found}, but the transfer in {expected}.",
            entry.id, transfer.id
        ));
    }
}
