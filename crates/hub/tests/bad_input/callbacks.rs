//! Messages that are accepted and then refused by callback, or that have nobody who could be told.

use crate::support::{BYSTANDER, Call, PAYEE, PAYER, Payment, Quote, Scheme, fresh_id, now};
use serde_json::{Value, json};
use vocabulary::Timestamp;

/// What becomes of the id of a refused prepare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// GET answers ABORTED with the cause.
    Taken,
    /// GET knows nothing of it.
    Free,
}

/// A prepare, whether its id is taken, and the code and description that the payer is told.
struct Refusal(&'static str, Payment, Call, Id, &'static str, String);

fn refusal(what: &'static str, payment: Payment, id: Id, error: (&'static str, &str)) -> Refusal {
    let call = payment.prepare();
    Refusal(what, payment, call, id, error.0, error.1.to_owned())
}

/// The prepares that one of the checks of the contract's §4.3 refuses.
fn refusals() -> Vec<Refusal> {
    let payment = || Payment::usd("1");
    let mut all = Vec::new();
    for amount in ["123456789012345678", "123456789012345678.1234", "100000000000000"] {
        let text = format!("Generic validation error - Amount {amount} exceeds allowed precision of 18");
        all.push(refusal("too many digits", Payment::usd(amount), Id::Taken, ("3100", &text)));
    }
    let not_payer = ("3100", "Generic validation error - FSPIOP-Source header should match Payer");
    for source in [BYSTANDER, PAYEE, "PAYERFSP", "ghostfsp"] {
        let mut refused = refusal("a source that is not the payer", payment(), Id::Taken, not_payer);
        refused.2 = refused.2.from(source);
        all.push(refused);
    }
    let no_route = |payee: &str| {
        format!(
            "Generic ID not found - Payer proxy or payee proxy not found: initiatingFsp: payerfsp counterPartyFsp: {payee}"
        )
    };
    let unknown = Payment { payee: "ghostfsp", ..payment() };
    all.push(refusal("an unknown payee", unknown, Id::Free, ("3200", &no_route("ghostfsp"))));
    let other_case = Payment { payee: "PAYEEFSP", ..payment() };
    all.push(refusal("a payee in other letters", other_case, Id::Free, ("3200", &no_route("PAYEEFSP"))));
    let euros = Payment { currency: "EUR", ..payment() };
    all.push(refusal("a payee without an account", euros, Id::Free, ("3200", &no_route(PAYEE))));
    let euros = Payment { currency: "EUR", payee: BYSTANDER, ..payment() };
    let text = "Generic validation error - Participant payerfsp EUR account not found";
    all.push(refusal("a payer without an account", euros, Id::Taken, ("3100", text)));
    let past = Payment { expiration: Timestamp::from_millis(1_577_836_800_000), ..payment() };
    let text = "Generic validation error - Expiration date 2020-01-01T00:00:00.000Z is already in the past";
    all.push(refusal("expired on arrival", past, Id::Taken, ("3100", text)));
    let on_us = Payment { payee: PAYER, ..payment() };
    let text = "Generic validation error - Payer FSP and Payee FSP should be different, unless on-us tranfers are allowed \
        by the Scheme";
    all.push(refusal("on-us", on_us, Id::Taken, ("3100", text)));
    let too_much = Payment::usd("1000.0001");
    all.push(refusal("more than the liquidity", too_much, Id::Taken, ("4001", "Payer FSP insufficient liquidity")));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_prepare_is_told_to_the_payer_alone_and_leaves_no_hold() {
    let scheme = Scheme::start().await;
    let before = scheme.balances().await;
    for Refusal(what, payment, call, id, code, text) in refusals() {
        scheme.accept(&call).await;
        let told = scheme.payer.next(&payment.put_error()).await;
        told.assert_made_by_hub(PAYER, "1.1").assert_error(code, &text);
        scheme.accept(&payment.question(PAYER)).await;
        match id {
            Id::Taken => {
                let state = scheme.payer.next(&payment.put()).await;
                state.assert_made_by_hub(PAYER, "1.1");
                assert_eq!(state.json()["transferState"], "ABORTED", "{what}");
                let cause: String = format!("{code}: {text}").chars().take(128).collect();
                let extensions = json!({"extension": [{"key": "cause", "value": cause}]});
                assert_eq!(state.json()["extensionList"], extensions, "{what}");
                assert_eq!(state.json()["fulfilment"], Value::Null, "{what}");
            }
            Id::Free => {
                let unknown = "Transfer ID not found - Provided Transfer ID was not found on the server.";
                scheme.payer.next(&payment.put_error()).await.assert_error("3208", unknown);
            }
        }
    }
    assert_eq!(scheme.balances().await, before);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_speaks_the_version_of_the_message_that_it_refuses() {
    let scheme = Scheme::start().await;
    for version in ["1.0", "1.1", "2.0"] {
        let payment = Payment { payee: "ghostfsp", ..Payment::usd("1") };
        scheme.accept(&payment.prepare().version(version)).await;
        scheme.payer.next(&payment.put_error()).await.assert_made_by_hub(PAYER, version);
        let quote = Quote::usd("1");
        scheme.accept(&quote.request().to("ghostfsp").version(version)).await;
        scheme.payer.next(&quote.put_error()).await.assert_made_by_hub(PAYER, version);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_not_taken_can_be_used_and_one_that_was_cannot() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.accept(&Payment { payee: "ghostfsp", ..payment.clone() }.prepare()).await;
    scheme.payer.next(&payment.put_error()).await;
    scheme.reserve(&payment).await;

    let refused = Payment::usd("123456789012345678");
    scheme.accept(&refused.prepare()).await;
    scheme.payer.next(&refused.put_error()).await;
    scheme.accept(&refused.prepare()).await;
    assert_eq!(scheme.payer.next(&refused.put()).await.json()["transferState"], "ABORTED");
    scheme.accept(&Payment { amount: "5".to_owned(), ..refused.clone() }.prepare()).await;
    scheme.payer.next(&refused.put_error()).await.assert_error("3106", "Modified request");
    assert_eq!(scheme.positions().await, ["5", "0"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_moves_nothing_and_is_told_nothing() {
    let scheme = Scheme::start().await;
    let before = scheme.balances().await;
    let transfer = Payment { payer: "ghostfsp", ..Payment::usd("1") };
    scheme.accept(&transfer.prepare()).await;
    scheme.accept(&transfer.question("ghostfsp")).await;
    let quote = Quote::usd("1");
    scheme.accept(&quote.request().from("ghostfsp")).await;
    scheme.accept(&quote.response().from("ghostfsp")).await;
    scheme.accept(&Call::new("PUT /parties/MSISDN/1").from("ghostfsp").to(PAYER).body(party())).await;
    for line in ["GET /participants/MSISDN/1", "DELETE /participants/MSISDN/1"] {
        scheme.accept(&Call::new(line).from("ghostfsp")).await;
    }
    let registration = Call::new("POST /participants/MSISDN/1").from("ghostfsp");
    scheme.accept(&registration.body(r#"{"fspId":"payeefsp"}"#)).await;
    // The registration has left no trace: the party is unknown, and so is the transfer.
    scheme.accept(&Call::new("GET /parties/MSISDN/1")).await;
    scheme.payer.next("PUT /parties/MSISDN/1/error").await.assert_error("3204", "Party not found");
    scheme.accept(&transfer.question(PAYER)).await;
    let unknown = "Transfer ID not found - Provided Transfer ID was not found on the server.";
    scheme.payer.next(&transfer.put_error()).await.assert_error("3208", unknown);
    assert_eq!(scheme.balances().await, before);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_transfer_that_cannot_exist_is_answered_like_one_to_an_unknown_id() {
    let scheme = Scheme::start().await;
    let unknown = fresh_id();
    for id in [unknown.as_str(), "not-an-id", "B51EC534-EE48-4575-B6A9-EAD2955B8069"] {
        let path = format!("/transfers/{id}");
        let put = Call::new(&format!("PUT {path}")).from(PAYEE).to(PAYER);
        scheme.accept(&put.body(Payment::usd("1").fulfil_body("COMMITTED").to_string())).await;
        let told = scheme.payee.next(&format!("PUT {path}/error")).await;
        told.assert_made_by_hub(PAYEE, "1.1").assert_error("2001", "Internal server error - transfer not found");
        scheme.accept(&Payment::usd("1").reject("5100", "no").at(&format!("{path}/error"))).await;
        let told = scheme.payee.next(&format!("PUT {path}/error")).await;
        told.assert_made_by_hub(PAYEE, "1.1").assert_error("2001", "Internal server error - transfer not found");
        scheme.accept(&Call::new(&format!("GET {path}"))).await;
        let told = scheme.payer.next(&format!("PUT {path}/error")).await;
        let text = "Transfer ID not found - Provided Transfer ID was not found on the server.";
        told.assert_made_by_hub(PAYER, "1.1").assert_error("3208", text);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_between_dfsps_that_cannot_take_part_is_refused_before_it_is_relayed() {
    let scheme = Scheme::start().await;
    let with = |pointer: &str, value: Value| {
        let quote = Quote::usd("1");
        let mut body = quote.request_body();
        match pointer.rsplit_once('/').unwrap() {
            (parent, name) if body.pointer(pointer).is_none() => body.pointer_mut(parent).unwrap()[name] = value,
            _ => *body.pointer_mut(pointer).unwrap() = value,
        }
        (quote.clone(), quote.request().body(body.to_string()))
    };
    let to_ghost = {
        let quote = Quote::usd("1");
        (quote.clone(), quote.request().to("ghostfsp"))
    };
    let payee = |name: &str| ("3201", format!("Destination FSP Error - Unsupported participant '{name}'"));
    let payer = |name: &str| ("3202", format!("Payer FSP ID not found - Unsupported participant '{name}'"));
    for ((quote, call), (code, text)) in [
        (to_ghost, payee("ghostfsp")),
        (with("/amount/currency", json!("EUR")), payee(PAYEE)),
        (with("/payee/partyIdInfo/fspId", json!("ghostfsp")), payee("ghostfsp")),
        (with("/payer/partyIdInfo/fspId", json!("ghostfsp")), payer("ghostfsp")),
        (with("/payer/supportedCurrencies", json!(["USD", "EUR"])), payer(PAYER)),
    ] {
        scheme.accept(&call).await;
        scheme.payer.next(&quote.put_error()).await.assert_made_by_hub(PAYER, "1.1").assert_error(code, &text);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_quote_that_breaks_a_rule_goes_back_to_its_sender() {
    let scheme = Scheme::start().await;
    let quote = Quote::usd("1");
    let media_type = "application/vnd.interoperability.quotes+json;version=1.1";
    scheme.accept(&quote.response().with("accept", media_type)).await;
    let text = "Generic validation error - \"accept\" header should not be sent in callbacks.";
    scheme.payee.next(&quote.put_error()).await.assert_made_by_hub(PAYEE, "1.1").assert_error("3100", text);

    let mut euros = quote.response_body();
    euros["payeeReceiveAmount"]["currency"] = json!("EUR");
    scheme.accept(&quote.response().body(euros.to_string())).await;
    let text = "Destination FSP Error - Unsupported participant 'payeefsp'";
    scheme.payee.next(&quote.put_error()).await.assert_made_by_hub(PAYEE, "1.1").assert_error("3201", text);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_identifier_with_a_wrong_form_is_told_by_callback() {
    let scheme = Scheme::start().await;
    for path in [
        "MSISDN/hello",
        "MSISDN/+1234567890123456789012345678901",
        "MSISDN/123%20456",
        "EMAIL/nobody",
        "IBAN/de89",
        "ALIAS/a%7Bb%7D",
        "BUSINESS/%3Cscript%3E",
    ] {
        scheme.accept(&Call::new(&format!("GET /parties/{path}"))).await;
        let told = scheme.payer.next(&format!("PUT /parties/{path}/error")).await;
        told.assert_made_by_hub(PAYER, "1.1");
        told.assert_error("3101", "Malformed syntax - the party identifier does not have the form of its type");
        for line in [format!("GET /participants/{path}"), format!("DELETE /participants/{path}")] {
            scheme.accept(&Call::new(&line)).await;
            let told = scheme.payer.next(&format!("PUT /participants/{path}/error")).await;
            assert_eq!(told.json()["errorInformation"]["errorCode"], "3101", "{line}");
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_a_party_to_nobody_goes_back_to_its_sender() {
    let scheme = Scheme::start().await;
    let error = r#"{"errorInformation":{"errorCode":"3204","errorDescription":"Party not found"}}"#;
    let line = "PUT /parties/MSISDN/27710000002";
    for call in [
        Call::new(line).from(PAYEE).to("ghostfsp").body(party()),
        Call::new(line).from(PAYEE).body(party()),
        Call::new(&format!("{line}/error")).from(PAYEE).to("ghostfsp").body(error),
    ] {
        scheme.accept(&call).await;
        let told = scheme.payee.next(&format!("{line}/error")).await;
        told.assert_made_by_hub(PAYEE, "1.1");
        told.assert_error("3201", "Destination FSP Error - Destination FSP not found");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_that_expires_before_it_is_decided_is_not_reserved() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("1").expiring_in_millis(-1);
    scheme.accept(&payment.prepare()).await;
    let text = format!("Generic validation error - Expiration date {} is already in the past", payment.expiration);
    scheme.payer.next(&payment.put_error()).await.assert_error("3100", &text);
    assert!(payment.expiration < now());
    assert_eq!(scheme.positions().await, ["0", "0"]);
    scheme.end().await;
}

fn party() -> String {
    crate::support::party_body("MSISDN", "27710000002")
}
