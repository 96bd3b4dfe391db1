//! `/oracles` of the account-lookup administration (contract, transfers §2.7, administration §1.18). Unlike on the
//! ledger's port, some headers are mandatory and only the first fault is reported.

use super::{
    reply::{Answer, Failure, empty, ok},
    request::{Actor, Filters, OracleBody, Segments},
};
use crate::Hub;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use fspiop::{ErrorCode, FspiopError};
use hub_core::administration::{AdminCommand, NewOracle, Oracle, ReplaceOracle};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use vocabulary::{Currency, PartyIdType};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    oracle_id: i64,
    oracle_id_type: &'static str,
    endpoint: EndpointView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    is_default: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointView<'a> {
    value: &'a str,
    endpoint_type: &'static str,
}

/// The only type of an oracle's endpoint.
const URL: &str = "URL";
const URL_CHARS_MAX: usize = 2_048;
/// Types that oracles of third-party services have; the hub does not serve those yet.
const THIRD_PARTY_ID_TYPES: [&str; 2] = ["CONSENT", "THIRD_PARTY_LINK"];
const HEADERS: [&str; 3] = ["content-type", "date", "accept"];
const HEADERS_OF_PUT: [&str; 2] = ["content-type", "date"];

/// Active oracles, oldest first. A filter that fits nothing, or means nothing, finds nothing.
pub(super) async fn list(State(hub): State<Arc<Hub>>, headers: HeaderMap, filters: Filters) -> Answer {
    check_headers(&headers, &HEADERS)?;
    let directory = hub.fresh_directory().await?;
    let views: Vec<_> = directory
        .oracles
        .iter()
        .filter(|oracle| oracle.is_active)
        .filter(|oracle| filters.get("type").is_none_or(|wanted| oracle.id_type.as_str() == wanted))
        .filter(|oracle| filters.get("currency").is_none_or(|wanted| currency_of(oracle) == Some(wanted)))
        .map(view)
        .collect();
    Ok(ok(&views))
}

pub(super) async fn create(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    headers: HeaderMap,
    OracleBody(body): OracleBody,
) -> Answer {
    check_headers(&headers, &HEADERS)?;
    let command = read(&body)?;
    hub.administer(AdminCommand::CreateOracle(command), &actor).await?;
    Ok(empty(StatusCode::CREATED))
}

pub(super) async fn replace(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    headers: HeaderMap,
    Segments(id): Segments<String>,
    OracleBody(body): OracleBody,
) -> Answer {
    check_headers(&headers, &HEADERS_OF_PUT)?;
    let command = ReplaceOracle { id: parse_id(&id), by: read(&body)? };
    hub.administer(AdminCommand::ReplaceOracle(command), &actor).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// 204 also for an oracle that is not there.
pub(super) async fn remove(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    headers: HeaderMap,
    Segments(id): Segments<String>,
) -> Answer {
    check_headers(&headers, &HEADERS)?;
    hub.administer(AdminCommand::RemoveOracle(parse_id(&id)), &actor).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn check_headers(headers: &HeaderMap, mandatory: &[&'static str]) -> Result<(), Failure> {
    match mandatory.iter().find(|name| !headers.contains_key(**name)) {
        Some(name) => Err(missing("/header", name)),
        None => Ok(()),
    }
}

fn read(body: &Value) -> Result<NewOracle, Failure> {
    if body.is_null() {
        return Err(missing("", "requestBody"));
    }
    let members = object(body, "/requestBody")?;
    let endpoint = required(members, "/requestBody", "endpoint")?;
    let id_type = required(members, "/requestBody", "oracleIdType")?;
    let id_type = read_id_type(text(id_type, "/requestBody/oracleIdType")?)?;
    let endpoint = object(endpoint, "/requestBody/endpoint")?;
    let url = text(required(endpoint, "/requestBody/endpoint", "value")?, "/requestBody/endpoint/value")?;
    if url.is_empty() || url.chars().count() > URL_CHARS_MAX {
        let wanted = format!("must have 1 to {URL_CHARS_MAX} characters");
        return Err(invalid("/requestBody/endpoint/value", &wanted));
    }
    let endpoint_type = required(endpoint, "/requestBody/endpoint", "endpointType")?;
    if text(endpoint_type, "/requestBody/endpoint/endpointType")? != URL {
        return Err(invalid("/requestBody/endpoint/endpointType", NOT_ALLOWED));
    }
    let currency = match members.get("currency") {
        Some(value) => Some(read_currency(text(value, "/requestBody/currency")?)?),
        None => None,
    };
    let is_default = members.get("isDefault").map_or(Ok(false), read_flag)?;
    Ok(NewOracle { id_type, currency, url: url.into(), is_default })
}

fn read_id_type(text: &str) -> Result<PartyIdType, Failure> {
    if THIRD_PARTY_ID_TYPES.contains(&text) {
        let detail = format!("Oracles for {text}");
        return Err(Failure(FspiopError::with_detail(ErrorCode::NOT_IMPLEMENTED, detail)));
    }
    text.parse().map_err(|_| invalid("/requestBody/oracleIdType", NOT_ALLOWED))
}

fn read_currency(text: &str) -> Result<Currency, Failure> {
    text.parse().map_err(|_| invalid("/requestBody/currency", NOT_ALLOWED))
}

fn read_flag(value: &Value) -> Result<bool, Failure> {
    match value.as_str() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => value.as_bool().ok_or_else(|| wrong_type("/requestBody/isDefault", "boolean")),
    }
}

const NOT_ALLOWED: &str = "must be equal to one of the allowed values";

fn object<'a>(value: &'a Value, pointer: &str) -> Result<&'a Map<String, Value>, Failure> {
    value.as_object().ok_or_else(|| wrong_type(pointer, "object"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    value.as_str().ok_or_else(|| wrong_type(pointer, "string"))
}

fn required<'a>(members: &'a Map<String, Value>, pointer: &str, name: &str) -> Result<&'a Value, Failure> {
    members.get(name).ok_or_else(|| missing(pointer, name))
}

fn missing(pointer: &str, name: &str) -> Failure {
    let separator = if pointer.is_empty() { "" } else { " " };
    let detail = format!("{pointer}{separator}must have required property '{name}'");
    Failure(FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, detail))
}

fn wrong_type(pointer: &str, wanted: &str) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, format_args!("{pointer} must be {wanted}")))
}

fn invalid(pointer: &str, problem: &str) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, format_args!("{pointer} {problem}")))
}

/// No oracle has an id below one, so that what is no number finds none.
fn parse_id(segment: &str) -> i64 {
    segment.parse().unwrap_or(0)
}

fn currency_of(oracle: &Oracle) -> Option<&str> {
    oracle.currency.as_ref().map(Currency::as_str)
}

fn view(oracle: &Oracle) -> View<'_> {
    View {
        oracle_id: oracle.id,
        oracle_id_type: oracle.id_type.as_str(),
        endpoint: EndpointView { value: &oracle.url, endpoint_type: URL },
        currency: currency_of(oracle),
        is_default: u8::from(oracle.is_default),
    }
}
