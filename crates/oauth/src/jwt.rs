//! JSON Web Tokens in their compact form (RFC 7519, RFC 7515).
//!
//! Invariant: claims of a [`Token`] are worth nothing before its signature was checked with a key of the issuer that it
//! names. Whoever reads one says what is expected, so that no check can be left out.

use crate::Refusal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fspiop::jws::{KeyError, SigningKey, VerificationKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use vocabulary::Timestamp;

/// Bytes of a token. Those of identity providers have one to three thousand.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// What a token may be signed with: nothing that a public key could make.
const ALGORITHMS: [&str; 4] = ["RS256", "RS384", "RS512", "ES256"];
/// Values of `aud`.
const AUDIENCES_MAX: usize = 64;
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A token that is not verified yet.
pub struct Token<'text> {
    signed: &'text str,
    signature: Vec<u8>,
    header: Header,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that have to be understood: there are none.
    crit: Option<Value>,
}

/// What a token says.
pub struct Claims(Map<String, Value>);

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub now: Timestamp,
    /// By how much the issuer's clock may differ.
    pub leeway_ms: i64,
}

#[derive(Serialize)]
struct NewHeader<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// A signed access token (RFC 9068 names its type).
pub fn sign(key: &SigningKey, key_id: &str, claims: &impl Serialize) -> Result<String, KeyError> {
    let header = NewHeader { alg: key.algorithm(), kid: key_id, typ: "at+jwt" };
    let header = serde_json::to_vec(&header).expect("texts always serialise");
    let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Unusable("its claims are no JSON"))?;
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

impl<'text> Token<'text> {
    /// Takes a token apart. Errors: it is too long, it is none, or its algorithm is not allowed.
    pub fn parse(text: &'text str) -> Result<Self, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        if !ALGORITHMS.contains(&header.alg.as_str()) {
            return Err(Refusal::Algorithm);
        }
        let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| Refusal::Malformed)?;
        Ok(Self { signed, signature: decode(signature)?, header, claims: Claims(claims) })
    }

    /// The key that it says it was signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub fn algorithm(&self) -> &str {
        &self.header.alg
    }

    /// Whose token it says it is. Decides only whose keys are tried.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.claims.text("iss")
    }

    /// The claims, if the signature is one of these keys'.
    pub fn verified<'key>(self, keys: impl Iterator<Item = &'key VerificationKey>) -> Result<Claims, Refusal> {
        let mut refusal = Refusal::UnknownKey;
        for key in keys {
            if key.accepts(&self.header.alg, self.signed.as_bytes(), &self.signature) {
                return Ok(self.claims);
            }
            refusal = Refusal::Signature;
        }
        Err(refusal)
    }
}

impl Claims {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// Checks issuer, audience and times; returns when the token ends.
    pub fn check(&self, expected: &Expected<'_>) -> Result<Timestamp, Refusal> {
        if self.text("iss") != Some(expected.issuer) {
            return Err(Refusal::Issuer);
        }
        if !self.is_for(expected.audience) {
            return Err(Refusal::Audience);
        }
        let end = self.time("exp")?.ok_or(Refusal::Malformed)?;
        if end.plus_millis(expected.leeway_ms) <= expected.now {
            return Err(Refusal::Expired);
        }
        if self.time("nbf")?.is_some_and(|begin| begin > expected.now.plus_millis(expected.leeway_ms)) {
            return Err(Refusal::NotYetValid);
        }
        Ok(end)
    }

    /// `aud` is a text or a list of texts (RFC 7519 §4.1.3).
    fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => all.iter().take(AUDIENCES_MAX).any(|one| one.as_str() == Some(audience)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
        }
    }

    /// Seconds since 1970, of which some issuers write fractions.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let text = value.as_number().map(ToString::to_string).ok_or(Refusal::Malformed)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::Malformed);
        }
        let seconds: i64 = whole.parse().map_err(|_| Refusal::Malformed)?;
        if !(0..=LAST_SECOND).contains(&seconds) {
            return Err(Refusal::Malformed);
        }
        Ok(Some(Timestamp::from_millis(seconds * 1000)))
    }
}

impl fmt::Debug for Token<'_> {
    /// Never shows the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

impl fmt::Debug for Claims {
    /// Never shows the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Claims")
    }
}

#[cfg(test)]
mod tests;
