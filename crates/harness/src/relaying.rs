//! Load for a proxy adapter: callers on both sides, and two hubs that look at what arrives and accept it.
//!
//! Invariant: a message counts only if it was answered 202, and each that a hub takes has the body that was sent and the
//! adapter's name. Latencies and counts are of the measured window.

use crate::{
    histogram::Histogram,
    process::{processor_time, thread_processor_time},
    wire::{
        pool::{self, Queue, Response, Sender},
        server::{self, Answer, Receiver, Request},
        stream::Target,
    },
};
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

/// Answers that a run waits for at most, so that none has no end.
pub const MESSAGES_MAX: u64 = 20_000_000;
const DRAIN_MAX: Duration = Duration::from_secs(10);
const DRAIN_POLL: Duration = Duration::from_millis(5);

/// Two hubs that wait for a run.
pub struct Relaying {
    listeners: [TcpListener; 2],
    hubs: [SocketAddr; 2],
}

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Messages under way at a time, each on a connection of its own, half of them in each direction.
    pub concurrency: usize,
    pub body_bytes: usize,
    pub warm_up: Duration,
    pub measured: Duration,
    /// The adapter's process.
    pub pid: u32,
}

/// What a run saw.
pub struct Measurement {
    pub messages: u64,
    pub elapsed: Duration,
    /// From the first byte sent to the last byte of the answer.
    pub latency: Histogram,
    /// Processor time of the adapter in the window, if there is a `/proc`.
    pub adapter_cpu: Option<Duration>,
    pub generator_cpu: Duration,
    /// Messages that were not answered 202, or arrived as something else.
    pub errors: u64,
    pub first_error: Option<String>,
}

/// One of the messages under way: which, and to which listener.
#[derive(Clone, Copy)]
struct Job {
    slot: usize,
    side: usize,
}

struct Load {
    request: Vec<u8>,
    body: Vec<u8>,
    queues: [Rc<Queue<Job>>; 2],
    begun: RefCell<Vec<Instant>>,
    window: Cell<Option<(Instant, Instant)>>,
    goes_on: Cell<bool>,
    under_way: Cell<usize>,
    answered: Cell<u64>,
    counted: Cell<u64>,
    latency: RefCell<Histogram>,
    errors: Cell<u64>,
    first_error: RefCell<Option<String>>,
}

impl Relaying {
    /// Opens the hubs' listeners on free loopback ports.
    pub fn listen() -> io::Result<Self> {
        let open = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>(listener)
        };
        let listeners = [open()?, open()?];
        let hubs = [listeners[0].local_addr()?, listeners[1].local_addr()?];
        Ok(Self { listeners, hubs })
    }

    /// Where the adapter is to send what comes to A and B.
    pub fn hubs(&self) -> [SocketAddr; 2] {
        self.hubs
    }

    /// Sends to the adapter's listeners from a thread of its own.
    pub async fn run(self, adapter: [SocketAddr; 2], options: Options) -> io::Result<Measurement> {
        let (reply, answer) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("generator".to_owned()).spawn(move || {
            // Whoever asked may have gone away.
            drop(reply.send(LocalSet::new().block_on(&runtime, self.load(adapter, options))));
        })?;
        answer.await.map_err(|_| io::Error::other("the generator's thread has ended"))?
    }

    async fn load(self, adapter: [SocketAddr; 2], options: Options) -> io::Result<Measurement> {
        let load = Rc::new(Load::new(&options));
        for listener in self.listeners {
            task::spawn_local(server::serve(tokio::net::TcpListener::from_std(listener)?, None, Rc::clone(&load)));
        }
        for (side, listener) in adapter.into_iter().enumerate() {
            // Both directions together have as many connections as there are messages.
            let connections = (options.concurrency + 1 - side) / 2;
            pool::spawn(&Target::plain(listener), connections, &load.queues[side], &load);
        }
        for slot in 0..options.concurrency {
            load.queues[slot % 2].push(Job { slot, side: slot % 2 });
        }
        sleep(options.warm_up).await;
        let (from, usage) = (Instant::now(), (processor_time(options.pid), thread_processor_time()));
        load.window.set(Some((from, from + options.measured)));
        sleep(options.measured).await;
        let (elapsed, after) = (from.elapsed(), (processor_time(options.pid), thread_processor_time()));
        load.goes_on.set(false);
        let drained = async {
            while load.under_way.get() > 0 {
                sleep(DRAIN_POLL).await;
            }
        };
        if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
            load.complain("messages stayed unanswered");
        }
        Ok(Measurement {
            messages: load.counted.get(),
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
        let body: Vec<u8> = (b' '..=b'~').cycle().take(options.body_bytes).collect();
        let head = format!(
            "POST /transfers HTTP/1.1\r\nhost: adapter\r\n\
             accept: application/vnd.interoperability.transfers+json;version=1\r\n\
             content-type: application/vnd.interoperability.transfers+json;version=1.1\r\n\
             date: Fri, 20 Nov 2026 21:53:58 GMT\r\nfspiop-source: dfsp01\r\nfspiop-destination: dfsp02\r\n\
             fspiop-http-method: POST\r\nfspiop-uri: /transfers\r\nfspiop-signature: {}\r\n\
             traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\
             user-agent: hub\r\ncontent-length: {}\r\n\r\n",
            "x".repeat(600),
            body.len()
        );
        Self {
            request: [head.as_bytes(), &body].concat(),
            body,
            queues: Default::default(),
            begun: RefCell::new(vec![Instant::now(); options.concurrency]),
            window: Cell::new(None),
            goes_on: Cell::new(true),
            under_way: Cell::new(options.concurrency),
            answered: Cell::new(0),
            counted: Cell::new(0),
            latency: RefCell::default(),
            errors: Cell::new(0),
            first_error: RefCell::default(),
        }
    }

    fn complain(&self, what: &str) {
        self.errors.set(self.errors.get() + 1);
        self.first_error.borrow_mut().get_or_insert_with(|| what.to_owned());
    }

    fn count(&self, slot: usize) {
        let now = Instant::now();
        if self.window.get().is_some_and(|(from, to)| (from..to).contains(&now)) {
            self.counted.set(self.counted.get() + 1);
            self.latency.borrow_mut().record(now - self.begun.borrow()[slot]);
        }
    }
}

impl Sender for Load {
    type Job = Job;

    fn render(&self, job: Job, out: &mut Vec<u8>) -> bool {
        self.begun.borrow_mut()[job.slot] = Instant::now();
        out.extend_from_slice(&self.request);
        true
    }

    fn answered(&self, job: Job, response: Result<Response, io::Error>) {
        self.answered.set(self.answered.get() + 1);
        match response {
            Ok(response) if response.status == 202 => self.count(job.slot),
            Ok(response) => self.complain(&format!("answered {}", response.status)),
            Err(error) => self.complain(&format!("no answer: {error}")),
        }
        if self.goes_on.get() && self.answered.get() < MESSAGES_MAX {
            self.queues[job.side].push(job);
        } else {
            self.under_way.set(self.under_way.get() - 1);
        }
    }
}

impl Receiver for Load {
    fn receive(&self, request: &Request) -> Answer {
        if request.body != self.body || request.header("fspiop-proxy").is_none() {
            self.complain("a message arrived with another body or without the adapter's name");
        }
        Answer::Accepted
    }
}
