//! FSPIOP signatures: JSON Web Signature with a detached body (FSPIOP 1.1 "Signature"; contract §1.8, dfsp-client §7).
//!
//! The header `FSPIOP-Signature` is a JSON object `{"protectedHeader","signature"}`, both base64url without padding. What is
//! signed is `protectedHeader + "." + base64url(body)`, over the bytes of the body as they travel. RS256 signatures are
//! deterministic, so that every attempt to deliver a message carries the same one.
//!
//! Invariant: a signature is accepted only if the protected header says of method, path, source and destination what the
//! HTTP headers say.

mod directory;
mod explain;
mod keys;
mod parameters;
mod verify;

pub use directory::KeyDirectory;
pub use explain::{Explanation, Finding, explain};
pub use keys::{KeyError, PublicParameters, SigningKey, VerificationKey};
pub use verify::{InvalidSignature, verify};

use crate::headers::{DESTINATION, HTTP_METHOD, SOURCE, URI};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};

/// The protected header, with the members and their order that existing clients write.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
struct Protected {
    alg: String,
    #[serde(rename = "FSPIOP-URI")]
    uri: Option<String>,
    #[serde(rename = "FSPIOP-HTTP-Method")]
    method: Option<String>,
    #[serde(rename = "FSPIOP-Source")]
    source: Option<String>,
    #[serde(rename = "FSPIOP-Destination", skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(rename = "Date", skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

/// The value of the `FSPIOP-Signature` header.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    protected_header: String,
    signature: String,
}

/// A message as it was received, with its request line.
#[derive(Clone, Copy)]
pub struct Received<'message> {
    pub method: &'message Method,
    /// Without a query.
    pub path: &'message str,
    pub headers: &'message HeaderMap,
    pub body: &'message [u8],
}

/// Signs a message: the value of its `FSPIOP-Signature` header. The headers already say method, path, source and date.
///
/// Errors: a header that must be protected is missing or not text.
pub fn sign(key: &SigningKey, headers: &HeaderMap, body: &[u8]) -> Result<String, KeyError> {
    let text = |name: &'static str| text_of(headers, name).ok().flatten().map(str::to_owned);
    let demanded = |name: &'static str| text(name).ok_or(KeyError::MissingHeader(name));
    let protected = Protected {
        alg: key.algorithm().to_owned(),
        uri: Some(demanded(URI)?),
        method: Some(demanded(HTTP_METHOD)?.to_ascii_uppercase()),
        source: Some(demanded(SOURCE)?),
        destination: text(DESTINATION),
        date: text("date"),
    };
    let protected = serde_json::to_vec(&protected).expect("texts always serialise");
    let protected_header = URL_SAFE_NO_PAD.encode(protected);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signing_input(&protected_header, body).as_bytes())?);
    Ok(serde_json::to_string(&Signature { protected_header, signature }).expect("texts always serialise"))
}

/// The value of a header that is sent once: of two, nobody could say which was signed. Names may have any letters.
fn text_of<'headers>(
    headers: &'headers HeaderMap,
    name: &'static str,
) -> Result<Option<&'headers str>, InvalidSignature> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or(InvalidSignature::Repeated(name))
}

fn signing_input(protected_header: &str, body: &[u8]) -> String {
    let mut input = String::with_capacity(protected_header.len() + 1 + body.len() * 4 / 3 + 4);
    input.push_str(protected_header);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(body, &mut input);
    input
}

#[cfg(test)]
mod tests;
