//! Quotes (contract, transfers §3.2 and §3.4). Repetitions stand with those of transfers.

use crate::{
    assert_relayed,
    support::{BYSTANDER, Call, PAYEE, PAYER, Quote, Scheme},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_a_quote_and_an_error_go_to_the_destination_as_they_are() {
    let scheme = Scheme::start().await;
    let quote = Quote::usd("5");
    let question = Call::new(&format!("GET {}", quote.path()));
    scheme.accept(&question).await;
    assert_relayed(&scheme.payee.next(&format!("GET {}", quote.path())).await, &question);

    let body = "{\"errorInformation\" : {\"errorCode\":\"5103\",\"errorDescription\":\"Zu spät\"}}";
    let error = Call::new(&quote.put_error()).from(PAYEE).to(PAYER).body(body).with("fspiop-signature", "{}");
    scheme.accept(&error).await;
    let told = scheme.payer.next(&quote.put_error()).await;
    assert_relayed(&told, &error);
    assert_eq!((told.header("fspiop-source"), told.header("fspiop-destination")), (PAYEE, PAYER));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relayed_quote_carries_the_headers_of_the_api_and_no_others() {
    let scheme = Scheme::start().await;
    let call = Quote::usd("5").request().with("x-custom", "1").with("authorization", "Bearer secret");
    scheme.accept(&call).await;
    let asked = scheme.payee.next("POST /quotes").await;
    assert_relayed(&asked, &call);
    assert_eq!((asked.header("x-custom"), asked.header("authorization")), ("", ""));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_destination_header_decides_who_is_asked() {
    let scheme = Scheme::start().await;
    let quote = Quote::usd("5");
    let mut body = quote.request_body();
    body["payee"]["partyIdInfo"].as_object_mut().unwrap().remove("fspId");
    let call = quote.request().to(BYSTANDER).body(body.to_string());
    scheme.accept(&call).await;
    assert_relayed(&scheme.bystander.next("POST /quotes").await, &call);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_to_a_payee_that_was_just_switched_off_is_refused() {
    let scheme = Scheme::start().await;
    let unsupported = "Destination FSP Error - Unsupported participant 'payeefsp'";
    let refused = async || {
        let quote = Quote::usd("5");
        scheme.accept(&quote.request()).await;
        let told = scheme.payer.next(&quote.put_error()).await;
        told.assert_made_by_hub(PAYER, "1.1").assert_error("3201", unsupported);
    };
    let relayed = async || {
        let call = Quote::usd("5").request();
        scheme.accept(&call).await;
        assert_relayed(&scheme.payee.next("POST /quotes").await, &call);
    };
    relayed().await;
    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": false})).await;
    refused().await;
    scheme.administer(&format!("PUT /participants/{PAYEE}"), json!({"isActive": true})).await;
    relayed().await;
    scheme.set_account_activity(PAYEE, "POSITION", false).await;
    refused().await;
    scheme.set_account_activity(PAYEE, "POSITION", true).await;
    relayed().await;
    scheme.end().await;
}
