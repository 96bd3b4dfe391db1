//! The ledger's part of a settlement: positions move back against the hub's multilateral settlement account
//! (contract, administration §3.6).
//!
//! What a recipient is owed is taken away first, when its account is reserved, and what a sender owes is released last,
//! when it is committed: exposure only falls on the way. Nothing moves where the model does not reset positions.

use super::{
    AccountRefusal, AdvanceAccount, Books, Settlement, SettlementAccount, SettlementRejection, SettlementState,
};
use crate::administration::{AccountRecord, Change, SettlementModel};
use alloc::vec::Vec;
use ledger::{Account, AccountId, AccountKind, Book, Cap, Entry, EntryKind};
use vocabulary::{Amount, FspId, Timestamp};

/// Entries of one settlement command, and caps that it raises.
pub(super) struct Postings<'a> {
    books: &'a Books,
    settlement: super::SettlementId,
    model: Option<&'a SettlementModel>,
    hub_name: &'a FspId,
    book: Book,
    changes: Vec<Change>,
}

impl<'a> Postings<'a> {
    /// Refused if positions would have to move and the hub has no account for it.
    pub fn new(books: &'a Books, settlement: &Settlement, hub_name: &'a FspId) -> Result<Self, SettlementRejection> {
        let models = &books.directory.settlement_models;
        let model = models.iter().find(|model| model.id == settlement.model).filter(|model| model.resets_positions);
        let book = Book::new(books.directory.accounts.iter().map(|record| record.account));
        let postings = Self { books, settlement: settlement.id, model, hub_name, book, changes: Vec::new() };
        let has_hub = |account: &SettlementAccount| postings.hub_account(account.account).is_some();
        if model.is_some() && !settlement.accounts.iter().all(has_hub) {
            return Err(SettlementRejection::NoHubSettlementAccount);
        }
        Ok(postings)
    }

    /// What an account's entering a state moves.
    pub fn enter(
        &mut self,
        settlement: &Settlement,
        asked: &AdvanceAccount,
        now: Timestamp,
    ) -> Result<(), AccountRefusal> {
        let known = settlement.accounts.iter().find(|known| known.account == asked.account);
        let net = known.expect("the account was found before").net;
        let Some(model) = self.model else { return Ok(()) };
        match asked.state {
            SettlementState::Reserved if net.is_negative() => {
                if model.requires_liquidity_check {
                    self.raise_cap(asked.account, size(net), now)?;
                }
                self.post(asked.account, size(net), Direction::FromHub).map_err(|_| AccountRefusal::Overflow)
            }
            SettlementState::Committed if net > Amount::ZERO => {
                self.post(asked.account, net, Direction::ToHub).map_err(|_| AccountRefusal::Overflow)
            }
            SettlementState::PendingSettlement
            | SettlementState::Recorded
            | SettlementState::Reserved
            | SettlementState::Committed
            | SettlementState::Settling
            | SettlementState::Settled
            | SettlementState::Aborted => Ok(()),
        }
    }

    /// Takes back what reserving an account has moved.
    pub fn take_back(&mut self, account: &SettlementAccount) -> Result<(), SettlementRejection> {
        if self.model.is_none() || account.state != SettlementState::Reserved || !account.net.is_negative() {
            return Ok(());
        }
        let reversed = self.post(account.account, size(account.net), Direction::Back);
        reversed.map_err(|_| SettlementRejection::Overflow)
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// With less headroom than what the recipient loses, its cap grows by that: it could not pay any more otherwise.
    fn raise_cap(&mut self, id: AccountId, by: Amount, now: Timestamp) -> Result<(), AccountRefusal> {
        let record = self.books.directory.account_by_id(id).expect("accounts of a settlement exist");
        let Some(cap) = record.account.cap else { return Ok(()) };
        let left = i128::from(cap.limit.units()) - i128::from(record.account.value().units());
        if left >= i128::from(by.units()) {
            return Ok(());
        }
        let limit = cap.limit.checked_add(by).ok_or(AccountRefusal::Overflow)?;
        let account = Account { cap: Some(Cap { limit, ..cap }), ..record.account };
        self.changes.push(Change::SetAccount(AccountRecord { account, changed_at: now, ..record.clone() }));
        Ok(())
    }

    fn post(&mut self, account: AccountId, amount: Amount, direction: Direction) -> Result<(), ledger::LedgerError> {
        let hub = self.hub_account(account).expect("it was looked for at the beginning");
        let (kind, between) = match direction {
            Direction::FromHub => (EntryKind::SettlementNetRecipient, [account, hub]),
            Direction::Back => (EntryKind::SettlementNetRecipient, [hub, account]),
            Direction::ToHub => (EntryKind::SettlementNetSender, [hub, account]),
        };
        let entry: Entry = self.book.post(kind, between, amount)?;
        self.changes.push(Change::Post { entry, settlement: Some(self.settlement) });
        Ok(())
    }

    fn hub_account(&self, of: AccountId) -> Option<AccountId> {
        let directory = &self.books.directory;
        let currency = directory.account_by_id(of)?.account.currency;
        let hub = directory.participant(self.hub_name)?.participant.id;
        Some(directory.account(hub, currency, AccountKind::HubMultilateralSettlement)?.account.id)
    }
}

#[derive(Clone, Copy)]
enum Direction {
    /// A recipient's position grows: what it was owed is with the hub now.
    FromHub,
    Back,
    /// A sender's position falls.
    ToHub,
}

fn size(net: Amount) -> Amount {
    net.checked_neg().expect("a net amount that cannot be negated was refused when the settlement was created")
}
