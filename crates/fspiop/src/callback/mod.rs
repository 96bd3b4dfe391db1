//! Outgoing messages: headers of those that are relayed, headers and bodies of those that the hub makes
//! (contract transfers-quotes-parties.md §1.9, §2.4, §4.8).
//!
//! Invariant: a relayed message keeps the sender's version, date and signature, and no header that the signature
//! covers changes in a way that the message could have kept. A message that the hub makes carries nothing of
//! another's signature, and its headers and body depend on nothing but the arguments, so that a retry is identical.

mod bodies;

pub use bodies::{
    ConversionOutcome, PartyResult, TransferOutcome, batch_body, conversion_body, fx_providers_body, participant_body,
    party_list_body, transfer_body,
};

use crate::headers::{
    CLIENT_ID, DESTINATION, ENCRYPTION, HTTP_METHOD, SIGNATURE, SOURCE, TRACEPARENT, TRACESTATE, URI,
};
use crate::{Resource, Version, content_type};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method};
use vocabulary::{FspId, Timestamp};

/// Where a relayed message goes.
#[derive(Clone, Copy, Debug)]
pub struct Relay<'message> {
    pub resource: Resource,
    pub method: &'message Method,
    /// Canonical path, from [`crate::Operation::uri`], whatever URL the receiver has registered.
    pub uri: &'message str,
    /// The receiver, if the hub chose it; `None` keeps the sender's destination, or its absence.
    pub destination: Option<&'message FspId>,
}

/// A message that the hub makes.
#[derive(Clone, Copy, Debug)]
pub struct HubMessage<'message> {
    /// The hub's own name.
    pub hub: &'message FspId,
    pub destination: &'message FspId,
    pub resource: Resource,
    pub version: Version,
    pub method: &'message Method,
    /// Canonical path, from [`crate::Operation::uri`].
    pub uri: &'message str,
    /// Time of the decision that the message reports.
    pub date: Timestamp,
}

/// Headers that concern one connection, or that name or prove a client to the hub alone. The reference passes
/// `Authorization` on; a payer's token is nothing that a payee should see.
const NOT_RELAYED: [&str; 15] = [
    "content-length",
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "accept-encoding",
    "authorization",
    "proxy-authorization",
    "cookie",
    CLIENT_ID,
];

/// All that a relayed quote carries. `FSPIOP-Proxy` is not among it: implementations drop it (contract
/// interscheme-fx.md §1.3).
const QUOTE_HEADERS: [&str; 11] = [
    "accept",
    "content-type",
    "date",
    SOURCE,
    DESTINATION,
    HTTP_METHOD,
    SIGNATURE,
    URI,
    ENCRYPTION,
    TRACEPARENT,
    TRACESTATE,
];

/// Headers of a message that is passed on with its body bytes unchanged.
///
/// Errors: the destination has characters that a header cannot carry, which no registered participant's name has.
pub fn relayed_headers(inbound: &HeaderMap, relay: &Relay<'_>) -> Result<HeaderMap, InvalidHeaderValue> {
    let connection_names = connection_headers(inbound);
    let is_kept = |name: &HeaderName| match relay.resource {
        Resource::Quotes | Resource::FxQuotes | Resource::BulkQuotes => QUOTE_HEADERS.contains(&name.as_str()),
        Resource::Parties
        | Resource::Participants
        | Resource::Transfers
        | Resource::FxTransfers
        | Resource::BulkTransfers
        | Resource::TransactionRequests
        | Resource::Authorizations
        | Resource::Services => {
            !NOT_RELAYED.contains(&name.as_str()) && !connection_names.iter().any(|named| name == named.as_str())
        }
    };
    let kept = inbound.iter().filter(|(name, _)| is_kept(name));
    let mut headers: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    if *relay.method == Method::PUT {
        headers.remove(ACCEPT);
    }
    set_destination(&mut headers, relay)?;
    set_method_and_uri(&mut headers, relay)?;
    Ok(headers)
}

/// A signature covers the destination or its absence. A signed message without one stays without, since the receiver
/// would refuse it otherwise; one with another destination than the body's is corrected.
fn set_destination(headers: &mut HeaderMap, relay: &Relay<'_>) -> Result<(), InvalidHeaderValue> {
    let Some(destination) = relay.destination else { return Ok(()) };
    if headers.contains_key(SIGNATURE) && !headers.contains_key(DESTINATION) {
        return Ok(());
    }
    headers.insert(DESTINATION, destination.as_str().parse()?);
    Ok(())
}

/// Transfers always say method and path; the other resources correct a method that was sent. A signed message keeps
/// what was signed.
fn set_method_and_uri(headers: &mut HeaderMap, relay: &Relay<'_>) -> Result<(), InvalidHeaderValue> {
    let is_signed = headers.contains_key(SIGNATURE);
    let always = matches!(relay.resource, Resource::Transfers | Resource::FxTransfers | Resource::BulkTransfers);
    if (always || headers.contains_key(HTTP_METHOD)) && !(is_signed && headers.contains_key(HTTP_METHOD)) {
        headers.insert(HTTP_METHOD, relay.method.as_str().parse()?);
    }
    if always && !(is_signed && headers.contains_key(URI)) {
        headers.insert(URI, relay.uri.parse()?);
    }
    Ok(())
}

/// Names that the `Connection` header declares as concerning the connection only.
fn connection_headers(inbound: &HeaderMap) -> Vec<String> {
    let values = inbound.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

/// Headers of a message that the hub makes. Of the message that caused it, `cause`, only the trace is continued:
/// no signature, proxy, credentials or other headers of a participant. The signature is added by who signs.
///
/// Errors: a name or path has characters that a header cannot carry.
pub fn hub_headers(message: &HubMessage<'_>, cause: Option<&HeaderMap>) -> Result<HeaderMap, InvalidHeaderValue> {
    let media_type: HeaderValue = content_type(message.resource, message.version).parse()?;
    let mut headers = HeaderMap::with_capacity(10);
    if *message.method != Method::PUT && *message.method != Method::PATCH {
        headers.insert(ACCEPT, media_type.clone());
    }
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(DATE, message.date.http().to_string().parse()?);
    headers.insert(SOURCE, message.hub.as_str().parse()?);
    headers.insert(DESTINATION, message.destination.as_str().parse()?);
    headers.insert(HTTP_METHOD, message.method.as_str().parse()?);
    headers.insert(URI, message.uri.parse()?);
    for name in [TRACEPARENT, TRACESTATE] {
        if let Some(value) = cause.and_then(|headers| headers.get(name)) {
            headers.insert(name, value.clone());
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
