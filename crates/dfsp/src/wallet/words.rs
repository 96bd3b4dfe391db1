//! Errors in the words of a customer: what happened, what became of the money, what to do.

use crate::payer::PayError;
use crate::payment::Reason;
use sdk::{CallError, ErrorCode, FspiopError};

/// Why there is no offer to confirm.
pub(super) fn no_offer(error: &PayError) -> &'static str {
    match error {
        PayError::UnknownCustomer => "This account does not exist.",
        PayError::SameDfsp => "This number has an account here too. This demo sends to the other DFSP only.",
        PayError::OtherCurrency(_) => {
            "This person's account is in another currency. Say what you send in your currency, or choose theirs for what they get."
        }
        PayError::ImpossibleAmount => "This amount cannot be sent. Choose another one.",
        PayError::NotEnoughMoney(_) => "There is not enough money in your account for this amount and its fee.",
        PayError::NoOffer => "This offer has expired. Start again to see today's terms.",
        PayError::TooManyOffers | PayError::Bank(_) => "We cannot take payments right now. Please try again later.",
        PayError::Scheme(error) => no_answer(error),
    }
}

fn no_answer(error: &CallError) -> &'static str {
    match error {
        CallError::Refused(error) | CallError::Answered(error) => no_terms(error),
        CallError::NoProvider => {
            "Nobody converts your money into this person's currency at the moment. Nothing was sent."
        }
        CallError::NoAnswer(_) => "The other side does not answer. Nothing was sent; please try again later.",
        CallError::Unreachable(_) | CallError::Uncertain(_) | CallError::Unusable(_) | CallError::Busy => {
            "The payment network cannot be reached. Nothing was sent; please try again in a moment."
        }
    }
}

fn no_terms(error: &FspiopError) -> &'static str {
    match error.code {
        ErrorCode::PARTY_NOT_FOUND | ErrorCode::ID_NOT_FOUND => {
            "Nobody in the payment network has this number. Check it, or ask the person for the right one."
        }
        ErrorCode::PAYEE_UNSUPPORTED_CURRENCY => "This person's account is in another currency.",
        _ => "The other side does not accept this payment. Nothing was sent.",
    }
}

/// Why a payment failed; the money of a failed payment has always come back.
pub(super) fn failure(reason: &Reason) -> &'static str {
    match ErrorCode::parse(&reason.code) {
        Some(ErrorCode::PAYER_LIQUIDITY | ErrorCode::PAYER_LIMIT) => {
            "Your provider has reached its own limit in the payment network."
        }
        Some(ErrorCode::PAYEE_REJECTED_TRANSACTION | ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION) => {
            "The payment was refused on the other side."
        }
        Some(ErrorCode::TRANSFER_EXPIRED | ErrorCode::QUOTE_EXPIRED) => "There was no answer in time.",
        Some(ErrorCode::COMMUNICATION) => "The payment network could not be reached.",
        Some(_) | None => "The payment network did not accept the payment.",
    }
}
