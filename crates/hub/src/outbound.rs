//! A message on its way out: what it says, and how the outbox keeps it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{MessageId, NewMessage, Retry};
use vocabulary::{FspId, Timestamp};

/// Method, addressing and headers of a message. Bodies travel beside it, as bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    pub method: Box<str>,
    /// The name of the endpoint type under which the participant registered where it wants this message.
    pub endpoint: Box<str>,
    /// The canonical path, `/transfers/{ID}`: appended where the registered value is a base URL.
    pub path: Box<str>,
    /// Values of the placeholders of a registered URL template.
    pub variables: Vec<(Box<str>, Box<str>)>,
    /// Names and values; each character of a value stands for one byte, so that foreign bytes survive.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// Whom to tell if the message cannot be delivered.
    pub on_failure: Option<Complaint>,
    #[serde(default, skip_serializing_if = "Purpose::is_other")]
    pub purpose: Purpose,
}

/// What a message is for, as far as that decides which other messages are still worth sending.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub enum Purpose {
    #[default]
    Other,
    /// Speaks of a transfer that has not ended: the prepare itself, or that it is reserved.
    UnderWay,
    /// How a transfer ended.
    End,
    /// No message to a participant: a request of one, acknowledged, that the hub has still to carry out.
    Request,
    /// Asks a proxy for a party: not to be delivered is an answer too.
    Discovery,
}

/// The error callback that is owed to a sender whose message could not be delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Complaint {
    pub to: Box<str>,
    /// The proxy through which an external sender is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Box<str>>,
    /// The resource path that failed, without `/error`.
    pub path: Box<str>,
    pub endpoint: Box<str>,
    pub variables: Vec<(Box<str>, Box<str>)>,
    /// `content-type` of the error callback.
    pub content_type: Box<str>,
    /// A missing endpoint is reported with this code, any other failure by what happened.
    pub no_endpoint_code: u16,
}

/// Whether a message survives a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    /// In the outbox.
    Durable(MessageId),
    /// In the outbox, from which it was read back: it may have left before.
    ReadBack(MessageId),
    /// In memory: whoever asked repeats the question.
    InMemory,
}

/// A message in the hands of the callbacks.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub to: FspId,
    pub payment_key: [u8; 16],
    pub head: Arc<Head>,
    pub body: Bytes,
    pub until: Timestamp,
    pub persistence: Persistence,
    pub attempts: u32,
}

impl Purpose {
    /// A prepare speaks of a transfer under way, whatever relays it; other messages are said more of by who makes them.
    pub fn of_relay(method: &str, path: &str) -> Self {
        match method {
            "POST" if path == "/transfers" || path == "/fxTransfers" => Self::UnderWay,
            "PUT" | "PATCH" if path.starts_with("/transfers/") => Self::End,
            // A provider that agrees ends nothing.
            "PUT" if path.starts_with("/fxTransfers/") && path.ends_with("/error") => Self::End,
            _ => Self::Other,
        }
    }

    fn is_other(&self) -> bool {
        *self == Self::Other
    }
}

impl Persistence {
    /// Its place in the outbox; none if it lives in memory.
    pub fn id(self) -> Option<MessageId> {
        match self {
            Self::Durable(id) | Self::ReadBack(id) => Some(id),
            Self::InMemory => None,
        }
    }
}

impl Head {
    /// Whether an earlier message to the same participant about the same transfer need not be delivered once this one
    /// waits: it spoke of a transfer that has ended since, or it was this very message. Errors about single requests,
    /// such as a repetition with other content, end nothing and are kept.
    pub fn supersedes(&self, earlier: &Self) -> bool {
        let is_same_place = self.method == earlier.method && self.path == earlier.path;
        self.purpose == Purpose::End
            && match earlier.purpose {
                Purpose::UnderWay => true,
                Purpose::End => is_same_place,
                Purpose::Other | Purpose::Request | Purpose::Discovery => false,
            }
    }

    /// Whether the message says how a transfer ended, which is owed to its participant whatever the time.
    pub fn is_outcome(&self) -> bool {
        let is_of_payment = self.path.starts_with("/transfers/") || self.path.starts_with("/fxTransfers/");
        is_of_payment && &*self.method != "GET"
    }

    pub fn encode(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).expect("a head has string keys only"))
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Delivery {
    /// What the outbox keeps of it.
    pub fn to_stored(&self) -> NewMessage {
        NewMessage {
            to: self.to.clone(),
            payment_key: self.payment_key,
            retry: Retry { until: self.until },
            head: self.head.encode(),
            body: self.body.clone(),
        }
    }

    /// A delivery from the outbox; `None` if its head was written by a program that this one does not understand.
    pub fn from_stored(stored: store::StoredMessage) -> Option<Self> {
        Some(Self {
            to: stored.message.to,
            payment_key: stored.message.payment_key,
            head: Arc::new(Head::decode(&stored.message.head)?),
            body: stored.message.body,
            until: stored.message.retry.until,
            persistence: Persistence::ReadBack(stored.id),
            attempts: stored.attempts,
        })
    }
}

/// The bytes of a header value as text, one character a byte.
pub fn text_of(value: &[u8]) -> Box<str> {
    value.iter().map(|byte| char::from(*byte)).collect()
}

/// The inverse of [`text_of`].
pub fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}
