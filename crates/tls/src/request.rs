//! Requests for certificates (PKCS #10): made by who has the private key, and read by who signs.
//!
//! Invariant: of a request nothing counts but its public key, and that it is signed with the private one. Keys that are too
//! weak, or of a kind that participants' programs do not know, are refused.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, Error, KeyPair, PublicKeyData as _,
};

/// Characters of a request; the largest sensible one has some five thousand.
const REQUEST_CHARS_MAX: usize = 64 * 1024;

/// A private key and a request for a certificate of it, both PEM.
pub struct Made {
    pub key: String,
    pub request: String,
}

/// Who asks, as it is known once the request has been read.
pub(crate) struct Asking(pub rcgen::PublicKey);

/// A new P-256 key and its request. The name is for people; who signs decides what the certificate says.
pub fn make(name: &str) -> Result<Made, String> {
    let key = KeyPair::generate().map_err(|error| format!("No key can be made: {error}."))?;
    Ok(Made { request: of_key(&key, name)?, key: key.serialize_pem() })
}

/// A request of a key that is there already, in PEM.
pub fn of_private_key(pem: &str, name: &str) -> Result<String, String> {
    let key = KeyPair::from_pem(pem).map_err(|error| format!("The private key cannot be used: {error}."))?;
    of_key(&key, name)
}

fn of_key(key: &KeyPair, name: &str) -> Result<String, String> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = subject(name);
    let request = parameters.serialize_request(key).and_then(|request| request.pem());
    request.map_err(|error| format!("No request can be made: {error}."))
}

/// The public key of a request in PEM, as it stands in certificates.
pub fn public_key(pem: &str) -> Result<Vec<u8>, String> {
    read(pem).map(|asking| asking.0.subject_public_key_info())
}

/// Reads a request in PEM. The error is a sentence.
pub(crate) fn read(pem: &str) -> Result<Asking, String> {
    if pem.len() > REQUEST_CHARS_MAX {
        return Err("The request for a certificate is too long to be one.".to_owned());
    }
    let asked = CertificateSigningRequestParams::from_pem(pem).map_err(|error| refusal(&error))?;
    let key = asked.public_key.subject_public_key_info();
    let accepted: [&dyn VerificationAlgorithm; 4] =
        [&RSA_PKCS1_2048_8192_SHA256, &ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1, &ED25519];
    let is_accepted = accepted.into_iter().any(|algorithm| ParsedPublicKey::new(algorithm, &key).is_ok());
    if !is_accepted {
        return Err(
            "The key of the request for a certificate is too weak or of an unknown kind: it must be RSA of 2048 \
                    bits or more, P-256, P-384 or Ed25519."
                .to_owned(),
        );
    }
    Ok(Asking(asked.public_key))
}

fn refusal(error: &Error) -> String {
    let known = [
        (Error::CouldNotParseCertificationRequest, "This is no request for a certificate (PKCS #10) in PEM form."),
        (
            Error::InvalidCertificationRequestSignature,
            "The signature of the request for a certificate does not verify: it was changed, who made it has not the \
             private key, or the key is too weak (RSA of 2048 bits or more is needed). Ask for a new one.",
        ),
        (
            Error::UnsupportedExtension,
            "The request for a certificate wants extensions that are not known here. Ask for one without: the authority \
             decides what the certificate says.",
        ),
    ];
    match known.iter().find(|(kind, _)| kind == error) {
        Some((_, sentence)) => (*sentence).to_owned(),
        None => format!("The request for a certificate cannot be used: {error}."),
    }
}

pub(crate) fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}
