//! Callbacks: messages to participants, each tried until it is delivered or its time is up.
//!
//! Invariant: messages of one payment to one participant leave in order, one at a time; a slow or dead participant
//! delays nobody else. A message's bytes do not change between attempts. Durable messages are marked delivered in a
//! later unit, so that after a crash a message may be sent twice, but never not at all; what [`line`] drops because a
//! transfer has ended is marked so before the message that took its place is marked delivered.

mod line;

use crate::{
    directory::DirectoryCache,
    journal::{self, Journal},
    metrics::{DeliveryLabels, Metrics},
    net::{Answer, Net, NetError, Outgoing},
    outbound::{Complaint, Delivery, Head, Persistence, Purpose},
    signing::{Signer, headers_of},
};
use fspiop::{
    ErrorCode, FspiopError,
    endpoint::{self, EndpointType},
};
use http::{Method, StatusCode, Uri};
use hub_core::{Subject, SubjectKind};
use line::{Next, Participant};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use store::{Mark, MessageId, Store};
use tokio::sync::Notify;
use vocabulary::{FspId, Timestamp};

/// Messages to one participant that wait in memory; further durable ones wait in the outbox alone.
const WAITING_MAX: usize = 4096;
/// Messages that are read back from the outbox at a time.
const FETCH_MAX: usize = 1024;
/// Pauses between attempts grow by half up to this.
const PAUSE_MAX: Duration = Duration::from_secs(15);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// An error callback about a message that could not be delivered is tried for this long.
const COMPLAINT_MS: i64 = 2_000;

/// Delivers messages. Lives as long as the hub.
pub struct Callbacks {
    net: Net,
    directory: Arc<DirectoryCache>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    marks: Arc<Mutex<Vec<Mark>>>,
    hub_name: FspId,
    signer: Arc<Signer>,
    journal: Arc<Journal>,
    connections_per_participant: usize,
    participants: Mutex<HashMap<FspId, Arc<Participant>>>,
    requests: OnceLock<Box<dyn Requests>>,
}

/// Carries out what was acknowledged and put in the outbox under the hub's own name.
pub trait Requests: Send + Sync {
    /// Returns when the request is carried out and its answer is durable; an error means that it is tried again.
    /// It may have been carried out before, if the hub could not note it.
    fn carry_out<'a>(&'a self, delivery: &'a Delivery) -> Carried<'a>;

    /// Takes up that a proxy could not be asked for a party. Returns whether the source is to be told so.
    fn could_not_ask<'a>(&'a self, delivery: &'a Delivery) -> Told<'a>;

    /// Takes up that a prepare has not left the hub, as far as it knows.
    fn not_sent(&self, delivery: &Delivery);
}

pub type Told<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<(), FspiopError>> + Send + 'a>>;

/// What callbacks use.
pub struct Services {
    pub net: Net,
    pub directory: Arc<DirectoryCache>,
    pub store: Arc<dyn Store>,
    pub metrics: Arc<Metrics>,
    pub signer: Arc<Signer>,
    pub journal: Arc<Journal>,
}

/// What became of one attempt.
enum Attempt {
    /// With the status of the answer.
    Delivered(u16),
    /// The participant is not registered for this kind of message.
    NoEndpoint(String),
    /// With the status of the answer, if there was one.
    Failed(Option<u16>, FspiopError),
    /// Nothing has got past the connection attempt.
    Unreached(FspiopError),
}

impl Callbacks {
    pub fn new(services: Services, hub_name: FspId, connections_per_participant: usize) -> Arc<Self> {
        let Services { net, directory, store, metrics, signer, journal } = services;
        let (marks, participants, requests) = (Arc::default(), Mutex::default(), OnceLock::new());
        Arc::new(Self {
            net,
            directory,
            store,
            metrics,
            marks,
            hub_name,
            signer,
            journal,
            connections_per_participant,
            participants,
            requests,
        })
    }

    /// Says who carries out requests, before the first message is taken over.
    pub fn set_requests(&self, requests: Box<dyn Requests>) {
        assert!(self.requests.set(requests).is_ok(), "requests are carried out by one");
    }

    /// Where delivered and failed messages are noted for the next unit.
    pub fn marks(&self) -> Arc<Mutex<Vec<Mark>>> {
        self.marks.clone()
    }

