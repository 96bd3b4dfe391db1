//! What the scheme says about a transfer, and when that decides it.
//!
//! Invariant: money follows only a decision. A message that does not decide (still reserved, a complaint about one of
//! our own messages, a fulfilment that does not fulfil) leaves the transfer open; asking the hub settles it.

use fspiop::body::{TransferFulfil, TransferNotice, TransferState};
use fspiop::{ErrorCode, FspiopError, ilp};
use serde::Deserialize;
use vocabulary::{Condition, Fulfilment, Timestamp};

/// A message about a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// `PUT` or `PATCH /transfers/{ID}`.
    Status(TransferStatus),
    /// `PUT /transfers/{ID}/error`.
    Error(FspiopError),
}

/// The state of a transfer as the hub or the other DFSP reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferStatus {
    pub state: TransferState,
    pub fulfilment: Option<Fulfilment>,
    pub completed: Option<Timestamp>,
    /// Why it was aborted, if the hub says so.
    pub cause: Option<FspiopError>,
}

/// On which side of a transfer a DFSP is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Payer { condition: Condition },
    Payee,
}

/// The end of a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    Committed,
    Aborted(FspiopError),
}

impl News {
    /// What the message decides for one side; `None` if it leaves the transfer open.
    pub fn decision(&self, role: Role) -> Option<Decision> {
        match self {
            Self::Status(status) => status.decision(role),
            Self::Error(error) => {
                let ends = match role {
                    Role::Payer { .. } => ends_for_payer(error.code),
                    Role::Payee => error.code == ErrorCode::TRANSFER_EXPIRED,
                };
                ends.then(|| Decision::Aborted(error.clone()))
            }
        }
    }
}

impl TransferStatus {
    fn decision(&self, role: Role) -> Option<Decision> {
        match self.state {
            TransferState::Received | TransferState::Reserved => None,
            TransferState::Aborted => {
                let unexplained = || FspiopError::relayed(ErrorCode::SERVER_ERROR, "Aborted, the hub gives no reason");
                Some(Decision::Aborted(self.cause.clone().unwrap_or_else(unexplained)))
            }
            TransferState::Committed => match (role, &self.fulfilment) {
                (Role::Payer { condition }, Some(fulfilment)) if ilp::condition_of(fulfilment) != condition => None,
                (Role::Payer { .. } | Role::Payee, _) => Some(Decision::Committed),
            },
        }
    }
}

/// A complaint about a repeated or unknown message says nothing about the transfer itself, and after an internal error
/// of the hub its state is a question; every other error is the end.
pub fn ends_for_payer(code: ErrorCode) -> bool {
    let undecided =
        [ErrorCode::MODIFIED_REQUEST, ErrorCode::TRANSFER_ID_NOT_FOUND, ErrorCode::CLIENT_ERROR, ErrorCode::INTERNAL];
    !undecided.contains(&code)
}

impl From<TransferFulfil> for TransferStatus {
    fn from(body: TransferFulfil) -> Self {
        let cause = cause(body.extension_list.as_deref());
        Self { state: body.state, fulfilment: body.fulfilment, completed: body.completed, cause }
    }
}

impl From<TransferNotice> for TransferStatus {
    fn from(body: TransferNotice) -> Self {
        let cause = cause(body.extension_list.as_deref());
        Self { state: body.state, fulfilment: None, completed: Some(body.completed), cause }
    }
}

/// The extension `cause`, which reads `<code>: <description>`.
fn cause(extension_list: Option<&str>) -> Option<FspiopError> {
    #[derive(Deserialize)]
    struct List {
        extension: Vec<fspiop::Extension>,
    }
    let list: List = serde_json::from_str(extension_list?).ok()?;
    let cause = list.extension.into_iter().rev().find(|entry| entry.key == "cause")?;
    let (code, description) = cause.value.split_once(": ")?;
    Some(FspiopError::relayed(ErrorCode::parse(code)?, description))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULFILMENT: Fulfilment = Fulfilment::new([7; 32]);

    fn payer() -> Role {
        Role::Payer { condition: ilp::condition_of(&FULFILMENT) }
    }

    fn put(body: &str) -> News {
        News::Status(TransferFulfil::parse(body.as_bytes()).unwrap().into())
    }

    #[test]
    fn committed_decides_unless_the_fulfilment_is_wrong() {
        let good = put(&format!(r#"{{"transferState":"COMMITTED","fulfilment":"{FULFILMENT}"}}"#));
        assert_eq!(good.decision(payer()), Some(Decision::Committed));
        let wrong = Fulfilment::new([8; 32]);
        let bad = put(&format!(r#"{{"transferState":"COMMITTED","fulfilment":"{wrong}"}}"#));
        assert_eq!(bad.decision(payer()), None);
        assert_eq!(put(r#"{"transferState":"COMMITTED"}"#).decision(Role::Payee), Some(Decision::Committed));
        assert_eq!(put(r#"{"transferState":"RESERVED"}"#).decision(payer()), None);
    }

    #[test]
    fn the_cause_of_an_abort_is_read_from_its_extension() {
        let news = put(
            r#"{"transferState":"ABORTED","extensionList":{"extension":[{"key":"cause","value":"3303: Transfer expired"}]}}"#,
        );
        let expired = FspiopError::new(ErrorCode::TRANSFER_EXPIRED);
        assert_eq!(news.decision(Role::Payee), Some(Decision::Aborted(expired)));
    }

    #[test]
    fn a_complaint_about_a_repeated_message_does_not_end_a_payment() {
        let error = |code| News::Error(FspiopError::new(code));
        assert_eq!(error(ErrorCode::MODIFIED_REQUEST).decision(payer()), None);
        assert_eq!(error(ErrorCode::TRANSFER_ID_NOT_FOUND).decision(payer()), None);
        assert!(error(ErrorCode::PAYER_LIMIT).decision(payer()).is_some());
        assert_eq!(error(ErrorCode::GENERIC_VALIDATION).decision(Role::Payee), None);
        assert!(error(ErrorCode::TRANSFER_EXPIRED).decision(Role::Payee).is_some());
    }
}
