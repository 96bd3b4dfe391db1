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
}

/// The error callback that is owed to a sender whose message could not be delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Complaint {
    pub to: Box<str>,
    /// The resource path that failed, without `/error`.
    pub path: Box<str>,
    pub endpoint: Box<str>,
    pub variables: Vec<(Box<str>, Box<str>)>,
    /// `content-type` of the error callback.
    pub content_type: Box<str>,
    /// A missing endpoint is reported with this code, any other failure by what happened.
    pub no_endpoint_code: u16,
}

/// How many attempts a message gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persistence {
    /// In the outbox: it survives a crash.
    Durable(MessageId),
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

impl Head {
    /// Whether the message says how a transfer ended, which is owed to its participant whatever the time.
    pub fn is_outcome(&self) -> bool {
        self.path.starts_with("/transfers/") && &*self.method != "GET"
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
            persistence: Persistence::Durable(stored.id),
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
