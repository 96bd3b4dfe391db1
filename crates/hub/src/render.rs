//! From decisions and requests to messages.
//!
//! Invariant: what is made here depends on its arguments only, so that every attempt to deliver a message, and every
//! repetition of a unit, sends the same bytes.

use crate::{
    directory::DirectoryCache,
    http::Inbound,
    outbound::{Complaint, Delivery, Head, Persistence, Purpose, text_of},
    rejections::{error_about_conversion, error_about_quote, error_of},
    sequencer::{Origin, RelayUntil, Render},
    ways::Ways,
};
use bytes::Bytes;
use fspiop::{
    FspiopError, Resource, Version,
    body::TransferState,
    callback::{self, ConversionOutcome, HubMessage, Relay, TransferOutcome},
    endpoint::EndpointType,
};
use http::{HeaderMap, Method};
use hub_core::{
    Dialect, Message, Notice, Rejection, Subject, SubjectKind,
    transfers::{PublicState, TransferStatus},
};
use std::sync::Arc;
use vocabulary::{FspId, Timestamp};

/// The outcome of a transfer is tried for seven days.
pub const OUTCOME_MS: i64 = 7 * 24 * 3_600_000;
/// Everything else that is durable, and every question.
pub const SHORT_MS: i64 = 2_000;

/// Where a message goes at its recipient.
#[derive(Clone, Debug)]
pub struct Address {
    /// The canonical path; for an error, of the resource it is about.
    pub path: Box<str>,
    pub endpoint: EndpointType,
    /// Values for the placeholders of a registered template.
    pub variables: Vec<(Box<str>, Box<str>)>,
}

/// Renders the notices of decisions, for those whom the directory knows: a message to anybody else could only wait for
/// an endpoint that will never be registered.
pub struct Renderer {
    pub hub_name: FspId,
    pub directory: Arc<DirectoryCache>,
}

/// What the hub makes: method, address and body; errors stand under the address with `/error`.
struct Made {
    method: Method,
    resource: Resource,
    address: Address,
    body: Vec<u8>,
}

impl Render for Renderer {
    fn render(&self, origin: Option<&Origin>, notice: &Notice, now: Timestamp) -> Option<Delivery> {
        let hop = self.hop(origin, notice)?;
        let payment_key = notice.about.id.to_parts().0;
        if let Message::Relay = notice.message {
            let origin = origin.expect("only commands that came as messages are relayed");
            return Some(Delivery {
                to: hop,
                payment_key,
                head: Arc::new(addressed(&origin.head, &notice.to)),
                body: origin.body.clone(),
                until: relay_until(origin.relay, now),
                persistence: Persistence::InMemory,
                attempts: 0,
            });
        }
        let made = made_of(notice, origin)?;
        let until = match notice.about.kind {
            SubjectKind::Transfer | SubjectKind::Conversion => now.plus_millis(OUTCOME_MS),
            SubjectKind::Quote | SubjectKind::ConversionQuote => now.plus_millis(SHORT_MS),
        };
        let cause = origin.map(|origin| trace_of(&origin.head));
        let head = self.head(&made, (&notice.to, version_of(notice.dialect)), now, cause.as_ref())?;
        let head = Head { purpose: purpose_of(notice), ..head };
        Some(Delivery {
            to: hop,
            payment_key,
            head: Arc::new(head),
            body: made.body.into(),
            until,
            persistence: Persistence::InMemory,
            attempts: 0,
        })
    }
}

impl Renderer {
    /// The participant that a notice is sent to: whom it is for, or the proxy that whom it is for is behind.
    fn hop(&self, origin: Option<&Origin>, notice: &Notice) -> Option<FspId> {
        let view = self.directory.view();
        let way = || origin.and_then(|origin| origin.ways.to(&notice.to).cloned());
        let is_known = |name: &FspId| view.participant(name).is_some();
        let hop = match &notice.via {
            Some(proxy) => proxy.clone(),
            None if is_known(&notice.to) => notice.to.clone(),
            None => way()?,
        };
        is_known(&hop).then_some(hop)
    }

