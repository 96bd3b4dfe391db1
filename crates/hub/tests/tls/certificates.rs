//! Certificates of several authorities, made for the test, and files that hold them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tls::KeyPair;

/// An authority that issues certificates.
pub struct Authority(CertifiedIssuer<'static, rcgen::KeyPair>);

/// A certificate with its key, in PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    /// The name tells authorities apart: verifiers look for an issuer by its name.
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name = subject(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, rcgen::KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a server on 127.0.0.1 or a client whose common name is given, for many years.
    pub fn issue(&self, name: &str) -> Issued {
        self.issue_with(name, &["127.0.0.1"], |_| {})
    }

    /// For a client that is named by its alternative names.
    pub fn issue_alternative(&self, name: &str, alternative: &str) -> Issued {
        self.issue_with(name, &[alternative], |_| {})
    }

    pub fn issue_with(&self, name: &str, alternatives: &[&str], set: impl FnOnce(&mut CertificateParams)) -> Issued {
        let alternatives: Vec<String> = alternatives.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(alternatives).unwrap();
        parameters.distinguished_name = subject(name);
        parameters.not_after = rcgen::date_time_ymd(2090, 12, 31);
        set(&mut parameters);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap().pem();
        Issued { certificate, key: key.serialize_pem() }
    }

    /// For a client, from long ago until so many seconds from now.
    pub fn issue_until(&self, name: &str, seconds: i64) -> Issued {
        self.issue_with(name, &[], |parameters| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let end = Duration::from_secs(now.checked_add_signed(seconds).unwrap());
            parameters.not_after = rcgen::date_time_ymd(1970, 1, 1) + end;
        })
    }
}

impl Issued {
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap().to_vec()
    }

    /// Writes both and says where they are.
    pub fn write(&self, directory: &Path, name: &str) -> KeyPair {
        KeyPair {
            certificate: write(directory, &format!("{name}.pem"), &self.certificate),
            key: write(directory, &format!("{name}-key.pem"), &self.key),
        }
    }

    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        (vec![certificate], PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap())
    }
}

pub fn write(directory: &Path, name: &str, content: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// A client that trusts an authority and shows a certificate, or none.
pub fn client(servers: &Authority, shown: Option<&Issued>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots(servers));
    match shown {
        Some(issued) => {
            let (chain, key) = issued.parts();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    }
}

/// A server that hears only callers whose certificates go back to an authority.
pub fn server(issued: &Issued, callers: &Authority) -> ServerConfig {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(callers), provider()).build().unwrap();
    let (chain, key) = issued.parts();
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap()
}

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    Arc::new(store)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
