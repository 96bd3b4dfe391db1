//! Bodies of `/transfers` (FSPIOP 1.1 §6.7).

use super::schema::check_body;
use super::schemas::{TRANSFER_PATCH, TRANSFER_POST, TRANSFER_PUT};
use crate::FspiopError;
use std::{fmt, str::FromStr};
use vocabulary::{Amount, Condition, CorrelationId, Currency, FspId, Fulfilment, InvalidAmount, Timestamp};

/// `POST /transfers`: the payer's FSP asks to reserve and pass on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferPrepare {
    pub transfer_id: CorrelationId,
    pub payer_fsp: FspId,
    pub payee_fsp: FspId,
    /// The amount as it was written; it fits the grammar of the API.
    pub amount_text: Box<str>,
    /// The amount, or `TooLarge` if the grammar allows it and [`Amount`] cannot hold it: a matter for the decision
    /// ("exceeds allowed precision"), not a malformed message.
    pub amount: Result<Amount, InvalidAmount>,
    pub currency: Currency,
    pub condition: Condition,
    pub expiration: Timestamp,
    /// base64url; its content is not looked at.
    pub ilp_packet: Box<str>,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

/// `PUT /transfers/{ID}`: the payee's FSP (or the hub) reports the outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferFulfil {
    pub state: TransferState,
    pub fulfilment: Option<Fulfilment>,
    pub completed: Option<Timestamp>,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

/// `PATCH /transfers/{ID}`: the hub tells the payee's FSP what became of its reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferNotice {
    pub state: TransferState,
    pub completed: Timestamp,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

/// `TransferState` (§7.3.33): what participants see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransferState {
    Received,
    Reserved,
    Committed,
    Aborted,
}

impl TransferPrepare {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &TRANSFER_POST)?;
        let money = object.object("amount").expect("the schema demands the member");
        let amount_text = money.owned_text("amount");
        Ok(Self {
            transfer_id: object.checked("transferId"),
            payer_fsp: object.checked("payerFsp"),
            payee_fsp: object.checked("payeeFsp"),
            amount: Amount::parse(&amount_text),
            amount_text: amount_text.into_boxed_str(),
            currency: money.checked("currency"),
            condition: Condition::parse(&object.owned_text("condition")).expect("the schema has checked the form"),
            expiration: object.checked("expiration"),
            ilp_packet: object.owned_text("ilpPacket").into_boxed_str(),
            extension_list: object.raw("extensionList"),
        })
    }
}

impl TransferFulfil {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &TRANSFER_PUT)?;
        let fulfilment = object.text("fulfilment");
        Ok(Self {
            state: object.checked("transferState"),
            fulfilment: fulfilment.map(|text| Fulfilment::parse(&text).expect("the schema has checked the form")),
            completed: object.checked_option("completedTimestamp"),
            extension_list: object.raw("extensionList"),
        })
    }
}

impl TransferNotice {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &TRANSFER_PATCH)?;
        Ok(Self {
            state: object.checked("transferState"),
            completed: object.checked("completedTimestamp"),
            extension_list: object.raw("extensionList"),
        })
    }
}

impl TransferState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Reserved => "RESERVED",
            Self::Committed => "COMMITTED",
            Self::Aborted => "ABORTED",
        }
    }
}

impl FromStr for TransferState {
    type Err = UnknownTransferState;

    fn from_str(text: &str) -> Result<Self, UnknownTransferState> {
        let states = [Self::Received, Self::Reserved, Self::Committed, Self::Aborted];
        states.into_iter().find(|state| state.as_str() == text).ok_or(UnknownTransferState)
    }
}

/// The text is not a `TransferState`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownTransferState;

impl fmt::Display for UnknownTransferState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a transfer state (RECEIVED, RESERVED, COMMITTED, ABORTED)")
    }
}

impl std::error::Error for UnknownTransferState {}

impl fmt::Display for TransferState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
