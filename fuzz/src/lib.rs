//! What the fuzz targets share: requests made from bytes.
//!
//! Invariant: every function takes any bytes; what does not make a request makes none.
#![forbid(unsafe_code)]

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The methods that routes know, and one that they do not.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"];
/// One path of every resource.
const PATHS: [&str; 11] = [
    "/transfers",
    "/transfers/b51ec534-ee48-4575-b6a9-ead2955b8069",
    "/quotes",
    "/parties/MSISDN/27710000002",
    "/participants/MSISDN/27710000002",
    "/participants",
    "/transactionRequests",
    "/authorizations/b51ec534-ee48-4575-b6a9-ead2955b8069",
    "/fxQuotes",
    "/bulkTransfers",
    "/services/FXP",
];

/// The first byte as a choice; the rest is left.
pub fn choose<'bytes, T>(from: &[T], bytes: &'bytes [u8]) -> Option<(T, &'bytes [u8])>
where
    T: Copy,
{
    let (first, rest) = bytes.split_first()?;
    Some((from[usize::from(*first) % from.len()], rest))
}

/// A method, by one byte.
pub fn method(bytes: &[u8]) -> Option<(Method, &[u8])> {
    let (name, rest) = choose(&METHODS, bytes)?;
    Some((name.parse().ok()?, rest))
}

/// A route that exists, by two bytes.
pub fn known_route(bytes: &[u8]) -> Option<(fspiop::RawRoute, &[u8])> {
    let (method, rest) = method(bytes)?;
    let (path, rest) = choose(&PATHS, rest)?;
    Some((fspiop::route(&method, path).ok()?, rest))
}

/// Headers, one `name: value` a line. A line that is none is left out.
pub fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}
