//! Parts of a request: body, path segments, filters, who asks.

use super::{
    form::{self, NAME_CHARS, malformed},
    reply::Failure,
};
use crate::{http::Caller, listener::OverTls};
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use fspiop::{ErrorCode, FspiopError};
use ledger::AccountId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::HashMap, convert::Infallible};
use vocabulary::{Currency, FspId, Timestamp};

/// A JSON body: the bytes as they came, and what they mean. No body is null.
pub(super) struct JsonBody {
    pub bytes: Bytes,
    pub value: Value,
}

/// Which media types a port takes for JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MediaTypes {
    /// `application/json`.
    Plain,
    /// Also those of FSPIOP, `application/…+json`.
    Suffixed,
}

/// A body of the account-lookup administration, which FSPIOP's media types may announce.
pub(super) struct OracleBody(pub Value);

/// Path segments, percent-decoded.
pub(super) struct Segments<T>(pub T);

/// The query's parameters.
pub(super) struct Filters(HashMap<String, String>);

/// Who asks for a change: whom the client's certificate names, or else `FSPIOP-Source`. It is recorded with the change.
pub(super) struct Actor(pub String);

/// Where the client found this server, as in `http://localhost:3001`: replies name participants by URL.
pub(super) struct Origin(pub String);

const ACTOR_CHARS_MAX: usize = 64;
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        check_media_type(request.headers(), MediaTypes::Plain)?;
        let bytes = read(request, state).await?;
        Ok(Self { value: parse(&bytes)?, bytes })
    }
}

impl<S: Send + Sync> FromRequest<S> for OracleBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        check_media_type(request.headers(), MediaTypes::Suffixed)?;
        let bytes = read(request, state).await?;
        parse(&bytes).map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Failure(FspiopError::new(ErrorCode::TOO_LARGE_PAYLOAD))
        } else {
            malformed("The body could not be read")
        }
    })
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| malformed("Invalid request payload JSON format"))
}

/// Clients that name no media type mean JSON.
fn check_media_type(headers: &HeaderMap, allowed: MediaTypes) -> Result<(), Failure> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = content_type.to_str().unwrap_or_default().to_ascii_lowercase();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let is_suffixed = media_type.starts_with("application/") && media_type.ends_with("+json");
    if media_type == "application/json" || (allowed == MediaTypes::Suffixed && is_suffixed) {
        return Ok(());
    }
    Err(malformed("Unsupported Media Type"))
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(malformed("The path is not percent-encoded UTF-8")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Filters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(filters)) => Ok(Self(filters)),
            Err(_) => Err(malformed("The query is not a list of name=value")),
        }
    }
}

impl Filters {
    /// The value of a filter; a filter without a value is no filter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn currency(&self) -> Result<Option<Currency>, Failure> {
        let parse = |text: &str| text.parse().map_err(|_| malformed(format!("\"currency\" {}", form::NOT_A_CURRENCY)));
        self.get("currency").map(parse).transpose()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let named = parts.extensions.get::<Caller>().and_then(Caller::name);
        let said = || parts.headers.get("fspiop-source").and_then(|value| value.to_str().ok());
        let name = named.or_else(said).unwrap_or_default();
        let name: String = name.chars().take(ACTOR_CHARS_MAX).collect();
        Ok(Self(if name.is_empty() { "operator".to_owned() } else { name }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
        let scheme = if parts.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

impl Filters {
    /// Whether any of these filters has a value.
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }

    /// Entries of a page.
    pub fn limit(&self) -> Result<usize, Failure> {
        match self.get("limit").map(str::parse) {
            None => Ok(LIMIT_DEFAULT),
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(_) => Err(malformed("\"limit\" must be a number from 1 to 1000")),
        }
    }

    /// A positive whole number.
    pub fn id(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.get(name).map(|text| positive(text, name)).transpose()
    }

    pub fn moment(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let parse =
            |text| moment(text).ok_or_else(|| malformed(format!("\"{name}\" must be an ISO 8601 date or time")));
        self.get(name).map(parse).transpose()
    }

    /// The filters that have a value, of these and in this order, as JSON without quotation marks.
    pub fn shown(&self, names: &[&str]) -> String {
        let members = names.iter().filter_map(|name| self.get(name).map(|value| format!("{name}:{value}")));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A date and time with an offset, in whatever precision, or a date, which begins at midnight UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let time = text.parse::<jiff::Timestamp>();
    let time = time.or_else(|_| format!("{text}T00:00:00Z").parse());
    time.ok().map(|time| Timestamp::from_millis(time.as_millisecond()))
}

/// A positive whole number as a path segment or filter.
pub(super) fn positive(text: &str, name: &str) -> Result<i64, Failure> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_number && *number > 0);
    number.ok_or_else(|| malformed(format!("\"{name}\" must be a positive integer")))
}

/// A participant's name as a path segment.
pub(super) fn participant_name(segment: &str) -> Result<FspId, Failure> {
    let length = segment.chars().take(NAME_CHARS.end() + 1).count();
    if length < *NAME_CHARS.start() {
        return Err(malformed("\"name\" length must be at least 2 characters long"));
    }
    if length > *NAME_CHARS.end() {
        return Err(malformed("\"name\" length must be less than or equal to 30 characters long"));
    }
    segment.parse().map_err(|error: vocabulary::InvalidFspId| malformed(error))
}

/// An account's id as a path segment: a positive integer.
pub(super) fn account_id(segment: &str) -> Result<AccountId, Failure> {
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    match segment.parse() {
        Ok(id) if id > 0 && is_number => Ok(AccountId(id)),
        Ok(_) if is_number => Err(malformed("\"id\" must be a positive number")),
        _ => Err(malformed("\"id\" must be a number")),
    }
}
