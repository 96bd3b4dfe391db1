//! Settlement: windows, what they hold, and the steps by which participants' positions are settled
//! (contract, administration §2 and §3.6).
//!
//! Committed payments belong to the window that is open at their commit. Closing a window only moves the pointer to a new
//! one, so that nothing can join it any more; its totals are taken afterwards and become its *contents*, one for each
//! ledger account type and currency that is settled net. A settlement takes contents of one model and walks its accounts
//! through their states; where the model says so, positions move on the way.
//!
//! Invariant: the totals of a content, and the net amounts of a settlement in each currency, sum to zero; a content
//! belongs to at most one settlement that is alive.

mod abort;
mod advance;
mod create;
#[cfg(test)]
mod fixture;
mod models;
mod postings;
mod rejection;
#[cfg(test)]
mod tests;
mod windows;

use crate::{
    WindowId,
    administration::{Change, Directory},
    notices,
};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, AccountKind};
use vocabulary::{Amount, Currency, FspId, Timestamp};

pub(crate) use models::gross_model;
pub use rejection::SettlementRejection;

/// Counts from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SettlementId(pub i64);

/// Counts from 1 over all windows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContentId(pub i64);

/// The states of a window and of what it holds (contract, administration §2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WindowState {
    Open,
    /// Closed to payments; its totals are being taken.
    Processing,
    Closed,
    PendingSettlement,
    Settled,
    Aborted,
    /// Its totals could not be taken; they may be taken again.
    Failed,
}

/// The states of a settlement and of its accounts (contract, administration §2.5). An account is never `Settling`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SettlementState {
    PendingSettlement,
    Recorded,
    Reserved,
    Committed,
    Settling,
    Settled,
    Aborted,
}

/// A settlement window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    pub id: WindowId,
    pub state: WindowState,
    /// Why it was opened, then why its state last changed.
    pub reason: Box<str>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// When it stopped taking payments; none while it is open.
    pub closed_at: Option<Timestamp>,
    /// In order of their ids; empty until the window is `Closed`.
    pub contents: Vec<Content>,
}

/// What a window holds of one ledger account type in one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    pub id: ContentId,
    pub window: WindowId,
    pub ledger_account: AccountKind,
    pub currency: Currency,
    /// `Closed`, `PendingSettlement`, `Settled` or `Aborted`.
    pub state: WindowState,
    /// The settlement that it is bound to; none while it waits for one.
    pub settlement: Option<SettlementId>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// In order of the accounts. Never changes.
    pub totals: Vec<AccountTotal>,
}

/// What the payments of a window moved on one account; neither amount is negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountTotal {
    pub account: AccountId,
    /// What the participant has come to owe.
    pub debits: Amount,
    /// What it has come to be owed.
    pub credits: Amount,
}

/// A settlement of one model over one window or more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement {
    pub id: SettlementId,
    /// The id of the settlement model.
    pub model: i64,
    pub state: SettlementState,
    pub reason: Box<str>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// In the order of their ids; also after an abort.
    pub windows: Vec<WindowId>,
    /// In the order of their ids.
    pub accounts: Vec<SettlementAccount>,
}

/// One account of a settlement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettlementAccount {
    pub account: AccountId,
    /// Above zero is what the participant owes, below zero what it is owed.
    pub net: Amount,
    pub state: SettlementState,
    pub reason: Box<str>,
    pub external_reference: Option<Box<str>>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// Everything that is asked of settlement; each has a unit of its own.
#[derive(Clone, Debug)]
pub enum SettlementCommand {
    /// Closes the open window and opens the next.
    CloseWindow(CloseWindow),
    /// Gives a window that is `Processing` or `Failed` its contents; any other is left as it is.
    TakeTotals(TakeTotals),
    /// Marks a window that is `Processing` as one whose totals cannot be taken.
    FailWindow {
        window: WindowId,
        reason: Box<str>,
    },
    CreateSettlement(CreateSettlement),
    AdvanceSettlement(AdvanceSettlement),
    AbortSettlement(AbortSettlement),
}

