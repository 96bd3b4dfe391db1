//! Load for a DFSP's adapter: a stand-in hub that answers at once, and a stand-in core that pays or is paid.
//!
//! Invariant: a payment counts only when its core knows that it is done: as the payer's, with `COMPLETED`; as the payee's, with
//! the hub's last word. Latencies and counts are of the measured window.

use crate::{
    histogram::Histogram,
    process::{processor_time, thread_processor_time},
    wire::{
        pool::{self, Queue, Response, Sender},
        server::{self, Answer, Receiver, Request},
        stream::Target,
    },
};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::oneshot,
    task::{self, LocalSet},
    time::sleep,
};

/// Name of the adapter's DFSP.
pub const DFSP: &str = "bench";
const PEER: &str = "other";
const DRAIN_MAX: Duration = Duration::from_secs(10);
const DRAIN_POLL: Duration = Duration::from_millis(5);
/// Requests of the stand-in hub under way at a time, for each payment at a time.
const CONNECTIONS_PER_PAYMENT: usize = 2;
const DATE: &str = "Fri, 20 Nov 2026 21:53:58 GMT";
/// Thirty-two zeros, and their hash.
const FULFILMENT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const CONDITION: &str = "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU";
const PACKET: &str =
    "AYIBgQAAAAAAAASwNGxldmVsb25lLmRmc3AxLm1lci45T2RTOF81MDdqUUZERmZlakgyOVc4bXFmNEpLMHlGTFGCAUBQU0svMS4w";
const COMPLETED: &str = "2026-11-20T21:53:58.000Z";
const PAYER: &str = "254700000001";
const EXPIRATION: &str = "2099-01-01T00:00:00.000Z";

/// Which side of the payments the adapter is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Payer,
    Payee,
}

/// A hub and a core that wait for a run.
pub struct Adapting {
    listeners: [TcpListener; 2],
    pub hub: SocketAddr,
    pub core: SocketAddr,
}

/// Where the adapter listens.
#[derive(Clone, Copy, Debug)]
pub struct Adapter {
    pub inbound: SocketAddr,
    pub outbound: SocketAddr,
    pub pid: u32,
}

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub side: Side,
    /// Payments under way at a time.
    pub concurrency: usize,
    pub warm_up: Duration,
    pub measured: Duration,
}

/// What a run saw.
pub struct Measurement {
    pub payments: u64,
    pub elapsed: Duration,
    /// From the first message about a payment to the last.
    pub latency: Histogram,
    /// Processor time of the adapter in the window, if there is a `/proc`.
    pub adapter_cpu: Option<Duration>,
    pub generator_cpu: Duration,
    pub errors: u64,
    pub first_error: Option<String>,
}

/// A message of the hub or of the core to the adapter, about the payment of a slot.
#[derive(Clone, Copy, Debug)]
enum Job {
    /// The core pays.
    Pay(usize),
    Find(usize),
    Party(usize),
    AskTerms(usize),
    Terms(usize),
    Prepare(usize),
    Fulfil(usize),
    LastWord(usize),
}

/// The payment that is under way in a slot.
struct Slot {
    id: String,
    quote: String,
    begun: Instant,
    packet: String,
    condition: String,
}

struct Load {
    side: Side,
    to_inbound: Rc<Queue<Job>>,
    to_outbound: Rc<Queue<Job>>,
    slots: RefCell<Vec<Slot>>,
    begun: Cell<u64>,
    window: Cell<Option<(Instant, Instant)>>,
    goes_on: Cell<bool>,
    under_way: Cell<usize>,
    counted: Cell<u64>,
    latency: RefCell<Histogram>,
    errors: Cell<u64>,
    first_error: RefCell<Option<String>>,
}

/// The two listeners hear different things.
struct Hub(Rc<Load>);
struct Core(Rc<Load>);

