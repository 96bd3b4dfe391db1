//! Requests that are acknowledged before they are carried out, because somebody outside the hub has to be asked: changes
//! of what oracles hold.
//!
//! Invariant: such a request lies in the outbox, as it came, before it is acknowledged, and leaves it after its answer has
//! been put there. After a crash it is carried out again, which whoever carries it out has to allow for. Requests about
//! one thing are carried out in their order, and those to one oracle wait for no other.

use super::{Inbound, Refusal, discovery, participants};
use crate::{
    Hub,
    callbacks::{Carried, Requests, Told, key_of, now},
    journal,
    outbound::{Delivery, Head, Persistence, Purpose},
    render,
    signing::headers_of,
    ways::Ways,
};
use fspiop::{ErrorCode, FspiopError, Operation};
use http::Method;
use hub_core::{
    Command, Subject,
    transfers::{Expire, Stage},
};
use std::sync::{Arc, Weak};
use vocabulary::FspId;

/// Until when an acknowledged request is begun: longer than a hub is down.
const REQUEST_MS: i64 = 24 * 3_600_000;
/// How long its answer is tried: longer than a hub needs to start again.
const ANSWER_MS: i64 = 60_000;

/// Whose line in the outbox a request joins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Of the oracle with this id.
    Oracle(i64),
    /// Of requests that may concern several oracles.
    Several,
}

/// A request as it comes back out of the outbox.
pub struct Repeated {
    pub inbound: Inbound,
    pub operation: Operation,
    pub query: Option<String>,
    /// Whether it may have been carried out before.
    pub is_again: bool,
}

/// Carries out what [`put_off`] has put into the outbox.
pub struct CarryOut(Weak<Hub>);

/// Puts a request into the outbox; returns when it is durable.
pub async fn put_off(hub: &Hub, inbound: &Inbound, line: Line, query: Option<&str>) -> Result<(), Refusal> {
    let head = Head {
        method: inbound.method.as_str().into(),
        endpoint: "".into(),
        path: query.map_or_else(|| inbound.uri.clone(), |query| format!("{}?{query}", inbound.uri)).into(),
        variables: Vec::new(),
        headers: render::pairs_of(&inbound.headers),
        on_failure: None,
        purpose: Purpose::Request,
    };
    let delivery = Delivery {
        to: line.name(),
        payment_key: key_of(&inbound.uri),
        head: Arc::new(head),
        body: inbound.body.clone(),
        until: now().plus_millis(REQUEST_MS),
        persistence: Persistence::InMemory,
        attempts: 0,
    };
    Ok(hub.sequencer().relay(delivery).await?)
}

impl Line {
    /// A name that no participant can have: theirs have at most 30 characters.
    fn name(self) -> FspId {
        let number = match self {
            Self::Oracle(id) => id.rem_euclid(1_000_000_000),
            Self::Several => 0,
        };
        format!("requests to oracle no. {number:09}").parse().expect("a name of 32 characters")
    }
}

impl CarryOut {
    pub fn new(hub: &Arc<Hub>) -> Box<Self> {
        Box::new(Self(Arc::downgrade(hub)))
    }

    async fn carry_out(&self, delivery: &Delivery) -> Result<(), FspiopError> {
        let unavailable = |what: &dyn std::fmt::Display| FspiopError::with_detail(ErrorCode::SERVICE_UNAVAILABLE, what);
        let hub = self.0.upgrade().ok_or_else(|| unavailable(&"the hub is stopping"))?;
        let repeated = match repeated(delivery) {
            Ok(repeated) => repeated,
            Err(error) => {
                tracing::error!(%error, "a request in the outbox is none that this program accepts; it is dropped");
                return Ok(());
            }
        };
        let Some(answer) = participants::carry_out(&hub, repeated).await.map_err(|reason| unavailable(&reason))? else {
            return Ok(());
        };
        let until = now().plus_millis(ANSWER_MS);
        hub.sequencer().relay(Delivery { until, ..answer }).await.map_err(|reason| unavailable(&reason))
    }
}

impl Requests for CarryOut {
    fn carry_out<'a>(&'a self, delivery: &'a Delivery) -> Carried<'a> {
        Box::pin(self.carry_out(delivery))
    }

    fn could_not_ask<'a>(&'a self, delivery: &'a Delivery) -> Told<'a> {
        Box::pin(async {
            match self.0.upgrade() {
                Some(hub) => discovery::could_not_ask(&hub, delivery).await,
                None => false,
            }
        })
    }

    /// Only of a forwarded payment anything changes.
    fn not_sent(&self, delivery: &Delivery) {
        let Some((hub, id)) = self.0.upgrade().zip(journal::subject_of_delivery(delivery)) else { return };
        let is_conversion = delivery.head.path.starts_with("/fxTransfers");
        let subject = if is_conversion { Subject::conversion(id) } else { Subject::transfer(id) };
        tokio::spawn(async move {
            match hub.store().transfer(subject).await {
                Ok(Some(known)) if known.stage() == Stage::Forwarded => {
                    let command = Expire { subject, payment: known.payment() };
                    if let Err(error) = hub.sequencer().decide(Command::NotForwarded(command), None).await {
                        tracing::warn!(%id, %error, "a payment that was not forwarded waits for the other scheme's word");
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%id, %error, "a payment that was not forwarded could not be read"),
            }
        });
    }
}

/// What passed every check when it came passes them again.
fn repeated(delivery: &Delivery) -> Result<Repeated, FspiopError> {
    let head = &delivery.head;
    let (path, query) = head.path.split_once('?').map_or((&*head.path, None), |(path, query)| (path, Some(query)));
    let malformed = |_| FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "the method is none");
    let method = Method::from_bytes(head.method.as_bytes()).map_err(malformed)?;
    let route = fspiop::route(&method, path)?;
    let headers = headers_of(head);
    let envelope = fspiop::check_headers(&route, &headers)?;
    let resource = route.resource();
    let operation = route.operation(query)?;
    let (uri, body) = (operation.uri(), delivery.body.clone());
    let (ways, mentioned) = (Ways::default(), Arc::default());
    let inbound = Inbound { method, uri, resource, headers, body, envelope, ways, mentioned };
    let is_again = delivery.attempts > 0 || matches!(delivery.persistence, Persistence::ReadBack(_));
    Ok(Repeated { inbound, operation, query: query.map(str::to_owned), is_again })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_oracle_is_named_like_no_participant() {
        for (line, name) in [
            (Line::Oracle(7), "requests to oracle no. 000000007"),
            (Line::Several, "requests to oracle no. 000000000"),
            (Line::Oracle(i64::MAX), "requests to oracle no. 854775807"),
        ] {
            assert_eq!(line.name().as_str(), name);
            assert!(name.len() > 30);
        }
    }
}
