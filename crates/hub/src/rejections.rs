//! The one place where the core's reasons become FSPIOP error codes and texts (contract §1.10, §4.3, §4.6).

use fspiop::{ErrorCode, FspiopError};
use hub_core::Rejection;

/// The error that a participant is told, and that the `cause` of an aborted transfer is made from.
pub fn error_of(rejection: &Rejection) -> FspiopError {
    let validation = |detail: &str| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    match rejection {
        Rejection::NoRoute { payer, payee } => FspiopError::with_detail(
            ErrorCode::ID_NOT_FOUND,
            format_args!("Payer proxy or payee proxy not found: initiatingFsp: {payer} counterPartyFsp: {payee}"),
        ),
        Rejection::ModifiedRequest => FspiopError::new(ErrorCode::MODIFIED_REQUEST),
        Rejection::SourceIsNotPayer => validation("FSPIOP-Source header should match Payer"),
        Rejection::AmountTooLarge(amount) => validation(&format!("Amount {amount} exceeds allowed precision of 18")),
        Rejection::ParticipantNotFound(name) => validation(&format!("Participant {name} not found")),
        Rejection::ParticipantInactive(name) => validation(&format!("Participant {name} is inactive")),
        Rejection::PayerMayNotSend(name) => validation(&format!("Participant {name} may not send at present")),
        Rejection::PayeeMayNotReceive(name) => validation(&format!("Participant {name} may not receive at present")),
        Rejection::AlreadyExpired(time) => validation(&format!("Expiration date {time} is already in the past")),
        // The spelling is the reference's; clients compare it.
        Rejection::PayerIsPayee => {
            validation("Payer FSP and Payee FSP should be different, unless on-us tranfers are allowed by the Scheme")
        }
        Rejection::AccountNotFound(name, currency) => {
            validation(&format!("Participant {name} {currency} account not found"))
        }
        Rejection::AccountInactive(name, currency) => {
            validation(&format!("Participant {name} {currency} account is inactive"))
        }
        Rejection::PayerShortOfLiquidity => FspiopError::new(ErrorCode::PAYER_LIQUIDITY),
        Rejection::PayerOverCap => FspiopError::new(ErrorCode::PAYER_LIMIT),
        Rejection::Overflow => FspiopError::with_detail(ErrorCode::INTERNAL, "the balance would leave its range"),
        Rejection::TransferNotFound => FspiopError::with_detail(ErrorCode::INTERNAL, "transfer not found"),
        Rejection::SourceIsNotPayee => {
            validation("fspiop-source does not match payee fsp on the Fulfil callback response")
        }
        Rejection::DestinationIsNotPayer => {
            validation("fspiop-destination does not match payer fsp on the Fulfil callback response")
        }
        Rejection::InvalidFulfilment => validation("invalid fulfilment"),
        Rejection::NotReserved => validation("non-RESERVED transfer state"),
        Rejection::TransferExpired => FspiopError::new(ErrorCode::TRANSFER_EXPIRED),
        Rejection::NotAParty => FspiopError::new(ErrorCode::CLIENT_ERROR),
        Rejection::ByPayee { code, description } => match ErrorCode::parse(&code.to_string()) {
            Some(code) if code.is_relayable() => FspiopError::relayed(code, description),
            Some(_) | None => FspiopError::undefined_code(),
        },
        Rejection::UnsupportedPayer(name) => unsupported(ErrorCode::PAYER_FSP_NOT_FOUND, name),
        Rejection::UnsupportedPayee(name) => unsupported(ErrorCode::DESTINATION_FSP, name),
        Rejection::UnsupportedProvider(name) => unsupported(ErrorCode::GENERIC_VALIDATION, name),
        Rejection::ConversionNotFound => {
            let detail = "Provided commitRequest ID was not found on the server.";
            FspiopError::with_detail(ErrorCode::TRANSFER_ID_NOT_FOUND, detail)
        }
        Rejection::NoDeterminingTransfer => validation("determiningTransferId is missing"),
        Rejection::NoExpiration => validation("Expiration is required for conditional transfer"),
        Rejection::ConversionNotAgreed => validation("Related FX Transfer is not fulfilled"),
        Rejection::ConversionDiffers => {
            validation("Payer FSP, amount and currency should be those that the related FX Transfer yields")
        }
        Rejection::NotConvertible => validation("The determining transfer cannot be converted"),
    }
}

/// As [`error_of`], in the words of conversions (contract, interscheme §3.3, §3.4).
pub fn error_about_conversion(rejection: &Rejection) -> FspiopError {
    let validation = |detail: &str| FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail);
    match rejection {
        Rejection::SourceIsNotPayer => validation("FSPIOP-Source header should match initiatingFsp"),
        Rejection::PayerIsPayee => {
            validation("Initiating FSP and Counter party FSP should be different, unless on-us transfers are allowed")
        }
        Rejection::SourceIsNotPayee => {
            validation("fspiop-source does not match counterPartyFsp on the fxFulfil callback response")
        }
        Rejection::DestinationIsNotPayer => {
            validation("fspiop-destination does not match initiatingFsp on the fxFulfil callback response")
        }
        Rejection::NotReserved => validation("Non-RESERVED fxTransfer state"),
        Rejection::ConversionDiffers => validation(
            "Initiating FSP, source amount and currency should be those of the determining transfer's payee side",
        ),
        Rejection::NoRoute { .. }
        | Rejection::ModifiedRequest
        | Rejection::AmountTooLarge(_)
        | Rejection::ParticipantNotFound(_)
        | Rejection::ParticipantInactive(_)
        | Rejection::PayerMayNotSend(_)
        | Rejection::PayeeMayNotReceive(_)
        | Rejection::AlreadyExpired(_)
        | Rejection::AccountNotFound(..)
        | Rejection::AccountInactive(..)
        | Rejection::PayerShortOfLiquidity
        | Rejection::PayerOverCap
        | Rejection::Overflow
        | Rejection::TransferNotFound
        | Rejection::InvalidFulfilment
        | Rejection::TransferExpired
        | Rejection::NotAParty
        | Rejection::ByPayee { .. }
        | Rejection::UnsupportedPayer(_)
        | Rejection::UnsupportedPayee(_)
        | Rejection::UnsupportedProvider(_)
        | Rejection::ConversionNotFound
        | Rejection::NoDeterminingTransfer
        | Rejection::NoExpiration
        | Rejection::ConversionNotAgreed
        | Rejection::NotConvertible => error_of(rejection),
    }
}

/// As [`error_of`], for a quote: a changed one is told with its name (contract §3.3), a changed transfer is not.
pub fn error_about_quote(rejection: &Rejection, quote: impl std::fmt::Display) -> FspiopError {
    if *rejection == Rejection::ModifiedRequest {
        let detail = format_args!("{quote} is a duplicate but hashes dont match");
        return FspiopError::with_detail(ErrorCode::MODIFIED_REQUEST, detail);
    }
    error_of(rejection)
}

fn unsupported(code: ErrorCode, name: &vocabulary::FspId) -> FspiopError {
    FspiopError::with_detail(code, format_args!("Unsupported participant '{name}'"))
}
