//! The hub's answers about who serves a party: one by one, with and without a sub-id, and in batches.

use crate::{
    Book, VERSIONS,
    support::{Call, PAYER, Scheme, fresh_id},
};
use serde_json::json;

/// Registers, asks, removes and asks again.
async fn live(book: &Book, scheme: &Scheme, path: &str, version: &str) {
    let line = |method: &str| Call::new(&format!("{method} {path}")).version(version);
    let registration = json!({"fspId": PAYER, "currency": "USD"}).to_string();
    let (told, error) = (format!("PUT {path}"), format!("PUT {path}/error"));
    for (call, answer) in [
        (line("POST").body(registration.clone()), &told),
        (line("PUT").body(registration), &told),
        (line("GET"), &told),
        (line("DELETE"), &told),
        (line("GET"), &error),
        (line("POST").body(json!({"fspId": "ghostfsp"}).to_string()), &error),
    ] {
        scheme.accept(&call).await;
        book.check(&scheme.payer.next(answer).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_about_participants_are_what_the_definitions_allow() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for version in VERSIONS {
        live(&book, &scheme, "/participants/MSISDN/27710000002", version).await;
        live(&book, &scheme, "/participants/BUSINESS/shop/till-4", version).await;
        let id = fresh_id();
        let party = |id_type: &str, identifier: &str, fsp: &str| json!({"partyIdType": id_type, "partyIdentifier": identifier, "fspId": fsp});
        let longest = "x".repeat(128);
        let list = json!([
            party("MSISDN", "27710000003", PAYER),
            party("MSISDN", "27710000004", "otherfsp"),
            party("ACCOUNT_ID", "1", PAYER),
            party("MSISDN", "hello", PAYER),
            party("ALIAS", &longest, "otherfsp"),
        ]);
        let body = json!({"requestId": id, "currency": "USD", "partyList": list});
        let batch = Call::new("POST /participants").version(version).body(body.to_string());
        assert_eq!(scheme.send(&batch).await.status, 200);
        book.check(&scheme.payer.next(&format!("PUT /participants/{id}")).await);
    }
    book.assert_seen(&[
        "PUT /participants/{Type}/{ID}",
        "PUT /participants/{Type}/{ID}/error",
        "PUT /participants/{Type}/{ID}/{SubId}",
        "PUT /participants/{Type}/{ID}/{SubId}/error",
        "PUT /participants/{ID}",
    ]);
    scheme.end().await;
}
