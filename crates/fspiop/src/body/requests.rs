//! Bodies of `/transactionRequests` and `/authorizations` (FSPIOP 1.1 §6.4, §6.6), which the hub relays.
//! Their error callbacks are relayed unread (contract §5).

use super::schema::check_body;
use super::schemas::{AUTHORIZATION_PUT, TRANSACTION_REQUEST_POST, TRANSACTION_REQUEST_PUT};
use crate::FspiopError;
use vocabulary::CorrelationId;

/// `POST /transactionRequests`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionRequest {
    pub transaction_request_id: CorrelationId,
}

/// `PUT /transactionRequests/{ID}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionRequestPut {
    pub transaction_id: Option<CorrelationId>,
    /// `RECEIVED`, `PENDING`, `ACCEPTED` or `REJECTED`, but not checked.
    pub state: String,
}

/// `PUT /authorizations/{ID}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizationPut {
    /// `ENTERED`, `REJECTED` or `RESEND`, but not checked.
    pub response_type: String,
}

impl TransactionRequest {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &TRANSACTION_REQUEST_POST)?;
        Ok(Self { transaction_request_id: object.checked("transactionRequestId") })
    }
}

impl TransactionRequestPut {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &TRANSACTION_REQUEST_PUT)?;
        let transaction_id = object.checked_option("transactionId");
        Ok(Self { transaction_id, state: object.owned_text("transactionRequestState") })
    }
}

impl AuthorizationPut {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &AUTHORIZATION_PUT)?;
        Ok(Self { response_type: object.owned_text("responseType") })
    }
}
