//! Bodies of `/participants` and `/parties` (FSPIOP 1.1 §6.2, §6.3).

use super::json::Object;
use super::schema::check_body;
use super::schemas::{PARTICIPANT_POST, PARTICIPANT_PUT, PARTICIPANTS_POST, PARTY_PUT};
use crate::FspiopError;
use std::fmt;
use vocabulary::{CorrelationId, Currency, FspId, PartyIdType};

/// `POST /participants/{Type}/{ID}[/{SubId}]`: who serves this party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantRegistration {
    pub fsp_id: FspId,
    pub currency: Option<Currency>,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

/// `PUT /participants/{Type}/{ID}[/{SubId}]`: nothing is mandatory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantUpdate {
    pub fsp_id: Option<FspId>,
    pub currency: Option<Currency>,
    /// The `extensionList` as it was written.
    pub extension_list: Option<Box<str>>,
}

/// `POST /participants`: 1 to 10,000 parties.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantBatch {
    pub request_id: CorrelationId,
    pub parties: Vec<PartyIdInfo>,
    pub currency: Option<Currency>,
}

/// `PUT /parties/{Type}/{ID}[/{SubId}]`; the hub relays it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartyPut {
    pub id: PartyIdInfo,
    pub name: Option<String>,
}

/// `PartyIdInfo` (§7.4.13). The identifiers have 1 to 128 characters; they are not checked against the type.
#[derive(Clone, PartialEq, Eq)]
pub struct PartyIdInfo {
    pub id_type: PartyIdType,
    pub identifier: String,
    pub sub_id: Option<String>,
    pub fsp_id: Option<FspId>,
}

impl ParticipantRegistration {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &PARTICIPANT_POST)?;
        Ok(Self {
            fsp_id: object.checked("fspId"),
            currency: object.checked_option("currency"),
            extension_list: object.raw("extensionList"),
        })
    }
}

impl ParticipantUpdate {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &PARTICIPANT_PUT)?;
        Ok(Self {
            fsp_id: object.checked_option("fspId"),
            currency: object.checked_option("currency"),
            extension_list: object.raw("extensionList"),
        })
    }
}

impl ParticipantBatch {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &PARTICIPANTS_POST)?;
        let party = |raw| PartyIdInfo::of(&Object::parse(raw).expect("the schema has checked the items"));
        Ok(Self {
            request_id: object.checked("requestId"),
            parties: object.items("partyList").into_iter().map(party).collect(),
            currency: object.checked_option("currency"),
        })
    }
}

impl PartyPut {
    pub fn parse(body: &[u8]) -> Result<Self, FspiopError> {
        let object = check_body(body, &PARTY_PUT)?;
        let party = object.object("party").expect("the schema demands the member");
        let id = PartyIdInfo::of(&party.object("partyIdInfo").expect("the schema demands the member"));
        Ok(Self { id, name: party.text("name").map(String::from) })
    }
}

impl PartyIdInfo {
    pub(super) fn of(object: &Object<'_>) -> Self {
        Self {
            id_type: object.checked("partyIdType"),
            identifier: object.owned_text("partyIdentifier"),
            sub_id: object.text("partySubIdOrType").map(String::from),
            fsp_id: object.checked_option("fspId"),
        }
    }
}

impl fmt::Debug for PartyIdInfo {
    /// Prints type and FSP only: a party's identifier does not belong in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PartyIdInfo({}/… at {:?})", self.id_type, self.fsp_id)
    }
}
