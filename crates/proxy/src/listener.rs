//! A side's listener: accepts connections, within limits, until it is told to stop.
//!
//! Invariant: a connection lives under the keys with which it was accepted. When others come into use, or the adapter
//! stops, it answers the request that it carries and ends.

use crate::{
    adapter::{Adapter, Which},
    patience::Patient,
    relay,
    upstream::HEAD_BYTES_MAX,
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::{future::pending, pin::pin, sync::Arc, time::Duration};
use tls::Keys;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Connections that are open at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests under way may take once the listener stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, as it does when there are no more file handles.
const PAUSE: Duration = Duration::from_millis(50);

type KeyChanges = watch::Receiver<Option<Arc<ServerConfig>>>;

/// What each connection needs.
#[derive(Clone)]
struct Service {
    adapter: Arc<Adapter>,
    which: Which,
    stopped: watch::Receiver<bool>,
    keys: Option<KeyChanges>,
}

/// Serves until `stopped` says true, then lets the requests under way end.
pub async fn serve(socket: TcpListener, adapter: Arc<Adapter>, which: Which, stopped: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let keys = adapter.side(which).listener_keys.as_ref().map(|keys: &Arc<Keys<_>>| keys.changes());
    let service = Service { adapter, which, stopped: stopped.clone(), keys };
    let mut stopped = stopped;
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
        tracing::warn!(side = which.name(), "requests were still under way when the listener closed");
    }
}

async fn accept(
    socket: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
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
        let stream = Patient::new(stream);
        let Some(keys) = &mut self.keys else { return self.speak(stream).await };
        let Some(config) = keys.borrow_and_update().clone() else { return };
        match timeout(HANDSHAKE_MAX, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream).await,
            Ok(Err(error)) => tracing::warn!(side = self.which.name(), %error, "a caller was refused by TLS"),
            Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        let Self { adapter, which, mut stopped, mut keys } = self;
        let service = service_fn(|request| relay::serve(adapter.clone(), which, request));
        let mut builder = http1::Builder::new();
        // The date of an answer is the hub's affair.
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .auto_date_header(false);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = stopped.wait_for(|is_stopping| *is_stopping) => None,
            () = changed(&mut keys) => None,
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

async fn changed(keys: &mut Option<KeyChanges>) {
    let is_changed = match keys {
        Some(keys) => keys.changed().await.is_ok(),
        None => false,
    };
    if !is_changed {
        pending().await
    }
}
