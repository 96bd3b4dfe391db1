//! Requests to pay in the books: opened once, ended once.

use super::{Bank, BankError, Core};
use crate::journal::Event;
use crate::payment::Reason;
use crate::requests::{Request, RequestState};
use sdk::RequestNews;
use vocabulary::CorrelationId;

/// Requests that the books remember.
const REQUESTS_MAX: usize = 1_000_000;

impl Bank {
    pub fn request(&self, id: CorrelationId) -> Option<Request> {
        self.core().requests.get(&id).cloned()
    }

    /// A customer's requests in both directions, newest first, at most `count_max`.
    pub fn requests_of(&self, customer: &str, count_max: usize) -> Vec<Request> {
        let core = self.core();
        let newest_first = core.request_order.iter().rev().map(|id| &core.requests[id]);
        newest_first.filter(|request| request.customer == customer).take(count_max).cloned().collect()
    }

    /// True if it was not open before.
    pub(crate) fn open_request(&self, request: Request) -> Result<bool, BankError> {
        let mut core = self.core();
        if core.requests.contains_key(&request.id) {
            return Ok(false);
        }
        if core.requests.len() >= REQUESTS_MAX {
            return Err(BankError::Full);
        }
        core.record(Event::RequestOpened(Box::new(request)))?;
        Ok(true)
    }

    /// Records what the payer's DFSP says, or our customer. What has ended stays ended; an unknown one is ignored.
    pub(crate) fn hear_request(&self, id: CorrelationId, news: &RequestNews) -> Result<(), BankError> {
        let mut core = self.core();
        let Some(known) = core.requests.get(&id).filter(|known| known.state == RequestState::Waiting) else {
            return Ok(());
        };
        let event = match news {
            RequestNews::Waiting(Some(transaction)) if known.transaction.is_none() => {
                Event::RequestNamed { id, transaction: *transaction }
            }
            RequestNews::Waiting(_) => return Ok(()),
            RequestNews::Rejected => Event::RequestEnded { id, state: RequestState::Rejected },
            RequestNews::Failed(error) => Event::RequestEnded { id, state: RequestState::Failed(Reason::from(error)) },
        };
        Ok(core.record(event)?)
    }
}

impl Core {
    pub(super) fn apply_request(&mut self, request: &Request) {
        self.request_order.push(request.id);
        self.requests.insert(request.id, request.clone());
    }

    /// The request is open: it was when the event was written.
    pub(super) fn change_request(&mut self, id: CorrelationId, change: impl FnOnce(&mut Request)) {
        change(self.requests.get_mut(&id).expect("a request is opened before it changes"));
    }
}
