//! Bodies as the API writes them (FSPIOP 1.1 §6, §7.4), both to send and to read what [`fspiop::body`] leaves to others:
//! names, fees and notes.
//!
//! Invariant: a body is read here only after the parser of [`fspiop::body`] has accepted it.

use crate::text;
use serde::{Deserialize, Serialize};
use vocabulary::{Amount, CorrelationId, Currency, FspId, Money, PartyIdType, Timestamp};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Cash {
    #[serde(with = "text")]
    pub amount: Amount,
    #[serde(with = "text")]
    pub currency: Currency,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartyIdInfo {
    #[serde(with = "text")]
    pub party_id_type: PartyIdType,
    pub party_identifier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_sub_id_or_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub fsp_id: Option<FspId>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Party {
    pub party_id_info: PartyIdInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 2.0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_currencies: Vec<String>,
    /// Read only: some DFSPs name people here and not in `name`.
    #[serde(default, skip_serializing)]
    pub personal_info: Option<PersonalInfo>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonalInfo {
    #[serde(default)]
    pub complex_name: Option<ComplexName>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComplexName {
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub last_name: Option<String>,
}

/// `PUT /parties/{Type}/{ID}`.
#[derive(Serialize, Deserialize)]
pub(crate) struct PartyPut {
    pub party: Party,
}

/// `POST /participants/{Type}/{ID}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantPost {
    #[serde(with = "text")]
    pub fsp_id: FspId,
    #[serde(with = "text")]
    pub currency: Currency,
}

/// `PUT /participants/{Type}/{ID}`: the answer to a GET names the FSP, the answer to a POST lists parties.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantPut {
    #[serde(default, with = "text::option")]
    pub fsp_id: Option<FspId>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionType {
    pub scenario: String,
    pub initiator: String,
    pub initiator_type: String,
    /// With the scenario REFUND.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_info: Option<Refund>,
}

/// Which payment is given back, in full or in part.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refund {
    #[serde(with = "text")]
    pub original_transaction_id: CorrelationId,
}

/// `POST /quotes`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotePost {
    #[serde(with = "text")]
    pub quote_id: CorrelationId,
    #[serde(with = "text")]
    pub transaction_id: CorrelationId,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub transaction_request_id: Option<CorrelationId>,
    pub payer: Party,
    pub payee: Party,
    pub amount_type: String,
    pub amount: Cash,
    pub transaction_type: TransactionType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub expiration: Option<Timestamp>,
}

/// `PUT /quotes/{ID}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotePut {
    pub transfer_amount: Cash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_receive_amount: Option<Cash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_fsp_fee: Option<Cash>,
    #[serde(with = "text")]
    pub expiration: Timestamp,
    pub ilp_packet: String,
    pub condition: String,
}

/// `Transaction` (§7.4.17), the content of the ILP packet.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    #[serde(with = "text")]
    pub transaction_id: CorrelationId,
    #[serde(with = "text")]
    pub quote_id: CorrelationId,
    pub payee: Party,
    pub payer: Party,
    pub amount: Cash,
    pub transaction_type: TransactionType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub expiration: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_list: Option<ExtensionList>,
}

/// `ExtensionList` (§7.4.4).
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ExtensionList {
    pub extension: Vec<fspiop::Extension>,
}

/// `POST /transfers`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferPost<'order> {
    #[serde(with = "text")]
    pub transfer_id: CorrelationId,
    #[serde(with = "text")]
    pub payee_fsp: &'order FspId,
    #[serde(with = "text")]
    pub payer_fsp: &'order FspId,
    pub amount: Cash,
    pub ilp_packet: &'order str,
    #[serde(with = "text")]
    pub condition: vocabulary::Condition,
    #[serde(with = "text")]
    pub expiration: Timestamp,
}

/// `PUT /transfers/{ID}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferPut {
    #[serde(with = "text")]
    pub completed_timestamp: Timestamp,
    #[serde(with = "text")]
    pub transfer_state: fspiop::body::TransferState,
    #[serde(with = "text")]
    pub fulfilment: vocabulary::Fulfilment,
}

impl From<Money> for Cash {
    fn from(money: Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

impl Cash {
    pub fn money(&self) -> Money {
        Money { amount: self.amount, currency: self.currency }
    }
}

impl TransactionType {
    /// A person sends money to a person, or gives back what came from there.
    pub fn person_to_person(refund_of: Option<CorrelationId>) -> Self {
        let scenario = if refund_of.is_some() { "REFUND" } else { "TRANSFER" };
        let refund_info = refund_of.map(|original_transaction_id| Refund { original_transaction_id });
        let (initiator, initiator_type) = ("PAYER".into(), "CONSUMER".into());
        Self { scenario: scenario.into(), initiator, initiator_type, refund_info }
    }

    /// A person asks a person for money.
    pub fn requested() -> Self {
        let (scenario, initiator, initiator_type) = ("TRANSFER".into(), "PAYEE".into(), "CONSUMER".into());
        Self { scenario, initiator, initiator_type, refund_info: None }
    }

    pub fn refund_of(&self) -> Option<CorrelationId> {
        self.refund_info.as_ref().map(|refund| refund.original_transaction_id)
    }
}

/// Extension of a transaction: what of the amount reaches the payee. The API's own member for it is in the quote only,
/// and a payee's DFSP should not have to remember its quotes.
const RECEIVE_AMOUNT: &str = "payeeReceiveAmount";

impl ExtensionList {
    pub fn of_received(received: Amount) -> Self {
        let extension = fspiop::Extension { key: RECEIVE_AMOUNT.to_owned(), value: received.to_string() };
        Self { extension: vec![extension] }
    }

    pub fn received(&self) -> Option<Amount> {
        let extension = self.extension.iter().find(|extension| extension.key == RECEIVE_AMOUNT)?;
        Amount::parse(&extension.value).ok()
    }
}

/// The bytes of a body.
pub(crate) fn bytes(body: &impl Serialize) -> bytes::Bytes {
    serde_json::to_vec(body).expect("texts, lists and objects always serialise").into()
}
