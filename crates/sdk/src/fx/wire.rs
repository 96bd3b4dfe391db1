//! Bodies of `/fxQuotes`, `/fxTransfers` and `/services/FXP` as the API writes them (FSPIOP 2.0), to send and to read what
//! [`fspiop::body`] leaves to others: amounts as numbers and charges.
//!
//! Invariant: a body is read here only after the parser of [`fspiop::body`] has accepted it.

use crate::text;
use crate::wire::Cash;
use serde::{Deserialize, Serialize};
use vocabulary::{Amount, CorrelationId, Currency, FspId, Money, Timestamp};

/// `FxMoney`: the amount may still be open.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FxMoney {
    #[serde(with = "text")]
    pub currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub amount: Option<Amount>,
}

/// `FxCharge`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FxCharge {
    pub charge_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_amount: Option<Cash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_amount: Option<Cash>,
}

/// `FxConversion`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversionTerms {
    #[serde(with = "text")]
    pub conversion_id: CorrelationId,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub determining_transfer_id: Option<CorrelationId>,
    #[serde(with = "text")]
    pub initiating_fsp: FspId,
    #[serde(with = "text")]
    pub counter_party_fsp: FspId,
    pub amount_type: String,
    pub source_amount: FxMoney,
    pub target_amount: FxMoney,
    #[serde(with = "text")]
    pub expiration: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<FxCharge>,
}

/// `POST /fxQuotes`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FxQuotePost {
    #[serde(with = "text")]
    pub conversion_request_id: CorrelationId,
    pub conversion_terms: ConversionTerms,
}

/// `PUT /fxQuotes/{ID}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FxQuotePut {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    pub conversion_terms: ConversionTerms,
}

/// `POST /fxTransfers`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FxTransferPost<'order> {
    #[serde(with = "text")]
    pub commit_request_id: CorrelationId,
    #[serde(with = "text")]
    pub determining_transfer_id: CorrelationId,
    #[serde(with = "text")]
    pub initiating_fsp: &'order FspId,
    #[serde(with = "text")]
    pub counter_party_fsp: &'order FspId,
    pub source_amount: Cash,
    pub target_amount: Cash,
    #[serde(with = "text")]
    pub condition: vocabulary::Condition,
    #[serde(with = "text")]
    pub expiration: Timestamp,
}

/// `PUT /fxTransfers/{ID}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FxTransferPut {
    #[serde(with = "text")]
    pub completed_timestamp: Timestamp,
    #[serde(with = "text")]
    pub conversion_state: fspiop::body::TransferState,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub fulfilment: Option<vocabulary::Fulfilment>,
}

impl From<Money> for FxMoney {
    fn from(money: Money) -> Self {
        Self { currency: money.currency, amount: Some(money.amount) }
    }
}

impl FxMoney {
    /// A currency whose amount is asked for.
    pub fn open(currency: Currency) -> Self {
        Self { currency, amount: None }
    }

    /// The amount, where there is one.
    pub fn money(&self) -> Option<Money> {
        self.amount.map(|amount| Money { amount, currency: self.currency })
    }
}
