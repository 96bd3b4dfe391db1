//! What the rejections of the core are called on the wire: code and text, on which operators' tools match exactly
//! (contract, administration §1).

use fspiop::{ErrorCode, FspiopError};
use hub_core::administration::AdminRejection;

/// The error object of a rejection. The code decides the HTTP status.
pub(super) fn error_of(rejection: AdminRejection) -> FspiopError {
    let (code, text) = code_and_text(rejection);
    FspiopError::with_detail(code, text)
}

fn code_and_text(rejection: AdminRejection) -> (ErrorCode, &'static str) {
    use AdminRejection as Rejection;
    use ErrorCode as Code;
    match rejection {
        Rejection::ParticipantNotFound => (Code::ID_NOT_FOUND, "participant not found"),
        Rejection::ParticipantInactive => (Code::INTERNAL, "Participant is currently set inactive"),
        Rejection::NoHubReconciliationAccount => {
            (Code::ADD_PARTY, "Hub reconciliation account for the specified currency does not exist")
        }
        Rejection::NoHubSettlementAccount => {
            (Code::ADD_PARTY, "Hub multilateral net settlement account for the specified currency does not exist")
        }
        Rejection::CurrencyAlreadyRegistered => {
            (Code::CLIENT_ERROR, "Participant currency has already been registered")
        }
        Rejection::NameDiffersInCaseOnly => {
            (Code::CLIENT_ERROR, "A participant whose name differs in upper and lower case only exists")
        }
        Rejection::NoSettlementModel => (Code::SETTLEMENT, "Unable to find a matching or default, Settlement Model"),
        Rejection::AccountTypeExists => (Code::CLIENT_ERROR, "This Ledger Account Type already exists"),
        Rejection::HubAccountOwnerNotFound => (Code::ADD_PARTY, "Participant was not found."),
        Rejection::HubAccountTypeNotFound => (Code::ADD_PARTY, "Ledger account type was not found."),
        Rejection::HubAccountAlreadyRegistered => (Code::ADD_PARTY, "Hub account has already been registered."),
        Rejection::NotTheHub => (Code::ADD_PARTY, "Endpoint is reserved for creation of Hub account types only."),
        Rejection::HubAccountTypeNotAllowed => {
            (Code::ADD_PARTY, "The requested hub operator account type is not allowed.")
        }
        Rejection::AccountNotFound => (Code::INTERNAL, "Account not found"),
        Rejection::AccountOfAnotherParticipant => (Code::INTERNAL, "Participant/account mismatch"),
        Rejection::NotAPositionAccount => (Code::INTERNAL, "Only position account update is permitted"),
        Rejection::AccountNotOpen => (Code::INTERNAL, "Account is not open: set its limit and initial position first"),
        Rejection::AccountDoesNotMatch => {
            (Code::INTERNAL, "The account does not match participant or currency specified")
        }
        Rejection::AccountInactive => (Code::INTERNAL, "Account is currently set inactive"),
        Rejection::NotASettlementAccount => (Code::INTERNAL, "Account is not SETTLEMENT type"),
        Rejection::AlreadyOpen => (Code::INTERNAL, "Participant Limit or Initial Position already set"),
        Rejection::LimitNotFound => (Code::INTERNAL, "Participant Limit does not exist"),
        Rejection::Overflow => (Code::INTERNAL, "The balance would leave the range of the ledger"),
        Rejection::UnsupportedSettlementModel => (
            Code::CLIENT_ERROR,
            "Invalid settlement model definition - delay-granularity-interchange combination is not supported",
        ),
        Rejection::ModelLedgerAccountTypeNotFound => (Code::ADD_PARTY, "Ledger account type was not found"),
        Rejection::ModelSettlementAccountTypeNotFound => (Code::ADD_PARTY, "Settlement account type was not found"),
        Rejection::SettlementModelNameTaken => (Code::CLIENT_ERROR, "Settlement Model already exists"),
        Rejection::SettlementModelForAccountTypeExists => {
            (Code::INTERNAL, "A settlement model for this currency and ledger account type already exists")
        }
        Rejection::SettlementModelNotFound => (Code::INTERNAL, "Settlement Model does not exist"),
        Rejection::FeeRuleNotFound => (Code::ID_NOT_FOUND, "Fee rule not found"),
        Rejection::FeeRuleNameTaken => (Code::CLIENT_ERROR, "A fee rule of this name already exists"),
        // The last word is what an older generation of clients looks for.
        Rejection::OracleExists => (
            Code::INTERNAL,
            "Active oracle with matching partyIdTypeId, endpointTypeId, currencyId already exists - Duplicate",
        ),
        Rejection::OracleNotFound => (Code::ADD_PARTY, "Oracle not found"),
        Rejection::ClientExists => (Code::CLIENT_ERROR, "The participant is a client already"),
        Rejection::ClientNotFound => (Code::ID_NOT_FOUND, "The participant is no client"),
        Rejection::ClientHasTwoSecrets => (Code::CLIENT_ERROR, "Two secrets are valid; end them with an overlap of 0"),
        Rejection::NoClientForTheHub => (Code::CLIENT_ERROR, "The hub itself is no client"),
    }
}