    /// Messages that wait in memory.
    pub fn waiting(&self) -> usize {
        let participants = self.participants.lock().expect("the map is changed without panicking");
        participants.values().map(|known| known.line().waiting).sum()
    }

    /// Takes a message over; returns at once.
    pub fn deliver(self: &Arc<Self>, delivery: Delivery) {
        let participant = self.participant(&delivery.to);
        let mut line = participant.line();
        if line.waiting >= WAITING_MAX || line.left_in_outbox_after.is_some() {
            match delivery.persistence.id() {
                Some(id) => {
                    let before = MessageId(id.0 - 1);
                    let place = line.left_in_outbox_after.map_or(before, |known| known.min(before));
                    line.left_in_outbox_after = Some(place);
                }
                None => {
                    tracing::warn!(to = %delivery.to, path = %delivery.head.path, "too many messages wait; this one is dropped");
                }
            }
            return;
        }
        drop(line);
        self.admit(participant, delivery);
    }

    /// Puts a message in its line, and sends it if it is the first of its payment.
    fn admit(self: &Arc<Self>, participant: Arc<Participant>, delivery: Delivery) {
        let joined = participant.line().join(delivery);
        self.metrics.waiting_messages.inc();
        self.metrics.waiting_messages.dec_by(i64::try_from(joined.left).unwrap_or(i64::MAX));
        joined.dropped.into_iter().for_each(|id| self.mark(Mark::Dropped(id)));
        if let Some(next) = joined.next {
            tokio::spawn(self.clone().run(participant, next));
        }
    }

    fn participant(&self, name: &FspId) -> Arc<Participant> {
        let mut participants = self.participants.lock().expect("the map is changed without panicking");
        let new = || Arc::new(Participant::new(self.connections_per_participant));
        participants.entry(name.clone()).or_insert_with(new).clone()
    }

    /// Sends the messages of one payment to one participant, one after the other.
    async fn run(self: Arc<Self>, participant: Arc<Participant>, first: Next) {
        let mut next = Some(first);
        while let Some(Next { delivery, superseded }) = next {
            let (key, to) = (delivery.payment_key, delivery.to.clone());
            self.send(&participant, delivery, &superseded).await;
            self.metrics.waiting_messages.dec();
            let left;
            (next, left) = participant.line().leave(key);
            if let Some(place) = left {
                self.fetch(&participant, &to, place).await;
            }
        }
    }

    /// Brings messages back that were left in the outbox. While this reads, new ones are left there too.
    async fn fetch(self: &Arc<Self>, participant: &Arc<Participant>, to: &FspId, mut after: MessageId) {
        let lock = || participant.line();
        loop {
            lock().left_in_outbox_after = Some(MessageId(i64::MAX));
            let messages = match self.store.waiting_messages(to.clone(), after, FETCH_MAX).await {
                Ok(messages) => messages,
                Err(error) => {
                    tracing::error!(%to, %error, "the outbox could not be read; it is read again");
                    tokio::time::sleep(PAUSE_FIRST).await;
                    continue;
                }
            };
            after = messages.last().map_or(after, |message| message.id);
            let has_messages = !messages.is_empty();
            let may_have_more = messages.len() == FETCH_MAX;
            for message in messages {
                self.admit_stored(participant, message);
            }
            let is_finished = {
                let mut line = lock();
                line.left_in_outbox_after = match line.left_in_outbox_after {
                    Some(MessageId(i64::MAX)) | None if !may_have_more => None,
                    Some(MessageId(i64::MAX)) | None => Some(after),
                    // With several writers a lower place may become visible after a higher one.
                    Some(place) => Some(place.min(after)),
                };
                line.left_in_outbox_after.is_none()
            };
            // What was admitted comes back here when it is done; where nothing was, this goes on until nothing is left.
            if has_messages || is_finished {
                return;
            }
        }
    }

    fn admit_stored(self: &Arc<Self>, participant: &Arc<Participant>, message: store::StoredMessage) {
        let (id, attempts) = (message.id, message.attempts);
        match Delivery::from_stored(message) {
            Some(delivery) => self.admit(participant.clone(), delivery),
            None => self.mark(Mark::Dead { id, attempts, error: "the message has an unknown form".to_owned() }),
        }
    }

