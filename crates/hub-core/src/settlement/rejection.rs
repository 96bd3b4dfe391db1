//! Why a settlement command is refused; nothing has changed. The words are chosen where they leave the hub.

use super::{SettlementId, SettlementState};
use crate::WindowId;
use alloc::{boxed::Box, vec::Vec};

/// A reason of contract, administration §2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettlementRejection {
    WindowNotFound(WindowId),
    WindowNotOpen(WindowId),
    WindowEmpty(WindowId),
    /// The totals of a window do not sum to zero, or name an account that does not exist.
    TotalsDoNotBalance(WindowId),
    /// No active model has this name.
    ModelNotFound(Box<str>),
    /// A gross model settles payment by payment; there is nothing to settle at once.
    ModelIsGross,
    /// These windows have nothing that the model could settle now.
    InapplicableWindows(Vec<WindowId>),
    SettlementNotFound(SettlementId),
    /// The settlement can no longer be aborted.
    AbortNotAllowed(SettlementId, SettlementState),
    /// One account at least has been committed.
    AbortAfterCommit(SettlementId),
    /// The hub has no multilateral settlement account in a currency that positions would move in.
    NoHubSettlementAccount,
    /// A balance would leave the range of the ledger.
    Overflow,
}
