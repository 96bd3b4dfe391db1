//! The authority of a scheme: a directory with a private key that issues certificates to who may be heard.
//!
//! The key lies in a file that its owner alone reads, and is used by the command that issues; no server has it. Invariant:
//! what a certificate says is what who issues it has said; a certificate is in the directory before anybody has it, so
//! that asking again for the same key gives the same certificate.

use crate::{
    files::{self, Readers},
    following::now,
    request::{self, subject},
    x509,
};
use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData as _, SerialNumber,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{
    fmt::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use vocabulary::Timestamp;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
const ISSUED: &str = "issued";
/// Ten years: whoever trusts it must be told of the next one.
pub const AUTHORITY_DAYS_DEFAULT: u32 = 3650;
/// A quarter: long enough to renew by hand, short enough that a key that nobody knows to be lost is worth little.
pub const DAYS_DEFAULT: u32 = 90;
/// Certificates of more days are refused by programs of today.
pub const DAYS_MAX: u32 = 825;
const DAY_S: u64 = 86_400;
/// Clocks differ: a certificate is valid from this long ago.
const BACKDATED_S: u64 = 3600;
const SERIAL_BYTES: usize = 16;
const NAME_CHARS_MAX: usize = 64;

/// An authority that can issue.
pub struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    not_after: Timestamp,
    pem: String,
}

/// What a certificate is to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The common name: whom the certificate stands for.
    pub name: String,
    /// DNS names and IP addresses where its owner serves; none for who only calls.
    pub hosts: Vec<String>,
    pub days: u32,
}

/// A certificate in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    pub pem: String,
    pub not_after: Timestamp,
    /// Whether it had been issued before.
    pub is_known: bool,
}

impl Authority {
    /// Makes an authority in a directory. One that is there is never replaced; one that was begun is finished. The error is
    /// a sentence.
    pub fn init(directory: &Path, name: &str, days: u32) -> Result<Self, String> {
        check_name(name)?;
        files::create_directory(directory)?;
        let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
        if certificate.exists() {
            return Err(format!(
                "There is an authority in {} already. Use it, or give another directory.",
                directory.display()
            ));
        }
        let made = KeyPair::generate().map_err(|error| format!("No key can be made: {error}."))?;
        files::create(&key, &made.serialize_pem(), Readers::Owner)?;
        let pair = key_pair(&key)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = subject(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_lifetime(&mut parameters, days);
        parameters.serial_number = Some(serial()?);
        let signed = parameters.self_signed(&pair).map_err(|error| format!("No authority can be made: {error}."))?;
        files::create(&certificate, &signed.pem(), Readers::Everybody)?;
        Self::open(directory)
    }

    /// Reads the authority of a directory. The error is a sentence.
    pub fn open(directory: &Path) -> Result<Self, String> {
        let file = directory.join(CERTIFICATE);
        if !file.exists() {
            return Err(format!(
                "There is no authority in {}; make one with: umoja admin ca init --directory {0}.",
                directory.display()
            ));
        }
        let pem = files::read(&file)?;
        let unusable = |error: &dyn std::fmt::Display| format!("The file {} cannot be used: {error}.", file.display());
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| unusable(&error))?;
        let not_after = x509::not_after(&der).ok_or_else(|| unusable(&"it says no end"))?;
        let pair = key_pair(&directory.join(KEY))?;
        if x509::public_key(&der) != Some(&pair.subject_public_key_info()[..]) {
            return Err(unusable(&format_args!("{KEY} is the key of another certificate")));
        }
        let issuer = Issuer::from_ca_cert_der(&der, pair).map_err(|error| unusable(&error))?;
        Ok(Self { directory: directory.to_owned(), issuer, not_after, pem })
    }

