//! A listener: accepts connections, within limits, until it is told to stop; with keys, over TLS.
//!
//! Invariant: a connection lives under the keys with which it was accepted. When others come into use, its next answer is
//! its last; one that asks nothing ends a little later.

use crate::{Keys, patience::Patient};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{ServerConfig, pki_types::CertificateDer};
use std::{convert::Infallible, error::Error, future::pending, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a caller that was refused may take to read why.
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// How long a connection of keys that were replaced waits for the request whose answer would tell its client.
const REPLACED_MAX: Duration = Duration::from_secs(5);
/// How long requests under way may take once the listener stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, as it does when there are no more file handles.
const PAUSE: Duration = Duration::from_millis(50);

type KeyChanges = watch::Receiver<Option<Arc<ServerConfig>>>;

/// What a listener is told.
#[derive(Clone)]
pub struct Listener {
    /// For the log.
    pub name: &'static str,
    /// With keys it speaks TLS only.
    pub keys: Option<Arc<Keys<ServerConfig>>>,
    /// Connections that are open at a time; further ones wait to be accepted.
    pub connections_max: u32,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// A connection on which no request's head arrives for this long is closed.
    pub idle_max: Duration,
    /// Whether answers without a date get one.
    pub dates_answers: bool,
}

/// What each connection needs.
#[derive(Clone)]
struct Connections<M> {
    listener: Listener,
    keys: Option<KeyChanges>,
    stopped: watch::Receiver<bool>,
    meet: M,
}

/// Serves until `stopped` says true, then lets the requests under way end. `meet` makes the service of a connection, knowing
/// the certificate that the client has shown and rustls has verified, if there is one.
pub async fn serve<M, S, B>(socket: TcpListener, listener: Listener, mut stopped: watch::Receiver<bool>, meet: M)
where
    M: Fn(Option<CertificateDer<'static>>) -> S + Clone + Send + Sync + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let permits = Arc::new(Semaphore::new(listener.connections_max as usize));
    let (name, connections_max) = (listener.name, listener.connections_max);
    let keys = listener.keys.as_ref().map(|keys| keys.changes());
    let connections = Connections { listener, keys, stopped: stopped.clone(), meet };
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &permits) => accepted,
            // An error means that whoever could say stop is gone, which means stop too.
            _ = stopped.wait_for(|is_stopping| *is_stopping) => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                let connection = connections.clone();
                tokio::spawn(async move {
                    connection.serve(stream).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(listener = name, %error, "a connection was not accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(socket);
    if timeout(DRAIN_MAX, permits.acquire_many(connections_max)).await.is_err() {
        tracing::warn!(listener = name, "requests were still under way when the listener closed");
    }
}

async fn accept(socket: &TcpListener, permits: &Arc<Semaphore>) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = socket.accept().await?;
    Ok((stream, permit))
}

impl<M, S, B> Connections<M>
where
    M: Fn(Option<CertificateDer<'static>>) -> S,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn serve(mut self, stream: TcpStream) {
        // Small answers leave at once instead of waiting for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let peer = stream.peer_addr().map(|address| address.ip()).ok();
        let stream = Patient::new(stream);
        let Some(keys) = &mut self.keys else { return self.speak(stream, None).await };
        let Some(config) = keys.borrow_and_update().clone() else { return };
        let handshake = timeout(HANDSHAKE_MAX, TlsAcceptor::from(config).accept(stream).into_fallible());
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = self.stopped.wait_for(|is_stopping| *is_stopping) => return,
        };
        let name = self.listener.name;
        match shaken {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let shown = shown.map(|certificate| certificate.clone().into_owned());
                self.speak(stream, shown).await;
            }
            Ok(Err((error, stream))) => {
                tracing::warn!(listener = name, ?peer, %error, "a caller was refused by TLS");
                let _ = timeout(REFUSAL_MAX, part(stream)).await;
            }
            Err(_elapsed) => tracing::debug!(listener = name, ?peer, "a TLS handshake took too long"),
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        shown: Option<CertificateDer<'static>>,
    ) {
        let Self { listener, keys, mut stopped, meet } = self;
        let (service, current) = (meet(shown), keys.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (answer, current) = (service.call(request), current.clone());
            async move {
                let mut answer = answer.await?;
                if current.is_some_and(|keys| keys.has_changed().unwrap_or(false)) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(listener.idle_max)
            .max_buf_size(listener.head_bytes_max)
            .auto_date_header(listener.dates_answers);
        // What a service upgrades, such as to a WebSocket, goes on by itself.
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = stopped.wait_for(|is_stopping| *is_stopping) => None,
            () = replaced(keys) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Waits until the peer has gone. One whose bytes are left unread is told of a reset instead of the alert that says why.
async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut unread = [0; 1024];
    if stream.shutdown().await.is_ok() {
        while stream.read(&mut unread).await.is_ok_and(|length| length > 0) {}
    }
}

/// Returns some time after other keys have come into use.
async fn replaced(keys: Option<KeyChanges>) {
    let is_replaced = match keys {
        Some(mut keys) => keys.changed().await.is_ok(),
        None => false,
    };
    if !is_replaced {
        pending().await
    }
    sleep(REPLACED_MAX).await;
}
