//! A listener: accepts connections, within limits, until it is told to stop.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, sync::watch};

/// Connections that are open at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 10_000;
/// Bytes of a request's head (FSPIOP 1.1 §3.1.1 allows 64 KiB of headers).
const HEAD_BYTES_MAX: usize = 72 * 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// How long requests under way may take once the listener stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, as it does when there are no more file handles.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves a router until `stopped` says true, then lets the requests under way end.
pub async fn serve(socket: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &connections) => accepted,
            // An error means that whoever could say stop is gone, which means stop too.
            _ = stopped.wait_for(|is_stopping| *is_stopping) => break,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Small answers leave at once instead of waiting for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE_MAX).max_buf_size(HEAD_BYTES_MAX);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(socket);
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the listener closed");
    }
}

async fn accept(
    socket: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = socket.accept().await?;
    Ok((stream, permit))
}
