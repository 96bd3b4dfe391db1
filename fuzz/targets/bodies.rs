//! Every parser of a body. The first byte chooses it, so that one input stays one parser's.
#![no_main]

use fspiop::{
    FspiopError, Resource,
    body::{
        AuthorizationPut, ErrorInformation, FxProviders, FxQuoteRequest, FxQuoteResponse, FxTransferFulfil,
        FxTransferPrepare, ParticipantBatch, ParticipantRegistration, ParticipantUpdate, PartyPut, QuoteRequest,
        QuoteResponse, TransactionRequest, TransactionRequestPut, TransferFulfil, TransferNotice, TransferPrepare,
    },
};
use libfuzzer_sys::fuzz_target;

type Parser = fn(&[u8]) -> Result<(), FspiopError>;

const PARSERS: [Parser; 19] = [
    |body| TransferPrepare::parse(body).map(drop),
    |body| TransferFulfil::parse(body).map(drop),
    |body| TransferNotice::parse(body).map(drop),
    |body| QuoteRequest::parse(body).map(drop),
    |body| QuoteResponse::parse(body).map(drop),
    |body| PartyPut::parse(body).map(drop),
    |body| ParticipantRegistration::parse(body).map(drop),
    |body| ParticipantUpdate::parse(body).map(drop),
    |body| ParticipantBatch::parse(body).map(drop),
    |body| TransactionRequest::parse(body).map(drop),
    |body| TransactionRequestPut::parse(body).map(drop),
    |body| AuthorizationPut::parse(body).map(drop),
    |body| ErrorInformation::parse(Resource::Transfers, body).map(drop),
    |body| ErrorInformation::parse(Resource::Quotes, body).map(drop),
    |body| FxQuoteRequest::parse(body).map(drop),
    |body| FxQuoteResponse::parse(body).map(drop),
    |body| FxTransferPrepare::parse(body).map(drop),
    |body| FxTransferFulfil::parse(body).map(drop),
    |body| FxProviders::parse(body).map(drop),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((parse, body)) = fuzz::choose(&PARSERS, bytes) else { return };
    if let Err(error) = parse(body) {
        assert_eq!(error.http_status(), 400, "{error}");
        assert!(FspiopError::from_json(&error.to_json()).is_some());
    }
});
