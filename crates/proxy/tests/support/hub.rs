//! A hub that records what it is sent and answers what the test wants.

use super::{header, read_head};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub head: String,
    pub body: Vec<u8>,
    /// The certificates that the caller showed.
    pub certificates: Vec<Vec<u8>>,
}

/// What a hub does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, and the connection stays open.
    Raw(Vec<u8>),
    /// These bytes, and then the connection is closed.
    Last(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// These bytes, once the test allows it.
    Held(Vec<u8>),
}

pub struct Hub {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

type Script = Box<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

struct Shared {
    script: Script,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    released: Notify,
}

impl Received {
    pub fn first_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

impl Reply {
    pub fn status(status: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into())
    }
}

impl Hub {
    /// A hub that accepts everything.
    pub async fn new() -> Self {
        Self::with(|_, _| Reply::status("202 Accepted")).await
    }

    /// A hub that answers each request as the function of its number, from 0, and content says.
    pub async fn with(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Box::new(script), None).await
    }

    /// The same over TLS.
    pub async fn with_tls(
        acceptor: TlsAcceptor,
        script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(Box::new(script), Some(acceptor)).await
    }

    async fn start(script: Script, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script,
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            released: Notify::new(),
        });
        let hub = Self { address, shared: shared.clone() };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, acceptor) = (shared.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else { return shared.serve(stream, Vec::new()).await };
                    // A caller that is refused has no connection.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    let certificates = certificates.iter().map(|one| one.to_vec()).collect();
                    shared.serve(stream, certificates).await;
                });
            }
        });
        hub
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// The one request that came.
    pub fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received[0].clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many are open.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Lets one held answer go.
    pub fn release(&self) {
        self.shared.released.notify_one();
    }
}

impl Shared {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, certificates: Vec<Vec<u8>>) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        self.answer(&mut stream, &certificates).await;
        // Whoever sent more than was read must get what was answered, and no reset.
        let _ = stream.shutdown().await;
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S, certificates: &[Vec<u8>]) {
        while let Some(head) = read_head(stream).await {
            let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
            let received = Received { head, body, certificates: certificates.to_vec() };
            let number = {
                let mut all = self.received.lock().unwrap();
                all.push(received.clone());
                all.len() - 1
            };
            let (bytes, is_last) = match (self.script)(number, &received) {
                Reply::Raw(bytes) => (bytes, false),
                Reply::Last(bytes) => (bytes, true),
                Reply::Silence => return std::future::pending().await,
                Reply::Held(bytes) => {
                    self.released.notified().await;
                    (bytes, false)
                }
            };
            if stream.write_all(&bytes).await.is_err() || is_last {
                return;
            }
        }
    }
}
