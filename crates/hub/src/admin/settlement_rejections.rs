//! What the rejections of settlement are called on the wire (contract, administration §2.2 to §2.5).

use super::reply::Failure;
use crate::{AdminFailure, SettlementFailure};
use fspiop::{ErrorCode, FspiopError};
use hub_core::settlement::{AccountRefusal, SettlementRejection};

/// The answer to a settlement command that was not carried out.
pub(super) fn failure_of(failure: SettlementFailure) -> Failure {
    match failure {
        SettlementFailure::Rejected(rejection) => Failure(error_of(&rejection)),
        SettlementFailure::Unavailable(what) => Failure::from(AdminFailure::Unavailable(what)),
    }
}

fn error_of(rejection: &SettlementRejection) -> FspiopError {
    use SettlementRejection as Rejection;
    let invalid = |detail: &dyn std::fmt::Display| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    match rejection {
        Rejection::WindowNotFound(id) => invalid(&format_args!("Window {} does not exist", id.0)),
        Rejection::WindowNotOpen(id) => invalid(&format_args!("Window {} is not open", id.0)),
        Rejection::WindowEmpty(id) => invalid(&format_args!("Window {} is empty", id.0)),
        Rejection::TotalsDoNotBalance(id) => FspiopError::with_detail(
            ErrorCode::INTERNAL,
            format_args!("The totals of window {} do not add up: verify the ledger", id.0),
        ),
        Rejection::ModelNotFound(name) => invalid(&format_args!("Settlement model not found: {name}")),
        Rejection::ModelIsGross => invalid(&"Settlement can not be created for GROSS or IMMEDIATE models"),
        Rejection::InapplicableWindows(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
            invalid(&format_args!("Inapplicable windows {}", ids.join(", ")))
        }
        Rejection::SettlementNotFound(_) => invalid(&"Settlement not found"),
        Rejection::AbortNotAllowed(id, state) => invalid(&format_args!(
            "State change is not allowed for settlement '{}' in state '{}'",
            id.0,
            state.as_str()
        )),
        Rejection::AbortAfterCommit(id) => invalid(&format_args!(
            "At least one settlement transfer is committed for settlement '{}'. Aborting is not allowed.",
            id.0
        )),
        Rejection::NoHubSettlementAccount => FspiopError::with_detail(
            ErrorCode::INTERNAL,
            "The hub has no multilateral settlement account in a currency of the settlement",
        ),
        Rejection::Overflow => {
            FspiopError::with_detail(ErrorCode::INTERNAL, "The balance would leave the range of the ledger")
        }
    }
}

/// Why one account of a request stays where it is.
pub(super) fn refusal(refusal: AccountRefusal) -> FspiopError {
    let text = match refusal {
        AccountRefusal::NotFound => "Account not found",
        AccountRefusal::OfAnotherParticipant => "Participant and account mismatch",
        AccountRefusal::ListedTwice => "Account already processed once",
        AccountRefusal::StateChangeNotAllowed => "State change not allowed",
        AccountRefusal::Overflow => "The balance would leave the range of the ledger",
    };
    FspiopError::with_detail(ErrorCode::CLIENT_ERROR, text)
}