#[derive(Clone, Debug)]
pub struct CloseWindow {
    pub window: WindowId,
    pub reason: Box<str>,
}

/// The totals of every account that payments of a window have moved.
#[derive(Clone, Debug)]
pub struct TakeTotals {
    pub window: WindowId,
    pub totals: Vec<AccountTotal>,
}

#[derive(Clone, Debug)]
pub struct CreateSettlement {
    /// The name of the model, in whatever case.
    pub model: Box<str>,
    pub reason: Box<str>,
    /// Each once.
    pub windows: Vec<WindowId>,
}

/// Moves accounts of a settlement to their next states, in the order of the list.
#[derive(Clone, Debug)]
pub struct AdvanceSettlement {
    pub settlement: SettlementId,
    pub accounts: Vec<AdvanceAccount>,
}

#[derive(Clone, Debug)]
pub struct AdvanceAccount {
    /// The participant under which the account was listed.
    pub participant: ledger::ParticipantId,
    pub account: AccountId,
    pub state: SettlementState,
    pub reason: Box<str>,
    pub external_reference: Option<Box<str>>,
}

#[derive(Clone, Debug)]
pub struct AbortSettlement {
    pub settlement: SettlementId,
    pub reason: Box<str>,
    pub external_reference: Option<Box<str>>,
}

/// What a store loads, under its locks, for a settlement command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A window that is to be closed: payments wait for the end of the unit.
    Gate(WindowId),
    /// Windows with their contents.
    Windows(Vec<WindowId>),
    /// A settlement, with its windows and their contents. Balances are locked.
    Settlement(SettlementId),
}

/// What a settlement decision sees.
#[derive(Clone, Debug)]
pub struct Books {
    /// With present balances.
    pub directory: Directory,
    /// Those that the scope asks for and that exist, in order of their ids, with their contents. The window of a
    /// [`Scope::Gate`] has none.
    pub windows: Vec<Window>,
    /// The one that the scope asks for.
    pub settlement: Option<Settlement>,
    /// The last of each kind that was ever made; zero if there is none yet.
    pub last_window: WindowId,
    pub last_content: ContentId,
    pub last_settlement: SettlementId,
    /// For a [`Scope::Gate`]: whether a payment has joined the window.
    pub has_payments: bool,
}

/// What follows from a settlement command: what to write, in order, and what whoever asked is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    pub changes: Vec<Change>,
    pub answer: SettlementAnswer,
}

/// What whoever asked is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettlementAnswer {
    /// The window that is open now.
    Opened(Window),
    /// Nothing to tell but that it was done, or had been done before.
    Done,
    Created(Settlement),
    Advanced {
        settlement: Settlement,
        accounts: Vec<AdvancedAccount>,
    },
    Aborted(Settlement),
}

/// What became of one account of an [`AdvanceSettlement`], in the order of its list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdvancedAccount {
    pub participant: ledger::ParticipantId,
    pub account: AccountId,
    pub outcome: Result<(), AccountRefusal>,
}

/// Why one account stays where it is; the others of the request go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountRefusal {
    NotFound,
    OfAnotherParticipant,
    ListedTwice,
    StateChangeNotAllowed,
    /// A balance would leave the range of the ledger.
    Overflow,
}

