//! Bodies of conversions by example.

use super::*;

fn conversion_terms() -> Value {
    json!({
        "conversionId": TRANSFER_ID,
        "determiningTransferId": TRANSFER_ID.replace('5', "6"),
        "initiatingFsp": "payerfsp",
        "counterPartyFsp": "fxp1",
        "amountType": "SEND",
        "sourceAmount": { "currency": "USD", "amount": "10.5" },
        "targetAmount": { "currency": "EUR" },
        "expiration": "2026-11-20T21:54:58.635Z",
        "charges": [{ "chargeType": "fee", "sourceAmount": { "currency": "USD", "amount": "1" } }],
    })
}

fn fx_quote() -> Value {
    json!({ "conversionRequestId": TRANSFER_ID, "conversionTerms": conversion_terms() })
}

/// As participants' test collections write it, with a member that the API does not have.
fn fx_prepare() -> Value {
    json!({
        "commitRequestId": TRANSFER_ID,
        "determiningTransferId": "01HZXJ3V5Q8N7M2K4P6R9T0WYA",
        "initiatingFsp": "payerfsp",
        "counterPartyFsp": "fxp1",
        "amountType": "SEND",
        "sourceAmount": { "currency": "USD", "amount": "10.5" },
        "targetAmount": { "currency": "EUR", "amount": "9" },
        "condition": CONDITION,
        "expiration": "2026-11-20T21:54:58.635Z",
    })
}

fn quote_refusal(body: &[u8]) -> String {
    refusal(FxQuoteRequest::parse(body).unwrap_err())
}

fn fx_refusal(body: &[u8]) -> String {
    refusal(FxTransferPrepare::parse(body).unwrap_err())
}

#[test]
fn a_quote_of_a_conversion_is_read_into_its_terms() {
    let request = FxQuoteRequest::parse(fx_quote().to_string().as_bytes()).unwrap();
    assert_eq!(request.conversion_request_id.to_string(), TRANSFER_ID);
    let terms = request.terms;
    assert_eq!(terms.conversion_id.to_string(), TRANSFER_ID);
    assert_eq!(terms.determining_transfer_id.unwrap().to_string(), TRANSFER_ID.replace('5', "6"));
    assert_eq!((terms.initiating_fsp.as_str(), terms.counter_party_fsp.as_str()), ("payerfsp", "fxp1"));
    assert_eq!((terms.source.amount.as_deref(), terms.source.currency.as_str()), (Some("10.5"), "USD"));
    assert_eq!((terms.target.amount, terms.target.currency.as_str()), (None, "EUR"));
    assert_eq!(
        (terms.amount_type, terms.expiration.to_string().as_str()),
        (AmountType::Send, "2026-11-20T21:54:58.635Z")
    );
}

#[test]
fn an_offer_may_name_a_condition() {
    let offer = json!({ "conversionTerms": conversion_terms() });
    assert_eq!(FxQuoteResponse::parse(offer.to_string().as_bytes()).unwrap().condition, None);
    let offered = FxQuoteResponse::parse(&with(offer.clone(), "/condition", json!(CONDITION))).unwrap();
    assert_eq!(offered.condition.unwrap().to_string(), CONDITION);
    let receive = with(offer.clone(), "/conversionTerms/amountType", json!("RECEIVE"));
    assert_eq!(FxQuoteResponse::parse(&receive).unwrap().terms.amount_type, AmountType::Receive);
    let error = FxQuoteResponse::parse(&with(offer, "/condition", json!("short"))).unwrap_err();
    assert!(refusal(error).starts_with("3100: Generic validation error - /requestBody/condition must match pattern"));
    assert!(refusal(FxQuoteResponse::parse(b"{}").unwrap_err()).ends_with("required property 'conversionTerms'"));
}

#[test]
fn each_mandatory_member_of_a_quote_is_missed_by_name_in_the_order_of_the_schema() {
    assert!(quote_refusal(b"{}").ends_with("/requestBody must have required property 'conversionRequestId'"));
    let mut document = json!({ "conversionRequestId": TRANSFER_ID });
    assert!(quote_refusal(document.to_string().as_bytes()).ends_with("required property 'conversionTerms'"));
    document["conversionTerms"] = json!({});
    for name in
        ["conversionId", "initiatingFsp", "counterPartyFsp", "amountType", "sourceAmount", "targetAmount", "expiration"]
    {
        let expected = format!(
            "3102: Missing mandatory element - /requestBody/conversionTerms must have required property '{name}'"
        );
        assert_eq!(quote_refusal(document.to_string().as_bytes()), expected);
        document["conversionTerms"][name] = conversion_terms()[name].clone();
    }
    assert!(FxQuoteRequest::parse(document.to_string().as_bytes()).is_ok());
}

