//! A listener: accepts connections, within limits, until it is told to stop; with keys, over TLS.
//!
//! Invariant: a connection lives under the keys with which it was accepted. When others come into use, its next answer is
//! its last; one that asks nothing ends a little later.

use crate::http::Caller;
use axum::Router;
use http::{HeaderValue, header};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use std::{future::pending, pin::pin, sync::Arc, time::Duration};
use tls::Keys;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Connections that are open at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 10_000;
/// Bytes of a request's head (FSPIOP 1.1 §3.1.1 allows 64 KiB of headers).
const HEAD_BYTES_MAX: usize = 72 * 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a connection of keys that were replaced waits for the request whose answer would tell its client.
const REPLACED_MAX: Duration = Duration::from_secs(5);
/// How long requests under way may take once the listener stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, as it does when there are no more file handles.
const PAUSE: Duration = Duration::from_millis(50);

type KeyChanges = watch::Receiver<Option<Arc<ServerConfig>>>;

/// What each connection needs.
#[derive(Clone)]
struct Service {
    router: Router,
    stopped: watch::Receiver<bool>,
    keys: Option<KeyChanges>,
}

/// Serves a router until `stopped` says true, then lets the requests under way end. With keys the listener speaks TLS
/// only, and each request carries the [`Caller`] whom the client's certificate names, if one was shown.
pub async fn serve(
    socket: TcpListener,
    router: Router,
    keys: Option<Arc<Keys<ServerConfig>>>,
    mut stopped: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let service = Service { router, stopped: stopped.clone(), keys: keys.map(|keys| keys.changes()) };
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &connections) => accepted,
            // An error means that whoever could say stop is gone, which means stop too.
            _ = stopped.wait_for(|is_stopping| *is_stopping) => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                let service = service.clone();
                tokio::spawn(async move {
                    service.connection(stream).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(socket);
    let ended = connections.acquire_many(CONNECTIONS_MAX);
    if timeout(DRAIN_MAX, ended).await.is_err() {
        tracing::warn!("requests were still under way when the listener closed");
    }
}

async fn accept(
    socket: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = socket.accept().await?;
    Ok((stream, permit))
}

impl Service {
    async fn connection(mut self, stream: TcpStream) {
        // Small answers leave at once instead of waiting for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let Some(keys) = &mut self.keys else { return self.speak(stream, None).await };
        let Some(config) = keys.borrow_and_update().clone() else { return };
        let peer = stream.peer_addr().map(|address| address.ip()).ok();
        let handshake = timeout(HANDSHAKE_MAX, TlsAcceptor::from(config).accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = self.stopped.wait_for(|is_stopping| *is_stopping) => return,
        };
        match shaken {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let caller = shown.map(|certificate| Caller::of_certificate(certificate));
                self.speak(stream, caller).await;
            }
            Ok(Err(error)) => tracing::warn!(?peer, %error, "a caller was refused by TLS"),
            Err(_elapsed) => tracing::debug!(?peer, "a TLS handshake took too long"),
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S, caller: Option<Caller>) {
        let Self { router, mut stopped, keys } = self;
        let router = TowerToHyperService::new(router);
        let current = keys.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            let answer = router.call(request);
            let current = current.clone();
            async move {
                let mut answer = answer.await?;
                if current.is_some_and(|keys| keys.has_changed().unwrap_or(false)) {
                    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(answer)
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE_MAX).max_buf_size(HEAD_BYTES_MAX);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
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
