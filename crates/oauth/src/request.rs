//! What a client asks of a token endpoint (RFC 6749 §4.4.2, §2.3.1), and what it is told if it cannot be had (§5.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use std::{collections::HashMap, fmt};

/// Bytes of a form.
pub const FORM_BYTES_MAX: usize = 8 * 1024;

/// A request of the grant that this endpoint has. Whether the secret is the client's is not known yet.
pub struct TokenRequest {
    pub client_id: String,
    pub secret: String,
}

/// Why a token is not issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// What is wrong with its form.
    Invalid(&'static str),
    /// Nobody who may come here: unknown, another secret, or none.
    Client,
    UnsupportedGrantType,
    /// The participant is not active.
    Unauthorized,
    /// Too many wrong secrets are being answered.
    Busy,
}

impl TokenRequest {
    pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, RequestError> {
        let form = read_form(headers, body)?;
        match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => {}
            Some(_) => return Err(RequestError::UnsupportedGrantType),
            None => return Err(RequestError::Invalid("grant_type is missing")),
        }
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        match (read_basic(headers)?, secret) {
            (Some(_), Some(_)) => Err(RequestError::Invalid("the client's secret stands in header and body")),
            (Some(basic), None) if id.is_some_and(|id| !basic.names().any(|name| name == *id)) => {
                Err(RequestError::Invalid("client_id is not the client of the header"))
            }
            (Some(basic), None) => Ok(basic),
            (None, Some(secret)) => {
                let client_id = id.ok_or(RequestError::Invalid("client_id is missing"))?.clone();
                Ok(Self { client_id, secret: secret.clone() })
            }
            (None, None) => Err(RequestError::Client),
        }
    }

    /// The client's id as it came, and where that is something else, decoded: the standard has names in a header encoded,
    /// and many clients do not encode them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let decoded = decode(&self.client_id).filter(|decoded| *decoded != self.client_id);
        std::iter::once(self.client_id.clone()).chain(decoded)
    }
}

fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<HashMap<String, String>, RequestError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(RequestError::Invalid("the body is to be application/x-www-form-urlencoded"));
    }
    if body.len() > FORM_BYTES_MAX {
        return Err(RequestError::Invalid("the body is too long"));
    }
    let malformed = RequestError::Invalid("the body is no form");
    let text = std::str::from_utf8(body).map_err(|_| malformed)?;
    let mut form = HashMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name).ok_or(malformed)?, decode(value).ok_or(malformed)?);
        // A parameter without a value counts as none (RFC 6749 §3.2).
        if !value.is_empty() && form.insert(name, value).is_some() {
            return Err(RequestError::Invalid("a parameter stands twice"));
        }
    }
    Ok(form)
}

fn decode(text: &str) -> Option<String> {
    fspiop::percent_decode(&text.replace('+', " "))
}

fn read_basic(headers: &HeaderMap) -> Result<Option<TokenRequest>, RequestError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let value = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(RequestError::Client)?;
    let (scheme, encoded) = value.split_once(' ').ok_or(RequestError::Client)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(RequestError::Client);
    }
    let text = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or(RequestError::Client)?;
    let (client_id, secret) = text.split_once(':').ok_or(RequestError::Client)?;
    Ok(Some(TokenRequest { client_id: client_id.to_owned(), secret: secret.to_owned() }))
}

impl RequestError {
    /// The code of the answer.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::Client => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::Unauthorized => "unauthorized_client",
            Self::Busy => "temporarily_unavailable",
        }
    }

    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid(_) | Self::UnsupportedGrantType | Self::Unauthorized => 400,
            Self::Client => 401,
            Self::Busy => 429,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Invalid(what) => what,
            Self::Client => "the client is not known by this name and secret",
            Self::UnsupportedGrantType => "only client_credentials are granted here",
            Self::Unauthorized => "the participant is not active",
            Self::Busy => "too many wrong secrets; try again in a second",
        })
    }
}

impl std::error::Error for RequestError {}

