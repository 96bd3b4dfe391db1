//! Signatures of participants, as the hub verifies them (contract, transfers §1.8): what is not signed by its source is
//! refused and has done nothing, or is counted only, as the operator wants it.

use crate::support::{BYSTANDER, Call, PAYEE, PAYER, Payment, Quote, Scheme};
use fspiop::jws::SigningKey;
use hub::{PartyAnswers, SignatureFailure, Verification};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// The private keys of payer and payee, and the directory that the hub has of the public ones.
struct Keys {
    directory: TempDir,
    payer: SigningKey,
    payee: SigningKey,
}

impl Keys {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [payer, payee] = [PAYER, PAYEE].map(|_| SigningKey::generate_rsa().unwrap().0);
        let keys = Self { directory, payer, payee };
        keys.publish(PAYER, &keys.payer);
        keys.publish(PAYEE, &keys.payee);
        keys
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.pem"))
    }

    fn publish(&self, name: &str, key: &SigningKey) {
        std::fs::write(self.file(name), key.public_pem().unwrap()).unwrap();
    }

    async fn scheme(&self, failure: SignatureFailure, party_answers: PartyAnswers) -> Scheme {
        let keys = self.directory.path().to_owned();
        Scheme::start_with(|config| config.verification = Verification::On { keys, failure, party_answers }).await
    }
}

