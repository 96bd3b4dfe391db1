//! A message to the hub, correct unless a test spoils it, and the hub's answer.

use super::{PAYEE, PAYER, now};
use axum::body::Body;
use bytes::Bytes;
use fspiop::jws::{self, SigningKey};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use std::convert::Infallible;

/// A request. The headers of a new one are those of a correct FSPIOP message from the payer.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    is_chunked: bool,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// A call such as `PUT /quotes/{id}`, version 1.1, from the payer; quotes are addressed to the payee.
    pub fn new(line: &str) -> Self {
        let call = Self::bare(line);
        let resource = call.path.split(['/', '?']).nth(1).unwrap_or_default().to_owned();
        let is_callback = call.is_callback();
        let media_type = format!("application/vnd.interoperability.{resource}+json;version=1.1");
        let mut call = call.with("content-type", &media_type).with("date", &now().http().to_string());
        if !is_callback {
            call = call.with("accept", &media_type);
        }
        call = call.from(PAYER);
        if resource == "quotes" { call.to(PAYEE) } else { call }
    }

    /// A call with JSON and no FSPIOP headers; a null body is none.
    pub fn plain(line: &str, body: Value) -> Self {
        if body.is_null() { Self::bare(line) } else { Self::bare(line).plain_body(body.to_string()) }
    }

    fn bare(line: &str) -> Self {
        let (method, path) = line.split_once(' ').unwrap();
        let headers = Vec::new();
        Self { method: method.to_owned(), path: path.to_owned(), headers, body: Bytes::new(), is_chunked: false }
    }

    pub fn from(self, name: &str) -> Self {
        self.with("fspiop-source", name)
    }

    pub fn to(self, name: &str) -> Self {
        self.with("fspiop-destination", name)
    }

    /// The same call in another version of the API.
    pub fn version(mut self, version: &str) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == "content-type" || name == "accept") {
            *value = value.replace("version=1.1", &format!("version={version}"));
        }
        self
    }

    /// Sets a header.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Adds a header, beside one of the same name.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub fn plain_body(self, body: String) -> Self {
        self.with("content-type", "application/json").body(body)
    }

    /// The same headers and body at another path.
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Sends the body without saying how long it is.
    pub fn chunked(mut self) -> Self {
        self.is_chunked = true;
        self
    }

    /// The same call, signed as its DFSP signs it.
    pub fn signed(self, key: &SigningKey) -> Self {
        let (method, path) = (self.method.clone(), self.path.clone());
        let call = self.with("fspiop-http-method", &method).with("fspiop-uri", &path).without("fspiop-signature");
        let pair = |(name, value): &(String, String)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        let headers: HeaderMap = call.headers.iter().map(pair).collect();
        let signature = jws::sign(key, &headers, &call.body).unwrap();
        call.with("fspiop-signature", &signature)
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// PUT and PATCH are answered with 200, everything else with 202.
    pub fn is_callback(&self) -> bool {
        self.method == "PUT" || self.method == "PATCH"
    }

    pub(super) fn to_body(&self) -> Body {
        if self.is_chunked {
            let pieces: Vec<_> =
                self.body.chunks(1 << 16).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece))).collect();
            return Body::from_stream(futures_util::stream::iter(pieces));
        }
        Body::from(self.body.clone())
    }
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `<status> <code> <description>` of an error object, with the extensions as `key.value` behind it. Fails if the
    /// answer is anything else.
    pub fn error(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let information = &body["errorInformation"];
        let mut text = format!(
            "{} {} {}",
            self.status,
            information["errorCode"].as_str().unwrap_or("(no code)"),
            information["errorDescription"].as_str().unwrap_or("(no description)")
        );
        for extension in information["extensionList"]["extension"].as_array().into_iter().flatten() {
            text += &format!(" {}.{}", extension["key"].as_str().unwrap(), extension["value"].as_str().unwrap());
        }
        text
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// The bytes of an error object without extensions.
pub fn error_body(code: &str, description: &str) -> String {
    json!({"errorInformation": {"errorCode": code, "errorDescription": description}}).to_string()
}