impl fmt::Debug for TokenRequest {
    /// Never shows the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenRequest({})", self.client_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn headers(basic: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, FORM.parse().unwrap());
        if let Some(basic) = basic {
            headers.insert(AUTHORIZATION, format!("Basic {}", STANDARD.encode(basic)).parse().unwrap());
        }
        headers
    }

    fn parse(basic: Option<&str>, body: &str) -> Result<(String, String), RequestError> {
        TokenRequest::parse(&headers(basic), body.as_bytes()).map(|request| (request.client_id, request.secret))
    }

    #[test]
    fn the_client_is_named_in_the_header_or_in_the_body() {
        let both = |id: &str, secret: &str| Ok((id.to_owned(), secret.to_owned()));
        let grant = "grant_type=client_credentials";
        for (basic, body, expected) in [
            (Some("bank:hush"), grant, both("bank", "hush")),
            (Some("bank:hush:hush"), grant, both("bank", "hush:hush")),
            (Some("bank:hush"), "scope=a+b&grant_type=client_credentials&client_id=bank", both("bank", "hush")),
            (Some("a%20b:hush"), "grant_type=client_credentials&client_id=a+b", both("a%20b", "hush")),
            (None, "client_id=a+b%21&client_secret=x%26y&&grant_type=client_credentials", both("a b!", "x&y")),
            (Some("bank:hush"), "grant_type=client_credentials&client_secret=", both("bank", "hush")),
            (None, grant, Err(RequestError::Client)),
            (Some("bank"), grant, Err(RequestError::Client)),
            (Some("bank:hush"), "", Err(RequestError::Invalid("grant_type is missing"))),
            (Some("bank:hush"), "grant_type=password", Err(RequestError::UnsupportedGrantType)),
            (
                Some("bank:hush"),
                "grant_type=client_credentials&client_id=other",
                Err(RequestError::Invalid("client_id is not the client of the header")),
            ),
            (
                Some("bank:hush"),
                "grant_type=client_credentials&client_id=bank&client_secret=hush",
                Err(RequestError::Invalid("the client's secret stands in header and body")),
            ),
            (
                None,
                "grant_type=client_credentials&client_secret=hush",
                Err(RequestError::Invalid("client_id is missing")),
            ),
            (
                Some("bank:hush"),
                "grant_type=client_credentials&grant_type=password",
                Err(RequestError::Invalid("a parameter stands twice")),
            ),
            (Some("bank:hush"), "grant_type=%zz", Err(RequestError::Invalid("the body is no form"))),
        ] {
            assert_eq!(parse(basic, body), expected, "{basic:?} {body}");
        }
        let request = TokenRequest::parse(&headers(Some("a%20b:hush")), grant.as_bytes()).unwrap();
        assert_eq!(request.names().collect::<Vec<_>>(), ["a%20b", "a b"]);
        assert!(!format!("{request:?}").contains("hush"));
    }

    #[test]
    fn the_media_type_the_length_and_the_header_are_checked() {
        let invalid = |headers: &HeaderMap, body: &[u8]| TokenRequest::parse(headers, body).unwrap_err();
        let mut json = headers(Some("a:b"));
        json.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        assert!(matches!(invalid(&json, b"{}"), RequestError::Invalid(_)));
        let long = vec![b'a'; FORM_BYTES_MAX + 1];
        assert_eq!(invalid(&headers(None), &long), RequestError::Invalid("the body is too long"));
        assert_eq!(invalid(&headers(None), b"\xff=\xfe"), RequestError::Invalid("the body is no form"));
        for value in ["Bearer abc", "Basic", "Basic !!", "Basic /w=="] {
            let mut wrong = headers(None);
            wrong.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(invalid(&wrong, b"grant_type=client_credentials"), RequestError::Client, "{value}");
        }
        let mut twice = headers(Some("a:b"));
        twice.append(AUTHORIZATION, "Basic YTpi".parse().unwrap());
        assert_eq!(invalid(&twice, b"grant_type=client_credentials"), RequestError::Client);
    }

    proptest! {
        #[test]
        fn no_form_is_too_strange(body in proptest::collection::vec(any::<u8>(), 0..200), basic in ".{0,40}") {
            drop(TokenRequest::parse(&headers(Some(&basic)), &body));
            drop(TokenRequest::parse(&headers(None), &body));
        }
    }
}
