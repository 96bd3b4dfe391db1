//! From method and path to an [`Operation`] (contract §1.2 step 1 and the path part of step 5).
//!
//! Invariant: [`route`] knows paths and methods only. Faults in a path parameter or the query are reported by
//! [`RawRoute::operation`], which runs after the headers have been checked.

mod operation;
mod table;

pub use operation::{AuthorizationQuery, Operation, PartyPath};

use crate::{ErrorCode, FspiopError, Resource, body, percent};
use http::Method;
use std::fmt;
use table::{Build, ROWS, Row, Verb};
use vocabulary::{CorrelationId, Currency, PartyIdType};

/// A known path and method, its parameters percent-decoded but not checked.
pub struct RawRoute {
    resource: Resource,
    method: Method,
    is_error: bool,
    build: Build,
    parameters: Vec<String>,
}

/// Why a request has no route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RouteError {
    /// No such path: 404, 3002.
    UnknownUri { path: String },
    /// The path exists: 405, 3000. `path` is the pattern, since the path itself may name a party; `allow` is the value
    /// of the `Allow` header.
    MethodNotAllowed { method: Method, path: &'static str, allow: String },
    /// A parameter is not percent-encoded UTF-8: 400, 3101.
    MalformedPath,
}

/// Finds the row of a request. `path` is as received: undecoded, without query.
pub fn route(method: &Method, path: &str) -> Result<RawRoute, RouteError> {
    let (mut pattern, mut allowed) = (None, Vec::new());
    for row in ROWS.iter().filter(|row| row.matches(path)) {
        match row.calls.iter().find(|(verb, _)| verb.as_str() == method.as_str()) {
            Some((_, build)) => return raw_route(row, method, *build, path),
            None => {
                pattern = pattern.or(Some(row.path));
                allowed.extend(row.calls.iter().map(|(verb, _)| *verb));
            }
        }
    }
    let Some(pattern) = pattern else { return Err(RouteError::UnknownUri { path: path.to_owned() }) };
    let allow = Verb::ALL.into_iter().filter(|verb| allowed.contains(verb)).map(Verb::as_str).collect::<Vec<_>>();
    Err(RouteError::MethodNotAllowed { method: method.clone(), path: pattern, allow: allow.join(", ") })
}

fn raw_route(row: &Row, method: &Method, build: Build, path: &str) -> Result<RawRoute, RouteError> {
    let parameters: Option<Vec<String>> = row.parameters(path).map(percent::decode).collect();
    let parameters = parameters.ok_or(RouteError::MalformedPath)?;
    let is_error = row.path.ends_with("/error");
    Ok(RawRoute { resource: row.resource, method: method.clone(), is_error, build, parameters })
}

impl RawRoute {
    pub fn resource(&self) -> Resource {
        self.resource
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whether the message reports an outcome (PUT, PATCH) rather than asks for one: then `Accept` is not required.
    pub fn is_callback(&self) -> bool {
        self.method == Method::PUT || self.method == Method::PATCH
    }

    /// Whether it is the `/error` of a resource, and not an identifier that is called so.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// Status of a successful answer, whose body is empty: 202 for requests, 200 for callbacks and, against the
    /// published definition but as implementations have it (contract §1.4), for `POST /participants`.
    pub fn success_status(&self) -> u16 {
        let is_batch = matches!(self.build, Build::Plain(_)) && self.resource == Resource::Participants;
        if self.is_callback() || is_batch { 200 } else { 202 }
    }

    /// Checks the path parameters and, for `GET /authorizations/{ID}`, the query (without `?`; others are ignored).
    ///
    /// Errors: 3100 for an unknown `{Type}` or currency or an id without the form of one, 3102 and 31xx for the query.
    pub fn operation(self, query: Option<&str>) -> Result<Operation, FspiopError> {
        let mut parameters = self.parameters.into_iter();
        let mut next = || parameters.next().expect("a row with this kind of parameters has them");
        Ok(match self.build {
            Build::Plain(make) => make(),
            Build::Text(make) => make(next()),
            Build::Id(make) => make(correlation_id(&next())?),
            Build::Party(make) => {
                let id_type = party_id_type(&next())?;
                make(PartyPath { id_type, identifier: next(), sub_id: parameters.next() })
            }
            Build::Currencies(make) => {
                make([currency("SourceCurrency", &next())?, currency("TargetCurrency", &next())?])
            }
            Build::Authorization => Operation::GetAuthorization(next(), authorization_query(query.unwrap_or(""))?),
        })
    }
}

fn correlation_id(text: &str) -> Result<CorrelationId, FspiopError> {
    text.parse().map_err(|_| {
        let pattern = body::CORRELATION_ID_PATTERN;
        FspiopError::with_detail(
            ErrorCode::GENERIC_VALIDATION,
            format_args!("/path/id must match pattern \"{pattern}\""),
        )
    })
}

fn party_id_type(text: &str) -> Result<PartyIdType, FspiopError> {
    text.parse().map_err(|_| invalid("/path/Type must be equal to one of the allowed values"))
}

fn currency(name: &str, text: &str) -> Result<Currency, FspiopError> {
    text.parse().map_err(|_| invalid(format_args!("/path/{name} must be equal to one of the allowed values")))
}

fn authorization_query(query: &str) -> Result<AuthorizationQuery, FspiopError> {
    let [authentication_type, retries_left, amount, currency] =
        ["authenticationType", "retriesLeft", "amount", "currency"].map(|key| query_value(query, key));
    let query = AuthorizationQuery {
        authentication_type: authentication_type?,
        retries_left: retries_left?,
        amount: amount?,
        currency: currency?,
    };
    if !["OTP", "QRCODE"].contains(&query.authentication_type.as_str()) {
        return Err(invalid("/query/authenticationType must be equal to one of the allowed values"));
    }
    let digits = query.retries_left.strip_prefix('-').unwrap_or(&query.retries_left);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "/query/retriesLeft must be integer"));
    }
    if !body::is_amount(&query.amount) {
        return Err(invalid(format_args!("/query/amount must match pattern \"{}\"", body::AMOUNT_PATTERN)));
    }
    if query.currency.parse::<vocabulary::Currency>().is_err() {
        return Err(invalid("/query/currency must be equal to one of the allowed values"));
    }
    Ok(query)
}

/// The first value of `key`, decoded.
fn query_value(query: &str, key: &str) -> Result<String, FspiopError> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let missing = || format!("/query must have required property '{key}'");
    let value = value.ok_or_else(|| FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, missing()))?;
    let undecodable = || FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, format_args!("/query/{key}"));
    percent::decode_query(value).ok_or_else(undecodable)
}

fn invalid(detail: impl fmt::Display) -> FspiopError {
    FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
}

impl RouteError {
    /// Value of the `Allow` header, for a 405.
    pub fn allow(&self) -> Option<&str> {
        match self {
            Self::MethodNotAllowed { allow, .. } => Some(allow),
            Self::UnknownUri { .. } | Self::MalformedPath => None,
        }
    }
}

impl From<RouteError> for FspiopError {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::UnknownUri { path } => Self::with_detail(ErrorCode::UNKNOWN_URI, path),
            RouteError::MethodNotAllowed { method, path, .. } => {
                Self::method_not_allowed(format_args!("{method} {path}"))
            }
            RouteError::MalformedPath => {
                Self::with_detail(ErrorCode::MALFORMED_SYNTAX, "the path is not percent-encoded UTF-8")
            }
        }
    }
}

impl fmt::Debug for RawRoute {
    /// Parameters may be personal data and are not printed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.resource)
    }
}

#[cfg(test)]
mod tests;