impl Adapting {
    /// Opens the listeners of hub and core on free loopback ports.
    pub fn listen() -> io::Result<Self> {
        let open = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>(listener)
        };
        let listeners = [open()?, open()?];
        let [hub, core] = [listeners[0].local_addr()?, listeners[1].local_addr()?];
        Ok(Self { listeners, hub, core })
    }

    /// Loads the adapter from a thread of its own.
    pub async fn run(self, adapter: Adapter, options: Options) -> io::Result<Measurement> {
        let (reply, answer) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("generator".to_owned()).spawn(move || {
            // Whoever asked may have gone away.
            drop(reply.send(LocalSet::new().block_on(&runtime, self.load(adapter, options))));
        })?;
        answer.await.map_err(|_| io::Error::other("the generator's thread has ended"))?
    }

    async fn load(self, adapter: Adapter, options: Options) -> io::Result<Measurement> {
        let load = Rc::new(Load::new(&options));
        let [hub, core] = self.listeners;
        task::spawn_local(server::serve(tokio::net::TcpListener::from_std(hub)?, None, Rc::new(Hub(Rc::clone(&load)))));
        task::spawn_local(server::serve(
            tokio::net::TcpListener::from_std(core)?,
            None,
            Rc::new(Core(Rc::clone(&load))),
        ));
        let [inbound, outbound] = [adapter.inbound, adapter.outbound].map(Target::plain);
        pool::spawn(&inbound, options.concurrency * CONNECTIONS_PER_PAYMENT, &load.to_inbound, &load);
        pool::spawn(&outbound, options.concurrency, &load.to_outbound, &load);
        for slot in 0..options.concurrency {
            load.begin(slot);
        }
        sleep(options.warm_up).await;
        let (from, usage) = (Instant::now(), (processor_time(adapter.pid), thread_processor_time()));
        load.window.set(Some((from, from + options.measured)));
        sleep(options.measured).await;
        let (elapsed, after) = (from.elapsed(), (processor_time(adapter.pid), thread_processor_time()));
        load.goes_on.set(false);
        let drained = async {
            while load.under_way.get() > 0 {
                sleep(DRAIN_POLL).await;
            }
        };
        if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
            load.complain(format!("{} payments did not end", load.under_way.get()));
        }
        Ok(Measurement {
            payments: load.counted.get(),
            elapsed,
            latency: load.latency.borrow().clone(),
            adapter_cpu: after.0.zip(usage.0).map(|(after, before)| after.saturating_sub(before)),
            generator_cpu: after.1.saturating_sub(usage.1),
            errors: load.errors.get(),
            first_error: load.first_error.take(),
        })
    }
}

impl Load {
    fn new(options: &Options) -> Self {
        let slot = || Slot {
            id: String::new(),
            quote: String::new(),
            begun: Instant::now(),
            packet: String::new(),
            condition: String::new(),
        };
        Self {
            side: options.side,
            to_inbound: Rc::default(),
            to_outbound: Rc::default(),
            slots: RefCell::new((0..options.concurrency).map(|_| slot()).collect()),
            begun: Cell::new(0),
            window: Cell::new(None),
            goes_on: Cell::new(true),
            under_way: Cell::new(options.concurrency),
            counted: Cell::new(0),
            latency: RefCell::default(),
            errors: Cell::new(0),
            first_error: RefCell::default(),
        }
    }

    /// A new payment in a slot. Its id says which slot that is; its customers are its own, as most people's are.
    fn begin(&self, slot: usize) {
        let number = self.begun.get();
        self.begun.set(number + 1);
        let id = format!("{slot:08x}-0000-4000-8000-{number:012x}");
        let mut slots = self.slots.borrow_mut();
        slots[slot].begun = Instant::now();
        slots[slot].quote.clone_from(&id);
        slots[slot].id = id;
        match self.side {
            Side::Payer => self.to_outbound.push(Job::Pay(slot)),
            Side::Payee => self.to_inbound.push(Job::Find(slot)),
        }
    }

    fn end(&self, slot: usize) {
        let (now, begun) = (Instant::now(), self.slots.borrow()[slot].begun);
        if self.window.get().is_some_and(|(from, to)| (from..to).contains(&now)) {
            self.counted.set(self.counted.get() + 1);
            self.latency.borrow_mut().record(now - begun);
        }
        self.go_on(slot);
    }

    fn fail(&self, slot: usize, what: String) {
        self.complain(what);
        self.go_on(slot);
    }

    fn go_on(&self, slot: usize) {
        if self.goes_on.get() {
            self.begin(slot);
        } else {
            self.under_way.set(self.under_way.get() - 1);
        }
    }

    fn complain(&self, what: String) {
        self.errors.set(self.errors.get() + 1);
        self.first_error.borrow_mut().get_or_insert(what);
    }

    /// What the adapter sends as a request of a payer, or as an answer of a payee.
    fn hear(&self, request: &Request) -> Option<Answer> {
        let path = str::from_utf8(request.path).ok()?;
        let mut segments = path.trim_start_matches('/').split('/');
        let (resource, name) = (segments.next()?, segments.next());
        let member = |name: &str| member(request.body, name);
        Some(match (request.method, resource) {
            (b"GET", "parties") => self.then(slot_of_party(segments.next()?)?, Job::Party),
            (b"POST", "quotes") => {
                let slot = slot_of(member("transactionId")?)?;
                self.slots.borrow_mut().get_mut(slot)?.quote = member("quoteId")?.to_owned();
                self.then(slot, Job::Terms)
            }
            (b"POST", "transfers") => self.then(slot_of(member("transferId")?)?, Job::Fulfil),
            (b"PUT", "parties") => self.then_ok(slot_of_party(segments.next()?)?, Job::AskTerms),
            (b"PUT", "quotes") => {
                let slot = slot_of(name?)?;
                {
                    let mut slots = self.slots.borrow_mut();
                    slots.get_mut(slot)?.packet = member("ilpPacket")?.to_owned();
                    slots.get_mut(slot)?.condition = member("condition")?.to_owned();
                }
                self.then_ok(slot, Job::Prepare)
            }
            (b"PUT", "transfers") if member("fulfilment").is_some() => self.then_ok(slot_of(name?)?, Job::LastWord),
            (_, _) => return None,
        })
    }

