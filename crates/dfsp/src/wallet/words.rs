//! Errors in the words of a customer: what happened, what became of the money, what to do.

use super::format::money;
use crate::bank::BankError;
use crate::limits::Limit;
use crate::payer::PayError;
use crate::payment::Reason;
use sdk::{CallError, ErrorCode, FspiopError};
use vocabulary::Currency;

/// What the page before this one has done.
pub(super) fn notice(said: &str) -> Option<&'static str> {
    match said {
        "declined" => Some("Nothing was paid."),
        "unread" => Some("This is no code that can be paid here. Check that you have copied all of it."),
        "opened" => Some("The account is open and its number is registered with the payment network."),
        "unregistered" => {
            Some("The account is open. Its number could not be registered with the payment network; try again.")
        }
        "registered" => Some("The number is registered with the payment network."),
        "known" => Some("This number has an account here already."),
        "changed" => Some("The change is written down."),
        "booked" => Some("The cash is booked."),
        _ => None,
    }
}

/// Why there is no offer to confirm.
pub(super) fn no_offer(error: &PayError, currency: Currency) -> String {
    let sentence = match error {
        PayError::UnknownCustomer => "This account does not exist.",
        PayError::SameDfsp => "This number has an account here too. This demo sends to the other DFSP only.",
        PayError::OtherCurrency(_) => {
            "This person's account is in another currency. Say what you send in your currency, or choose theirs for what they get."
        }
        PayError::ImpossibleAmount => "This amount cannot be sent. Choose another one.",
        PayError::NotEnoughMoney(_) => "There is not enough money in your account for this amount and its fee.",
        PayError::NoOffer => "This offer has expired. Start again to see today's terms.",
        PayError::NotRefundable => "Nothing was received from this number that could be given back.",
        PayError::Bank(error) => return not_booked(error, currency),
        PayError::TooManyOffers => "We cannot take payments right now. Please try again later.",
        PayError::Scheme(error) => no_answer(error),
    };
    sentence.to_owned()
}

/// Why the books refuse something.
pub(super) fn not_booked(error: &BankError, currency: Currency) -> String {
    let sentence = match error {
        BankError::Limit(Limit::Payment(most)) => {
            return format!("Your account allows at most {} in one payment.", money(*most, currency));
        }
        BankError::Limit(Limit::Day(left)) => {
            return format!("Of what your account may send in one day, {} are left today.", money(*left, currency));
        }
        BankError::Limit(Limit::Balance(most)) => {
            return format!("The account may hold at most {}.", money(*most, currency));
        }
        BankError::RefundTooLarge(left) => {
            return format!("Of this payment at most {} can still be given back.", money(*left, currency));
        }
        BankError::Blocked => "This account is blocked. Please talk to us at the counter.",
        BankError::NotEnoughMoney => "There is not enough money in the account.",
        BankError::ImpossibleAmount => "This amount cannot be paid. Choose another one.",
        BankError::EmptyVault => "There is not enough cash in the vault.",
        BankError::Full | BankError::Journal(_) => "Nothing can be written down right now. Please try again later.",
    };
    sentence.to_owned()
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
        ErrorCode::PAYEE_LIMIT => "This is more than this person's account can take. Nothing was sent.",
        ErrorCode::PAYEE_PERMISSION => "This person's account takes no payments at the moment. Nothing was sent.",
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
        Some(ErrorCode::PAYEE_LIMIT) => "It is more than the account of the person who was to get it can take.",
        Some(ErrorCode::PAYEE_PERMISSION) => {
            "The account of the person who was to get it takes no payments at the moment."
        }
        Some(ErrorCode::TRANSFER_EXPIRED | ErrorCode::QUOTE_EXPIRED) => "There was no answer in time.",
        Some(ErrorCode::COMMUNICATION) => "The payment network could not be reached.",
        Some(_) | None => "The payment network did not accept the payment.",
    }
}
