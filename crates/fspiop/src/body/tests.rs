//! Bodies by example: what each schema accepts, and the first fault that it reports.

use super::*;
use crate::{ErrorCode, FspiopError, Resource};
use proptest::prelude::*;
use serde_json::{Value, json};
use vocabulary::{Amount, InvalidAmount};

mod fx;

const TRANSFER_ID: &str = "b51ec534-ee48-4575-b6a9-ead2955b8069";
const CONDITION: &str = "Ft8BxJmdaEqZtx6NIEwuT0pficomwML33qq2sYyYdHQ";

fn prepare() -> Value {
    json!({
        "transferId": TRANSFER_ID,
        "payeeFsp": "payeefsp",
        "payerFsp": "payerfsp",
        "amount": { "currency": "USD", "amount": "10.5" },
        "ilpPacket": "AYID",
        "condition": CONDITION,
        "expiration": "2026-11-20T21:54:58.635Z",
    })
}

fn quote() -> Value {
    json!({
        "quoteId": TRANSFER_ID,
        "transactionId": TRANSFER_ID,
        "payee": { "partyIdInfo": { "partyIdType": "MSISDN", "partyIdentifier": "1", "fspId": "payeefsp" } },
        "payer": {
            "partyIdInfo": { "partyIdType": "ALIAS", "partyIdentifier": "x" },
            "personalInfo": { "complexName": { "firstName": "Öz" }, "dateOfBirth": "1966-06-16" },
            "supportedCurrencies": ["USD", "EUR"],
        },
        "amountType": "SEND",
        "amount": { "currency": "USD", "amount": "10.5" },
        "transactionType": { "scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER" },
    })
}

/// The document with one member set (or, with null, removed); `pointer` names the member.
fn with(mut document: Value, pointer: &str, value: Value) -> Vec<u8> {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    document.to_string().into_bytes()
}

fn prepare_refusal(body: &[u8]) -> String {
    refusal(TransferPrepare::parse(body).unwrap_err())
}

fn refusal(error: FspiopError) -> String {
    assert_eq!(error.http_status(), 400);
    error.to_string()
}

#[test]
fn a_prepare_is_read_into_its_parts() {
    let list = r#"{ "extension" : [ { "key":"a", "value":"b" } ] }"#;
    let text = prepare().to_string().replace("\"payeeFsp\"", &format!("\"extensionList\":{list},\"payeeFsp\""));
    let prepare = TransferPrepare::parse(text.as_bytes()).unwrap();
    assert_eq!(prepare.transfer_id.to_string(), TRANSFER_ID);
    assert_eq!((prepare.payer_fsp.as_str(), prepare.payee_fsp.as_str()), ("payerfsp", "payeefsp"));
    assert_eq!((prepare.amount, &*prepare.amount_text), (Ok(Amount::from_units(105_000)), "10.5"));
    assert_eq!((prepare.currency.as_str(), prepare.condition.to_string().as_str()), ("USD", CONDITION));
    assert_eq!(prepare.expiration.to_string(), "2026-11-20T21:54:58.635Z");
    assert_eq!((&*prepare.ilp_packet, prepare.extension_list.as_deref()), ("AYID", Some(list)));
}

#[test]
fn an_amount_that_the_grammar_allows_and_the_ledger_cannot_hold_is_no_malformed_message() {
    let parsed = TransferPrepare::parse(&with(prepare(), "/amount/amount", "999999999999999999".into())).unwrap();
    assert_eq!(parsed.amount, Err(InvalidAmount::TooLarge));
}

#[test]
fn each_mandatory_member_is_missed_by_name_in_the_order_of_the_schema() {
    let names = ["transferId", "payeeFsp", "payerFsp", "amount", "ilpPacket", "condition", "expiration"];
    let mut document = json!({});
    for name in names {
        let expected = format!("3102: Missing mandatory element - /requestBody must have required property '{name}'");
        assert_eq!(prepare_refusal(document.to_string().as_bytes()), expected);
        document[name] = prepare()[name].clone();
    }
    assert!(TransferPrepare::parse(document.to_string().as_bytes()).is_ok());
}

