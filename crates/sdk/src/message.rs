//! A message on its way to the hub: what it says and under which headers (FSPIOP 1.1 §3.2, §3.3).
//!
//! Invariant: every try of one message has the same bytes and the same date, so that the hub recognises it.

use crate::config::now;
use bytes::Bytes;
use fspiop::jws::{self, KeyError, SigningKey};
use fspiop::{Operation, Resource, Version, canonical_json, content_type, headers};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use vocabulary::{CorrelationId, FspId, Timestamp};

/// What pings have for a resource.
const PING: &str = "ping";

/// One message, complete but for its source. See [`crate::Connection::deliver`].
#[derive(Clone)]
pub struct Message {
    method: Method,
    /// In media types: a resource's name, or `ping`.
    kind: &'static str,
    version: Version,
    accepts: Accepts,
    /// Canonical path, percent-encoded, with its query if it has one.
    path: String,
    destination: Option<FspId>,
    date: Timestamp,
    body: Bytes,
    signature: Option<HeaderValue>,
}

/// Which versions of the answer a request asks for.
#[derive(Clone, Copy)]
enum Accepts {
    /// That of the request.
    Same,
    /// Any with its major number.
    SameMajor,
}

impl Message {
    /// A request (POST, GET, DELETE) or callback (PUT). The path is that of `operation`.
    pub fn new(method: Method, resource: Resource, operation: &Operation) -> Self {
        Self::at(method, resource.as_str(), operation.uri())
    }

    /// `PUT /ping/{ID}`: the positive answer to a ping.
    pub fn ping_answer(id: &CorrelationId) -> Self {
        Self::at(Method::PUT, PING, format!("/{PING}/{id}"))
    }

    /// `PUT /ping/{ID}/error`.
    pub fn ping_error(id: &CorrelationId) -> Self {
        Self::at(Method::PUT, PING, format!("/{PING}/{id}/error"))
    }

    fn at(method: Method, kind: &'static str, path: String) -> Self {
        let body = Bytes::new();
        let (version, accepts, destination, signature) = (Version::V2_0, Accepts::Same, None, None);
        Self { method, kind, version, accepts, path, destination, date: now(), body, signature }
    }

    pub fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// Leaves the minor number out of `Accept`, as participants' clients do.
    pub fn accepting_major(self) -> Self {
        Self { accepts: Accepts::SameMajor, ..self }
    }

    /// `query` is percent-encoded and has no question mark.
    pub fn query(self, query: &str) -> Self {
        Self { path: format!("{}?{query}", self.path), ..self }
    }

    pub fn to(self, destination: &FspId) -> Self {
        Self { destination: Some(destination.clone()), ..self }
    }

    pub fn body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// Whether there is a body that a signature could cover.
    pub fn can_be_signed(&self) -> bool {
        !self.body.is_empty()
    }

    /// The same message with its body in the canonical form and signed.
    ///
    /// Errors: a name that cannot be written into a header, or a key that does not sign.
    pub fn signed(mut self, key: &SigningKey, source: &FspId) -> Result<Self, String> {
        let body = serde_json::from_slice(&self.body).map_err(|error| format!("the body is no JSON: {error}"))?;
        self.body = canonical_json(&body).into();
        let request = self.request("", source).map_err(|error| error.to_string())?;
        let signature = jws::sign(key, request.headers(), &self.body).map_err(|error: KeyError| error.to_string())?;
        self.signature = Some(HeaderValue::from_str(&signature).map_err(|error| error.to_string())?);
        Ok(self)
    }

    /// The HTTP request for one try. `base` is the hub's URL.
    ///
    /// Errors: the URL or a name cannot be written into a request.
    pub fn request(&self, base: &str, source: &FspId) -> Result<Request<Full<Bytes>>, http::Error> {
        let media_type = content_type(self.kind, self.version);
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("{}{}", base.trim_end_matches('/'), self.path))
            .header(http::header::CONTENT_TYPE, media_type)
            .header(http::header::DATE, self.date.http().to_string())
            .header(headers::SOURCE, name(source)?);
        if let Some(destination) = &self.destination {
            request = request.header(headers::DESTINATION, name(destination)?);
        }
        if self.method != Method::PUT {
            request = request.header(http::header::ACCEPT, self.accept());
        }
        if self.method != Method::GET {
            request =
                request.header(headers::HTTP_METHOD, self.method.as_str()).header(headers::URI, self.path.as_str());
        }
        if let Some(signature) = &self.signature {
            request = request.header(headers::SIGNATURE, signature);
        }
        request.body(Full::new(self.body.clone()))
    }

    fn accept(&self) -> String {
        let full = content_type(self.kind, self.version);
        match self.accepts {
            Accepts::Same => full,
            Accepts::SameMajor => full.rsplit_once('.').map_or(full.clone(), |(major, _)| major.to_owned()),
        }
    }

    /// For logs: neither path nor body, which may be personal data.
    pub fn title(&self) -> String {
        format!("{} /{}", self.method, self.kind)
    }
}

