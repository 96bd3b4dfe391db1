//! Signatures of the messages that the hub makes (FSPIOP 1.1 "Signature"; contract §1.8).
//!
//! Signing with RSA costs more than everything else that the hub does for a message. So it happens after the commit, on
//! threads of its own, never on a writer's; an RS256 signature is a function of key and message, so that every attempt,
//! also after a restart, carries the same one.

use crate::outbound::{Head, bytes_of, text_of};
use bytes::Bytes;
use fspiop::{
    headers::{SIGNATURE, SOURCE},
    jws::{self, KeyError, SigningKey},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Semaphore;
use vocabulary::FspId;

/// Whether and with which key the hub signs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Signing {
    Off,
    /// With a key that is made at the start and forgotten at the end: for demonstrations and tests.
    #[default]
    PassingKey,
    /// With the private key in this PEM file, which is made if it does not exist.
    KeyFile(PathBuf),
}

/// Signs messages.
pub struct Signer {
    hub_name: FspId,
    key: Option<Arc<SigningKey>>,
    threads: Semaphore,
}

impl Signer {
    /// Reads or makes the key. The error is one sentence that says what to do.
    pub fn open(signing: &Signing, hub_name: &FspId) -> Result<Self, String> {
        let key = match signing {
            Signing::Off => None,
            Signing::PassingKey => Some(SigningKey::generate_rsa().map_err(|error| error.to_string())?.0),
            Signing::KeyFile(path) => Some(read_or_make(path)?),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { hub_name: hub_name.clone(), key: key.map(Arc::new), threads: Semaphore::new(threads) })
    }

    /// The public key in PEM, for participants that verify; none if the hub does not sign.
    pub fn public_pem(&self) -> Option<String> {
        self.key.as_ref()?.public_pem().ok()
    }

    /// The head with a signature, if it is of a message that the hub made and signs: one with a body.
    pub async fn sign(&self, head: Arc<Head>, body: &Bytes) -> Arc<Head> {
        let Some(key) = self.key.clone().filter(|_| self.is_due(&head, body)) else { return head };
        let permit = self.threads.acquire().await.expect("the semaphore is never closed");
        let (unsigned, body) = (head.clone(), body.clone());
        let signed = tokio::task::spawn_blocking(move || signed(&key, &unsigned, &body)).await;
        drop(permit);
        match signed {
            Ok(Ok(signed)) => Arc::new(signed),
            Ok(Err(error)) => {
                tracing::error!(%error, path = %head.path, "a message leaves without a signature");
                head
            }
            Err(error) => {
                tracing::error!(%error, "signing ended by panic; a message leaves without a signature");
                head
            }
        }
    }

    fn is_due(&self, head: &Head, body: &Bytes) -> bool {
        let value = |name: &str| head.headers.iter().find(|(known, _)| &**known == name).map(|(_, value)| value);
        let is_ours = value(SOURCE).is_some_and(|source| **source == *self.hub_name.as_str());
        is_ours && value(SIGNATURE).is_none() && !body.is_empty()
    }
}

fn signed(key: &SigningKey, head: &Head, body: &[u8]) -> Result<Head, KeyError> {
    let signature = jws::sign(key, &headers_of(head), body)?;
    let mut signed = head.clone();
    signed.headers.push((SIGNATURE.into(), text_of(signature.as_bytes())));
    Ok(signed)
}

/// The headers of a message as they leave.
pub fn headers_of(head: &Head) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 2);
    for (name, value) in &head.headers {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&bytes_of(value)));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn read_or_make(path: &Path) -> Result<SigningKey, String> {
    let shown = path.display();
    match fs::read_to_string(path) {
        Ok(pem) => SigningKey::from_pem(&pem)
            .map_err(|error| format!("The signing key {shown} cannot be used: {error}. Put a PEM private key there.")),
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        Err(error) => Err(format!("The signing key {shown} cannot be read: {error}.")),
    }
}

/// Makes a key that only this user may read. Of two nodes that begin at once, the second reads what the first has made.
fn make(path: &Path) -> Result<SigningKey, String> {
    let failed = |error: std::io::Error| {
        format!("The signing key {} cannot be written: {error}. Give --signing-key another path.", path.display())
    };
    let (key, pem) = SigningKey::generate_rsa().map_err(|error| error.to_string())?;
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            tracing::info!(path = %path.display(), "a signing key was made");
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_or_make(path),
        Err(error) => Err(failed(error)),
    }
}