    /// A message that no decision caused: an answer to a question, or an error about one.
    pub fn answer(
        &self,
        inbound: &Inbound,
        to: &FspId,
        (address, body): (Address, Bytes),
        now: Timestamp,
    ) -> Option<Delivery> {
        let payment_key = crate::callbacks::key_of(&address.path);
        let made = Made { method: Method::PUT, resource: inbound.resource, address, body: Vec::new() };
        let recipient = (to, inbound.envelope.version);
        let head = self.head(&made, recipient, now, Some(&inbound.headers))?;
        Some(Delivery {
            to: inbound.ways.hop(to).clone(),
            payment_key,
            head: Arc::new(head),
            body,
            until: now.plus_millis(SHORT_MS),
            persistence: Persistence::InMemory,
            attempts: 0,
        })
    }

    /// A message that nothing in hand has caused.
    pub fn unasked(
        &self,
        resource: Resource,
        (to, dialect, ways): (&FspId, Dialect, &Ways),
        (address, body): (Address, Bytes),
        now: Timestamp,
    ) -> Option<Delivery> {
        let payment_key = crate::callbacks::key_of(&address.path);
        let made = Made { method: Method::PUT, resource, address, body: Vec::new() };
        let head = self.head(&made, (to, version_of(dialect)), now, None)?;
        Some(Delivery {
            to: ways.hop(to).clone(),
            payment_key,
            head: Arc::new(head),
            body,
            until: now.plus_millis(SHORT_MS),
            persistence: Persistence::InMemory,
            attempts: 0,
        })
    }

    fn head(
        &self,
        made: &Made,
        recipient: (&FspId, Version),
        date: Timestamp,
        cause: Option<&HeaderMap>,
    ) -> Option<Head> {
        let (destination, version) = recipient;
        let message = HubMessage {
            hub: &self.hub_name,
            destination,
            resource: made.resource,
            version,
            method: &made.method,
            uri: &made.address.path,
            date,
        };
        // A name that no header can carry belongs to no participant.
        let headers = callback::hub_headers(&message, cause).ok()?;
        Some(Head {
            method: made.method.as_str().into(),
            endpoint: made.address.endpoint.as_str().into(),
            path: made.address.path.clone(),
            variables: made.address.variables.clone(),
            headers: pairs_of(&headers),
            on_failure: None,
            purpose: Purpose::Other,
        })
    }
}

/// The head of a message that is passed on with its body untouched.
pub fn relay_head(inbound: &Inbound, to: &FspId, endpoint: EndpointType, variables: Vec<(Box<str>, Box<str>)>) -> Head {
    let relay = Relay { resource: inbound.resource, method: &inbound.method, uri: &inbound.uri, destination: Some(to) };
    // The destination is a name that came in a header or passed the grammar of one; another leaves the sender's own.
    let headers = callback::relayed_headers(&inbound.headers, &relay)
        .or_else(|_| callback::relayed_headers(&inbound.headers, &Relay { destination: None, ..relay }))
        .unwrap_or_default();
    Head {
        method: inbound.method.as_str().into(),
        endpoint: endpoint.as_str().into(),
        path: inbound.uri.as_str().into(),
        variables,
        headers: pairs_of(&headers),
        on_failure: None,
        purpose: Purpose::of_relay(inbound.method.as_str(), &inbound.uri),
    }
}

/// As [`relay_head`], for whoever may know: without a destination.
pub fn without_destination(inbound: &Inbound, endpoint: EndpointType, variables: Vec<(Box<str>, Box<str>)>) -> Head {
    let mut head = relay_head(inbound, &inbound.envelope.source, endpoint, variables);
    head.headers.retain(|(name, _)| &**name != fspiop::headers::DESTINATION);
    head
}

/// The head with whom to tell if it cannot be delivered.
pub fn with_complaint(head: Head, complaint: Complaint) -> Head {
    Head { on_failure: Some(complaint), ..head }
}