    fn then(&self, slot: usize, job: fn(usize) -> Job) -> Answer {
        self.to_inbound.push(job(slot));
        Answer::Accepted
    }

    fn then_ok(&self, slot: usize, job: fn(usize) -> Job) -> Answer {
        self.then(slot, job);
        Answer::Ok
    }

    /// What the core is asked, or told at the end.
    fn asked(&self, request: &Request) -> Option<Answer> {
        let path = str::from_utf8(request.path).ok()?;
        let mut segments = path.trim_start_matches('/').split('/');
        let (resource, name) = (segments.next()?, segments.next());
        let answer = match (request.method, resource) {
            (b"GET", "parties") => json!({"idType": "MSISDN", "idValue": segments.next()?, "displayName": "Ana Diaz",
                "firstName": "Ana", "lastName": "Diaz"}),
            (b"POST", "quoterequests") => json!({
                "quoteId": member(request.body, "quoteId")?, "transactionId": member(request.body, "transactionId")?,
                "transferAmount": "10", "transferAmountCurrency": "KES", "payeeFspFeeAmount": "1",
                "payeeFspFeeAmountCurrency": "KES",
            }),
            (b"POST", "transfers") => json!({"homeTransactionId": "home-of-the-payee"}),
            (b"PUT", "transfers") => {
                self.end(slot_of(name?)?);
                return Some(Answer::Ok);
            }
            (_, _) => return None,
        };
        Some(Answer::Json(answer.to_string().into()))
    }

    fn unexpected(&self, request: &Request) -> Answer {
        let line = [request.method, b" ", request.path].concat();
        let body: String = String::from_utf8_lossy(request.body).chars().take(200).collect();
        self.complain(format!("unexpected: {} {body}", String::from_utf8_lossy(&line)));
        Answer::NotFound
    }

    /// Method, path and body.
    fn message(&self, job: Job) -> (&'static str, String, Option<Value>) {
        let slots = self.slots.borrow();
        let (Job::Pay(slot)
        | Job::Find(slot)
        | Job::Party(slot)
        | Job::AskTerms(slot)
        | Job::Terms(slot)
        | Job::Prepare(slot)
        | Job::Fulfil(slot)
        | Job::LastWord(slot)) = job;
        let msisdn = msisdn(slot);
        let slot = &slots[slot];
        let (method, path) = match job {
            Job::Pay(_) | Job::Prepare(_) => ("POST", "/transfers".to_owned()),
            Job::AskTerms(_) => ("POST", "/quotes".to_owned()),
            Job::Find(_) => ("GET", format!("/parties/MSISDN/{msisdn}")),
            Job::Party(_) => ("PUT", format!("/parties/MSISDN/{msisdn}")),
            Job::Terms(_) => ("PUT", format!("/quotes/{}", slot.quote)),
            Job::Fulfil(_) => ("PUT", format!("/transfers/{}", slot.id)),
            Job::LastWord(_) => ("PATCH", format!("/transfers/{}", slot.id)),
        };
        (method, path, slot.body(job, &msisdn))
    }
}

impl Slot {
    fn body(&self, job: Job, msisdn: &str) -> Option<Value> {
        let Self { id, quote, packet, condition, .. } = self;
        let amount = json!({"amount": "10", "currency": "KES"});
        let info = |fsp: &str, id: &str| json!({"partyIdType": "MSISDN", "partyIdentifier": id, "fspId": fsp});
        Some(match job {
            Job::Find(_) => return None,
            Job::Pay(_) => json!({
                "homeTransactionId": "home-of-the-payer", "transferId": id,
                "from": {"idType": "MSISDN", "idValue": PAYER, "displayName": "Bob"},
                "to": {"idType": "MSISDN", "idValue": msisdn}, "amountType": "SEND", "currency": "KES", "amount": "10",
                "transactionType": "TRANSFER", "note": "rent",
            }),
            Job::Party(_) => json!({"party": {
                "partyIdInfo": info(PEER, msisdn), "name": "Ana Diaz",
                "personalInfo": {"complexName": {"firstName": "Ana", "lastName": "Diaz"}},
            }}),
            Job::AskTerms(_) => json!({
                "quoteId": quote, "transactionId": id, "amountType": "SEND", "amount": amount,
                "payer": {"partyIdInfo": info(PEER, PAYER), "name": "Bob"},
                "payee": {"partyIdInfo": info(DFSP, msisdn), "name": "Ana Diaz"}, "expiration": EXPIRATION,
                "note": "rent",
                "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
            }),
            Job::Terms(_) => json!({
                "transferAmount": amount, "payeeFspFee": {"amount": "1", "currency": "KES"}, "expiration": EXPIRATION,
                "ilpPacket": PACKET, "condition": CONDITION,
            }),
            Job::Prepare(_) => json!({
                "transferId": id, "payerFsp": PEER, "payeeFsp": DFSP, "amount": amount, "ilpPacket": packet,
                "condition": condition, "expiration": EXPIRATION,
            }),
            Job::Fulfil(_) => json!({
                "completedTimestamp": COMPLETED, "transferState": "COMMITTED", "fulfilment": FULFILMENT,
            }),
            Job::LastWord(_) => json!({"completedTimestamp": COMPLETED, "transferState": "COMMITTED"}),
        })
    }
}

