//! What the hub makes is signed, and nobody else's message is (contract, transfers §1.8).

use crate::support::{Call, PAYER, Payment, Quote, Received, Scheme};
use fspiop::jws::{InvalidSignature, VerificationKey, verify};

fn assert_signed(key: &VerificationKey, message: &Received) {
    assert_eq!(verify(key, &message.headers, &message.body), Ok(()), "{message:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_the_hub_makes_verifies_with_the_key_that_it_publishes() {
    let scheme = Scheme::start().await;
    let key = scheme.signing_key().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("RESERVED")).await;
    assert_signed(&key, &scheme.payer.next(&payment.put()).await);
    assert_signed(&key, &scheme.payee.next(&payment.patch()).await);
    scheme.accept(&payment.question(PAYER)).await;
    assert_signed(&key, &scheme.payer.next(&payment.put()).await);
    let refused = Payment::usd("2000");
    scheme.accept(&refused.prepare()).await;
    assert_signed(&key, &scheme.payer.next(&refused.put_error()).await);
    let quote = Quote::usd("5");
    scheme.accept(&quote.request().to("ghostfsp")).await;
    assert_signed(&key, &scheme.payer.next(&quote.put_error()).await);
    for line in ["GET /parties/MSISDN/1", "GET /participants/MSISDN/1"] {
        let call = Call::new(line);
        scheme.accept(&call).await;
        assert_signed(&key, &scheme.payer.next(&format!("PUT {}/error", call.path())).await);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_what_could_not_be_delivered_is_signed_too() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let key = scheme.signing_key().await;
    let quote = Quote::usd("5");
    scheme.accept(&quote.request()).await;
    assert_signed(&key, &scheme.payer.next(&quote.put_error()).await);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relayed_message_is_not_signed_by_the_hub() {
    let scheme = Scheme::start().await;
    let key = scheme.signing_key().await;
    let payment = Payment::usd("5");
    let asked = scheme.reserve(&payment).await;
    assert_eq!(verify(&key, &asked.headers, &asked.body), Err(InvalidSignature::Missing));
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    let told = scheme.payer.next(&payment.put()).await;
    assert_eq!(verify(&key, &told.headers, &told.body), Err(InvalidSignature::Missing));
    scheme.end().await;
}