/// Headers of a request to an oracle: the requester's, its body's excepted.
pub fn oracle_headers(inbound: &Inbound, destination: &FspId, method: &Method) -> HeaderMap {
    let relay = Relay { resource: inbound.resource, method, uri: &inbound.uri, destination: Some(destination) };
    callback::relayed_headers(&inbound.headers, &relay).unwrap_or_default()
}

/// How the core remembers a version.
pub fn dialect_of(version: Version) -> Dialect {
    Dialect(match version {
        Version::V1_0 => 1,
        Version::V1_1 => 2,
        Version::V2_0 => 3,
    })
}

/// The version in which to speak to somebody; 2.0 to one that has not spoken yet.
pub fn version_of(dialect: Dialect) -> Version {
    match dialect {
        Dialect(1) => Version::V1_0,
        Dialect(2) => Version::V1_1,
        Dialect(_) => Version::V2_0,
    }
}

fn made_of(notice: &Notice, origin: Option<&Origin>) -> Option<Made> {
    let id = notice.about.id;
    let resource = match notice.about.kind {
        SubjectKind::Transfer => Resource::Transfers,
        SubjectKind::Quote => Resource::Quotes,
        SubjectKind::Conversion => Resource::FxTransfers,
        SubjectKind::ConversionQuote => Resource::FxQuotes,
    };
    let put_to = match notice.about.kind {
        SubjectKind::Transfer => EndpointType::TransferPut,
        SubjectKind::Conversion => EndpointType::FxTransferPut,
        SubjectKind::Quote => EndpointType::Quotes,
        SubjectKind::ConversionQuote => EndpointType::FxQuotes,
    };
    let outcome = |status| match notice.about.kind {
        SubjectKind::Conversion => conversion_body(status),
        SubjectKind::Transfer | SubjectKind::Quote | SubjectKind::ConversionQuote => status_body(status),
    };
    let (method, endpoint, path, body) = match &notice.message {
        Message::Relay => return None,
        Message::Failure(rejection) => {
            let (endpoint, error) = failure(notice.about, rejection, origin);
            (Method::PUT, endpoint, format!("/{resource}/{id}/error"), error.to_json())
        }
        Message::Status(status) => (Method::PUT, put_to, format!("/{resource}/{id}"), outcome(status)),
        Message::Patch(status) => (Method::PATCH, put_to, format!("/{resource}/{id}"), outcome(status)),
    };
    let address = Address { path: path.into(), endpoint, variables: variables(notice.about) };
    Some(Made { method, resource, address, body })
}

/// Where an error goes, and what it says.
fn failure(about: Subject, rejection: &Rejection, origin: Option<&Origin>) -> (EndpointType, FspiopError) {
    let is_answer = origin.is_some_and(|origin| &*origin.head.method == "PUT");
    let called = |called: &str| error_about_quote(rejection, format_args!("{called} {}", about.id));
    match about.kind {
        SubjectKind::Transfer => (EndpointType::TransferError, error_of(rejection)),
        SubjectKind::Conversion => (EndpointType::FxTransferError, error_about_conversion(rejection)),
        SubjectKind::Quote if is_answer => (EndpointType::Quotes, called("Update for quote")),
        SubjectKind::Quote => (EndpointType::Quotes, called("Quote")),
        SubjectKind::ConversionQuote if is_answer => (EndpointType::FxQuotes, called("Update for fxQuote")),
        SubjectKind::ConversionQuote => (EndpointType::FxQuotes, called("FxQuote")),
    }
}

/// What a message that the hub makes says of its transfer.
fn purpose_of(notice: &Notice) -> Purpose {
    let is_about_transfer = match notice.about.kind {
        SubjectKind::Transfer | SubjectKind::Conversion => true,
        SubjectKind::Quote | SubjectKind::ConversionQuote => false,
    };
    match &notice.message {
        Message::Status(status) | Message::Patch(status) => match status.state {
            PublicState::Reserved => Purpose::UnderWay,
            PublicState::Committed | PublicState::Aborted => Purpose::End,
        },
        Message::Failure(rejection) if is_about_transfer && ends_transfer(rejection) => Purpose::End,
        Message::Failure(_) | Message::Relay => Purpose::Other,
    }
}