impl Sender for Load {
    type Job = Job;

    fn render(&self, job: Job, out: &mut Vec<u8>) -> bool {
        let (method, path, body) = self.message(job);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = match job {
            Job::Pay(_) => "content-type: application/json\r\n".to_owned(),
            Job::Find(_)
            | Job::Party(_)
            | Job::AskTerms(_)
            | Job::Terms(_)
            | Job::Prepare(_)
            | Job::Fulfil(_)
            | Job::LastWord(_) => scheme_headers(method, &path),
        };
        let length = body.len();
        let text = format!("{method} {path} HTTP/1.1\r\nhost: adapter\r\n{head}content-length: {length}\r\n\r\n{body}");
        out.extend_from_slice(text.as_bytes());
        true
    }

    fn answered(&self, job: Job, response: Result<Response, io::Error>) {
        let (is_good, status) = match &response {
            Ok(response) => (matches!(response.status, 200 | 202), response.status.to_string()),
            Err(error) => (false, error.to_string()),
        };
        if let Job::Pay(slot) = job {
            let state = response.as_ref().ok().and_then(|response| member(response.body, "currentState"));
            match state {
                Some("COMPLETED") if is_good => self.end(slot),
                Some(_) | None => self.fail(slot, format!("a payment was answered {status}, {state:?}")),
            }
        } else if !is_good {
            // Its payment does not end by itself.
            self.complain(format!("{job:?} was answered {status}"));
        }
    }
}

impl Receiver for Hub {
    fn receive(&self, request: &Request) -> Answer {
        self.0.hear(request).unwrap_or_else(|| self.0.unexpected(request))
    }
}

impl Receiver for Core {
    fn receive(&self, request: &Request) -> Answer {
        self.0.asked(request).unwrap_or_else(|| self.0.unexpected(request))
    }
}

fn scheme_headers(method: &str, path: &str) -> String {
    let resource = path.split('/').nth(1).unwrap_or_default();
    let media_type = format!("application/vnd.interoperability.{resource}+json;version=1.1");
    let accept = if matches!(method, "GET" | "POST") { format!("accept: {media_type}\r\n") } else { String::new() };
    format!(
        "content-type: {media_type}\r\n{accept}date: {DATE}\r\nfspiop-source: {PEER}\r\nfspiop-destination: {DFSP}\r\n"
    )
}

/// Whom a slot's payments are for.
fn msisdn(slot: usize) -> String {
    format!("2547{slot:08}")
}

fn slot_of_party(id: &str) -> Option<usize> {
    id.strip_prefix("2547")?.parse().ok()
}

fn slot_of(id: &str) -> Option<usize> {
    usize::from_str_radix(id.get(..8)?, 16).ok()
}

/// The text of a member, wherever it is. Good enough for bodies whose texts have no quotation marks.
fn member<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = str::from_utf8(body).ok()?;
    let from = text.find(&format!("\"{name}\":\""))? + name.len() + 4;
    text[from..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_slot() {
        let options =
            Options { side: Side::Payer, concurrency: 300, warm_up: Duration::ZERO, measured: Duration::ZERO };
        let load = Load::new(&options);
        load.begin(299);
        assert_eq!(slot_of(&load.slots.borrow()[299].id), Some(299));
        assert_eq!(slot_of_party(&msisdn(299)), Some(299));
        assert_eq!((slot_of("zz"), slot_of_party("1")), (None, None));
    }

    #[test]
    fn members_are_found_where_they_are() {
        let body = br#"{"a":{"quoteId":"7"},"note":"x"}"#;
        assert_eq!((member(body, "quoteId"), member(body, "other")), (Some("7"), None));
    }
}
