//! Keys in PEM, private for signing and public for verifying.

use super::parameters;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256,
        RsaKeyPair, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

pub use parameters::PublicParameters;

/// Why a key cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// The text holds no PEM block of the kind that is needed.
    NotPem,
    /// The block holds no RSA key of 2048 to 8192 bits and no P-256 key.
    Unusable(&'static str),
    /// A header that a signature must cover is missing.
    MissingHeader(&'static str),
}

/// A private key: RSA signs RS256, P-256 signs ES256.
pub struct SigningKey(Private);

enum Private {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// A public key.
pub struct VerificationKey {
    /// The key for each algorithm that it can verify.
    algorithms: Vec<(&'static str, ParsedPublicKey)>,
}

impl SigningKey {
    /// Reads `BEGIN PRIVATE KEY` (PKCS #8), `BEGIN RSA PRIVATE KEY` (PKCS #1) or `BEGIN EC PRIVATE KEY` (SEC 1).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Unusable("neither RSA of 2048 bits or more nor P-256");
        if let Some(der) = block(pem, "RSA PRIVATE KEY") {
            return RsaKeyPair::from_der(&der).map(Private::Rsa).map(Self).map_err(unusable);
        }
        if let Some(der) = block(pem, "EC PRIVATE KEY") {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
            return pair.map(Private::P256).map(Self).map_err(unusable);
        }
        let der = block(pem, "PRIVATE KEY").ok_or(KeyError::NotPem)?;
        match RsaKeyPair::from_pkcs8(&der) {
            Ok(pair) => Ok(Self(Private::Rsa(pair))),
            Err(_) => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                .map(Private::P256)
                .map(Self)
                .map_err(unusable),
        }
    }

    /// A new RSA key of 2048 bits, with its PKCS #8 PEM to keep.
    pub fn generate_rsa() -> Result<(Self, String), KeyError> {
        let failed = |_| KeyError::Unusable("the system gave no random numbers");
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        let pem = to_pem("PRIVATE KEY", der.as_ref());
        Ok((Self(Private::Rsa(pair)), pem))
    }

    /// A new P-256 key, with its PKCS #8 PEM to keep.
    pub fn generate_p256() -> Result<(Self, String), KeyError> {
        let failed = |_| KeyError::Unusable("the system gave no random numbers");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let der = pair.to_pkcs8v1().map_err(failed)?;
        let pem = to_pem("PRIVATE KEY", der.as_ref());
        Ok((Self(Private::P256(pair)), pem))
    }

    /// Every private key of a text, in its order. Errors: there is none, or one of them cannot be used.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, KeyError> {
        let mut keys = Vec::new();
        let mut rest = pem;
        while let Some(begin) = rest.find("-----BEGIN ") {
            let block = &rest[begin..];
            let end = block.find("-----END ").ok_or(KeyError::NotPem)?;
            let length = block[end + 9..].find("-----").ok_or(KeyError::NotPem)? + end + 14;
            let (block, after) = block.split_at(length);
            if block.contains("PRIVATE KEY-----") {
                keys.push(Self::from_pem(block)?);
            }
            rest = after;
        }
        if keys.is_empty() { Err(KeyError::NotPem) } else { Ok(keys) }
    }

    /// The numbers of the public key.
    pub fn parameters(&self) -> PublicParameters {
        let found = match &self.0 {
            Private::Rsa(pair) => parameters::of_rsa(pair.public_key().as_ref()),
            Private::P256(pair) => parameters::of_point(pair.public_key().as_ref()),
        };
        found.expect("the library writes public keys in their standard forms")
    }

    /// The public key as `BEGIN PUBLIC KEY`, for those who verify.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let failed = |_| KeyError::Unusable("the public key has no DER form");
        let der: PublicKeyX509Der<'_> = match &self.0 {
            Private::Rsa(pair) => pair.public_key().as_der().map_err(failed)?,
            Private::P256(pair) => pair.public_key().as_der().map_err(failed)?,
        };
        Ok(to_pem("PUBLIC KEY", der.as_ref()))
    }

    /// The name of the algorithm that the key signs with.
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            Private::Rsa(_) => "RS256",
            Private::P256(_) => "ES256",
        }
    }

    /// Signs bytes as they are.
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Unusable("the key does not sign");
        let random = SystemRandom::new();
        match &self.0 {
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Private::P256(pair) => Ok(pair.sign(&random, input).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl VerificationKey {
    /// Reads `BEGIN PUBLIC KEY` (X.509 subject public key info) or `BEGIN RSA PUBLIC KEY` (PKCS #1).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = block(pem, "PUBLIC KEY").or_else(|| block(pem, "RSA PUBLIC KEY")).ok_or(KeyError::NotPem)?;
        Self::from_der(&der)
    }

    /// A key from its numbers. Errors: they make no key that can be used.
    pub fn from_parameters(parameters: &PublicParameters) -> Result<Self, KeyError> {
        Self::from_der(&parameters.to_der())
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let all: [(&'static str, &'static dyn VerificationAlgorithm); 4] = [
            ("RS256", &RSA_PKCS1_2048_8192_SHA256),
            ("RS384", &RSA_PKCS1_2048_8192_SHA384),
            ("RS512", &RSA_PKCS1_2048_8192_SHA512),
            ("ES256", &ECDSA_P256_SHA256_FIXED),
        ];
        let fits = |(name, algorithm)| ParsedPublicKey::new(algorithm, der).ok().map(|key| (name, key));
        let algorithms: Vec<_> = all.into_iter().filter_map(fits).collect();
        if algorithms.is_empty() {
            return Err(KeyError::Unusable("neither RSA of 2048 bits or more nor P-256"));
        }
        Ok(Self { algorithms })
    }

    /// Whether the signature is this key's for the algorithm and input.
    pub fn accepts(&self, algorithm: &str, input: &[u8], signature: &[u8]) -> bool {
        let key = self.algorithms.iter().find(|(name, _)| *name == algorithm);
        key.is_some_and(|(_, key)| key.verify_sig(input, signature).is_ok())
    }

    /// The algorithms that the key verifies.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.algorithms.iter().map(|(name, _)| *name).collect()
    }

    pub(super) fn knows(&self, algorithm: &str) -> bool {
        self.algorithms.iter().any(|(name, _)| *name == algorithm)
    }
}

/// The bytes of the first PEM block with a label.
fn block(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (text, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(text).ok()
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

impl fmt::Debug for SigningKey {
    /// Never shows the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.algorithm())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPem => formatter.write_str("the text holds no key in PEM form"),
            Self::Unusable(why) => write!(formatter, "the key cannot be used: {why}"),
            Self::MissingHeader(name) => write!(formatter, "the header {name} is missing and must be signed"),
        }
    }
}

impl std::error::Error for KeyError {}