impl WindowState {
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Processing,
        Self::Closed,
        Self::PendingSettlement,
        Self::Settled,
        Self::Aborted,
        Self::Failed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Processing => "PROCESSING",
            Self::Closed => "CLOSED",
            Self::PendingSettlement => "PENDING_SETTLEMENT",
            Self::Settled => "SETTLED",
            Self::Aborted => "ABORTED",
            Self::Failed => "FAILED",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl SettlementState {
    pub const ALL: [Self; 7] = [
        Self::PendingSettlement,
        Self::Recorded,
        Self::Reserved,
        Self::Committed,
        Self::Settling,
        Self::Settled,
        Self::Aborted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingSettlement => "PENDING_SETTLEMENT",
            Self::Recorded => "PS_TRANSFERS_RECORDED",
            Self::Reserved => "PS_TRANSFERS_RESERVED",
            Self::Committed => "PS_TRANSFERS_COMMITTED",
            Self::Settling => "SETTLING",
            Self::Settled => "SETTLED",
            Self::Aborted => "ABORTED",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl AccountTotal {
    /// Debits minus credits. Neither is negative, so that the difference always fits.
    pub fn net(&self) -> Amount {
        self.debits.checked_sub(self.credits).expect("the difference of two amounts that are not negative fits")
    }
}

impl SettlementCommand {
    /// What has to be loaded for the decision.
    pub fn scope(&self) -> Scope {
        match self {
            Self::CloseWindow(command) => Scope::Gate(command.window),
            Self::TakeTotals(command) => Scope::Windows([command.window].into()),
            Self::FailWindow { window, .. } => Scope::Windows([*window].into()),
            Self::CreateSettlement(command) => Scope::Windows(command.windows.clone()),
            Self::AdvanceSettlement(command) => Scope::Settlement(command.settlement),
            Self::AbortSettlement(command) => Scope::Settlement(command.settlement),
        }
    }
}

/// Decides a settlement command. Notices of positions that it moves, and of caps that it raises, are among its changes.
pub fn settle(
    books: &Books,
    command: &SettlementCommand,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Settled, SettlementRejection> {
    let mut settled = decide(books, command, now, hub_name)?;
    settled.changes.extend(notices::following(&books.directory, &settled.changes, now, hub_name));
    Ok(settled)
}

fn decide(
    books: &Books,
    command: &SettlementCommand,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Settled, SettlementRejection> {
    match command {
        SettlementCommand::CloseWindow(command) => windows::close(books, command, now),
        SettlementCommand::TakeTotals(command) => windows::take_totals(books, command, now),
        SettlementCommand::FailWindow { window, reason } => windows::fail(books, (*window, reason), now),
        SettlementCommand::CreateSettlement(command) => create::create(books, command, now),
        SettlementCommand::AdvanceSettlement(command) => advance::advance(books, command, now, hub_name),
        SettlementCommand::AbortSettlement(command) => abort::abort(books, command, now, hub_name),
    }
}

impl Books {
    /// The windows as they are once changes that were decided on these books are written: whoever asked is told from
    /// the decision, and not from a read that may fail or see what came later.
    pub fn windows_after(&self, changes: &[Change]) -> Vec<Window> {
        let mut windows = self.windows.clone();
        for change in changes {
            windows.iter_mut().for_each(|window| window.follow(change));
        }
        windows
    }

    fn window(&self, id: WindowId) -> Result<&Window, SettlementRejection> {
        let window = self.windows.iter().find(|window| window.id == id);
        window.ok_or(SettlementRejection::WindowNotFound(id))
    }
}

impl Window {
    /// Takes over what a change says of this window or of one of its contents.
    fn follow(&mut self, change: &Change) {
        match change {
            Change::SetWindow(changed) if changed.id == self.id => {
                let contents = core::mem::take(&mut self.contents);
                *self = Self { contents, ..changed.clone() };
            }
            Change::AddContent(added) if added.window == self.id => self.contents.push(added.clone()),
            Change::SetContent(changed) => {
                let known = self.contents.iter_mut().find(|content| content.id == changed.id);
                if let Some(known) = known {
                    let totals = core::mem::take(&mut known.totals);
                    *known = Content { totals, ..changed.clone() };
                }
            }
            Change::SetWindow(_)
            | Change::AddContent(_)
            | Change::AddParticipant(_)
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
            | Change::OpenWindow(_)
            | Change::AddSettlement(_)
            | Change::SetSettlement(_)
            | Change::SetSettlementAccount(..)
            | Change::AddNotice(_) => {}
        }
    }
}

impl Settled {
    fn nothing() -> Self {
        Self { changes: Vec::new(), answer: SettlementAnswer::Done }
    }
}
