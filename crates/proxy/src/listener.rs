//! A side's listener: what it may hold.

use crate::{
    adapter::{Adapter, Which},
    relay,
    upstream::HEAD_BYTES_MAX,
};
use hyper::service::service_fn;
use std::{sync::Arc, time::Duration};
use tls::Listener;
use tokio::{net::TcpListener, sync::watch};

/// Connections that are open at a time.
const CONNECTIONS_MAX: u32 = 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Serves until `stopped` says true, then lets the requests under way end.
pub async fn serve(socket: TcpListener, adapter: Arc<Adapter>, which: Which, stopped: watch::Receiver<bool>) {
    let listener = Listener {
        name: which.name(),
        keys: adapter.side(which).listener_keys.clone(),
        connections_max: CONNECTIONS_MAX,
        head_bytes_max: HEAD_BYTES_MAX,
        idle_max: IDLE_MAX,
        // The date of an answer is the hub's affair.
        dates_answers: false,
    };
    tls::serve(socket, listener, stopped, move |_shown| {
        let adapter = adapter.clone();
        service_fn(move |request| relay::serve(adapter.clone(), which, request))
    })
    .await;
}