    /// Takes over a message of the outbox, after a restart or from a node that is gone.
    pub fn deliver_stored(self: &Arc<Self>, message: store::StoredMessage) {
        let participant = self.participant(&message.message.to);
        self.admit_stored(&participant, message);
    }

    /// Tries one message until it is delivered, its time is up, or nobody needs it any more.
    async fn send(self: &Arc<Self>, participant: &Participant, mut delivery: Delivery, superseded: &Notify) {
        if matches!(delivery.persistence, Persistence::ReadBack(_)) && self.has_ended(&delivery).await {
            return self.dropped(&delivery);
        }
        let mut pause = PAUSE_FIRST;
        // Of what an earlier process tried nobody knows.
        let mut may_be_seen = matches!(delivery.persistence, Persistence::ReadBack(_));
        delivery.head = self.signer.sign(delivery.head, &delivery.body).await;
        loop {
            let left = until(delivery.until);
            let turn = tokio::select! {
                biased;
                () = superseded.notified() => return self.dropped(&delivery),
                turn = tokio::time::timeout(left, participant.connections.acquire()) => turn,
            };
            let failure = match turn {
                Ok(Ok(_connection)) => match self.attempt_noted(&delivery, left).await {
                    Attempt::Delivered(_) => return self.delivered(&delivery),
                    // An operator may still register where an outcome goes; everything else is too old by then.
                    Attempt::NoEndpoint(text) if !delivery.head.is_outcome() => {
                        let failure = self.no_endpoint(&delivery, &text);
                        return self.give_up(&delivery, &failure, may_be_seen).await;
                    }
                    Attempt::NoEndpoint(text) => self.no_endpoint(&delivery, &text),
                    Attempt::Unreached(failure) => failure,
                    Attempt::Failed(_, failure) => {
                        may_be_seen = true;
                        failure
                    }
                },
                Ok(Err(_closed)) => return,
                Err(_elapsed) => FspiopError::with_detail(
                    ErrorCode::DESTINATION_COMMUNICATION,
                    "The message waited too long for its turn",
                ),
            };
            delivery.attempts += 1;
            self.metrics.deliveries.get_or_create(&DeliveryLabels { outcome: "failed" }).inc();
            if until(delivery.until) <= pause {
                return self.give_up(&delivery, &failure, may_be_seen).await;
            }
            if let Some(id) = delivery.persistence.id() {
                let error = failure.description().to_owned();
                self.mark(Mark::Failed { id, attempts: delivery.attempts, error });
            }
            tokio::select! {
                biased;
                () = superseded.notified() => return self.dropped(&delivery),
                () = tokio::time::sleep(pause) => {}
            }
            if self.was_removed(&delivery).await || self.has_ended(&delivery).await {
                return self.dropped(&delivery);
            }
            pause = (pause * 3 / 2).min(PAUSE_MAX);
        }
    }

    /// Takes a message out of the outbox that nobody needs.
    fn dropped(&self, delivery: &Delivery) {
        self.metrics.deliveries.get_or_create(&DeliveryLabels { outcome: "superseded" }).inc();
        if let Some(id) = delivery.persistence.id() {
            self.mark(Mark::Dropped(id));
        }
    }

    /// Whether an operator has removed a message from the outbox while it was between two attempts.
    async fn was_removed(&self, delivery: &Delivery) -> bool {
        let Some(id) = delivery.persistence.id() else { return false };
        matches!(self.store.outbox_message(id).await, Ok(None))
    }

    /// Whether a message speaks of a transfer under way that has ended: perhaps decided at another node, or before a
    /// restart.
    async fn has_ended(&self, delivery: &Delivery) -> bool {
        // An answer to a question in memory is owed even so: its asker may be told nothing else.
        if delivery.head.purpose != Purpose::UnderWay || delivery.persistence == Persistence::InMemory {
            return false;
        }
        let Some(id) = journal::subject_of_delivery(delivery) else { return false };
        let is_conversion = delivery.head.path.starts_with("/fxTransfers");
        let kind = if is_conversion { SubjectKind::Conversion } else { SubjectKind::Transfer };
        match self.store.transfer(Subject { kind, id }).await {
            Ok(Some(known)) => !known.stage().is_pending(),
            // Who cannot read sends once more: the participant knows the transfer by its id.
            Ok(None) | Err(_) => false,
        }
    }

