//! Starting and stopping an adapter.

use crate::{
    adapter::{Adapter, PINGS_MAX, Side, Which},
    config::Config,
    listener,
};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tls::Reload;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

/// How often files of keys are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a stopping adapter waits, a little longer than its listeners do.
const DRAIN_MAX: Duration = Duration::from_millis(10_500);

/// Why an adapter did not start: one sentence that says what to do.
#[derive(Debug)]
pub enum StartError {
    Listen { side: &'static str, address: SocketAddr, error: std::io::Error },
    Setting(String),
}

/// An adapter that relays.
pub struct Running {
    adapter: Arc<Adapter>,
    addresses: [SocketAddr; 2],
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    _keepers: JoinSet<()>,
}

/// Starts an adapter. A side that has no token or keys yet answers 503 until it has them; a listener that is to speak
/// TLS needs its keys at once.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let sockets = [bind(Which::A, config.a.listen).await?, bind(Which::B, config.b.listen).await?];
    let adapter = Arc::new(Adapter::try_new(&config).map_err(StartError::Setting)?);
    for side in adapter.sides() {
        let state = side.listener_keys.as_ref().map(|keys| keys.state());
        if let Some(problem) = state.and_then(|state| state.problem) {
            return Err(StartError::Setting(problem));
        }
    }
    let (stop, stopped) = watch::channel(false);
    let (mut listeners, mut keepers) = (JoinSet::new(), JoinSet::new());
    let mut addresses = [config.a.listen, config.b.listen];
    for ((socket, which), address) in sockets.into_iter().zip([Which::A, Which::B]).zip(&mut addresses) {
        *address = socket.local_addr().map_err(|error| listen_error(which, *address, error))?;
        listeners.spawn(listener::serve(socket, adapter.clone(), which, stopped.clone()));
        keepers.spawn(keep_token(adapter.clone(), which));
    }
    keepers.spawn(keep_keys(adapter.clone()));
    Ok(Running { adapter, addresses, stop, listeners, _keepers: keepers })
}

impl Running {
    /// Where the listeners of A and B are, with the ports that the system chose.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Reads all files of keys again, now.
    pub async fn reload(&self) {
        look(&self.adapter, Reload::Always).await;
    }

    /// Stops accepting and finishes what was accepted, for at most ten seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async {
            while self.listeners.join_next().await.is_some() {}
            let _all = self.adapter.pings.acquire_many(PINGS_MAX).await;
        };
        if timeout(DRAIN_MAX, ended).await.is_err() {
            tracing::warn!("the adapter stops with work under way");
        }
    }
}

async fn bind(which: Which, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| listen_error(which, address, error))
}

fn listen_error(which: Which, address: SocketAddr, error: std::io::Error) -> StartError {
    StartError::Listen { side: which.name(), address, error }
}

async fn keep_token(adapter: Arc<Adapter>, which: Which) {
    if let Some(token) = &adapter.side(which).token {
        token.keep().await;
    }
}

async fn keep_keys(adapter: Arc<Adapter>) {
    loop {
        sleep(LOOK).await;
        look(&adapter, Reload::IfChanged).await;
        for side in adapter.sides() {
            side.upstream.tidy();
        }
    }
}

/// File systems block; a thread of its own may wait for them.
async fn look(adapter: &Arc<Adapter>, reload: Reload) {
    if adapter.sides().iter().all(|side| !side.has_files()) {
        return;
    }
    let adapter = adapter.clone();
    let looked = spawn_blocking(move || {
        for side in adapter.sides() {
            side.reload(reload);
        }
    });
    if let Err(error) = looked.await {
        tracing::error!(%error, "the files of keys could not be looked at");
    }
}

impl Side {
    fn has_files(&self) -> bool {
        self.hub_keys.is_some() || self.token_keys.is_some() || self.listener_keys.is_some()
    }

    fn reload(&self, reload: Reload) {
        for keys in [&self.hub_keys, &self.token_keys].into_iter().flatten() {
            keys.reload(reload);
        }
        if let Some(keys) = &self.listener_keys {
            keys.reload(reload);
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { side, address, error } if error.kind() == std::io::ErrorKind::AddrInUse => write!(
                formatter,
                "The listener of side {side} cannot use {address}: another program listens there. \
                 Stop it, or give --{side}-listen another address."
            ),
            Self::Listen { side, address, error } => {
                write!(formatter, "The listener of side {side} cannot use {address}: {error}.")
            }
            Self::Setting(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for StartError {}
