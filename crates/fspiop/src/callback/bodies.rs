//! Bodies that the hub makes: compact JSON with sorted keys, which both generations of signature checks accept.
//! Error bodies are [`crate::FspiopError::to_json`].

use crate::body::{self, FX_PROVIDERS_MAX, PartyIdInfo, TransferState};
use crate::error::{EXTENSIONS_MAX, Extension, ExtensionList, Information, TEXT_CHARS_MAX, cut};
use crate::{FspiopError, canonical_json};
use serde::Serialize;
use serde_json::{Value, json};
use vocabulary::{Currency, FspId, Fulfilment, Timestamp};

/// What `PUT` or `PATCH /transfers/{ID}` of the hub says.
#[derive(Clone, Copy, Debug)]
pub struct TransferOutcome<'transfer> {
    pub state: TransferState,
    /// Time of the latest change of state.
    pub completed: Timestamp,
    /// In a PUT, once it is known; never in a PATCH.
    pub fulfilment: Option<&'transfer Fulfilment>,
    /// The `extensionList` of the fulfil, else of the prepare, as it was written.
    pub extension_list: Option<&'transfer str>,
    /// Why the transfer was aborted, from [`FspiopError::cause`].
    pub cause: Option<&'transfer str>,
}

/// What `PUT` or `PATCH /fxTransfers/{ID}` of the hub says.
#[derive(Clone, Copy, Debug)]
pub struct ConversionOutcome<'conversion> {
    pub state: TransferState,
    /// Time of the latest change of state.
    pub completed: Timestamp,
    /// In a PUT, once it is known; never in a PATCH.
    pub fulfilment: Option<&'conversion Fulfilment>,
}

/// One party of the answer to `POST /participants`.
#[derive(Clone, Debug)]
pub struct PartyResult {
    pub party: PartyIdInfo,
    /// Why it could not be registered.
    pub error: Option<FspiopError>,
}

/// `{"completedTimestamp","extensionList"?,"fulfilment"?,"transferState"}`. The cause becomes the last extension, with
/// key `cause`; where the list is full it takes the place of the sixteenth.
pub fn transfer_body(outcome: &TransferOutcome<'_>) -> Vec<u8> {
    let mut extensions = outcome.extension_list.map(body::extensions).unwrap_or_default();
    if let Some(cause) = outcome.cause {
        extensions.truncate(EXTENSIONS_MAX - 1);
        extensions.push(Extension { key: "cause".to_owned(), value: cut(cause, TEXT_CHARS_MAX) });
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        completed_timestamp: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        extension_list: Option<ExtensionList>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fulfilment: Option<String>,
        transfer_state: &'static str,
    }
    let wire = Wire {
        completed_timestamp: outcome.completed.to_string(),
        extension_list: ExtensionList::of(extensions),
        fulfilment: outcome.fulfilment.map(Fulfilment::to_string),
        transfer_state: outcome.state.as_str(),
    };
    serde_json::to_vec(&wire).expect("strings always serialise")
}

/// `{"completedTimestamp","conversionState","fulfilment"?}`. Conversions have no extensions (contract
/// interscheme-fx.md §3.8).
pub fn conversion_body(outcome: &ConversionOutcome<'_>) -> Vec<u8> {
    let mut body = json!({
        "completedTimestamp": outcome.completed.to_string(),
        "conversionState": outcome.state.as_str(),
    });
    if let Some(fulfilment) = outcome.fulfilment {
        body["fulfilment"] = Value::from(fulfilment.to_string());
    }
    canonical_json(&body).into_bytes()
}

/// `{"providers"}`: the answer to `GET /services/FXP`. The API has room for sixteen names; the rest is left out.
pub fn fx_providers_body(providers: &[FspId]) -> Vec<u8> {
    let names: Vec<&str> = providers.iter().take(FX_PROVIDERS_MAX).map(FspId::as_str).collect();
    canonical_json(&json!({ "providers": names })).into_bytes()
}

/// `{"fspId"}`: the answer to GET and DELETE of a participant.
pub fn participant_body(fsp: &FspId) -> Vec<u8> {
    canonical_json(&json!({ "fspId": fsp.as_str() })).into_bytes()
}

/// `{"currency"?,"partyList":[{"fspId","partyIdType","partyIdentifier","partySubIdOrType"?}]}`: the answer to a
/// registration or its change.
pub fn party_list_body(parties: &[PartyIdInfo], currency: Option<Currency>) -> Vec<u8> {
    list_body(parties.iter().map(party).collect(), currency)
}

/// `{"currency"?,"partyList":[{"errorInformation"?,"partyId"}]}`: the answer to a batch. Partial failure is a success
/// of the batch.
pub fn batch_body(results: &[PartyResult], currency: Option<Currency>) -> Vec<u8> {
    let item = |result: &PartyResult| {
        let mut item = json!({ "partyId": party(&result.party) });
        if let Some(error) = &result.error {
            item["errorInformation"] = information(error.to_information());
        }
        item
    };
    list_body(results.iter().map(item).collect(), currency)
}

fn list_body(list: Vec<Value>, currency: Option<Currency>) -> Vec<u8> {
    let mut body = json!({ "partyList": list });
    if let Some(currency) = currency {
        body["currency"] = Value::from(currency.as_str());
    }
    canonical_json(&body).into_bytes()
}

fn party(party: &PartyIdInfo) -> Value {
    let mut value = json!({ "partyIdType": party.id_type.as_str(), "partyIdentifier": party.identifier });
    if let Some(sub_id) = &party.sub_id {
        value["partySubIdOrType"] = Value::from(sub_id.as_str());
    }
    if let Some(fsp) = &party.fsp_id {
        value["fspId"] = Value::from(fsp.as_str());
    }
    value
}

fn information(information: Information) -> Value {
    serde_json::to_value(information).expect("strings and vectors of strings always serialise")
}
