//! The keys and certificates of a scheme whose links are all secured, made for one run.
//!
//! Invariant: every private key lies in the directory of the run, which ends with it. DFSPs sign with RSA keys of 2048 bits,
//! as Mojaloop's clients do.

use crate::scheme::{Scheme, dfsp_text};
use fspiop::jws::SigningKey;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa};
use rustls::{ClientConfig, ServerConfig};
use std::{
    ffi::OsString,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tls::{ClientTls, KeyPair, Keys, ListenerTls};

const LOOPBACK: &str = "127.0.0.1";
const HUB: &str = "hub";
const DFSPS: &str = "dfsps";

/// What DFSPs sign with, and files for both sides of all links.
pub struct Credentials {
    directory: PathBuf,
    signing: Vec<SigningKey>,
}

impl Credentials {
    /// Makes everything in a directory, which must exist. The error is a sentence.
    pub fn make(directory: &Path, scheme: Scheme) -> Result<Self, String> {
        let failed =
            |error: &dyn Display| format!("Keys and certificates cannot be made in {}: {error}.", directory.display());
        let authority = authority().map_err(|error| failed(&error))?;
        let write = |name: &str, text: &str| fs::write(directory.join(name), text).map_err(|error| failed(&error));
        write("authority.pem", &authority.pem())?;
        let dfsps = (0..scheme.dfsps).map(dfsp_text);
        for name in [HUB.to_owned(), DFSPS.to_owned()].into_iter().chain(dfsps.clone()) {
            let (certificate, key) = issue(&authority, &name).map_err(|error| failed(&error))?;
            write(&format!("{name}.pem"), &certificate)?;
            write(&format!("{name}-key.pem"), &key)?;
        }
        let key = rcgen::KeyPair::generate().map_err(|error| failed(&error))?;
        write("hub-signing-p256.pem", &key.serialize_pem())?;
        fs::create_dir(directory.join("public")).map_err(|error| failed(&error))?;
        let mut signing = Vec::new();
        for name in dfsps {
            let (key, _pem) = SigningKey::generate_rsa().map_err(|error| failed(&error))?;
            let public = key.public_pem().map_err(|error| failed(&error))?;
            write(&format!("public/{name}.pem"), &public)?;
            signing.push(key);
        }
        Ok(Self { directory: directory.to_owned(), signing })
    }

    /// The key with which a DFSP signs.
    pub fn signing(&self, dfsp: u8) -> &SigningKey {
        &self.signing[usize::from(dfsp)]
    }

    /// Arguments of a hub that calls DFSPs over mutual TLS.
    pub fn outgoing_arguments(&self) -> Vec<OsString> {
        let KeyPair { certificate, key } = self.pair(HUB);
        vec![
            "--outgoing-ca".into(),
            self.authority().into(),
            "--outgoing-certificate".into(),
            certificate.into(),
            "--outgoing-key".into(),
            key.into(),
        ]
    }

    /// Arguments of a hub that hears DFSPs over mutual TLS only.
    pub fn listener_arguments(&self) -> Vec<OsString> {
        let KeyPair { certificate, key } = self.pair(HUB);
        vec![
            "--fspiop-client-ca".into(),
            self.authority().into(),
            "--fspiop-certificate".into(),
            certificate.into(),
            "--fspiop-key".into(),
            key.into(),
        ]
    }

    /// Arguments of a hub that refuses messages without a valid signature of their DFSP.
    pub fn verification_arguments(&self) -> Vec<OsString> {
        vec![
            "--verify-signatures".into(),
            "enforce".into(),
            "--verification-keys".into(),
            self.directory.join("public").into(),
        ]
    }

    /// Arguments of a hub that signs with a P-256 key; without them it makes an RSA key.
    pub fn p256_arguments(&self) -> Vec<OsString> {
        vec!["--signing-key".into(), self.directory.join("hub-signing-p256.pem").into()]
    }

    /// How a DFSP calls the hub. The error is a sentence.
    pub fn client(&self, dfsp: u8) -> Result<Arc<ClientConfig>, String> {
        let tls = ClientTls { ca: vec![self.authority()], pair: Some(self.pair(&dfsp_text(dfsp))) };
        in_use(&Keys::<ClientConfig>::of_client(tls))
    }

    /// How the DFSPs are called: by the hub alone. The error is a sentence.
    pub fn listener(&self) -> Result<Arc<ServerConfig>, String> {
        let tls = ListenerTls { pair: self.pair(DFSPS), client_ca: vec![self.authority()] };
        in_use(&Keys::<ServerConfig>::of_listener(tls))
    }

    fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    fn pair(&self, name: &str) -> KeyPair {
        let file = |suffix: &str| self.directory.join(format!("{name}{suffix}.pem"));
        KeyPair { certificate: file(""), key: file("-key") }
    }
}

fn in_use<T>(keys: &Keys<T>) -> Result<Arc<T>, String> {
    keys.current().ok_or_else(|| keys.state().problem.unwrap_or_else(|| "The keys cannot be used.".to_owned()))
}

fn authority() -> Result<CertifiedIssuer<'static, rcgen::KeyPair>, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name = subject("authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, rcgen::KeyPair::generate()?)
}

/// A certificate for a server on this machine and a client of this name, and its key.
fn issue(authority: &CertifiedIssuer<'static, rcgen::KeyPair>, name: &str) -> Result<(String, String), rcgen::Error> {
    let mut parameters = CertificateParams::new(vec![LOOPBACK.to_owned()])?;
    parameters.distinguished_name = subject(name);
    let key = rcgen::KeyPair::generate()?;
    Ok((parameters.signed_by(&key, authority)?.pem(), key.serialize_pem()))
}

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}
