//! Bodies of `/fxQuotes`, `/fxTransfers` and `/services/FXP` (FSPIOP 2.0; contract interscheme-fx.md §3.1). The hub
//! relays quotes; of transfers it reads what moves and on what condition.

use super::json::{self, Object};
use super::quotes::AmountType;
use super::schema::check_body;
use super::schemas::{FX_PROVIDERS_PUT, FX_QUOTE_POST, FX_QUOTE_PUT, FX_TRANSFER_POST, FX_TRANSFER_PUT};
use super::transfers::TransferState;
use crate::FspiopError;
use vocabulary::{Amount, Condition, CorrelationId, Currency, FspId, Fulfilment, InvalidAmount, Timestamp};

/// `POST /fxQuotes`: a participant asks an FXP for the terms of a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxQuoteRequest {
    pub conversion_request_id: CorrelationId,
    pub terms: ConversionTerms,
}

/// `PUT /fxQuotes/{ID}`: the terms that the FXP offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxQuoteResponse {
    pub condition: Option<Condition>,
    pub terms: ConversionTerms,
}

/// `FxConversion`. Charges and the `extensionList` are checked and not kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConversionTerms {
    pub conversion_id: CorrelationId,
    /// The transfer that the conversion is for.
    pub determining_transfer_id: Option<CorrelationId>,
    pub initiating_fsp: FspId,
    pub counter_party_fsp: FspId,
    pub amount_type: AmountType,
    pub source: FxMoney,
    pub target: FxMoney,
    pub expiration: Timestamp,
}

/// `FxMoney`: an amount that may still be open. It is relayed and never calculated with; a text fits the grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxMoney {
    pub amount: Option<Box<str>>,
    pub currency: Currency,
}

/// `POST /fxTransfers`: a participant accepts the terms. Members beyond those of the API (`amountType` is common) are
/// passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxTransferPrepare {
    pub commit_request_id: CorrelationId,
    /// The transfer that the conversion is for.
    pub determining_transfer_id: Option<CorrelationId>,
    pub initiating_fsp: FspId,
    pub counter_party_fsp: FspId,
    pub source: FxAmount,
    pub target: FxAmount,
    pub condition: Condition,
    /// Optional in the API only; its absence is a matter for the decision.
    pub expiration: Option<Timestamp>,
}

/// One side of a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxAmount {
    /// The amount as it was written; it fits the grammar of the API.
    pub text: Box<str>,
    /// The amount, or `TooLarge` if the grammar allows it and [`Amount`] cannot hold it: a matter for the decision.
    pub amount: Result<Amount, InvalidAmount>,
    pub currency: Currency,
}

/// `PUT /fxTransfers/{ID}`: the FXP (or the hub) reports the outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxTransferFulfil {
    /// `conversionState`.
    pub state: TransferState,
    pub fulfilment: Option<Fulfilment>,
    pub completed: Option<Timestamp>,
}

/// `PUT /services/FXP[/{SourceCurrency}/{TargetCurrency}]`: at most 16 participants who convert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxProviders {
    pub providers: Vec<FspId>,
}

impl FxQuoteRequest {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &FX_QUOTE_POST)?;
        Ok(Self { conversion_request_id: object.checked("conversionRequestId"), terms: ConversionTerms::of(&object) })
    }
}

impl FxQuoteResponse {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &FX_QUOTE_PUT)?;
        let condition = object.text("condition");
        Ok(Self {
            condition: condition.map(|text| Condition::parse(&text).expect("the schema has checked the form")),
            terms: ConversionTerms::of(&object),
        })
    }
}

impl FxTransferPrepare {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &FX_TRANSFER_POST)?;
        Ok(Self {
            commit_request_id: object.checked("commitRequestId"),
            determining_transfer_id: object.checked_option("determiningTransferId"),
            initiating_fsp: object.checked("initiatingFsp"),
            counter_party_fsp: object.checked("counterPartyFsp"),
            source: FxAmount::of(&object, "sourceAmount"),
            target: FxAmount::of(&object, "targetAmount"),
            condition: Condition::parse(&object.owned_text("condition")).expect("the schema has checked the form"),
            expiration: object.checked_option("expiration"),
        })
    }
}

impl FxTransferFulfil {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &FX_TRANSFER_PUT)?;
        let fulfilment = object.text("fulfilment");
        Ok(Self {
            state: object.checked("conversionState"),
            fulfilment: fulfilment.map(|text| Fulfilment::parse(&text).expect("the schema has checked the form")),
            completed: object.checked_option("completedTimestamp"),
        })
    }
}

impl FxProviders {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &FX_PROVIDERS_PUT)?;
        let provider = |raw: &str| {
            let text = json::text(raw).expect("the schema demands a text");
            text.parse().expect("the schema has checked the form of the item")
        };
        Ok(Self { providers: object.items("providers").into_iter().map(provider).collect() })
    }
}

impl ConversionTerms {
    fn of(object: &Object<'_>) -> Self {
        let terms = object.object("conversionTerms").expect("the schema demands the member");
        Self {
            conversion_id: terms.checked("conversionId"),
            determining_transfer_id: terms.checked_option("determiningTransferId"),
            initiating_fsp: terms.checked("initiatingFsp"),
            counter_party_fsp: terms.checked("counterPartyFsp"),
            amount_type: AmountType::of(&terms),
            source: FxMoney::of(&terms, "sourceAmount"),
            target: FxMoney::of(&terms, "targetAmount"),
            expiration: terms.checked("expiration"),
        }
    }
}

impl FxMoney {
    fn of(object: &Object<'_>, name: &str) -> Self {
        let money = object.object(name).expect("the schema demands the member");
        let amount = money.text("amount").map(|text| text.into_owned().into_boxed_str());
        Self { amount, currency: money.checked("currency") }
    }
}

impl FxAmount {
    fn of(object: &Object<'_>, name: &str) -> Self {
        let money = object.object(name).expect("the schema demands the member");
        let text = money.owned_text("amount").into_boxed_str();
        Self { amount: Amount::parse(&text), text, currency: money.checked("currency") }
    }
}
