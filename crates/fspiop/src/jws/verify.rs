//! Verification of a received signature.

use super::{Protected, Signature, VerificationKey, signing_input, text_of};
use crate::{
    canonical_json,
    headers::{DESTINATION, HTTP_METHOD, SIGNATURE, SOURCE, URI},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use std::fmt;

/// Why a signature is not accepted, for the sender and for whoever looks for the fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvalidSignature {
    Missing,
    /// The header is not the JSON object that it should be.
    Malformed,
    /// A header that is signed stands twice, or is no text.
    Repeated(&'static str),
    NoBody,
    /// Whose signature it is cannot be known.
    NoKey {
        fsp: String,
        why: String,
    },
    UnknownAlgorithm(String),
    /// The protected header lacks a member that must be signed.
    NotProtected(&'static str),
    /// The protected header and the HTTP header differ.
    Differs(&'static str),
    /// The HTTP header is what was signed, and the request has another method or path.
    OfAnotherRequest(&'static str),
    /// Everything fits but the signature itself: another key, or other bytes.
    Wrong,
}

/// Verifies the signature of a message with the key of its source.
///
/// The bytes of the body are tried as they came, then in the canonical form with sorted keys: a sender whose body was
/// rendered again on its way is accepted if nothing but the form changed.
pub fn verify(key: &VerificationKey, headers: &HeaderMap, body: &[u8]) -> Result<(), InvalidSignature> {
    let value = text_of(headers, SIGNATURE)?.ok_or(InvalidSignature::Missing)?;
    let Signature { protected_header, signature } =
        serde_json::from_str(value).map_err(|_| InvalidSignature::Malformed)?;
    if body.is_empty() {
        return Err(InvalidSignature::NoBody);
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidSignature::Malformed);
    let protected: Protected =
        serde_json::from_slice(&decode(&protected_header)?).map_err(|_| InvalidSignature::Malformed)?;
    let signature = decode(&signature)?;
    check_headers(&protected, headers)?;
    if !key.knows(&protected.alg) {
        return Err(InvalidSignature::UnknownAlgorithm(protected.alg));
    }
    let is_signed = |body: &[u8]| {
        let input = signing_input(&protected_header, body);
        key.accepts(&protected.alg, input.as_bytes(), &signature)
    };
    let sorted = || Some(canonical_json(&serde_json::from_slice(body).ok()?));
    if is_signed(body) || sorted().is_some_and(|sorted| is_signed(sorted.as_bytes())) {
        Ok(())
    } else {
        Err(InvalidSignature::Wrong)
    }
}

fn check_headers(protected: &Protected, headers: &HeaderMap) -> Result<(), InvalidSignature> {
    let demanded = [(URI, &protected.uri), (HTTP_METHOD, &protected.method), (SOURCE, &protected.source)];
    for (name, signed) in demanded {
        let signed = signed.as_deref().ok_or(InvalidSignature::NotProtected(name))?;
        let sent = text_of(headers, name)?.ok_or(InvalidSignature::Differs(name))?;
        let is_same = if name == HTTP_METHOD { signed.eq_ignore_ascii_case(sent) } else { signed == sent };
        if !is_same {
            return Err(InvalidSignature::Differs(name));
        }
    }
    match (protected.destination.as_deref(), text_of(headers, DESTINATION)?) {
        (None, Some(_)) => return Err(InvalidSignature::NotProtected(DESTINATION)),
        (signed, sent) if signed != sent => return Err(InvalidSignature::Differs(DESTINATION)),
        (_, _) => {}
    }
    match protected.date.as_deref() {
        Some(signed) if Some(signed) != text_of(headers, "date")? => Err(InvalidSignature::Differs("date")),
        Some(_) | None => Ok(()),
    }
}

impl InvalidSignature {
    /// The kind of the fault in one word, for those who count.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Repeated(_) => "repeated",
            Self::NoBody => "no_body",
            Self::NoKey { .. } => "no_key",
            Self::UnknownAlgorithm(_) => "algorithm",
            Self::NotProtected(_) => "not_protected",
            Self::Differs(_) => "differs",
            Self::OfAnotherRequest(_) => "other_request",
            Self::Wrong => "wrong",
        }
    }
}

impl fmt::Display for InvalidSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("there is no fspiop-signature header"),
            Self::Malformed => formatter.write_str("the fspiop-signature header is malformed"),
            Self::Repeated(name) => write!(formatter, "the header {name} stands twice or is no text"),
            Self::NoKey { fsp, why } => write!(formatter, "there is no key of {fsp}: {why}"),
            Self::NoBody => formatter.write_str("a message without a body cannot be signed"),
            Self::UnknownAlgorithm(name) => write!(formatter, "the key does not verify the algorithm {name}"),
            Self::NotProtected(name) => write!(formatter, "the signature does not cover {name}"),
            Self::Differs(name) => write!(formatter, "the header {name} is not what was signed"),
            Self::OfAnotherRequest(name) => write!(formatter, "the header {name} is not that of the request"),
            Self::Wrong => formatter.write_str("the signature does not fit the body and key"),
        }
    }
}

impl std::error::Error for InvalidSignature {}
