//! What arrives at the DFSPs: heard by the payer or the payee, remembered, and answered.
//!
//! Invariant: a message is answered with 2xx only after it was noted, so that a hub that repeats what was not answered
//! loses nothing.

use super::{
    payee::{self, Correspondents},
    world::{Expected, IsNew, Outcome, World, note},
};
use crate::{
    random::Id,
    scheme::{Party, parse_dfsp},
    wire::server::{Answer, Receiver, Request},
};
use serde_json::Value;
use std::rc::Rc;
use tokio::task;

pub struct Inbound(pub Rc<World>);

/// Codes with which the hub would say that it holds another content for the same id: never true here.
const MODIFIED_REQUEST: &str = "3106";

impl Receiver for Inbound {
    fn receive(&self, request: &Request) -> Answer {
        let path = String::from_utf8_lossy(request.path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let Some(dfsp) = segments.first().and_then(|name| parse_dfsp(name.as_bytes())) else { return Answer::NotFound };
        let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
        match (request.method, &segments[1..]) {
            (b"GET", ["parties", _, msisdn]) => self.lookup(dfsp, msisdn, request),
            (b"PUT", ["parties", _, msisdn]) => self.party(dfsp, msisdn),
            (b"POST", ["quotes"]) => self.with_payer(dfsp, request, |world, between| {
                task::spawn_local(payee::answer_quote(world, between, body));
            }),
            (b"PUT", ["quotes", id]) => self.agreement(id),
            (b"POST", ["transfers"]) => self.with_payer(dfsp, request, |world, between| {
                task::spawn_local(payee::answer_transfer(world, between, body));
            }),
            (b"PUT" | b"PATCH", ["transfers", id]) => self.state(dfsp, id, &body),
            (b"PUT", ["transfers", id, "error"]) => self.failure(dfsp, id, &body),
            (b"PUT", ["participants", _, _]) => self.0.registered.set(self.0.registered.get() + 1),
            // Whoever asked asks again.
            (b"PUT", ["parties", _, _, "error"] | ["quotes", _, "error"]) => {}
            (b"PUT", ["participants", ..]) => self.0.breach(format!("a registration was refused: {body}")),
            _ => return Answer::NotFound,
        }
        self.0.change();
        match request.method {
            b"GET" | b"POST" => Answer::Accepted,
            _ => Answer::Ok,
        }
    }
}

impl Inbound {
    fn lookup(&self, dfsp: u8, msisdn: &str, request: &Request) {
        let Some(party) = Party::parse(msisdn.as_bytes()) else {
            return self.0.breach(format!("a lookup came for {msisdn}, which nobody asked for"));
        };
        self.with_payer(dfsp, request, |world, between| {
            task::spawn_local(payee::answer_lookup(world, between, party));
        });
    }

    fn with_payer(&self, payee: u8, request: &Request, then: impl FnOnce(Rc<World>, Correspondents)) {
        match request.header("fspiop-source").and_then(|name| parse_dfsp(name.as_bytes())) {
            Some(payer) => then(Rc::clone(&self.0), Correspondents { payer, payee }),
            None => self.0.breach(format!("{} came without its sender", String::from_utf8_lossy(request.path))),
        }
    }

    fn party(&self, payer: u8, msisdn: &str) {
        if let Ok(msisdn) = msisdn.as_bytes().try_into() {
            self.0.arrived(Expected::Party { payer, msisdn });
        }
    }

    fn agreement(&self, id: &str) {
        if let Some(quote) = Id::parse(id.as_bytes()) {
            self.0.arrived(Expected::Agreement(quote));
        }
    }

    /// `PUT` to a payer, `PATCH` or `PUT` to a payee: what has become of a transfer.
    fn state(&self, dfsp: u8, id: &str, body: &Value) {
        let outcome = match body["transferState"].as_str() {
            Some("COMMITTED") => Outcome::Committed,
            Some("ABORTED") => Outcome::Aborted,
            _ => Outcome::Pending,
        };
        self.hear(dfsp, id, outcome, body);
    }

    fn failure(&self, dfsp: u8, id: &str, body: &Value) {
        let code = body["errorInformation"]["errorCode"].as_str().unwrap_or_default();
        if code == MODIFIED_REQUEST {
            self.0.breach(format!("the hub takes a repetition of transfer {id} for another content"));
        }
        let is_unknown = self.0.is_asking.get() && code == "3208";
        self.hear(dfsp, id, if is_unknown { Outcome::Unknown } else { Outcome::Aborted }, body);
    }

    fn hear(&self, dfsp: u8, id: &str, outcome: Outcome, body: &Value) {
        let Some(id) = Id::parse(id.as_bytes()) else { return self.0.breach(format!("{id} is not a transfer's id")) };
        let mut payers = self.0.payers.borrow_mut();
        let Some(payer_view) = payers.get_mut(&id) else {
            return self.0.breach("an outcome came for a transfer that nobody sent".to_owned());
        };
        if self.0.is_asking.get() && dfsp == payer_view.payer {
            self.0.hub_states.borrow_mut().insert(id, outcome);
            return;
        }
        if outcome == Outcome::Pending {
            return;
        }
        let mut payees = self.0.payees.borrow_mut();
        let (side, known) = if dfsp == payer_view.payer {
            ("payer", &mut payer_view.outcome)
        } else {
            ("payee", &mut payees.entry(id).or_default().outcome)
        };
        match note(known, outcome) {
            Ok(IsNew::Yes) => {}
            Ok(IsNew::No) => self.0.count_repeated(),
            Err(before) => {
                let id = String::from_utf8_lossy(&id.text()).into_owned();
                self.0.breach(format!("the {side} of {id} was told {before:?} and then {outcome:?}: {body}"));
            }
        }
    }
}
