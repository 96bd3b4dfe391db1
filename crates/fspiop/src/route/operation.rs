//! Operations: a route whose path parameters (and query, where one is mandatory) have passed the schema.

use crate::{Resource, percent};
use std::fmt;
use vocabulary::{CorrelationId, Currency, PartyIdType};

/// `{Type}/{ID}[/{SubId}]`, percent-decoded. The type is known; the identifiers are **not** validated yet
/// ([`vocabulary::PartyId::try_new`] does that), because their faults are answered by a callback (contract §2.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PartyPath {
    pub id_type: PartyIdType,
    pub identifier: String,
    pub sub_id: Option<String>,
}

/// Query of `GET /authorizations/{ID}` (FSPIOP 1.1 §6.6.3.1); all four are mandatory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizationQuery {
    /// `OTP` or `QRCODE`.
    pub authentication_type: String,
    /// An integer, as text.
    pub retries_left: String,
    pub amount: String,
    pub currency: String,
}

/// Everything that can be asked of, or told to, a hub or participant. Ids of quotes are checked; ids of transfers,
/// transaction requests, authorizations and batches are any non-empty text, as implementations have it
/// (contract §1.7): an id that cannot exist is answered like one that does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    GetParty(PartyPath),
    PutParty(PartyPath),
    PutPartyError(PartyPath),
    GetParticipant(PartyPath),
    PostParticipant(PartyPath),
    PutParticipant(PartyPath),
    DeleteParticipant(PartyPath),
    PutParticipantError(PartyPath),
    PostParticipants,
    PutParticipants(String),
    PutParticipantsError(String),
    PostQuote,
    GetQuote(CorrelationId),
    PutQuote(CorrelationId),
    PutQuoteError(CorrelationId),
    PostTransfer,
    GetTransfer(String),
    PutTransfer(String),
    PutTransferError(String),
    PatchTransfer(String),
    PostTransactionRequest,
    GetTransactionRequest(String),
    PutTransactionRequest(String),
    PutTransactionRequestError(String),
    GetAuthorization(String, AuthorizationQuery),
    PutAuthorization(String),
    PutAuthorizationError(String),
    PostFxQuote,
    GetFxQuote(CorrelationId),
    PutFxQuote(CorrelationId),
    PutFxQuoteError(CorrelationId),
    PostFxTransfer,
    GetFxTransfer(String),
    PutFxTransfer(String),
    PutFxTransferError(String),
    PatchFxTransfer(String),
    PostBulkQuote,
    GetBulkQuote(CorrelationId),
    PutBulkQuote(CorrelationId),
    PutBulkQuoteError(CorrelationId),
    PostBulkTransfer,
    GetBulkTransfer(String),
    PutBulkTransfer(String),
    PutBulkTransferError(String),
    /// Who converts; with a source and a target currency, who converts the one into the other.
    GetFxProviders(Option<[Currency; 2]>),
    PutFxProviders(Option<[Currency; 2]>),
}

impl Operation {
    /// The canonical path (what `FSPIOP-URI` says), percent-encoded, without query.
    pub fn uri(&self) -> String {
        use Operation as O;
        use Resource as R;
        match self {
            O::GetParty(party) | O::PutParty(party) => party.uri(R::Parties),
            O::PutPartyError(party) => party.uri(R::Parties) + "/error",
            O::GetParticipant(party)
            | O::PostParticipant(party)
            | O::PutParticipant(party)
            | O::DeleteParticipant(party) => party.uri(R::Participants),
            O::PutParticipantError(party) => party.uri(R::Participants) + "/error",
            O::PostParticipants => collection(R::Participants),
            O::PutParticipants(id) => item(R::Participants, id),
            O::PutParticipantsError(id) => item_error(R::Participants, id),
            O::PostQuote => collection(R::Quotes),
            O::GetQuote(id) | O::PutQuote(id) => item(R::Quotes, id),
            O::PutQuoteError(id) => item_error(R::Quotes, id),
            O::PostTransfer => collection(R::Transfers),
            O::GetTransfer(id) | O::PutTransfer(id) | O::PatchTransfer(id) => item(R::Transfers, id),
            O::PutTransferError(id) => item_error(R::Transfers, id),
            O::PostTransactionRequest => collection(R::TransactionRequests),
            O::GetTransactionRequest(id) | O::PutTransactionRequest(id) => item(R::TransactionRequests, id),
            O::PutTransactionRequestError(id) => item_error(R::TransactionRequests, id),
            O::GetAuthorization(id, _) | O::PutAuthorization(id) => item(R::Authorizations, id),
            O::PutAuthorizationError(id) => item_error(R::Authorizations, id),
            O::PostFxQuote => collection(R::FxQuotes),
            O::GetFxQuote(id) | O::PutFxQuote(id) => item(R::FxQuotes, id),
            O::PutFxQuoteError(id) => item_error(R::FxQuotes, id),
            O::PostFxTransfer => collection(R::FxTransfers),
            O::GetFxTransfer(id) | O::PutFxTransfer(id) | O::PatchFxTransfer(id) => item(R::FxTransfers, id),
            O::PutFxTransferError(id) => item_error(R::FxTransfers, id),
            O::PostBulkQuote => collection(R::BulkQuotes),
            O::GetBulkQuote(id) | O::PutBulkQuote(id) => item(R::BulkQuotes, id),
            O::PutBulkQuoteError(id) => item_error(R::BulkQuotes, id),
            O::PostBulkTransfer => collection(R::BulkTransfers),
            O::GetBulkTransfer(id) | O::PutBulkTransfer(id) => item(R::BulkTransfers, id),
            O::PutBulkTransferError(id) => item_error(R::BulkTransfers, id),
            O::GetFxProviders(None) | O::PutFxProviders(None) => item(R::Services, &"FXP"),
            O::GetFxProviders(Some([source, target])) | O::PutFxProviders(Some([source, target])) => {
                format!("{}/{source}/{target}", item(R::Services, &"FXP"))
            }
        }
    }
}

impl PartyPath {
    /// `/parties/{Type}/{ID}[/{SubId}]` or the same under `/participants`, percent-encoded.
    pub fn uri(&self, resource: Resource) -> String {
        let mut uri = format!("/{resource}/{}/{}", self.id_type, percent::encode(&self.identifier));
        if let Some(sub_id) = &self.sub_id {
            uri.push('/');
            uri.push_str(&percent::encode(sub_id));
        }
        uri
    }
}

fn collection(resource: Resource) -> String {
    format!("/{resource}")
}

fn item(resource: Resource, id: &dyn fmt::Display) -> String {
    format!("/{resource}/{}", percent::encode(&id.to_string()))
}

fn item_error(resource: Resource, id: &dyn fmt::Display) -> String {
    item(resource, id) + "/error"
}

impl fmt::Debug for PartyPath {
    /// Prints the type only: a party's identifier does not belong in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PartyPath({}/…)", self.id_type)
    }
}
