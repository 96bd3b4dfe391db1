//! Checks of the request headers, in the order that the conformance collections rely on (contract §1.1–1.3, §1.5):
//! who claims to be whom, `Accept`, `Date`, `Content-Length`, `Content-Type`, then the schema of the rest.
//!
//! Invariant: of an [`Envelope`], source, destination and proxy are well-formed names, and no header that decides
//! anything was sent twice.

use crate::media_type::{self, Accept, ContentType};
use crate::{ErrorCode, FspiopError, RawRoute, Resource, Version};
use http::{HeaderMap, Method};
use vocabulary::{FspId, Timestamp};

pub const SOURCE: &str = "fspiop-source";
pub const DESTINATION: &str = "fspiop-destination";
pub const PROXY: &str = "fspiop-proxy";
pub const SIGNATURE: &str = "fspiop-signature";
pub const URI: &str = "fspiop-uri";
pub const HTTP_METHOD: &str = "fspiop-http-method";
pub const ENCRYPTION: &str = "fspiop-encryption";
pub const CLIENT_ID: &str = "x-client-id";
pub const TRACEPARENT: &str = "traceparent";
pub const TRACESTATE: &str = "tracestate";

/// Bytes of a body (FSPIOP 1.1 §3.1.1).
pub const BODY_BYTES_MAX: u64 = 5_242_880;
const UNACCEPTABLE_ACCEPT: &str =
    "The Client requested an unsupported version, see extension list for supported version(s).";
const UNSUPPORTED_CONTENT: &str = "Client supplied a protocol version which is not supported by the server";

/// What the headers of an accepted request say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// `FSPIOP-Source`.
    pub source: FspId,
    /// `FSPIOP-Destination`; present for quotes, fxQuotes and bulkQuotes, optional elsewhere.
    pub destination: Option<FspId>,
    /// Version of the body, from `Content-Type`.
    pub version: Version,
    /// `FSPIOP-Proxy`: the neighbouring scheme's proxy that passed the message on.
    pub proxy: Option<FspId>,
    /// `Date`, to the second.
    pub date: Timestamp,
    /// Whether `Accept` was sent, which it should not be with a callback.
    pub has_accept: bool,
}

/// Checks the headers of a routed request and reports the first fault.
///
/// Errors: 400 with 3100, 3101, 3102 or 3104; 406 with 3001 and the supported versions as extensions (key = major,
/// value = minor).
pub fn check_headers(route: &RawRoute, headers: &HeaderMap) -> Result<Envelope, FspiopError> {
    if expects_json_before_all(route)
        && let Some(value) = single(headers, "content-type")?
    {
        check_is_json(value)?;
    }
    check_client(headers)?;
    let has_accept = check_accept(route, headers)?;
    let date = check_date(headers)?;
    check_content_length(headers)?;
    let version = check_content_type(route, headers)?;
    let source = check_name(headers, SOURCE)?.ok_or_else(|| missing(SOURCE))?;
    let destination = check_destination(route.resource(), headers)?;
    let proxy = check_name(headers, PROXY)?;
    Ok(Envelope { source, destination, version, proxy, date, has_accept })
}

/// Transaction requests and authorizations judge the media type when they read the body, before all headers.
fn expects_json_before_all(route: &RawRoute) -> bool {
    let has_body = *route.method() != Method::GET && *route.method() != Method::DELETE;
    has_body && matches!(route.resource(), Resource::TransactionRequests | Resource::Authorizations)
}

fn check_is_json(content_type: &str) -> Result<(), FspiopError> {
    if media_type::is_json(content_type) { Ok(()) } else { Err(malformed("Unsupported Media Type")) }
}

/// §1.5: the gateway puts the authenticated name into `x-client-id`. Without it the call comes from inside.
fn check_client(headers: &HeaderMap) -> Result<(), FspiopError> {
    let Some(client) = single(headers, CLIENT_ID)? else { return Ok(()) };
    let source = single(headers, SOURCE)?;
    match single(headers, PROXY)? {
        None if source == Some(client) => Ok(()),
        None => Err(invalid("Invalid fspiop-source header")),
        Some(proxy) if proxy == client && source != Some(proxy) => Ok(()),
        Some(_) => Err(invalid("Invalid fspiop-proxy header")),
    }
}

