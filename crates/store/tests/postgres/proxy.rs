//! A socket in front of the server that can lose what is said at a commit.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

const SOCKET: &str = ".s.PGSQL.5432";
/// `ReadyForQuery` outside of a transaction: what the server says after COMMIT.
const READY_AND_IDLE: &[u8] = b"Z\0\0\0\x05I";

/// What the next conversation loses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    /// Everything from the client: the server never hears of the commit.
    Requests,
    /// The reply that ends a transaction: the server has committed.
    Reply,
}

pub struct Proxy {
    directory: TempDir,
    database: String,
    loss: Arc<AtomicU8>,
}

impl Proxy {
    /// Listens in front of the server of an address that `scratch::database` has returned.
    pub fn new(address: &str) -> Self {
        let (host, database) = address.strip_prefix("postgres://postgres@").unwrap().split_once('/').unwrap();
        let server = PathBuf::from(host.replace("%2F", "/")).join(SOCKET);
        let directory = TempDir::new().unwrap();
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let loss = Arc::new(AtomicU8::new(Loss::Nothing as u8));
        let shared = Arc::clone(&loss);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&shared)));
            }
        });
        Self { directory, database: database.to_owned(), loss }
    }

    pub fn address(&self) -> String {
        let host = self.directory.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{host}/{}", self.database)
    }

    /// From now on; a conversation that has lost something is over.
    pub fn lose(&self, loss: Loss) {
        self.loss.store(loss as u8, Ordering::Release);
    }
}

async fn relay(mut client: UnixStream, mut server: UnixStream, loss: Arc<AtomicU8>) {
    let (mut request, mut reply) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let is = |wanted: Loss| loss.load(Ordering::Acquire) == wanted as u8;
        tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(length) if length > 0 && !is(Loss::Requests) => {
                    if server.write_all(&request[..length]).await.is_err() { return }
                }
                Ok(_) | Err(_) => return,
            },
            read = server.read(&mut reply) => match read {
                Ok(length) if length > 0 => {
                    let said = &reply[..length];
                    let has_committed = said.windows(READY_AND_IDLE.len()).any(|part| part == READY_AND_IDLE);
                    if is(Loss::Reply) && has_committed { return }
                    if client.write_all(said).await.is_err() { return }
                }
                Ok(_) | Err(_) => return,
            },
        }
    }
}
