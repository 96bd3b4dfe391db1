//! Every example of a message is complete and correct: its path has a route, its headers and body pass the checks of the
//! FSPIOP port.

use crate::pages;
use fspiop::{
    Resource,
    body::{
        AuthorizationPut, ErrorInformation, FxProviders, FxQuoteRequest, FxQuoteResponse, FxTransferFulfil,
        FxTransferPrepare, ParticipantBatch, ParticipantRegistration, ParticipantUpdate, PartyPut, QuoteRequest,
        QuoteResponse, TransactionRequest, TransactionRequestPut, TransferFulfil, TransferNotice, TransferPrepare,
    },
};
use http::{HeaderMap, HeaderName, Method};

struct Example {
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: String,
}

#[test]
fn every_example_passes_the_checks_of_the_port() {
    let mut count = 0;
    for page in pages::all() {
        for block in page.blocks("http") {
            let example = Example::read(&block.text);
            example.check(&format!("{}: {} {}", page.name, example.method, example.path));
            count += 1;
        }
        for block in page.blocks("json") {
            assert!(serde_json::from_str::<serde_json::Value>(&block.text).is_ok(), "{}: {}", page.name, block.text);
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

impl Example {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let (path, query) = (path.to_owned(), query.map(str::to_owned));
        Self { method: method.parse().unwrap(), path, query, headers, body: body.to_owned() }
    }

    fn check(&self, place: &str) {
        let route = fspiop::route(&self.method, &self.path).unwrap_or_else(|error| panic!("{place}: {error:?}"));
        let resource = route.resource();
        let envelope =
            fspiop::check_headers(&route, &self.headers).unwrap_or_else(|error| panic!("{place}: {error:?}"));
        let operation = route.operation(self.query.as_deref()).unwrap_or_else(|error| panic!("{place}: {error:?}"));
        if envelope.source.as_str() == "Hub" {
            let header = |name: &str| self.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("fspiop-uri"), Some(operation.uri().as_str()), "{place}");
            assert_eq!(header("fspiop-http-method"), Some(self.method.as_str()), "{place}");
            assert!(envelope.destination.is_some() && !envelope.has_accept, "{place}");
        }
        let is_empty = self.method == Method::GET || self.method == Method::DELETE;
        assert_eq!(is_empty, self.body.is_empty(), "{place}");
        if !is_empty {
            self.check_body(resource).unwrap_or_else(|error| panic!("{place}: {}", error.description()));
        }
    }

    fn check_body(&self, resource: Resource) -> Result<(), fspiop::FspiopError> {
        let body = self.body.as_bytes();
        if self.path.ends_with("/error") {
            return ErrorInformation::parse(resource, body).map(drop);
        }
        let is_post = self.method == Method::POST;
        match resource {
            Resource::Parties => PartyPut::parse(body).map(drop),
            Resource::Participants if is_post && self.path == "/participants" => {
                ParticipantBatch::parse(body).map(drop)
            }
            Resource::Participants if is_post => ParticipantRegistration::parse(body).map(drop),
            Resource::Participants => ParticipantUpdate::parse(body).map(drop),
            Resource::Quotes if is_post => QuoteRequest::parse(body).map(drop),
            Resource::Quotes => QuoteResponse::parse(body).map(drop),
            Resource::Transfers if is_post => TransferPrepare::parse(body).map(drop),
            Resource::Transfers if self.method == Method::PATCH => TransferNotice::parse(body).map(drop),
            Resource::Transfers => TransferFulfil::parse(body).map(drop),
            Resource::TransactionRequests if is_post => TransactionRequest::parse(body).map(drop),
            Resource::TransactionRequests => TransactionRequestPut::parse(body).map(drop),
            Resource::Authorizations => AuthorizationPut::parse(body).map(drop),
            Resource::FxQuotes if is_post => FxQuoteRequest::parse(body).map(drop),
            Resource::FxQuotes => FxQuoteResponse::parse(body).map(drop),
            Resource::FxTransfers if is_post => FxTransferPrepare::parse(body).map(drop),
            Resource::FxTransfers => FxTransferFulfil::parse(body).map(drop),
            Resource::Services => FxProviders::parse(body).map(drop),
            Resource::BulkQuotes | Resource::BulkTransfers => {
                panic!("{} is not served yet", self.path)
            }
        }
    }
}
