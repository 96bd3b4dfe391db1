//! The way to the hub: requests, the callbacks that answer them, and callbacks of our own.
//!
//! Invariant: who waits for a callback is registered before the request leaves. Bodies leave compact with sorted keys
//! (dfsp-client.md §7), so that both generations of participants can check their signatures.

use crate::failure::Failure;
use crate::json::Object;
use crate::settings::Settings;
use bytes::Bytes;
use fspiop::{FspiopError, Operation, Resource, Version, canonical_json};
use http::{HeaderMap, Method};
use sdk::{CallError, Connection, Message, Waiter, Waiting};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use vocabulary::{CorrelationId, FspId};

/// A callback as it came.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub headers: Value,
    pub body: Value,
    /// `FSPIOP-Source`.
    pub source: String,
    /// Whether it came by the `/error` path.
    pub is_error: bool,
}

/// One who waits for callbacks of a channel.
pub(crate) type Listening = Waiter<String, Callback>;

pub(crate) struct Hub {
    dfsp: FspId,
    peer: Connection,
    others: HashMap<Resource, Connection>,
    /// For the answers to pings, if elsewhere.
    ping: Option<Connection>,
    versions: HashMap<Resource, Version>,
    /// Versions of callbacks, where the settings name one.
    callback_versions: HashMap<Resource, Version>,
    waiting: Waiting<String, Callback>,
    callback_timeout: Duration,
}

/// A request to be sent.
pub(crate) struct Outgoing<'a> {
    pub method: Method,
    pub resource: Resource,
    pub operation: Operation,
    pub destination: Option<&'a str>,
    pub query: Option<String>,
    pub body: Option<Value>,
}

impl<'a> Outgoing<'a> {
    pub fn new(method: Method, resource: Resource, operation: Operation) -> Self {
        Self { method, resource, operation, destination: None, query: None, body: None }
    }

    pub fn to(self, destination: Option<&'a str>) -> Self {
        Self { destination, ..self }
    }

    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl Hub {
    pub fn new(settings: &Settings) -> Self {
        let connection = |url: &String| {
            let mut config = sdk::Config::new(settings.dfsp.clone(), url.clone(), settings.ilp_secret.clone());
            config.request_timeout = settings.request_timeout;
            config.attempts_max = 4;
            config.signatures = settings.signatures.clone();
            config.links = settings.links.clone();
            config.tokens = settings.tokens.clone();
            Connection::new(config)
        };
        Self {
            dfsp: settings.dfsp.clone(),
            peer: connection(&settings.hub.peer),
            others: settings.hub.others.iter().map(|(resource, url)| (*resource, connection(url))).collect(),
            ping: settings.hub.ping.as_ref().map(connection),
            versions: Resource::ALL.into_iter().map(|resource| (resource, settings.version(resource))).collect(),
            callback_versions: settings.versions.clone(),
            waiting: Waiting::new(settings.waiting_max),
            callback_timeout: settings.callback_timeout,
        }
    }

    /// Begins to wait for what comes by a channel.
    pub fn listen(&self, channel: impl Into<String>) -> Result<Listening, Failure> {
        let busy = |_| Failure::internal("Too many calls wait for the hub; try again in a moment.");
        self.waiting.register(channel.into()).map_err(busy)
    }

    /// Hands a callback to all who wait for it and says how many they were.
    pub fn hand_on(&self, channel: &str, callback: &Callback) -> usize {
        self.waiting.answer(&channel.to_owned(), callback)
    }

    /// The next callback, within the time of a phase.
    pub async fn next(&self, listening: &mut Listening) -> Option<Callback> {
        listening.next(self.callback_timeout).await
    }

    /// The next callback. Errors: it did not come in time; the sentence is the caller's.
    pub async fn next_or(&self, listening: &mut Listening, late: impl Into<String>) -> Result<Callback, Failure> {
        self.next(listening).await.ok_or_else(|| Failure::timeout(late))
    }

    /// Sends a request; returns what was sent, `{headers, body}`.
    ///
    /// Errors: the hub did not take it.
    pub async fn send(&self, outgoing: Outgoing<'_>) -> Result<Value, Failure> {
        let message = Message::new(outgoing.method, outgoing.resource, &outgoing.operation);
        let message = message.version(self.versions[&outgoing.resource]).accepting_major();
        let message = match &outgoing.query {
            Some(query) => message.query(query),
            None => message,
        };
        let text = outgoing.body.as_ref().map(canonical_json).unwrap_or_default();
        let message = addressed(message, outgoing.destination)?.body(Bytes::from(text));
        let headers = self.headers_of(&message);
        let sent = self.connection(outgoing.resource).deliver(&message).await;
        sent.map_err(|error| Failure::request(&error))?;
        Ok(json!({"headers": headers, "body": outgoing.body.unwrap_or_default()}))
    }

    /// Answers a request of the hub. What cannot be delivered is logged; the other side asks again or times out.
    pub async fn answer(&self, reply: Reply<'_>) -> Result<Value, CallError> {
        let version = self.callback_version(reply.resource, reply.version);
        let message = Message::new(Method::PUT, reply.resource, &reply.operation).version(version);
        let message = message.to(reply.destination).body(Bytes::from(canonical_json(&reply.body)));
        let headers = self.headers_of(&message);
        let sent = self.connection(reply.resource).deliver(&message).await;
        if let Err(error) = &sent {
            tracing::warn!(message = message.title(), %error, "an answer did not reach the hub");
        }
        sent.map(|()| json!({"headers": headers, "body": reply.body}))
    }

    /// Of the callback to a request of this version.
    pub fn callback_version(&self, resource: Resource, request: Version) -> Version {
        self.callback_versions.get(&resource).copied().unwrap_or(request)
    }

    /// Answers a ping of `source`: `Ok` with the body of the answer, `Err` with that of the error.
    pub async fn answer_ping(&self, id: &CorrelationId, source: &FspId, body: Result<Value, Value>) {
        let (message, body) = match body {
            Ok(body) => (Message::ping_answer(id), body),
            Err(body) => (Message::ping_error(id), body),
        };
        let message = message.to(source).body(Bytes::from(canonical_json(&body)));
        if let Err(error) = self.ping.as_ref().unwrap_or(&self.peer).deliver(&message).await {
            tracing::warn!(%error, "the answer to a ping did not reach the hub");
        }
    }

    fn connection(&self, resource: Resource) -> &Connection {
        self.others.get(&resource).unwrap_or(&self.peer)
    }

    fn headers_of(&self, message: &Message) -> Value {
        message.request("http://hub", &self.dfsp).map_or(Value::Null, |request| headers_json(request.headers()))
    }
}

/// A callback to be sent.
pub(crate) struct Reply<'a> {
    pub resource: Resource,
    pub operation: Operation,
    /// Of the request that it answers.
    pub version: Version,
    pub destination: &'a FspId,
    pub body: Value,
}

fn addressed(message: Message, destination: Option<&str>) -> Result<Message, Failure> {
    let Some(destination) = destination else { return Ok(message) };
    let name: FspId = destination
        .parse()
        .map_err(|_| Failure::internal(format!("'{destination}' is no name of a participant of the scheme.")))?;
    Ok(message.to(&name))
}

/// Headers as an object; of a repeated one, the last value.
pub(crate) fn headers_json(headers: &HeaderMap) -> Value {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let members = headers.iter().map(|(name, value)| (name.as_str().to_owned(), Value::from(text(value))));
    members.collect::<Object>().into()
}

/// The error as the body of a callback.
pub(crate) fn error_body(error: &FspiopError) -> Value {
    serde_json::from_slice(&error.to_json()).expect("an error is written as JSON")
}
