//! Keys and certificates in files: read at the start, and again whenever the files change.
//!
//! Invariant: what is in use was complete and fitted together. Files that cannot be used leave in use what was read
//! before, and are a problem that health shows until they are replaced. Keys are never logged.

use crate::{ClientTls, ListenerTls, x509};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::sync::watch;
use vocabulary::Timestamp;

/// Bytes of a file; a bundle of all public authorities has less than a fifth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// TLS as the files say it, for a client or a server.
pub struct Keys<T> {
    files: Vec<PathBuf>,
    build: Build<T>,
    seen: Mutex<Option<Result<Contents, String>>>,
    current: watch::Sender<Option<Arc<T>>>,
    state: Mutex<State>,
}

type Build<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<(T, Option<Timestamp>), String> + Send + Sync>;
type Contents = Vec<Vec<u8>>;

/// What health and metrics tell of the files.
#[derive(Clone, Default)]
pub struct State {
    /// When the certificate that is in use expires.
    pub not_after: Option<Timestamp>,
    /// Why the files cannot be used as they are; a sentence.
    pub problem: Option<String>,
}

/// Whether files that did not change are looked at all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    IfChanged,
    Always,
}

impl Keys<ClientConfig> {
    /// For requests: whom to trust, and the certificate to show.
    pub fn of_client(tls: ClientTls) -> Self {
        let ClientTls { ca, pair } = tls;
        let ca_count = ca.len();
        let files = ca.into_iter().chain(pair.into_iter().flat_map(|pair| [pair.certificate, pair.key])).collect();
        Self::new(files, move |shown, contents| {
            let trusted = match ca_count {
                0 => system_authorities(),
                count => authorities(&shown[..count], &contents[..count])?,
            };
            let builder = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(trusted);
            let shown = &shown[ca_count..];
            match &contents[ca_count..] {
                [chain, key] => {
                    let (chain, not_after) = certificates(&shown[0], chain)?;
                    let config = builder.with_client_auth_cert(chain, private_key(&shown[1], key)?);
                    Ok((config.map_err(|error| unusable(shown, &error))?, not_after))
                }
                _ => Ok((builder.with_no_client_auth(), None)),
            }
        })
    }
}

impl Keys<ServerConfig> {
    /// For a listener: the certificate to show, and whose callers may come.
    pub fn of_listener(tls: ListenerTls) -> Self {
        let ListenerTls { pair, client_ca } = tls;
        let files = [pair.certificate, pair.key].into_iter().chain(client_ca).collect();
        Self::new(files, |shown, contents| {
            let builder = ServerConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?;
            let builder = match &contents[2..] {
                [] => builder.with_no_client_auth(),
                callers => {
                    let trusted = authorities(&shown[2..], callers)?;
                    let verifier = WebPkiClientVerifier::builder_with_provider(trusted, provider()).build();
                    builder.with_client_cert_verifier(verifier.map_err(|error| unusable(&shown[2..], &error))?)
                }
            };
            let (chain, not_after) = certificates(&shown[0], &contents[0])?;
            let config = builder.with_single_cert(chain, private_key(&shown[1], &contents[1])?);
            Ok((config.map_err(|error| unusable(&shown[..2], &error))?, not_after))
        })
    }
}

impl<T> Keys<T> {
    fn new(
        files: Vec<PathBuf>,
        build: impl Fn(&[String], &[Vec<u8>]) -> Result<(T, Option<Timestamp>), String> + Send + Sync + 'static,
    ) -> Self {
        let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let keys = Self {
            files,
            build: Box::new(move |contents| build(&shown, contents)),
            seen: Mutex::new(None),
            current: watch::Sender::new(None),
            state: Mutex::default(),
        };
        keys.reload(Reload::Always);
        keys
    }

    /// What is in use; none before files that can be used were there.
    pub fn current(&self) -> Option<Arc<T>> {
        self.current.borrow().clone()
    }

    /// Hears when something else comes into use.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<T>>> {
        self.current.subscribe()
    }

    /// Whether there is anything to look at.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files. Blocks as long as the file system does.
    pub fn reload(&self, reload: Reload) {
        let read = self.files.iter().map(|file| read(file)).collect::<Result<Contents, String>>();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if reload == Reload::IfChanged && seen.as_ref() == Some(&read) {
            return;
        }
        let built = read.as_ref().map_err(String::clone).and_then(|contents| (self.build)(contents));
        let is_first = seen.replace(read).is_none();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match built {
            Ok((config, not_after)) => {
                *state = State { not_after, problem: None };
                self.current.send_replace(Some(Arc::new(config)));
                if !is_first {
                    tracing::info!(files = ?self.files, "new keys are in use");
                }
            }
            Err(problem) => {
                tracing::error!(%problem, "keys cannot be used; what was in use before stays");
                state.problem = Some(problem);
            }
        }
    }
}

impl<T> fmt::Debug for Keys<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({:?})", self.files)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut content));
    file.map_err(|error| format!("The file {} cannot be read: {error}.", path.display()))?;
    Ok(content)
}

fn authorities(files: &[String], pems: &[Vec<u8>]) -> Result<Arc<RootCertStore>, String> {
    let mut store = RootCertStore::empty();
    for (file, pem) in files.iter().zip(pems) {
        for certificate in certificates(file, pem)?.0 {
            store
                .add(certificate)
                .map_err(|error| format!("The file {file} holds a certificate that is none: {error}."))?;
        }
    }
    Ok(Arc::new(store))
}

/// Whom the system trusts, read once: updates of the system are followed at the next start.
fn system_authorities() -> Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "certificates that the system trusts could not be read");
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        Arc::new(store)
    };
    SYSTEM.get_or_init(read).clone()
}

/// The chain, and when its first certificate expires.
fn certificates(file: &str, pem: &[u8]) -> Result<(Vec<CertificateDer<'static>>, Option<Timestamp>), String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| format!("The file {file} is damaged: {error}."))?;
    let Some(first) = chain.first() else {
        return Err(format!("The file {file} holds no certificate in PEM form."));
    };
    let not_after = x509::not_after(first);
    Ok((chain, not_after))
}

fn private_key(file: &str, pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| format!("The file {file} holds no private key in PEM form."))
}

fn unusable(files: &[String], error: &dyn std::fmt::Display) -> String {
    format!("The content of {} cannot be used: {error}.", files.join(" and "))
}

/// Whether two files of authorities, in PEM, have a certificate in common. The error is a sentence.
pub fn have_common_certificate(one: &Path, other: &Path) -> Result<bool, String> {
    let certificates = |path: &Path| Ok::<_, String>(certificates(&path.display().to_string(), &read(path)?)?.0);
    let (one, other) = (certificates(one)?, certificates(other)?);
    Ok(one.iter().any(|certificate| other.contains(certificate)))
}