/// The hub's count of failures: each line without its name.
async fn failures(scheme: &Scheme) -> Vec<String> {
    let metrics = scheme.ask_administration(&Call::plain("GET /metrics", Value::Null)).await.text();
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("umoja_signature_failures_total"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_messages_are_signed_goes_through() {
    let keys = Keys::new();
    let scheme = keys.scheme(SignatureFailure::Refused, PartyAnswers::Verified).await;
    let quote = Quote::usd("5");
    let asked = quote.request().signed(&keys.payer);
    scheme.accept(&asked).await;
    crate::assert_relayed(&scheme.payee.next("POST /quotes").await, &asked);
    let payment = Payment::usd("5");
    let prepare = payment.prepare().signed(&keys.payer);
    scheme.accept(&prepare).await;
    crate::assert_relayed(&scheme.payee.next("POST /transfers").await, &prepare);
    let fulfil = payment.fulfil("COMMITTED").signed(&keys.payee);
    scheme.accept(&fulfil).await;
    crate::assert_relayed(&scheme.payer.next(&payment.put()).await, &fulfil);
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    assert_eq!(failures(&scheme).await, Vec::<String>::new());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_source_has_not_signed_is_refused_with_the_reason_and_nothing_is_stored() {
    let keys = Keys::new();
    let scheme = keys.scheme(SignatureFailure::Refused, PartyAnswers::Exempt).await;
    let before = scheme.balances().await;
    let payment = Payment::usd("5");
    let signed = || payment.prepare().signed(&keys.payer);
    let changed = String::from_utf8(signed().bytes().to_vec()).unwrap().replace("\"5\"", "\"6\"");
    let not_covered = |name: &str| signed().without(name);
    for (call, reason) in [
        (payment.prepare(), "there is no fspiop-signature header"),
        (payment.prepare().signed(&keys.payee), "the signature does not fit the body and key"),
        (signed().body(changed), "the signature does not fit the body and key"),
        (signed().from(PAYEE), "the header fspiop-source is not what was signed"),
        (signed().from(BYSTANDER), "there is no key of otherfsp: there is no file"),
        (signed().to(BYSTANDER), "the header fspiop-destination is not what was signed"),
        (not_covered("fspiop-destination"), "the header fspiop-destination is not what was signed"),
        (not_covered("fspiop-uri"), "the header fspiop-uri is not what was signed"),
        (not_covered("fspiop-http-method"), "the header fspiop-http-method is not what was signed"),
        (signed().with("date", "Sat, 21 Nov 2026 00:00:00 GMT"), "the header date is not what was signed"),
        (signed().with("fspiop-uri", "/quotes"), "the header fspiop-uri is not what was signed"),
        (signed().with("fspiop-signature", "{}"), "the fspiop-signature header is malformed"),
    ] {
        let reply = scheme.send(&call).await;
        assert_eq!(reply.error(), format!("400 3105 Invalid signature - {reason}"));
    }
    // A signature of one message does not carry another one with the same body.
    let other = Payment::usd("5");
    let replayed = payment.fulfil("COMMITTED").signed(&keys.payee).at(&other.path());
    let text = "400 3105 Invalid signature - the header fspiop-uri is not that of the request";
    assert_eq!(scheme.send(&replayed).await.error(), text);
    assert_eq!(scheme.balances().await, before);
    scheme.accept(&payment.question(PAYER)).await;
    let told = scheme.payer.next(&payment.put_error()).await.json();
    assert_eq!(told["errorInformation"]["errorCode"], "3208", "the hub knows nothing of it");
    let counted = failures(&scheme).await;
    let missing = r#"{resource="transfers",reason="missing",outcome="refused"} 1"#;
    assert!(counted.contains(&missing.to_owned()) && counted.len() == 6, "{counted:#?}");
    // The right one is taken, which no memory of the others prevents.
    scheme.accept(&signed()).await;
    scheme.payee.next("POST /transfers").await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fulfilment_that_the_payee_has_not_signed_leaves_the_transfer_reserved() {
    let keys = Keys::new();
    let scheme = keys.scheme(SignatureFailure::Refused, PartyAnswers::Exempt).await;
    let payment = Payment::usd("5");
    scheme.accept(&payment.prepare().signed(&keys.payer)).await;
    scheme.payee.next("POST /transfers").await;
    for forged in [
        payment.fulfil("COMMITTED"),
        payment.fulfil("COMMITTED").signed(&keys.payer),
        payment.reject("5104", "no").signed(&keys.payer),
        payment.fulfil("COMMITTED").with("accept", "application/vnd.interoperability.transfers+json;version=1.1"),
    ] {
        let reply = scheme.send(&forged).await;
        assert!(reply.error().starts_with("400 3105 Invalid signature - "), "{}", reply.error());
    }
    assert_eq!(scheme.positions().await, ["5", "0"]);
    scheme.accept(&payment.fulfil("COMMITTED").signed(&keys.payee)).await;
    scheme.payer.next(&payment.put()).await;
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_failures_are_logged_only_everything_is_taken_and_counted() {
    let keys = Keys::new();
    let scheme = keys.scheme(SignatureFailure::Logged, PartyAnswers::Exempt).await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED").signed(&keys.payer)).await;
    scheme.payer.next(&payment.put()).await;
    assert_eq!(
        failures(&scheme).await,
        [
            r#"{resource="transfers",reason="missing",outcome="taken"} 1"#,
            r#"{resource="transfers",reason="wrong",outcome="taken"} 1"#
        ]
    );
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_added_replaced_and_taken_away_count_at_once() {
    let keys = Keys::new();
    let scheme = keys.scheme(SignatureFailure::Refused, PartyAnswers::Exempt).await;
    let (next, _) = SigningKey::generate_rsa().unwrap();
    let quote = || Quote::usd("5").request();
    scheme.accept(&quote().signed(&keys.payer)).await;
    keys.publish(PAYER, &next);
    let refused = scheme.send(&quote().signed(&keys.payer)).await.error();
    assert_eq!(refused, "400 3105 Invalid signature - the signature does not fit the body and key");
    scheme.accept(&quote().signed(&next)).await;
    std::fs::remove_file(keys.file(PAYER)).unwrap();
    let refused = scheme.send(&quote().signed(&next)).await.error();
    assert_eq!(refused, "400 3105 Invalid signature - there is no key of payerfsp: there is no file");
    std::fs::write(keys.file(PAYER), "half a key").unwrap();
    let refused = scheme.send(&quote().signed(&next)).await.error();
    assert_eq!(refused, "400 3105 Invalid signature - there is no key of payerfsp: the text holds no key in PEM form");
    keys.publish(PAYER, &next);
    scheme.accept(&quote().signed(&next)).await;
    for _ in 0..3 {
        scheme.payee.next("POST /quotes").await;
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_by_default_answers_to_look_ups_need_no_signature() {
    for party_answers in [PartyAnswers::Exempt, PartyAnswers::Verified] {
        let keys = Keys::new();
        let scheme = keys.scheme(SignatureFailure::Refused, party_answers).await;
        let path = "MSISDN/27710000002";
        let registration = Call::new(&format!("POST /participants/{path}")).from(PAYEE);
        let registration = registration.body(json!({"fspId": PAYEE}).to_string());
        let refused = scheme.send(&registration).await.error();
        assert_eq!(refused, "400 3105 Invalid signature - there is no fspiop-signature header");
        scheme.accept(&registration.signed(&keys.payee)).await;
        scheme.payee.next(&format!("PUT /participants/{path}")).await;
        scheme.accept(&Call::new(&format!("GET /parties/{path}"))).await;
        scheme.payee.next(&format!("GET /parties/{path}")).await;
        let line = format!("PUT /parties/{path}");
        let answer = Call::new(&line).from(PAYEE).to(PAYER);
        let answer = answer.body(crate::support::party_body("MSISDN", "27710000002"));
        match party_answers {
            PartyAnswers::Exempt => scheme.accept(&answer).await,
            PartyAnswers::Verified => {
                let refused = scheme.send(&answer).await.error();
                assert_eq!(refused, "400 3105 Invalid signature - there is no fspiop-signature header");
                scheme.accept(&answer.signed(&keys.payee)).await;
            }
        }
        scheme.payer.next(&line).await;
        scheme.accept(&Call::new(&format!("DELETE /participants/{path}")).from(PAYEE)).await;
        scheme.payee.next(&format!("PUT /participants/{path}")).await;
        scheme.end().await;
    }
}
