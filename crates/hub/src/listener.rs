//! The hub's listeners: what each may hold, and who speaks on a connection.

use crate::http::Caller;
use axum::Router;
use hyper::{Request, body::Incoming, service::Service as _, service::service_fn};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use std::{sync::Arc, time::Duration};
use tls::{Keys, Listener};
use tokio::{net::TcpListener, sync::watch};

/// Connections that are open at a time.
const CONNECTIONS_MAX: u32 = 10_000;
/// Bytes of a request's head (FSPIOP 1.1 §3.1.1 allows 64 KiB of headers).
const HEAD_BYTES_MAX: usize = 72 * 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);

/// Goes with every request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// Serves a router until `stopped` says true, then lets the requests under way end. With keys the listener speaks TLS
/// only, and each request carries the [`Caller`] whom the client's certificate names, if one was shown.
pub async fn serve(
    socket: TcpListener,
    (name, router): (&'static str, Router),
    keys: Option<Arc<Keys<ServerConfig>>>,
    stopped: watch::Receiver<bool>,
) {
    let listener = Listener {
        name,
        keys,
        connections_max: CONNECTIONS_MAX,
        head_bytes_max: HEAD_BYTES_MAX,
        idle_max: IDLE_MAX,
        dates_answers: true,
    };
    let is_over_tls = listener.keys.is_some();
    tls::serve(socket, listener, stopped, move |shown| {
        let (caller, router) = (shown.map(|shown| Caller::of_certificate(&shown)), router.clone());
        let router = TowerToHyperService::new(router);
        service_fn(move |mut request: Request<Incoming>| {
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            if is_over_tls {
                request.extensions_mut().insert(OverTls);
            }
            router.call(request)
        })
    })
    .await;
}
