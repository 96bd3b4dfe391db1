//! What arrives at the DFSPs' one listener: `/dfspNN/…` as provisioning registered it.
//!
//! Invariant: a message moves a payment on only if it came to the right DFSP of that payment. Whatever nobody waits for
//! is answered like any other message and counted.

use super::{
    engine::Engine,
    generator::Registrations,
    payment::{Payment, Stage},
};
use crate::{
    messages::id_in_body,
    scheme::parse_dfsp,
    wire::server::{Answer, Receiver, Request},
};
use std::{rc::Rc, sync::Arc};

const COMMITTED: &str = r#""COMMITTED""#;

/// Everything that hears on the listener.
pub struct Inbound {
    pub engine: Rc<Engine>,
    pub registrations: Arc<Registrations>,
}

/// Which side of the payment a message is for.
#[derive(Clone, Copy)]
enum Side {
    Payer,
    Payee,
}

/// A path without the DFSP's name.
struct Path<'a> {
    dfsp: u8,
    resource: &'a [u8],
    /// The last segment before `error`, the id for most resources.
    id: &'a [u8],
    is_error: bool,
}

impl Receiver for Inbound {
    fn receive(&self, request: &Request) -> Answer {
        let Some(path) = parse_path(request.path) else { return Answer::NotFound };
        match (request.method, path.resource, path.is_error) {
            (b"GET", b"parties", false) => self.hop(self.party(&path), &path, Step::PARTY),
            (b"PUT", b"parties", false) => self.hop(self.party(&path), &path, Step::QUOTE),
            (b"POST", b"quotes", false) => self.hop(self.id(id_in_body(request.body)), &path, Step::AGREEMENT),
            (b"PUT", b"quotes", false) => self.hop(self.id(Some(path.id)), &path, Step::PREPARE),
            (b"POST", b"transfers", false) => self.hop(self.id(id_in_body(request.body)), &path, Step::FULFIL),
            (b"PUT", b"transfers", _) => self.transfer_outcome(&path, request.body),
            (b"PATCH", b"transfers", false) => self.patch(&path, request.body),
            (b"PUT", b"participants", is_error) => self.registrations.count(is_error, request.body),
            (b"PUT", b"parties", true) => self.failure(self.party(&path), request),
            (b"PUT", b"quotes", true) => self.failure(self.id(Some(path.id)), request),
            _ => return Answer::NotFound,
        }
        match request.method {
            b"GET" | b"POST" => Answer::Accepted,
            _ => Answer::Ok,
        }
    }
}

/// Where a message takes a payment.
#[derive(Clone, Copy)]
struct Step {
    to_side: Side,
    from: Stage,
    to: Stage,
}

impl Step {
    const PARTY: Self = Self { to_side: Side::Payee, from: Stage::Lookup, to: Stage::Party };
    const QUOTE: Self = Self { to_side: Side::Payer, from: Stage::Party, to: Stage::Quote };
    const AGREEMENT: Self = Self { to_side: Side::Payee, from: Stage::Quote, to: Stage::Agreement };
    const PREPARE: Self = Self { to_side: Side::Payer, from: Stage::Agreement, to: Stage::Prepare };
    const FULFIL: Self = Self { to_side: Side::Payee, from: Stage::Prepare, to: Stage::Fulfil };
}

impl Inbound {
    fn party(&self, path: &Path) -> Option<u32> {
        self.engine.state.borrow().place_of_party(path.id)
    }

    fn id(&self, id: Option<&[u8]>) -> Option<u32> {
        self.engine.state.borrow().place_of_id(id?)
    }

    fn hop(&self, place: Option<u32>, path: &Path, step: Step) {
        let Some(place) = place else { return self.count_repeated() };
        if self.is_for(place, path.dfsp, step.to_side) {
            self.engine.advance(place, step.from, step.to);
        } else {
            self.engine.complain(|| format!("a message for the other DFSP of a payment came to DFSP {}", path.dfsp));
        }
    }

    /// `PUT /transfers/{ID}` and its error, for the payer; an answer to a check has the same form.
    fn transfer_outcome(&self, path: &Path, body: &[u8]) {
        if self.engine.check_outcome(path.id, !path.is_error && says(body, COMMITTED), body) {
            return;
        }
        let Some(place) = self.id(Some(path.id)) else { return self.count_repeated() };
        if !self.is_for(place, path.dfsp, Side::Payer) {
            return self.engine.fail(place, |_| quoted("the payee got PUT /transfers", body));
        }
        let has_fulfilment = says(body, &self.engine.agreement(place).fulfilment);
        if !path.is_error && has_fulfilment && says(body, COMMITTED) {
            self.engine.committed(place);
        } else {
            self.engine.fail(place, |_| quoted("the payer got PUT /transfers", body));
        }
    }

    fn patch(&self, path: &Path, body: &[u8]) {
        let Some(place) = self.id(Some(path.id)) else { return self.count_repeated() };
        if self.is_for(place, path.dfsp, Side::Payee) && says(body, COMMITTED) {
            self.engine.patched(place);
        } else {
            self.engine.fail(place, |_| quoted("a wrong PATCH /transfers came", body));
        }
    }

    fn failure(&self, place: Option<u32>, request: &Request) {
        let Some(place) = place else { return self.count_repeated() };
        self.engine.fail(place, |payment: &Payment| {
            let at = payment.stage.request();
            quoted(&format!("after {at} the payer got {}", String::from_utf8_lossy(request.path)), request.body)
        });
    }

    fn is_for(&self, place: u32, dfsp: u8, side: Side) -> bool {
        let mut state = self.engine.state.borrow_mut();
        let payment = state.payment(place);
        match side {
            Side::Payer => payment.payer == dfsp,
            Side::Payee => payment.payee.dfsp == dfsp,
        }
    }

    fn count_repeated(&self) {
        self.engine.state.borrow_mut().recorder.repeated_messages += 1;
    }
}

/// `/dfspNN/resource[/…/id][/error]`
fn parse_path(path: &[u8]) -> Option<Path<'_>> {
    let path = path.split(|byte| *byte == b'?').next()?;
    let mut segments = path.split(|byte| *byte == b'/').skip(1);
    let dfsp = parse_dfsp(segments.next()?)?;
    let resource = segments.next()?;
    let (mut id, mut is_error) = (&b""[..], false);
    for segment in segments {
        if segment == b"error" {
            is_error = true;
        } else {
            id = segment;
        }
    }
    Some(Path { dfsp, resource, id, is_error })
}

fn says(body: &[u8], text: &str) -> bool {
    str::from_utf8(body).is_ok_and(|body| body.contains(text))
}

fn quoted(what: &str, body: &[u8]) -> String {
    format!("{what}: {}", String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_dfsp_resource_id_and_outcome() {
        let parsed = |path: &'static str| {
            let path = parse_path(path.as_bytes())?;
            Some((path.dfsp, str::from_utf8(path.resource).unwrap(), str::from_utf8(path.id).unwrap(), path.is_error))
        };
        assert_eq!(parsed("/dfsp07/parties/MSISDN/25570"), Some((7, "parties", "25570", false)));
        assert_eq!(parsed("/dfsp07/parties/MSISDN/25570/error"), Some((7, "parties", "25570", true)));
        assert_eq!(parsed("/dfsp00/transfers"), Some((0, "transfers", "", false)));
        assert_eq!(parsed("/dfsp00/transfers/abc?x=y"), Some((0, "transfers", "abc", false)));
        assert_eq!(parsed("/bank/transfers/abc"), None);
        assert_eq!(parsed("/dfsp00"), None);
    }
}
