//! Connections over TLS: of a participant to the hub, and of the hub to a participant.

use crate::{
    certificates::{self, Authority, Issued},
    support::{Call, Inbox, Reply},
};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, ServerConfig, pki_types::ServerName};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A connection to the hub.
pub struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// What the hub showed.
    pub shown: Vec<u8>,
}

impl Link {
    pub async fn open(to: SocketAddr, servers: &Authority, shown: Option<&Issued>) -> io::Result<Self> {
        Self::open_with(to, certificates::client(servers, shown)).await
    }

    pub async fn open_with(to: SocketAddr, client: ClientConfig) -> io::Result<Self> {
        let connector = TlsConnector::from(Arc::new(client));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, TcpStream::connect(to).await?).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self { sender, shown })
    }

    pub async fn send(&mut self, call: &Call) -> Result<Reply, hyper::Error> {
        let mut request = Request::builder().method(call.method()).uri(call.path()).header("host", "hub");
        for (name, value) in call.headers() {
            request = request.header(name, value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(call.bytes().clone())).unwrap()).await?;
        let (parts, body) = response.into_parts();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body: body.collect().await?.to_bytes() })
    }
}

/// What stands before a participant's inbox and speaks TLS.
pub struct Front {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Front {
    pub async fn of(inbox: &Inbox, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let inside: SocketAddr = inbox.url().strip_prefix("http://").unwrap().parse().unwrap();
        let (acceptor, callers) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(pass_on(acceptor.clone(), stream, inside, callers.clone()));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificates of the callers so far, one for each connection.
    pub fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }
}

async fn pass_on(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    inside: SocketAddr,
    callers: Arc<Mutex<Vec<Vec<u8>>>>,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut outer = acceptor.accept(stream).await.ok()?;
    callers.lock().unwrap().push(outer.get_ref().1.peer_certificates()?.first()?.to_vec());
    let mut inner = TcpStream::connect(inside).await.ok()?;
    inner.set_nodelay(true).ok()?;
    tokio::io::copy_bidirectional(&mut outer, &mut inner).await.ok()?;
    Some(())
}
