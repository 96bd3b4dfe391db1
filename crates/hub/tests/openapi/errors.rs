//! The hub's errors about quotes, parties and requests to pay.

use crate::{
    Book, VERSIONS,
    support::{BYSTANDER, Call, PAYEE, PAYER, Quote, Scheme, fresh_id, party_body},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn errors_about_quotes_are_what_the_definitions_allow() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for version in VERSIONS {
        let quote = Quote::usd("1");
        scheme.accept(&quote.request().to("ghostfsp").version(version)).await;
        book.check(&scheme.payer.next(&quote.put_error()).await);
        let quote = Quote::usd("1");
        scheme.accept(&quote.request().version(version)).await;
        scheme.payee.next("POST /quotes").await;
        let changed = Quote { amount: "2".to_owned(), ..quote.clone() };
        scheme.accept(&changed.request().version(version)).await;
        book.check(&scheme.payer.next(&quote.put_error()).await);
        let media_type = format!("application/vnd.interoperability.quotes+json;version={version}");
        scheme.accept(&quote.response().version(version).with("accept", &media_type)).await;
        book.check(&scheme.payee.next(&quote.put_error()).await);
        // A participant that cannot be reached.
        scheme.payee.answer_with(500);
        let quote = Quote::usd("1");
        scheme.accept(&quote.request().version(version)).await;
        book.check(&scheme.payer.next(&quote.put_error()).await);
        scheme.payee.answer_with(202);
        scheme.payee.take_all("POST /quotes");
    }
    book.assert_seen(&["PUT /quotes/{ID}/error"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_about_parties_are_what_the_definitions_allow() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for version in VERSIONS {
        for path in [
            "/parties/MSISDN/27710000002",
            "/parties/MSISDN/hello",
            "/parties/BUSINESS/shop/till-4",
            "/parties/ACCOUNT_ID/1",
        ] {
            scheme.accept(&Call::new(&format!("GET {path}")).version(version)).await;
            book.check(&scheme.payer.next(&format!("PUT {path}/error")).await);
            let answer = Call::new(&format!("PUT {path}")).from(PAYEE).to("ghostfsp").version(version);
            scheme.accept(&answer.body(party_body("MSISDN", "27710000002"))).await;
            book.check(&scheme.payee.next(&format!("PUT {path}/error")).await);
        }
    }
    book.assert_seen(&["PUT /parties/{Type}/{ID}/error", "PUT /parties/{Type}/{ID}/{SubId}/error"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_about_requests_to_pay_are_what_the_definitions_allow() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for version in VERSIONS.into_iter().filter(|version| *version != "2.0") {
        let id = fresh_id();
        let question = Call::new(&format!("GET /transactionRequests/{id}")).from(BYSTANDER).to("ghostfsp");
        scheme.accept(&question.version(version)).await;
        book.check(&scheme.bystander.next(&format!("PUT /transactionRequests/{id}/error")).await);
        let answer = Call::new(&format!("PUT /authorizations/{id}")).from(PAYER).to("ghostfsp").version(version);
        scheme.accept(&answer.body(json!({"responseType": "REJECTED"}).to_string())).await;
        book.check(&scheme.payer.next(&format!("PUT /authorizations/{id}/error")).await);
    }
    book.assert_seen(&["PUT /transactionRequests/{ID}/error", "PUT /authorizations/{ID}/error"]);
    scheme.end().await;
}
