//! A bounded number of warm connections to the hub, and the queue before them.
//!
//! Invariant: a job is answered exactly once. One request is under way on a connection at a time. A request is repeated,
//! once and unchanged, only if its connection was an old one that ended before a byte of the response came: the hub
//! closes idle connections, and FSPIOP makes repeating safe.

use super::{
    READ_BYTES, parse_head,
    stream::{Stream, Target},
};
use std::{cell::RefCell, collections::VecDeque, io, net::SocketAddr, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    task,
    time::timeout,
};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes requests from jobs and hears how they were answered, on the thread of the pool.
pub trait Sender {
    type Job: Copy;

    /// Appends the request, at the moment at which it leaves. `false` if it is not wanted any more.
    fn render(&self, job: Self::Job, out: &mut Vec<u8>) -> bool;

    fn answered(&self, job: Self::Job, response: Result<Response, io::Error>);
}

/// A response as it came.
pub struct Response<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// Jobs in the order in which they are sent.
pub struct Queue<J> {
    jobs: RefCell<VecDeque<J>>,
    ready: Notify,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { jobs: RefCell::new(VecDeque::new()), ready: Notify::new() }
    }
}

impl<J> Queue<J> {
    pub fn push(&self, job: J) {
        self.jobs.borrow_mut().push_back(job);
        self.ready.notify_last();
    }

    async fn next(&self) -> J {
        loop {
            if let Some(job) = self.jobs.borrow_mut().pop_front() {
                return job;
            }
            self.ready.notified().await;
        }
    }
}

/// Opens as many connections as there are jobs for, at most `connections`. Runs inside a `LocalSet`, until it ends.
pub fn spawn<S: Sender + 'static>(hub: &Target, connections: usize, queue: &Rc<Queue<S::Job>>, sender: &Rc<S>) {
    for _ in 0..connections {
        let (hub, queue, sender) = (hub.clone(), Rc::clone(queue), Rc::clone(sender));
        task::spawn_local(async move {
            let mut connection = Connection::new(hub);
            loop {
                let job = queue.next().await;
                connection.request.clear();
                if sender.render(job, &mut connection.request) {
                    let response = connection.exchange().await;
                    sender.answered(job, response);
                }
            }
        });
    }
}

/// One request on a connection of its own: status and body of the response.
pub async fn exchange_once(hub: SocketAddr, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut connection = Connection::new(Target::plain(hub));
    connection.request.extend_from_slice(request);
    let response = connection.exchange().await?;
    Ok((response.status, response.body.to_vec()))
}

struct Connection {
    hub: Target,
    stream: Option<Stream>,
    request: Vec<u8>,
    response: Vec<u8>,
}

/// Why an exchange on an open connection gave no response.
enum Broken {
    /// Nothing came back on a connection that had served before.
    WasIdle,
    Failed(io::Error),
}

impl Connection {
    fn new(hub: Target) -> Self {
        Self { hub, stream: None, request: Vec::with_capacity(READ_BYTES), response: Vec::with_capacity(READ_BYTES) }
    }

    async fn exchange(&mut self) -> io::Result<Response<'_>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no response within 10 s");
        let outcome = timeout(REQUEST_TIMEOUT, self.exchange_or_repeat()).await.map_err(late).flatten();
        match outcome {
            Ok((status, from, to, closes)) => {
                if closes {
                    self.stream = None;
                }
                Ok(Response { status, body: &self.response[from..to] })
            }
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }

    async fn exchange_or_repeat(&mut self) -> io::Result<(u16, usize, usize, bool)> {
        if let Some(stream) = self.stream.as_mut() {
            match exchange_on(stream, &self.request, &mut self.response).await {
                Ok(parts) => return Ok(parts),
                Err(Broken::WasIdle) => self.stream = None,
                Err(Broken::Failed(error)) => return Err(error),
            }
        }
        let stream = self.stream.insert(self.hub.connect().await?);
        exchange_on(stream, &self.request, &mut self.response).await.map_err(|broken| match broken {
            Broken::WasIdle => io::Error::new(io::ErrorKind::UnexpectedEof, "closed without a response"),
            Broken::Failed(error) => error,
        })
    }
}

/// Status, where the body lies in the buffer, and whether the hub closes the connection.
async fn exchange_on(
    stream: &mut Stream,
    request: &[u8],
    response: &mut Vec<u8>,
) -> Result<(u16, usize, usize, bool), Broken> {
    response.clear();
    stream.write_all(request).await.map_err(|_| Broken::WasIdle)?;
    stream.flush().await.map_err(|_| Broken::WasIdle)?;
    loop {
        response.reserve(READ_BYTES);
        let read = stream.read_buf(response).await;
        match read {
            Ok(0) | Err(_) if response.is_empty() => return Err(Broken::WasIdle),
            Ok(0) => return Err(Broken::Failed(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => return Err(Broken::Failed(error)),
            Ok(_) => {}
        }
        let malformed =
            |problem: super::Malformed| Broken::Failed(io::Error::new(io::ErrorKind::InvalidData, problem.to_string()));
        let Some(head) = parse_head(response).map_err(malformed)? else { continue };
        if response.len() >= head.message_length() {
            let status = head.status().map_err(malformed)?;
            return Ok((status, head.length, head.message_length(), head.closes));
        }
    }
}
