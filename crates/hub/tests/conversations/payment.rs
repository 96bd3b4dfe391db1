//! A payment through its three phases: discovery, agreement, transfer (contract, transfers §4.0).

use crate::{
    assert_relayed,
    support::{BYSTANDER, Call, PAYEE, PAYER, Payment, Quote, Scheme, party_body},
};
use serde_json::{Value, json};

const SIGNATURE: &str = r#"{"signature":"c2lnbmF0dXJl","protectedHeader":"eyJhbGciOiJSUzI1NiJ9"}"#;
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const DATE: &str = "Fri, 20 Nov 2026 21:53:58 GMT";

/// The call as a careful sender makes it: signed, traced, dated a while ago, its JSON laid out by hand.
fn signed(call: Call) -> Call {
    let body = String::from_utf8(call.bytes().to_vec()).unwrap();
    // A member that the API does not know, which only quotes refuse, in two spellings of one letter.
    let unknown = if call.path().starts_with("/quotes") { "" } else { r#" "caf\u00e9" : "café"  ,"# };
    let body =
        if body.is_empty() { body } else { format!(" {}\r\n\t", body.replacen('{', &format!("{{\n  {unknown}"), 1)) };
    let (method, path) = (call.method().to_owned(), call.path().to_owned());
    call.body(body)
        .with("date", DATE)
        .with("fspiop-signature", SIGNATURE)
        .with("traceparent", TRACE)
        .with("fspiop-http-method", &method)
        .with("fspiop-uri", &path)
}

/// Finds the payee's customer and agrees on the terms; every message arrives as it was sent.
async fn discover_and_agree(scheme: &Scheme, version: &str) {
    let party = "MSISDN/27710000002";
    let question = signed(Call::new(&format!("GET /parties/{party}")).version(version));
    scheme.accept(&question).await;
    let asked = scheme.payee.next(&format!("GET /parties/{party}")).await;
    assert_relayed(&asked, &question);
    assert_eq!(asked.header("fspiop-source"), PAYER);

    let answer = Call::new(&format!("PUT /parties/{party}")).from(PAYEE).to(PAYER).version(version);
    let answer = signed(answer.body(party_body("MSISDN", "27710000002")));
    scheme.accept(&answer).await;
    assert_relayed(&scheme.payer.next(&format!("PUT /parties/{party}")).await, &answer);

    let quote = Quote::usd("12.3456");
    let request = signed(quote.request().version(version));
    scheme.accept(&request).await;
    let asked = scheme.payee.next("POST /quotes").await;
    assert_relayed(&asked, &request);
    assert_eq!(asked.header("fspiop-destination"), PAYEE);
    let terms = signed(quote.response().version(version));
    scheme.accept(&terms).await;
    assert_relayed(&scheme.payer.next(&quote.put()).await, &terms);
}

/// Sends a prepare, which arrives as it was sent.
async fn prepare(scheme: &Scheme, payment: &Payment, version: &str) {
    let call = signed(payment.prepare().version(version));
    scheme.accept(&call).await;
    let asked = scheme.payee.next("POST /transfers").await;
    assert_relayed(&asked, &call);
    for (name, value) in [("fspiop-destination", PAYEE), ("fspiop-http-method", "POST"), ("fspiop-uri", "/transfers")] {
        assert_eq!(asked.header(name), value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_payee_commits_is_relayed_byte_for_byte() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.payee, "MSISDN/27710000002").await;
    for (number, version) in [(1, "1.0"), (2, "1.1"), (3, "2.0")] {
        discover_and_agree(&scheme, version).await;
        let payment = Payment::usd("12.3456");
        prepare(&scheme, &payment, version).await;
        let before = (number - 1) * 123_456;
        assert_eq!(scheme.positions().await, [units(before + 123_456), units(-before)]);

        let fulfil = signed(payment.fulfil("COMMITTED").version(version));
        scheme.accept(&fulfil).await;
        let told = scheme.payer.next(&payment.put()).await;
        assert_relayed(&told, &fulfil);
        assert_eq!((told.header("fspiop-source"), told.header("fspiop-destination")), (PAYEE, PAYER));
        assert_eq!(scheme.positions().await, [units(number * 123_456), units(-number * 123_456)]);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_reserves_hears_from_the_hub_that_it_may_pay_out() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.payee, "MSISDN/27710000002").await;
    for version in ["1.1", "2.0"] {
        discover_and_agree(&scheme, version).await;
        let payment = Payment::usd("5");
        // The payer speaks 1.0 and is answered in it; the payee is patched in its own version.
        prepare(&scheme, &payment, "1.0").await;
        let mut body = payment.fulfil_body("RESERVED");
        body["extensionList"] = json!({"extension": [{"key": "till", "value": "4"}]});
        scheme.accept(&signed(payment.answer(body).version(version))).await;

        let told = scheme.payer.next(&payment.put()).await;
        told.assert_made_by_hub(PAYER, "1.0");
        let patch = scheme.payee.next(&payment.patch()).await;
        patch.assert_made_by_hub(PAYEE, version);
        let (told, patched) = (told.json(), patch.json());
        assert_eq!(told["transferState"], "COMMITTED");
        assert_eq!(told["fulfilment"], payment.fulfilment.to_string());
        assert_eq!(told["extensionList"]["extension"], json!([{"key": "till", "value": "4"}]));
        // The same, but for the fulfilment, which is the payee's own.
        let mut expected = told.clone();
        expected.as_object_mut().unwrap().remove("fulfilment");
        assert_eq!(patched, expected);
        assert!(told["completedTimestamp"].as_str().unwrap().parse::<vocabulary::Timestamp>().is_ok());
    }
    assert_eq!(scheme.positions().await, ["10", "-10"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_makes_carries_nobody_elses_signature_and_continues_the_trace() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    prepare(&scheme, &payment, "1.1").await;
    scheme.accept(&signed(payment.fulfil("RESERVED"))).await;
    for message in [scheme.payer.next(&payment.put()).await, scheme.payee.next(&payment.patch()).await] {
        assert_ne!(message.header("fspiop-signature"), SIGNATURE);
        assert_ne!(message.header("date"), DATE);
        assert_eq!(message.header("traceparent"), TRACE);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payee_of_a_transfer_is_the_one_in_the_body_whatever_the_destination_header_says() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    for call in [payment.prepare().to(BYSTANDER), Payment::usd("5").prepare().without("fspiop-destination")] {
        scheme.accept(&call).await;
        let asked = scheme.payee.next("POST /transfers").await;
        assert_eq!(asked.header("fspiop-destination"), PAYEE);
        assert_eq!(asked.body, call.bytes());
    }
    // A payee that names nobody is answered for the payer that the hub has stored.
    scheme.accept(&payment.fulfil("COMMITTED").without("fspiop-destination")).await;
    assert_eq!(scheme.payer.next(&payment.put()).await.header("fspiop-destination"), PAYER);
    assert_eq!(scheme.positions().await, ["10", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirming_hub_tells_a_payee_that_committed_what_became_of_it() {
    let scheme = Scheme::start_with(|config| config.confirms_to_payee = true).await;
    let (committed, rejected) = (Payment::usd("5"), Payment::usd("7"));
    scheme.reserve(&committed).await;
    scheme.accept(&committed.fulfil("COMMITTED")).await;
    scheme.payer.next(&committed.put()).await;
    let told = scheme.payee.next(&committed.put()).await;
    told.assert_made_by_hub(PAYEE, "1.1");
    assert_eq!(told.json()["transferState"], "COMMITTED");
    scheme.reserve(&rejected).await;
    scheme.accept(&rejected.reject("5104", "Payee rejected transaction")).await;
    scheme.payer.next(&rejected.put_error()).await;
    let told = scheme.payee.next(&rejected.put_error()).await;
    told.assert_made_by_hub(PAYEE, "1.1").assert_error("5104", "Payee rejected transaction");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_inside_one_dfsp_is_cleared_where_the_scheme_allows_it() {
    let scheme = Scheme::start_with(|config| config.on_us = hub_core::OnUs::Allowed).await;
    let payment = Payment { payee: PAYER, ..Payment::usd("5") };
    scheme.accept(&payment.prepare()).await;
    scheme.payer.next("POST /transfers").await;
    assert_eq!(scheme.position(PAYER, "USD").await, "5");
    scheme.accept(&payment.fulfil("RESERVED")).await;
    scheme.payer.next(&payment.put()).await.assert_made_by_hub(PAYER, "1.1");
    scheme.payer.next(&payment.patch()).await;
    assert_eq!(scheme.position(PAYER, "USD").await, "0");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_where_an_amount_belongs_counts_as_its_text() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5.5");
    let mut body = payment.prepare_body();
    body["amount"]["amount"] = serde_json::from_str::<Value>("5.5").unwrap();
    let call = payment.prepare().body(body.to_string());
    scheme.accept(&call).await;
    assert_relayed(&scheme.payee.next("POST /transfers").await, &call);
    assert_eq!(scheme.positions().await, ["5.5", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ulid_is_an_id_as_well() {
    let scheme = Scheme::start().await;
    let payment = Payment { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), ..Payment::usd("5") };
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("RESERVED")).await;
    scheme.payer.next(&payment.put()).await.assert_made_by_hub(PAYER, "1.1");
    scheme.payee.next(&payment.patch()).await.assert_made_by_hub(PAYEE, "1.1");
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

/// Ten-thousandths as the administration shows them.
fn units(units: i64) -> String {
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.abs());
    format!("{sign}{}.{:04}", units / 10_000, units % 10_000).trim_end_matches('0').trim_end_matches('.').to_owned()
}
