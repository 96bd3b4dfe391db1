//! Bodies of `/quotes` (FSPIOP 1.1 §6.5). The hub relays them; what it reads are ids, names and currencies.

use super::json::{self, Object};
use super::participants::PartyIdInfo;
use super::schema::check_body;
use super::schemas::{QUOTE_POST, QUOTE_PUT};
use crate::FspiopError;
use vocabulary::{Condition, CorrelationId, Currency, Timestamp};

/// `POST /quotes`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteRequest {
    pub quote_id: CorrelationId,
    pub transaction_id: CorrelationId,
    pub transaction_request_id: Option<CorrelationId>,
    pub payer: QuoteParty,
    pub payee: QuoteParty,
    pub amount_type: AmountType,
    pub amount: MoneyText,
    pub expiration: Option<Timestamp>,
}

/// `PUT /quotes/{ID}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteResponse {
    pub transfer_amount: MoneyText,
    pub payee_receive_amount: Option<MoneyText>,
    pub condition: Condition,
    pub expiration: Timestamp,
    /// base64url; its content is not looked at.
    pub ilp_packet: Box<str>,
}

/// What is read of a `Party`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteParty {
    pub id: PartyIdInfo,
    /// 2.0; empty if absent.
    pub supported_currencies: Vec<Currency>,
}

/// An amount that is relayed and never calculated with: its text fits the grammar of the API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoneyText {
    pub amount: Box<str>,
    pub currency: Currency,
}

/// `AmountType` (§7.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmountType {
    Send,
    Receive,
}

impl QuoteRequest {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &QUOTE_POST)?;
        Ok(Self {
            quote_id: object.checked("quoteId"),
            transaction_id: object.checked("transactionId"),
            transaction_request_id: object.checked_option("transactionRequestId"),
            payer: QuoteParty::of(&object, "payer"),
            payee: QuoteParty::of(&object, "payee"),
            amount_type: AmountType::of(&object),
            amount: MoneyText::of(&object, "amount").expect("the schema demands the member"),
            expiration: object.checked_option("expiration"),
        })
    }
}

impl QuoteResponse {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &QUOTE_PUT)?;
        Ok(Self {
            transfer_amount: MoneyText::of(&object, "transferAmount").expect("the schema demands the member"),
            payee_receive_amount: MoneyText::of(&object, "payeeReceiveAmount"),
            condition: Condition::parse(&object.owned_text("condition")).expect("the schema has checked the form"),
            expiration: object.checked("expiration"),
            ilp_packet: object.owned_text("ilpPacket").into_boxed_str(),
        })
    }

    /// The currency in which the payee's FSP must hold an account: that of the amount that the payee receives, else of
    /// the transfer.
    pub fn currency(&self) -> Currency {
        self.payee_receive_amount.as_ref().unwrap_or(&self.transfer_amount).currency
    }
}

impl QuoteParty {
    fn of(object: &Object<'_>, name: &str) -> Self {
        let party = object.object(name).expect("the schema demands the member");
        let id = PartyIdInfo::of(&party.object("partyIdInfo").expect("the schema demands the member"));
        let currency = |raw: &str| json::text(raw).and_then(|text| text.parse().ok());
        Self { id, supported_currencies: party.items("supportedCurrencies").into_iter().filter_map(currency).collect() }
    }
}

impl AmountType {
    pub(super) fn of(object: &Object<'_>) -> Self {
        if object.owned_text("amountType") == "SEND" { Self::Send } else { Self::Receive }
    }
}

impl MoneyText {
    fn of(object: &Object<'_>, name: &str) -> Option<Self> {
        let money = object.object(name)?;
        Some(Self { amount: money.owned_text("amount").into_boxed_str(), currency: money.checked("currency") })
    }
}
