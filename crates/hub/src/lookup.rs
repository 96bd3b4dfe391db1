//! Which DFSP serves a party: the built-in directory, or the oracle that is registered for the id type (contract §2.5,
//! §2.6). An oracle of a type takes the place of the built-in directory for it.

use crate::{
    callbacks::{error_of, unreachable},
    directory::DirectoryCache,
    http::Inbound,
    journal::{self, Asked, Journal},
    net::{Answer, Net, Outgoing},
    render,
};
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError, PartyPath};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hub_core::administration::Oracle;
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use store::{PartyEntry, Store};
use vocabulary::{Currency, FspId, PartyId, PartyIdType};

/// An oracle answers within this time or not at all.
const ORACLE_TIME_MAX: Duration = Duration::from_secs(20);

/// An operator does not wait longer for an oracle's health.
const HEALTH_TIME_MAX: Duration = Duration::from_secs(5);

/// One answer to "who serves this party".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub fsp: FspId,
    pub sub_id: Option<Box<str>>,
}

/// Who keeps the parties of an id type.
pub enum Registrar {
    BuiltIn,
    Oracle { id: i64, url: Box<str> },
}

/// What an oracle is asked to do with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    Add,
    /// As before a crash, after which nobody knows whether it did.
    AddAgain,
    Change,
}

/// Finds and registers parties.
pub struct Lookup {
    pub store: Arc<dyn Store>,
    pub directory: Arc<DirectoryCache>,
    pub net: Net,
    pub journal: Arc<Journal>,
    pub hub_name: FspId,
    /// The id types that the built-in directory serves.
    pub built_in: Vec<PartyIdType>,
}

impl Lookup {
    /// The entries for a party's type and identifier, of every sub-id; none if the party is unknown.
    pub async fn find(
        &self,
        inbound: &Inbound,
        party: &PartyId,
        currency: Option<Currency>,
    ) -> Result<Vec<Found>, FspiopError> {
        match self.choose(party.id_type, currency)? {
            Registrar::BuiltIn => {
                let unreadable = |error| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, error);
                let entries = self.store.parties(party.clone()).await.map_err(unreadable)?;
                let fits =
                    |entry: &PartyEntry| currency.is_none() || entry.currency.is_none() || entry.currency == currency;
                Ok(distinct(entries.into_iter().filter(fits)))
            }
            Registrar::Oracle { url, .. } => {
                let url = format!("{}{}", url_of(&url, party), query_of(party, currency));
                let answer = self.ask(inbound, party, (Method::GET, &url), None).await?;
                Ok(entries_of(&answer.body))
            }
        }
    }

    /// Who keeps the parties of an id type, where the currency does not matter.
    pub fn registrar(&self, id_type: PartyIdType) -> Result<Registrar, FspiopError> {
        self.choose(id_type, None)
    }

    /// Adds or changes an oracle's entry.
    pub async fn register(
        &self,
        inbound: &Inbound,
        url: &str,
        entry: &PartyEntry,
        ask: Ask,
    ) -> Result<(), FspiopError> {
        let mut body = Map::from_iter([("fspId".to_owned(), Value::from(entry.fsp.as_str()))]);
        if let Some(currency) = entry.currency {
            body.insert("currency".to_owned(), currency.as_str().into());
        }
        if let Some(sub_id) = &entry.party.sub_id {
            body.insert("partySubIdOrType".to_owned(), sub_id.as_ref().into());
        }
        let failed = |error: FspiopError| FspiopError::with_detail(ErrorCode::ADD_PARTY, error.description());
        let url = url_of(url, &entry.party);
        let body = Value::Object(body);
        let asked = async |method| self.ask(inbound, &entry.party, (method, &url), Some(&body)).await.map_err(failed);
        if ask == Ask::Change {
            // May be answered with nothing (contract §2.4: the reference then fails; not copied).
            return asked(Method::PUT).await.map(|_| ());
        }
        let refusal = match asked(Method::POST).await {
            Ok(answer) if answer.status == StatusCode::CREATED => return Ok(()),
            Ok(_) => FspiopError::new(ErrorCode::ADD_PARTY),
            Err(error) => error,
        };
        // What was added before the crash can be changed to the same; what was not is refused here too.
        if ask == Ask::AddAgain && asked(Method::PUT).await.is_ok() { Ok(()) } else { Err(refusal) }
    }

    /// Removes an oracle's entry, with its sub-id. What was asked for before a crash may be gone already.
    pub async fn remove(
        &self,
        inbound: &Inbound,
        url: &str,
        party: &PartyId,
        is_again: bool,
    ) -> Result<(), FspiopError> {
        let url = format!("{}{}", url_of(url, party), query_of(party, None));
        let removed = self.exchange(inbound, party, (Method::DELETE, &url), None).await.and_then(|answer| {
            let is_gone = is_again && answer.status == StatusCode::NOT_FOUND;
            if is_gone || answer.status.is_success() { Ok(()) } else { Err(error_of(&answer)) }
        });
        removed.map_err(|error| FspiopError::with_detail(ErrorCode::DELETE_PARTY, error.description()))
    }

    /// Asks an oracle for its `/health`: the HTTP status, or why there is none.
    pub async fn health(&self, url: &str) -> Result<u16, String> {
        let uri = format!("{}/health", url.trim_end_matches('/'));
        let uri = uri.parse().map_err(|_| "the oracle's URL is not valid".to_owned())?;
        let outgoing = Outgoing { method: Method::GET, uri, headers: HeaderMap::new(), body: Bytes::new() };
        let answer = self.net.send(outgoing, HEALTH_TIME_MAX).await.map_err(|error| error.to_string())?;
        Ok(answer.status.as_u16())
    }

    fn choose(&self, id_type: PartyIdType, currency: Option<Currency>) -> Result<Registrar, FspiopError> {
        let view = self.directory.view();
        let all: Vec<&Oracle> = view.oracles(id_type).collect();
        if all.is_empty() && self.built_in.contains(&id_type) {
            return Ok(Registrar::BuiltIn);
        }
        let fits = |oracle: &&&Oracle| currency.is_none() || oracle.currency == currency;
        let candidates: Vec<&&Oracle> = all.iter().filter(fits).collect();
        let chosen = match candidates.as_slice() {
            [] => {
                // The blank after the colon is compared by the collections.
                let text = format!("Oracle type: {id_type} not found");
                return Err(FspiopError::with_detail(ErrorCode::ADD_PARTY, text));
            }
            [only] => only,
            several => several.iter().rev().find(|oracle| oracle.is_default).ok_or_else(|| {
                let text = format!("several oracles for {id_type} and none is the default");
                FspiopError::with_detail(ErrorCode::INTERNAL, text)
            })?,
        };
        Ok(Registrar::Oracle { id: chosen.id, url: chosen.url.clone() })
    }

    /// An oracle's answer, if it is a success.
    async fn ask(
        &self,
        inbound: &Inbound,
        party: &PartyId,
        call: (Method, &str),
        body: Option<&Value>,
    ) -> Result<Answer, FspiopError> {
        let answer = self.exchange(inbound, party, call, body).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(error_of(&answer)) }
    }

    /// An oracle's answer, whatever it is.
    async fn exchange(
        &self,
        inbound: &Inbound,
        party: &PartyId,
        call: (Method, &str),
        body: Option<&Value>,
    ) -> Result<Answer, FspiopError> {
        let (method, url) = call;
        let bad_url = |_| FspiopError::with_detail(ErrorCode::INTERNAL, "the oracle's URL is not valid");
        let uri = url.parse().map_err(bad_url)?;
        let destination = inbound.envelope.destination.as_ref().unwrap_or(&self.hub_name);
        let mut headers: HeaderMap = render::oracle_headers(inbound, destination, &method);
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let asked = Asked { at: journal::now(), method: method.clone(), party, headers: &inbound.headers };
        let outgoing = Outgoing { method, uri, headers, body };
        let answer = self.net.send(outgoing, ORACLE_TIME_MAX).await.map_err(|error| unreachable(&error));
        let error = match &answer {
            Ok(answer) if answer.status.is_success() => None,
            Ok(answer) => Some(error_of(answer).code.number()),
            Err(error) => Some(error.code.number()),
        };
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        self.journal.note_asked(&asked, (status, error));
        answer
    }
}