#[test]
fn faults_are_named_as_participants_know_them() {
    let too_many: Vec<Value> = (0..17).map(|_| json!({ "key": "k", "value": "v" })).collect();
    for (pointer, value, expected) in [
        (
            "/amount/amount",
            json!("5.50"),
            "3100: Generic validation error - /requestBody/amount/amount must match pattern",
        ),
        (
            "/amount/currency",
            json!("ZZZ"),
            "3100: Generic validation error - /requestBody/amount/currency must be equal to one of the allowed values",
        ),
        (
            "/amount/currency",
            json!("ZZ"),
            "3100: Generic validation error - /requestBody/amount/currency must NOT have fewer than 3 characters",
        ),
        (
            "/expiration",
            json!("2026-11-20T21:54:58Z"),
            "3100: Generic validation error - /requestBody/expiration must match",
        ),
        (
            "/transferId",
            json!(TRANSFER_ID.to_uppercase()),
            "3100: Generic validation error - /requestBody/transferId must match",
        ),
        (
            "/payeeFsp",
            json!(""),
            "3100: Generic validation error - /requestBody/payeeFsp must NOT have fewer than 1 characters",
        ),
        ("/amount", json!("10.5"), "3101: Malformed syntax - /requestBody/amount must be object"),
        ("/amount/amount", json!({}), "3101: Malformed syntax - /requestBody/amount/amount must be string"),
        (
            "/extensionList",
            json!({ "extension": {} }),
            "3101: Malformed syntax - /requestBody/extensionList/extension must be array",
        ),
        (
            "/extensionList",
            json!({ "extension": too_many }),
            "3100: Generic validation error - /requestBody/extensionList/extension must NOT have more than 16 items",
        ),
        (
            "/extensionList",
            json!({ "extension": [{ "key": "k", "value": "v" }, { "key": "k" }] }),
            "3102: Missing mandatory element - /requestBody/extensionList/extension/1 must have required property 'value'",
        ),
        (
            "/ilpPacket",
            json!("A".repeat(32_769)),
            "3100: Generic validation error - /requestBody/ilpPacket must NOT have more than",
        ),
    ] {
        let text = prepare_refusal(&with(prepare(), pointer, value));
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn a_body_that_is_absent_or_not_json_lacks_something() {
    assert_eq!(prepare_refusal(b""), "3102: Missing mandatory element - must have required property 'requestBody'");
    let lacks_id = "3102: Missing mandatory element - /requestBody must have required property 'transferId'";
    for body in [&b"{"[..], b"not json", b" ", b"{\"a\":\xff}", b"{} {}"] {
        assert_eq!(prepare_refusal(body), lacks_id);
    }
    for body in [&b"[]"[..], b"null", b"\"x\"", b"1"] {
        assert_eq!(prepare_refusal(body), "3101: Malformed syntax - /requestBody must be object");
    }
    assert_eq!(
        refusal(ParticipantUpdate::parse(b"{").unwrap_err()),
        "3101: Malformed syntax - /requestBody must be JSON"
    );
}

#[test]
fn scalars_are_coerced_where_text_belongs() {
    let body = with(prepare(), "/amount/amount", json!(10.50));
    assert_eq!(TransferPrepare::parse(&body).unwrap().amount, Ok(Amount::from_units(105_000)));
    let body = with(prepare(), "/payeeFsp", json!(true));
    assert_eq!(TransferPrepare::parse(&body).unwrap().payee_fsp.as_str(), "true");
    let body = prepare().to_string().replace("\"payeefsp\"", "null");
    assert!(prepare_refusal(body.as_bytes()).contains("must NOT have fewer than 1 characters"));
    let body = prepare().to_string().replace("\"10.5\"", "1e3");
    assert!(prepare_refusal(body.as_bytes()).contains("must match pattern"));
}

#[test]
fn unknown_members_are_refused_at_the_top_of_quotes_and_accepted_everywhere_else() {
    assert!(TransferPrepare::parse(&with(prepare(), "/x", json!(1))).is_ok());
    assert!(QuoteRequest::parse(&with(quote(), "/payer/x", json!(1))).is_ok());
    let error = QuoteRequest::parse(&with(quote(), "/x", json!(1))).unwrap_err();
    assert_eq!(refusal(error), "3103: Too many elements - /requestBody must NOT have additional properties");
    assert!(QuoteRequest::parse(&with(quote(), "/converter", json!("PAYER"))).is_ok());
    let error = QuoteResponse::parse(br#"{"x":1}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::MISSING_ELEMENT, "what is missing is reported first");
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    let body = prepare().to_string().replace("{\"amount\"", "{\"transferId\":\"x\",\"amount\"");
    assert_eq!(TransferPrepare::parse(body.as_bytes()).unwrap().transfer_id.to_string(), TRANSFER_ID);
}

#[test]
fn fulfils_and_notices_are_read() {
    let body = format!(
        r#"{{"completedTimestamp":"2026-11-20T21:53:58.898Z","transferState":"COMMITTED","fulfilment":"{CONDITION}"}}"#
    );
    let fulfil = TransferFulfil::parse(body.as_bytes()).unwrap();
    assert_eq!(fulfil.state, TransferState::Committed);
    assert_eq!(fulfil.fulfilment.unwrap().to_string(), CONDITION);
    assert_eq!(fulfil.completed.unwrap().to_string(), "2026-11-20T21:53:58.898Z");
    assert_eq!(TransferNotice::parse(body.as_bytes()).unwrap().state, TransferState::Committed);

    let bare = TransferFulfil::parse(br#"{"transferState":"RESERVED"}"#).unwrap();
    assert_eq!((bare.fulfilment, bare.completed, bare.extension_list), (None, None, None));
    let error = TransferFulfil::parse(br#"{"transferState":"SETTLED"}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::GENERIC_VALIDATION);
    let error = TransferFulfil::parse(br#"{"transferState":"COMMITTED","fulfilment":"short"}"#).unwrap_err();
    assert!(refusal(error).contains("/requestBody/fulfilment must match pattern"));
}

#[test]
fn quotes_are_read_into_names_and_currencies() {
    let request = QuoteRequest::parse(quote().to_string().as_bytes()).unwrap();
    assert_eq!(request.payee.id.fsp_id.unwrap().as_str(), "payeefsp");
    assert_eq!((request.payer.id.fsp_id, request.payer.supported_currencies.len()), (None, 2));
    assert_eq!((request.amount_type, request.amount.currency.as_str()), (AmountType::Send, "USD"));

    let mut response = json!({
        "transferAmount": { "currency": "USD", "amount": "1" },
        "expiration": "2026-11-20T21:54:58.635Z",
        "ilpPacket": "AYI=",
        "condition": CONDITION,
    });
    let parse = |document: &Value| QuoteResponse::parse(document.to_string().as_bytes()).unwrap();
    assert_eq!(parse(&response).currency().as_str(), "USD");
    response["payeeReceiveAmount"] = json!({ "currency": "EUR", "amount": "1" });
    assert_eq!(parse(&response).currency().as_str(), "EUR");
}

#[test]
fn faults_of_quotes_point_into_the_document() {
    for (pointer, value, expected) in [
        ("/payer/partyIdInfo", json!(""), "3101: Malformed syntax - /requestBody/payer/partyIdInfo must be object"),
        ("/quoteId", json!(""), "3100: Generic validation error - /requestBody/quoteId must match pattern"),
        ("/amountType", json!(""), "3100: Generic validation error - /requestBody/amountType must be equal"),
        (
            "/transactionType/scenario",
            json!(""),
            "3100: Generic validation error - /requestBody/transactionType/scenario must be",
        ),
        (
            "/payer/supportedCurrencies",
            json!(["USD", "x"]),
            "3100: Generic validation error - /requestBody/payer/supportedCurrencies/1 must NOT have fewer than 3",
        ),
    ] {
        let text = refusal(QuoteRequest::parse(&with(quote(), pointer, value)).unwrap_err());
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn participants_and_parties_have_their_own_mandatory_members() {
    assert_eq!(ParticipantRegistration::parse(b"{}").unwrap_err().code, ErrorCode::MISSING_ELEMENT);
    let registration = ParticipantRegistration::parse(br#"{"fspId":"a","currency":"USD","x":1}"#).unwrap();
    assert_eq!((registration.fsp_id.as_str(), registration.currency.unwrap().as_str()), ("a", "USD"));
    assert_eq!(ParticipantUpdate::parse(b"{}").unwrap().fsp_id, None);
    let empty = format!(r#"{{"requestId":"{TRANSFER_ID}","partyList":[]}}"#);
    assert!(refusal(ParticipantBatch::parse(empty.as_bytes()).unwrap_err()).ends_with("fewer than 1 items"));
    let one = empty.replace("[]", r#"[{"partyIdType":"MSISDN","partyIdentifier":"1","partySubIdOrType":"s"}]"#);
    let batch = ParticipantBatch::parse(one.as_bytes()).unwrap();
    assert_eq!((batch.parties.len(), batch.parties[0].sub_id.as_deref()), (1, Some("s")));
    assert!(refusal(PartyPut::parse(b"{}").unwrap_err()).ends_with("'party'"));
    let party =
        PartyPut::parse(br#"{"party":{"partyIdInfo":{"partyIdType":"MSISDN","partyIdentifier":"1"},"name":"A"}}"#);
    assert_eq!(party.unwrap().name.as_deref(), Some("A"));
}

#[test]
fn transaction_requests_do_not_check_enumerations() {
    let request = json!({
        "transactionRequestId": TRANSFER_ID,
        "payee": { "partyIdInfo": { "partyIdType": "ANY", "partyIdentifier": "1" } },
        "payer": { "partyIdType": "ANY", "partyIdentifier": "2" },
        "amount": { "currency": "any", "amount": "1" },
        "transactionType": { "scenario": "any", "initiator": "any", "initiatorType": "any" },
    });
    assert!(TransactionRequest::parse(request.to_string().as_bytes()).is_ok());
    let error = TransactionRequest::parse(&with(request, "/x", json!(1))).unwrap_err();
    assert_eq!(error.code, ErrorCode::TOO_MANY_ELEMENTS);
    assert_eq!(TransactionRequestPut::parse(br#"{"transactionRequestState":"ODD"}"#).unwrap().state, "ODD");
    assert_eq!(AuthorizationPut::parse(br#"{"responseType":"ENTERED"}"#).unwrap().response_type, "ENTERED");
}

#[test]
fn the_codes_of_error_callbacks_are_narrower_for_quotes() {
    let body = |code: &str| format!(r#"{{"errorInformation":{{"errorCode":"{code}","errorDescription":"d"}}}}"#);
    let parse = |resource, code: &str| ErrorInformation::parse(resource, body(code).as_bytes());
    assert_eq!(parse(Resource::Quotes, "5100").unwrap().code, ErrorCode::PAYEE_REJECTION);
    assert_eq!(parse(Resource::Quotes, "7100").unwrap_err().code, ErrorCode::GENERIC_VALIDATION);
    assert_eq!(parse(Resource::Transfers, "0100").unwrap_err().code, ErrorCode::GENERIC_VALIDATION);
    let undefined = parse(Resource::Transfers, "7100").unwrap().to_error();
    assert_eq!(undefined.to_string(), "3100: Generic validation error - API specification undefined errorCode");
    assert_eq!(parse(Resource::Transfers, "5140").unwrap().to_error().to_string(), "5140: d");
    let listed = br#"{"errorInformation":{"errorCode":5100,"errorDescription":"d","extensionList":{"extension":[{"key":"k","value":1}]}}}"#;
    let error = ErrorInformation::parse(Resource::Parties, listed).unwrap().to_error();
    assert_eq!((error.extensions()[0].key.as_str(), error.extensions()[0].value.as_str()), ("k", "1"));
}

#[test]
fn personal_identifiers_are_not_printed() {
    let request =
        QuoteRequest::parse(&with(quote(), "/payee/partyIdInfo/partyIdentifier", json!("27713803912"))).unwrap();
    assert!(!format!("{request:?}").contains("27713803912"));
}

proptest! {
    #[test]
    fn no_body_makes_a_parser_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = TransferPrepare::parse(&body);
        let _ = QuoteRequest::parse(&body);
    }

    #[test]
    fn no_member_of_a_known_name_makes_a_parser_panic(
        name in prop::sample::select(vec!["/transferId", "/amount", "/amount/amount", "/amount/currency", "/ilpPacket", "/condition", "/expiration", "/payerFsp", "/extensionList"]),
        text in ".{0,50}",
        shape in 0..4,
    ) {
        let value = match shape {
            0 => json!(text),
            1 => json!([text]),
            2 => json!({ "extension": [{ "key": text, "value": text }] }),
            _ => json!(text.len()),
        };
        let _ = TransferPrepare::parse(&with(prepare(), name, value));
    }
}