    async fn attempt_noted(&self, delivery: &Delivery, left: Duration) -> Attempt {
        if delivery.head.purpose == Purpose::Request {
            return self.carry_out(delivery).await;
        }
        let at = journal::now();
        let outcome = self.attempt(delivery, left).await;
        let answer = match &outcome {
            Attempt::Delivered(status) => (Some(*status), None),
            Attempt::NoEndpoint(text) => (None, Some(self.no_endpoint(delivery, text).code.number())),
            Attempt::Failed(status, failure) => (*status, Some(failure.code.number())),
            Attempt::Unreached(failure) => (None, Some(failure.code.number())),
        };
        self.journal.note_sent(at, delivery, answer);
        outcome
    }

    async fn carry_out(&self, delivery: &Delivery) -> Attempt {
        let requests = self.requests.get().expect("who carries out requests is said before the first of them");
        match requests.carry_out(delivery).await {
            Ok(()) => Attempt::Delivered(200),
            Err(failure) => Attempt::Failed(None, failure),
        }
    }

    async fn attempt(&self, delivery: &Delivery, left: Duration) -> Attempt {
        let head = &delivery.head;
        let view = self.directory.view();
        let Some(registered) = view.endpoint(&delivery.to, &head.endpoint) else {
            return Attempt::NoEndpoint(format!("no {} endpoint for DFSP {}", head.endpoint, delivery.to));
        };
        let Some(uri) = url_of(registered, head) else {
            return Attempt::NoEndpoint(format!("the {} endpoint of {} is no URL", head.endpoint, delivery.to));
        };
        let Ok(method) = Method::from_bytes(head.method.as_bytes()) else {
            return Attempt::NoEndpoint("the message has no method".to_owned());
        };
        let outgoing = Outgoing { method, uri, headers: headers_of(head), body: delivery.body.clone() };
        // Hubs send PATCH and take none: behind a proxy the participant's own hub has told it.
        let is_final_elsewhere =
            &*head.method == "PATCH" && view.participant(&delivery.to).is_some_and(|to| to.participant.is_proxy);
        match self.net.send(outgoing, left).await {
            Ok(answer) if answer.status.is_success() => Attempt::Delivered(answer.status.as_u16()),
            Ok(answer) if is_final_elsewhere && answer.status == StatusCode::NOT_IMPLEMENTED => {
                Attempt::Delivered(answer.status.as_u16())
            }
            Ok(answer) => Attempt::Failed(Some(answer.status.as_u16()), error_of(&answer)),
            Err(error @ NetError::Connect(_)) => Attempt::Unreached(unreachable(&error)),
            Err(error @ (NetError::Broken(_) | NetError::TimedOut(_))) => Attempt::Failed(None, unreachable(&error)),
        }
    }

    fn no_endpoint(&self, delivery: &Delivery, text: &str) -> FspiopError {
        let code = delivery.head.on_failure.as_ref().and_then(|complaint| code_of(complaint.no_endpoint_code));
        FspiopError::with_detail(code.unwrap_or(ErrorCode::DESTINATION_COMMUNICATION), text)
    }

    fn delivered(&self, delivery: &Delivery) {
        self.metrics.deliveries.get_or_create(&DeliveryLabels { outcome: "delivered" }).inc();
        if let Some(id) = delivery.persistence.id() {
            self.mark(Mark::Delivered(id));
        }
    }

    async fn give_up(self: &Arc<Self>, delivery: &Delivery, failure: &FspiopError, may_be_seen: bool) {
        self.metrics.deliveries.get_or_create(&DeliveryLabels { outcome: "given_up" }).inc();
        let head = &delivery.head;
        tracing::warn!(
            to = %delivery.to, method = %head.method, endpoint = %head.endpoint, attempts = delivery.attempts,
            error = failure.description(), "a message was given up"
        );
        if let Some(id) = delivery.persistence.id() {
            let error = failure.description().to_owned();
            let dead = Mark::Dead { id, attempts: delivery.attempts, error };
            // Only an outcome is still owed; a prepare is ended by its expiry, a quote by the complaint below.
            self.mark(if head.is_outcome() { dead } else { Mark::Dropped(id) });
        }
        let requests = self.requests.get().expect("who carries out requests is said before the first of them");
        if !may_be_seen && head.purpose == Purpose::UnderWay && &*head.method == "POST" {
            requests.not_sent(delivery);
        }
        if head.purpose == Purpose::Discovery && !requests.could_not_ask(delivery).await {
            return;
        }
        if let Some(complaint) = &head.on_failure
            && let Some(callback) = self.complain(complaint, &told(head, failure))
        {
            self.deliver(callback);
        }
    }