impl Ask {
    pub fn again_if(self, is_again: bool) -> Self {
        match self {
            Self::Add if is_again => Self::AddAgain,
            Self::Add | Self::AddAgain | Self::Change => self,
        }
    }
}

/// The party of a path, if its identifier has the form of its type (contract §2.1).
pub fn party_id(path: &PartyPath) -> Result<PartyId, FspiopError> {
    PartyId::try_new(path.id_type, &path.identifier, path.sub_id.as_deref())
        .map_err(|error| FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, error))
}

/// The `currency` of a query string; other keys are ignored.
pub fn currency_of(query: Option<&str>) -> Result<Option<Currency>, FspiopError> {
    let Some(text) = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("currency="))) else {
        return Ok(None);
    };
    let unknown = |_| {
        let detail = "/query/currency must be equal to one of the allowed values";
        FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
    };
    text.parse().map(Some).map_err(unknown)
}

fn distinct(entries: impl Iterator<Item = PartyEntry>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for entry in entries {
        let next = Found { fsp: entry.fsp, sub_id: entry.party.sub_id };
        if !found.contains(&next) {
            found.push(next);
        }
    }
    found
}

fn url_of(base: &str, party: &PartyId) -> String {
    let path = PartyPath { id_type: party.id_type, identifier: party.identifier.to_string(), sub_id: None };
    format!("{}{}", base.trim_end_matches('/'), path.uri(fspiop::Resource::Participants))
}

fn query_of(party: &PartyId, currency: Option<Currency>) -> String {
    let currency = currency.map(|currency| format!("currency={currency}"));
    let sub_id = party.sub_id.as_ref().map(|sub_id| format!("partySubIdOrType={}", fspiop::percent_encode(sub_id)));
    let parts: Vec<String> = currency.into_iter().chain(sub_id).collect();
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

/// An oracle's `partyList`; anything else is an empty one.
pub fn entries_of(body: &[u8]) -> Vec<Found> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let Some(list) = body.get("partyList").and_then(Value::as_array) else { return Vec::new() };
    let found = |item: &Value| {
        let fsp = item.get("fspId")?.as_str()?.parse().ok()?;
        let sub_id = item.get("partySubIdOrType").and_then(Value::as_str).map(Box::from);
        Some(Found { fsp, sub_id })
    };
    list.iter().filter_map(found).collect()
}