fn check_accept(route: &RawRoute, headers: &HeaderMap) -> Result<bool, FspiopError> {
    let Some(value) = single(headers, "accept")? else {
        return if route.is_callback() { Ok(false) } else { Err(missing_accept(route)) };
    };
    match media_type::parse_accept(value, route.resource()) {
        Some(Accept::Acceptable) => Ok(true),
        Some(Accept::Unacceptable) => {
            let supported = Version::ALL.into_iter().filter(|version| route.resource().supports(*version));
            Err(unacceptable(UNACCEPTABLE_ACCEPT, supported))
        }
        None => Err(malformed("Invalid accept header")),
    }
}

/// The collections contain cases of two generations: for POST /quotes they want the text of the schema checker, for
/// GET the newer one.
fn missing_accept(route: &RawRoute) -> FspiopError {
    if route.resource() == Resource::Quotes && *route.method() == Method::POST {
        return missing("accept");
    }
    FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, "Accept is required")
}

fn check_date(headers: &HeaderMap) -> Result<Timestamp, FspiopError> {
    let value = single(headers, "date")?.ok_or_else(|| missing("date"))?;
    Timestamp::parse_http(value).map_err(|_| malformed("Invalid date header"))
}

/// The length that the sender claims; the server also counts what arrives.
fn check_content_length(headers: &HeaderMap) -> Result<(), FspiopError> {
    let Some(value) = single(headers, "content-length")? else { return Ok(()) };
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed("Invalid content-length header"));
    }
    // More digits than a u64 holds is too large as well.
    match value.parse::<u64>() {
        Ok(length) if length <= BODY_BYTES_MAX => Ok(()),
        Ok(_) | Err(_) => Err(FspiopError::new(ErrorCode::TOO_LARGE_PAYLOAD)),
    }
}

fn check_content_type(route: &RawRoute, headers: &HeaderMap) -> Result<Version, FspiopError> {
    let value = single(headers, "content-type")?;
    let required = || FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, "Content-type is required");
    match media_type::parse_content_type(value.ok_or_else(required)?, route.resource()) {
        Some(ContentType::Supported(version)) => Ok(version),
        Some(ContentType::Unsupported) => {
            Err(unacceptable(UNSUPPORTED_CONTENT, route.resource().content_versions().iter().copied()))
        }
        None => Err(malformed("Invalid content-type header")),
    }
}

/// Mandatory for the resources that are routed by it. An empty value is refused everywhere, which the specification
/// would allow and implementations do not (contract §1.4).
fn check_destination(resource: Resource, headers: &HeaderMap) -> Result<Option<FspId>, FspiopError> {
    let destination = check_name(headers, DESTINATION)?;
    let is_mandatory = matches!(resource, Resource::Quotes | Resource::FxQuotes | Resource::BulkQuotes);
    if is_mandatory && destination.is_none() { Err(missing(DESTINATION)) } else { Ok(destination) }
}

/// A name of a participant: 1 to 32 characters.
fn check_name(headers: &HeaderMap, name: &'static str) -> Result<Option<FspId>, FspiopError> {
    let Some(value) = single(headers, name)? else { return Ok(None) };
    let reason = if value.is_empty() { "fewer than 1" } else { "more than 32" };
    let out_of_bounds = || invalid(format_args!("/header/{name} must NOT have {reason} characters"));
    value.parse().map(Some).map_err(|_| out_of_bounds())
}

/// The value of a header that may be sent once. A second one, or bytes that are not UTF-8, is refused: two readers of
/// such a message might see two different messages.
fn single<'headers>(headers: &'headers HeaderMap, name: &'static str) -> Result<Option<&'headers str>, FspiopError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or_else(|| malformed(format_args!("Invalid {name} header")))
}

fn unacceptable(detail: &str, supported: impl Iterator<Item = Version>) -> FspiopError {
    supported.fold(FspiopError::with_detail(ErrorCode::UNACCEPTABLE_VERSION, detail), |error, version| {
        let (major, minor) = version.parts();
        error.extension(major, minor)
    })
}

fn missing(header: &str) -> FspiopError {
    let detail = format_args!("/header must have required property '{header}'");
    FspiopError::with_detail(ErrorCode::MISSING_ELEMENT, detail)
}

fn malformed(detail: impl std::fmt::Display) -> FspiopError {
    FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, detail)
}

fn invalid(detail: impl std::fmt::Display) -> FspiopError {
    FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
}

#[cfg(test)]
mod tests;
