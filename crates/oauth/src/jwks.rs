//! Sets of public keys (RFC 7517), and what one is called (RFC 7638).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fspiop::jws::{PublicParameters, VerificationKey};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;

/// Keys of a set; those of providers have two or three.
const KEYS_MAX: usize = 64;

/// The public keys of an issuer.
#[derive(Default)]
pub struct KeySet(Vec<Key>);

/// A public key.
pub struct Key {
    pub id: Option<String>,
    /// The only algorithm that it is for, where that is said.
    pub algorithm: Option<String>,
    pub key: VerificationKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// Reads a set. Keys of other kinds and for other purposes are left out. Errors: a sentence's end; there is no key to
    /// verify with.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(bytes).map_err(|_| "it is no object with a list of keys".to_owned())?;
        let keys: Vec<Key> = document.keys.into_iter().take(KEYS_MAX).filter_map(read).collect();
        if keys.is_empty() { Err("it has no RSA or P-256 key for signatures".to_owned()) } else { Ok(Self(keys)) }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that may have signed a token: those of the name that it gives, or all if it gives none.
    pub fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: &'a str,
    ) -> impl Iterator<Item = &'a VerificationKey> {
        let fits = move |key: &&Key| {
            let is_named = id.is_none_or(|id| key.id.as_deref() == Some(id));
            is_named && key.algorithm.as_deref().is_none_or(|only| only == algorithm)
        };
        self.0.iter().filter(fits).map(|key| &key.key)
    }
}

/// None for a key that signs no tokens here.
fn read(value: Value) -> Option<Key> {
    let wire: WireKey = serde_json::from_value(value).ok()?;
    if wire.purpose.is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok();
    let coordinate = |text| <[u8; 32]>::try_from(bytes(text)?).ok();
    let parameters = match (wire.kty.as_str(), wire.crv.as_deref()) {
        ("RSA", _) => PublicParameters::Rsa { modulus: bytes(wire.n)?, exponent: bytes(wire.e)? },
        ("EC", Some("P-256")) => PublicParameters::P256 { x: coordinate(wire.x)?, y: coordinate(wire.y)? },
        _ => return None,
    };
    let key = VerificationKey::from_parameters(&parameters).ok()?;
    Some(Key { id: wire.kid, algorithm: wire.alg, key })
}

/// A key as an element of a set.
pub fn describe(parameters: &PublicParameters, algorithm: &str) -> Value {
    let mut key = members(parameters);
    key["kid"] = key_id(parameters).into();
    key["alg"] = algorithm.into();
    key["use"] = "sig".into();
    key
}

/// What a key is called: the hash of its numbers.
pub fn key_id(parameters: &PublicParameters) -> String {
    // Members are sorted by their names and written without white space, as the standard asks.
    let text = match members(parameters) {
        Value::Object(members) => {
            let mut members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            unreachable!("a key is an object")
        }
    };
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

fn members(parameters: &PublicParameters) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match parameters {
        PublicParameters::Rsa { modulus, exponent } => json!({"kty": "RSA", "n": text(modulus), "e": text(exponent)}),
        PublicParameters::P256 { x, y } => json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)}),
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeySet({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fspiop::jws::SigningKey;

    #[test]
    fn the_name_of_a_key_is_that_of_the_standards_example() {
        let example = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV\
                  4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d\
                  0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-\
                  csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
        });
        let text = |name: &str| URL_SAFE_NO_PAD.decode(example[name].as_str().unwrap()).unwrap();
        let parameters = PublicParameters::Rsa { modulus: text("n"), exponent: text("e") };
        assert_eq!(key_id(&parameters), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_set_is_read_as_it_was_written_and_what_is_of_no_use_is_left_out() {
        let keys = [SigningKey::generate_rsa().unwrap().0, SigningKey::generate_p256().unwrap().0];
        let described = keys.each_ref().map(|key| describe(&key.parameters(), key.algorithm()));
        let mut encrypting = described[0].clone();
        encrypting["use"] = "enc".into();
        let secret = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "shared"});
        let document = json!({"keys": [secret, described[0], 7, encrypting, described[1]]});
        let set = KeySet::parse(document.to_string().as_bytes()).unwrap();
        assert_eq!(set.0.len(), 2);
        for key in &keys {
            let id = key_id(&key.parameters());
            let signature = key.sign(b"text").unwrap();
            let mut found = set.candidates(Some(&id), key.algorithm());
            assert!(found.next().unwrap().accepts(key.algorithm(), b"text", &signature));
            assert!(found.next().is_none());
            assert_eq!(set.candidates(Some(&id), "RS384").count(), 0, "a key for one algorithm is for no other");
            assert_eq!(set.candidates(Some("other"), key.algorithm()).count(), 0);
            assert_eq!(set.candidates(None, key.algorithm()).count(), 1);
        }
        for wrong in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"eA"}]}"#, r#"{"keys":{}}"#] {
            assert!(KeySet::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
