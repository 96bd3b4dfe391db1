//! What the hub tells about transfers: outcomes, answers to questions, commit notifications and errors.

use crate::{
    Book, VERSIONS,
    support::{BYSTANDER, PAYER, Payment, Scheme},
};

/// Enough to be reserved on a busy machine.
const LIFE_MILLIS: i64 = 1_500;

/// The payer asks, and the hub's answer is checked.
async fn ask(book: &Book, scheme: &Scheme, payment: &Payment, version: &str) -> String {
    scheme.accept(&payment.question(PAYER).version(version)).await;
    let told = scheme.payer.next(&payment.put()).await;
    book.check(&told);
    told.json()["transferState"].as_str().unwrap().to_owned()
}

/// Reserved and committed by the hub; asked for before and after, and sent again.
async fn commit(book: &Book, scheme: &Scheme, version: &str) {
    let payment = Payment::usd("5");
    scheme.accept(&payment.prepare().version(version)).await;
    scheme.payee.next("POST /transfers").await;
    assert_eq!(ask(book, scheme, &payment, version).await, "RESERVED");
    if version == "1.0" {
        scheme.accept(&payment.fulfil("COMMITTED").version(version)).await;
        scheme.payer.next(&payment.put()).await;
    } else {
        let mut body = payment.fulfil_body("RESERVED");
        body["extensionList"] = serde_json::json!({"extension": [{"key": "till", "value": "4"}]});
        scheme.accept(&payment.answer(body).version(version)).await;
        book.check(&scheme.payer.next(&payment.put()).await);
        book.check(&scheme.payee.next(&payment.patch()).await);
    }
    assert_eq!(ask(book, scheme, &payment, version).await, "COMMITTED");
    scheme.accept(&payment.prepare().version(version)).await;
    book.check(&scheme.payer.next(&payment.put()).await);
    let modified = Payment { amount: "6".to_owned(), ..payment.clone() };
    scheme.accept(&modified.prepare().version(version)).await;
    book.check(&scheme.payer.next(&payment.put_error()).await);
}

/// Refused, rejected, answered wrongly, unknown: every error that is told about a transfer.
async fn fail(book: &Book, scheme: &Scheme, version: &str) {
    for payment in [
        Payment::usd("123456789012345678"),
        Payment::usd("1000000"),
        Payment { payee: "ghostfsp", ..Payment::usd("1") },
        Payment { payee: PAYER, ..Payment::usd("1") },
        Payment::usd("1").expiring_in_millis(-1),
        Payment { currency: "EUR", payee: BYSTANDER, ..Payment::usd("1") },
    ] {
        scheme.accept(&payment.prepare().version(version)).await;
        book.check(&scheme.payer.next(&payment.put_error()).await);
    }
    let unknown = Payment::usd("1");
    scheme.accept(&unknown.question(PAYER).version(version)).await;
    book.check(&scheme.payer.next(&unknown.put_error()).await);
    scheme.accept(&unknown.fulfil("COMMITTED").version(version)).await;
    book.check(&scheme.payee.next(&unknown.put_error()).await);

    let rejected = Payment::usd("1");
    scheme.accept(&rejected.prepare().version(version)).await;
    scheme.payee.next("POST /transfers").await;
    scheme.accept(&rejected.reject("5104", "no").version(version)).await;
    scheme.payer.next(&rejected.put_error()).await;
    assert_eq!(ask(book, scheme, &rejected, version).await, "ABORTED");

    let cheated = Payment::usd("1");
    scheme.accept(&cheated.prepare().version(version)).await;
    scheme.payee.next("POST /transfers").await;
    let wrong = Payment { fulfilment: Payment::usd("1").fulfilment, ..cheated.clone() };
    let asked = if version == "1.0" { "COMMITTED" } else { "RESERVED" };
    scheme.accept(&wrong.fulfil(asked).version(version)).await;
    book.check(&scheme.payer.next(&cheated.put_error()).await);
    if asked == "RESERVED" {
        book.check(&scheme.payee.next(&cheated.patch()).await);
    }
    assert_eq!(ask(book, scheme, &cheated, version).await, "ABORTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_says_about_a_transfer_is_what_the_definitions_allow() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for version in VERSIONS {
        commit(&book, &scheme, version).await;
        fail(&book, &scheme, version).await;
        let late = Payment::usd("1").expiring_in_millis(LIFE_MILLIS);
        scheme.accept(&late.prepare().version(version)).await;
        scheme.payee.next("POST /transfers").await;
        book.check(&scheme.payer.next(&late.put_error()).await);
        book.check(&scheme.payee.next(&late.put_error()).await);
        assert_eq!(ask(&book, &scheme, &late, version).await, "ABORTED");
        scheme.accept(&late.fulfil("COMMITTED").version(version)).await;
        book.check(&scheme.payee.next(&late.put_error()).await);
    }
    book.assert_seen(&["PUT /transfers/{ID}", "PATCH /transfers/{ID}", "PUT /transfers/{ID}/error"]);
    scheme.end().await;
}