    /// The error callback to the sender of a message that could not be delivered.
    fn complain(&self, complaint: &Complaint, failure: &FspiopError) -> Option<Delivery> {
        let to: FspId = complaint.to.parse().ok()?;
        let hop = complaint.via.as_ref().map_or(Some(to.clone()), |via| via.parse().ok())?;
        let now = now();
        let path = format!("{}/error", complaint.path);
        let header = |name: &str, value: String| (Box::from(name), value.into_boxed_str());
        let head = Head {
            method: "PUT".into(),
            endpoint: complaint.endpoint.clone(),
            path: path.clone().into(),
            variables: complaint.variables.clone(),
            headers: vec![
                header("content-type", complaint.content_type.to_string()),
                header("date", now.http().to_string()),
                header("fspiop-source", self.hub_name.to_string()),
                header("fspiop-destination", to.to_string()),
                header("fspiop-http-method", "PUT".to_owned()),
                header("fspiop-uri", path),
            ],
            on_failure: None,
            purpose: Purpose::Other,
        };
        Some(Delivery {
            to: hop,
            payment_key: key_of(&complaint.path),
            head: Arc::new(head),
            body: failure.to_json().into(),
            until: now.plus_millis(COMPLAINT_MS),
            persistence: Persistence::InMemory,
            attempts: 0,
        })
    }

    fn mark(&self, mark: Mark) {
        self.marks.lock().expect("marks are pushed without panicking").push(mark);
    }
}

/// The order key of messages that belong to no payment: those of one path leave in order.
pub fn key_of(path: &str) -> [u8; 16] {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(path.as_bytes());
    digest[..16].try_into().expect("a digest has 32 bytes")
}

pub use crate::clock::now;

fn until(time: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(time.millis().saturating_sub(now().millis())).unwrap_or(0))
}

/// Where a message goes: a base URL with the canonical path, or a template with its placeholders filled.
fn url_of(registered: &str, head: &Head) -> Option<Uri> {
    let endpoint: EndpointType = head.endpoint.parse().ok()?;
    if endpoint.is_base() {
        return endpoint::join(registered, &head.path).parse().ok();
    }
    let variables: Vec<(&str, &str)> = head.variables.iter().map(|(name, value)| (&**name, &**value)).collect();
    endpoint::render(registered, &variables).ok()?.parse().ok()
}

/// Contract §1.11: an error object is adopted; 404 is 3200, another 4xx is 3000, anything else 1001.
pub fn error_of(answer: &Answer) -> FspiopError {
    if let Some(error) = FspiopError::from_json(&answer.body) {
        return error;
    }
    let status = answer.status;
    if status == StatusCode::NOT_FOUND {
        return FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "The peer answered 404");
    }
    if status.is_client_error() {
        return FspiopError::with_detail(
            ErrorCode::CLIENT_ERROR,
            format_args!("The peer answered {}", status.as_u16()),
        );
    }
    FspiopError::with_detail(ErrorCode::DESTINATION_COMMUNICATION, "Failed to send HTTP request to host")
}

/// Why a message could not be delivered, in the words for its sender. Of a look-up in other schemes it does not matter why
/// the last of them could not be asked.
fn told(head: &Head, failure: &FspiopError) -> FspiopError {
    if head.purpose == Purpose::Discovery {
        return FspiopError::with_detail(ErrorCode::ID_NOT_FOUND, "No successful proxy discovery responses");
    }
    failure.clone()
}

/// The error of a peer that could not be reached; what the connection said is for the log.
pub fn unreachable(error: &NetError) -> FspiopError {
    tracing::debug!(%error, "a peer could not be reached");
    FspiopError::with_detail(ErrorCode::DESTINATION_COMMUNICATION, "Failed to send HTTP request to host")
}

fn code_of(number: u16) -> Option<ErrorCode> {
    ErrorCode::parse(&number.to_string())
}