/// Whether a transfer of which this is said has ended, or was never begun. The rest answers a single request and leaves
/// the transfer, if there is one, as it was.
fn ends_transfer(rejection: &Rejection) -> bool {
    use Rejection as R;
    match rejection {
        R::TransferExpired | R::InvalidFulfilment | R::SourceIsNotPayee | R::DestinationIsNotPayer => true,
        R::ByPayee { .. } => true,
        // Told of a prepare that was refused.
        R::SourceIsNotPayer | R::AmountTooLarge(_) | R::ParticipantNotFound(_) | R::ParticipantInactive(_) => true,
        R::PayerMayNotSend(_) | R::PayeeMayNotReceive(_) | R::AlreadyExpired(_) | R::PayerIsPayee => true,
        R::AccountNotFound(..) | R::AccountInactive(..) | R::PayerShortOfLiquidity | R::PayerOverCap => true,
        R::NoRoute { .. } | R::ModifiedRequest | R::TransferNotFound | R::NotReserved | R::NotAParty => false,
        // Also told to a payee whose fulfil cannot be booked; the transfer then waits for its expiry.
        R::Overflow | R::UnsupportedPayer(_) | R::UnsupportedPayee(_) | R::UnsupportedProvider(_) => false,
        // The first is told of a prepare, and of a fulfil that waits for its conversion.
        R::ConversionNotAgreed | R::ConversionNotFound => false,
        R::NoDeterminingTransfer | R::NoExpiration | R::ConversionDiffers | R::NotConvertible => true,
    }
}

/// The placeholder of a payment's endpoints.
pub fn variables(about: Subject) -> Vec<(Box<str>, Box<str>)> {
    let name = match about.kind {
        SubjectKind::Conversion => "commitRequestId",
        SubjectKind::Transfer | SubjectKind::Quote | SubjectKind::ConversionQuote => "transferId",
    };
    vec![(name.into(), about.id.to_string().into())]
}

fn public_state(state: PublicState) -> TransferState {
    match state {
        PublicState::Reserved => TransferState::Reserved,
        PublicState::Committed => TransferState::Committed,
        PublicState::Aborted => TransferState::Aborted,
    }
}

fn conversion_body(status: &TransferStatus) -> Vec<u8> {
    callback::conversion_body(&ConversionOutcome {
        state: public_state(status.state),
        completed: status.completed,
        fulfilment: status.fulfilment.as_ref(),
    })
}

fn status_body(status: &TransferStatus) -> Vec<u8> {
    let cause = status.cause.as_ref().map(|cause| error_of(cause).cause());
    callback::transfer_body(&TransferOutcome {
        state: public_state(status.state),
        completed: status.completed,
        fulfilment: status.fulfilment.as_ref(),
        extension_list: status.extensions.as_deref(),
        cause: cause.as_deref(),
    })
}

fn relay_until(relay: RelayUntil, now: Timestamp) -> Timestamp {
    match relay {
        RelayUntil::Expiration(time) => time,
        RelayUntil::Outcome => now.plus_millis(OUTCOME_MS),
        RelayUntil::Short => now.plus_millis(SHORT_MS),
    }
}

/// The head with its destination header naming whom the decision names; the sender's own spelling stays.
fn addressed(head: &Head, to: &FspId) -> Head {
    let mut head = head.clone();
    let destination = head.headers.iter_mut().find(|(name, _)| &**name == fspiop::headers::DESTINATION);
    if let Some((_, value)) = destination
        && !to.same_as(value)
    {
        *value = text_of(to.as_str().as_bytes());
    }
    head
}

fn trace_of(head: &Head) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [fspiop::headers::TRACEPARENT, fspiop::headers::TRACESTATE] {
        let found = head.headers.iter().find(|(known, _)| &**known == name);
        if let Some(value) = found.and_then(|(_, value)| value.parse().ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Headers as a head keeps them.
pub fn pairs_of(headers: &HeaderMap) -> Vec<(Box<str>, Box<str>)> {
    headers.iter().map(|(name, value)| (name.as_str().into(), text_of(value.as_bytes()))).collect()
}