    /// The certificate that goes to all who are to trust this authority.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Issues a certificate for the key of a request in PEM. Where one of the same key that says the same is valid for
    /// another third of its time, it is that one. The error is a sentence.
    pub fn issue(&self, request: &str, wanted: &Wanted) -> Result<Issued, String> {
        let asking = request::read(request)?;
        check_name(&wanted.name)?;
        if !(1..=DAYS_MAX).contains(&wanted.days) {
            return Err(format!("A certificate can be valid for 1 to {DAYS_MAX} days, not {}.", wanted.days));
        }
        // Addresses have many spellings; the certificate has one.
        let host = |host: &String| host.parse::<IpAddr>().map_or_else(|_| host.clone(), |address| address.to_string());
        let wanted = &Wanted { hosts: wanted.hosts.iter().map(host).collect(), ..wanted.clone() };
        let mut parameters = CertificateParams::new(wanted.hosts.clone())
            .map_err(|error| format!("One of the hosts {} is none: {error}.", wanted.hosts.join(", ")))?;
        if let Some(known) = self.find(&asking.0.subject_public_key_info(), wanted)? {
            return Ok(known);
        }
        parameters.distinguished_name = subject(&wanted.name);
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !wanted.hosts.is_empty() {
            parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        parameters.use_authority_key_identifier_extension = true;
        set_lifetime(&mut parameters, wanted.days);
        let serial = serial()?;
        let file = self.directory.join(ISSUED).join(file_name(&serial, &wanted.name));
        parameters.serial_number = Some(serial);
        let issued = parameters.signed_by(&asking.0, &self.issuer);
        let issued = issued.map_err(|error| format!("No certificate can be issued: {error}."))?;
        let not_after = x509::not_after(issued.der()).ok_or("The certificate that was issued says no end.")?;
        if not_after > self.not_after {
            return Err(format!(
                "The authority ends on {}, before the certificate would. Give fewer days, or make a new authority.",
                self.not_after
            ));
        }
        files::create_directory(&self.directory.join(ISSUED))?;
        if !files::create(&file, &issued.pem(), Readers::Everybody)? {
            return Err(format!("There is a certificate in {} already; try again.", file.display()));
        }
        Ok(Issued { pem: issued.pem(), not_after, is_known: false })
    }

    /// The newest certificate of a key that says what is wanted and is not to be renewed yet.
    fn find(&self, public_key: &[u8], wanted: &Wanted) -> Result<Option<Issued>, String> {
        let directory = self.directory.join(ISSUED);
        if !directory.exists() {
            return Ok(None);
        }
        let unreadable = |error| format!("The directory {} cannot be read: {error}.", directory.display());
        let renewed_from = now().plus_millis(i64::from(wanted.days) * i64::try_from(DAY_S * 1000 / 3).unwrap_or(0));
        let mut found: Option<Issued> = None;
        for entry in std::fs::read_dir(&directory).map_err(unreadable)? {
            let pem = files::read(&entry.map_err(unreadable)?.path())?;
            let Ok(der) = CertificateDer::from_pem_slice(pem.as_bytes()) else { continue };
            let (Some(key), Some(not_after)) = (x509::public_key(&der), x509::not_after(&der)) else { continue };
            let says = x509::hosts(&der);
            let is_it = key == public_key
                && x509::common_name(&der).as_deref() == Some(&wanted.name)
                && wanted.hosts.len() == says.len()
                && wanted.hosts.iter().all(|host| says.contains(host))
                && not_after > renewed_from;
            if is_it && found.as_ref().is_none_or(|found| found.not_after < not_after) {
                found = Some(Issued { pem, not_after, is_known: true });
            }
        }
        Ok(found)
    }
}

fn key_pair(file: &Path) -> Result<KeyPair, String> {
    let pem = files::read_private(file)?;
    KeyPair::from_pem(&pem).map_err(|error| format!("The private key {} cannot be used: {error}.", file.display()))
}

fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(format!(
            "The name {name:?} cannot be in a certificate: it must have 1 to {NAME_CHARS_MAX} characters, none of them a \
             control character."
        ));
    }
    Ok(())
}

/// Random and positive.
fn serial() -> Result<SerialNumber, String> {
    let mut bytes = [0; SERIAL_BYTES];
    rand::fill(&mut bytes).map_err(|_| "The system gives no random numbers.".to_owned())?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// From a little ago on.
fn set_lifetime(parameters: &mut CertificateParams, days: u32) {
    let now = u64::try_from(now().millis() / 1000).unwrap_or(0);
    let begin = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.saturating_sub(BACKDATED_S));
    parameters.not_before = begin;
    parameters.not_after = begin + Duration::from_secs(BACKDATED_S + u64::from(days) * DAY_S);
}

/// Of the serial number first, so that no name makes another file's.
fn file_name(serial: &SerialNumber, name: &str) -> String {
    let mut text = String::new();
    for byte in serial.to_bytes() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    format!("{text}-{}.pem", name.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests;
