//! Lists of payments in the books.

use super::{Bank, BankError, Core};
use crate::journal::Event;
use crate::lists::List;
use vocabulary::CorrelationId;

/// Lists that the books remember.
const LISTS_MAX: usize = 10_000;

impl Bank {
    pub fn list(&self, id: CorrelationId) -> Option<List> {
        self.core().lists.iter().find(|list| list.id == id).cloned()
    }

    /// Lists that were begun; what of them has ended is found out by their payments.
    pub(crate) fn started_lists(&self) -> Vec<CorrelationId> {
        self.core().lists.iter().filter(|list| list.is_started).map(|list| list.id).collect()
    }

    pub(crate) fn open_list(&self, list: List) -> Result<(), BankError> {
        let mut core = self.core();
        if core.lists.len() >= LISTS_MAX {
            return Err(BankError::Full);
        }
        Ok(core.record(Event::ListOpened(Box::new(list)))?)
    }

    /// True if it had not been started.
    pub(crate) fn mark_started(&self, id: CorrelationId) -> Result<bool, BankError> {
        let mut core = self.core();
        if !core.lists.iter().any(|list| list.id == id && !list.is_started) {
            return Ok(false);
        }
        core.record(Event::ListStarted { id })?;
        Ok(true)
    }

    /// A line could not be paid and will not be.
    pub(crate) fn fault_line(&self, (id, line): (CorrelationId, usize), fault: String) -> Result<(), BankError> {
        Ok(self.core().record(Event::ListLineFaulted { id, line, fault })?)
    }
}

impl Core {
    /// The list is there: it was when the event was written.
    pub(super) fn change_list(&mut self, id: CorrelationId, change: impl FnOnce(&mut List)) {
        let list = self.lists.iter_mut().find(|list| list.id == id);
        change(list.expect("a list is opened before it changes"));
    }
}
