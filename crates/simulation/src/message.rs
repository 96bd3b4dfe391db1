//! FSPIOP messages as DFSPs write and read them.

use crate::network::Request;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use vocabulary::Timestamp;

pub const SOURCE: &str = "fspiop-source";
pub const DESTINATION: &str = "fspiop-destination";
pub const PROXY: &str = "fspiop-proxy";

/// A message of a DFSP.
pub fn message(method: &Method, path: &str, source: &str, destination: Option<&str>, body: Option<&Value>) -> Request {
    let resource = path.split('/').nth(1).unwrap_or_default();
    let media_type = format!("application/vnd.interoperability.{resource}+json;version=2.0");
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("names and media types are plain");
        headers.insert(HeaderName::from_static(name), value);
    };
    set("content-type", &media_type);
    if *method != Method::PUT {
        set("accept", &media_type.replace("version=2.0", "version=2"));
    }
    set("date", &hub::clock::now().http().to_string());
    set(SOURCE, source);
    if let Some(destination) = destination {
        set(DESTINATION, destination);
    }
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    headers.remove(header::CONTENT_LENGTH);
    Request { method: method.clone(), path: path.to_owned(), headers, body }
}

/// A header's text; empty if it is absent.
pub fn header_of<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The body as JSON; null if it is none.
pub fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// The secret of a payment, and the condition that it opens.
pub fn secret(seed: u64, number: usize) -> (String, String) {
    let preimage = Sha256::digest(format!("{seed}/{number}"));
    (URL_SAFE_NO_PAD.encode(preimage), URL_SAFE_NO_PAD.encode(Sha256::digest(preimage)))
}

/// An id of a payment or of its conversion.
pub fn id(seed: u64, number: usize, kind: u8) -> String {
    let mut bytes: [u8; 16] =
        Sha256::digest(format!("{seed}/{number}/{kind}"))[..16].try_into().expect("a digest is long");
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    vocabulary::CorrelationId::from_parts(bytes, false).to_string()
}

pub fn in_millis(millis: u64) -> Timestamp {
    hub::clock::now().plus_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