/// Names may be any text; a header takes it as bytes.
fn name(fsp: &FspId) -> Result<HeaderValue, http::Error> {
    Ok(HeaderValue::from_bytes(fsp.as_str().as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::PartyIdType;

    fn party() -> fspiop::PartyPath {
        fspiop::PartyPath { id_type: PartyIdType::Msisdn, identifier: "+123".into(), sub_id: None }
    }

    #[test]
    fn requests_ask_for_a_version_and_callbacks_do_not() {
        let source = "greenbank".parse().unwrap();
        let get = Message::new(Method::GET, Resource::Parties, &Operation::GetParty(party()));
        let get = get.version(Version::V1_1).request("http://hub:4000/", &source).unwrap();
        assert_eq!(get.uri(), "http://hub:4000/parties/MSISDN/+123");
        assert_eq!(get.headers()["accept"], "application/vnd.interoperability.parties+json;version=1.1");
        assert_eq!(get.headers()["content-type"], get.headers()["accept"]);
        assert_eq!(get.headers()["fspiop-source"], "greenbank");
        assert!(!get.headers().contains_key("fspiop-destination"));
        let put = Message::new(Method::PUT, Resource::Parties, &Operation::PutParty(party()));
        let put = put.to(&"bluewallet".parse().unwrap()).request("http://hub:4000", &source).unwrap();
        assert!(!put.headers().contains_key("accept"));
        assert_eq!(put.headers()["fspiop-destination"], "bluewallet");
        assert_eq!(put.headers()["fspiop-uri"], "/parties/MSISDN/+123");
        assert_eq!(put.headers()["fspiop-http-method"], "PUT");
    }

    #[test]
    fn the_answer_to_a_ping_has_its_own_media_type() {
        let id: CorrelationId = "b51ec534-ee48-4575-b6a9-ead2955b8069".parse().unwrap();
        for (message, path) in [(Message::ping_answer(&id), ""), (Message::ping_error(&id), "/error")] {
            let put = message.request("http://hub:4000", &"greenbank".parse().unwrap()).unwrap();
            assert_eq!(put.uri().to_string(), format!("http://hub:4000/ping/{id}{path}"));
            assert_eq!(put.headers()["fspiop-uri"], format!("/ping/{id}{path}"));
            assert_eq!(put.headers()["content-type"], "application/vnd.interoperability.ping+json;version=2.0");
        }
    }

    #[test]
    fn a_request_may_leave_the_minor_version_of_the_answer_open() {
        let message = Message::new(Method::GET, Resource::Parties, &Operation::GetParty(party()));
        let request = message.version(Version::V1_0).accepting_major().query("a=b");
        let request = request.request("http://hub:4000", &"greenbank".parse().unwrap()).unwrap();
        assert_eq!(request.headers()["accept"], "application/vnd.interoperability.parties+json;version=1");
        assert_eq!(request.headers()["content-type"], "application/vnd.interoperability.parties+json;version=1.0");
        assert_eq!(request.uri(), "http://hub:4000/parties/MSISDN/+123?a=b");
    }

    #[test]
    fn what_the_client_writes_passes_the_checks_of_a_hub() {
        let operation = Operation::GetParty(party());
        let message = Message::new(Method::GET, Resource::Parties, &operation);
        let request = message.request("http://hub:4000", &"greenbank".parse().unwrap()).unwrap();
        let route = fspiop::route(request.method(), request.uri().path()).unwrap();
        let envelope = fspiop::check_headers(&route, request.headers()).unwrap();
        assert_eq!((envelope.source.as_str(), envelope.version), ("greenbank", Version::V2_0));
    }
}