#[test]
fn faults_of_a_quote_point_into_its_terms() {
    let charges: Vec<Value> = (0..17).map(|_| json!({ "chargeType": "fee" })).collect();
    for (pointer, value, expected) in [
        (
            "/conversionRequestId",
            json!("x"),
            "3100: Generic validation error - /requestBody/conversionRequestId must match",
        ),
        ("/conversionTerms", json!("x"), "3101: Malformed syntax - /requestBody/conversionTerms must be object"),
        (
            "/conversionTerms/amountType",
            json!("BOTH"),
            "3100: Generic validation error - /requestBody/conversionTerms/amountType must be equal to one of the allowed",
        ),
        (
            "/conversionTerms/sourceAmount/currency",
            json!("ZZZ"),
            "3100: Generic validation error - /requestBody/conversionTerms/sourceAmount/currency must be equal to one of",
        ),
        (
            "/conversionTerms/targetAmount/amount",
            json!("5.50"),
            "3100: Generic validation error - /requestBody/conversionTerms/targetAmount/amount must match pattern",
        ),
        (
            "/conversionTerms/targetAmount",
            json!({ "amount": "1" }),
            "3102: Missing mandatory element - /requestBody/conversionTerms/targetAmount must have required property 'curr",
        ),
        (
            "/conversionTerms/counterPartyFsp",
            json!("f".repeat(33)),
            "3100: Generic validation error - /requestBody/conversionTerms/counterPartyFsp must NOT have more than 32",
        ),
        (
            "/conversionTerms/expiration",
            json!("2026-11-20"),
            "3100: Generic validation error - /requestBody/conversionTerms/expiration must match pattern",
        ),
        (
            "/conversionTerms/charges",
            json!(charges),
            "3100: Generic validation error - /requestBody/conversionTerms/charges must NOT have more than 16 items",
        ),
        (
            "/conversionTerms/charges",
            json!([{ "chargeType": "fee", "sourceAmount": { "currency": "USD" } }]),
            "3102: Missing mandatory element - /requestBody/conversionTerms/charges/0/sourceAmount must have required",
        ),
    ] {
        let text = quote_refusal(&with(fx_quote(), pointer, value));
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn a_prepare_of_a_conversion_is_read_into_its_parts() {
    let prepare = FxTransferPrepare::parse(fx_prepare().to_string().as_bytes()).unwrap();
    assert_eq!(prepare.commit_request_id.to_string(), TRANSFER_ID);
    assert_eq!(prepare.determining_transfer_id.unwrap().to_string(), "01HZXJ3V5Q8N7M2K4P6R9T0WYA");
    assert_eq!((prepare.initiating_fsp.as_str(), prepare.counter_party_fsp.as_str()), ("payerfsp", "fxp1"));
    let side = |amount: &FxAmount| (amount.text.to_string(), amount.amount, amount.currency.to_string());
    assert_eq!(side(&prepare.source), ("10.5".to_owned(), Ok(Amount::from_units(105_000)), "USD".to_owned()));
    assert_eq!(side(&prepare.target), ("9".to_owned(), Ok(Amount::from_units(90_000)), "EUR".to_owned()));
    assert_eq!(prepare.condition.to_string(), CONDITION);
    assert_eq!(prepare.expiration.unwrap().to_string(), "2026-11-20T21:54:58.635Z");
}

#[test]
fn a_conversion_needs_neither_a_transfer_nor_an_expiry_to_be_well_formed() {
    let document: Value = serde_json::from_slice(&with(fx_prepare(), "/determiningTransferId", Value::Null)).unwrap();
    let prepare = FxTransferPrepare::parse(&with(document, "/expiration", Value::Null)).unwrap();
    assert_eq!((prepare.determining_transfer_id, prepare.expiration), (None, None));
}

#[test]
fn each_mandatory_member_of_a_conversion_is_missed_by_name_in_the_order_of_the_schema() {
    let mut document = json!({});
    for name in ["commitRequestId", "initiatingFsp", "counterPartyFsp", "sourceAmount", "targetAmount", "condition"] {
        let expected = format!("3102: Missing mandatory element - /requestBody must have required property '{name}'");
        assert_eq!(fx_refusal(document.to_string().as_bytes()), expected);
        document[name] = fx_prepare()[name].clone();
    }
    assert!(FxTransferPrepare::parse(document.to_string().as_bytes()).is_ok());
}

#[test]
fn faults_of_a_conversion_are_named_in_the_order_of_the_schema() {
    for (pointer, value, expected) in [
        ("/commitRequestId", json!("x"), "3100: Generic validation error - /requestBody/commitRequestId must match"),
        (
            "/determiningTransferId",
            json!(""),
            "3100: Generic validation error - /requestBody/determiningTransferId must match",
        ),
        ("/initiatingFsp", json!({}), "3101: Malformed syntax - /requestBody/initiatingFsp must be string"),
        (
            "/sourceAmount",
            json!({ "currency": "USD" }),
            "3102: Missing mandatory element - /requestBody/sourceAmount must have required property 'amount'",
        ),
        (
            "/targetAmount/currency",
            json!("EURO"),
            "3100: Generic validation error - /requestBody/targetAmount/currency must NOT have more than 3 characters",
        ),
        (
            "/targetAmount/amount",
            json!("1000000000000000000"),
            "3100: Generic validation error - /requestBody/targetAmount/amount must match pattern",
        ),
        ("/condition", json!("x"), "3100: Generic validation error - /requestBody/condition must match pattern"),
        (
            "/expiration",
            json!("2026-11-20T21:54:58Z"),
            "3100: Generic validation error - /requestBody/expiration must match",
        ),
    ] {
        let text = fx_refusal(&with(fx_prepare(), pointer, value));
        assert!(text.starts_with(expected), "{text}");
    }
    let both = fx_prepare().to_string().replace(CONDITION, "x").replace("payerfsp", "");
    assert!(fx_refusal(both.as_bytes()).contains("/requestBody/initiatingFsp must NOT have fewer"));
}

#[test]
fn amounts_that_the_ledger_cannot_hold_are_no_malformed_conversion() {
    for (name, other) in [("/sourceAmount/amount", false), ("/targetAmount/amount", true)] {
        let prepare = FxTransferPrepare::parse(&with(fx_prepare(), name, json!("999999999999999999"))).unwrap();
        let (beyond, held) = if other { (prepare.target, prepare.source) } else { (prepare.source, prepare.target) };
        assert_eq!((beyond.amount, &*beyond.text), (Err(InvalidAmount::TooLarge), "999999999999999999"), "{name}");
        assert!(held.amount.is_ok(), "{name}");
    }
}

#[test]
fn the_outcome_of_a_conversion_is_read() {
    let body = format!(
        r#"{{"completedTimestamp":"2026-11-20T21:53:58.898Z","conversionState":"RESERVED","fulfilment":"{CONDITION}"}}"#
    );
    let fulfil = FxTransferFulfil::parse(body.as_bytes()).unwrap();
    assert_eq!((fulfil.state, fulfil.fulfilment.unwrap().to_string().as_str()), (TransferState::Reserved, CONDITION));
    assert_eq!(fulfil.completed.unwrap().to_string(), "2026-11-20T21:53:58.898Z");
    let bare = FxTransferFulfil::parse(br#"{"conversionState":"ABORTED"}"#).unwrap();
    assert_eq!(bare, FxTransferFulfil { state: TransferState::Aborted, fulfilment: None, completed: None });
    for (body, expected) in [
        (
            r#"{"transferState":"COMMITTED"}"#,
            "3102: Missing mandatory element - /requestBody must have required property 'conversionState'",
        ),
        (
            r#"{"conversionState":"SETTLED"}"#,
            "3100: Generic validation error - /requestBody/conversionState must be equal to one of the allowed values",
        ),
        (
            r#"{"conversionState":"RESERVED","fulfilment":"short"}"#,
            "3100: Generic validation error - /requestBody/fulfilment must match pattern",
        ),
        (
            r#"{"conversionState":"RESERVED","completedTimestamp":"now"}"#,
            "3100: Generic validation error - /requestBody/completedTimestamp must match pattern",
        ),
        (
            r#"{"conversionState":"RESERVED","extensionList":{}}"#,
            "3102: Missing mandatory element - /requestBody/extensionList must have required property 'extension'",
        ),
    ] {
        let text = refusal(FxTransferFulfil::parse(body.as_bytes()).unwrap_err());
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn at_most_sixteen_participants_convert() {
    let names = |count: usize| json!({ "providers": vec!["fxp1"; count] }).to_string();
    for count in [0, 1, 16] {
        assert_eq!(FxProviders::parse(names(count).as_bytes()).unwrap().providers.len(), count);
    }
    for (body, expected) in [
        (names(17).as_str(), "/requestBody/providers must NOT have more than 16 items"),
        (r#"{"providers":["fxp1",""]}"#, "/requestBody/providers/1 must NOT have fewer than 1 characters"),
        (r#"{"providers":"fxp1"}"#, "/requestBody/providers must be array"),
        ("{}", "/requestBody must have required property 'providers'"),
    ] {
        let text = refusal(FxProviders::parse(body.as_bytes()).unwrap_err());
        assert!(text.ends_with(expected), "{text}");
    }
}

proptest! {
    #[test]
    fn no_body_of_a_conversion_makes_a_parser_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = FxQuoteRequest::parse(&body);
        let _ = FxQuoteResponse::parse(&body);
        let _ = FxTransferPrepare::parse(&body);
        let _ = FxTransferFulfil::parse(&body);
        let _ = FxProviders::parse(&body);
    }

    #[test]
    fn no_member_of_a_conversion_makes_a_parser_panic(
        name in prop::sample::select(vec![
            "/commitRequestId", "/determiningTransferId", "/initiatingFsp", "/sourceAmount", "/sourceAmount/amount",
            "/targetAmount/currency", "/condition", "/expiration",
        ]),
        text in ".{0,50}",
        shape in 0..4,
    ) {
        let value = match shape {
            0 => json!(text),
            1 => json!([text]),
            2 => json!({ "currency": text, "amount": text }),
            _ => json!(text.len()),
        };
        let _ = FxTransferPrepare::parse(&with(fx_prepare(), name, value.clone()));
        let terms = format!("/conversionTerms{}", name.replace("commitRequest", "conversion"));
        let _ = FxQuoteRequest::parse(&with(fx_quote(), &terms, value));
    }
}
